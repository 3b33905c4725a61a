//! Agents: programs with a token of their own (RFC 6750), which nobody ever prompts.

use super::{refuse, store};
use crate::{
    app::{App, stored},
    audit,
    db::Tx,
    problem::{Refusal, Result},
    wire::single,
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use holdfast_protocol::{
    agents::FileScope,
    credentials::Name,
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
        let mut tx = app.db.look().await?;
        let agent = store::agent(&mut tx, &stored(token), app.clock.unix_ms()).await?;
        drop(tx);
        let agent = agent.ok_or_else(|| refuse(Code::AgentTokenInvalid, "no living agent's token"))?;
        app.limits.agent.check(&app.config.keys.mac("limits/agent", agent.id.as_str().as_bytes()))?;
        Ok(agent)
    }
}

/// `Bearer`, in whatever case, and the token.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The transaction of what an agent does. Its body may come long after its head, so that the agent must still
/// live now, and does until the end.
pub(crate) async fn write_as_agent(app: &App, agent: &Agent) -> Result<Tx> {
    let mut tx = app.db.write().await?;
    // The account before the agent, as in what its owner does: in another order the two could wait for each
    // other.
    audit::hold(&mut tx, &agent.account).await?;
    if store::hold_agent(&mut tx, &agent.id, app.clock.unix_ms()).await? {
        Ok(tx)
    } else {
        Err(Code::AgentTokenInvalid.into())
    }
}
