//! What a request is refused with for what it is, whatever its address does.

use super::addresses::{Access, Address, Method, Takes};
use holdfast_protocol::problem::Code::{self, *};

/// Refusals of every action and its preflight.
const STEP_UP: &[Code] = &[StepUpRequired, RecoveryPending, Cooldown, RiskHold, NotFound, TargetChanged];

/// Of every action alone.
const CONFIRMED: &[Code] = &[
    IdempotencyKeyReused,
    TokenInvalid,
    StepUpMismatch,
    CeremonyMismatch,
    CeremonyInvalid,
    CeremonyForeignOrigin,
    CeremonyCrossOrigin,
    UserVerificationMissing,
    BackupEligibilityChanged,
];

const PROOF: &[Code] =
    &[PopProofMissing, PopProofInvalid, UseDpopNonce, PopProofReplayed, InvalidRequest, RateLimited];

const SESSION: &[Code] = &[SignedOut, PopForeignKey, PopKeyReplaced];

const CEREMONY: &[Code] = &[
    CeremonyGone,
    TokenInvalid,
    CeremonyMismatch,
    CeremonyInvalid,
    CeremonyForeignOrigin,
    CeremonyCrossOrigin,
    UserVerificationMissing,
];

/// Every code that the address can refuse with, each once.
pub(super) fn of(address: &Address) -> Vec<Code> {
    let writes = address.method == Method::Post;
    let by_access: &[&[Code]] = match address.access {
        Access::Public => &[],
        Access::Report | Access::Program => &[&[RateLimited]],
        Access::Agent => &[&[AgentTokenInvalid, InvalidRequest, RateLimited]],
        Access::Ceremony => &[&[InvalidRequest, RateLimited]],
        Access::CeremonyVerify => &[PROOF, CEREMONY],
        Access::SignedIn => &[SESSION, PROOF],
        Access::Elevated => &[SESSION, PROOF, STEP_UP, CONFIRMED],
        Access::Preflight => &[SESSION, PROOF, STEP_UP],
        Access::Ticket => &[&[
            SignedOut,
            UseDpopNonce,
            TicketInvalid,
            ForeignOrigin,
            InvalidRequest,
            RateLimited,
            TooManyConnections,
        ]],
        Access::Answer => &[SESSION, PROOF],
        Access::Device => &[&[PopProofInvalid, InvalidRequest]],
    };
    let origin: &[Code] = if writes && address.access != Access::Report { &[ForeignOrigin] } else { &[] };
    let by_session =
        matches!(address.access, Access::SignedIn | Access::Elevated | Access::Preflight | Access::Answer);
    let csrf: &[Code] = if writes && by_session { &[CsrfMismatch] } else { &[] };
    let body: &[Code] = match address.takes {
        Takes::Nothing => &[],
        _ => &[InvalidRequest, TooLarge, TooSlow, UnsupportedMediaType],
    };
    let query: &[Code] = if address.query.is_empty() { &[] } else { &[InvalidRequest] };
    let parts = [origin, csrf, body, query, address.refuses, &[Internal, Unavailable]];
    // In the order of their declaration.
    let is_one = |code: &&Code| by_access.iter().chain(&parts).any(|part| part.contains(code));
    Code::ALL.iter().filter(is_one).copied().collect()
}
