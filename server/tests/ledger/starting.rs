//! What the program does by itself: when it starts, and with mail.

use crate::{
    program::Program,
    support::{CREDENTIALS_KEY, Owner, PATIENCE, Proof, World, passkey_of},
};
use holdfast_protocol::{
    base64url::Bytes,
    commitment::Opening,
    credentials::{CredentialValue, DEFAULT, Name, Storing},
    passkeys::Test,
    problem::Code,
    step_up::Request,
};
use std::{fs, time::Duration};

/// Waits until something is there.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

#[tokio::test]
async fn what_waits_for_its_action_does_not_outlive_a_start() {
    let world = World::new().await;
    let mut owner = world.owner("Ada").await;
    let test = Test { id: passkey_of(&owner.browser.account), name: "Key".to_owned() };
    let mut program = Program::after(&world).await;
    owner.browser.address = program.address;
    program.start().await;
    let request = owner.confirm(test.clone()).await;
    program.kill();
    program.start().await;
    assert_eq!(owner.act(&request, "a-key-of-the-tests").await.code(), Code::StepUpRequired);
    let request = owner.confirm(test).await;
    assert_eq!(owner.act(&request, "a-key-of-the-tests").await.status, 204);
}

#[tokio::test]
async fn credentials_are_under_the_current_key_soon_after_a_start_with_both() {
    const NEXT: &str = "the next key to credentials, the next key";
    let world = World::new().await;
    let owner = world.owner("Ada").await;
    let opening = Opening { salt: Bytes(vec![7; 16]), value: Bytes(b"hunter2".to_vec()) };
    let name = |text| Name::parse(text).unwrap();
    let storing = Storing { name: name("KEY"), channel: name(DEFAULT), commitment: opening.commitment() };
    let request = Request { secret: Some(opening), ..owner.confirm(storing).await };
    assert_eq!(owner.act(&request, "a-key-of-the-tests").await.status, 204);
    let mut agent = world.agent(&owner.browser.account).await;
    let mut program = Program::after(&world).await;
    agent.address = program.address;
    let before = program.key_id().await;

    program.settings = vec![("CREDENTIALS_KEY", NEXT), ("CREDENTIALS_KEY_PREVIOUS", CREDENTIALS_KEY)];
    program.start().await;
    until(async || (program.key_id().await != before).then_some(())).await;
    program.kill();
    program.settings = vec![("CREDENTIALS_KEY", NEXT)];
    program.start().await;
    let value: CredentialValue = agent.read("/v1/agents/credentials/KEY").await.json();
    assert_eq!(value.value.0, b"hunter2");
}

#[tokio::test]
async fn the_address_of_each_mail_is_printed() {
    let world = World::new().await;
    let Owner { mut browser, .. } = world.owner("Ada").await;
    let mut program = Program::after(&world).await;
    browser.address = program.address;
    program.start().await;
    let nonce = browser.fresh_nonce().await;
    let proof = Proof::new(&world.app, &browser.foreign_key(), "GET", "/v1/me", &nonce).sign();
    assert_eq!(browser.get_with("/v1/me", &proof).await.code(), Code::PopForeignKey);
    let printed = until(async || {
        let said = fs::read_to_string(program.says()).unwrap();
        // A line that is whole.
        let (before, _) = said.rsplit_once('\n')?;
        before.lines().find_map(|line| line.strip_prefix("Mail: ")).map(str::to_owned)
    })
    .await;
    assert!(printed.ends_with(".eml"), "{printed}");
    assert!(fs::read_to_string(printed).unwrap().contains("Subject: Suspected theft of a session\r\n"));
}
