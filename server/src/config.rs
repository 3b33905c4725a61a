//! What the server runs with. Everything here is checked already; `settings.rs` reads flags,
//! environment and file, and says what is wrong with them.

use crate::{
    limits::Rate,
    secrets::{Keyring, Secret},
};
use holdfast_protocol::{pop::Timing, step_up::Kind};
use std::{num::NonZeroU32, time::Duration};

/// A checked configuration.
#[derive(Clone)]
pub struct Config {
    pub mode: Mode,
    /// `https://console.example`: scheme, host and port where it is not the scheme's own.
    pub origin: String,
    /// The relying-party id: the origin's host or a registrable suffix of it.
    pub rp_id: String,
    /// What authenticators show as the console's name.
    pub rp_name: String,
    pub keys: Keyring,
    /// What stored credentials are encrypted under.
    pub credentials_keys: Keyring,
    /// What `X-Setup-Token` must be until the first account exists.
    pub setup_token: Option<Secret>,
    /// How many proxies to believe in `X-Forwarded-For`, counted from the right.
    pub trust_proxy: usize,
    /// Other origins that may use this relying-party id, served at `/.well-known/webauthn`.
    pub related_origins: Vec<String>,
    /// Origins in whose frames an assertion may be made; none by default.
    pub embedding_origins: Vec<String>,
    /// Whether a signature counter that went backwards is a refusal; it is a signal in any case.
    pub refuse_counter_rollback: bool,
    /// Sessions are bound to their device as well, where the browser offers it.
    pub device_binding: bool,
    /// Actions that are carried out without a step-up, for an operator's rollback.
    pub step_up_off: Vec<Kind>,
    /// Whether administrators can open a terminal on this machine.
    pub terminal: bool,
    /// Connections at once; none: as many as the system allows.
    pub connections: Option<usize>,
    pub lifetimes: Lifetimes,
    pub pop: Timing,
    pub rates: Rates,
}

/// Where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Development,
    Production,
}

/// How long things live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    pub session_idle: Duration,
    pub session: Duration,
    /// The cookie that a device's key keeps up.
    pub device: Duration,
    pub ceremony: Duration,
    pub ticket: Duration,
    /// A passkey is `new` for so long.
    pub cooldown: Duration,
}

/// How often a source may try.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Opening ceremonies.
    pub options: Rate,
    /// Finishing ceremonies.
    pub verify: Rate,
    /// Everything a session does from one source.
    pub session: Rate,
    /// Asking for an owner, and for what has become of it.
    pub pairing: Rate,
    /// Looking up the code of a pairing: by account, and by source.
    pub code: Rate,
    /// Everything an agent does.
    pub agent: Rate,
    /// Reports of browsers, which another site can make them send.
    pub reports: Rate,
    /// Credentials that one agent reads.
    pub credentials: Rate,
    /// Refused charges of one agent that its owner is shown.
    pub refused_charges: Rate,
    /// What browsers ask for their device: by session and source, or by source alone.
    pub device: Rate,
}

impl Lifetimes {
    /// What a console of this mode begins with.
    pub fn of(mode: Mode) -> Self {
        Self {
            session_idle: Duration::from_secs(14 * 24 * 3600),
            session: Duration::from_secs(90 * 24 * 3600),
            device: Duration::from_secs(600),
            ceremony: Duration::from_secs(300),
            ticket: Duration::from_secs(60),
            cooldown: match mode {
                Mode::Production => Duration::from_secs(24 * 3600),
                Mode::Development => Duration::from_secs(600),
            },
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        let rate = |burst: u32, every_ms: u64| Rate {
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
            every: Duration::from_millis(every_ms),
        };
        Self {
            options: rate(60, 2_000),
            verify: rate(20, 3_000),
            session: rate(300, 100),
            pairing: rate(60, 1_000),
            code: rate(10, 10_000),
            agent: rate(300, 100),
            reports: rate(30, 2_000),
            credentials: rate(60, 1_000),
            refused_charges: rate(5, 12_000),
            device: rate(300, 100),
        }
    }
}

impl Config {
    /// For development and tests: everything on this machine, a secret of its own.
    pub fn development(origin: &str, secret: Secret, setup_token: Secret) -> Self {
        let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        let rp_id = host.split_once(':').map_or(host, |(host, _)| host).to_owned();
        Self {
            mode: Mode::Development,
            origin: origin.to_owned(),
            rp_id,
            rp_name: "Holdfast".to_owned(),
            keys: Keyring::new(secret.clone(), None),
            credentials_keys: Keyring::new(secret, None),
            setup_token: Some(setup_token),
            trust_proxy: 0,
            related_origins: Vec::new(),
            embedding_origins: Vec::new(),
            refuse_counter_rollback: false,
            device_binding: true,
            step_up_off: Vec::new(),
            terminal: false,
            connections: None,
            lifetimes: Lifetimes::of(Mode::Development),
            pop: Timing::default(),
            rates: Rates::default(),
        }
    }

    /// Every origin at which a ceremony may be performed.
    pub fn ceremony_origins(&self) -> Vec<&str> {
        std::iter::once(self.origin.as_str()).chain(self.related_origins.iter().map(String::as_str)).collect()
    }
}
