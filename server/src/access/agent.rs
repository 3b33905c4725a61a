//! Agents: programs with a token of their own (RFC 6750), which nobody ever prompts.

use super::{refuse, store};
use crate::{
    app::{App, stored},
    audit::{self, Event},
    db::Tx,
    problem::{Refusal, Result},
    wire::single,
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use holdfast_protocol::{
    agents::{FileScope, named},
    credentials::Name,
    history::Activity,
    ids::{AccountId, AgentId},
    problem::Code,
};

/// The caller holds the token of an agent that is approved, not expired and not revoked. Whatever holds its
/// owner's account back does not hold it back: it does what was signed for, and the owner can revoke it.
#[derive(Debug, Clone)]
pub struct Agent {
    pub id: AgentId,
    pub account: AccountId,
    pub name: String,
    pub scope: FileScope,
    /// The one whose credentials it reads, beside those of every channel: its id.
    pub channel: Name,
}

impl FromRequestParts<App> for Agent {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let header = single(&parts.headers, header::AUTHORIZATION.as_str())?;
        let token = header.and_then(bearer).ok_or(Code::AgentTokenInvalid)?;
        let (token_hash, now_ms) = (stored(token), app.clock.unix_ms());
        let mut tx = app.db.look().await?;
        let known = store::agent(&mut tx, &token_hash, now_ms).await?;
        drop(tx);
        let agent = match known {
            None => use_first(app, &token_hash, now_ms).await?,
            known => known,
        };
        let agent = agent.ok_or_else(|| refuse(Code::AgentTokenInvalid, "no living agent's token"))?;
        app.limits.agent.check(&app.config.keys.mac("limits/agent", agent.id.as_str().as_bytes()))?;
        Ok(agent)
    }
}

/// The first use of a token shows that it has arrived: from then on nobody can claim another in its place, and the
/// owner is told.
async fn use_first(app: &App, token_hash: &[u8], now_ms: i64) -> Result<Option<Agent>> {
    let mut tx = app.db.look().await?;
    // Whoever makes tokens up never waits to write.
    if !store::is_unused(&mut tx, token_hash).await? {
        return Ok(store::agent(&mut tx, token_hash, now_ms).await?);
    }
    drop(tx);
    let mut tx = app.db.write().await?;
    let is_first = store::use_first(&mut tx, token_hash, now_ms).await?;
    let agent = store::agent(&mut tx, token_hash, now_ms).await?;
    if is_first && let Some(Agent { id, account, name, .. }) = &agent {
        let what =
            Activity::Agent { sentence: format!("The agent {} is paired and at work.", named(name, id)) };
        let event = Event { account, what, device: None, session: None, at_ms: now_ms };
        audit::record(&mut tx, event).await?;
        tx.commit(&app.live).await?;
    }
    Ok(agent)
}

/// `Bearer`, in whatever case, and the token.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The transaction of what an agent does. It may come long after the head of its request, so that the agent must
/// still live now, and does until the end. Its account is not held: as in what its owner does, that comes last.
pub(crate) async fn write_as_agent(app: &App, agent: &Agent) -> Result<Tx> {
    let mut tx = app.db.write().await?;
    if store::hold_agent(&mut tx, &agent.id, app.clock.unix_ms()).await? {
        Ok(tx)
    } else {
        Err(Code::AgentTokenInvalid.into())
    }
}
