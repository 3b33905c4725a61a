//! Every rule of what the server may start with, each with its one line.

use super::{ModeSetting, Settings, Start, Wrong, dev_secrets};
use crate::{
    config::{Config, Lifetimes, Mode, Rates},
    listen::CONNECTIONS_AT_LEAST,
    secrets::{Keyring, Secret},
};
use holdfast_protocol::{pop::Timing, step_up::Kind};
use std::net::SocketAddr;

const SECRET_CHARACTERS: usize = 32;
const SETUP_TOKEN_CHARACTERS: usize = 16;

pub(super) fn start(settings: Settings) -> Result<Start, Wrong> {
    let mut wrong = Vec::new();
    let mode = match settings.mode {
        Some(ModeSetting::Development) => Mode::Development,
        Some(ModeSetting::Production) | None => Mode::Production,
    };
    let listen = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
    let data = settings.data.clone().unwrap_or_else(|| "data".into());
    let witness = settings.witness.clone().unwrap_or_else(|| data.clone());

    let made = if settings.is_development() { dev_secrets::read_or_make(&data) } else { Ok(None) };
    // Without the folder everything else would be missing too: that is no news.
    let made = made.map_err(|error| {
        let data = data.display();
        Wrong(vec![format!(
            "The folder {data} for development secrets cannot be used: {error}. Set --data (HOLDFAST_DATA) to one that can."
        )])
    })?;
    let mut secret =
        |name: &str, given: Option<&Secret>, made: Option<Secret>, characters: usize, why: &str| {
            match given.cloned().or(made) {
                None => wrong.push(format!(
                    "{name} is not set: {why} Set it to at least {characters} random characters."
                )),
                Some(text) if text.reveal().chars().count() < characters => {
                    wrong
                        .push(format!("{name} is too short: it must have at least {characters} characters."));
                }
                Some(text) => return Some(text),
            }
            None
        };
    let current = secret(
        "HOLDFAST_SECRET",
        settings.secret.as_ref(),
        made.as_ref().map(|made| made.secret.clone()),
        SECRET_CHARACTERS,
        "without it no token can be signed.",
    );
    let credentials_key = secret(
        "CREDENTIALS_KEY",
        settings.credentials_key.as_ref(),
        made.as_ref().map(|made| made.credentials_key.clone()),
        SECRET_CHARACTERS,
        "without it stored credentials cannot be encrypted.",
    );
    let previous = settings
        .secret_previous
        .as_ref()
        .and_then(|text| secret("HOLDFAST_SECRET_PREVIOUS", Some(text), None, SECRET_CHARACTERS, ""));
    let credentials_key_previous = settings
        .credentials_key_previous
        .as_ref()
        .and_then(|text| secret("CREDENTIALS_KEY_PREVIOUS", Some(text), None, SECRET_CHARACTERS, ""));
    // Whether one is needed, only the database knows; see `main.rs`.
    let made_setup_token =
        made.as_ref().filter(|_| settings.setup_token.is_none()).map(|made| made.setup_token.clone());
    let setup_token = settings
        .setup_token
        .as_ref()
        .or(made_setup_token.as_ref())
        .and_then(|text| secret("HOLDFAST_SETUP_TOKEN", Some(text), None, SETUP_TOKEN_CHARACTERS, ""));

    // It travels in a header and in a link.
    if setup_token.as_ref().is_some_and(|token| !token.reveal().bytes().all(|byte| byte.is_ascii_graphic())) {
        wrong.push("HOLDFAST_SETUP_TOKEN holds a space or a letter that no header carries: use visible ASCII characters.".to_owned());
    }

    let default_origin = settings.is_development().then(|| match listen.port() {
        80 => "http://localhost".to_owned(),
        port => format!("http://localhost:{port}"),
    });
    let origin = match settings.origin.clone().or(default_origin) {
        None => {
            wrong.push("HOLDFAST_ORIGIN is not set: passkeys belong to one exact address. Set it to the address that people type, as https://console.example.".to_owned());
            None
        }
        Some(text) => check_origin("HOLDFAST_ORIGIN", &text, mode, &mut wrong),
    };
    let host = origin.as_deref().map(host_of).unwrap_or_default().to_owned();
    let rp_id = settings.rp_id.clone().unwrap_or_else(|| host.clone());
    if origin.is_some() && host != rp_id && !host.ends_with(&format!(".{rp_id}")) {
        wrong.push(format!("HOLDFAST_RP_ID is {rp_id}, which is neither the origin's host {host} nor a suffix of it: browsers would refuse every passkey."));
    }
    let mut origins = |name: &str, given: Option<Vec<String>>| -> Vec<String> {
        let given = given.unwrap_or_default();
        given.iter().filter_map(|text| check_origin(name, text, mode, &mut wrong)).collect()
    };
    let related_origins = origins("HOLDFAST_RELATED_ORIGINS", settings.related_origins);
    let embedding_origins = origins("HOLDFAST_EMBEDDING_ORIGINS", settings.embedding_origins);
    if settings.connections.is_some_and(|connections| connections < CONNECTIONS_AT_LEAST) {
        wrong.push(format!("HOLDFAST_CONNECTIONS must be {CONNECTIONS_AT_LEAST} or more."));
    }
    let step_up_off = actions(settings.step_up_off.as_deref().unwrap_or_default(), &mut wrong);
    let pop = timing(settings.challenge_every, settings.answer_within, &mut wrong);
    let database_url = settings.database_url;
    if database_url
        .as_ref()
        .is_some_and(|url| !url.starts_with("postgres://") && !url.starts_with("postgresql://"))
    {
        wrong.push(
            "DATABASE_URL is not a postgres:// address. Leave it away to use SQLite in the data folder."
                .to_owned(),
        );
    }

    let (Some(current), Some(credentials_key), Some(origin), true) =
        (current, credentials_key, origin, wrong.is_empty())
    else {
        return Err(Wrong(wrong));
    };
    let config = Config {
        mode,
        step_up_off,
        origin,
        rp_id,
        rp_name: settings.name.unwrap_or_else(|| "Holdfast".to_owned()),
        keys: Keyring::new(current, previous),
        credentials_keys: Keyring::new(credentials_key, credentials_key_previous),
        setup_token,
        trust_proxy: settings.trust_proxy.unwrap_or_default(),
        related_origins,
        embedding_origins,
        refuse_counter_rollback: settings.refuse_counter_rollback.unwrap_or(false),
        device_binding: settings.device_binding.unwrap_or(true),
        terminal: settings.terminal.unwrap_or(false),
        connections: settings.connections,
        lifetimes: Lifetimes::of(mode),
        pop,
        rates: Rates::default(),
    };
    Ok(Start { config, listen, data, witness, database_url, made_setup_token })
}

/// The actions of these names; what is wrong with one is added to the rest.
pub(crate) fn actions(names: &[String], wrong: &mut Vec<String>) -> Vec<Kind> {
    let known = || Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let mut actions = Vec::new();
    for name in names {
        match Kind::parse(name.trim()) {
            Some(Kind::PasskeyTest) => wrong.push(
                "HOLDFAST_STEP_UP_OFF names `passkey.test`: without the passkey nothing is tested. Leave it away.".to_owned(),
            ),
            Some(kind) => actions.push(kind),
            None => wrong.push(format!(
                "HOLDFAST_STEP_UP_OFF names `{name}`, which is no action. There are: {}.",
                known()
            )),
        }
    }
    actions
}

fn timing(every: Option<u32>, within: Option<u32>, wrong: &mut Vec<String>) -> Timing {
    let mut timing = Timing::default();
    if let Some(seconds) = every {
        timing.interval_ms = seconds.saturating_mul(1_000);
        timing.jitter_ms = timing.interval_ms / 6;
    }
    if let Some(seconds) = within {
        timing.answer_within_ms = seconds.saturating_mul(1_000);
    }
    if !(1_000..=3_600_000).contains(&timing.interval_ms) {
        wrong.push("HOLDFAST_CHALLENGE_EVERY must be 1 to 3600 seconds.".to_owned());
    }
    if !(1_000..=60_000).contains(&timing.answer_within_ms) {
        wrong.push("HOLDFAST_ANSWER_WITHIN must be 1 to 60 seconds.".to_owned());
    }
    timing
}

/// Scheme, host and port as a browser writes them; https, or http on localhost.
fn check_origin(name: &str, text: &str, mode: Mode, wrong: &mut Vec<String>) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://").unwrap_or(("", &lower));
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let labels = !host.is_empty()
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port));
    let local = host == "localhost" || host.ends_with(".localhost");
    let why = if lower != text || !labels || !port || !matches!(scheme, "http" | "https") {
        "it must be an exact origin as https://console.example: lower case, no path, no * and nothing else"
    } else if (scheme == "https" && rest.ends_with(":443")) || (scheme == "http" && rest.ends_with(":80")) {
        "browsers leave out the scheme's own port, so leave it out here too"
    } else if host.parse::<std::net::Ipv4Addr>().is_ok() {
        "passkeys belong to a name, never to an IP address"
    } else if scheme == "http" && !local {
        "passkeys need https (only localhost may do without)"
    } else if scheme == "http" && mode == Mode::Production {
        "production needs https"
    } else {
        return Some(lower);
    };
    wrong.push(format!("{name} is \"{text}\": {why}."));
    None
}

fn host_of(origin: &str) -> &str {
    let rest = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    rest.split_once(':').map_or(rest, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::Patience;

    fn production() -> Settings {
        Settings {
            origin: Some("https://console.example".to_owned()),
            secret: Some(Secret::new("s".repeat(32))),
            credentials_key: Some(Secret::new("c".repeat(32))),
            ..Settings::default()
        }
    }

    fn complaints(settings: Settings) -> Vec<String> {
        start(settings).err().map(|wrong| wrong.0).unwrap_or_default()
    }

    #[test]
    fn production_starts_with_everything_and_says_one_line_for_each_thing_missing() {
        assert!(start(production()).is_ok());
        let lines = complaints(Settings::default());
        assert_eq!(lines.len(), 3, "{lines:#?}");
        for (line, name) in lines.iter().zip(["HOLDFAST_SECRET", "CREDENTIALS_KEY", "HOLDFAST_ORIGIN"]) {
            assert!(line.starts_with(name), "{line}");
        }
    }

    #[test]
    fn short_secrets_are_refused_everywhere() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [ModeSetting::Production, ModeSetting::Development] {
            let settings = Settings {
                mode: Some(mode),
                secret: Some(Secret::new("s".repeat(31))),
                setup_token: Some(Secret::new("t".repeat(15))),
                credentials_key: Some(Secret::new("c".repeat(31))),
                credentials_key_previous: Some(Secret::new("p".repeat(31))),
                data: Some(dir.path().to_owned()),
                ..production()
            };
            let lines = complaints(settings);
            let names =
                ["HOLDFAST_SECRET", "CREDENTIALS_KEY", "CREDENTIALS_KEY_PREVIOUS", "HOLDFAST_SETUP_TOKEN"];
            assert_eq!(lines.len(), names.len(), "{lines:?}");
            for (line, name) in lines.iter().zip(names) {
                assert!(line.starts_with(&format!("{name} is too short")), "{line}");
            }
        }
    }

    #[test]
    fn credentials_are_kept_under_the_key_that_was_given_for_them() {
        let before = Some(Secret::new("p".repeat(32)));
        let settings = Settings { credentials_key_previous: before.clone(), ..production() };
        let start = start(settings).unwrap_or_else(|wrong| panic!("{wrong}"));
        let given = Keyring::new(Secret::new("c".repeat(32)), before);
        assert!(start.config.credentials_keys.keys("a") == given.keys("a"));
    }

    #[test]
    fn a_setup_token_that_no_header_carries_is_refused() {
        for bad in ["sixteen letters and a space", "sechzehn-Zeichen-für-die-Einrichtung"] {
            let lines =
                complaints(Settings { setup_token: Some(Secret::new(bad.to_owned())), ..production() });
            assert!(lines.iter().any(|line| line.starts_with("HOLDFAST_SETUP_TOKEN holds")), "{lines:?}");
        }
    }

    #[test]
    fn only_an_exact_origin_will_do() {
        for bad in [
            "*",
            "https://*",
            "console.example",
            "https://console.example/",
            "https://Console.example",
            "https://console.example:443",
            "http://console.example",
            "http://localhost:8080",
            "https://a..b",
            "https://a:070",
            "ftp://a",
            "https://192.168.1.5:8443",
        ] {
            let lines = complaints(Settings { origin: Some(bad.to_owned()), ..production() });
            assert!(lines.iter().any(|line| line.contains(bad)), "{bad}: {lines:?}");
        }
        for good in ["https://console.example", "https://localhost:8443"] {
            assert!(start(Settings { origin: Some(good.to_owned()), ..production() }).is_ok(), "{good}");
        }
    }

    #[test]
    fn development_makes_its_secrets_once_and_keeps_them_to_itself() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let settings = || Settings {
            mode: Some(ModeSetting::Development),
            data: Some(dir.path().to_owned()),
            ..Settings::default()
        };
        let first = start(settings()).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(first.config.origin, "http://localhost:8080");
        let second = start(settings()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let macs = |config: &Config| [&config.keys, &config.credentials_keys].map(|keys| keys.mac("a", b"b"));
        let [one, other] = macs(&first.config);
        assert_eq!(macs(&second.config), [one, other]);
        assert_ne!(one, other);
        let file = std::fs::metadata(dir.path().join("development-secrets.toml")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn step_ups_are_switched_off_by_the_names_of_actions_alone() {
        let off = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Settings { step_up_off: Some(names), ..production() }
        };
        assert_eq!(start(production()).unwrap().config.step_up_off, []);
        let both = start(off(&["passkey.remove", " recovery_codes.regenerate"])).unwrap();
        assert_eq!(both.config.step_up_off, [Kind::PasskeyRemove, Kind::RecoveryCodesRegenerate]);
        for wrong in ["all", "", "passkey.remove.x", "PASSKEY.REMOVE"] {
            let lines = complaints(off(&["passkey.remove", wrong]));
            let [line] = &lines[..] else { panic!("{lines:?}") };
            assert!(line.starts_with(&format!("HOLDFAST_STEP_UP_OFF names `{wrong}`")), "{line}");
        }
    }

    #[test]
    fn connections_are_as_many_as_were_asked_for_and_enough_for_somebody() {
        let asked = |connections| Settings { connections: Some(connections), ..production() };
        assert!(complaints(asked(63)).iter().any(|line| line.starts_with("HOLDFAST_CONNECTIONS")));
        let start = start(asked(64)).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(Patience::with(&start.config).connections, 64);
    }

    #[test]
    fn a_step_up_is_switched_off_by_name_where_anything_is_left_without_it() {
        let off = |name: &str| Settings { step_up_off: Some(vec![name.to_owned()]), ..production() };
        let start = start(off("passkey.remove")).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(start.config.step_up_off, [Kind::PasskeyRemove]);
        for bad in ["passkey.forget", "passkey.test"] {
            let lines = complaints(off(bad));
            assert!(lines.iter().any(|line| line.starts_with("HOLDFAST_STEP_UP_OFF") && line.contains(bad)));
        }
    }

    #[test]
    fn a_foreign_relying_party_id_is_refused() {
        let lines = complaints(Settings { rp_id: Some("example.org".to_owned()), ..production() });
        assert!(lines.iter().any(|line| line.starts_with("HOLDFAST_RP_ID")), "{lines:?}");
        assert!(start(Settings { rp_id: Some("example".to_owned()), ..production() }).is_ok());
    }
}
