//! The example that integrators read, as they would run it.

#[expect(dead_code, reason = "its `main` serves on a port of its own")]
#[path = "../../../examples/chat.rs"]
mod example;

use crate::support::{Line, PlainBody, World};
use axum::http::Method;
use holdfast_protocol::{connections::Transport::WebSocket, pop::Close};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as Frame;

#[tokio::test]
async fn what_one_says_all_hear_with_the_name_that_the_server_knows() {
    let world = World::serving(example::chat).await;
    let (ada, bob) = (world.browser().await, world.browser().await);
    let mut lines = [
        Line::open_at(&ada, "/streams/chat", WebSocket).await,
        Line::open_at(&bob, "/streams/chat", WebSocket).await,
    ];
    for line in &mut lines {
        line.prove().await;
    }
    let [adas, bobs] = &mut lines;
    adas.say_frame(Frame::text("hello")).await;
    assert_eq!(adas.hear_text().await, format!("{}: hello", ada.account));
    bobs.say_frame(Frame::text("\u{1}\u{1}hi")).await;
    for line in [&mut *adas, &mut *bobs] {
        let mut heard = line.hear_text().await;
        // Who was proven just before it may have heard that, too.
        if heard.ends_with("hello") {
            heard = line.hear_text().await;
        }
        assert_eq!(heard, format!("{}: \u{1}hi", bob.account));
    }
    bob.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
    bobs.hear_close(Close::SessionEnded).await;
    adas.say_frame(Frame::text("gone?")).await;
    assert_eq!(adas.hear_text().await, format!("{}: gone?", ada.account));
}

#[tokio::test]
async fn its_page_is_beside_holdfasts_own() {
    let world = World::serving(example::chat).await;
    let browser = world.browser().await;
    let page = browser.request(Method::GET, "/chat").body(PlainBody::default()).unwrap();
    let answer = browser.send(page).await;
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert!(String::from_utf8_lossy(&answer.body).contains("client.connect(\"/streams/chat\")"));
    assert_eq!(browser.get("/v1/me").await.status, 200);
    for nothing in ["/pop/Cargo.toml", "/pop/..%2f..%2f..%2fCargo.toml"] {
        let file = browser.request(Method::GET, nothing).body(PlainBody::default()).unwrap();
        assert_eq!(browser.send(file).await.status, 404);
    }
}
