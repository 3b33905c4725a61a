use super::{fakes::*, server::*};
use holdfast_pop::{End, EventStream, PopClient, State};
use holdfast_protocol::pop::Message;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_test::wasm_bindgen_test;

async fn streaming(name: &str) -> (PopClient, EventStream, Server, Rc<RefCell<Vec<String>>>) {
    let client = signed_in().await;
    let stream = client.stream(STREAM).unwrap();
    let heard: Rc<RefCell<Vec<String>>> = Rc::default();
    let list = Rc::clone(&heard);
    stream.on_event(name, move |data, _| list.borrow_mut().push(data.to_owned())).forget();
    ticket_next(1);
    until("it dials", || dial_count() == 1).await;
    let server = Server::of(&client, 1).await;
    opened(0);
    (client, stream, server, heard)
}

#[wasm_bindgen_test]
async fn server_sent_events_are_answered_by_post() {
    let (_client, stream, server, heard) = streaming("activity").await;
    assert_eq!(dial_url(0), "https://console.example/v1/streams/activity?ticket=ticket-1");
    arrive(0, "activity", "early");
    server.say_event(&Message::Challenge(server.challenge(1)));
    until("an answer", || request_count() == 2).await;
    assert_eq!(request_url(1), format!("{ORIGIN}/v1/connections/{}/answer", id(1)));
    assert_eq!(request_header(1, "Content-Type").as_deref(), Some("text/plain"));
    assert_eq!(request_header(1, "DPoP"), None);
    server.check(1, &request_body(1));
    assert_eq!(*heard.borrow(), Vec::<String>::new());
    server.say_event(&Message::Proven { sequence: 1, rtt_ms: 9 });
    assert_eq!(stream.state(), State::Open { rtt_ms: 9 });
    arrive(0, "activity", "now");
    arrive(0, "connections", "not asked for");
    assert_eq!(*heard.borrow(), ["early", "now"]);
}

#[wasm_bindgen_test]
async fn the_browsers_own_reconnection_never_reuses_a_ticket() {
    let (_client, stream, _server, heard) = streaming("activity").await;
    ticket_next(2);
    lost(0, 0);
    assert!(dial_closed(0));
    stream.retry_now();
    until("it dials again", || dial_count() == 2).await;
    assert!(dial_url(1).ends_with("?ticket=ticket-2"));
    arrive(0, "activity", "ghost");
    assert_eq!(*heard.borrow(), Vec::<String>::new());
}

#[wasm_bindgen_test]
async fn an_answer_that_the_server_does_not_know_means_a_new_connection() {
    let (_client, stream, server, _heard) = streaming("activity").await;
    answer_next(404, "{}", r#"{"code":"not_found"}"#);
    server.say_event(&Message::Challenge(server.challenge(1)));
    until("it waits", || matches!(stream.state(), State::Waiting { .. })).await;
    assert!(dial_closed(0));
}

#[wasm_bindgen_test]
async fn the_end_of_a_stream_is_a_message() {
    let (_client, stream, server, _heard) = streaming("activity").await;
    server.say_event(&Message::End { code: 4404 });
    assert_eq!(stream.state(), State::Ended(End::EndedByOwner));
}
