use super::{BOTH, Cue, INTERVAL_MS, Play, STREAM, TOO_LONG_MS, Told, proven};
use crate::support::{Heard, Line};
use axum::extract::ws::Message as Sent;
use holdfast_protocol::{
    connections::{ConnectionList, Transport::WebSocket},
    history::{Activity, ActivityPage},
    pop::{Close, Held, Message, Standing, Timing},
};
use holdfast_server::pop::Stream;
use tokio_tungstenite::tungstenite::Message as Frame;

#[tokio::test]
async fn the_application_begins_with_the_first_proof() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = Line::open_at(&browser, STREAM, transport).await;
        let challenge = line.hear_challenge().await;
        play.say_by(transport, "early");
        play.hear_nothing().await;
        line.hear_nothing().await;

        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
        assert_eq!(play.hear().await, Told::Began);
        assert_eq!(line.hear_text().await, "early");
        let list: ConnectionList = browser.get("/v1/connections").await.json();
        let [view] = &list.connections[..] else { panic!("{list:?}") };
        assert_eq!((&view.id, view.stream.as_str(), view.standing), (&line.id, STREAM, Standing::Proven));
    }
}

#[tokio::test]
async fn without_a_proof_the_application_never_begins() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = Line::open_at(&browser, STREAM, transport).await;
        play.say_by(transport, "secret");
        for _ in 0..2 {
            let challenge = line.hear_challenge().await;
            line.answer_with(&challenge, &browser.foreign_key()).await;
            line.hear_held(Held::Wrong).await;
        }
        assert_eq!(line.hear_until_close(Close::Unproven).await, []);
        if transport == WebSocket {
            play.hear_nothing().await;
        } else {
            // Its body is let go of, unread.
            assert_eq!(play.hear_until_over().await, []);
        }
    }
}

#[tokio::test]
async fn what_the_browser_sent_too_early_is_delivered_after_the_proof() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = Line::open_at(&browser, STREAM, WebSocket).await;
    let challenge = line.hear_challenge().await;
    line.say_frame(Frame::text("a")).await;
    line.say_frame(Frame::binary(vec![1, 2])).await;
    line.say_frame(Frame::text("\u{1}\u{1}ask")).await;
    play.hear_nothing().await;
    line.answer(&challenge).await;
    line.hear_proven(&challenge).await;
    assert_eq!(play.hear().await, Told::Began);
    for expected in [Sent::text("a"), Sent::binary(vec![1, 2]), Sent::text("\u{1}ask")] {
        assert_eq!(play.hear().await, Told::Received(expected));
    }
}

#[tokio::test]
async fn every_message_arrives_as_it_was_sent_in_both_directions() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, WebSocket).await;
    for text in ["", "a", "\u{1}", "\u{1}\u{1}", "\u{1}ask", "\u{1}end 4403", "ä\u{1}"] {
        play.say(text);
        assert_eq!(line.hear_text().await, text);
        assert_eq!(play.hear().await, Told::Sent(true));
        let escaped = if text.starts_with('\u{1}') { format!("\u{1}{text}") } else { text.to_owned() };
        line.say_frame(Frame::text(escaped)).await;
        assert_eq!(play.hear().await, Told::Received(Sent::text(text)));
    }
    for bytes in [vec![], vec![1], vec![1, 1], vec![0xff; 60_000]] {
        play.cue(Cue::Say(Sent::binary(bytes.clone())));
        assert_eq!(line.hear().await, Heard::Binary(bytes.clone()));
        assert_eq!(play.hear().await, Told::Sent(true));
        line.say_frame(Frame::binary(bytes.clone())).await;
        assert_eq!(play.hear().await, Told::Received(Sent::binary(bytes)));
    }
}

#[tokio::test]
async fn frames_that_belong_to_the_socket_are_not_the_applications() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, WebSocket).await;
    line.say_frame(Frame::Ping(vec![7].into())).await;
    line.say_frame(Frame::Pong(vec![7].into())).await;
    line.say_frame(Frame::text("after")).await;
    assert_eq!(play.hear().await, Told::Received(Sent::text("after")));
}

#[tokio::test]
async fn while_it_is_held_nothing_flows_and_then_all_of_it_in_order() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        play.world.advance_ms(INTERVAL_MS);
        line.hear_challenge().await;
        // As long as the answer is not late, data flows.
        play.say_by(transport, "still");
        assert_eq!(line.hear_text().await, "still");
        assert_eq!(play.hear().await, Told::Sent(true));
        play.world.advance_ms(TOO_LONG_MS);
        line.hear_held(Held::Late).await;
        let challenge = line.hear_challenge().await;

        for text in ["a", "b", "c"] {
            play.say_by(transport, text);
        }
        if transport == WebSocket {
            line.say_frame(Frame::text("d")).await;
            line.say_frame(Frame::text("e")).await;
        }
        line.hear_nothing().await;
        play.hear_nothing().await;

        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
        for text in ["a", "b", "c"] {
            assert_eq!(line.hear_text().await, text);
        }
        let mut received = Vec::new();
        while received.len() < if transport == WebSocket { 2 } else { 0 } {
            if let Told::Received(message) = play.hear().await {
                received.push(message);
            }
        }
        assert!(received.is_empty() || received == [Sent::text("d"), Sent::text("e")], "{received:?}");
    }
}

#[tokio::test]
async fn what_is_held_is_dropped_at_the_end() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        play.world.advance_ms(INTERVAL_MS);
        line.hear_challenge().await;
        play.world.advance_ms(TOO_LONG_MS);
        line.hear_held(Held::Late).await;
        line.hear_challenge().await;
        play.say_by(transport, "secret");
        if transport == WebSocket {
            line.say_frame(Frame::text("too late")).await;
        }
        line.hear_nothing().await;
        play.world.advance_ms(TOO_LONG_MS);
        let heard = line.hear_until_close(Close::Unproven).await;
        assert!(matches!(heard[..], [Heard::Control(Message::Held { why: Held::Late, .. })]), "{heard:?}");
        let told = play.hear_until_over().await;
        assert!(told.iter().all(|told| *told == Told::Sent(false)), "{told:?}");
    }
}

/// Where a reader is slow, much waits for him when the connection fails.
#[tokio::test]
async fn what_waited_for_a_reader_at_a_failure_waits_on_for_the_proof() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        play.world.advance_ms(INTERVAL_MS);
        line.hear_challenge().await;
        play.world.advance_ms(5_000);
        // More than the sockets of this machine hold.
        let texts: Vec<String> = (0..400).map(|number| format!("{number}{}", "x".repeat(60_000))).collect();
        for text in &texts {
            play.say_by(transport, text);
        }
        play.hear_until_silent().await;
        play.world.advance_ms(5_000);
        let standing =
            async || browser.get("/v1/connections").await.json::<ConnectionList>().connections[0].standing;
        play.world.until(async || standing().await == Standing::Held).await;

        let mut heard = Vec::new();
        while let Heard::Text(text) = line.hear().await {
            heard.push(text);
        }
        assert!(heard.len() < texts.len());
        let challenge = line.hear_challenge().await;
        line.hear_nothing().await;
        line.answer(&challenge).await;
        line.hear_proven(&challenge).await;
        while heard.len() < texts.len() {
            heard.push(line.hear_text().await);
        }
        assert!(heard == texts);
    }
}

#[tokio::test]
async fn no_more_than_64_kib_are_held() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = Line::open_at(&browser, STREAM, WebSocket).await;
    line.hear_challenge().await;
    line.say_frame(Frame::binary(vec![0; 64 * 1024])).await;
    line.hear_nothing().await;
    line.say_frame(Frame::binary(vec![0; 1])).await;
    line.hear_close(Close::TooMuchHeld).await;
    play.hear_nothing().await;
    // Empty ones are not free.
    let mut line = Line::open_at(&browser, STREAM, WebSocket).await;
    line.hear_challenge().await;
    for _ in 0..1025 {
        line.say_frame(Frame::text("")).await;
    }
    line.hear_close(Close::TooMuchHeld).await;
}

#[tokio::test]
async fn an_application_that_takes_nothing_for_a_while_gets_all_of_it_in_order() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, WebSocket).await;
    play.cue(Cue::BeDeaf);
    play.say("deaf");
    assert_eq!(line.hear_text().await, "deaf");
    assert_eq!(play.hear().await, Told::Sent(true));
    let messages: Vec<String> = (0..20).map(|number| number.to_string().repeat(5_000)).collect();
    for message in &messages {
        line.say_frame(Frame::text(message.clone())).await;
    }
    play.hear_nothing().await;
    play.cue(Cue::Listen);
    for message in messages {
        assert_eq!(play.hear().await, Told::Received(Sent::text(message)));
    }
}

/// Its answers to challenges come behind what the application does not take.
#[tokio::test]
async fn an_application_that_takes_nothing_is_closed_and_nobody_has_failed_to_prove_anything() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, WebSocket).await;
    play.cue(Cue::BeDeaf);
    play.say("deaf");
    assert_eq!(line.hear_text().await, "deaf");
    for _ in 0..4 {
        line.say_frame(Frame::binary(vec![0; 30_000])).await;
    }
    play.world.advance_ms(INTERVAL_MS);
    let challenge = line.hear_challenge().await;
    line.answer(&challenge).await;
    line.hear_nothing().await;
    play.world.advance_ms(TOO_LONG_MS);
    line.hear_close(Close::TooMuchHeld).await;
    let trail: ActivityPage = browser.get("/v1/activity").await.json();
    let is_held = |what: &Activity| matches!(what, Activity::ConnectionHeld { .. });
    assert!(!trail.events.iter().any(|event| is_held(&event.what)), "{trail:?}");
}

#[tokio::test]
async fn a_stream_can_be_challenged_at_times_of_its_own() {
    for transport in BOTH {
        let timing = Timing { interval_ms: 3_000, jitter_ms: 0, answer_within_ms: 1_000 };
        let mut play = Play::at(Stream::at(STREAM).timing(timing)).await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        play.world.advance_ms(3_000);
        line.hear_challenge().await;
        play.world.advance_ms(1_000);
        line.hear_held(Held::Late).await;
    }
}
