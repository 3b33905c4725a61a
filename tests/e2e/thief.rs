//! The thief: what is copied from a browser opens nothing elsewhere, and the owner sees who tried what.

mod connections;

use anyhow::{Context, Result, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde_json::{Value, json};

use crate::asking::{Answer, Asked, ask, ask_proven, get, post};

in_every_browser!(
    a_copied_cookie_opens_nothing,
    a_cookie_with_another_key_opens_nothing,
    a_recorded_proof_opens_nothing_again,
    a_script_in_the_page_does_not_replace_the_key,
);

/// Every address that wants a session, as protocol/http.md lists them, with a body that it would take.
fn signed_in() -> Vec<(&'static str, Value)> {
    let nonce = "A".repeat(43);
    let verifiers: Vec<String> =
        "ABCDEFGHIJ".chars().map(|letter| format!("{letter}{}", "A".repeat(42))).collect();
    vec![
        ("GET /v1/me", Value::Null),
        ("GET /v1/passkey", Value::Null),
        ("POST /v1/passkey/rename", json!({ "id": "psk_0000-0000-0000-0000", "name": "Stolen" })),
        ("POST /v1/recovery-codes", json!({ "verifiers": verifiers })),
        ("GET /v1/activity", Value::Null),
        ("GET /v1/connections", Value::Null),
        ("POST /v1/connections/tickets", json!({ "stream": "/v1/streams/activity", "client_nonce": nonce })),
        ("POST /v1/connections/end", json!({ "id": "con_0000-0000-0000-0000" })),
        ("POST /v1/logout", json!({ "scope": "everywhere" })),
        ("POST /v1/sessions/end-by-passkey", json!({ "passkey": "psk_0000-0000-0000-0000" })),
        ("GET /v1/security/stepup-log", Value::Null),
        ("GET /v1/wallet", Value::Null),
        ("GET /v1/credentials", Value::Null),
        ("GET /v1/agents", Value::Null),
        ("GET /v1/agents/pairings/7k4m-x2f9", Value::Null),
        ("POST /v1/agents/cap", json!({ "agent": "agt_0000-0000-0000-0000", "budget": "1.00" })),
    ]
}

#[test]
fn no_address_that_wants_a_session_is_left_out() {
    let table = include_str!("../../protocol/http.md").lines();
    let mut listed: Vec<String> = table
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | SignedIn |"))
        .map(|(address, _)| address.split('?').next().unwrap_or_default().replace("{code}", "7k4m-x2f9"))
        .collect();
    let mut tried: Vec<String> = signed_in().into_iter().map(|(what, _)| what.to_owned()).collect();
    listed.sort();
    tried.sort();
    assert_eq!(listed, tried);
}

/// A world with its owner, and a thief in another profile who has every cookie of the owner.
async fn burglary(kind: Kind) -> Result<(World, Browser, Browser)> {
    let world = World::new().await?;
    let owner = world.browser(kind).await?;
    // The authenticator stays with the browser for as long as that runs.
    let _ = owner.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&owner).await?;
    let thief = world.browser(kind).await?;
    thief.goto(world.origin()).await?;
    thief.by_role(Role::Heading, "Welcome back.").appears().await?;
    for cookie in owner.cookies().await? {
        thief.set_cookie(&cookie).await?;
    }
    let stolen = thief.cookie("__Host-holdfast").await?.context("the session's cookie is copied")?;
    ensure!(Some(stolen.value) == owner.cookie("__Host-holdfast").await?.map(|cookie| cookie.value));
    Ok((world, owner, thief))
}

/// What was there before the thief came is there still.
async fn is_unharmed(world: &World, owner: &Browser, keys: &[String]) -> Result<()> {
    ensure!(world.session_keys().await? == keys, "another key opens the session");
    ensure!(world.count("passkey_renamed").await? == 0);
    ensure!(world.count("recovery_codes_created").await? == 1);
    owner.reload().await?;
    world.security_page_is_live(owner).await?;
    world.assert_no_violations(owner).await
}

async fn owner_reads(owner: &Browser, sentence: &str) -> Result<()> {
    let activity = owner.by_role(Role::Region, "Activity");
    activity.by_role(Role::ListItem, Name::Any).saying(sentence).appears().await
}

fn is_refused(answer: &Answer, code: &str) -> Result<()> {
    ensure!((answer.status, answer.code()) == (401, code), "{answer:?} instead of {code}");
    Ok(())
}

async fn a_copied_cookie_opens_nothing(kind: Kind) -> Result<()> {
    let (world, owner, thief) = burglary(kind).await?;
    let keys = world.session_keys().await?;
    for (what, body) in signed_in() {
        let answer = ask(&thief, Asked { what, headers: json!({}), body }).await?;
        is_refused(&answer, "pop_proof_missing").context(what)?;
    }
    let guessed = format!("/v1/streams/activity?ticket={}", "A".repeat(43));
    let what = format!("GET {guessed}");
    let events = json!({ "Accept": "text/event-stream" });
    let answer = ask(&thief, Asked { what: &what, headers: events, body: Value::Null }).await?;
    is_refused(&answer, "ticket_invalid")?;

    // The console itself, with the copied cookie: it says what is missing.
    thief.reload().await?;
    thief.by_role(Role::Heading, "Welcome back.").appears().await?;
    thief.page_says("This browser no longer has the key of its session.").await?;

    owner_reads(&owner, "Your session's cookie came without its key. It opened nothing.").await?;
    ensure!(world.count("cookie_without_key").await? > 0);
    ensure!(world.count("theft_suspected").await? == 0, "a wiped browser looks the same");
    is_unharmed(&world, &owner, &keys).await
}

async fn a_cookie_with_another_key_opens_nothing(kind: Kind) -> Result<()> {
    let (world, owner, thief) = burglary(kind).await?;
    let keys = world.session_keys().await?;
    let answers = ask_proven(&thief, "fresh", &signed_in()).await?;
    ensure!(answers.len() == signed_in().len());
    for (answer, (what, _)) in answers.iter().zip(signed_in()) {
        is_refused(answer, "pop_foreign_key").context(what)?;
    }
    owner_reads(&owner, "Your session's cookie was used with somebody else's key. It opened nothing.")
        .await?;
    owner.by_role(Role::Alert, Name::Any).says("Somebody may hold a copy of your cookie.").await?;
    ensure!(world.activity().await?.iter().any(|event| event["sign"] == "foreign_key"));
    is_unharmed(&world, &owner, &keys).await
}

async fn a_recorded_proof_opens_nothing_again(kind: Kind) -> Result<()> {
    let (world, owner, thief) = burglary(kind).await?;
    let keys = world.session_keys().await?;
    owner.reload().await?;
    world.security_page_is_live(&owner).await?;
    // The owner's page has been everywhere but there.
    let elsewhere = ["rename", "end", "stepup-log", "wallet", "credentials", "agents"];
    let is_further = |what: &str| elsewhere.iter().any(|part| what.contains(part));
    let further: Vec<_> = signed_in().into_iter().filter(|(what, _)| is_further(what)).collect();
    for answer in ask_proven(&owner, "stored", &further).await? {
        ensure!(matches!(answer.status, 200 | 404), "{answer:?}");
    }
    for (what, body) in signed_in() {
        let (method, path) = what.split_once(' ').context("a method and a path")?;
        let recorded = world.wire().exchanges().into_iter().rev().find(|exchange| {
            exchange.path == path
                && exchange.method == *method
                && matches!(exchange.status.as_u16(), 200 | 404)
        });
        // Nobody has signed out yet: the best that a thief can try there is another address's proof.
        ensure!(recorded.is_some() == (path != "/v1/logout"), "{what} was recorded");
        let elsewhere = world.wire().exchanges_at("/v1/me").pop();
        let exchange = recorded.or(elsewhere).context("a proof was recorded")?;
        let proof = exchange.header("dpop").context("a proof was recorded")?;
        let answer = ask(&thief, Asked { what, headers: json!({ "DPoP": proof }), body }).await?;
        is_refused(&answer, "pop_proof_replayed").context(what)?;
    }
    owner_reads(&owner, "A proof of your session was used a second time. It opened nothing.").await?;
    owner.by_role(Role::Alert, Name::Any).says("Somebody may hold a copy of your cookie.").await?;
    let events = world.activity().await?;
    ensure!(events.iter().any(|event| event["sign"] == "replayed_proof"));
    ensure!(!events.iter().any(|event| event["sign"] == "foreign_key"));
    is_unharmed(&world, &owner, &keys).await
}

async fn a_script_in_the_page_does_not_replace_the_key(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let owner = world.browser(kind).await?;
    let _authenticator = owner.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&owner).await?;
    let keys = world.session_keys().await?;

    // It may begin a ceremony for a key of its own, and cannot end it without the passkey.
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let begun = post(&owner, "/v1/login/options", json!({ "jkt": jkt })).await?;
    ensure!(begun.status == 200, "{begun:?}");
    let forged = json!({
        "ceremony": begun.body["ceremony"],
        "token": begun.body["token"],
        "credential": {
            "id": "AAAA", "client_data_json": "e30", "authenticator_data": "AAAA", "signature": "AAAA",
            "user_handle": "AAAA",
        },
    });
    let verified = ask_proven(&owner, "fresh", &[("POST /v1/login/verify", forged.clone())]).await?;
    ensure!(verified.iter().all(|answer| (400..500).contains(&answer.status)), "{verified:?}");
    let verified = ask_proven(&owner, "stored", &[("POST /v1/login/verify", forged)]).await?;
    ensure!(verified.iter().all(|answer| (400..500).contains(&answer.status)), "{verified:?}");
    let ticket = signed_in().into_iter().filter(|(what, _)| what.ends_with("tickets"));
    let minted = ask_proven(&owner, "fresh", &ticket.collect::<Vec<_>>()).await?;
    is_refused(minted.first().context("one answer")?, "pop_foreign_key")?;
    ensure!(world.session_keys().await? == keys);
    ensure!(get(&owner, "/v1/me").await?.code() == "pop_proof_missing");

    // In the key store it can put another key in the place of the right one, and opens nothing with it.
    let planted = ask_proven(&owner, "planted", &[("GET /v1/me", Value::Null)]).await?;
    is_refused(planted.first().context("one answer")?, "pop_foreign_key")?;
    owner.reload().await?;
    owner.by_role(Role::Heading, "Welcome back.").appears().await?;
    owner.page_says("This session belongs to another browser.").await?;
    ensure!(world.session_keys().await? == keys, "the session keeps the key that the passkey vouched for");
    world.sign_in(&owner).await?;
    let now = world.session_keys().await?;
    ensure!(now.len() == 1 && now != keys, "a new session with a new key: {now:?}");
    world.assert_no_violations(&owner).await
}
