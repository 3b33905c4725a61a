//! Sessions that are bound to their device, as browsers do it where they have the hardware (P10).

mod asking;

use crate::support::{
    Answer, Browser, Guest, Line, ORIGIN, PlainBody, Proof, Raw, SoftPasskey, World, dial, make_key, run,
    stored_facts,
};
use axum::http::Method;
use holdfast_protocol::{
    account::{Me, SessionBinding},
    connections::Transport,
    device::{BoundKind, BoundSession, OverSession, Refreshed},
    history::{Activity, ActivityPage},
    ids::SessionId,
    problem::Code,
};
use holdfast_server::{access::DeviceChallenge, limits::Rate};
use p256::ecdsa::SigningKey;
use serde_json::{Value, json};
use std::{num::NonZeroU32, time::Duration};
use tokio_tungstenite::tungstenite;

const REGISTER: &str = "/v1/sessions/device";
const REFRESH: &str = "/v1/sessions/device/refresh";
const REGISTRATION: DeviceChallenge = DeviceChallenge::Registration;
const COOKIE: &str = "__Host-holdfast-device";

/// What the browser itself sends with the session's cookie.
async fn ask(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Raw::new("POST", path);
    request.add("origin", ORIGIN);
    request.add("sec-fetch-site", "same-origin");
    request.add("cookie", &browser.cookies);
    headers.iter().for_each(|(name, value)| request.add(name, value));
    request.send(browser.address).await
}

async fn register(browser: &Browser, key: &SigningKey, challenge: &str) -> Answer {
    ask(
        browser,
        REGISTER,
        &[("secure-session-response", &Proof::of_device(&browser.app, key, REGISTRATION, challenge))],
    )
    .await
}

async fn refresh(browser: &Browser, key: &SigningKey, challenge: &str) -> Answer {
    let response = Proof::of_device(&browser.app, key, DeviceChallenge::Refresh, challenge);
    let id = format!("\"{}\"", browser.session);
    ask(browser, REFRESH, &[("sec-secure-session-id", &id), ("secure-session-response", &response)]).await
}

/// The challenge of a header, which has others beside it.
fn quoted_in<'a>(header: &'a str, before: &str) -> &'a str {
    header.split_once(before).and_then(|(_, after)| after.split('"').next()).unwrap()
}

/// Asks without an answer, and is given a challenge.
async fn challenge(browser: &Browser) -> String {
    let asked = ask(browser, REFRESH, &[("sec-secure-session-id", browser.session.as_str())]).await;
    assert_eq!(asked.code(), Code::DeviceChallenge, "{asked:?}");
    challenge_of(&asked, &browser.session)
}

fn challenge_of(asked: &Answer, session: &SessionId) -> String {
    let header = asked.headers["secure-session-challenge"].to_str().unwrap();
    assert!(header.ends_with(&format!("\";id=\"{session}\"")), "{header}");
    quoted_in(header, "\"").to_owned()
}

/// The second cookie of a refresh.
fn cookie(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=600"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

impl Browser {
    /// The same browser with one cookie more.
    fn with(&self, cookie: &str) -> Self {
        let mut browser = self.clone();
        browser.cookies = format!("{}; {cookie}", self.cookies);
        browser
    }
}

/// Someone signs in with a browser that has hardware for a key: the challenge that it is given.
async fn signs_in(guest: &mut Guest, passkey: &SoftPasskey) -> (Browser, String) {
    let signed_in = guest.sign_in(passkey, |_| {}).await;
    let offer = signed_in.headers["secure-session-registration"].to_str().unwrap();
    assert!(offer.starts_with("(ES256);path=\"/v1/sessions/device\";challenge=\""), "{offer}");
    (guest.signed_in(&signed_in), quoted_in(offer, "challenge=\"").to_owned())
}

/// The same browser with the cookie that this key fetches.
async fn fetches(plain: &Browser, key: &SigningKey) -> Browser {
    plain.with(&cookie(&refresh(plain, key, &challenge(plain).await).await))
}

/// A session whose browser has shown the cookie that its key in hardware keeps up: without that cookie, the key, and
/// with it. Nothing is under way any more.
async fn bound(world: &World, passkey: &SoftPasskey) -> (Browser, SigningKey, Browser) {
    let (plain, offered) = signs_in(&mut world.guest(), passkey).await;
    let key = make_key(&world.app);
    assert_eq!(register(&plain, &key, &offered).await.status, 200);
    let browser = fetches(&plain, &key).await;
    assert_eq!(binding(&browser).await, SessionBinding::Device);
    world.advance_ms(60_000);
    (plain, key, browser)
}

fn is_over(answer: &Answer, session: &SessionId) {
    let over = OverSession { session_identifier: session.clone(), goes_on: false };
    assert_eq!(answer.json::<Refreshed>(), Refreshed::Over(over));
    assert_eq!(answer.json::<Value>()["continue"], false);
    assert!(!answer.headers.contains_key("set-cookie"));
}

async fn binding(browser: &Browser) -> SessionBinding {
    browser.get("/v1/me").await.json::<Me>().session.binding
}

#[tokio::test]
async fn a_browser_with_hardware_keeps_up_a_cookie_without_which_the_session_is_nothing() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, offered) = signs_in(&mut world.guest(), &passkey).await;
    assert_eq!(binding(&plain).await, SessionBinding::Browser);
    let key = make_key(&world.app);
    let registered = register(&plain, &key, &offered).await;
    let told: BoundSession = registered.json();
    assert_eq!(told.session_identifier, plain.session);
    assert_eq!(told.refresh_url, REFRESH);
    assert_eq!((told.scope.origin.as_str(), told.scope.include_site), (ORIGIN, false));
    let [kept] = &told.credentials[..] else { panic!("{told:?}") };
    assert_eq!((kept.kind, kept.name.as_str()), (BoundKind::Cookie, COOKIE));
    assert_eq!(kept.attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");

    // Until it has fetched a cookie, nobody knows whether the browser can.
    let first = registered.headers["set-cookie"].to_str().unwrap();
    let first = first.strip_suffix("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60").unwrap();
    assert_eq!(binding(&plain.with(first)).await, SessionBinding::Browser);

    let browser = fetches(&plain, &key).await;
    assert_eq!(binding(&browser).await, SessionBinding::Device);
    // What was under way before the cookie came is not turned away.
    assert_eq!(binding(&plain).await, SessionBinding::Device);
    world.advance_ms(59_999);
    assert_eq!(plain.get("/v1/me").await.status, 200);
    world.advance_ms(1);
    assert_eq!(plain.get("/v1/me").await.code(), Code::SignedOut);
    assert_eq!(binding(&browser).await, SessionBinding::Device);
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    assert_eq!(page.events[0].what, Activity::CookieWithoutKey);
    assert_eq!(page.events[0].session, Some(plain.session.clone()));

    // Twelve minutes after it was made a cookie is worth nothing, and the key fetches the next.
    world.advance_ms(660_000);
    assert_eq!(browser.get("/v1/me").await.status, 200);
    world.advance_ms(1);
    let events = world.count("activity").await;
    let stale = browser.get("/v1/me").await;
    assert_eq!(world.count("activity").await, events + 1);
    // Its browser drops it, and fetches another before it tries once more.
    assert_eq!(stale.code(), Code::UseDpopNonce);
    let dropped = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    assert_eq!(stale.headers["set-cookie"], dropped.as_str());
    assert_eq!(binding(&fetches(&plain, &key).await).await, SessionBinding::Device);
    assert_eq!(refresh(&plain, &key, &challenge(&plain).await).await.json::<BoundSession>(), told);
}

#[tokio::test]
async fn a_browser_that_could_not_fetch_its_cookie_is_asked_to_wait() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, ..) = bound(&world, &passkey).await;
    let proof = plain.fresh_proof("GET", "/v1/me").await.sign();
    let request = plain.request(Method::GET, "/v1/me").header("dpop", proof);
    let request = request.header("secure-session-skipped", "unreachable");
    let events = world.count("activity").await;
    let answer = plain.send(request.body(PlainBody::default()).unwrap()).await;
    assert_eq!((answer.code(), &answer.headers["retry-after"]), (Code::Unavailable, &"2".parse().unwrap()));
    assert_eq!(world.count("activity").await, events + 1);
}

#[tokio::test]
async fn whoever_comes_without_the_cookie_again_and_again_is_counted() {
    let world = World::with(|config| {
        config.rates.session = Rate { burst: NonZeroU32::new(20).unwrap(), every: Duration::from_secs(600) };
    })
    .await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, _, browser) = bound(&world, &passkey).await;
    let line = Line::open(&browser, Transport::ServerSentEvents).await;
    let answer = format!("/v1/connections/{}/answer", line.id);
    let mut codes = Vec::new();
    for _ in 0..24 {
        codes.push(plain.post_text(&answer, "answer 1 AAAA").await.code());
    }
    assert_eq!(codes[0], Code::SignedOut);
    assert_eq!(codes[23], Code::RateLimited);
}

#[tokio::test]
async fn what_copies_the_cookie_of_a_bound_session_opens_nothing_and_changes_nothing() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, _, browser) = bound(&world, &passkey).await;
    let minted = browser.mint().await;
    assert_eq!(plain.get("/v1/me").await.code(), Code::SignedOut);
    // Theft is theft: what else is missing is said after that.
    let nonce = plain.fresh_nonce().await;
    let foreign = Proof::new(&world.app, &plain.foreign_key(), "GET", "/v1/me", &nonce).sign();
    assert_eq!(plain.get_with("/v1/me", &foreign).await.code(), Code::PopForeignKey);
    let own = plain.fresh_proof("GET", "/v1/me").await.sign();
    assert_eq!(browser.get_with("/v1/me", &own).await.status, 200);
    assert_eq!(plain.get_with("/v1/me", &own).await.code(), Code::PopProofReplayed);
    let logout = json!({ "scope": "this_browser" });
    let line = Line::open(&browser, Transport::ServerSentEvents).await;
    let answer = format!("/v1/connections/{}/answer", line.id);
    world.advance_ms(60_000);
    let before = stored_facts(&world).await;
    assert_eq!(plain.post("/v1/logout", &logout).await.code(), Code::SignedOut);
    let opened = dial(&plain, &minted, |_| {}).await;
    let status = opened.map(drop).map_err(|error| match error {
        tungstenite::Error::Http(response) => response.status().as_u16(),
        other => panic!("{other}"),
    });
    assert_eq!(status, Err(401));
    assert_eq!(plain.post_text(&answer, "ask").await.code(), Code::SignedOut);
    assert_eq!(browser.post_text(&answer, "ask").await.status, 204);
    assert_eq!(stored_facts(&world).await, before);
    assert_eq!(browser.post("/v1/logout", &logout).await.status, 204);
}

#[tokio::test]
async fn no_cookie_but_the_sessions_own_and_of_its_own_key_is_taken() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, offered) = signs_in(&mut world.guest(), &passkey).await;
    let (early, key) = (make_key(&world.app), make_key(&world.app));
    // The answer to the first registration was lost; the cookie of that key binds nothing any more.
    assert_eq!(register(&plain, &early, &offered).await.status, 200);
    let stale = fetches(&plain, &early).await;
    assert_eq!(register(&plain, &key, &offered).await.status, 200);
    let browser = fetches(&plain, &key).await;
    assert_eq!(binding(&stale).await, SessionBinding::Browser);
    assert_eq!(binding(&browser).await, SessionBinding::Device);
    world.advance_ms(60_000);
    assert_eq!(stale.get("/v1/me").await.code(), Code::UseDpopNonce);
    let (other, offered) = signs_in(&mut world.guest(), &passkey).await;
    assert_eq!(register(&other, &key, &offered).await.status, 200);
    let of_another = fetches(&other, &key).await;
    let of_another = of_another.cookies.rsplit_once("; ").unwrap().1;
    assert_eq!(plain.with(of_another).get("/v1/me").await.code(), Code::UseDpopNonce);
    let own = browser.cookies.rsplit_once("; ").unwrap().1;
    // Of the same length, and with another time.
    let later = own.replacen("=A", "=B", 1);
    assert_ne!(later, own);
    for wrong in [later.as_str(), &own[..own.len() - 1], &format!("{own}="), &format!("{COOKIE}=registered")]
    {
        assert_eq!(plain.with(wrong).get("/v1/me").await.code(), Code::UseDpopNonce, "{wrong}");
    }
    // A browser that does not know `__Host-` may have another of the same name beside it.
    assert_eq!(plain.with(&format!("{COOKIE}=other; {own}")).get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn until_its_cookie_was_shown_nothing_is_asked_of_a_session() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, offered) = signs_in(&mut world.guest(), &passkey).await;
    let key = make_key(&world.app);
    assert_eq!(register(&plain, &key, &offered).await.status, 200);
    // The answer was lost.
    world.advance_ms(86_400_000);
    assert_eq!(binding(&plain).await, SessionBinding::Browser);
    assert_eq!(register(&plain, &key, &offered).await.code(), Code::PopProofInvalid);
}

#[tokio::test]
async fn who_lost_the_device_signs_in_again_and_leaves_the_session_before() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let (plain, offered) = signs_in(&mut guest, &passkey).await;
    let key = make_key(&world.app);
    assert_eq!(register(&plain, &key, &offered).await.status, 200);
    assert_eq!(binding(&fetches(&plain, &key).await).await, SessionBinding::Device);
    world.advance_ms(900_000);
    let (after, _) = signs_in(&mut guest, &passkey).await;
    assert_ne!(after.session, plain.session);
    assert_eq!(binding(&after).await, SessionBinding::Browser);
    is_over(
        &ask(&plain, REFRESH, &[("sec-secure-session-id", plain.session.as_str())]).await,
        &plain.session,
    );
    let (ended, id) = (
        "UPDATE sessions SET epoch = epoch WHERE id = $1 AND ended_at_ms IS NOT NULL",
        plain.session.as_str(),
    );
    assert_eq!(run!(world.app.db, ended, id), 1);
}

#[tokio::test]
async fn an_operator_can_go_without() {
    let world = World::new().await;
    let (_, passkey) = world.set_up_by_ceremony().await;
    let (plain, key, browser) = bound(&world, &passkey).await;
    assert_eq!(plain.get("/v1/me").await.code(), Code::SignedOut);
    let without = world.beside(|config| config.device_binding = false).await;
    for browser in [&plain, &browser] {
        assert_eq!(binding(&browser.at(&without)).await, SessionBinding::Browser);
    }
    assert_eq!(ask(&plain.at(&without), REGISTER, &[]).await.code(), Code::NotFound);
    // What is kept up meanwhile is asked for again later.
    let browser = fetches(&plain.at(&without), &key).await;
    world.advance_ms(660_000);
    assert_eq!(binding(&browser.at(&world)).await, SessionBinding::Device);
    let signed_in = without.guest().sign_in(&passkey, |_| {}).await;
    assert_eq!(signed_in.status, 200);
    assert!(!signed_in.headers.contains_key("secure-session-registration"), "{signed_in:?}");
}
