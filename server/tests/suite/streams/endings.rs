use super::{BOTH, Cue, INTERVAL_MS, Play, STREAM, TOO_LONG_MS, Told, proven};
use crate::support::{Browser, Heard, Line, World};
use axum::{
    Router,
    extract::ws::{CloseFrame, Message as Sent},
    routing::any,
};
use futures_util::{StreamExt as _, stream};
use holdfast_protocol::{
    connections::{
        ConnectionList, EndConnectionRequest,
        Transport::{ServerSentEvents, WebSocket},
    },
    pop::{Close, Held},
};
use holdfast_server::{
    db::{Db, Tx},
    pop::{self, WebSocketUpgrade},
};
use serde_json::json;
use sqlx::ConnectOptions as _;
use tokio_tungstenite::tungstenite::{self, Message as Frame};

async fn listed(browser: &Browser) -> usize {
    browser.get("/v1/connections").await.json::<ConnectionList>().connections.len()
}

#[tokio::test]
async fn a_session_that_ends_ends_the_applications_connections() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
        assert_eq!(line.hear_until_close(Close::SessionEnded).await, []);
        assert_eq!(play.hear_until_over().await, []);
    }
}

#[tokio::test]
async fn the_owner_and_the_operator_end_the_applications_connections() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let other = play.world.sign_in(&browser.account).await;
        let mut line = proven(&mut play, &browser, transport).await;
        let ended = other.post("/v1/connections/end", &EndConnectionRequest { id: line.id.clone() }).await;
        assert_eq!(ended.status, 204);
        line.hear_close(Close::EndedByOwner).await;
        assert_eq!(play.hear_until_over().await, []);

        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        play.world.app.live.stop();
        line.hear_close(Close::GoingAway).await;
        assert_eq!(play.hear_until_over().await, []);
    }
}

#[tokio::test]
async fn an_application_that_is_done_is_heard_out() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        for text in ["a", "b"] {
            play.say_by(transport, text);
        }
        play.cue(Cue::Leave);
        assert_eq!((line.hear_text().await, line.hear_text().await), ("a".to_owned(), "b".to_owned()));
        assert_eq!(line.hear().await, Heard::Closed(1000));
        play.world.until(async || listed(&browser).await == 0).await;
    }
}

#[tokio::test]
async fn an_application_closes_with_a_code_of_its_own() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let of = |code, reason: &str| Some(CloseFrame { code, reason: reason.into() });
    let most = "x".repeat(123);
    for (frame, code) in [
        (of(4999, "full"), 4999),
        (of(3000, &most), 3000),
        (of(1001, ""), 1001),
        (None, 1000),
        // What the browser would take for this protocol's word, or for no word at all.
        (of(4403, ""), 1011),
        (of(4450, ""), 1011),
        (of(1005, ""), 1011),
        (of(5000, ""), 1011),
        (of(4000, &(most.clone() + "x")), 1011),
    ] {
        let mut line = proven(&mut play, &browser, WebSocket).await;
        play.say("last");
        play.cue(Cue::Say(Sent::Close(frame)));
        assert_eq!(line.hear_text().await, "last");
        assert_eq!(line.hear().await, Heard::Closed(code));
        assert_eq!(play.hear_until_over().await, [Told::Sent(true), Told::Sent(true)]);
    }
}

#[tokio::test]
async fn an_application_that_fails_is_closed_and_the_server_goes_on() {
    for (transport, cue) in
        [(WebSocket, Cue::Panic), (ServerSentEvents, Cue::Panic), (ServerSentEvents, Cue::Fail)]
    {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        play.say_by(transport, "last");
        assert_eq!(line.hear_text().await, "last");
        play.cue(cue);
        assert_eq!(line.hear().await, Heard::Closed(1011));
        play.world.until(async || listed(&browser).await == 0).await;
        assert_eq!(browser.get("/v1/me").await.status, 200);
    }
}

#[tokio::test]
async fn a_browser_that_says_something_and_leaves_is_heard_out() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = proven(&mut play, &browser, WebSocket).await;
    play.cue(Cue::BeDeaf);
    play.say("deaf");
    assert_eq!(line.hear_text().await, "deaf");
    assert_eq!(play.hear().await, Told::Sent(true));
    line.say_frame(Frame::text("a")).await;
    line.say_frame(Frame::text("b")).await;
    line.say_frame(Frame::Close(None)).await;
    play.world.until(async || listed(&browser).await == 0).await;
    play.cue(Cue::Listen);
    let said = [Sent::text("a"), Sent::text("b"), Sent::Close(None)].map(Told::Received);
    assert_eq!(play.hear_until_over().await, said);
}

fn closing(code: u16) -> tungstenite::protocol::CloseFrame {
    tungstenite::protocol::CloseFrame { code: code.into(), reason: "bye".into() }
}

#[tokio::test]
async fn how_a_browser_closes_is_for_the_application_if_it_is_proven() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let frame = || Frame::Close(Some(closing(4001)));
    let mut line = proven(&mut play, &browser, WebSocket).await;
    line.say_frame(frame()).await;
    let said = Sent::Close(Some(CloseFrame { code: 4001, reason: "bye".into() }));
    assert_eq!(play.hear_until_over().await, [Told::Received(said)]);

    let mut line = proven(&mut play, &browser, WebSocket).await;
    play.world.advance_ms(INTERVAL_MS);
    line.hear_challenge().await;
    play.world.advance_ms(TOO_LONG_MS);
    line.hear_held(Held::Late).await;
    line.say_frame(frame()).await;
    assert_eq!(play.hear_until_over().await, []);
}

/// Everything that the database has to lend. Until it is dropped, nothing is looked up.
async fn lent(world: &World) -> Vec<Tx> {
    let most = match &world.app.db {
        Db::Sqlite(pool) => pool.options().get_max_connections(),
        Db::Postgres(pool) => pool.options().get_max_connections(),
    };
    stream::iter(0..most).then(|_| async { world.app.db.look().await.unwrap() }).collect().await
}

/// Over a connection of its own.
async fn end_sessions(world: &World) {
    const END: &str = "UPDATE sessions SET ended_at_ms = 1";
    match &world.app.db {
        Db::Sqlite(pool) => {
            let mut own = pool.connect_options().connect().await.unwrap();
            sqlx::query(END).execute(&mut own).await.unwrap();
        }
        Db::Postgres(pool) => {
            let mut own = pool.connect_options().connect().await.unwrap();
            sqlx::query(END).execute(&mut own).await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_leaves_while_the_session_is_looked_at_is_heard_out_if_it_lives() {
    for lives in [true, false] {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = Line::open_at(&browser, STREAM, WebSocket).await;
        let lent = lent(&play.world).await;
        if !lives {
            // Only when nothing is left to lend: a look that is still due would notice the end too early.
            end_sessions(&play.world).await;
        }
        line.prove().await;
        line.say_frame(Frame::text("last")).await;
        line.say_frame(Frame::Close(Some(closing(4001)))).await;
        // The server has read it all.
        assert_eq!(line.hear().await, Heard::Closed(4001));
        play.hear_nothing().await;
        drop(lent);
        if lives {
            let said =
                [Sent::text("last"), Sent::Close(Some(CloseFrame { code: 4001, reason: "bye".into() }))];
            assert_eq!(play.hear().await, Told::Began);
            assert_eq!(play.hear_until_over().await, said.map(Told::Received));
        } else {
            play.hear_nothing().await;
        }
    }
}

#[tokio::test]
async fn a_browser_that_just_leaves_is_noticed() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        drop(proven(&mut play, &browser, transport).await);
        assert_eq!(play.hear_until_over().await, []);
        assert_eq!(listed(&browser).await, 0);
    }
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_let_go_and_little_is_kept_for_him() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let browser = play.world.browser().await;
        let mut line = proven(&mut play, &browser, transport).await;
        let long = "x".repeat(60_000);
        for _ in 0..1_000 {
            play.say_by(transport, &long);
        }
        let taken = play.hear_until_silent().await;
        play.world.advance_ms(9_999);
        assert_eq!(listed(&browser).await, 1);
        play.world.advance_ms(1);
        play.world.until(async || listed(&browser).await == 0).await;
        let told = play.hear_until_over().await;
        assert!(told.iter().all(|told| *told == Told::Sent(false)), "{}", told.len());
        if transport == ServerSentEvents {
            // All but what lay ready here: an event, and that which was read after it.
            let heard = line.hear_until_close(Close::TooMuchHeld).await;
            assert!(heard.len() <= taken && taken - heard.len() < 4, "{taken} {}", heard.len());
        } else {
            assert!(taken < 1_000);
        }
    }
}

/// As axum's own socket, ours can be taken apart, and its halves may live in tasks of their own.
#[tokio::test]
async fn a_socket_is_a_stream_and_a_sink() {
    async fn echo(upgrade: WebSocketUpgrade) -> axum::response::Response {
        upgrade.on_upgrade(async |socket| {
            let (sink, stream) = socket.split();
            tokio::spawn(stream.forward(sink));
        })
    }
    let world = World::serving(|app| {
        Router::new().route("/streams/echo", any(echo).layer(pop::layer(app, "/streams/echo")))
    })
    .await;
    let browser = world.browser().await;
    let mut line = Line::open_at(&browser, "/streams/echo", WebSocket).await;
    line.prove().await;
    for round in 0..3 {
        for number in 0..50 {
            line.say_frame(Frame::text(format!("{round}.{number}"))).await;
        }
        for number in 0..50 {
            assert_eq!(line.hear_text().await, format!("{round}.{number}"));
        }
        world.advance_ms(INTERVAL_MS);
        line.prove().await;
    }
    line.say_frame(Frame::Close(None)).await;
    world.until(async || listed(&browser).await == 0).await;
}
