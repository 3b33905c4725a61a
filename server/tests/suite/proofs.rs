//! Proofs of possession on single requests (P2, RFC 9449).

use crate::support::{Answer, Browser, PlainBody, Proof, SoftPasskey, World, public, run, stored_facts};
use axum::http::{HeaderValue, Method};
use futures_util::future::join_all;
use holdfast_protocol::{
    base64url,
    history::{Activity, ActivityPage, TheftSign},
    problem::Code,
};
use holdfast_server::db::Db;
use serde_json::{Value, json};

async fn trail(browser: &Browser) -> Vec<Activity> {
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    page.events.into_iter().map(|event| event.what).collect()
}

type Spoil = fn(&mut Proof);

/// Each way in which a proof is none, with what makes it so.
const NONE: [(&str, Spoil); 37] = [
    ("typ of another token", |proof| proof.header["typ"] = json!("JWT")),
    ("no typ", |proof| remove(&mut proof.header, "typ")),
    ("alg none", |proof| proof.header["alg"] = json!("none")),
    ("alg symmetric", |proof| proof.header["alg"] = json!("HS256")),
    ("alg of another curve", |proof| proof.header["alg"] = json!("ES384")),
    ("no alg", |proof| remove(&mut proof.header, "alg")),
    ("no jwk", |proof| remove(&mut proof.header, "jwk")),
    ("jwk null", |proof| proof.header["jwk"] = Value::Null),
    ("private jwk", |proof| proof.header["jwk"]["d"] = json!("AAAA")),
    ("symmetric jwk", |proof| proof.header["jwk"] = json!({ "kty": "oct", "k": "AAAA" })),
    ("jwk of another curve", |proof| proof.header["jwk"]["crv"] = json!("P-384")),
    ("jwk of another kind", |proof| proof.header["jwk"]["kty"] = json!("OKP")),
    ("short x", |proof| proof.header["jwk"]["x"] = json!("AAAA")),
    ("point off the curve", |proof| proof.header["jwk"]["x"] = json!(base64url::encode(&[1; 32]))),
    ("point at infinity", |proof| {
        proof.header["jwk"]["x"] = json!(base64url::encode(&[0; 32]));
        proof.header["jwk"]["y"] = json!(base64url::encode(&[0; 32]));
    }),
    ("private jwk, null", |proof| proof.header["jwk"]["d"] = Value::Null),
    ("private jwk of another kind", |proof| proof.header["jwk"]["p"] = json!("AAAA")),
    ("jwk an array", |proof| {
        let jwk = proof.header["jwk"].clone();
        proof.header["jwk"] = json!(["EC", "P-256", jwk["x"], jwk["y"]]);
    }),
    ("header an array", |proof| {
        proof.header = json!(["dpop+jwt", "ES256", proof.header["jwk"]]);
    }),
    ("critical extension, null", |proof| proof.header["crit"] = Value::Null),
    ("critical extension", |proof| proof.header["crit"] = json!(["b64"])),
    ("no jti", |proof| remove(&mut proof.claims, "jti")),
    ("short jti", |proof| proof.claims["jti"] = json!("fifteen letters")),
    ("long jti", |proof| proof.claims["jti"] = json!("x".repeat(257))),
    ("jti a number", |proof| proof.claims["jti"] = json!(1_234_567_890_123_456_u64)),
    ("no htm", |proof| remove(&mut proof.claims, "htm")),
    ("another method", |proof| proof.claims["htm"] = json!("POST")),
    ("method in small letters", |proof| proof.claims["htm"] = json!("get")),
    ("no htu", |proof| remove(&mut proof.claims, "htu")),
    ("another path", |proof| proof.claims["htu"] = json!("http://localhost:8080/v1/passkey")),
    ("another host", |proof| proof.claims["htu"] = json!("http://localhost:8081/v1/me")),
    ("another scheme", |proof| proof.claims["htu"] = json!("https://localhost:8080/v1/me")),
    ("a path alone", |proof| proof.claims["htu"] = json!("/v1/me")),
    ("a query", |proof| proof.claims["htu"] = json!("http://localhost:8080/v1/me?x=1")),
    ("no iat", |proof| remove(&mut proof.claims, "iat")),
    ("iat a text", |proof| proof.claims["iat"] = json!("1")),
    ("nonce a number", |proof| proof.claims["nonce"] = json!(7)),
];

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn what_rfc_9449_does_not_allow_is_refused_and_is_a_cookie_without_its_key() {
    let world = World::new().await;
    let browser = world.browser().await;
    let before = stored_facts(&world).await;
    for (why, spoil) in NONE {
        let mut proof = browser.fresh_proof("GET", "/v1/me").await;
        spoil(&mut proof);
        let answer = browser.get_with("/v1/me", &proof.sign()).await;
        assert_eq!(answer.code(), Code::PopProofInvalid, "{why}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
    }
    assert_eq!(stored_facts(&world).await, before);
    assert_eq!(trail(&browser).await, [Activity::CookieWithoutKey]);
}

#[tokio::test]
async fn an_own_proof_for_another_request_is_refused_and_no_alarm() {
    let world = World::new().await;
    let browser = world.browser().await;
    for (method, path) in [("GET", "/v1/passkey"), ("POST", "/v1/me")] {
        let proof = browser.fresh_proof(method, path).await.sign();
        assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopProofInvalid);
    }
    assert_eq!(trail(&browser).await, []);
}

#[tokio::test]
async fn what_is_no_compact_jws_is_refused() {
    let world = World::new().await;
    let browser = world.browser().await;
    let proof = browser.fresh_proof("GET", "/v1/me").await;
    let good = proof.sign();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{good}") };
    let key = public(&proof.key).to_sec1();
    let mut other = proof.clone();
    other.key = browser.foreign_key();
    let other_signature = other.sign().rsplit_once('.').unwrap().1.to_owned();
    let [header_text, claims_text] = [&proof.header, &proof.claims].map(Value::to_string);
    let twice = claims_text.replacen('{', r#"{"htm":"GET","#, 1);
    for (why, text) in [
        ("nothing", String::new()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("no signature", format!("{header}.{claims}.")),
        ("padding", format!("{good}=")),
        ("white space", format!("{header}. {claims}.{signature}")),
        ("other claims under the signature", format!("{header}.{header}.{signature}")),
        ("another key's signature", format!("{header}.{claims}.{other_signature}")),
        ("a key for a signature", format!("{header}.{claims}.{}", base64url::encode(&key[1..]))),
        ("zeros for a signature", format!("{header}.{claims}.{}", base64url::encode(&[0; 64]))),
        ("a member twice", Proof::sign_texts(&proof.key, &header_text, &twice)),
        ("header no object", Proof::sign_texts(&proof.key, "7", &claims_text)),
        ("claims no JSON", Proof::sign_texts(&proof.key, &header_text, "{")),
        (
            "too long",
            Proof::sign_texts(&proof.key, &format!("{header_text}{}", " ".repeat(4096)), &claims_text),
        ),
        ("two proofs in one", format!("{good}, {good}")),
    ] {
        assert_eq!(browser.get_with("/v1/me", &text).await.code(), Code::PopProofInvalid, "{why}");
    }
    // None of it has used up the proof.
    assert_eq!(browser.get_with("/v1/me", &good).await.status, 200);
}

#[tokio::test]
async fn the_clients_clock_and_unknown_members_do_not_matter() {
    let world = World::new().await;
    let browser = world.browser().await;
    for iat in [i64::MIN, -1, 0, 1_800_000_000, 4_000_000_000, i64::MAX] {
        let mut proof = browser.fresh_proof("GET", "/v1/me").await;
        proof.claims["iat"] = json!(iat);
        proof.claims["ath"] = json!("AAAA");
        proof.claims["extra"] = json!({});
        proof.header["kid"] = json!("mine");
        assert_eq!(browser.get_with("/v1/me", &proof.sign()).await.status, 200, "{iat}");
    }
}

#[tokio::test]
async fn the_query_is_not_part_of_the_address() {
    let world = World::new().await;
    let browser = world.browser().await;
    let proof = browser.fresh_proof("GET", "/v1/activity").await.sign();
    assert_eq!(browser.get_with("/v1/activity?limit=5", &proof).await.status, 200);
}

#[tokio::test]
async fn a_cookie_without_a_proof_is_recorded_once() {
    let world = World::new().await;
    let browser = world.browser().await;
    let bare = || browser.request(Method::GET, "/v1/me").body(PlainBody::default()).unwrap();
    let answers = join_all((0..6).map(|_| browser.send(bare()))).await;
    for answer in answers {
        assert_eq!(answer.code(), Code::PopProofMissing);
        assert_eq!(answer.headers["www-authenticate"], "DPoP algs=\"ES256\"");
    }
    assert_eq!(trail(&browser).await, [Activity::CookieWithoutKey]);
    world.advance_ms(60_000);
    browser.send(bare()).await;
    assert_eq!(trail(&browser).await, [Activity::CookieWithoutKey, Activity::CookieWithoutKey]);
}

/// Or whoever tries a copied cookie could do so unseen.
#[tokio::test]
async fn two_proofs_or_what_is_no_text_are_a_cookie_without_its_key() {
    let world = World::new().await;
    let browser = world.browser().await;
    let proof = browser.fresh_proof("GET", "/v1/me").await.sign();
    let other = browser.fresh_proof("GET", "/v1/me").await.sign();
    let asked = || browser.request(Method::GET, "/v1/me");
    let twice = asked().header("dpop", &proof).header("dpop", &other);
    let no_text = asked().header("dpop", HeaderValue::from_bytes(b"\xff").unwrap());
    for request in [twice, no_text] {
        let answer = browser.send(request.body(PlainBody::default()).unwrap()).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.code(), Code::PopProofInvalid);
        assert_eq!(trail(&browser).await.len(), 1);
    }
    assert_eq!(trail(&browser).await, [Activity::CookieWithoutKey]);
    // It was not looked at.
    assert_eq!(browser.get_with("/v1/me", &proof).await.status, 200);
}

#[tokio::test]
async fn another_browsers_key_is_suspected_theft() {
    let world = World::new().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    // A key that nobody has seen, and one of somebody else's account.
    for key in [browser.foreign_key(), stranger.key.clone()] {
        let nonce = browser.fresh_nonce().await;
        let proof = Proof::new(&world.app, &key, "GET", "/v1/me", &nonce).sign();
        assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
    }
    let theft = Activity::TheftSuspected { sign: TheftSign::ForeignKey };
    assert_eq!(trail(&browser).await, [theft]);
    assert_eq!(trail(&stranger).await, []);
}

#[tokio::test]
async fn a_foreign_key_shows_itself_whatever_its_nonce_says() {
    let world = World::new().await;
    let browser = world.browser().await;
    let proof = Proof::new(&world.app, &browser.foreign_key(), "GET", "/v1/me", "old").sign();
    assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
    assert_eq!(trail(&browser).await.len(), 1);
}

#[tokio::test]
async fn a_proof_that_comes_again_is_suspected_theft_wherever_it_comes() {
    for path in ["/v1/me", "/v1/passkey"] {
        let world = World::new().await;
        let browser = world.browser().await;
        let proof = browser.fresh_proof("GET", "/v1/me").await.sign();
        assert_eq!(browser.get_with("/v1/me", &proof).await.status, 200);
        assert_eq!(browser.get_with(path, &proof).await.code(), Code::PopProofReplayed);
        assert_eq!(trail(&browser).await, [Activity::TheftSuspected { sign: TheftSign::ReplayedProof }]);
    }
}

/// Whoever can write the database cannot silence the alarm by the row before it.
#[tokio::test]
async fn an_unreadable_event_stops_no_alarm() {
    let ways = [
        "UPDATE activity SET what = CAST(what AS BLOB)",
        "UPDATE activity SET what = CAST(X'ff' AS TEXT)",
        "UPDATE activity SET hash = 7",
        "UPDATE activity SET id = 0.5",
    ];
    for way in ways {
        let world = World::new().await;
        // PostgreSQL keeps each column to its type.
        if !matches!(world.app.db, Db::Sqlite(_)) {
            return;
        }
        let browser = world.browser().await;
        world.happens(&browser.account, "altered").await;
        assert_eq!(run!(world.app.db, way), 1);
        let proof = browser.fresh_proof("GET", "/v1/me").await.sign();
        assert_eq!(browser.get_with("/v1/me", &proof).await.status, 200);
        assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopProofReplayed, "{way}");
        let theft = Activity::TheftSuspected { sign: TheftSign::ReplayedProof };
        assert_eq!(trail(&browser).await[0], theft, "{way}");
        assert_eq!(world.count("outbox").await, 1, "{way}");
    }
}

#[tokio::test]
async fn another_browsers_key_is_suspected_theft_whatever_it_signed() {
    let world = World::new().await;
    let browser = world.browser().await;
    let nonce = browser.fresh_nonce().await;
    let proof = Proof::new(&world.app, &browser.foreign_key(), "POST", "/elsewhere", &nonce).sign();
    assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
    assert_eq!(trail(&browser).await, [Activity::TheftSuspected { sign: TheftSign::ForeignKey }]);
}

#[tokio::test]
async fn another_proof_with_the_same_jti_is_a_replay_and_of_another_key_is_none() {
    let world = World::new().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    let jti = json!("the same jti in three proofs");
    let mut answers: Vec<Answer> = Vec::new();
    for (browser, path) in [(&browser, "/v1/me"), (&browser, "/v1/passkey"), (&stranger, "/v1/me")] {
        let mut proof = browser.fresh_proof("GET", path).await;
        proof.claims["jti"] = jti.clone();
        answers.push(browser.get_with(path, &proof.sign()).await);
    }
    assert_eq!(answers[0].status, 200);
    assert_eq!(answers[1].code(), Code::PopProofReplayed);
    assert_eq!(answers[2].status, 200);
}

#[tokio::test]
async fn of_many_who_race_with_one_proof_one_gets_in_on_whichever_instance() {
    let world = World::new().await;
    let beside = world.beside(|_| {}).await;
    let browser = world.browser().await;
    let proof = browser.fresh_proof("GET", "/v1/me").await.sign();
    let tries = (0..12).map(|number| {
        let address = [world.address, beside.address][number % 2];
        let request = browser.request(Method::GET, "/v1/me").header("dpop", &proof);
        let request = request.uri(format!("http://{address}/v1/me")).body(PlainBody::default()).unwrap();
        browser.send(request)
    });
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let replayed =
        answers.iter().filter(|answer| answer.status != 200 && answer.code() == Code::PopProofReplayed);
    assert_eq!(replayed.count(), 11);
}

#[tokio::test]
async fn an_earlier_key_of_the_account_is_another_tab_and_nothing_is_recorded() {
    let world = World::new().await;
    let (_, passkey): (_, SoftPasskey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let answer = guest.sign_in(&passkey, |_| {}).await;
    let mut before = guest.signed_in(&answer);
    guest.key = world.guest().key;
    let answer = guest.sign_in(&passkey, |_| {}).await;
    let after = guest.signed_in(&answer);
    let recorded = trail(&after).await;
    // The older tab still has its key, and by now the newer cookies.
    before.cookies = after.cookies.clone();
    assert_eq!(before.get("/v1/me").await.code(), Code::PopKeyReplaced);
    assert_eq!(trail(&after).await, recorded);
}

#[tokio::test]
async fn a_nonce_must_be_the_servers_and_at_most_five_minutes_old() {
    let world = World::new().await;
    let foreign = World::with(|config| {
        let secret = holdfast_server::secrets::Secret::new("another secret ".repeat(4));
        config.keys = holdfast_server::secrets::Keyring::new(secret, None);
    });
    let foreign = foreign.await.browser().await.fresh_nonce().await;
    let browser = world.browser().await;
    let own = browser.fresh_nonce().await;
    let flipped = format!("{}{}", if own.starts_with('B') { 'C' } else { 'B' }, &own[1..]);
    for nonce in [
        Value::Null,
        json!(""),
        json!("AAAA"),
        json!(foreign),
        json!(flipped),
        json!(format!("{own}=")),
        json!(base64url::encode(&[0; 24])),
        json!(base64url::encode(&[255; 24])),
    ] {
        let mut proof = browser.fresh_proof("GET", "/v1/me").await;
        proof.claims["nonce"] = nonce.clone();
        let answer = browser.get_with("/v1/me", &proof.sign()).await;
        assert_eq!(answer.code(), Code::UseDpopNonce, "{nonce}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("DPoP error=\"use_dpop_nonce\""), "{challenge}");
        // What the answer hands out is good for the next try.
        proof.claims["nonce"] = json!(answer.headers["dpop-nonce"].to_str().unwrap());
        proof.claims["jti"] = json!(world.app.entropy.make_text());
        assert_eq!(browser.get_with("/v1/me", &proof.sign()).await.status, 200);
    }

    let nonce = browser.fresh_nonce().await;
    let with = |nonce: &str| Proof::new(&world.app, &browser.key, "GET", "/v1/me", nonce).sign();
    world.advance_ms(300_000);
    let last = with(&nonce);
    assert_eq!(browser.get_with("/v1/me", &last).await.status, 200);
    world.app.sweep().await.unwrap();
    assert_eq!(browser.get_with("/v1/me", &last).await.code(), Code::PopProofReplayed);
    world.advance_ms(1);
    assert_eq!(browser.get_with("/v1/me", &with(&nonce)).await.code(), Code::UseDpopNonce);
    // For as long as it is remembered it is known for what it is; then its nonce keeps it out.
    assert_eq!(browser.get_with("/v1/me", &last).await.code(), Code::PopProofReplayed);
    world.advance_ms(310_000);
    world.app.sweep().await.unwrap();
    assert_eq!(browser.get_with("/v1/me", &last).await.code(), Code::UseDpopNonce);
}

#[tokio::test]
async fn proofs_are_forgotten_once_their_nonce_cannot_be_fresh() {
    let world = World::new().await;
    let browser = world.browser().await;
    browser.get("/v1/me").await;
    assert_eq!(world.count("proofs_seen").await, 1);
    world.advance_ms(310_000);
    world.app.sweep().await.unwrap();
    assert_eq!(world.count("proofs_seen").await, 1);
    world.advance_ms(1);
    world.app.sweep().await.unwrap();
    assert_eq!(world.count("proofs_seen").await, 0);
}
