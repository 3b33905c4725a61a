//! Named secrets for agents: their owner stores and deletes them, each time with a signature, and sees who
//! reads them; the values themselves never come back to a browser. How they are kept is the kernel's
//! ([`crate::vault`]).

use crate::{
    access::{Session, SignedIn},
    app::App,
    elevation::{self, Asker, Elevated, Perform},
    problem::{Refusal, Result},
    vault::{self, Place, Reader},
};
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, State, rejection::PathRejection},
    routing::get,
};
use holdfast_protocol::{
    base64url::Bytes,
    credentials::{CredentialList, CredentialValue, Name, ReadableCredentials, Removal, Storing},
    problem::Code,
};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/credentials", get(list))
        .merge(elevation::routes::<Storing>())
        .merge(elevation::routes::<Removal>())
}

/// The addresses of agents, who show that they are one by `R`.
pub fn agent_routes<R>() -> Router<App>
where
    R: Reader + FromRequestParts<App, Rejection = Refusal> + 'static,
{
    Router::new()
        .route("/v1/agents/credentials", get(readable::<R>))
        .route("/v1/agents/credentials/{name}", get(read::<R>))
}

/// `GET /v1/credentials`.
async fn list(State(app): State<App>, SignedIn(session): SignedIn) -> Result<Json<CredentialList>> {
    let mut tx = app.db.read().await?;
    Ok(Json(CredentialList { credentials: vault::list(&app, &mut tx, &session.account).await? }))
}

/// `GET /v1/agents/credentials`.
async fn readable<R: Reader>(State(app): State<App>, reader: R) -> Result<Json<ReadableCredentials>> {
    let mut tx = app.db.look().await?;
    let names = vault::readable(&mut tx, reader.account(), reader.channel()).await?;
    Ok(Json(ReadableCredentials { names }))
}

/// `GET /v1/agents/credentials/{name}`.
async fn read<R: Reader>(
    State(app): State<App>,
    reader: R,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<CredentialValue>> {
    let Path(name) = name.map_err(|_| Code::NotFound)?;
    let name = Name::parse(&name).map_err(|_| Code::NotFound)?;
    let mut secret = vault::read(&app, &reader, &name).await?;
    Ok(Json(CredentialValue { value: Bytes(std::mem::take(&mut *secret)) }))
}

impl Perform for Storing {
    async fn check(&self, _: &mut Asker<'_>) -> Result<()> {
        Ok(())
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<()> {
        let Elevated { by, parameters, secret, .. } = elevated;
        let secret = secret.take().ok_or(Code::Internal)?;
        let place = place(by.session, &parameters.channel, &parameters.name);
        vault::put(by.app, by.tx, &place, &secret, by.now_ms).await
    }
}

impl Perform for Removal {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        let there = vault::is_there(by.tx, &place(by.session, &self.channel, &self.name)).await?;
        if there { Ok(()) } else { Err(Code::NotFound.into()) }
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<()> {
        let Elevated { by, parameters, .. } = elevated;
        let place = place(by.session, &parameters.channel, &parameters.name);
        if vault::remove(by.tx, &place).await? { Ok(()) } else { Err(Code::NotFound.into()) }
    }
}

fn place<'a>(session: &'a Session, channel: &'a Name, name: &'a Name) -> Place<'a> {
    Place { account: &session.account, channel, name }
}
