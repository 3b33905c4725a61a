//! Provers that share no code with Holdfast, written from `protocol/pop.md` alone.

use super::INTERVAL_MS;
use crate::support::{Browser, ORIGIN, PATIENCE, World, public};
use holdfast_protocol::base64url;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const STRANGERS: [(&str, &str); 2] = [("node", "responder.mjs"), ("python3", "responder.py")];

fn command((program, file): (&str, &str)) -> Command {
    let examples: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "protocol", "examples"].iter().collect();
    let named = if program == "python3" { std::env::var_os("HOLDFAST_PYTHON") } else { None };
    let mut command = Command::new(named.unwrap_or_else(|| program.into()));
    command.arg(examples.join(file)).current_dir(examples);
    command
}

/// One of them at work, and what it hears.
struct Stranger {
    process: Child,
    heard: UnboundedReceiver<String>,
}

impl Stranger {
    fn start(which: (&str, &str), browser: &Browser) -> Self {
        let key = public(&browser.key);
        let session = json!({
            "origin": ORIGIN,
            "address": browser.address.to_string(),
            "cookies": browser.cookies,
            "csrf": browser.csrf,
            "stream": "/v1/streams/activity",
            "protocol": "holdfast.activity.1",
            "jwk": {
                "x": base64url::encode(&key.x),
                "y": base64url::encode(&key.y),
                "d": base64url::encode(&browser.key.to_bytes()),
            },
        });
        let mut process = command(which)
            .arg("live")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", which.0));
        process.stdin.take().unwrap().write_all(session.to_string().as_bytes()).unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (tell, heard) = unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self { process, heard }
    }

    async fn hears(&mut self, beginning: &str) {
        let line = tokio::time::timeout(PATIENCE, self.heard.recv()).await.unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended before it heard `{beginning}`"));
        assert!(line.starts_with(beginning), "`{line}` is not `{beginning}`");
    }

    async fn hears_last(&mut self, last: &str) {
        let line = tokio::time::timeout(PATIENCE, self.heard.recv()).await.unwrap();
        assert_eq!(line.as_deref(), Some(last));
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Who reads which vectors.
const READERS: [((&str, &str), &str); 6] = [
    (("node", "responder.mjs"), "pop.json"),
    (("python3", "responder.py"), "pop.json"),
    (("node", "vectors.mjs"), "dpop.json"),
    (("node", "vectors.mjs"), "tokens.json"),
    (("node", "vectors.mjs"), "canonical.json"),
    (("node", "vectors.mjs"), "jcs"),
];

fn vectors() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "protocol", "vectors"].iter().collect()
}

fn reads(which: (&str, &str), file: &Path) -> bool {
    let checked = command(which).arg("check").arg(file).stderr(Stdio::null()).status();
    checked.unwrap_or_else(|error| panic!("cannot start {}: {error}", which.0)).success()
}

#[test]
fn strangers_agree_with_the_vectors() {
    for (which, file) in READERS {
        assert!(reads(which, &vectors().join(file)), "{which:?} {file}");
    }
}

/// Whoever does not know all of a file reads a newer version.
#[test]
fn strangers_stop_at_an_unknown_key() {
    let folder = tempfile::tempdir().unwrap();
    for (which, file) in READERS.into_iter().filter(|(_, file)| file.ends_with(".json")) {
        let known: Value = serde_json::from_slice(&fs::read(vectors().join(file)).unwrap()).unwrap();
        let lists =
            known.as_object().unwrap().iter().filter(|(_, value)| value.is_array() || value.is_object());
        let mut places: Vec<String> = lists
            .map(|(name, value)| if value.is_array() { format!("/{name}/0") } else { format!("/{name}") })
            .collect();
        places.push(String::new());
        for place in places {
            let mut other = known.clone();
            other.pointer_mut(&place).unwrap()["unknown"] = json!(true);
            let unknown = folder.path().join(file);
            fs::write(&unknown, other.to_string()).unwrap();
            assert!(!reads(which, &unknown), "{which:?} {file}{place}");
        }
        fs::write(folder.path().join(file), known.to_string()).unwrap();
        assert!(reads(which, &folder.path().join(file)), "{which:?} {file}: the copy itself is read");
    }
}

#[tokio::test]
async fn strangers_keep_a_connection_alive() {
    for which in STRANGERS {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut stranger = Stranger::start(which, &browser);
        for sequence in 1..=4 {
            stranger.hears("challenge con_").await;
            stranger.hears(&format!("proven {sequence} ")).await;
            world.advance_ms(INTERVAL_MS);
        }
    }
}

#[tokio::test]
async fn strangers_hear_the_end() {
    for (which, last) in STRANGERS.into_iter().zip(["closed", "end"]) {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut stranger = Stranger::start(which, &browser);
        stranger.hears("challenge ").await;
        stranger.hears("proven 1 ").await;
        let out = browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
        assert_eq!(out.status, 204);
        stranger.hears_last(&format!("{last} 4403 for good")).await;

        let browser = world.browser().await;
        let mut stranger = Stranger::start(which, &browser);
        stranger.hears("challenge ").await;
        stranger.hears("proven 1 ").await;
        world.app.live.stop();
        stranger.hears_last(&format!("{last} 1001")).await;
    }
}
