use holdfast_protocol::{
    account::{AccountView, Me, Role, SessionBinding, SessionView, Signals, Tier},
    agents::{AgentState, AgentView, Currency, FileScope, PairingView, Source},
    base64url::Bytes,
    connections::{Beat, ConnectionView, Transport},
    history::{Activity, ActivityEvent, Device},
    ids::{AccountId, AgentId, ConnectionId, PairingCode, PasskeyId, SessionId},
    passkeys::{Backup, PasskeyView, Trust},
    pop::Standing,
    recovery::RecoveryCodesView,
    step_up::{Readiness, ReadinessState},
    wallet::Usd,
};

pub(crate) fn me() -> Me {
    Me {
        account: AccountView {
            id: AccountId::make([1; 16]),
            name: "Mara".to_owned(),
            email: "mara@example.com".to_owned(),
            tier: Tier::WebLocked,
            role: Role::Admin,
            created_at_ms: 1_796_000_000_000,
        },
        session: SessionView {
            id: SessionId::make([2; 16]),
            device: device(),
            created_at_ms: 1_796_000_000_000,
            expires_at_ms: 1_796_900_000_000,
            binding: SessionBinding::Browser,
        },
        recovery_codes: Some(codes_left(10)),
        signals: Signals {
            rp_id: "localhost".to_owned(),
            user_id: Bytes(vec![3; 32]),
            name: "mara@example.com".to_owned(),
            display_name: "Mara".to_owned(),
            accepted_credential_ids: vec![Bytes(vec![4; 16])],
        },
        passkey_readiness: Readiness { state: ReadinessState::Ready, until_ms: None },
    }
}

pub(crate) fn device() -> Device {
    Device { browser: "Firefox".to_owned(), system: "Linux".to_owned() }
}

pub(crate) fn codes_left(left: u32) -> RecoveryCodesView {
    RecoveryCodesView { left, total: 10, created_at_ms: 1_796_000_000_000 }
}

pub(crate) fn passkey(byte: u8) -> PasskeyView {
    PasskeyView {
        id: PasskeyId::make([byte; 16]),
        name: "Laptop".to_owned(),
        display_name: "Platform passkey @ Linux · Firefox".to_owned(),
        provider: None,
        created_at_ms: 1_796_000_000_000,
        last_used_at_ms: None,
        backup: Backup::DeviceBound,
        transports: vec!["internal".to_owned()],
        trust: Trust::Trusted,
        opened_this_session: true,
        other_sessions: 0,
    }
}

pub(crate) fn agent(byte: u8) -> AgentView {
    let [budget, spent, left] = [20, 5, 15].map(|dollars| Usd::from_micros(dollars * 1_000_000).unwrap());
    AgentView {
        id: AgentId::make([byte; 16]),
        name: "Shopper".to_owned(),
        scope: FileScope::Workspace,
        budget,
        spent,
        left,
        currency: Currency::Usd,
        approved_at_ms: 1_796_000_000_000,
        expires_at_ms: 1_796_086_440_000,
        state: AgentState::Active,
    }
}

pub(crate) fn pairing() -> PairingView {
    PairingView {
        code: PairingCode::parse("7k4m-x2f9").unwrap(),
        agent: AgentId::make([1; 16]),
        name: "Shopper".to_owned(),
        scope: FileScope::Full,
        budget: Usd::from_micros(50_000_000).unwrap(),
        currency: Currency::Usd,
        source: Source::Same,
        asked_at_ms: 1_796_000_000_000,
        expires_at_ms: 1_796_000_600_000,
    }
}

pub(crate) fn event(id: i64, what: Activity) -> ActivityEvent {
    ActivityEvent { id, at_ms: 1_796_000_000_000, what, device: Some(device()), session: None }
}

pub(crate) fn connection(byte: u8) -> ConnectionView {
    ConnectionView {
        id: ConnectionId::make([byte; 16]),
        session: SessionId::make([2; 16]),
        stream: "/v1/streams/activity".to_owned(),
        device: device(),
        transport: Transport::ServerSentEvents,
        opened_at_ms: 1_796_000_000_000,
        standing: Standing::Proven,
        beats: vec![Beat::Proven { rtt_ms: 40 }],
        proven_at_ms: Some(1_796_000_000_000),
        failures: 0,
        this_browser: false,
    }
}
