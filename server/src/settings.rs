//! Flags, environment and file become a [`Config`], or one clear line for each thing that is wrong.

mod check;
mod dev_secrets;

pub(crate) use check::actions;

use crate::{config::Config, secrets::Secret};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};
use zeroize::Zeroizing;

/// What can be set, by flag, environment or file (in this order). The file is TOML with the flags'
/// names, `-` written as `_`.
#[derive(Args, Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A TOML file with any of these settings.
    #[arg(long, env = "HOLDFAST_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// `production` refuses to start without secrets and an exact origin; `development` makes them.
    #[arg(long, env = "HOLDFAST_MODE", value_enum)]
    pub mode: Option<ModeSetting>,

    /// Address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, env = "HOLDFAST_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// The address that people type, exactly: `https://console.example` [development
    /// default: `http://localhost:PORT`].
    #[arg(long, env = "HOLDFAST_ORIGIN", value_name = "ORIGIN")]
    pub origin: Option<String>,

    /// The WebAuthn relying-party id [default: the origin's host]. Changing it kills every passkey.
    #[arg(long, env = "HOLDFAST_RP_ID", value_name = "HOST")]
    pub rp_id: Option<String>,

    /// What authenticators show as this console's name [default: Holdfast].
    #[arg(long, env = "HOLDFAST_NAME", value_name = "NAME")]
    pub name: Option<String>,

    /// Folder of the SQLite database and of development secrets [default: ./data].
    #[arg(long, env = "HOLDFAST_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Folder of the audit trail's signed heads (`log-heads.jsonl`) and of the key that signs them
    /// [default: the data folder]. Best on another disk than the database, out of reach of whoever can write that.
    #[arg(long, env = "HOLDFAST_WITNESS", value_name = "FOLDER")]
    pub witness: Option<PathBuf>,

    /// postgres://… to use PostgreSQL instead of SQLite.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// The server's secret, at least 32 characters; every key is derived from it. Best set by
    /// environment or file.
    #[arg(long, env = "HOLDFAST_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub secret: Option<Secret>,

    /// The secret before a rotation: what it signed is still taken.
    #[arg(long, env = "HOLDFAST_SECRET_PREVIOUS", value_name = "SECRET", hide_env_values = true)]
    pub secret_previous: Option<Secret>,

    /// Encrypts stored credentials; at least 32 characters.
    #[arg(long, env = "CREDENTIALS_KEY", value_name = "SECRET", hide_env_values = true)]
    pub credentials_key: Option<Secret>,

    /// The key before a rotation: what it encrypted is still read, and encrypted anew when the server
    /// starts. Several instances are told of a new key as the previous one first, all of them, and then
    /// of the exchange.
    #[arg(long, env = "CREDENTIALS_KEY_PREVIOUS", value_name = "SECRET", hide_env_values = true)]
    pub credentials_key_previous: Option<Secret>,

    /// What the first account's maker must present, at least 16 characters.
    #[arg(long, env = "HOLDFAST_SETUP_TOKEN", value_name = "SECRET", hide_env_values = true)]
    pub setup_token: Option<Secret>,

    /// How many proxies to believe in X-Forwarded-For, counted from the right [default: 0].
    #[arg(long, env = "TRUST_PROXY", value_name = "HOPS")]
    pub trust_proxy: Option<usize>,

    /// Other origins that may use the same passkeys, separated by commas.
    #[arg(long, env = "HOLDFAST_RELATED_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub related_origins: Option<Vec<String>>,

    /// Origins in whose frames a passkey may be used, separated by commas.
    #[arg(long, env = "HOLDFAST_EMBEDDING_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub embedding_origins: Option<Vec<String>>,

    /// Refuse a sign-in whose passkey counts backwards, as a copy of it would; without this it is
    /// recorded and shown, since some authenticators count carelessly [default: false].
    #[arg(long, env = "HOLDFAST_REFUSE_COUNTER_ROLLBACK", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true")]
    pub refuse_counter_rollback: Option<bool>,

    /// Bind the cookies of sessions to their device's hardware, where a browser offers that (Device Bound Session
    /// Credentials); `false` binds no more sessions, and asks those that are bound for nothing [default: true].
    #[arg(long, env = "HOLDFAST_DEVICE_BINDING", value_name = "BOOL")]
    pub device_binding: Option<bool>,

    /// Actions that are carried out without a fresh confirmation, separated by commas: to go back when
    /// confirmations fail. Each use is recorded and shown. Passkeys are not removed without one while the account
    /// is held back [default: none].
    #[arg(long, env = "HOLDFAST_STEP_UP_OFF", value_name = "ACTIONS", value_delimiter = ',')]
    pub step_up_off: Option<Vec<String>>,

    /// Lets administrators open a terminal on this machine, each time with a fresh confirmation. It can do
    /// what the user can that runs the server: read its secrets, for one [default: false].
    #[arg(long, env = "HOLDFAST_TERMINAL", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub terminal: Option<bool>,

    /// Connections at once, of every kind [default: as many as the system's limit of open files allows, at
    /// most 65536]. A live one takes about 12 KiB of memory.
    #[arg(long, env = "HOLDFAST_CONNECTIONS", value_name = "NUMBER")]
    pub connections: Option<usize>,

    /// Seconds between two challenges of a live connection [default: 30].
    #[arg(long, env = "HOLDFAST_CHALLENGE_EVERY", value_name = "SECONDS")]
    pub challenge_every: Option<u32>,

    /// Seconds that an answer to a challenge may take [default: 10].
    #[arg(long, env = "HOLDFAST_ANSWER_WITHIN", value_name = "SECONDS")]
    pub answer_within: Option<u32>,
}

/// See [`crate::config::Mode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeSetting {
    Production,
    Development,
}

/// Everything that the program needs to start.
pub struct Start {
    pub config: Config,
    pub listen: SocketAddr,
    pub data: PathBuf,
    /// See [`crate::audit::Witness`].
    pub witness: PathBuf,
    pub database_url: Option<String>,
    /// The setup token, where it was made for this start and must be shown.
    pub made_setup_token: Option<Secret>,
}

/// What is wrong, one line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Wrong(pub Vec<String>);

impl Settings {
    /// Reads the file, if one is named, fills what is not set, and checks everything.
    pub fn start(self) -> Result<Start, Wrong> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None => Settings::default(),
        };
        check::start(self.over(file))
    }

    fn over(self, file: Settings) -> Settings {
        Settings {
            config: self.config,
            mode: self.mode.or(file.mode),
            listen: self.listen.or(file.listen),
            origin: self.origin.or(file.origin),
            rp_id: self.rp_id.or(file.rp_id),
            name: self.name.or(file.name),
            data: self.data.or(file.data),
            witness: self.witness.or(file.witness),
            database_url: self.database_url.or(file.database_url),
            secret: self.secret.or(file.secret),
            secret_previous: self.secret_previous.or(file.secret_previous),
            credentials_key: self.credentials_key.or(file.credentials_key),
            credentials_key_previous: self.credentials_key_previous.or(file.credentials_key_previous),
            setup_token: self.setup_token.or(file.setup_token),
            trust_proxy: self.trust_proxy.or(file.trust_proxy),
            related_origins: self.related_origins.or(file.related_origins),
            embedding_origins: self.embedding_origins.or(file.embedding_origins),
            refuse_counter_rollback: self.refuse_counter_rollback.or(file.refuse_counter_rollback),
            device_binding: self.device_binding.or(file.device_binding),
            step_up_off: self.step_up_off.or(file.step_up_off),
            terminal: self.terminal.or(file.terminal),
            connections: self.connections.or(file.connections),
            challenge_every: self.challenge_every.or(file.challenge_every),
            answer_within: self.answer_within.or(file.answer_within),
        }
    }

    fn is_development(&self) -> bool {
        self.mode == Some(ModeSetting::Development)
    }
}

pub(crate) fn read_file(path: &std::path::Path) -> Result<Settings, Wrong> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Wrong(vec![format!("The configuration file {} cannot be read: {error}.", path.display())])
    })?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let above = before.matches('\n').count();
        let key = text.lines().nth(above).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
        // The line may hold a secret: its key is shown, if it looks like one, and no more of it.
        let is_key = |key: &&str| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let key = key.filter(is_key).map(|key| format!(", at `{key}`")).unwrap_or_default();
        let line = above + 1;
        let (path, message) = (path.display(), error.message());
        Wrong(vec![format!("The configuration file {path} is not right in line {line}{key}: {message}.")])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_told_by_line_and_key_and_never_by_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holdfast.toml");
        for (text, says) in [
            ("name = \"A\"\nsecret = 1234567\n", "in line 2, at `secret`"),
            ("listen = \"hunter2\"\n", "in line 1, at `listen`"),
            ("\n\nnothing = \"hunter2\"\n", "in line 3, at `nothing`"),
            ("name = \"A\"\nsecret = \"hunter2\n", "in line 2, at `secret`"),
            ("aHVudGVyMg==\n", "in line 1: "),
        ] {
            std::fs::write(&path, text).unwrap();
            let Err(Wrong(lines)) = read_file(&path) else { panic!("{text} is taken") };
            let line = lines.concat();
            assert!(line.contains(says), "{line}");
            assert!(!line.contains("hunter2") && !line.contains("aHVud"), "{line}");
        }
    }
}
