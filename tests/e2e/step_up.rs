//! Actions that a person confirms with a passkey, in a page of somebody else's that is written after
//! `protocol/examples/step_up.mjs`: each is walked to its end, and a server that lies gets no prompt.

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::routing::get;
use holdfast_protocol::base64url::{self, Bytes};
use holdfast_protocol::ids::{CeremonyId, PasskeyId, Thumbprint};
use holdfast_protocol::step_up::{Kind as Action, hash_of};
use holdfast_protocol::tokens::{Claims, Purpose, StepUp, UnverifiedToken, challenge_of};
use holdfast_protocol::wallet::{Usd, WalletView};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::World;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::package::{script, their_console};

mod log;

in_every_browser!(
    a_passkey_is_added_tested_and_takes_the_place_of_another,
    a_passkey_is_removed,
    recovery_codes_are_regenerated,
    money_is_sent,
    a_credential_is_stored_and_deleted,
    a_terminal_is_opened,
    a_server_that_lies_gets_no_prompt,
    the_last_passkey_stays,
);

/// The console of somebody else, with `step_up.mjs` in it.
fn console() -> Router {
    let page = || async { script(include_str!("step_up.mjs").into()) };
    let actions = || async { script(include_str!("../../protocol/examples/step_up.mjs").into()) };
    their_console().route("/theirs/step_up.mjs", get(page)).route("/theirs/actions.mjs", get(actions))
}

/// A browser whose person has signed in, at that page.
pub(crate) async fn visit(kind: Kind) -> Result<(World, Browser)> {
    let world = World::beside(console()).await?;
    let browser = world.browser(kind).await?;
    // The authenticator stays with the browser for as long as that runs.
    let _ = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    arrive(&world, &browser).await?;
    Ok((world, browser))
}

async fn arrive(world: &World, browser: &Browser) -> Result<()> {
    world.sign_up(browser).await?;
    open(world, browser).await
}

/// Opens that page.
pub(crate) async fn open(world: &World, browser: &Browser) -> Result<()> {
    browser.goto(&world.at("/theirs/")).await?;
    // In the page's own world: what a driver runs has globals of its own in Firefox.
    const LOAD: &str = "
        const script = document.createElement('script');
        script.textContent = `window.loading = import('/theirs/step_up.mjs')`;
        document.head.append(script);";
    browser.execute(LOAD, &[]).await?;
    browser.execute_async("window.page = await window.loading; await window.page.open();", &[]).await?;
    Ok(())
}

/// How a walk has ended.
#[derive(Debug, Deserialize)]
pub(crate) struct Ended {
    /// `done`, `alarm`, or the code of a refusal.
    pub(crate) ended: String,
    pub(crate) answer: Value,
    /// The sentences that the person has agreed to.
    read: Vec<String>,
    /// How often the browser was asked for a signature.
    prompts: u32,
}

/// Goes one of the walks of `step_up.mjs`.
pub(crate) async fn walk(browser: &Browser, name: &str, given: &[Value]) -> Result<Ended> {
    let walk = "return await window.page.walk(arguments[0], ...arguments[1]);";
    let ended = browser.execute_async(walk, &[json!(name), json!(given)]).await?;
    serde_json::from_value(ended).context("read how a walk has ended")
}

/// Walks it to its end: refused without a confirmation, asked for, and then carried out with one.
async fn is_confirmed(
    world: &World,
    browser: &Browser,
    action: Action,
    name: &str,
    given: &[Value],
) -> Result<Value> {
    let ended = walk(browser, name, given).await?;
    ensure!(ended.ended == "done" && ended.prompts == 1, "{ended:?}");
    let asked =
        world.wire().exchanges().into_iter().filter(|exchange| exchange.path.starts_with(action.path()));
    let asked: Vec<_> = asked.map(|exchange| (exchange.path, exchange.status.as_u16())).collect();
    let done = if ended.answer.is_null() { 204 } else { 200 };
    let path = action.path().to_owned();
    ensure!(asked == [(path.clone(), 403), (action.preflight(), 200), (path, done)], "{asked:?}");
    let outcomes = world.activity().await?.into_iter().filter(|event| event["action"] == action.as_str());
    let outcomes: Vec<_> =
        outcomes.map(|event| (event["outcome"].clone(), event["sentence"].clone())).collect();
    let sentence = json!(ended.read[0]);
    let expected = ["denied", "asked", "confirmed"].map(|outcome| (json!(outcome), sentence.clone()));
    ensure!(outcomes == expected, "{outcomes:?}");
    Ok(ended.answer)
}

/// Another passkey of the account, which no authenticator here has.
async fn has_another_passkey(world: &World) -> Result<()> {
    let copied = "
        INSERT INTO passkeys (id, account_id, credential_id, public_key, aaguid, sign_count, backup_eligible,
            backup_state, transports, name, browser, system, created_at_ms)
        SELECT 'psk_0000-0000-0000-0000', account_id, public_key, public_key, aaguid, 0, backup_eligible,
            backup_state, 'usb', 'Old “key”', browser, system, created_at_ms + 1
        FROM passkeys";
    world.run_sql(copied).await.map(drop)
}

const OTHER: &str = "psk_0000-0000-0000-0000";

const ENABLED: &str = "SELECT id FROM passkeys WHERE disabled_at_ms IS NULL ORDER BY created_at_ms";

async fn a_passkey_is_added_tested_and_takes_the_place_of_another(kind: Kind) -> Result<()> {
    let world = World::beside(console()).await?;
    let browser = world.browser(kind).await?;
    let laptop = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    arrive(&world, &browser).await?;
    let [old] = &world.column(ENABLED).await?[..] else { anyhow::bail!("there is one passkey") };
    let add = Action::PasskeyRegisterAdditional;
    let options = is_confirmed(&world, &browser, add, "beginPasskey", &[]).await?;
    ensure!(world.wire().exchanges_at("/v1/passkey/register/options").len() == 2);

    // The same device makes no second one, and a token of something else makes none at all.
    let ended = walk(&browser, "finishPasskey", &[]).await?;
    ensure!(ended.ended == "InvalidStateError", "{ended:?}");
    let ended = walk(&browser, "finishPasskey", &[json!("e30.AAAA")]).await?;
    ensure!(ended.ended == "alarm", "{ended:?}");
    ensure!(laptop.credentials().await?.len() == 1, "a passkey was made");

    // Another device of the same person.
    laptop.remove().await?;
    let phone = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let ended = walk(&browser, "finishPasskey", &[]).await?;
    ensure!(ended.ended == "done", "{ended:?}");
    ensure!(phone.credentials().await?.len() == 1);
    ensure!(phone.credentials().await?[0].rp_id == "localhost", "{options}");
    ensure!(world.wire().exchanges_at("/v1/passkey/register/verify").len() == 1);
    let passkeys = world.column(ENABLED).await?;
    ensure!(passkeys.len() == 2 && json!(passkeys[1]) == ended.answer["id"], "{passkeys:?}");

    is_confirmed(&world, &browser, Action::PasskeyTest, "testPasskey", &[ended.answer["id"].clone()]).await?;
    ensure!(world.wire().exchanges_at("/v1/passkey/test").len() == 2);
    is_confirmed(&world, &browser, Action::PasskeyRemove, "removePasskey", &[json!(old)]).await?;
    ensure!(world.column(ENABLED).await? == passkeys[1..]);
    let ended = walk(&browser, "endSessions", &[json!(old)]).await?;
    ensure!(ended.ended == "done", "{ended:?}");
    ensure!(world.wire().exchanges_at("/v1/sessions/end-by-passkey").len() == 1);
    ensure!(world.session_keys().await?.len() == 1, "whoever asks stays");
    let mails = world.column("SELECT kind FROM outbox ORDER BY created_at_ms, id").await?;
    ensure!(mails == ["passkey_added", "passkey_added", "passkey_removed"], "{mails:?}");
    world.assert_no_violations(&browser).await
}

async fn a_passkey_is_removed(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    has_another_passkey(&world).await?;
    let given = [json!(OTHER)];
    let answer = is_confirmed(&world, &browser, Action::PasskeyRemove, "removePasskey", &given).await?;
    ensure!(answer.is_null());
    ensure!(world.column(ENABLED).await?.len() == 1);
    ensure!(world.count("passkey_removed").await? == 1);
    ensure!(world.wire().exchanges_at("/v1/passkey/delete").len() == 2);
    ensure!(world.wire().exchanges_at("/v1/passkey/delete/stepup").len() == 1);
    world.assert_no_violations(&browser).await
}

async fn recovery_codes_are_regenerated(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    const HASHES: &str = "SELECT hex(verifier_hash) FROM recovery_codes ORDER BY verifier_hash";
    let before = world.column(HASHES).await?;
    let regenerate = Action::RecoveryCodesRegenerate;
    let answer = is_confirmed(&world, &browser, regenerate, "regenerateRecoveryCodes", &[]).await?;
    ensure!(answer["left"] == json!(10), "{answer}");
    let after = world.column(HASHES).await?;
    let log = walk(&browser, "readLog", &[json!("/v1/security/stepup-log?filter=account")]).await?;
    let outcomes = [0, 1, 2].map(|at| log.answer["events"][at]["what"]["outcome"].clone());
    ensure!(outcomes == ["confirmed", "asked", "denied"].map(|outcome| json!(outcome)), "{log:?}");
    ensure!(after.len() == 10 && after.iter().all(|hash| !before.contains(hash)), "the old codes live");
    ensure!(world.wire().exchanges_at("/v1/recovery-codes/regenerate").len() == 2);
    ensure!(world.wire().exchanges_at("/v1/recovery-codes/regenerate/stepup").len() == 1);
    world.assert_no_violations(&browser).await
}

async fn money_is_sent(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    world.has_somebody_to_send_to().await?;
    let wallet = async || {
        let answer = walk(&browser, "wallet", &[]).await?.answer;
        serde_json::from_value::<WalletView>(answer).context("read a wallet")
    };
    world.issue(&wallet().await?.id, Usd::parse("20.00")?).await?;
    let given =
        |amount| [json!("wal_1111-1111-1111-1111"), json!("Mara “M”"), json!(amount), json!("for “lunch”")];
    let answer = is_confirmed(&world, &browser, Action::WalletSend, "sendMoney", &given("12.50")).await?;
    ensure!(answer["balance"] == json!("7.50"), "{answer}");
    let WalletView { balance, transfers, .. } = wallet().await?;
    ensure!(balance == Usd::parse("7.50")? && transfers.len() == 2, "{transfers:?}");
    ensure!(transfers[0].note.as_deref() == Some("for “lunch”"), "{transfers:?}");
    ensure!(transfers[0].other.as_ref().is_some_and(|other| other.name == "Mara “M”"), "{transfers:?}");
    ensure!(!world.wire().exchanges_at("/v1/wallet").is_empty());

    // More than is left is refused before any prompt.
    let ended = walk(&browser, "sendMoney", &given("7.51")).await?;
    ensure!((ended.ended.as_str(), ended.prompts) == ("insufficient_funds", 0), "{ended:?}");
    ensure!(world.wire().exchanges_at("/v1/wallet/send").len() == 3);
    ensure!(world.wire().exchanges_at("/v1/wallet/send/stepup").len() == 2);
    world.assert_no_violations(&browser).await
}

async fn a_credential_is_stored_and_deleted(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let place = [json!("API_KEY"), json!("default")];
    let given = [&place[..], &[json!("Ключ, hunter2")]].concat();
    is_confirmed(&world, &browser, Action::CredentialSet, "storeCredential", &given).await?;
    // A byte for each byte, and a tag of 16.
    let stored = world.column("SELECT name || channel || length(sealed) FROM credentials").await?;
    ensure!(stored == ["API_KEYdefault33"], "{stored:?}");
    let list = walk(&browser, "listCredentials", &[]).await?;
    ensure!(list.answer["credentials"][0]["name"] == "API_KEY", "{list:?}");
    ensure!(!list.answer.to_string().contains("hunter2"), "{list:?}");

    let ended = walk(&browser, "deleteCredential", &place).await?;
    ensure!((ended.ended.as_str(), ended.prompts) == ("done", 1), "{ended:?}");
    ensure!(ended.read[0].contains("“API_KEY” of every channel"), "{ended:?}");
    ensure!(world.column("SELECT name FROM credentials").await?.is_empty());
    for path in ["/v1/credentials/set", "/v1/credentials/remove"] {
        ensure!(world.wire().exchanges_at(path).len() == 2, "{path}");
    }
    world.assert_no_violations(&browser).await
}

async fn a_terminal_is_opened(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let ended = walk(&browser, "openTerminal", &[]).await?;
    ensure!((ended.ended.as_str(), ended.prompts) == ("done", 1), "{ended:?}");
    ensure!(ended.read[0].starts_with("Open a terminal on this console's machine"), "{ended:?}");
    ensure!(world.wire().exchanges_at("/v1/terminal/open").len() == 2);
    world.assert_no_violations(&browser).await
}

/// A refusal of the preflight reaches the page before any prompt.
async fn the_last_passkey_stays(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    let [only] = &world.column(ENABLED).await?[..] else { anyhow::bail!("there is one passkey") };
    let ended = walk(&browser, "removePasskey", &[json!(only)]).await?;
    ensure!((ended.ended.as_str(), ended.prompts) == ("last_passkey", 0), "{ended:?}");
    ensure!(world.column(ENABLED).await?.len() == 1);
    world.assert_no_violations(&browser).await
}

/// What it is about, and what a lying server makes of the options of a preflight.
pub(crate) type Lie = (&'static str, fn(&mut Value));

pub(crate) const LIES: [Lie; 13] = [
    ("challenge", |options| options["public_key"]["challenge"] = json!(base64url::encode(&[7; 32]))),
    ("way", |options| options["public_key"]["userVerification"] = json!("discouraged")),
    ("relying party", |options| options["public_key"]["rpId"] = json!("example.org")),
    ("ceremony", |options| options["ceremony"] = json!(CeremonyId::make([7; 16]))),
    ("ceremony", |options| sign_anew(options, |claims, _| claims.ceremony = CeremonyId::make([7; 16]))),
    ("ceremony", |options| sign_anew(options, |claims, _| claims.nonce = Bytes(vec![7; 31]))),
    ("origin", |options| sign_anew(options, |claims, _| claims.origin = "http://localhost".to_owned())),
    ("key", |options| sign_anew(options, |_, step_up| step_up.jkt = Thumbprint::from_hash(&[7; 32]))),
    ("action", |options| sign_anew(options, |_, step_up| step_up.action = Action::RecoveryCodesRegenerate)),
    ("target", |options| {
        sign_anew(options, |_, step_up| step_up.target = PasskeyId::make([7; 16]).as_str().to_owned())
    }),
    ("parameters", |options| sign_anew(options, |_, step_up| step_up.parameters = hash_of("{}"))),
    ("sentence", |options| sign_anew(options, |_, step_up| step_up.sentence = "Rename it.".to_owned())),
    ("sentence", |options| sign_anew(options, |_, step_up| step_up.sentence.push(' '))),
];

/// Another token in its place, with the challenge that belongs to it. No browser can check its HMAC.
pub(crate) fn sign_anew(options: &mut Value, change: impl FnOnce(&mut Claims, &mut StepUp)) {
    let token = options["token"].as_str().unwrap_or_default();
    let Ok(read) = UnverifiedToken::read(token) else { return };
    let mut claims = read.into_claims_after_mac();
    let Purpose::StepUp(mut step_up) = claims.purpose.clone() else { return };
    change(&mut claims, &mut step_up);
    claims.purpose = Purpose::StepUp(step_up);
    let Ok(payload) = claims.encode() else { return };
    let token = format!("{payload}.{}", base64url::encode(&[7; 32]));
    options["public_key"]["challenge"] = json!(base64url::encode(&challenge_of(&token)));
    options["token"] = json!(token);
}

async fn a_server_that_lies_gets_no_prompt(kind: Kind) -> Result<()> {
    let (world, browser) = visit(kind).await?;
    has_another_passkey(&world).await?;
    let given = [json!(OTHER)];
    for (about, lie) in LIES {
        world.wire().lie("/v1/passkey/delete/stepup", lie);
        let ended = walk(&browser, "removePasskey", &given).await?;
        let said = ended.answer.as_str().unwrap_or_default();
        ensure!(ended.ended == "alarm" && said.contains(&format!("another {about} ")), "{about}: {ended:?}");
        ensure!((ended.prompts, ended.read.len()) == (0, 0), "{about}: {ended:?}");
    }
    // A token for another passkey, whole and consistent in itself.
    world.wire().lie("/v1/passkey/delete/stepup", |options| {
        sign_anew(options, |_, step_up| {
            step_up.target = PasskeyId::make([7; 16]).as_str().to_owned();
            step_up.parameters = hash_of("{}");
            step_up.sentence = "Remove another passkey.".to_owned();
        });
    });
    let ended = walk(&browser, "removePasskey", &given).await?;
    ensure!((ended.ended.as_str(), ended.prompts) == ("alarm", 0), "{ended:?}");
    let asked = world.wire().exchanges_at("/v1/passkey/delete");
    ensure!(asked.iter().all(|exchange| exchange.status == 403), "something was carried out: {asked:?}");

    // The same page, once the server tells the truth.
    world.wire().mend();
    let ended = walk(&browser, "removePasskey", &given).await?;
    ensure!((ended.ended.as_str(), ended.prompts) == ("done", 1), "{ended:?}");
    world.assert_no_violations(&browser).await
}
