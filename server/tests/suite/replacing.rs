//! Nothing but a ceremony gives a session another key: neither a cookie nor a script in the page can
//! (P1).

use crate::support::{Access, ORIGIN, Proof, Raw, Sample, World, endpoints, login_body, public, sample};
use axum::http::StatusCode;
use holdfast_protocol::problem::Code;
use serde_json::{Value, json};

async fn keys(world: &World) -> String {
    let all = crate::support::stored_facts(world).await;
    let sessions = all.split("sessions\n").nth(1).unwrap();
    sessions.lines().take_while(|line| line.starts_with("  ")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_address_takes_another_key_for_a_living_session() {
    let world = World::new().await;
    let browser = world.browser().await;
    let script = browser.foreign_key();
    let before = keys(&world).await;
    for endpoint in endpoints() {
        let path = endpoint.path.replace("{id}", "con_0000-0000-0000-0000");
        let mut request = Raw::new(&endpoint.method, &path);
        request.add("origin", ORIGIN);
        request.add("cookie", &browser.cookies);
        request.add("x-csrf-token", &browser.csrf);
        let nonce = browser.fresh_nonce().await;
        request.add("dpop", Proof::new(&world.app, &script, &endpoint.method, &path, &nonce).sign());
        match sample(&world, &endpoint) {
            Sample::NoBody { query } => request.path.push_str(query),
            Sample::Json { mut body, .. } => {
                if let Some(jkt) = body.get_mut("jkt") {
                    *jkt = json!(public(&script).thumbprint());
                }
                request.add("content-type", "application/json");
                request.body = body.to_string().into_bytes();
            }
            Sample::Report(body) => {
                request.add("content-type", "application/json");
                request.body = body.to_string().into_bytes();
            }
            Sample::Text(text) => {
                request.add("content-type", "text/plain");
                request.body = text.as_bytes().to_vec();
            }
        }
        let answer = request.send(world.address).await;
        if endpoint.access == Access::SignedIn {
            assert_eq!(answer.code(), Code::PopForeignKey, "{}", endpoint.name());
        }
        assert!(!sets_a_session(&answer.headers), "{}", endpoint.name());
    }
    assert_eq!(keys(&world).await, before);
    assert_eq!(browser.get("/v1/me").await.status, StatusCode::OK);
    let nonce = browser.fresh_nonce().await;
    let proof = Proof::new(&world.app, &script, "GET", "/v1/me", &nonce).sign();
    assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
}

fn sets_a_session(headers: &axum::http::HeaderMap) -> bool {
    let cookies = headers.get_all("set-cookie").iter();
    cookies.filter_map(|cookie| cookie.to_str().ok()).any(|cookie| cookie.starts_with("__Host-holdfast="))
}

#[tokio::test]
async fn a_ceremony_vouches_for_the_key_that_its_token_names_and_no_other() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let mut guest = world.guest();
    let options = guest.begin_login().await;
    let body = login_body(&options, &passkey.assert(&options, |_| {}));
    // A script that has got hold of the passkey's answer swaps in its own key: in the proof, in the
    // token, in a field that does not exist.
    let right = guest.key.clone();
    guest.key = browser.foreign_key();
    let proof = guest.proof("/v1/login/verify").await.sign();
    let answer = guest.post_with("/v1/login/verify", &body, Some(&proof)).await;
    assert_eq!(answer.code(), Code::PopProofInvalid);

    let own = guest.begin_login().await;
    let mut swapped = body.clone();
    swapped["token"] = json!(own.token);
    swapped["ceremony"] = json!(own.ceremony);
    let proof = guest.proof("/v1/login/verify").await.sign();
    let answer = guest.post_with("/v1/login/verify", &swapped, Some(&proof)).await;
    assert_eq!(answer.code(), Code::CeremonyMismatch);

    let mut extended: Value = body.clone();
    extended["jkt"] = json!(public(&guest.key).thumbprint());
    let proof = guest.proof("/v1/login/verify").await.sign();
    let answer = guest.post_with("/v1/login/verify", &extended, Some(&proof)).await;
    assert_eq!(answer.code(), Code::InvalidRequest);

    guest.key = right;
    let proof = guest.proof("/v1/login/verify").await.sign();
    let answer = guest.post_with("/v1/login/verify", &body, Some(&proof)).await;
    assert_eq!(guest.signed_in(&answer).get("/v1/me").await.status, StatusCode::OK);
}
