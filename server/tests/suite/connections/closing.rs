use super::{BOTH, INTERVAL_MS};
use crate::support::{Heard, Line, World, run};
use holdfast_protocol::{
    connections::{ConnectionList, EndConnectionRequest, Transport},
    history::{Activity, ActivityPage},
    ids::ConnectionId,
    pop::{Close, Message},
    problem::Code,
};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame};

#[tokio::test]
async fn signing_out_closes_the_sessions_connections_however_they_stand() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let other = world.sign_in(&browser.account).await;
        let mut proven = Line::open(&browser, transport).await;
        proven.prove().await;
        let mut unproven = Line::open(&browser, transport).await;
        let mut others = Line::open(&other, transport).await;
        others.prove().await;

        browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
        proven.hear_close(Close::SessionEnded).await;
        unproven.hear_challenge().await;
        unproven.hear_close(Close::SessionEnded).await;
        assert_eq!(others.hear_activity().await.what, Activity::SignedOut);

        other.post("/v1/logout", &json!({ "scope": "everywhere" })).await;
        others.hear_close(Close::SessionEnded).await;
    }
}

#[tokio::test]
async fn an_answer_is_a_use_of_the_session_and_an_idle_session_holds_no_connection() {
    for transport in BOTH {
        let world = World::with(|config| config.lifetimes.session_idle = Duration::from_secs(1_200)).await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        for _ in 0..50 {
            world.advance_ms(INTERVAL_MS);
            line.prove().await;
            // What flows after a proof flows once the use is noted.
            world.happens(&browser.account, "noted").await;
            line.hear_activity().await;
        }
        assert_eq!(browser.get("/v1/me").await.status, 200);

        run!(world.app.db, "UPDATE sessions SET last_seen_at_ms = 0");
        world.happens(&browser.account, "secret").await;
        let heard = line.hear_until_close(Close::SessionEnded).await;
        assert!(heard.iter().all(|heard| !format!("{heard:?}").contains("secret")), "{heard:?}");
    }
}

#[tokio::test]
async fn a_stopping_server_says_come_back() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut proven = Line::open(&browser, transport).await;
        proven.prove().await;
        let mut unproven = Line::open(&browser, transport).await;
        unproven.hear_challenge().await;
        world.app.live.stop();
        proven.hear_close(Close::GoingAway).await;
        unproven.hear_close(Close::GoingAway).await;
    }
}

#[tokio::test]
async fn the_owner_ends_a_connection_of_any_of_his_browsers() {
    for transport in BOTH {
        let world = World::new().await;
        let (browser, stranger) = (world.browser().await, world.browser().await);
        let other = world.sign_in(&browser.account).await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;

        let request = EndConnectionRequest { id: line.id.clone() };
        assert_eq!(stranger.post("/v1/connections/end", &request).await.code(), Code::NotFound);
        let nobodys = EndConnectionRequest { id: ConnectionId::make([9; 16]) };
        assert_eq!(browser.post("/v1/connections/end", &nobodys).await.code(), Code::NotFound);
        let unknown = json!({ "id": line.id, "why": "?" });
        assert_eq!(browser.post("/v1/connections/end", &unknown).await.code(), Code::InvalidRequest);

        assert_eq!(other.post("/v1/connections/end", &request).await.status, 204);
        let heard = line.hear_until_close(Close::EndedByOwner).await;
        assert!(!heard.iter().any(|heard| matches!(heard, Heard::Control(_))), "{heard:?}");
        let trail: ActivityPage = other.get("/v1/activity").await.json();
        assert_eq!(trail.events[0].what, Activity::ConnectionEnded { connection: line.id.clone() });
        world.until(async || listed(&other).await == 0).await;
        assert_eq!(other.post("/v1/connections/end", &request).await.code(), Code::NotFound);
    }
}

async fn listed(browser: &crate::support::Browser) -> usize {
    browser.get("/v1/connections").await.json::<ConnectionList>().connections.len()
}

#[tokio::test]
async fn a_browser_that_leaves_is_forgotten() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        assert_eq!(listed(&browser).await, 1);
        drop(line);
        world.until(async || listed(&browser).await == 0).await;
    }
}

#[tokio::test]
async fn what_is_no_control_message_closes_a_web_socket() {
    let bad = [
        Frame::text("\u{1}nonsense"),
        Frame::text("\u{1}"),
        Frame::text("\u{1}answer 1 short"),
        Frame::text(format!("\u{1}ask{}", " ".repeat(300))),
        // Only the server says this.
        Frame::text("\u{1}proven 1 1"),
        // A number that was never sent.
        Frame::text("\u{1}refuse 7 stale"),
        Frame::text("x".repeat(65 * 1024)),
        Frame::binary(vec![0; 65 * 1024]),
    ];
    let world = World::new().await;
    let browser = world.browser().await;
    for frame in bad {
        let mut line = Line::open(&browser, Transport::WebSocket).await;
        line.hear_challenge().await;
        line.say_frame(frame).await;
        line.hear_close(Close::BadMessage).await;
    }
}

#[tokio::test]
async fn the_activity_stream_takes_no_data_from_a_proven_browser() {
    let world = World::new().await;
    let browser = world.browser().await;
    for frame in [Frame::text("hello"), Frame::text("\u{1}\u{1}ask"), Frame::binary(Bytes::new())] {
        let mut line = Line::open(&browser, Transport::WebSocket).await;
        line.prove().await;
        line.say_frame(frame).await;
        line.hear_closed(1003).await;
    }
}

#[tokio::test]
async fn data_that_comes_too_early_is_held_until_the_proof_and_no_more_than_64_kib_of_it() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut line = Line::open(&browser, Transport::WebSocket).await;
    let challenge = line.hear_challenge().await;
    line.say_frame(Frame::text("hello")).await;
    line.hear_nothing().await;
    line.answer(&challenge).await;
    line.hear_proven(&challenge).await;
    line.hear_closed(1003).await;

    let mut line = Line::open(&browser, Transport::WebSocket).await;
    line.hear_challenge().await;
    for _ in 0..3 {
        line.say_frame(Frame::binary(vec![0; 30 * 1024])).await;
    }
    line.hear_close(Close::TooMuchHeld).await;
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_let_go() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut line = Line::open(&browser, transport).await;
        line.prove().await;
        // More than the sockets of this machine hold.
        let names = vec!["x".repeat(60_000); 400];
        world.all_happen(&browser.account, &names).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        world.advance_ms(10_000);
        world.until(async || listed(&browser).await == 0).await;
        if transport == Transport::ServerSentEvents {
            let heard = line.hear_until_close(Close::TooMuchHeld).await;
            assert!(heard.len() < 400);
        }
    }
}

#[tokio::test]
async fn a_challenge_goes_on_being_due_on_every_connection() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut socket = Line::open(&browser, Transport::WebSocket).await;
    let mut events = Line::open(&browser, Transport::ServerSentEvents).await;
    socket.prove().await;
    events.prove().await;
    for sequence in 2..6 {
        world.advance_ms(INTERVAL_MS);
        for line in [&mut socket, &mut events] {
            let challenge = line.hear_challenge().await;
            assert_eq!(challenge.sequence, sequence);
            line.answer(&challenge).await;
            let Message::Proven { rtt_ms, .. } = line.hear_control().await else { panic!() };
            assert_eq!(rtt_ms, 0);
        }
    }
}
