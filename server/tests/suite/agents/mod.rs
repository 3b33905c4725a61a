//! Agents: paired by code, within a budget that their owner has signed (G1 to G3).

mod charges;
mod limits;
mod pairing;
mod races;

use crate::support::{Answer, Browser, Program, SoftPasskey, World};
use holdfast_protocol::{
    agents::{AgentList, AgentView},
    base64url::Bytes,
    history::{Activity, ActivityPage},
    ids::AgentId,
    passkeys::AssertionOptions,
    step_up::{Kind, StepUpOptions},
};
use serde_json::{Value, json};
use std::net::SocketAddr;

const DAY_MS: u64 = 86_400_000;

/// Where actions are carried out without a confirmation: what is confirmed, and how, is tested elsewhere.
async fn unguarded() -> World {
    World::with(|config| config.step_up_off = Kind::ALL.to_vec()).await
}

/// An action as its owner confirms it.
async fn confirm(browser: &Browser, passkey: &SoftPasskey, kind: Kind, parameters: &Value) -> Answer {
    browser.post(kind.path(), &signed(browser, passkey, kind, parameters).await).await
}

/// The body of it, which its owner has confirmed.
async fn signed(browser: &Browser, passkey: &SoftPasskey, kind: Kind, parameters: &Value) -> Value {
    let StepUpOptions { ceremony, token, public_key, .. } =
        browser.post(&kind.preflight(), parameters).await.json();
    let options = AssertionOptions { ceremony: ceremony.clone(), token: token.clone(), public_key };
    let credential = passkey.assert(&options, |_| {});
    let confirmation = json!({ "ceremony": ceremony, "token": token, "credential": credential });
    json!({ "parameters": parameters, "confirmation": confirmation })
}

/// The same where the operator wants no confirmation.
async fn act(browser: &Browser, kind: Kind, parameters: &Value) -> Answer {
    browser.post(kind.path(), &json!({ "parameters": parameters })).await
}

/// A pairing that an agent has asked for.
struct Asked {
    agent: String,
    code: String,
    secret: String,
}

async fn ask(world: &World) -> Asked {
    let body = json!({ "name": "Shopper", "scope": "full", "budget": "50.00" });
    let answer = Program::ask(world.address, "/v1/agents/pairings", &body).await;
    let answer: Value = answer.json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    Asked { agent: text("agent"), code: text("code"), secret: text("secret") }
}

impl Asked {
    /// What the owner signs: less than what was asked for.
    fn approval(&self, world: &World) -> Value {
        json!({ "agent": self.agent, "name": "Shopper", "code": self.code, "scope": "workspace",
                "budget": "20.00", "expires_at_ms": world.clock.now().unix_ms + DAY_MS })
    }

    async fn claim(&self, world: &World) -> Answer {
        self.claim_at(world.address).await
    }

    async fn claim_at(&self, address: SocketAddr) -> Answer {
        let body = json!({ "secret": self.secret });
        Program::ask(address, "/v1/agents/pairings/claim", &body).await
    }

    /// Fetches its token.
    async fn program(&self, world: &World) -> Program {
        let claimed: Value = self.claim(world).await.json();
        let token = claimed["token"].as_str().unwrap().to_owned();
        Program { address: world.address, id: AgentId::parse(&self.agent).unwrap(), token }
    }

    /// Whether the secret that it holds is in a text of the database.
    fn is_told_by(&self, text: &str) -> bool {
        let Bytes(secret) = serde_json::from_value(json!(self.secret)).unwrap();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        text.contains(&hex) || text.contains(&self.secret.to_lowercase())
    }
}

async fn agents(browser: &Browser) -> Vec<AgentView> {
    let AgentList { agents, .. } = browser.get("/v1/agents").await.json();
    agents
}

/// What the trail says of agents beside their step-ups, the newest first.
async fn told(browser: &Browser) -> Vec<String> {
    let ActivityPage { events, .. } = browser.get("/v1/activity").await.json();
    let sentence = |what| match what {
        Activity::Agent { sentence } => Some(sentence),
        _ => None,
    };
    events.into_iter().filter_map(|event| sentence(event.what)).collect()
}
