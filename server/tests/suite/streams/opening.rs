use super::{BOTH, Play, STREAM, Told};
use crate::support::{ACTIVITY, Browser, Line, Minted, PlainBody, World, dial, path_of};
use axum::{
    Json, Router,
    body::Body,
    extract::{OriginalUri, ws},
    http::{HeaderValue, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use holdfast_protocol::{
    base64url,
    connections::Transport::{self, ServerSentEvents, WebSocket},
    problem::{Code, Problem},
};
use holdfast_server::pop::{self, Connection, WebSocketUpgrade};
use serde_json::json;
use tokio_tungstenite::tungstenite::{self, handshake::client::Request};

/// How an opening was answered: a status, and the body.
async fn answered(browser: &Browser, minted: &Minted, transport: Transport) -> (StatusCode, Vec<u8>) {
    match transport {
        WebSocket => match dial(browser, minted, |_| {}).await {
            Ok((_, response)) => (response.status(), Vec::new()),
            Err(tungstenite::Error::Http(response)) => {
                (response.status(), response.into_body().unwrap_or_default())
            }
            Err(other) => panic!("{other}"),
        },
        ServerSentEvents => {
            let request =
                browser.request(Method::GET, &path_of(minted)).header("accept", "text/event-stream");
            let answer = browser.begin(request.body(PlainBody::default()).unwrap()).await;
            let status = answer.status();
            if status == StatusCode::OK {
                return (status, Vec::new());
            }
            (status, axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap().to_vec())
        }
    }
}

async fn refused(browser: &Browser, minted: &Minted, transport: Transport) -> Code {
    let (status, body) = answered(browser, minted, transport).await;
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{status}"));
    problem.code
}

#[tokio::test]
async fn a_ticket_opens_its_own_stream_only() {
    for transport in BOTH {
        let play = Play::new().await;
        let browser = play.world.browser().await;
        for (minted_for, opened) in [(ACTIVITY, STREAM), (STREAM, ACTIVITY)] {
            let minted = Minted { stream: opened.to_owned(), ..browser.mint_for(minted_for).await };
            assert_eq!(refused(&browser, &minted, transport).await, Code::TicketInvalid);
        }
    }
}

#[tokio::test]
async fn a_stream_that_nobody_declared_gets_no_ticket() {
    let play = Play::new().await;
    let browser = play.world.browser().await;
    for stream in
        ["/streams/other", "/streams/play/", "/streams/play?x=1", "/STREAMS/play", "streams/play", "/"]
    {
        let nonce = base64url::encode(&[1; 32]);
        let request = json!({ "stream": stream, "client_nonce": nonce });
        let answer = browser.post("/v1/connections/tickets", &request).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{stream}");
    }
    // One server's streams are not another's.
    let other = World::new().await;
    let browser = other.browser().await;
    let request = json!({ "stream": STREAM, "client_nonce": base64url::encode(&[1; 32]) });
    assert_eq!(browser.post("/v1/connections/tickets", &request).await.code(), Code::InvalidRequest);
}

#[tokio::test]
async fn an_opening_passes_the_same_checks_as_that_of_the_activity() {
    for transport in BOTH {
        let mut play = Play::new().await;
        let (browser, other) = (play.world.browser().await, play.world.browser().await);
        let minted = browser.mint_for(STREAM).await;
        assert_eq!(refused(&other, &minted, transport).await, Code::TicketInvalid);
        // Spent by the attempt.
        assert_eq!(refused(&browser, &minted, transport).await, Code::TicketInvalid);
        browser.mint_for(STREAM).await;
        browser.post("/v1/logout", &json!({ "scope": "this_browser" })).await;
        assert_eq!(refused(&browser, &minted, transport).await, Code::SignedOut);
        play.hear_nothing().await;
    }
    let play = Play::new().await;
    let browser = play.world.browser().await;
    let minted = browser.mint_for(STREAM).await;
    let foreign = |request: &mut Request| {
        request.headers_mut().insert("origin", HeaderValue::from_static("https://evil.example"));
    };
    assert!(dial(&browser, &minted, foreign).await.is_err());
    let request = browser.request(Method::POST, &path_of(&minted));
    let answer = browser.send(request.body(PlainBody::default()).unwrap()).await;
    assert_eq!(answer.code(), Code::MethodNotAllowed);
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    // None of it has spent the ticket.
    assert_eq!(answered(&browser, &minted, WebSocket).await.0, StatusCode::SWITCHING_PROTOCOLS);
}

#[tokio::test]
async fn the_applications_subprotocol_is_selected_where_it_is_offered() {
    let play = Play::new().await;
    let browser = play.world.browser().await;
    for (offered, selected) in
        [("holdfast.pop.1, play.1", "play.1"), ("play.2, holdfast.pop.1", "holdfast.pop.1")]
    {
        let minted = browser.mint_for(STREAM).await;
        let change = |request: &mut Request| {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(offered));
        };
        let (_, response) = dial(&browser, &minted, change).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], selected);
    }
}

/// What handlers get wrong opens nothing and shows nothing.
#[tokio::test]
async fn nothing_leaves_without_a_proof_whatever_the_handler_does() {
    async fn plain() -> &'static str {
        "secret"
    }
    async fn packed() -> Response {
        ([("content-type", "text/event-stream"), ("content-encoding", "br")], Body::from("secret"))
            .into_response()
    }
    async fn axums_own(upgrade: ws::WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(|mut socket| async move {
            let _sent = socket.send(ws::Message::text("secret")).await;
        })
    }
    async fn sorry() -> Response {
        (StatusCode::CONFLICT, Json(json!({ "why": "full" }))).into_response()
    }
    async fn socket_only(upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(async |_| {})
    }
    let world = World::serving(|app| {
        let at = |path: &'static str| pop::layer(app, path);
        Router::new()
            .route("/streams/plain", any(plain).layer(at("/streams/plain")))
            .route("/streams/packed", any(packed).layer(at("/streams/packed")))
            .route("/streams/axum", any(axums_own).layer(at("/streams/axum")))
            .route("/streams/sorry", any(sorry).layer(at("/streams/sorry")))
            .route("/streams/socket", any(socket_only).layer(at("/streams/socket")))
            .route("/streams/elsewhere", any(plain).layer(at("/streams/somewhere")))
            .route("/streams/outside", get(|_: Connection| plain()))
    })
    .await;
    let browser = world.browser().await;
    let mut seen = Vec::new();
    for (path, transport) in [
        ("/streams/plain", WebSocket),
        ("/streams/plain", ServerSentEvents),
        ("/streams/packed", ServerSentEvents),
        ("/streams/axum", WebSocket),
        ("/streams/sorry", ServerSentEvents),
        ("/streams/sorry", WebSocket),
        ("/streams/socket", ServerSentEvents),
    ] {
        let minted = browser.mint_for(path).await;
        let (status, body) = answered(&browser, &minted, transport).await;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(!body.contains("secret"), "{path}");
        seen.push(status.as_u16());
        // Its place in the list is free again.
        let list = async || browser.get("/v1/connections").await.json::<serde_json::Value>();
        world.until(async || list().await["connections"] == json!([])).await;
    }
    assert_eq!(seen, [500, 500, 500, 426, 409, 409, 400]);

    let minted = browser.mint_for("/streams/somewhere").await;
    let elsewhere = Minted { stream: "/streams/elsewhere".to_owned(), ..minted };
    assert_eq!(refused(&browser, &elsewhere, ServerSentEvents).await, Code::NotFound);
    let outside = browser.request(Method::GET, "/streams/outside").body(PlainBody::default()).unwrap();
    assert_eq!(browser.send(outside).await.code(), Code::Internal);
}

#[tokio::test]
async fn an_applications_own_query_reaches_its_handler_without_the_ticket() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let world = World::serving(|app| {
        let handler =
            async move |OriginalUri(whole): OriginalUri, uri: Uri, upgrade: Option<WebSocketUpgrade>| {
                tell.send([whole.to_string(), uri.to_string()]).unwrap();
                match upgrade {
                    Some(upgrade) => upgrade.on_upgrade(async |_| {}),
                    None => ([("content-type", "text/event-stream")], Body::empty()).into_response(),
                }
            };
        let route = any(handler).layer(pop::layer(app, "/streams/asked"));
        Router::new().nest("/streams", Router::new().route("/asked", route))
    })
    .await;
    let browser = world.browser().await;
    for (transport, opened) in BOTH.into_iter().zip([StatusCode::SWITCHING_PROTOCOLS, StatusCode::OK]) {
        for query in ["", "?room=a%20b", "?room=7&since=1&room=8&empty"] {
            let stream = format!("/streams/asked{query}");
            let minted = Minted { stream, ..browser.mint_for("/streams/asked").await };
            assert_eq!(answered(&browser, &minted, transport).await.0, opened, "{query}");
            let expected = [format!("/streams/asked{query}"), format!("/asked{query}")];
            assert_eq!(told.recv().await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn the_handler_knows_whose_connection_it_serves() {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let mut told = told;
    let world = World::serving(|app| {
        let handler = async move |connection: Connection, upgrade: WebSocketUpgrade| {
            let session = connection.session().id.clone();
            tell.send((connection.id().clone(), connection.account().clone(), session)).unwrap();
            upgrade.on_upgrade(async |_| {})
        };
        Router::new().route("/streams/who", any(handler).layer(pop::layer(app, "/streams/who")))
    })
    .await;
    let browser = world.browser().await;
    let line = Line::open_at(&browser, "/streams/who", WebSocket).await;
    let who = told.recv().await.unwrap();
    assert_eq!(who, (line.id.clone(), browser.account.clone(), browser.session.clone()));
}

#[tokio::test]
async fn a_session_holds_32_connections_of_all_streams() {
    let mut play = Play::new().await;
    let browser = play.world.browser().await;
    let mut line = Line::open_at(&browser, STREAM, WebSocket).await;
    line.prove().await;
    assert_eq!(play.hear().await, Told::Began);
    for number in 1..32 {
        browser.mint_for([STREAM, ACTIVITY][number % 2]).await;
    }
    let request = json!({ "stream": STREAM, "client_nonce": base64url::encode(&[1; 32]) });
    let answer = browser.post("/v1/connections/tickets", &request).await;
    assert_eq!(answer.code(), Code::TooManyConnections);
}
