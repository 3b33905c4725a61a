//! Credentials (G5): stored by signed actions, read by agents, and by nobody else.

mod at_rest;
mod reading;
mod storing;

use crate::support::{Answer, Owner, World};
use axum::{extract::FromRequestParts, http::request::Parts};
use holdfast_protocol::{
    base64url::Bytes,
    commitment::Opening,
    credentials::{CredentialList, CredentialView, Name, Removal, Storing},
    history::{Activity, ActivityPage},
    ids::AccountId,
    problem::Code,
    step_up::{Action, Request},
};
use holdfast_server::{
    app::App,
    db::Tx,
    problem::{Refusal, Result},
    vault::{self, Reader},
};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A console with its owner.
struct Console {
    world: World,
    owner: Owner,
}

impl Console {
    async fn new() -> Self {
        Self::of(World::new().await).await
    }

    async fn of(world: World) -> Self {
        Self { owner: world.owner("Mara").await, world }
    }

    fn opening(&self, value: &[u8]) -> Opening {
        let salt = self.world.app.entropy.make::<16>();
        Opening { salt: Bytes(salt.to_vec()), value: Bytes(value.to_vec()) }
    }

    fn storing(&self, channel: &str, key: &str, value: &[u8]) -> (Storing, Opening) {
        let opening = self.opening(value);
        (Storing { name: name(key), channel: name(channel), commitment: opening.commitment() }, opening)
    }

    async fn store(&self, channel: &str, key: &str, value: &[u8]) {
        let (parameters, opening) = self.storing(channel, key, value);
        let answer = self.act(parameters, Some(opening)).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    async fn remove(&self, channel: &str, key: &str) -> Answer {
        let removal = Removal { name: name(key), channel: name(channel) };
        self.act(removal, None).await
    }

    /// An action that is confirmed, with this secret beside it.
    async fn act<A: Action>(&self, parameters: A, secret: Option<Opening>) -> Answer {
        let request = Request { secret, ..self.owner.confirm(parameters).await };
        self.owner.browser.post(A::KIND.path(), &request).await
    }

    async fn list(&self) -> Vec<CredentialView> {
        let CredentialList { credentials } = self.owner.browser.get("/v1/credentials").await.json();
        credentials
    }

    /// An agent of the owner.
    fn agent(&self, id: &str, channel: &str) -> Agent {
        Agent::new(&self.owner.browser.account, id, channel)
    }

    async fn activity(&self) -> Vec<Activity> {
        let page: ActivityPage = self.owner.browser.get("/v1/activity").await.json();
        page.events.into_iter().map(|event| event.what).collect()
    }
}

/// An agent, as these tests believe it to be one: by a header.
pub struct Agent {
    account: AccountId,
    id: String,
    channel: Name,
}

impl Agent {
    pub fn new(account: &AccountId, id: &str, channel: &str) -> Self {
        Self { account: account.clone(), id: id.to_owned(), channel: name(channel) }
    }

    pub async fn read(&self, app: &App, key: &str) -> Result<Vec<u8>, Code> {
        let secret = vault::read(app, self, &name(key)).await;
        secret.map(|secret| secret.to_vec()).map_err(|refusal| refusal.code())
    }
}

impl Reader for Agent {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn agent(&self) -> &str {
        &self.id
    }

    fn channel(&self) -> &Name {
        &self.channel
    }

    async fn write(&self, app: &App) -> Result<Tx> {
        Ok(app.db.write().await?)
    }
}

impl FromRequestParts<App> for Agent {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let header = parts.headers.get("x-agent").ok_or(Code::SignedOut)?;
        let [account, id, channel] = header.to_str().unwrap().split(' ').collect::<Vec<_>>()[..] else {
            return Err(Code::SignedOut.into());
        };
        Ok(Self {
            account: AccountId::parse(account).unwrap(),
            id: id.to_owned(),
            channel: Name::parse(channel).unwrap(),
        })
    }
}
