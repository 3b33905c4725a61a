//! What is particular to server-sent events: their bytes.

use super::{INTERVAL_MS, Play, STREAM, proven};
use crate::support::{Heard, Line, World};
use axum::{
    Router,
    response::sse::{Event, KeepAlive, Sse},
    routing::any,
};
use futures_util::stream;
use holdfast_protocol::{connections::Transport::ServerSentEvents, pop::Close};
use holdfast_server::pop;
use std::convert::Infallible;

#[tokio::test]
async fn control_messages_go_between_the_events_however_the_bytes_come() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, ServerSentEvents).await;
    play.say("data: a\n\ndata: b");
    assert_eq!(line.hear_text().await, "a");
    play.hear_until_silent().await;
    play.world.advance_ms(INTERVAL_MS);
    let challenge = line.hear_challenge().await;
    line.answer(&challenge).await;
    line.hear_proven(&challenge).await;
    play.say("\n");
    line.hear_nothing().await;
    play.say("\n");
    assert_eq!(line.hear_text().await, "b");
}

#[tokio::test]
async fn an_event_that_looks_like_a_control_message_closes_the_connection() {
    for bytes in
        ["event: pop\ndata: proven 9 1\n\n", "data: held 1 late\r\nevent:pop\r\n\r\n", "event: pop\r"]
    {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, ServerSentEvents).await;
        play.say("data: fine\n\n");
        assert_eq!(line.hear_text().await, "fine");
        for byte in bytes.chars() {
            play.say(&byte.to_string());
        }
        assert_eq!(line.hear_until_close(Close::BadMessage).await, [], "{bytes:?}");
    }
}

#[tokio::test]
async fn an_event_that_does_not_end_closes_the_connection() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, ServerSentEvents).await;
    for _ in 0..3 {
        play.say(&"x".repeat(30_000));
    }
    assert_eq!(line.hear_until_close(Close::TooMuchHeld).await, []);
}

#[tokio::test]
async fn axums_own_events_with_whatever_fields_they_have_pass() {
    async fn three() -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>> {
        let events = ["a", "b", "c"].map(|data| Ok(Event::default().id(data).data(data)));
        Sse::new(stream::iter(events)).keep_alive(KeepAlive::default())
    }
    let world =
        World::serving(|app| Router::new().route(STREAM, any(three).layer(pop::layer(app, STREAM)))).await;
    let browser = world.browser().await;
    let mut line = Line::open_at(&browser, STREAM, ServerSentEvents).await;
    line.prove().await;
    for text in ["a", "b", "c"] {
        assert_eq!(line.hear_text().await, text);
    }
    assert_eq!(line.hear().await, Heard::Closed(1000));
}
