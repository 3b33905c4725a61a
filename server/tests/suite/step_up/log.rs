//! What is written down of step-ups, and who may read it (U6, U7).

use super::stage::{Stage, each};
use crate::support::{World, run};
use holdfast_protocol::{
    history::{Activity, ActivityEvent},
    problem::Code,
    step_up::{Group, Kind, Outcome, StepUpLog},
};
use serde_json::{Value, json};

async fn log(stage: &Stage, query: &str) -> StepUpLog {
    stage.browser().get(&format!("/v1/security/stepup-log{query}")).await.json()
}

fn sentence(event: &ActivityEvent) -> &str {
    match &event.what {
        Activity::StepUp { sentence, .. } => sentence,
        other => panic!("{other:?} is no step-up"),
    }
}

#[tokio::test]
async fn the_log_has_every_step_up_with_its_sentence_under_its_group() {
    each(async |stage| {
        let confirmation = stage.confirmation().await;
        stage.act(None).await;
        stage.act(Some(&confirmation)).await;
        stage.act(Some(&confirmation)).await;
        let told: Vec<Outcome> = stage.outcomes().await.into_iter().map(|(outcome, _)| outcome).collect();
        assert_eq!(told, [Outcome::Replayed, Outcome::Confirmed, Outcome::Denied, Outcome::Asked]);
        let canonical = holdfast_protocol::step_up::canonical_text(&stage.walk.parameters).unwrap();
        let said = stage.kind.read(&canonical).unwrap();
        let all = log(stage, "").await;
        assert!(all.events.iter().all(|event| sentence(event) == said.sentence));
        assert!(all.events.iter().all(|event| event.session.is_some() && event.device.is_some()));
        for group in Group::ALL {
            let shown = log(stage, &format!("?filter={}", group.as_str())).await.events;
            assert_eq!(shown.len(), if group == stage.kind.group() { 4 } else { 0 }, "{}", group.as_str());
        }
        assert_eq!(log(stage, "?filter=all").await, all);
        // What was confirmed is kept with what it can be judged by.
        let kept =
            "UPDATE activity SET evidence = evidence WHERE evidence IS NOT NULL AND step_up IS NOT NULL";
        assert_eq!(run!(stage.world().app.db, kept), 1);
    })
    .await;
}

#[tokio::test]
async fn the_log_comes_in_pages_and_is_its_owners_alone() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    for _ in 0..5 {
        stage.confirmation().await;
    }
    let all = log(&stage, "").await;
    assert_eq!((all.events.len(), all.more), (5, false));
    let first = log(&stage, "?limit=2").await;
    assert_eq!((&first.events[..], first.more), (&all.events[..2], true));
    let next = log(&stage, &format!("?limit=3&filter=passkey&before={}", first.events[1].id)).await;
    assert_eq!((&next.events[..], next.more), (&all.events[2..], false));
    let stranger = stage.world().browser().await;
    let theirs: StepUpLog = stranger.get("/v1/security/stepup-log").await.json();
    assert_eq!((theirs.events, theirs.more), (Vec::new(), false));
    for query in ["?filter=money", "?filter=", "?limit=0", "?limit=101", "?before=0", "?page=2", "?limit=x"] {
        let answer = stage.browser().get(&format!("/v1/security/stepup-log{query}")).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{query}");
    }
}

/// Asks to remove a passkey that there is none of, by this name.
async fn ask_in_vain(stage: &Stage, name: &str) -> Code {
    let parameters = json!({ "id": "psk_0000-0000-0000-0000", "name": name });
    stage.browser().post(&stage.kind.preflight(), &parameters).await.code()
}

#[tokio::test]
async fn refusals_cannot_fill_the_trail() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    for _ in 0..20 {
        assert_eq!(ask_in_vain(&stage, "Same").await, Code::NotFound);
    }
    assert_eq!(log(&stage, "").await.events.len(), 1);
    for number in 0..20 {
        assert_eq!(ask_in_vain(&stage, &number.to_string()).await, Code::NotFound);
    }
    assert_eq!(log(&stage, "").await.events.len(), 5);
    // Another kind of refusal is told, as is the same one a minute later.
    stage.act(None).await;
    assert_eq!(log(&stage, "").await.events.len(), 6);
    stage.world().advance_ms(60_000);
    ask_in_vain(&stage, "Same").await;
    assert_eq!(log(&stage, "").await.events.len(), 7);
}

#[tokio::test]
async fn a_sentence_that_nobody_could_read_is_neither_asked_nor_kept() {
    let stage = Stage::new(Kind::PasskeyRemove).await;
    let long = "x".repeat(2_048);
    for name in [long.as_str(), "a\u{202e}b", "a\nb", "a\u{200b}b", "\u{0}"] {
        assert_eq!(ask_in_vain(&stage, name).await, Code::InvalidRequest, "{name:?}");
        let parameters: Value = json!({ "id": "psk_0000-0000-0000-0000", "name": name });
        let answer = stage.browser().post(stage.kind.path(), &stage.body(&parameters, None)).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{name:?}");
    }
    assert_eq!(log(&stage, "").await.events, []);
    assert_eq!(ask_in_vain(&stage, &long[..1_900]).await, Code::NotFound);
}

#[tokio::test]
async fn a_session_asks_for_sixty_step_ups_and_then_for_one_each_two_seconds() {
    let world = World::new().await;
    let browser = world.browser().await;
    let parameters = json!({ "id": "psk_0000-0000-0000-0000", "name": "Key" });
    let path = Kind::PasskeyRemove.preflight();
    for _ in 0..60 {
        assert_eq!(browser.post(&path, &parameters).await.code(), Code::NotFound);
    }
    let other = world.sign_in(&browser.account).await;
    let limited = browser.post(&path, &parameters).await;
    assert_eq!(limited.code(), Code::RateLimited);
    assert!(limited.headers.contains_key("retry-after"));
    assert_eq!(other.post(&path, &parameters).await.code(), Code::NotFound);
    world.advance_ms(2_000);
    assert_eq!(browser.post(&path, &parameters).await.code(), Code::NotFound);
    assert_eq!(browser.post(&path, &parameters).await.code(), Code::RateLimited);
}
