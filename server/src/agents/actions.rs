//! What an agent's owner signs for: pairing it and giving it other limits, revoking it, tearing it down.

use super::{rules, store};
use crate::{
    elevation::{Asker, Elevated, Perform},
    problem::Result,
    vault,
};
use holdfast_protocol::{
    agents::{AgentState, AgentView, Approval, Revocation, Teardown},
    credentials::Name,
    ids::AgentId,
    problem::Code,
};

impl Perform for Approval {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        rules::expiry(self.expires_at_ms, by.now_ms)?;
        let Some(code) = &self.code else {
            let AgentView { state, .. } = require(by, &self.agent, &self.name).await?;
            if state == AgentState::Revoked {
                return Err(Code::NotFound.into());
            }
            // More time is of no use to one whose pairing ran out before it had used its token.
            let can_connect = store::can_connect(by.tx, &self.agent).await?;
            return if can_connect { Ok(()) } else { Err(Code::PairingGone.into()) };
        };
        let asks = store::open_pairing(by.tx, code, by.now_ms).await?.ok_or(Code::PairingGone)?;
        if asks.agent_id != self.agent.as_str() {
            return Err(Code::PairingGone.into());
        }
        if asks.name == self.name { Ok(()) } else { Err(Code::TargetChanged.into()) }
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<AgentView> {
        let Elevated { by, parameters, .. } = elevated;
        let limits = store::Limits {
            scope: parameters.scope,
            budget_micros: parameters.budget.micros(),
            expires_at_ms: rules::expiry(parameters.expires_at_ms, by.now_ms)?,
        };
        let (account, agent) = (&by.session.account, &parameters.agent);
        match &parameters.code {
            Some(code) => {
                // Of two owners, or two tabs, the second finds nothing that waits.
                if !store::approve(by.tx, code, by.now_ms, limits.expires_at_ms).await? {
                    return Err(Code::PairingGone.into());
                }
                let new = store::NewAgent { id: agent, account, name: &parameters.name, at_ms: by.now_ms };
                store::insert(by.tx, new, &limits).await?;
            }
            None => {
                if !store::limit(by.tx, agent, &limits).await? {
                    return Err(Code::NotFound.into());
                }
            }
        }
        let row = store::find(by.tx, account, agent).await?.ok_or(Code::Internal)?;
        rules::view(row, by.now_ms)
    }
}

impl Perform for Revocation {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        require(by, &self.agent, &self.name).await.map(drop)
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<()> {
        let Elevated { by, parameters, .. } = elevated;
        Ok(store::revoke(by.tx, &parameters.agent, by.now_ms).await?)
    }
}

impl Perform for Teardown {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        require(by, &self.agent, &self.name).await.map(drop)
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<()> {
        let Elevated { by, parameters, .. } = elevated;
        store::revoke(by.tx, &parameters.agent, by.now_ms).await?;
        store::tear_down(by.tx, &parameters.agent, by.now_ms).await?;
        let channel = Name::parse(parameters.agent.as_str()).map_err(|_| Code::Internal)?;
        vault::remove_channel(by.tx, &by.session.account, &channel).await?;
        Ok(())
    }
}

/// The asker's own agent, by the name that the person has read.
async fn require(by: &mut Asker<'_>, agent: &AgentId, name: &str) -> Result<AgentView> {
    let row = store::find(by.tx, &by.session.account, agent).await?.ok_or(Code::NotFound)?;
    if row.name == name { rules::view(row, by.now_ms) } else { Err(Code::TargetChanged.into()) }
}
