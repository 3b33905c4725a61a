use super::BOTH;
use crate::support::{Browser, Line, Minted, ORIGIN, PlainBody, World, dial, path_of, run};
use axum::http::{HeaderValue, Method};
use holdfast_protocol::{
    base64url,
    connections::Transport,
    problem::{Code, Problem},
};
use serde_json::json;
use std::num::NonZeroU32;
use tokio_tungstenite::tungstenite::{self, handshake::client::Request};

/// Opens a ticket's stream and says how it was refused; `None`: it was not.
async fn refused(browser: &Browser, minted: &Minted, transport: Transport) -> Option<Code> {
    match transport {
        Transport::WebSocket => refused_socket(browser, minted, |_| {}).await,
        Transport::ServerSentEvents => {
            let request =
                browser.request(Method::GET, &path_of(minted)).header("accept", "text/event-stream");
            let response = browser.begin(request.body(PlainBody::default()).unwrap()).await;
            if response.status() == 200 {
                return None;
            }
            let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            Some(serde_json::from_slice::<Problem>(&bytes).unwrap().code)
        }
    }
}

async fn refused_socket(
    browser: &Browser,
    minted: &Minted,
    change: impl FnOnce(&mut Request),
) -> Option<Code> {
    match dial(browser, minted, change).await {
        Ok(_) => None,
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().as_ref().unwrap();
            let problem: Problem = serde_json::from_slice(body).unwrap();
            assert_eq!(problem.status, response.status().as_u16());
            Some(problem.code)
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_ticket_opens_one_connection_and_is_spent() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let minted = browser.mint().await;
        assert!(minted.ticket.expires_in_s <= 60);
        assert_eq!(refused(&browser, &minted, transport).await, None);
        assert_eq!(refused(&browser, &minted, transport).await, Some(Code::TicketInvalid));
    }
}

#[tokio::test]
async fn tickets_are_tried_so_often_and_a_try_too_many_spends_none() {
    for transport in BOTH {
        let world = World::with(|config| config.rates.session.burst = NonZeroU32::new(10).unwrap()).await;
        let browser = world.browser().await;
        let minted = browser.mint().await;
        let mut guess = browser.mint().await;
        guess.ticket.ticket.push('x');
        let mut tried = 0;
        while refused(&browser, &guess, transport).await == Some(Code::TicketInvalid) {
            tried += 1;
        }
        assert!((1..10).contains(&tried), "{tried}");
        assert_eq!(refused(&browser, &minted, transport).await, Some(Code::RateLimited));
        world.advance_ms(100);
        assert_eq!(refused(&browser, &minted, transport).await, None);
    }
}

#[tokio::test]
async fn a_ticket_that_was_cut_or_changed_opens_nothing_and_spends_nothing() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let mut minted = browser.mint().await;
        let whole = minted.ticket.ticket.clone();
        let (cut, last) = whole.split_at(whole.len() - 1);
        let other = if last == "A" { "B" } else { "A" };
        for changed in [cut.to_owned(), format!("{cut}{other}"), format!("{whole}A"), String::new()] {
            minted.ticket.ticket = changed;
            assert_eq!(refused(&browser, &minted, transport).await, Some(Code::TicketInvalid));
        }
        minted.ticket.ticket = whole;
        assert_eq!(refused(&browser, &minted, transport).await, None);
    }
}

#[tokio::test]
async fn of_many_who_race_with_one_ticket_one_gets_in() {
    let world = World::new().await;
    let browser = world.browser().await;
    let minted = browser.mint().await;
    let tries = (0..12).map(|number| refused(&browser, &minted, BOTH[number % 2]));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|result| result.is_none()).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == Some(Code::TicketInvalid)).count(), 11);
}

#[tokio::test]
async fn tickets_are_stored_hashed() {
    let world = World::new().await;
    let browser = world.browser().await;
    let minted = browser.mint().await;
    let by_ticket = "UPDATE tickets SET stream = stream WHERE hash = $1";
    assert_eq!(run!(world.app.db, by_ticket, minted.ticket.ticket.as_bytes()), 0);
    let hash = holdfast_server::app::stored(&minted.ticket.ticket);
    assert_eq!(run!(world.app.db, by_ticket, hash.as_slice()), 1);
}

#[tokio::test]
async fn a_ticket_of_another_session_opens_nothing_and_is_spent_by_the_attempt() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let (other, stranger) = (world.sign_in(&browser.account).await, world.browser().await);
        for thief in [&other, &stranger] {
            let minted = browser.mint().await;
            assert_eq!(refused(thief, &minted, transport).await, Some(Code::TicketInvalid));
            assert_eq!(refused(&browser, &minted, transport).await, Some(Code::TicketInvalid));
        }
    }
}

#[tokio::test]
async fn a_ticket_lives_a_minute_and_is_for_its_own_stream() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let minted = browser.mint().await;
        world.advance_ms(60_000);
        assert_eq!(refused(&browser, &minted, transport).await, Some(Code::TicketInvalid));

        let minted = browser.mint().await;
        assert_eq!(run!(world.app.db, "UPDATE tickets SET stream = $1", "/v1/streams/terminal"), 1);
        assert_eq!(refused(&browser, &minted, transport).await, Some(Code::TicketInvalid));
    }
}

#[tokio::test]
async fn expired_tickets_are_swept_and_others_stay() {
    let world = World::new().await;
    let browser = world.browser().await;
    let old = browser.mint().await;
    world.advance_ms(59_000);
    let young = browser.mint().await;
    world.advance_ms(1_000);
    world.app.sweep().await.unwrap();
    let count = "UPDATE tickets SET stream = stream WHERE hash = $1";
    for (minted, left) in [(&old, 0), (&young, 1)] {
        let hash = holdfast_server::app::stored(&minted.ticket.ticket);
        assert_eq!(run!(world.app.db, count, hash.as_slice()), left);
    }
    assert_eq!(refused(&browser, &young, BOTH[0]).await, None);
}

#[tokio::test]
async fn a_session_that_ended_opens_nothing() {
    for transport in BOTH {
        let world = World::new().await;
        let browser = world.browser().await;
        let minted = browser.mint().await;
        browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
        assert_eq!(refused(&browser, &minted, transport).await, Some(Code::SignedOut));
    }
}

#[tokio::test]
async fn a_web_socket_needs_the_exact_origin() {
    let world = World::new().await;
    let browser = world.browser().await;
    let minted = browser.mint().await;
    for origin in
        ["http://localhost:8081", "https://localhost:8080", "http://localhost:8080.evil", "null", ""]
    {
        let value = HeaderValue::from_static(origin);
        let change = move |request: &mut Request| {
            request.headers_mut().insert("origin", value);
        };
        assert_eq!(refused_socket(&browser, &minted, change).await, Some(Code::ForeignOrigin), "{origin}");
    }
    let without = |request: &mut Request| {
        request.headers_mut().remove("origin");
    };
    assert_eq!(refused_socket(&browser, &minted, without).await, Some(Code::ForeignOrigin));
    let twice = |request: &mut Request| {
        request.headers_mut().append("origin", HeaderValue::from_static(ORIGIN));
    };
    assert_eq!(refused_socket(&browser, &minted, twice).await, Some(Code::InvalidRequest));
    let without_cookie = |request: &mut Request| {
        request.headers_mut().remove("cookie");
    };
    assert_eq!(refused_socket(&browser, &minted, without_cookie).await, Some(Code::SignedOut));
    // None of this has spent it.
    assert_eq!(refused_socket(&browser, &minted, |_| {}).await, None);
}

#[tokio::test]
async fn server_sent_events_need_a_request_of_the_consoles_own_page() {
    let world = World::new().await;
    let browser = world.browser().await;
    let minted = browser.mint().await;
    for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
        let mut request = browser.request(Method::GET, &path_of(&minted));
        request.headers_mut().unwrap().remove("sec-fetch-site");
        let mut request = request.header("accept", "text/event-stream");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        let answer = browser.send(request.body(PlainBody::default()).unwrap()).await;
        assert_eq!(answer.code(), Code::ForeignOrigin, "{site:?}");
    }
    assert_eq!(refused(&browser, &minted, Transport::ServerSentEvents).await, None);
}

#[tokio::test]
async fn the_subprotocol_must_be_offered_and_the_applications_own_is_selected() {
    let world = World::new().await;
    let browser = world.browser().await;
    for (offered, selected) in [
        ("holdfast.pop.1, holdfast.activity.1", "holdfast.activity.1"),
        ("holdfast.activity.1,holdfast.pop.1", "holdfast.activity.1"),
        ("holdfast.pop.1", "holdfast.pop.1"),
        ("mine, holdfast.pop.1", "holdfast.pop.1"),
    ] {
        let minted = browser.mint().await;
        let change = |request: &mut Request| {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(offered));
        };
        let (_, response) = dial(&browser, &minted, change).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], selected);
    }
    let minted = browser.mint().await;
    for offered in ["holdfast.activity.1", "holdfast.pop.10", ""] {
        let change = |request: &mut Request| {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(offered));
        };
        assert_eq!(refused_socket(&browser, &minted, change).await, Some(Code::InvalidRequest), "{offered}");
    }
    assert_eq!(refused_socket(&browser, &minted, |_| {}).await, None);
}

#[tokio::test]
async fn a_stream_is_opened_in_the_two_documented_ways_only() {
    let world = World::new().await;
    let browser = world.browser().await;
    let minted = browser.mint().await;
    let path = path_of(&minted);
    for (method, path, accept, code) in [
        (Method::GET, path.as_str(), "*/*", Code::InvalidRequest),
        (Method::GET, "/v1/streams/activity", "text/event-stream", Code::InvalidRequest),
        (Method::GET, &format!("{path}&ticket=x"), "text/event-stream", Code::InvalidRequest),
        (Method::GET, "/v1/streams/activity?ticket=x", "text/event-stream", Code::TicketInvalid),
        (Method::POST, &path, "text/event-stream", Code::MethodNotAllowed),
    ] {
        let request = browser.request(method, path).header("accept", accept);
        let answer = browser.send(request.body(PlainBody::default()).unwrap()).await;
        assert_eq!(answer.code(), code, "{path}");
    }
    let request = browser.request(Method::HEAD, &path).header("accept", "text/event-stream");
    assert_eq!(browser.send(request.body(PlainBody::default()).unwrap()).await.status, 405);
    assert_eq!(refused(&browser, &minted, BOTH[1]).await, None);
    for transport in BOTH {
        let minted = browser.mint().await;
        let asking = Minted { stream: "/v1/streams/activity?more=1".to_owned(), ..minted };
        assert_eq!(refused(&browser, &asking, transport).await, Some(Code::InvalidRequest));
    }
}

#[tokio::test]
async fn a_ticket_is_asked_for_in_the_documented_shape() {
    let world = World::new().await;
    let browser = world.browser().await;
    let nonce = base64url::encode(&[1; 32]);
    for bad in [
        json!({ "stream": "/v1/streams/activity" }),
        json!({ "stream": "/v1/streams/activity", "client_nonce": 7 }),
        json!({ "stream": "/v1/streams/activity", "client_nonce": format!("{nonce}=") }),
        json!({ "stream": "/v1/streams/activity", "client_nonce": base64url::encode(&[1; 33]) }),
        json!({ "stream": "/v1/streams/nothing", "client_nonce": nonce }),
        json!({ "stream": "/v1/streams/activity", "client_nonce": nonce, "scope": "all" }),
        json!([]),
    ] {
        let answer = browser.post("/v1/connections/tickets", &bad).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{bad}");
    }
    assert_eq!(run!(world.app.db, "DELETE FROM tickets"), 0);
}

#[tokio::test]
async fn a_ticket_is_minted_for_a_proven_request_only() {
    let world = World::new().await;
    let browser = world.browser().await;
    let request = browser
        .request(Method::POST, "/v1/connections/tickets")
        .header("content-type", "application/json")
        .body(PlainBody::from(r#"{"stream":"/v1/streams/activity","client_nonce":""}"#))
        .unwrap();
    assert_eq!(browser.send(request).await.code(), Code::PopProofMissing);
}

#[tokio::test]
async fn a_session_holds_32_connections_and_tickets() {
    let world = World::new().await;
    let browser = world.browser().await;
    let other = world.sign_in(&browser.account).await;
    let _lines = [Line::open(&browser, BOTH[0]).await, Line::open(&browser, BOTH[1]).await];
    for _ in 2..32 {
        browser.mint().await;
    }
    let nonce = base64url::encode(&[1; 32]);
    let request = json!({ "stream": "/v1/streams/activity", "client_nonce": nonce });
    let answer = browser.post("/v1/connections/tickets", &request).await;
    assert_eq!(answer.code(), Code::TooManyConnections);
    assert!(answer.headers.contains_key("retry-after"));
    other.mint().await;
    world.advance_ms(60_000);
    browser.mint().await;
}
