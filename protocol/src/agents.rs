use crate::{
    base64url::Bytes,
    calendar::utc_minute,
    ids::{AgentId, ChargeId, PairingCode},
    problem::Code,
    step_up::{Action, Kind, Locale, quoted},
    wallet::Usd,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which files an agent may read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileScope {
    /// Those of the workspace.
    Workspace,
    /// Every file of the machine.
    Full,
}

impl FileScope {
    /// All of them.
    pub const ALL: [FileScope; 2] = [FileScope::Workspace, FileScope::Full];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            FileScope::Workspace => "workspace",
            FileScope::Full => "full",
        }
    }

    /// Takes a scope as it was written.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// What budgets and charges are counted in. The server stamps it; nobody asks for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Currency {
    /// Dollars of the United States.
    #[serde(rename = "USD")]
    Usd,
}

/// `POST /v1/agents/pairings`, from the agent: asks for an owner. Answers [`Pairing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PairingRequest {
    /// What the agent calls itself: 1 to 64 characters, none of them hidden or like a `”`.
    pub name: String,
    /// The files that it wants.
    pub scope: FileScope,
    /// What it wants to spend. The owner decides.
    pub budget: Usd,
}

/// What an agent gets to be paired with. No `Debug`: the secret is one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pairing {
    /// The agent's id from now on.
    pub agent: AgentId,
    /// To be shown to the owner, who types it.
    pub code: PairingCode,
    /// 32 bytes that fetch the agent's token; to be shown to nobody.
    pub secret: Bytes,
    /// Until when the owner can approve: milliseconds since 1970.
    pub expires_at_ms: u64,
    /// How long to wait between two claims: seconds.
    pub poll_every_s: u32,
}

/// `POST /v1/agents/pairings/claim`, from the agent. Answers [`Claim`]; 409 `pairing_gone` once the token was
/// used, the code has expired or the agent was revoked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// Of the pairing.
    pub secret: Bytes,
}

/// What has become of a pairing. No `Debug`: the token is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Claim {
    /// The owner has not decided.
    Pending,
    /// The owner has approved. Said again, until the token is first used, with another in its place: an answer may
    /// get lost.
    Approved {
        /// For `Authorization: Bearer`, until the agent expires or is revoked.
        token: String,
        /// What it may do.
        agent: AgentView,
    },
}

/// `GET /v1/agents/pairings/{code}`: who asks for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PairingView {
    /// In its one spelling.
    pub code: PairingCode,
    /// Who.
    pub agent: AgentId,
    /// As it calls itself.
    pub name: String,
    /// The files that it wants.
    pub scope: FileScope,
    /// What it wants to spend.
    pub budget: Usd,
    /// What that is counted in.
    pub currency: Currency,
    /// From where it asks.
    pub source: Source,
    /// Milliseconds since 1970.
    pub asked_at_ms: u64,
    /// Until when it can be approved: milliseconds since 1970.
    pub expires_at_ms: u64,
}

/// From where an agent asks, beside whoever looks at its pairing. No address is kept to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From the same network address.
    Same,
    /// From another one.
    Another,
}

/// `GET /v1/agents`: every agent of the account that is not torn down, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentList {
    /// The agents.
    pub agents: Vec<AgentView>,
    /// The last five charges of each that has paid anything, the newest first.
    pub charges: BTreeMap<AgentId, Vec<Charge>>,
}

/// An agent as its owner sees it; `GET /v1/agents/self` is what it sees of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentView {
    /// Unchanging.
    pub id: AgentId,
    /// As it called itself when it was paired.
    pub name: String,
    /// The files that it may use.
    pub scope: FileScope,
    /// What it may spend in all.
    pub budget: Usd,
    /// What it has spent.
    pub spent: Usd,
    /// What it may still spend: nothing where the budget was cut below what is spent.
    pub left: Usd,
    /// What the three are counted in.
    pub currency: Currency,
    /// Milliseconds since 1970.
    pub approved_at_ms: u64,
    /// Milliseconds since 1970.
    pub expires_at_ms: u64,
    /// Whether it can do anything.
    pub state: AgentState,
}

/// See [`AgentView`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Approved; it has not used its token yet.
    Waiting,
    /// At work.
    Active,
    /// Its time is over; another approval gives it more.
    Expired,
    /// Revoked by its owner, for good.
    Revoked,
}

/// `POST /v1/agents/approve`, an action: the agent may do this from now on, and nothing else. Answers
/// [`AgentView`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AgentApproval"))]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Which.
    pub agent: AgentId,
    /// As it calls itself.
    pub name: String,
    /// The code that it shows. Without one, an agent that is paired already gets other limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<PairingCode>,
    /// The files that it may use.
    pub scope: FileScope,
    /// What it may spend in all, with what it has spent before.
    pub budget: Usd,
    /// Until when: milliseconds since 1970, a whole minute, at most 366 days ahead.
    pub expires_at_ms: u64,
}

impl Action for Approval {
    type Answer = AgentView;

    const KIND: Kind = Kind::AgentApprove;
    const REFUSES: &'static [Code] = &[Code::PairingGone];

    fn target(&self) -> String {
        self.agent.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        let who = named(&self.name, &self.agent);
        let begin = match &self.code {
            Some(code) => {
                ["Pair the agent ", &who, ", which shows ", code.as_str(), ". It may spend "].concat()
            }
            None => ["Give the agent ", &who, " other limits. It may spend "].concat(),
        };
        let files = match self.scope {
            FileScope::Workspace => ", with the workspace's files.",
            FileScope::Full => ", with every file of the machine.",
        };
        let budget = self.budget.to_string();
        [&begin, &budget, " USD in all until ", &utc_minute(self.expires_at_ms), files].concat()
    }
}

/// `POST /v1/agents/revoke`, an action: the agent can do nothing more. Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AgentRevocation"))]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Which.
    pub agent: AgentId,
    /// As it calls itself.
    pub name: String,
}

impl Action for Revocation {
    type Answer = ();

    const KIND: Kind = Kind::AgentRevoke;

    fn target(&self) -> String {
        self.agent.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        ["Revoke the agent ", &named(&self.name, &self.agent), ". It can do nothing more."].concat()
    }
}

/// `POST /v1/agents/teardown`, an action: the agent can do nothing more, and its credentials are deleted.
/// Answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AgentTeardown"))]
#[serde(deny_unknown_fields)]
pub struct Teardown {
    /// Which.
    pub agent: AgentId,
    /// As it calls itself.
    pub name: String,
}

impl Action for Teardown {
    type Answer = ();

    const KIND: Kind = Kind::AgentTeardown;

    fn target(&self) -> String {
        self.agent.as_str().to_owned()
    }

    fn sentence(&self, locale: Locale) -> String {
        let Locale::En = locale;
        ["Revoke the agent ", &named(&self.name, &self.agent), " and delete its credentials."].concat()
    }
}

/// `POST /v1/agents/cap`: the agent may spend less. Answers 204; 403 `step_up_required` where it is more
/// than before, since that wants an [`Approval`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CapRequest {
    /// Which.
    pub agent: AgentId,
    /// What it may spend in all; it may have spent more before.
    pub budget: Usd,
}

/// `POST /v1/agents/charges`, from the agent, with an `Idempotency-Key`: pays a merchant. Answers [`Charge`];
/// 403 `budget_exceeded` where it is more than what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargeRequest {
    /// More than nothing.
    pub amount: Usd,
    /// To whom.
    pub merchant: Merchant,
}

/// Whom a charge pays, as the merchant's own demand says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// 1 to 64 characters, none of them hidden or like a `”`.
    pub name: String,
    /// What the merchant wants to be paid in, by its name: 1 to 64 characters, none of them hidden or
    /// like a `”`. It is kept with the charge, and changes nothing of what the budget is counted in.
    pub settlement_token: String,
}

/// A charge that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Charge {
    /// Unchanging.
    pub id: ChargeId,
    /// What was paid.
    pub amount: Usd,
    /// What that is counted in.
    pub currency: Currency,
    /// To whom.
    pub merchant: Merchant,
    /// What was left after it.
    pub left: Usd,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

/// How the sentence of [`Activity::Agent`](crate::history::Activity::Agent) ends that tells of a refused charge, and no
/// other: what stands before it in quotation marks cannot reach the end.
pub const REFUSED: &str = ", more than what is left: refused.";

/// An agent in a sentence: its name beside its id.
pub fn named(name: &str, agent: &AgentId) -> String {
    [&quoted(name), " (", agent.as_str(), ")"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(code: Option<PairingCode>) -> Approval {
        Approval {
            agent: AgentId::make([1; 16]),
            name: "Shopper".to_owned(),
            code,
            scope: FileScope::Workspace,
            budget: Usd::parse("50.00").unwrap(),
            expires_at_ms: 1_795_356_300_000,
        }
    }

    #[test]
    fn an_approval_says_what_is_signed() {
        let paired = approval(Some(PairingCode::make([2; 8]))).sentence(Locale::En);
        assert_eq!(
            paired,
            "Pair the agent “Shopper” (agt_1111-1111-1111-1111), which shows 2222-2222. It may spend 50.00 USD in \
             all until 2026-11-22 14:05 UTC, with the workspace's files."
        );
        let more = Approval { scope: FileScope::Full, ..approval(None) }.sentence(Locale::En);
        assert_eq!(
            more,
            "Give the agent “Shopper” (agt_1111-1111-1111-1111) other limits. It may spend 50.00 USD in all until \
             2026-11-22 14:05 UTC, with every file of the machine."
        );
    }

    #[test]
    fn a_currency_is_stamped_and_named_by_nobody() {
        let request = r#"{"amount":"1.00","merchant":{"name":"Books","settlement_token":"USDC"}}"#;
        assert!(serde_json::from_str::<ChargeRequest>(request).is_ok());
        let named = request.replacen('{', r#"{"currency":"EUR","#, 1);
        assert!(serde_json::from_str::<ChargeRequest>(&named).is_err());
        assert_eq!(serde_json::to_string(&Currency::Usd).unwrap(), "\"USD\"");
    }
}
