use super::{fakes::*, server::*};
use holdfast_pop::{Connection, Data, End, LastWord, PopClient, PopError, State, Status};
use holdfast_protocol::pop::{Challenge, Message, Refusal};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_test::wasm_bindgen_test;

struct Page {
    client: PopClient,
    connection: Connection,
    heard: Rc<RefCell<Vec<String>>>,
    states: Rc<RefCell<Vec<State>>>,
}

impl Page {
    async fn connecting() -> Self {
        let client = signed_in().await;
        let connection = client.connect(STREAM, &["holdfast.activity.1"]).unwrap();
        let heard: Rc<RefCell<Vec<String>>> = Rc::default();
        let states: Rc<RefCell<Vec<State>>> = Rc::default();
        let list = Rc::clone(&heard);
        let listener = move |data: Data<'_>| {
            list.borrow_mut().push(match data {
                Data::Text(text) => text.to_owned(),
                Data::Bytes(bytes) => format!("{bytes:?}"),
            });
        };
        connection.on_message(listener).forget();
        let list = Rc::clone(&states);
        connection.on_state(move |state| list.borrow_mut().push(state)).forget();
        Self { client, connection, heard, states }
    }

    async fn dialled() -> (Self, Server) {
        let page = Self::connecting_with_ticket(1).await;
        let server = Server::of(&page.client, 1).await;
        (page, server)
    }

    async fn connecting_with_ticket(number: u8) -> Self {
        let page = Self::connecting().await;
        ticket_next(number);
        until("it dials", || dial_count() == 1).await;
        opened(0);
        page
    }

    async fn open() -> (Self, Server) {
        let (page, server) = Self::dialled().await;
        server.prove(1).await;
        assert_eq!(page.connection.state(), State::Open { rtt_ms: 7 });
        (page, server)
    }
}

#[wasm_bindgen_test]
async fn opens_with_a_ticket_and_proves_itself_before_anything_flows() {
    let (page, server) = Page::dialled().await;
    assert_eq!(request_url(0), [ORIGIN, "/v1/connections/tickets"].concat());
    let proof = verified(&request_header(0, "DPoP").unwrap(), "POST", "/v1/connections/tickets");
    assert_eq!(Some(proof.jkt), page.client.thumbprint());
    assert_eq!(request_header(0, "Content-Type").as_deref(), Some("application/json"));
    assert_eq!(request_option(0, "redirect"), "error");
    assert_eq!(request_option(0, "method"), "POST");
    assert_eq!(dial_url(0), "wss://console.example/v1/streams/activity?ticket=ticket-1");
    assert_eq!(dial_protocols(0), "holdfast.pop.1,holdfast.activity.1");

    assert_eq!(page.connection.send("held"), Ok(()));
    arrive(0, "message", "early");
    assert_eq!(sent_count(0), 0);
    assert_eq!(*page.heard.borrow(), Vec::<String>::new());
    server.prove(1).await;
    assert_eq!(sent_text(0, 1), "held");
    assert_eq!(*page.heard.borrow(), ["early"]);
    let states = [State::Proving, State::Open { rtt_ms: 7 }];
    assert_eq!(page.states.borrow()[page.states.borrow().len() - 2..], states);

    // The nonce of the ticket's response is in the next proof.
    let proof = page.client.proof("GET", "/").await.unwrap();
    assert_eq!(verified(&proof, "GET", "/").claims.nonce.as_deref(), Some("newer"));
}

#[wasm_bindgen_test]
async fn what_the_application_says_arrives_as_it_was_said() {
    let (page, _server) = Page::open().await;
    let before = sent_count(0);
    page.connection.send("\u{1}looks like control").unwrap();
    page.connection.send_bytes(&[1, 2]).unwrap();
    assert_eq!(sent_text(0, before), "\u{1}\u{1}looks like control");
    assert_eq!(sent_text(0, before + 1), "1,2");
    arrive(0, "message", "\u{1}\u{1}x");
    arrive_bytes(0, &[3, 4]);
    assert_eq!(*page.heard.borrow(), ["\u{1}x", "[3, 4]"]);
}

#[wasm_bindgen_test]
async fn nothing_flows_while_held() {
    let (page, server) = Page::open().await;
    server.say(&Message::Held { sequence: 2, why: holdfast_protocol::pop::Held::Late });
    assert_eq!(page.connection.state(), State::Held);
    let before = sent_count(0);
    page.connection.send("held").unwrap();
    arrive(0, "message", "also held");
    assert_eq!(sent_count(0), before);
    assert_eq!(*page.heard.borrow(), Vec::<String>::new());
    let much = "x".repeat(64 * 1024);
    assert_eq!(page.connection.send(&much), Err(PopError::TooMuchHeld));
    server.prove(3).await;
    assert_eq!(sent_text(0, before + 1), "held");
    assert_eq!(*page.heard.borrow(), ["also held"]);
}

#[wasm_bindgen_test]
async fn a_relayed_challenge_is_refused() {
    let (_page, server) = Page::open().await;
    let before = sent_count(0);
    let challenge = Challenge { connection: id(9), ..server.challenge(2) };
    server.say(&Message::Challenge(challenge));
    let refusal = Message::Refuse { sequence: 2, why: Refusal::Relayed };
    assert_eq!(sent_text(0, before), ["\u{1}", &refusal.encode()].concat());
}

#[wasm_bindgen_test]
async fn a_missing_nonce_costs_one_more_request_with_another_jti() {
    let client = signed_in().await;
    // RFC 9449's way to say it, and no other.
    let says = r#"{"DPoP-Nonce":"fresh-nonce","WWW-Authenticate":"DPoP error=\"use_dpop_nonce\""}"#;
    answer_next(401, says, "{}");
    ticket_next(1);
    let _connection = client.connect(STREAM, &[]).unwrap();
    until("it dials", || dial_count() == 1).await;
    assert_eq!(request_count(), 2);
    let [first, second] =
        [0, 1].map(|at| verified(&request_header(at, "DPoP").unwrap(), "POST", "/v1/connections/tickets"));
    assert_eq!(first.claims.nonce, None);
    assert_eq!(second.claims.nonce.as_deref(), Some("fresh-nonce"));
    assert_ne!(first.claims.jti, second.claims.jti);
    assert_eq!(client_nonce(0), client_nonce(1));
    // The answer to the retry brought another one, which is kept.
    let next = client.proof("GET", "/").await.unwrap();
    assert_eq!(verified(&next, "GET", "/").claims.nonce.as_deref(), Some("newer"));
}

#[wasm_bindgen_test]
async fn a_lost_connection_comes_back_with_a_fresh_ticket() {
    let (page, _server) = Page::open().await;
    ticket_next(2);
    lost(0, 1006);
    assert!(matches!(page.connection.state(), State::Waiting { .. }));
    page.connection.retry_now();
    until("it dials again", || dial_count() == 2).await;
    assert!(dial_closed(0));
    assert!(dial_url(1).ends_with("?ticket=ticket-2"));
    opened(1);
    let server = Server::of(&page.client, 2).await;
    assert_ne!(client_nonce(0), client_nonce(request_count() - 1));
    server.prove(1).await;
    // The first one is dead: what it still says is nobody's.
    arrive(0, "message", "ghost");
    lost(0, 4403);
    assert_eq!(page.connection.state(), State::Open { rtt_ms: 7 });
    assert_eq!(*page.heard.borrow(), Vec::<String>::new());
}

#[wasm_bindgen_test]
async fn a_session_that_ended_is_told_once_and_never_retried() {
    let (page, _server) = Page::open().await;
    let statuses: Rc<RefCell<Vec<Status>>> = Rc::default();
    let list = Rc::clone(&statuses);
    page.client.on_status(move |status| list.borrow_mut().push(status)).forget();
    let requests = request_count();
    lost(0, 4403);
    until("it ends", || page.connection.state() == State::Ended(End::SignedOut)).await;
    page.connection.retry_now();
    online();
    until_idle().await;
    assert_eq!(request_count(), requests);
    assert_eq!(*statuses.borrow(), [Status::SignedOut]);
    assert_eq!(page.connection.send("late"), Err(PopError::Ended));
}

#[wasm_bindgen_test]
async fn the_owners_end_is_final() {
    let (page, server) = Page::open().await;
    server.say(&Message::End { code: 4404 });
    assert_eq!(page.connection.state(), State::Ended(End::EndedByOwner));
    assert!(dial_closed(0));
}

#[wasm_bindgen_test]
async fn a_lagging_tab_follows_the_new_key_instead_of_signing_out() {
    let (page, _server) = Page::open().await;
    let other = open().await;
    ticket_next(2);
    // The other tab's sign-in ends this session a moment before it can say so.
    lost(0, 4403);
    let key = other.make_key().await.unwrap();
    other.adopt(key).await.unwrap();
    until("it dials again", || dial_count() == 2).await;
    let server = Server::of(&page.client, 2).await;
    assert_eq!(other.thumbprint(), page.client.thumbprint());
    opened(1);
    server.prove(1).await;
}

#[wasm_bindgen_test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let client = signed_in().await;
    for no_seconds in ["-1", "", "0", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        answer_next(503, &[r#"{"Retry-After":""#, no_seconds, r#""}"#].concat(), "{}");
        let connection = client.connect(STREAM, &[]).unwrap();
        let first: Rc<RefCell<Option<u32>>> = Rc::default();
        let wait = Rc::clone(&first);
        let heard = connection.on_state(move |state| {
            if let State::Waiting { retry_in_ms } = state {
                wait.borrow_mut().get_or_insert(retry_in_ms);
            }
        });
        until("it waits", || first.borrow().is_some()).await;
        assert!(first.borrow().is_some_and(|wait| wait < 500), "{no_seconds}");
        connection.close();
        drop(heard);
        // What it was about to ask once more has been asked, and takes no answer that is meant for the next.
        until_idle().await;
    }
    answer_next(503, r#"{"Retry-After":"30"}"#, "{}");
    let connection = client.connect(STREAM, &[]).unwrap();
    until("it waits", || matches!(connection.state(), State::Waiting { .. })).await;
    assert!(matches!(connection.state(), State::Waiting { retry_in_ms: 30_000..=30_500 }));
    // The page wakes, and that changes nothing.
    online();
    until_idle().await;
    assert!(matches!(connection.state(), State::Waiting { .. }));
    // Somebody who does not want to wait.
    answer_next(0, "{}", "{}");
    connection.retry_now();
    // Its own next try may come before this looks.
    until("offline", || request_count() >= 7).await;
    until("it waits", || matches!(connection.state(), State::Waiting { .. })).await;
    ticket_next(1);
    online();
    until("it dials", || dial_count() == 1).await;
}

#[wasm_bindgen_test]
async fn what_will_never_be_allowed_is_not_tried_again() {
    let client = signed_in().await;
    answer_next(404, "{}", r#"{"code":"not_found"}"#);
    let connection = client.connect(STREAM, &[]).unwrap();
    until("it ends", || connection.state() == State::Ended(End::Refused)).await;
}

#[wasm_bindgen_test]
async fn what_somebody_in_between_says_is_not_final() {
    let client = signed_in().await;
    for status in [400, 401, 403, 404] {
        for body in [r#""<html>""#, r#"{"message":"no"}"#] {
            answer_next(status, "{}", body);
            let connection = client.connect(STREAM, &[]).unwrap();
            until("it waits", || matches!(connection.state(), State::Waiting { .. })).await;
            connection.close();
        }
    }
}

#[wasm_bindgen_test]
async fn back_on_the_network_one_round_trip_proves_it() {
    let (page, server) = Page::open().await;
    let before = sent_count(0);
    online();
    online();
    assert_eq!(sent_count(0), before + 1);
    assert_eq!(sent_text(0, before), "\u{1}ask");
    assert_eq!(page.connection.state(), State::Proving);
    arrive(0, "message", "not yet");
    assert_eq!(*page.heard.borrow(), Vec::<String>::new());
    server.prove(2).await;
    assert_eq!(page.connection.state(), State::Open { rtt_ms: 7 });
    assert_eq!(*page.heard.borrow(), ["not yet"]);
}

#[wasm_bindgen_test]
async fn the_back_forward_cache_keeps_no_connection_open() {
    let (page, server) = Page::open().await;
    page_event("pagehide", false);
    assert!(!dial_closed(0));
    page_event("pagehide", true);
    assert_eq!(dial_closed(0), is_page());
    if !is_page() {
        // A worker is not cached with a page, and whatever sounds like it changes nothing.
        page_event("pageshow", true);
        server.prove(2).await;
        assert_eq!(dial_count(), 1);
        return;
    }
    ticket_next(2);
    page_event("pageshow", true);
    until("it dials again", || dial_count() == 2).await;
    let server = Server::of(&page.client, 2).await;
    opened(1);
    server.prove(1).await;
}

#[wasm_bindgen_test]
async fn a_dropped_handle_closes_and_late_events_harm_nobody() {
    let (page, server) = Page::open().await;
    // A signature is under way when the page lets go.
    server.say(&Message::Challenge(server.challenge(2)));
    let Page { connection, heard, .. } = page;
    drop(connection);
    assert!(dial_closed(0));
    arrive(0, "message", "late");
    lost(0, 1006);
    until_idle().await;
    assert_eq!(sent_count(0), 1);
    assert_eq!(*heard.borrow(), Vec::<String>::new());
}

#[wasm_bindgen_test]
async fn a_listener_may_close_the_connection() {
    let (page, _server) = Page::open().await;
    let own = page.connection.clone();
    page.connection.on_message(move |_| own.close()).forget();
    arrive(0, "message", "close");
    assert_eq!(page.connection.state(), State::Ended(End::Closed));
    assert!(dial_closed(0));
}

#[wasm_bindgen_test]
async fn both_applications_say_how_they_close() {
    let (page, _server) = Page::open().await;
    for (code, reason) in [(1001, ""), (4403, ""), (5000, ""), (4000, &"x".repeat(124)[..])] {
        assert_eq!(page.connection.close_with(code, reason), Err(PopError::BadArgument), "{code}");
    }
    assert_eq!(page.connection.close_with(4001, "enough"), Ok(()));
    assert_eq!(dial_closed_with(0).as_deref(), Some("4001 enough"));
    assert_eq!(page.connection.state(), State::Ended(End::Closed));
    assert_eq!(page.connection.last_word(), None);

    // Nobody hears a word on a connection that is not proven.
    let (page, server) = Page::open().await;
    server.say(&Message::Held { sequence: 2, why: holdfast_protocol::pop::Held::Late });
    assert_eq!(page.connection.close_with(4001, "enough"), Ok(()));
    assert_eq!(dial_closed_with(0).as_deref(), Some(""));

    let (page, _server) = Page::open().await;
    lost(0, 4999);
    assert_eq!(page.connection.state(), State::Ended(End::EndedByApplication));
    let said = LastWord { code: 4999, reason: "said".to_owned() };
    assert_eq!(page.connection.last_word(), Some(said));
}

#[wasm_bindgen_test]
async fn signing_out_ends_connections() {
    let (page, _server) = Page::open().await;
    page.client.destroy().await.unwrap();
    assert_eq!(page.connection.state(), State::Ended(End::SignedOut));
    assert!(dial_closed(0));
}

#[wasm_bindgen_test]
async fn the_csrf_cookie_is_found_among_others() {
    if !is_page() {
        return;
    }
    for (cookies, found) in [
        (&["xcsrf=abc", "csrf2=d"][..], None),
        (&["xcsrf=abc", "csrf=abc=", "z=csrf=y"], Some("abc=")),
        (&["csrf=first"], Some("first")),
    ] {
        let client = signed_in().await;
        cookies.iter().for_each(|cookie| set_cookie(cookie));
        ticket_next(1);
        let connection = client.connect(STREAM, &[]).unwrap();
        until("it dials", || dial_count() == 1).await;
        assert_eq!(request_header(0, "X-CSRF-Token").as_deref(), found, "{cookies:?}");
        connection.close();
        for cookie in cookies {
            let (name, _) = cookie.split_once('=').unwrap();
            set_cookie(&[name, "=; max-age=0"].concat());
        }
    }
}
