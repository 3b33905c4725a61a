//! Provers that share no code with Holdfast, written from `protocol/pop.md` alone.

use super::{INTERVAL_MS, TOO_LONG_MS};
use crate::support::{Browser, ORIGIN, PATIENCE, World, public};
use holdfast_protocol::base64url;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

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
        Self::start_at(browser.address, which, browser)
    }

    /// The same with the server behind this address.
    fn start_at(address: SocketAddr, which: (&str, &str), browser: &Browser) -> Self {
        let key = public(&browser.key);
        let session = json!({
            "origin": ORIGIN,
            "address": address.to_string(),
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
const READERS: [((&str, &str), &str); 7] = [
    (("node", "responder.mjs"), "pop.json"),
    (("python3", "responder.py"), "pop.json"),
    (("node", "vectors.mjs"), "dpop.json"),
    (("node", "vectors.mjs"), "tokens.json"),
    (("node", "vectors.mjs"), "step_up.json"),
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
        // A few at a time: each is a program that starts.
        for (batch, places) in objects(&known).chunks(4).enumerate() {
            std::thread::scope(|scope| {
                for (at, place) in places.iter().enumerate() {
                    let mut other = known.clone();
                    other.pointer_mut(place).unwrap()["unknown"] = json!(true);
                    let unknown = folder.path().join(format!("{batch}-{at}-{file}"));
                    fs::write(&unknown, other.to_string()).unwrap();
                    scope.spawn(move || assert!(!reads(which, &unknown), "{which:?} {file}{place}"));
                }
            });
        }
        fs::write(folder.path().join(file), known.to_string()).unwrap();
        assert!(reads(which, &folder.path().join(file)), "{which:?} {file}: the copy itself is read");
    }
}

/// Where in this there are objects (RFC 6901).
fn objects(of: &Value) -> Vec<String> {
    let members: Vec<(String, &Value)> = match of {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let inside = members
        .into_iter()
        .flat_map(|(name, value)| objects(value).into_iter().map(move |place| format!("/{name}{place}")));
    of.is_object().then(String::new).into_iter().chain(inside).collect()
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

/// The server takes the refusal for one, and asks anew.
#[tokio::test]
async fn strangers_refuse_what_was_relayed() {
    for which in STRANGERS {
        let world = World::new().await;
        let browser = world.browser().await;
        let other_connection = |challenge: &mut [u8]| {
            if challenge[NUMBER] == b'1' {
                challenge[ID] = if challenge[ID] == b'0' { b'1' } else { b'0' };
            }
        };
        let (address, _) = between(browser.address, other_connection).await;
        let mut stranger = Stranger::start_at(address, which, &browser);
        for beginning in ["challenge con_", "held 1 relayed", "challenge con_", "proven 2 "] {
            stranger.hears(beginning).await;
        }
    }
}

#[tokio::test]
async fn strangers_sign_no_number_twice() {
    for which in STRANGERS {
        let world = World::new().await;
        let browser = world.browser().await;
        let number_again = |challenge: &mut [u8]| {
            if challenge[NUMBER] == b'2' {
                challenge[NUMBER] = b'1';
            }
        };
        let (address, mut said) = between(browser.address, number_again).await;
        let mut stranger = Stranger::start_at(address, which, &browser);
        stranger.hears("challenge con_").await;
        stranger.hears("proven 1 ").await;
        world.advance_ms(INTERVAL_MS);
        stranger.hears("challenge con_").await;
        let mut all = Vec::new();
        while !all.windows(14).any(|words| words == b"refuse 1 stale") {
            all.extend(tokio::time::timeout(PATIENCE, said.recv()).await.unwrap().unwrap());
        }
        // That number had its answer: it is not counted, and the one that was asked for does not come.
        world.advance_ms(TOO_LONG_MS);
        for beginning in ["held 2 late", "challenge con_", "proven 3 "] {
            stranger.hears(beginning).await;
        }
    }
}

/// Where a challenge has the first sign of its connection's id after `con_`.
const ID: usize = 14;
/// Where it has its number, while that has one digit.
const NUMBER: usize = 34;

/// Somebody between a stranger and the server who writes challenges anew, each as long as it was.
async fn between(server: SocketAddr, lie: fn(&mut [u8])) -> (SocketAddr, UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, said) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stranger, _)) = listener.accept().await {
            let server = TcpStream::connect(server).await.unwrap();
            tokio::spawn(relay(stranger, server, lie, tell.clone()));
        }
    });
    (address, said)
}

/// Both ways until one of them is over; what the stranger says is told, too.
async fn relay(
    mut stranger: TcpStream,
    mut server: TcpStream,
    lie: fn(&mut [u8]),
    tell: UnboundedSender<Vec<u8>>,
) {
    let (mut up, mut down) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            read = stranger.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                let _told = tell.send(up[..length].to_vec());
                if server.write_all(&up[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = &mut down[..length];
                if let Some(at) = bytes.windows(10).position(|word| word == b"challenge ") {
                    lie(&mut bytes[at..]);
                }
                if stranger.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}
