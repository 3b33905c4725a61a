//! The list of passkeys, and their names (K3).

use super::list;
use crate::support::{Browser, SoftPasskey, World, passkey_of, stored_facts};
use holdfast_protocol::{
    history::{Activity, ActivityPage},
    ids::PasskeyId,
    passkeys::{Backup, Trust},
    problem::Code,
};
use serde_json::json;

async fn rename(browser: &Browser, id: &PasskeyId, name: &str) -> Option<Code> {
    let answer = browser.post("/v1/passkey/rename", &json!({ "id": id, "name": name })).await;
    (answer.status != 204).then(|| answer.code())
}

#[tokio::test]
async fn the_list_says_what_each_passkey_is() {
    let world = World::new().await;
    let (mut guest, mut passkey) = (world.guest(), SoftPasskey::new(&world));
    guest.user_agent =
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
                        Chrome/140.0.0.0 Safari/537.36"
            .to_owned();
    let answer = guest.set_up(&mut passkey).await;
    let browser = guest.signed_in(&answer);
    let [view] = &list(&browser).await[..] else { panic!("not one") };
    assert_eq!(view.name, "Passkey from Mac");
    assert_eq!(view.display_name, "Platform passkey (synced, built-in) @ Mac · Chrome");
    assert_eq!((view.backup, view.trust, view.provider.clone()), (Backup::Synced, Trust::New, None));
    assert_eq!(view.transports, ["hybrid", "internal"]);
    assert_eq!(view.last_used_at_ms, None);
    assert!(view.opened_this_session);
    world.advance_ms(600_000);
    assert_eq!(list(&browser).await[0].trust, Trust::Trusted);
}

#[tokio::test]
async fn a_passkey_that_lives_on_one_device_says_so() {
    use crate::support::{BE, UP, UV};
    for (flags, backup) in [(UP | UV, Backup::DeviceBound), (UP | UV | BE, Backup::NotYetSynced)] {
        let world = World::new().await;
        let (mut guest, mut passkey) = (world.guest(), SoftPasskey::new(&world));
        let options = guest.begin_setup().await;
        let credential = passkey.register(&options, |said| said.flags = flags);
        let answer = guest.finish_setup(&options, &credential).await;
        assert_eq!(list(&guest.signed_in(&answer)).await[0].backup, backup);
    }
}

#[tokio::test]
async fn the_owner_names_a_passkey() {
    let world = World::new().await;
    let browser = world.browser().await;
    let id = passkey_of(&browser.account);
    for (given, kept) in [
        ("Blue key", "Blue key"),
        ("  Ключ ❤\u{fe0f} ", "Ключ ❤\u{fe0f}"),
        (&"é".repeat(64), &*"é".repeat(64)),
    ] {
        assert_eq!(rename(&browser, &id, given).await, None);
        assert_eq!(list(&browser).await[0].name, kept);
        let page: ActivityPage = browser.get("/v1/activity").await.json();
        let renamed = Activity::PasskeyRenamed { passkey: id.clone(), name: kept.to_owned() };
        assert_eq!(page.events[0].what, renamed);
    }
}

#[tokio::test]
async fn a_passkey_of_another_account_is_as_good_as_none() {
    let world = World::new().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    let theirs = passkey_of(&stranger.account);
    let none = PasskeyId::make(world.app.entropy.make());
    let before = stored_facts(&world).await;
    let mut bodies = Vec::new();
    for id in [theirs, none] {
        let answer = browser.post("/v1/passkey/rename", &json!({ "id": id, "name": "Mine" })).await;
        assert_eq!(answer.code(), Code::NotFound);
        bodies.push(answer.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(stored_facts(&world).await, before);
    let page: ActivityPage = stranger.get("/v1/activity").await.json();
    assert_eq!(page.events, []);
    assert_eq!(list(&browser).await.len(), 1);
}

#[tokio::test]
async fn a_name_hides_nothing() {
    let world = World::new().await;
    let browser = world.browser().await;
    let id = passkey_of(&browser.account);
    let before = stored_facts(&world).await;
    let hiding = [
        '\u{0}',
        '\u{7}',
        '\n',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{17b4}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe00}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{e0041}',
        '\u{e0101}',
    ];
    let names = hiding.into_iter().map(|hiding| format!("Blue{hiding}key"));
    let more =
        ["", "   ", "\u{a0}\u{3000}", "\u{fe0f}"].map(str::to_owned).into_iter().chain(["x".repeat(65)]);
    for name in names.chain(more) {
        assert_eq!(rename(&browser, &id, &name).await, Some(Code::InvalidRequest), "{name:?}");
    }
    assert_eq!(stored_facts(&world).await, before);
}

#[tokio::test]
async fn related_origins_are_served_where_configured() {
    let world = World::new().await;
    assert_eq!(world.guest().get("/.well-known/webauthn").await.code(), Code::NotFound);
    let origins = vec!["https://other.example".to_owned()];
    let world = world.beside(|config| config.related_origins = origins.clone()).await;
    let served: serde_json::Value = world.guest().get("/.well-known/webauthn").await.json();
    assert_eq!(served, json!({ "origins": origins }));
}
