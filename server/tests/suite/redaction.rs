//! Nothing that opens anything stands in a log, whatever the level (S7).

use crate::credentials::Agent;
use crate::support::{CREDENTIALS_KEY, Line, Owner, PlainBody, Proof, Raw, SECRET, SETUP_TOKEN, World, run};
use axum::http::Method;
use holdfast_protocol::{
    base64url::{self, Bytes},
    commitment::Opening,
    connections::{Ticket, Transport},
    credentials::{Name, Storing},
    ids::ConnectionId,
    problem::Code,
    recovery::RecoveryCode,
    step_up::{Action as _, Request},
};
use holdfast_server::{
    access::DeviceChallenge,
    secrets::{Keyring, Secret},
};
use p256::ecdsa::SigningKey;
use serde_json::json;
use std::{
    io,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing_subscriber::{Layer as _, fmt};
use tracing_subscriber::{
    filter::dynamic_filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

static LISTENING: AtomicBool = AtomicBool::new(false);
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Where the log goes.
struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that any thread logs from here on, at every level.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = fmt::layer().with_writer(|| Ear).with_ansi(false);
        let log = log.with_filter(dynamic_filter_fn(|_, _| LISTENING.load(Ordering::Relaxed)));
        tracing_subscriber::registry().with(log).init();
    });
    LISTENING.store(true, Ordering::Relaxed);
}

fn heard() -> String {
    LISTENING.store(false, Ordering::Relaxed);
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn the_log_of_a_whole_visit_holds_no_secret() {
    listen();
    tracing::trace!("the log is heard");
    let world = World::new().await;
    let mut secrets: Vec<(&str, String)> =
        vec![("the server's secret", SECRET.to_owned()), ("the setup token", SETUP_TOKEN.to_owned())];

    let (browser, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let options = guest.begin_login().await;
    let ceremony = guest.cookies.value("__Host-holdfast-ceremony").to_owned();
    let credential = passkey.assert(&options, |_| {});
    let answer = guest.finish_login(&options, &credential).await;
    let other = guest.signed_in(&answer);
    secrets.extend([("the ceremony cookie", ceremony), ("a ceremony's token", options.token.clone())]);
    for browser in [&browser, &other] {
        for pair in browser.cookies.split("; ") {
            let (name, value) = pair.split_once('=').unwrap();
            secrets.push(("a cookie", value.to_owned()));
            assert!(!name.is_empty() && value.len() > 40);
        }
    }

    // Its device, and the device of somebody else.
    let offer = answer.headers["secure-session-registration"].to_str().unwrap();
    let offered = offer.split('"').nth(3).unwrap().to_owned();
    let [key, foreign] = [other.foreign_key(), other.foreign_key()];
    let asks = async |path: &str, key: &SigningKey, kind: DeviceChallenge, challenge: &str| {
        let response = Proof::of_device(&world.app, key, kind, challenge);
        let request = other.request(Method::POST, path).header("secure-session-response", &response);
        let request = request.header("sec-secure-session-id", other.session.as_str());
        (other.send(request.body(PlainBody::default()).unwrap()).await, response)
    };
    let (registered, registration) =
        asks("/v1/sessions/device", &key, DeviceChallenge::Registration, &offered).await;
    assert_eq!(registered.status, 200);
    let refresh = "/v1/sessions/device/refresh";
    let (asked, _) = asks(refresh, &key, DeviceChallenge::Refresh, "none").await;
    let given =
        asked.headers["secure-session-challenge"].to_str().unwrap().split('"').nth(1).unwrap().to_owned();
    let (refused, theirs) = asks(refresh, &foreign, DeviceChallenge::Refresh, &given).await;
    assert_eq!(refused.status, 401);
    let (fetched, refreshed) = asks(refresh, &key, DeviceChallenge::Refresh, &given).await;
    let cookie = fetched.headers["set-cookie"].to_str().unwrap();
    let (_, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    secrets.push(("a device's cookie", value.to_owned()));
    secrets.extend([("a device's challenge", offered), ("a device's challenge", given)]);
    secrets.extend([registration, theirs, refreshed].map(|answer| ("a device's answer", answer)));

    // A request that is right, and one of each kind that is refused and logged.
    let proof = other.fresh_proof("GET", "/v1/me").await.sign();
    assert_eq!(other.get_with("/v1/me", &proof).await.status, 200);
    assert_eq!(other.get_with("/v1/me", &proof).await.status, 401);
    let foreign =
        Proof::new(&world.app, &other.foreign_key(), "GET", "/v1/me", &other.fresh_nonce().await).sign();
    assert_eq!(other.get_with("/v1/me", &foreign).await.status, 401);
    assert_eq!(other.get_with("/v1/me", &format!("{proof}x")).await.status, 401);
    assert_eq!(other.get_with("/v1/passkey", &proof).await.status, 401);
    let bare = other.request(Method::GET, "/v1/me").body(PlainBody::default()).unwrap();
    assert_eq!(other.send(bare).await.status, 401);
    guest.sign_in(&passkey, |said| said.flags = 0).await;
    let lie = json!({ "ceremony": options.ceremony, "token": options.token, "credential": credential });
    guest.post("/v1/login/verify", &lie).await;
    secrets.extend([("a proof", proof), ("a foreign proof", foreign)]);
    let code = RecoveryCode::make(&world.app.entropy.make::<64>()).unwrap();
    let verifier = base64url::encode(&code.sign_in_verifier().0);
    other.post("/v1/recovery-codes", &json!({ "verifiers": [verifier] })).await;
    secrets.push(("a verifier", verifier));

    // A credential, stored once as it was signed for and once not, and read.
    let value = "a credential that is secret".to_owned();
    let salt = Bytes(world.app.entropy.make::<16>().to_vec());
    let opening = Opening { salt, value: Bytes(value.clone().into_bytes()) };
    let name = Name::parse("KEY").unwrap();
    let channel = Name::parse("default").unwrap();
    let storing = Storing { name, channel, commitment: opening.commitment() };
    let wrong = Opening { salt: Bytes(vec![0; 16]), ..opening.clone() };
    let owner = Owner { browser, passkey: passkey.clone() };
    for (secret, status) in [(&wrong, 403), (&opening, 204)] {
        let request = Request { secret: Some(secret.clone()), ..owner.confirm(storing.clone()).await };
        assert_eq!(owner.browser.post(Storing::KIND.path(), &request).await.status, status);
    }
    let agent = Agent::new(&owner.browser.account, "agt_1", "chat");
    assert_eq!(agent.read(&world.app, "KEY").await, Ok(opening.value.0.clone()));
    run!(world.app.db, "UPDATE credentials SET nonce = sealed");
    assert_eq!(agent.read(&world.app, "KEY").await, Err(Code::CredentialsUnreadable));
    for secret in [&opening.salt.0, &opening.value.0] {
        secrets.push(("a credential or its salt", base64url::encode(secret)));
        secrets.push(("a credential's bytes or its salt's", format!("{secret:?}").replace(['[', ']'], "")));
    }
    secrets.extend([("a credential", value), ("the key of credentials", CREDENTIALS_KEY.to_owned())]);

    // A stream, opened twice with one ticket.
    let minted = other.mint().await;
    for _ in 0..2 {
        let mut request = Raw::new("GET", &format!("/v1/streams/activity?ticket={}x", minted.ticket.ticket));
        request.add("cookie", &other.cookies);
        request.add("sec-fetch-site", "same-origin");
        request.add("accept", "text/event-stream");
        assert_eq!(request.send(world.address).await.status, 401);
    }
    secrets.push(("a ticket", minted.ticket.ticket.clone()));
    for transport in [Transport::WebSocket, Transport::ServerSentEvents] {
        let mut line = Line::open(&other, transport).await;
        let challenge = line.hear_challenge().await;
        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
    }
    other.post("/v1/logout", &json!({ "scope": "everywhere" })).await;

    let log = heard();
    for said in ["the log is heard", "TRACE", "a session's cookie came without its key's proof", "sqlx"] {
        assert!(log.contains(said), "the log does not say {said:?}:\n{log}");
    }
    for (what, secret) in secrets {
        let at = log.lines().find(|line| line.contains(&secret));
        assert_eq!(at, None, "{what}");
    }
}

#[test]
fn what_is_secret_does_not_show_itself() {
    let secret = Secret::new("hunter2".to_owned());
    assert_eq!(format!("{secret:?} {:#?}", secret), "Secret(…) Secret(…)");
    let keys = Keyring::new(secret.clone(), Some(secret));
    assert_eq!(format!("{keys:?}"), "Keyring(…)");
    let opening = Opening { salt: Bytes(vec![7; 16]), value: Bytes(b"hunter2".to_vec()) };
    assert_eq!(format!("{opening:?}"), "Opening { salt: Bytes(16), value: Bytes(7) }");
    let connection = ConnectionId::make([0; 16]);
    let ticket = Ticket { connection, ticket: "hunter2".to_owned(), expires_in_s: 60 };
    assert!(!format!("{ticket:?}").contains("hunter2"));
    let code = RecoveryCode::make(&[7; 64]).unwrap();
    assert_eq!(format!("{code:?} {:?}", code.sign_in_verifier()), "RecoveryCode(…) Bytes(32)");
}
