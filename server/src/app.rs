//! What every handler shares.

use crate::{
    clock::Clock,
    config::Config,
    db::Db,
    entropy::Entropy,
    limits::{Key, Limit},
    live::Live,
    page::{CspReports, Page},
    pop::{Registry, Streams},
    secrets::sha256,
    vault::{self, Vault},
};
use axum::http::request::Parts;
use std::{ops::Deref, sync::Arc};

/// Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    pub config: Config,
    pub db: Db,
    pub clock: Clock,
    pub entropy: Entropy,
    pub live: Live,
    pub registry: Registry,
    pub streams: Streams,
    pub limits: Limits,
    pub vault: Vault,
    pub page: Page,
    pub csp_reports: CspReports,
}

/// See [`crate::config::Rates`].
pub struct Limits {
    pub options: Limit,
    pub verify: Limit,
    pub session: Limit,
    pub pairing: Limit,
    pub code: Limit,
    pub agent: Limit,
    pub reports: Limit,
    pub credentials: Limit,
    pub refused_charges: Limit,
    pub device: Limit,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub fn new(config: Config, db: Db, clock: Clock, entropy: Entropy) -> Self {
        let limit = |rate| Limit::new(rate, clock.clone());
        let limits = Limits {
            options: limit(config.rates.options),
            verify: limit(config.rates.verify),
            session: limit(config.rates.session),
            pairing: limit(config.rates.pairing),
            code: limit(config.rates.code),
            agent: limit(config.rates.agent),
            reports: limit(config.rates.reports),
            credentials: limit(config.rates.credentials),
            refused_charges: limit(config.rates.refused_charges),
            device: limit(config.rates.device),
        };
        Self(Arc::new(Shared {
            limits,
            vault: Vault::new(&config.credentials_keys),
            db,
            entropy,
            clock,
            live: Live::default(),
            registry: Registry::default(),
            streams: Streams::default(),
            page: Page::embedded(),
            csp_reports: CspReports::default(),
            config,
        }))
    }

    /// A keyed hash of the address that the request came from.
    pub fn source(&self, parts: &Parts) -> Key {
        let address = crate::access::address(parts, self.config.trust_proxy);
        self.config.keys.mac("limits/source", address.as_bytes())
    }

    /// Before the first request: step-ups that were begun do not outlive a start of the server.
    pub async fn begin(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.db.write().await?;
        crate::elevation::void_all(&mut tx).await?;
        tx.commit(&self.live).await
    }

    /// After a rotation of the key: encrypts stored credentials anew. Done twice it does nothing, done by
    /// several instances at once neither.
    pub async fn renew_credentials(&self) -> Result<(), sqlx::Error> {
        vault::renew(self).await
    }

    /// Removes what has expired.
    pub async fn sweep(&self) -> Result<(), sqlx::Error> {
        let now_ms = self.clock.unix_ms();
        let mut tx = self.db.write().await?;
        crate::access::sweep(&mut tx, now_ms).await?;
        crate::ceremony::sweep(&mut tx, now_ms).await?;
        crate::elevation::sweep(&mut tx, now_ms).await?;
        crate::mail::sweep(&mut tx, now_ms).await?;
        crate::agents::sweep(&mut tx, now_ms).await?;
        crate::pop::sweep(&mut tx, now_ms).await?;
        tx.commit(&self.live).await
    }
}

/// The hash under which a random secret of 256 bits is stored.
pub fn stored(secret: &str) -> Vec<u8> {
    sha256(secret.as_bytes()).to_vec()
}
