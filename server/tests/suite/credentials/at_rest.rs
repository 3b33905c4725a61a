//! How they are kept: under a key that is not in the database, each in its own place.

use super::Console;
use crate::support::{Owner, World, run, stored_facts};
use holdfast_protocol::{credentials::CredentialState, problem::Code};
use holdfast_server::secrets::{Keyring, Secret};
use std::num::NonZeroU32;

fn keys(current: &str, previous: Option<&str>) -> Keyring {
    let secret = |letter: &str| Secret::new(letter.repeat(32));
    Keyring::new(secret(current), previous.map(secret))
}

impl Console {
    /// The server started anew with other keys.
    async fn with_keys(&self, current: &str, previous: Option<&str>) -> World {
        self.world.beside(|config| config.credentials_keys = keys(current, previous)).await
    }
}

async fn first() -> Console {
    let world = World::with(|config| {
        config.credentials_keys = keys("a", None);
        // Some of these store more than a person does.
        config.rates.options.burst = NonZeroU32::MAX;
        config.rates.session.burst = NonZeroU32::MAX;
    });
    let console = Console::of(world.await).await;
    console.store("chat", "KEY", b"hunter2").await;
    console
}

#[tokio::test]
async fn after_a_rotation_everything_is_under_the_new_key() {
    let console = first().await;
    // More than one transaction takes.
    for number in 0..120 {
        console.store("default", &format!("KEY_{number}"), format!("value {number}").as_bytes()).await;
    }
    let rotated = console.with_keys("b", Some("a")).await;
    let agent = |number: u32| console.agent(&format!("agt_{number}"), "chat");
    assert_eq!(agent(0).read(&rotated.app, "KEY").await, Ok(b"hunter2".to_vec()), "before it is done");
    let before = stored_facts(&console.world).await;
    // Two instances at once.
    let (one, other) = tokio::join!(rotated.app.renew_credentials(), rotated.app.renew_credentials());
    assert!(one.is_ok() && other.is_ok());
    let renewed = stored_facts(&console.world).await;
    assert_ne!(renewed, before);
    rotated.app.renew_credentials().await.unwrap();
    assert_eq!(stored_facts(&console.world).await, renewed, "done twice it does nothing");

    let afterwards = console.with_keys("b", None).await;
    assert_eq!(agent(1).read(&afterwards.app, "KEY").await, Ok(b"hunter2".to_vec()));
    for number in 0..120 {
        let value = agent(number + 2).read(&afterwards.app, &format!("KEY_{number}")).await;
        assert_eq!(value, Ok(format!("value {number}").into_bytes()));
    }
    let old = agent(200).read(&console.world.app, "KEY").await;
    assert_eq!(old, Err(Code::CredentialsUnreadable), "the old key opens nothing any more");
}

#[tokio::test]
async fn a_lost_key_costs_the_credentials_and_nothing_else() {
    let console = first().await;
    let without = console.with_keys("z", None).await;
    let agent = console.agent("agt_1", "chat");
    without.app.renew_credentials().await.unwrap();
    assert_eq!(agent.read(&without.app, "KEY").await, Err(Code::CredentialsUnreadable));
    let browser = without.sign_in_by_ceremony(&console.owner.passkey).await;
    let owner = Owner { browser, passkey: console.owner.passkey };
    let console = Console { world: without, owner };
    assert_eq!(console.list().await[0].state, CredentialState::Unreadable);
    assert_eq!(console.list().await[0].read, None);
    console.store("chat", "OTHER", b"hunter3").await;
    assert_eq!(agent.read(&console.world.app, "OTHER").await, Ok(b"hunter3".to_vec()));
    // Stored anew, it can be read again.
    console.store("chat", "KEY", b"hunter4").await;
    assert_eq!(agent.read(&console.world.app, "KEY").await, Ok(b"hunter4".to_vec()));
    assert!(console.list().await.iter().all(|view| view.state == CredentialState::Readable));
}

#[tokio::test]
async fn what_was_changed_or_moved_in_the_database_is_not_read() {
    let stranger = {
        let console = first().await;
        console.world.browser().await.account
    };
    const OTHERS: &str = "(SELECT nonce, sealed FROM credentials WHERE name = 'OTHER') AS o";
    let both = format!("UPDATE credentials SET nonce = o.nonce, sealed = o.sealed FROM {OTHERS}");
    let nonce = format!("UPDATE credentials SET nonce = o.nonce FROM {OTHERS}");
    let secret = format!("UPDATE credentials SET sealed = o.sealed FROM {OTHERS}");
    for (why, changes) in [
        ("the key's name", &["UPDATE credentials SET key_id = 'another'"][..]),
        ("the nonce", &[&nonce]),
        ("the secret", &[&secret]),
        ("both", &[&both]),
        ("the channel", &["UPDATE credentials SET channel = 'default'"]),
        ("the name", &["DELETE FROM credentials WHERE name = 'KEY'", "UPDATE credentials SET name = 'KEY'"]),
    ] {
        let console = first().await;
        console.store("chat", "OTHER", b"hunter3").await;
        let agent = console.agent("agt_1", "chat");
        assert_eq!(agent.read(&console.world.app, "KEY").await, Ok(b"hunter2".to_vec()));
        for change in changes {
            run!(console.world.app.db, sqlx::AssertSqlSafe(change.to_string()));
        }
        let events = console.world.count("activity").await;
        assert_eq!(agent.read(&console.world.app, "KEY").await, Err(Code::CredentialsUnreadable), "{why}");
        assert_eq!(console.world.count("activity").await, events, "nothing was read");
    }
    let console = first().await;
    run!(
        console.world.app.db,
        "INSERT INTO accounts (id, user_handle, name, email, email_key, role, tier, epoch, created_at_ms)
         SELECT $1, $2, name, 'x', 'x', role, tier, epoch, created_at_ms FROM accounts",
        stranger.as_str(),
        stranger.as_str().as_bytes(),
    );
    run!(console.world.app.db, "UPDATE credentials SET account_id = $1", stranger.as_str());
    let theirs = super::Agent { account: stranger, ..console.agent("agt_1", "chat") };
    assert_eq!(theirs.read(&console.world.app, "KEY").await, Err(Code::CredentialsUnreadable));
}

#[tokio::test]
async fn a_rotation_leaves_what_it_cannot_open_and_does_the_rest() {
    let console = first().await;
    for key in ["A_KEY", "Z_KEY"] {
        console.store("chat", key, b"hunter3").await;
    }
    run!(console.world.app.db, "UPDATE credentials SET nonce = $1 WHERE name = 'KEY'", [0_u8; 12].as_slice());
    let rotated = console.with_keys("b", Some("a")).await;
    rotated.app.renew_credentials().await.unwrap();
    let afterwards = console.with_keys("b", None).await;
    let agent = console.agent("agt_1", "chat");
    assert_eq!(agent.read(&afterwards.app, "A_KEY").await, Ok(b"hunter3".to_vec()));
    assert_eq!(agent.read(&afterwards.app, "Z_KEY").await, Ok(b"hunter3".to_vec()));
    assert_eq!(agent.read(&afterwards.app, "KEY").await, Err(Code::CredentialsUnreadable));
}
