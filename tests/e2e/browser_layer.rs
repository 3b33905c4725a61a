//! The browser layer proves itself: the same small site in every browser, before anything of Holdfast
//! is tested with it.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::get;
use holdfast_tests::browser::{AuthenticatorOptions, Browser, ColorScheme, Key, Kind, Name, Role, Transport};
use holdfast_tests::{in_every_browser, wait};
use serde_json::json;
use tokio::net::TcpListener;

in_every_browser!(
    every_role_is_found_by_its_name,
    what_cannot_be_perceived_is_not_found,
    a_form_is_filled_in_and_answers,
    parts_are_found_inside_parts,
    a_part_that_redraws_itself_is_clicked_once_it_holds_still,
    a_failure_tells_what_was_looked_for_and_what_was_there,
    the_keyboard_alone_is_enough,
    tabs_and_history,
    pictures_have_the_size_asked_for,
    a_passkey_is_made_used_and_carried_to_another_browser,
    a_person_who_is_not_verified_is_refused,
    cookies_that_no_script_reads_are_copied_to_another_profile,
    a_breach_of_the_policy_is_seen,
);

async fn every_role_is_found_by_its_name(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    for (role, name) in [
        (Role::Link, "Second page"),
        (Role::Heading, "Passkeys"),
        (Role::HeadingLevel(2), "Yours"),
        (Role::List, "Your passkeys"),
        (Role::Region, "Live connections"),
        (Role::Form, "Sign up"),
        (Role::Textbox, "Email"),
        (Role::Textbox, "Name"),
        (Role::Checkbox, "I have kept the codes"),
        (Role::Combobox, "Tier"),
        (Role::Group, "Scope"),
        (Role::Radio, "Workspace"),
        (Role::Button, "Create account"),
        (Role::Button, "Skip to content"),
        (Role::Button, "Not yet"),
        (Role::Image, "Heartbeat"),
        (Role::ProgressBar, "Progress"),
        (Role::ColumnHeader, "When"),
        (Role::Cell, "Today"),
        (Role::Log, "Activity"),
        (Role::Navigation, "Pages"),
    ] {
        browser.by_role(role, name).appears().await?;
    }
    for (role, count) in [
        (Role::ListItem, 2),
        (Role::Row, 2),
        (Role::Main, 1),
        (Role::Banner, 1),
        (Role::ContentInfo, 1),
        (Role::HeadingLevel(1), 1),
        (Role::HeadingLevel(2), 2),
        (Role::HeadingLevel(3), 0),
        (Role::Table, 1),
        (Role::Dialog, 0),
    ] {
        let found = browser.by_role(role, Name::Any).count().await?;
        ensure!(found == count, "{found} of {role:?}\n{}", browser.description().await);
    }
    browser.page_says("Two are better than one, and three are not too many.").await
}

async fn what_cannot_be_perceived_is_not_found(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    ensure!(browser.by_role(Role::Button, "Hidden").count().await? == 0);
    ensure!(browser.by_role(Role::Textbox, "Email").count().await? == 1);
    ensure!(browser.by_role(Role::Button, "Email").count().await? == 0, "the name alone is not enough");
    ensure!(browser.by_role(Role::Textbox, "Emai").count().await? == 0, "nor a part of it");
    Ok(())
}

async fn a_form_is_filled_in_and_answers(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let email = browser.by_role(Role::Textbox, "Email");
    email.type_text("wrong").await?;
    email.clear().await?;
    email.type_text("ada@example.org").await?;
    ensure!(email.value().await? == "ada@example.org");
    browser.by_role(Role::Textbox, "Name").type_text("Ada").await?;
    ensure!(!browser.by_role(Role::Button, "Not yet").is_enabled().await?);
    let create = browser.by_role(Role::Button, "Create account");
    ensure!(create.attribute("aria-describedby").await?.as_deref() == Some("why"));
    create.click().await?;
    browser.page_says("Welcome, Ada (ada@example.org)").await?;
    ensure!(browser.by_role(Role::Status, Name::Any).text().await? == "Welcome, Ada (ada@example.org)");
    Ok(())
}

async fn parts_are_found_inside_parts(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let list = browser.by_role(Role::List, "Your passkeys");
    ensure!(list.by_role(Role::Button, "Rename").count().await? == 2);
    let phone = list.by_role(Role::ListItem, Name::Any).saying("Phone");
    phone.by_role(Role::Button, "Rename").click().await?;
    let dialog = browser.by_role(Role::Dialog, "Rename passkey");
    dialog.by_role(Role::Textbox, "New name").type_text("Work phone").await?;
    dialog.by_role(Role::Button, "Save").click().await?;
    dialog.disappears().await?;
    browser.by_role(Role::Status, Name::Any).says("Renamed to Work phone").await?;
    ensure!(list.by_role(Role::ListItem, Name::Any).texts().await? == ["Laptop Rename", "Phone Rename"]);
    Ok(())
}

async fn a_part_that_redraws_itself_is_clicked_once_it_holds_still(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    browser.execute("redraw(arguments[0])", &[json!(100)]).await?;
    browser.by_role(Role::Button, "Moving target").click().await?;
    browser.page_says("Hit").await
}

async fn a_failure_tells_what_was_looked_for_and_what_was_there(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let list = browser.by_role(Role::List, "Your passkeys");
    let refused = list.by_role(Role::Button, "Rename").click().await;
    let error = refused.err().context("two buttons of one name are not one")?.to_string();
    for part in ["Button “Rename” in List “Your passkeys”", "2 match", "http://localhost:", "h1 “Passkeys”"]
    {
        ensure!(error.contains(part), "{part:?} is missing in {error}");
    }
    Ok(())
}

async fn the_keyboard_alone_is_enough(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    browser.by_role(Role::Textbox, "Email").click().await?;
    browser.type_keys("ada@example.org").await?;
    browser.press(Key::Tab).await?;
    ensure!(browser.focused().await? == ("textbox".to_owned(), "Name".to_owned()));
    browser.press_holding(&[Key::Shift], Key::Tab).await?;
    ensure!(browser.focused().await? == ("textbox".to_owned(), "Email".to_owned()));
    browser.press(Key::Enter).await?;
    browser.page_says("Welcome, (ada@example.org)").await
}

async fn tabs_and_history(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    browser.by_role(Role::Link, "Second page").click().await?;
    browser.arrives_at("/second").await?;
    browser.page_says("The second").await?;
    browser.back().await?;
    browser.by_role(Role::Heading, "Passkeys").appears().await?;
    browser.forward().await?;
    browser.page_says("The second").await?;
    browser.reload().await?;
    browser.page_says("The second").await?;

    let url = browser.url().await?;
    let first = browser.tab().await?;
    let second = browser.new_tab().await?;
    ensure!(browser.tabs().await?.len() == 2 && first != second);
    browser.goto(&url).await?;
    browser.page_says("The second").await?;
    browser.close_tab(&first).await?;
    ensure!(browser.tabs().await? == [first]);
    ensure!(browser.title().await? == "Second");
    Ok(())
}

async fn pictures_have_the_size_asked_for(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    for (width, height) in [(1280, 800), (600, 700)] {
        browser.set_window_size(width, height).await?;
        let path = browser.downloads().join("picture.png");
        browser.screenshot(&path).await?;
        // Width and height stand after signature, length and type of the first chunk (PNG, 5.3).
        let size: Vec<u8> = [width, height].iter().flat_map(|side| side.to_be_bytes()).collect();
        let picture = std::fs::read(&path)?;
        ensure!(picture.get(16..24) == Some(&size), "another size than {width} by {height}");
    }
    Ok(())
}

async fn a_passkey_is_made_used_and_carried_to_another_browser(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let created = browser.execute_async(CREATE, &[]).await?;
    ensure!(browser.execute_async(GET, &[]).await? == created);

    let credentials = authenticator.credentials().await?;
    let [credential] = credentials.as_slice() else { anyhow::bail!("one passkey: {credentials:?}") };
    ensure!(credential.is_resident_credential && credential.rp_id == "localhost");
    ensure!(created == json!(credential.credential_id));

    let other = browser.another_profile().await?;
    other.goto(&browser.url().await?).await?;
    let usb = AuthenticatorOptions { transport: Transport::Usb, ..Default::default() };
    let key = other.add_authenticator(usb).await?;
    key.add_credential(credential).await?;
    ensure!(other.execute_async(GET, &[]).await? == created);
    key.remove_all_credentials().await?;
    ensure!(key.credentials().await?.is_empty());

    authenticator.remove_credential(&credential.credential_id).await?;
    ensure!(authenticator.credentials().await?.is_empty());
    authenticator.remove().await
}

async fn a_person_who_is_not_verified_is_refused(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let created = browser.execute_async(CREATE, &[]).await?;
    authenticator.refuse_person().await?;
    let refused = browser.execute_async(GET, &[]).await;
    ensure!(
        refused.err().context("an unverified person was let in")?.to_string().contains("NotAllowedError")
    );
    authenticator.verify_person().await?;
    ensure!(browser.execute_async(GET, &[]).await? == created);
    Ok(())
}

async fn cookies_that_no_script_reads_are_copied_to_another_profile(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let cookie = browser.cookie("__Host-session").await?.context("the site sets a cookie")?;
    ensure!(cookie.http_only && cookie.secure && cookie.value.starts_with("visit-"));
    ensure!(browser.execute("return document.cookie", &[]).await? == json!(""));

    let other = browser.another_profile().await?;
    let url = browser.url().await?;
    other.goto(&url).await?;
    let own = other.cookie("__Host-session").await?.context("and another to everyone")?;
    ensure!(own.value != cookie.value);
    other.set_cookie(&cookie).await?;
    let sent = other.execute_async("return (await fetch('/cookie')).text()", &[]).await?;
    ensure!(sent == json!(format!("__Host-session={}", cookie.value)), "{sent}");
    other.delete_cookie("__Host-session").await?;
    ensure!(other.cookie("__Host-session").await?.is_none());
    Ok(())
}

async fn a_breach_of_the_policy_is_seen(kind: Kind) -> Result<()> {
    let browser = visit(kind).await?;
    let complaints = browser.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    for page in ["inline", "sink"] {
        browser.goto(&format!("{}{page}", browser.url().await?.trim_end_matches("inline"))).await?;
        let seen = wait::until(async || {
            let violations = browser.violations().await?;
            Ok((!violations.is_empty()).then_some(violations))
        });
        seen.await?.with_context(|| format!("nothing seen on {page}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_tab_in_the_background_is_frozen_and_resumed() -> Result<()> {
    let browser = visit(Kind::Chromium).await?;
    let frozen = browser.tab().await?;
    let front = browser.new_tab().await?;
    browser.freeze(&frozen).await?;
    browser.resume(&frozen).await?;
    browser.switch(&frozen).await?;
    ensure!(browser.execute("return wasFrozen", &[]).await? == json!(true));
    let ticks = browser.execute("return ticks", &[]).await?;
    let moves =
        wait::until(async || Ok((browser.execute("return ticks", &[]).await? != ticks).then_some(())));
    ensure!(moves.await?.is_some(), "a resumed page runs");
    ensure!(browser.tab().await? != front);
    Ok(())
}

#[tokio::test]
async fn light_dark_and_offline() -> Result<()> {
    let browser = visit(Kind::Chromium).await?;
    for (scheme, dark) in [(ColorScheme::Dark, true), (ColorScheme::Light, false)] {
        browser.prefer(scheme).await?;
        let matches = "return matchMedia('(prefers-color-scheme: dark)').matches";
        ensure!(browser.execute(matches, &[]).await? == json!(dark));
    }
    browser.go_offline().await?;
    ensure!(browser.execute_async("return (await fetch('/cookie')).status", &[]).await.is_err());
    browser.go_online().await?;
    ensure!(browser.execute_async("return (await fetch('/cookie')).status", &[]).await? == json!(200));
    Ok(())
}

/// A browser that looks at the small site, served for as long as the test runs.
async fn visit(kind: Kind) -> Result<Browser> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, site()).await });
    let browser = Browser::start(kind).await?;
    browser.goto(&format!("http://localhost:{port}/")).await?;
    Ok(browser)
}

fn site() -> Router {
    let page = async || {
        static VISITS: AtomicU64 = AtomicU64::new(0);
        let visit = VISITS.fetch_add(1, Ordering::Relaxed);
        let cookie = format!("__Host-session=visit-{visit}; Path=/; Secure; HttpOnly; SameSite=Strict");
        ([("set-cookie", cookie)], Html(include_str!("browser_layer.html")))
    };
    let script = ([("content-type", "text/javascript")], include_str!("browser_layer.js"));
    let policy = "default-src 'none'; script-src 'nonce-right'; require-trusted-types-for 'script'";
    let under_policy =
        |body: &'static str| get(move || async move { ([("content-security-policy", policy)], Html(body)) });
    let echo = |headers: HeaderMap| async move {
        headers.get("cookie").map(|cookie| cookie.as_bytes().to_vec()).unwrap_or_default()
    };
    Router::new()
        .route("/", get(page))
        .route("/script.js", get(move || async move { script }))
        .route("/second", get(|| async { Html("<!doctype html><title>Second</title><h1>The second</h1>") }))
        .route("/cookie", get(echo))
        .route("/favicon.ico", get(|| async {}))
        .route("/inline", under_policy("<!doctype html><script>var breach = 1</script>"))
        .route(
            "/sink",
            under_policy("<!doctype html><body><script nonce=right>document.body.innerHTML = '<p>'</script>"),
        )
}

/// Makes a discoverable passkey, and gives its id.
const CREATE: &str = "
    const credential = await navigator.credentials.create({ publicKey: {
        challenge: new Uint8Array(32),
        rp: { name: 'Holdfast' },
        user: { id: new Uint8Array([1, 2, 3]), name: 'ada', displayName: 'Ada' },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        timeout: 20000,
    } });
    return credential.id;";

/// Signs in with whichever passkey there is, and gives its id.
const GET: &str = "
    const credential = await navigator.credentials.get({ publicKey: {
        challenge: new Uint8Array(32), userVerification: 'required', timeout: 20000,
    } });
    return credential.id;";
