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

fn events(stream: &EventStream, name: &str) -> Rc<RefCell<Vec<String>>> {
    let heard: Rc<RefCell<Vec<String>>> = Rc::default();
    let list = Rc::clone(&heard);
    stream.on_event(name, move |data, _| list.borrow_mut().push(data.to_owned())).forget();
    heard
}

/// How the tabs of a client call what they share.
fn shared(client: &PopClient) -> String {
    format!("holdfast-pop {ORIGIN}{STREAM} {}", client.thumbprint().unwrap().as_str())
}

#[wasm_bindgen_test]
async fn tabs_share_one_connection() {
    let (_client, stream, server, heard) = streaming("activity").await;
    let other_client = open().await;
    let other = other_client.stream(STREAM).unwrap();
    let other_heard = events(&other, "activity");
    let only_other_heard = events(&other, "connections");
    server.say_event(&Message::Challenge(server.challenge(1)));
    until("an answer", || request_count() == 2).await;
    arrive(0, "activity", "before the proof");
    until_idle().await;
    assert_eq!(*other_heard.borrow(), Vec::<String>::new());
    server.say_event(&Message::Proven { sequence: 1, rtt_ms: 9 });
    until("both are open", || [&stream, &other].iter().all(|one| one.state() == State::Open { rtt_ms: 9 }))
        .await;
    arrive(0, "connections", "a list");
    arrive(0, "activity", "now");
    until("both have heard", || {
        *heard.borrow() == ["before the proof", "now"]
            && *other_heard.borrow() == ["before the proof", "now"]
            && *only_other_heard.borrow() == ["a list"]
    })
    .await;

    // A tab that comes later learns how it stands.
    let third_client = open().await;
    let third = third_client.stream(STREAM).unwrap();
    until("it knows", || third.state() == State::Open { rtt_ms: 9 }).await;
    assert_eq!(dial_count(), 1);
}

#[wasm_bindgen_test]
async fn when_the_tab_that_leads_closes_its_stream_another_dials() {
    let (_client, stream, _server, _heard) = streaming("activity").await;
    let other_client = open().await;
    let other = other_client.stream(STREAM).unwrap();
    let heard = events(&other, "activity");
    let third_client = open().await;
    let third = third_client.stream(STREAM).unwrap();
    // Whoever leads later learns what the others listen to.
    let only_third_heard = events(&third, "connections");
    until_idle().await;
    assert_eq!(dial_count(), 1);
    ticket_next(2);
    stream.close();
    assert!(dial_closed(0));
    until("the other dials", || dial_count() == 2).await;
    let server = Server::of(&other_client, 2).await;
    opened(1);
    let requests = request_count();
    server.say_event(&Message::Challenge(server.challenge(1)));
    until("it answers", || request_count() == requests + 1).await;
    server.say_event(&Message::Proven { sequence: 1, rtt_ms: 3 });
    arrive(1, "activity", "now");
    assert_eq!(
        (other.state(), heard.borrow().as_slice()),
        (State::Open { rtt_ms: 3 }, &["now".to_owned()][..])
    );
    assert_eq!(stream.state(), State::Ended(End::Closed));
    arrive(1, "connections", "a list");
    until("the third hears it", || *only_third_heard.borrow() == ["a list"]).await;
}

#[wasm_bindgen_test]
async fn a_frozen_tab_does_not_keep_the_lead() {
    let client = signed_in().await;
    hurry(5);
    hold_lock(&shared(&client)).await;
    let stream = client.stream(STREAM).unwrap();
    ticket_next(1);
    until("it takes the lead", || dial_count() == 1).await;

    // Another tab may think the same of this one: it lets go, and waits for its turn.
    hold_lock(&shared(&client)).await;
    until("it hangs up", || dial_closed(0)).await;
    assert_eq!(stream.state(), State::Connecting);
    ticket_next(2);
    until("it leads again", || dial_count() == 2).await;
}

#[wasm_bindgen_test]
async fn tabs_of_another_key_share_nothing() {
    let (client, stream, server, _heard) = streaming("activity").await;
    server.say_event(&Message::Challenge(server.challenge(1)));
    until("an answer", || request_count() == 2).await;
    server.say_event(&Message::Proven { sequence: 1, rtt_ms: 9 });
    let before = shared(&client);
    ticket_next(2);
    let key = client.make_key().await.unwrap();
    client.adopt(key).await.unwrap();
    assert_ne!(shared(&client), before);
    assert!(dial_closed(0));
    until("it dials with the new key", || dial_count() == 2).await;
    assert_eq!(stream.state(), State::Connecting);
}

#[wasm_bindgen_test]
async fn an_address_with_another_query_is_another_stream() {
    let client = signed_in().await;
    let open = |query: &str| client.stream(&[STREAM, query].concat()).unwrap();
    let _both = (open("?room=1"), open("?room=2"));
    ticket_next(1);
    ticket_next(2);
    until("each dials", || dial_count() == 2).await;
}

#[wasm_bindgen_test]
async fn whoever_closes_while_it_is_told_leads_no_more() {
    let (client, stream, _server, _heard) = streaming("activity").await;
    let own = stream.clone();
    let closing = move |state| {
        if state == State::Connecting {
            own.close();
        }
    };
    stream.on_state(closing).forget();
    hold_lock(&shared(&client)).await;
    until("it is closed", || stream.state() == State::Ended(End::Closed)).await;

    until_idle().await;
    assert_eq!(waiting_for(&shared(&client)).await, Some(0.0));
}
