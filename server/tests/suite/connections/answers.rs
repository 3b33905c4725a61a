use super::{INTERVAL_MS, TOO_LONG_MS};
use crate::support::{Line, PlainBody, World};
use axum::http::Method;
use holdfast_protocol::{
    connections::Transport::{ServerSentEvents, WebSocket},
    history::Activity,
    pop::{Held, Message},
    problem::Code,
};

#[tokio::test]
async fn an_answer_comes_from_the_connections_own_session() {
    let world = World::new().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    let other = world.sign_in(&browser.account).await;
    let mut line = Line::open(&browser, ServerSentEvents).await;
    let challenge = line.hear_challenge().await;
    let path = format!("/v1/connections/{}/answer", line.id);
    let right = line.signed(&challenge, &browser.key);
    for thief in [&other, &stranger] {
        assert_eq!(thief.post_text(&path, &right.encode()).await.code(), Code::NotFound);
    }
    // Nothing has happened: the answer is still awaited, and taken.
    line.hear_nothing().await;
    line.say(&right).await;
    line.hear_proven(&challenge).await;
}

#[tokio::test]
async fn an_answer_needs_cookie_origin_and_csrf() {
    let world = World::new().await;
    let browser = world.browser().await;
    let line = Line::open(&browser, ServerSentEvents).await;
    let path = format!("/v1/connections/{}/answer", line.id);
    for (name, code) in
        [("cookie", Code::SignedOut), ("origin", Code::ForeignOrigin), ("x-csrf-token", Code::CsrfMismatch)]
    {
        let mut request = browser.request(Method::POST, &path).header("content-type", "text/plain");
        request.headers_mut().unwrap().remove(name);
        let answer = browser.send(request.body(PlainBody::from("ask")).unwrap()).await;
        assert_eq!(answer.code(), code, "without {name}");
    }
}

#[tokio::test]
async fn what_is_not_signed_needs_a_proof() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut line = Line::open(&browser, ServerSentEvents).await;
    line.prove().await;
    let path = format!("/v1/connections/{}/answer", line.id);
    for text in ["ask", "refuse 1 relayed", "refuse 999 relayed", "refuse 2 no-key"] {
        let request = browser.request(Method::POST, &path).header("content-type", "text/plain");
        let answer = browser.send(request.body(PlainBody::from(text)).unwrap()).await;
        assert_eq!(answer.code(), Code::PopProofMissing, "{text}");
    }
    assert_eq!(line.hear_activity().await.what, Activity::CookieWithoutKey);
    world.advance_ms(INTERVAL_MS);
    line.prove().await;
}

#[tokio::test]
async fn an_answer_is_one_control_message_of_a_browser() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut line = Line::open(&browser, ServerSentEvents).await;
    let challenge = line.hear_challenge().await;
    let path = format!("/v1/connections/{}/answer", line.id);
    for (text, code) in [
        ("", Code::InvalidRequest),
        ("ask ", Code::InvalidRequest),
        ("ask\n", Code::InvalidRequest),
        ("\u{1}ask", Code::InvalidRequest),
        ("proven 1 1", Code::InvalidRequest),
        ("end 4401", Code::InvalidRequest),
        (&"x".repeat(257), Code::TooLarge),
    ] {
        assert_eq!(browser.post_text(&path, text).await.code(), code, "{text:?}");
    }
    let json = browser.request(Method::POST, &path).header("content-type", "application/json");
    let answer = browser.send(json.body(PlainBody::from("ask")).unwrap()).await;
    assert_eq!(answer.code(), Code::UnsupportedMediaType);
    let raw = browser.request(Method::POST, &path).header("content-type", "text/plain");
    let answer = browser.send(raw.body(PlainBody::from(vec![0xff, 0xfe])).unwrap()).await;
    assert_eq!(answer.code(), Code::InvalidRequest);

    line.answer(&challenge).await;
    line.hear_proven(&challenge).await;
}

#[tokio::test]
async fn a_web_socket_and_an_unknown_connection_take_no_posted_answers() {
    let world = World::new().await;
    let browser = world.browser().await;
    let line = Line::open(&browser, WebSocket).await;
    for id in [line.id.as_str(), "con_0000-0000-0000-0000", "con_0", "%ff"] {
        let path = format!("/v1/connections/{id}/answer");
        assert_eq!(browser.post_text(&path, "ask").await.code(), Code::NotFound, "{id}");
    }
}

#[tokio::test]
async fn a_connection_that_is_over_takes_no_answers() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut line = Line::open(&browser, ServerSentEvents).await;
    for _ in 0..2 {
        line.hear_challenge().await;
        world.advance_ms(TOO_LONG_MS);
        line.hear_held(Held::Late).await;
    }
    let path = format!("/v1/connections/{}/answer", line.id);
    world.until(async || browser.post_text(&path, &Message::Ask.encode()).await.status == 404).await;
}
