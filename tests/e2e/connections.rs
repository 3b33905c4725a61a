//! Live connections: they are shown, ended, and held back as soon as they do not prove themselves.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use holdfast_tests::browser::{AuthenticatorOptions, Browser, Kind, Name, Role};
use holdfast_tests::in_every_browser;
use holdfast_tests::world::{World, answers_more_than, answers_on_time};
use serde_json::{Value, json};

use crate::asking::{Asked, ask};

in_every_browser!(
    the_owner_ends_a_connection_of_another_browser,
    a_late_answer_holds_the_connection_back_until_the_next_right_one,
    two_late_answers_close_the_connection_and_the_page_comes_back,
);

/// Longer than from one challenge to the next.
const NEXT_CHALLENGE: Duration = Duration::from_secs(36);
/// Longer than an answer may take.
const TOO_LATE: Duration = Duration::from_secs(11);

async fn the_owner_ends_a_connection_of_another_browser(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let credentials = authenticator.credentials().await?;
    let other = world.browser(kind).await?;
    let key = other.add_authenticator(AuthenticatorOptions::default()).await?;
    key.add_credential(credentials.first().context("a passkey was made")?).await?;
    other.goto(world.origin()).await?;
    world.sign_in(&other).await?;

    let connections = browser.by_role(Role::Region, "Live connections");
    let rows = connections.by_role(Role::ListItem, Name::Any);
    // The row that does not say "this browser" has the second button.
    let twice = holdfast_tests::wait::until(async || Ok((rows.count().await? == 2).then_some(())));
    twice.await?.context("both connections are shown")?;
    let theirs = other.by_role(Role::Region, "Live connections");
    let own = theirs.by_role(Role::ListItem, Name::Any).saying("this browser");
    own.by_role(Role::Button, Name::Containing("End ".to_owned())).click().await?;
    theirs.says("ended by you").await?;
    heading_is_focused(&other).await.context("after an end")?;
    let one = holdfast_tests::wait::until(async || Ok((rows.count().await? == 1).then_some(())));
    one.await?.context("the owner sees it gone")?;
    ensure!(world.wire().exchanges_at("/v1/connections/end").len() == 1);
    world.records("connection_ended", 1).await?;

    theirs.by_role(Role::Button, "Connect again").click().await?;
    world.security_page_is_live(&other).await?;
    heading_is_focused(&other).await.context("after a new beginning")?;
    world.assert_no_violations(&browser).await?;
    world.assert_no_violations(&other).await
}

/// What had the focus has gone; the next Tab goes on from here.
async fn heading_is_focused(browser: &Browser) -> Result<()> {
    let heading = ("heading".to_owned(), "Live connections".to_owned());
    let focused =
        holdfast_tests::wait::until(async || Ok((browser.focused().await? == heading).then_some(())));
    match focused.await? {
        Some(()) => Ok(()),
        None => bail!("{:?} has the focus", browser.focused().await?),
    }
}

async fn a_late_answer_holds_the_connection_back_until_the_next_right_one(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;
    let connections = browser.by_role(Role::Region, "Live connections");
    let before = answers_on_time(&browser).await?;

    world.wire().hold("/answer");
    world.pass(NEXT_CHALLENGE);
    world.wire().holds(1).await?;
    world.pass(TOO_LATE);
    world.records("connection_held", 1).await?;
    connections.says("held back").await?;
    world.wire().holds(2).await?;
    world.wire().mend();

    answers_more_than(&browser, before).await?;
    world.security_page_is_live(&browser).await?;
    let pulse = Name::Containing("1 late or missing".to_owned());
    connections.by_role(Role::Image, pulse).appears().await?;
    let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
    activity.saying("A connection missed an answer and was held back.").appears().await?;
    ensure!(world.count("connection_closed").await? == 0);
    ensure!(world.wire().exchanges_at("/v1/streams/activity").len() == 1, "one connection all the time");
    // The address takes what is signed, and nothing else.
    let exchanges = world.wire().exchanges();
    let answered =
        |path: &str| Some(path.strip_prefix("/v1/connections/")?.strip_suffix("/answer")?.to_owned());
    let id = exchanges.iter().find_map(|exchange| answered(&exchange.path)).context("answers go by POST")?;
    let what = "POST /v1/connections/{id}/answer".replace("{id}", &id);
    let nonsense = Asked { what: &what, headers: json!({ "Content-Type": "text/plain" }), body: Value::Null };
    let refused = ask(&browser, nonsense).await?;
    ensure!((refused.status, refused.code()) == (400, "invalid_request"), "{refused:?}");
    world.assert_no_violations(&browser).await
}

async fn two_late_answers_close_the_connection_and_the_page_comes_back(kind: Kind) -> Result<()> {
    let world = World::new().await?;
    let browser = world.browser(kind).await?;
    let _authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    world.sign_up(&browser).await?;

    world.wire().hold("/answer");
    world.pass(NEXT_CHALLENGE);
    world.wire().holds(1).await?;
    world.pass(TOO_LATE);
    world.wire().holds(2).await?;
    world.pass(TOO_LATE);
    world.records("connection_closed", 1).await?;
    // It has dialled again, and its new connection is not trusted before it has answered.
    world.wire().holds(3).await?;
    browser.page_says("This connection is not proven yet").await?;
    world.wire().mend();

    world.security_page_is_live(&browser).await?;
    let activity = browser.by_role(Role::Region, "Activity").by_role(Role::ListItem, Name::Any);
    activity.saying("A connection could not prove itself twice in a row and was closed.").appears().await?;
    ensure!(world.wire().exchanges_at("/v1/login/verify").is_empty(), "nobody was asked for a passkey");
    world.assert_no_violations(&browser).await
}
