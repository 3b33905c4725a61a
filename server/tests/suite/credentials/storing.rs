//! What its owner does with them.

use super::{Console, name};
use crate::support::{World, everything_stored, run, stored_facts};
use holdfast_protocol::{
    base64url,
    commitment::{MOST_BYTES, Opening},
    credentials::{CredentialState, Removal, Storing},
    history::Activity,
    problem::Code,
    step_up::{Action as _, Locale, Outcome, Request},
};

#[tokio::test]
async fn a_credential_is_stored_listed_replaced_and_deleted() {
    let console = Console::new().await;
    assert_eq!(console.list().await, []);
    console.store("chat", "KEY", b"first").await;
    console.store("default", "KEY", b"second").await;
    console.store("default", "A_KEY", b"third").await;
    let places = console.list().await.into_iter().map(|view| (view.name, view.channel)).collect::<Vec<_>>();
    let sorted = [("A_KEY", "default"), ("KEY", "chat"), ("KEY", "default")]
        .map(|(key, channel)| (name(key), name(channel)));
    assert_eq!(places, sorted);

    let agent = console.agent("agt_1", "chat");
    assert_eq!(agent.read(&console.world.app, "KEY").await, Ok(b"first".to_vec()));
    console.world.advance_ms(5_000);
    console.store("chat", "KEY", b"anew").await;
    let views = console.list().await;
    assert_eq!(views.len(), 3);
    // Nobody has read this value yet.
    assert_eq!((views[1].stored_at_ms, &views[1].read), (1_800_000_005_000, &None));
    assert_eq!(views[1].state, CredentialState::Readable);
    assert_eq!(agent.read(&console.world.app, "KEY").await, Ok(b"anew".to_vec()));

    assert_eq!(console.remove("chat", "KEY").await.status, 204);
    assert_eq!(console.list().await.len(), 2);
    // Its channel falls back on what every channel has.
    assert_eq!(agent.read(&console.world.app, "KEY").await, Ok(b"second".to_vec()));
    let removal = Removal { name: name("KEY"), channel: name("chat") };
    assert_eq!(console.owner.browser.post(&Removal::KIND.preflight(), &removal).await.code(), Code::NotFound);
}

#[tokio::test]
async fn each_is_on_record_with_the_sentence_that_was_confirmed() {
    let console = Console::new().await;
    let (parameters, opening) = console.storing("chat", "KEY", b"hunter2");
    console.act(parameters.clone(), Some(opening)).await;
    let sentence = parameters.sentence(Locale::En);
    assert!(sentence.contains("“KEY” of the channel “chat”"), "{sentence}");
    let (action, code) = (Storing::KIND, None);
    let said = |outcome| Activity::StepUp { action, outcome, sentence: sentence.clone(), code: code.clone() };
    assert_eq!(console.activity().await[..2], [said(Outcome::Confirmed), said(Outcome::Asked)]);
}

#[tokio::test]
async fn a_value_is_any_bytes_from_one_to_16_kib() {
    let console = Console::new().await;
    let all_bytes: Vec<u8> = (0..=255).cycle().take(MOST_BYTES).collect();
    let agent = console.agent("agt_1", "chat");
    for value in [&b"\0"[..], b"\xff\xfe\n\"\\u0000", "Ключ ❤ \u{202e}".as_bytes(), &all_bytes] {
        console.store("chat", "KEY", value).await;
        assert_eq!(agent.read(&console.world.app, "KEY").await.as_deref(), Ok(value));
    }
}

#[tokio::test]
async fn what_was_not_signed_for_is_not_stored() {
    let console = Console::new().await;
    let (parameters, right) = console.storing("chat", "KEY", b"hunter2");
    let other = |change: &dyn Fn(&mut Opening)| {
        let mut opening = right.clone();
        change(&mut opening);
        Some(opening)
    };
    for (why, secret) in [
        ("none", None),
        ("another value", other(&|opening| opening.value.0[0] ^= 1)),
        ("another salt", other(&|opening| opening.salt.0[0] ^= 1)),
        ("the value cut elsewhere", other(&|opening| opening.salt.0.push(opening.value.0.remove(0)))),
    ] {
        let answer = console.act(parameters.clone(), secret).await;
        assert_eq!(answer.code(), Code::StepUpMismatch, "{why}");
        assert_eq!(console.world.count("credentials").await, 0, "{why}");
    }
    for length in [0, MOST_BYTES + 1] {
        let (parameters, opening) = console.storing("chat", "KEY", &vec![1; length]);
        let answer = console.act(parameters, Some(opening)).await;
        assert_eq!(answer.code(), Code::StepUpMismatch, "{length}");
    }
    let (parameters, opening) = console.storing("chat", "KEY", &[1; 50_000]);
    let answer = console.act(parameters, Some(opening)).await;
    assert_eq!(answer.code(), Code::TooLarge);
    assert_eq!(console.world.count("credentials").await, 0);
    console.store("chat", "KEY", b"hunter2").await;
    // An action that has no secret takes none.
    let removal = Removal { name: name("KEY"), channel: name("chat") };
    let answer = console.act(removal, Some(right)).await;
    assert_eq!(answer.code(), Code::StepUpMismatch);
    assert_eq!(console.world.count("credentials").await, 1);
}

#[tokio::test]
async fn without_a_confirmation_nothing_is_stored_whether_the_secret_comes_or_not() {
    let console = Console::new().await;
    let (parameters, opening) = console.storing("chat", "KEY", b"hunter2");
    for secret in [None, Some(opening)] {
        let request = Request { parameters: parameters.clone(), secret, confirmation: None };
        let answer = console.owner.browser.post(Storing::KIND.path(), &request).await;
        assert_eq!(answer.code(), Code::StepUpRequired);
    }
    assert_eq!(console.world.count("credentials").await, 0);
}

#[tokio::test]
async fn where_the_operator_asks_for_no_confirmation_the_secret_is_still_the_one_committed_to() {
    let console = Console::of(World::with(|config| config.step_up_off = vec![Storing::KIND]).await).await;
    let (parameters, opening) = console.storing("chat", "KEY", b"hunter2");
    let other = Opening { value: base64url::Bytes(b"hunter3".to_vec()), ..opening.clone() };
    for (secret, refused) in [(other, Some(Code::StepUpMismatch)), (opening, None)] {
        let request = Request { parameters: parameters.clone(), secret: Some(secret), confirmation: None };
        let answer = console.owner.browser.post(Storing::KIND.path(), &request).await;
        assert_eq!((answer.status != 204).then(|| answer.code()), refused);
    }
}

#[tokio::test]
async fn a_lost_answer_comes_again_without_storing_anything_twice() {
    let console = Console::new().await;
    let (parameters, opening) = console.storing("chat", "KEY", b"hunter2");
    let key = "a".repeat(16);
    let mut request = Request { secret: Some(opening), ..console.owner.confirm(parameters).await };
    assert_eq!(console.owner.act(&request, &key).await.status, 204);
    let stored = stored_facts(&console.world).await;
    assert_eq!(console.owner.act(&request, &key).await.status, 204);
    assert_eq!(stored_facts(&console.world).await, stored);
    let (_, other) = console.storing("chat", "KEY", b"hunter3");
    request.parameters.commitment = other.commitment();
    request.secret = Some(other);
    assert_eq!(console.owner.act(&request, &key).await.code(), Code::IdempotencyKeyReused);
    assert_eq!(stored_facts(&console.world).await, stored);
}

#[tokio::test]
async fn a_held_account_stores_nothing_and_can_still_delete() {
    let console = Console::new().await;
    console.store("chat", "KEY", b"hunter2").await;
    run!(console.world.app.db, "UPDATE accounts SET cooldown_from_ms = 0, cooldown_until_ms = 4000000000000");
    let (parameters, _) = console.storing("chat", "OTHER", b"hunter2");
    let answer = console.owner.browser.post(&Storing::KIND.preflight(), &parameters).await;
    assert_eq!(answer.code(), Code::Cooldown);
    assert_eq!(console.remove("chat", "KEY").await.status, 204);
}

#[tokio::test]
async fn neither_the_value_nor_its_salt_comes_back_or_is_kept() {
    let console = Console::new().await;
    let (parameters, opening) = console.storing("chat", "KEY", b"a value that can be found");
    let (value, salt) = (opening.value.0.clone(), opening.salt.0.clone());
    let commitment = serde_json::to_value(opening.commitment()).unwrap();
    assert!(!format!("{opening:?}").contains("found"));
    let mut answers = vec![console.act(parameters, Some(opening)).await];
    for path in ["/v1/credentials", "/v1/activity", "/v1/security/stepup-log", "/v1/me"] {
        answers.push(console.owner.browser.get(path).await);
    }
    let (parameters, opening) = console.storing("chat", "OTHER", b"a value that can be found");
    let other = Opening { salt: base64url::Bytes(vec![0; 16]), ..opening };
    answers.push(console.act(parameters, Some(other)).await);

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let stored = everything_stored(&console.world).await;
    assert!(stored.contains(&commitment.as_str().unwrap().to_lowercase()), "what was signed is kept");
    for secret in [&value, &salt] {
        let spellings = [
            hex(secret),
            base64url::encode(secret).to_lowercase(),
            String::from_utf8_lossy(secret).to_lowercase(),
        ];
        for spelling in &spellings {
            assert!(!stored.contains(spelling), "{spelling}");
            for answer in &answers {
                let body = String::from_utf8_lossy(&answer.body).to_lowercase();
                assert!(!body.contains(spelling), "{body}");
            }
        }
    }
}
