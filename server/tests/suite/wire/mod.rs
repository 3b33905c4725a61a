//! Whatever is not exactly what `protocol/http.md` says is refused with a problem document and changes
//! nothing, at every address of its table. A new address joins by itself.

mod bodies;
mod heads;

use crate::support::{
    Access, Answer, Browser, Endpoint, Framing, Line, ORIGIN, Proof, Raw, SECRET, SETUP_TOKEN, Sample, World,
    endpoints, make_key, public, run, sample, stored_facts,
};
use holdfast_protocol::{connections::Transport, problem::Code};
use holdfast_server::{access::DeviceChallenge, limits::Rate};
use p256::ecdsa::SigningKey;
use std::{num::NonZeroU32, time::Duration};

/// A request that must be refused, and how.
struct Attack {
    why: String,
    request: Raw,
    code: Code,
}

/// A signed-in browser with a live connection, at a server that does not count tries.
struct Target {
    world: World,
    browser: Browser,
    nonce: String,
    /// Of an agent of the browser's account.
    token: String,
    /// The key of the browser's device, whose cookie it has not shown.
    device: SigningKey,
}

impl Target {
    async fn new() -> Self {
        let world = World::with(|config| {
            let free = Rate { burst: NonZeroU32::MAX, every: Duration::from_millis(1) };
            config.rates.options = free;
            config.rates.verify = free;
            config.rates.session = free;
            config.rates.pairing = free;
            config.rates.code = free;
            config.rates.agent = free;
            config.rates.reports = free;
            config.related_origins = vec!["https://other.example".to_owned()];
        })
        .await;
        let browser = world.browser().await;
        let nonce = browser.fresh_nonce().await;
        let token = world.agent(&browser.account).await.token;
        let device = make_key(&world.app);
        run!(world.app.db, "UPDATE sessions SET device_key = $1", public(&device).to_sec1().to_vec());
        Self { world, browser, nonce, token, device }
    }

    /// A request of the documented shape, with everything that the address asks for.
    fn request(&self, endpoint: &Endpoint, line: &Line<'_>) -> Raw {
        let path = endpoint.path.replace("{id}", line.id.as_str()).replace("{code}", "0000-0000");
        let mut request = Raw::new(&endpoint.method, &path);
        if !endpoint.reads() {
            request.add("origin", ORIGIN);
            request.add("sec-fetch-site", "same-origin");
        }
        match endpoint.access {
            Access::Public | Access::Program => {}
            Access::Device => {
                let app = &self.world.app;
                let refreshes = endpoint.path.ends_with("/refresh");
                let kind = if refreshes { DeviceChallenge::Refresh } else { DeviceChallenge::Registration };
                let challenge = kind.make(app, &self.browser.session);
                let response = Proof::of_device(app, &self.device, kind, &challenge);
                request.add("cookie", &self.browser.cookies);
                request.add("sec-secure-session-id", self.browser.session.as_str());
                request.add("secure-session-response", response);
            }
            Access::Agent => {
                request.add("authorization", format!("Bearer {}", self.token));
                if !endpoint.reads() {
                    request.add("idempotency-key", "the-key-of-a-sample");
                }
            }
            Access::Ceremony => {
                request.add("x-setup-token", SETUP_TOKEN);
                request.add("cookie", format!("__Host-holdfast-ceremony={}", "A".repeat(43)));
            }
            Access::SignedIn | Access::Elevated | Access::Answer | Access::Ticket => {
                request.add("cookie", &self.browser.cookies);
                if !endpoint.reads() {
                    request.add("x-csrf-token", &self.browser.csrf);
                }
            }
        }
        if endpoint.access == Access::Elevated {
            // Some actions want it.
            request.add("idempotency-key", "a-key-of-this-sample");
        }
        match sample(&self.world, endpoint) {
            Sample::NoBody { query } => request.path.push_str(query),
            Sample::Json { body, .. } | Sample::Report(body) => {
                request.add("content-type", "application/json");
                request.body = body.to_string().into_bytes();
            }
            Sample::Text(text) => {
                request.add("content-type", "text/plain");
                request.body = text.as_bytes().to_vec();
            }
        }
        if endpoint.access == Access::Ticket {
            request.add("accept", "text/event-stream");
            request.add("sec-fetch-site", "same-origin");
        }
        let proves = matches!(
            endpoint.access,
            Access::Ceremony | Access::SignedIn | Access::Elevated | Access::Answer
        );
        if proves {
            self.prove(&mut request);
        }
        request
    }

    /// With a proof that was not used before.
    fn prove(&self, request: &mut Raw) {
        let proof =
            Proof::new(&self.world.app, &self.browser.key, &request.method, &request.path, &self.nonce);
        request.set("dpop", proof.sign());
    }

    /// Sends it, with a new proof if it has one, and looks at what comes back.
    async fn attack(&self, attack: &Attack) -> Answer {
        let mut request = attack.request.clone();
        let proofs = request.headers.iter().filter(|(name, _)| name == "dpop").count();
        if proofs == 1 {
            self.prove(&mut request);
        }
        let answer = request.send(self.world.address).await;
        let about = || format!("{} {}: {}: {answer:?}", request.method, request.path, attack.why);
        assert!(answer.status.is_client_error(), "{}", about());
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", about());
        assert_eq!(answer.code(), attack.code, "{}", about());
        self.shows_nothing(&request, &answer);
        answer
    }

    fn shows_nothing(&self, request: &Raw, answer: &Answer) {
        let body = String::from_utf8(answer.body.clone()).unwrap();
        let cookies = self.browser.cookies.split("; ").map(|pair| pair.split_once('=').unwrap().1);
        let mut secrets: Vec<&str> = cookies.chain([self.token.as_str()]).collect();
        secrets.extend([SECRET, SETUP_TOKEN, "panicked", "backtrace", ".rs", "SELECT", "INSERT", "sqlx"]);
        for (_, value) in &request.headers {
            secrets.extend(std::str::from_utf8(value).ok().filter(|value| value.len() > 40));
        }
        let sent = std::str::from_utf8(&request.body).unwrap_or_default();
        secrets.extend(sent.split('"').filter(|text| text.len() > 40));
        for secret in secrets {
            assert!(!body.contains(secret), "{secret:?} in {body}");
        }
    }
}

/// Sends the attacks on every address, and sees that none changes anything.
async fn attack_all(attacks: impl Fn(&Target, &Endpoint, &Raw) -> Vec<Attack>) {
    let target = Target::new().await;
    let line = Line::open(&target.browser, Transport::ServerSentEvents).await;
    let mut sent = 0;
    for endpoint in endpoints() {
        let request = target.request(&endpoint, &line);
        let before = stored_facts(&target.world).await;
        for attack in attacks(&target, &endpoint, &request) {
            target.attack(&attack).await;
            sent += 1;
        }
        assert_eq!(stored_facts(&target.world).await, before, "{}", endpoint.name());
    }
    assert!(sent >= 20, "only {sent} attacks");
}

#[tokio::test]
async fn requests_of_the_documented_shape_get_past_every_check_of_the_shape() {
    for endpoint in endpoints() {
        let target = Target::new().await;
        let line = Line::open(&target.browser, Transport::ServerSentEvents).await;
        let answer = target.request(&endpoint, &line).send(target.world.address).await;
        // There is no such ceremony, passkey, pairing, connection or ticket; all else is right.
        let none = [Code::TokenInvalid, Code::NotFound, Code::PairingGone, Code::TicketInvalid];
        let name = endpoint.name();
        assert!(answer.status.is_success() || none.contains(&answer.code()), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_session_that_ends_before_a_body_has_come_does_nothing_more() {
    let signed_in = |endpoint: &Endpoint| {
        matches!(endpoint.access, Access::SignedIn | Access::Elevated) && !endpoint.reads()
    };
    let all: Vec<Endpoint> = endpoints().into_iter().filter(signed_in).collect();
    assert!(all.len() >= 5, "only {} addresses", all.len());
    for endpoint in all {
        let target = Target::new().await;
        let world = &target.world;
        let line = Line::open(&target.browser, Transport::ServerSentEvents).await;
        let request = target.request(&endpoint, &line);
        let (proofs, before) = (world.count("proofs_seen").await, stored_facts(world).await);
        let ends = async {
            // The head was read, and its proof taken.
            world.until(async || world.count("proofs_seen").await > proofs).await;
            run!(world.app.db, "UPDATE sessions SET ended_at_ms = 1");
        };
        let answer = request.send_in_two(1, ends, world.address).await;
        assert_eq!(answer.code(), Code::SignedOut, "{}", endpoint.name());
        run!(world.app.db, "UPDATE sessions SET ended_at_ms = NULL");
        assert_eq!(stored_facts(world).await, before, "{}", endpoint.name());
    }
}

#[tokio::test]
async fn an_unknown_address_is_not_found() {
    let target = Target::new().await;
    for path in [
        "/v1/",
        "/v1/nothing",
        "/v1/me/",
        "/v1//me",
        "/v1/ME",
        "/v1/me%2f",
        "/v1/setup/options/x",
        "/v1/%00",
        "/v1/../v1/me",
        "/v1/connections/answer",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let mut request = Raw::new(method, path);
            request.add("origin", ORIGIN);
            let why = "an unknown address".to_owned();
            let answer = target.attack(&Attack { why, request, code: Code::NotFound }).await;
            assert_eq!(answer.status, 404);
        }
    }
}

#[tokio::test]
async fn an_id_in_an_address_is_an_id_or_nothing_is_there() {
    let target = Target::new().await;
    for id in [
        "x",
        "%ff",
        "con_0000-0000-0000-0000",
        "con_0000-0000-0000-000I",
        "ses_0000-0000-0000-0000",
        "%2e%2e",
        "con_0000%00",
    ] {
        let mut request = Raw::new("POST", &format!("/v1/connections/{id}/answer"));
        request.add("origin", ORIGIN);
        request.add("cookie", &target.browser.cookies);
        request.add("x-csrf-token", &target.browser.csrf);
        request.add("content-type", "text/plain");
        request.body = b"ask".to_vec();
        target.attack(&Attack { why: id.to_owned(), request, code: Code::NotFound }).await;
    }
}

#[tokio::test]
async fn a_body_of_exactly_64_kib_is_taken_however_it_is_framed() {
    let target = Target::new().await;
    let line = Line::open(&target.browser, Transport::ServerSentEvents).await;
    let endpoint = endpoints().into_iter().find(|endpoint| endpoint.path == "/v1/login/options").unwrap();
    for framing in [Framing::Length, Framing::Chunked] {
        let mut request = target.request(&endpoint, &line);
        request.framing = framing;
        request.body.resize(64 * 1024, b' ');
        assert_eq!(request.send(target.world.address).await.status, 200);
        request.body.push(b' ');
        assert_eq!(request.send(target.world.address).await.code(), Code::TooLarge);
    }
}
