//! Every address. Those of actions follow from their declaration in `protocol`; the others are declared here. A
//! test holds all of them against the table of `protocol/http.md`, row by row.

use holdfast_protocol::{
    account, agents, connections, credentials, device, history, ids, passkeys,
    problem::Code::{self, *},
    recovery,
    schema::Described,
    step_up::{self, Kind, StepUpOptions},
    wallet,
};
use schemars::JsonSchema;
use std::borrow::Cow;

/// An address.
pub struct Address {
    pub method: Method,
    /// With its place holders, without the query.
    pub path: Cow<'static, str>,
    pub access: Access,
    /// What it is for, in a few words.
    pub about: &'static str,
    pub headers: &'static [Header],
    pub query: &'static [Query],
    /// What the place holder stands for.
    pub placed: Option<Described>,
    pub takes: Takes,
    pub answers: Answers,
    /// Beside what its access and its body are refused with.
    pub refuses: &'static [Code],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// What an address asks of its caller: `protocol/http.md` says it at length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public,
    /// By browsers themselves, with whatever origin.
    Report,
    Program,
    Agent,
    /// The beginning of a ceremony.
    Ceremony,
    /// The end of one, with the proof of the key that its token names.
    CeremonyVerify,
    SignedIn,
    /// An action.
    Elevated,
    /// What begins the step-up of one.
    Preflight,
    Ticket,
    Answer,
    /// By browsers themselves, for their device.
    Device,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    Before,
    Limit,
    Filter,
    Ticket,
}

/// Headers of one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    SetupToken,
    /// `Idempotency-Key`, by whoever wants to be able to ask again.
    MayHaveKey,
    /// `Idempotency-Key`.
    HasKey,
    SessionId,
}

pub enum Takes {
    Nothing,
    Json(Described),
    /// One control message of `protocol/pop.md`.
    Message,
    /// Whatever a browser reports.
    Report,
}

pub enum Answers {
    NoContent,
    Json(Described),
    /// As `protocol/http.md` writes it.
    Health,
    RelatedOrigins,
    OpenApi,
    /// A WebSocket, and where `events` is said server-sent events as well.
    Stream {
        events: bool,
    },
}

/// All of them.
pub fn all() -> Vec<Address> {
    let actions = Kind::ALL.iter().flat_map(|kind| [action(*kind), preflight(*kind)]);
    others().into_iter().chain(actions).collect()
}

fn action(kind: Kind) -> Address {
    let declared = kind.declared();
    let headers: &[Header] = if declared.wants_key { &[Header::HasKey] } else { &[Header::MayHaveKey] };
    let answers = declared.answer.map_or(Answers::NoContent, Answers::Json);
    post(kind.path(), Access::Elevated, declared.about)
        .reads(Takes::Json(declared.request))
        .gives(answers)
        .with(headers)
        .refuses(declared.refuses)
}

fn preflight(kind: Kind) -> Address {
    let declared = kind.declared();
    let asks = post(kind.path(), Access::Preflight, declared.about);
    Address { path: kind.preflight().into(), ..asks }
        .reads(Takes::Json(declared.parameters))
        .answers::<StepUpOptions>()
        .refuses(declared.refuses)
}

/// In the order of `protocol/http.md`.
fn others() -> Vec<Address> {
    use Access::{
        Agent, Answer, Ceremony, CeremonyVerify, Device, Program, Public, Report, SignedIn, Ticket,
    };
    const WINDOW: &[Query] = &[Query::Before, Query::Limit];
    vec![
        get("/v1/setup", Public, "Whether the first account is still to be made")
            .answers::<account::SetupStatus>(),
        post("/v1/setup/options", Ceremony, "Begin to make the first account")
            .takes::<account::SetupOptionsRequest>()
            .answers::<passkeys::RegistrationOptions>()
            .with(&[Header::SetupToken])
            .refuses(&[SetupTokenInvalid, SetupDone]),
        post("/v1/setup/verify", CeremonyVerify, "Make the first account, its passkey and a session")
            .takes::<account::SetupVerifyRequest>()
            .answers::<account::SignedIn>()
            .with(&[Header::SetupToken])
            .refuses(&[SetupTokenInvalid, SetupDone, AlreadyRegistered, UnsupportedKey]),
        post("/v1/login/options", Ceremony, "Begin to sign in")
            .takes::<account::LoginOptionsRequest>()
            .answers::<passkeys::AssertionOptions>(),
        post("/v1/login/verify", CeremonyVerify, "Sign in")
            .takes::<account::LoginVerifyRequest>()
            .answers::<account::SignedIn>()
            .refuses(&[UnknownCredential, PasskeyDisabled, CounterRollback, BackupEligibilityChanged]),
        get("/v1/me", SignedIn, "Who is signed in").answers::<account::Me>(),
        post("/v1/logout", SignedIn, "Sign out, here or everywhere").takes::<account::LogoutRequest>(),
        get("/v1/passkey", SignedIn, "The account's passkeys").answers::<passkeys::PasskeyListing>(),
        post("/v1/passkey/rename", SignedIn, "Name a passkey")
            .takes::<passkeys::RenameRequest>()
            .refuses(&[NotFound]),
        post("/v1/recovery-codes", SignedIn, "Put the first list of recovery codes in force")
            .takes::<recovery::RecoveryCodesRequest>()
            .answers::<recovery::RecoveryCodesView>()
            .refuses(&[RecoveryCodesExist]),
        get("/v1/activity", SignedIn, "What happened in the account")
            .asks(WINDOW)
            .answers::<history::ActivityPage>(),
        post("/v1/passkey/register/verify", SignedIn, "Register the passkey that was confirmed")
            .takes::<passkeys::AdditionVerifyRequest>()
            .answers::<passkeys::PasskeyView>()
            .refuses(REGISTRATION),
        post("/v1/sessions/end-by-passkey", SignedIn, "End the other sessions that a passkey has opened")
            .takes::<passkeys::EndByPasskeyRequest>()
            .refuses(&[NotFound]),
        post("/v1/sessions/device", Device, "Bind the session to a key of the device")
            .answers::<device::BoundSession>()
            .refuses(&[SignedOut, PopProofMissing, NotFound]),
        post("/v1/sessions/device/refresh", Device, "Fetch the cookie that the device's key keeps up")
            .answers::<device::Refreshed>()
            .with(&[Header::SessionId])
            .refuses(&[DeviceChallenge]),
        get("/v1/credentials", SignedIn, "The account's credentials, without the values")
            .answers::<credentials::CredentialList>(),
        get("/v1/streams/terminal", Ticket, "A terminal").asks(&[Query::Ticket]).streams(false).refuses(&[
            NotFound,
            AdminOnly,
            StepUpRequired,
        ]),
        get("/v1/security/stepup-log", SignedIn, "The account's step-ups")
            .asks(&[Query::Filter, Query::Before, Query::Limit])
            .answers::<step_up::StepUpLog>(),
        get("/v1/wallet", SignedIn, "One's own wallet").asks(WINDOW).answers::<wallet::WalletView>(),
        post("/v1/agents/pairings", Program, "Ask for an owner")
            .takes::<agents::PairingRequest>()
            .answers::<agents::Pairing>(),
        post("/v1/agents/pairings/claim", Program, "Ask what has become of a pairing")
            .takes::<agents::ClaimRequest>()
            .answers::<agents::Claim>()
            .refuses(&[PairingGone]),
        get("/v1/agents/pairings/{code}", SignedIn, "Who asks for what")
            .placed::<ids::PairingCode>()
            .answers::<agents::PairingView>()
            .refuses(&[NotFound]),
        post("/v1/agents/cap", SignedIn, "Let an agent spend less")
            .takes::<agents::CapRequest>()
            .refuses(&[NotFound, StepUpRequired]),
        get("/v1/agents", SignedIn, "The account's agents").answers::<agents::AgentList>(),
        get("/v1/agents/self", Agent, "What the agent may do").answers::<agents::AgentView>(),
        get("/v1/agents/credentials", Agent, "The names of what the agent can read")
            .answers::<credentials::ReadableCredentials>(),
        get("/v1/agents/credentials/{name}", Agent, "A credential's value")
            .placed::<credentials::Name>()
            .answers::<credentials::CredentialValue>()
            .refuses(&[NotFound, CredentialsUnreadable]),
        post("/v1/agents/charges", Agent, "Pay a merchant")
            .takes::<agents::ChargeRequest>()
            .answers::<agents::Charge>()
            .with(&[Header::HasKey])
            .refuses(&[BudgetExceeded, IdempotencyKeyReused]),
        get("/v1/connections", SignedIn, "The account's live connections")
            .answers::<connections::ConnectionList>(),
        post("/v1/connections/tickets", SignedIn, "A ticket for one stream")
            .takes::<connections::TicketRequest>()
            .answers::<connections::Ticket>()
            .refuses(&[StepUpRequired, TooManyConnections]),
        post("/v1/connections/end", SignedIn, "End a live connection")
            .takes::<connections::EndConnectionRequest>()
            .refuses(&[NotFound]),
        post("/v1/connections/{id}/answer", Answer, "Answer a connection's challenge")
            .placed::<ids::ConnectionId>()
            .reads(Takes::Message)
            .refuses(&[NotFound]),
        get("/v1/streams/activity", Ticket, "What happens in the account, as it happens")
            .asks(&[Query::Ticket])
            .streams(true),
        post("/v1/csp-report", Report, "What the page's policy stopped").reads(Takes::Report),
        get("/v1/openapi.json", Public, "This document").gives(Answers::OpenApi),
        get("/v1/health", Public, "Whether the server and its database answer").gives(Answers::Health),
        get("/.well-known/webauthn", Public, "Other origins with the same passkeys, where there are any")
            .gives(Answers::RelatedOrigins)
            .refuses(&[NotFound]),
    ]
}

/// The registration of a further passkey, beside what its session is refused with.
const REGISTRATION: &[Code] = &[
    CeremonyGone,
    TokenInvalid,
    CeremonyInvalid,
    CeremonyMismatch,
    CeremonyForeignOrigin,
    CeremonyCrossOrigin,
    UserVerificationMissing,
    UnsupportedKey,
    AlreadyRegistered,
    TooManyPasskeys,
    RecoveryPending,
    Cooldown,
    RiskHold,
];

fn get(path: &'static str, access: Access, about: &'static str) -> Address {
    Address {
        method: Method::Get,
        path: path.into(),
        access,
        about,
        headers: &[],
        query: &[],
        placed: None,
        takes: Takes::Nothing,
        answers: Answers::NoContent,
        refuses: &[],
    }
}

fn post(path: &'static str, access: Access, about: &'static str) -> Address {
    Address { method: Method::Post, ..get(path, access, about) }
}

impl Address {
    fn takes<T: JsonSchema>(self) -> Self {
        self.reads(Takes::Json(Described::of::<T>()))
    }

    fn reads(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    fn answers<T: JsonSchema>(self) -> Self {
        self.gives(Answers::Json(Described::of::<T>()))
    }

    fn streams(self, events: bool) -> Self {
        self.gives(Answers::Stream { events })
    }

    fn gives(self, answers: Answers) -> Self {
        Self { answers, ..self }
    }

    fn with(self, headers: &'static [Header]) -> Self {
        Self { headers, ..self }
    }

    fn asks(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }

    fn placed<T: JsonSchema>(self) -> Self {
        Self { placed: Some(Described::of::<T>()), ..self }
    }

    fn refuses(self, refuses: &'static [Code]) -> Self {
        Self { refuses, ..self }
    }
}
