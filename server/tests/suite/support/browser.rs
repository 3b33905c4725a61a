use super::{
    Cookies, Proof,
    world::{ORIGIN, World, run},
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use holdfast_protocol::{
    account::Me,
    base64url,
    connections::{Ticket, TicketRequest},
    dpop::PublicKey,
    ids::{AccountId, PasskeyId, SessionId},
    pop::{Binding, Prover},
    problem::{Code, Problem},
};
use holdfast_server::{app::App, app::stored};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde::{Serialize, de::DeserializeOwned};
use std::net::{IpAddr, SocketAddr};

/// The stream of an account's own activity.
pub const ACTIVITY: &str = "/v1/streams/activity";

pub type PlainBody = Full<axum::body::Bytes>;

/// A browser that is signed in, with its key.
#[derive(Clone)]
pub struct Browser {
    pub app: App,
    pub address: SocketAddr,
    pub account: AccountId,
    pub session: SessionId,
    pub key: SigningKey,
    pub cookies: String,
    pub csrf: String,
    client: PlainClient,
}

/// What the server said.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A ticket that has not been used.
#[derive(Clone)]
pub struct Minted {
    pub stream: String,
    pub ticket: Ticket,
    pub client_nonce: String,
}

impl Browser {
    pub async fn sign_in(world: &World, account: &AccountId, passkey: &PasskeyId) -> Self {
        let app = world.app.clone();
        let key = make_key(&app);
        let session = SessionId::make(app.entropy.make());
        let token = app.entropy.make_text();
        let now_ms = app.clock.unix_ms();
        run!(
            app.db,
            "INSERT INTO sessions (id, token_hash, account_id, passkey_id, jkt, epoch, browser, system,
                                   created_at_ms, last_seen_at_ms)
             SELECT $1, $2, id, $3, $4, epoch, 'Firefox', 'Linux', $5, $6 FROM accounts WHERE id = $7",
            session.as_str(),
            stored(&token),
            passkey.as_str(),
            public(&key).thumbprint().as_str(),
            now_ms,
            now_ms,
            account.as_str(),
        );
        let csrf = base64url::encode(&app.config.keys.mac("csrf", session.as_str().as_bytes()));
        Self {
            address: world.address,
            account: account.clone(),
            session,
            key,
            cookies: format!("__Host-holdfast={token}; csrf={csrf}"),
            csrf,
            client: make_client(None),
            app,
        }
    }

    /// The browser that a server has just answered to with a session.
    pub fn of(app: &App, address: SocketAddr, me: &Me, key: SigningKey, cookies: &Cookies) -> Self {
        Self {
            address,
            account: me.account.id.clone(),
            session: me.session.id.clone(),
            key,
            cookies: cookies.header(),
            csrf: cookies.value("csrf").to_owned(),
            client: make_client(None),
            app: app.clone(),
        }
    }

    /// Another key than this browser's.
    pub fn foreign_key(&self) -> SigningKey {
        make_key(&self.app)
    }

    /// A request that is signed in and proven.
    pub async fn get(&self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).header("dpop", self.proof("GET", path).await);
        self.send(request.body(PlainBody::default()).unwrap()).await
    }

    /// The same with a body.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.post_under(None, path, body).await
    }

    /// The same under an idempotency key.
    pub async fn post_under(&self, key: Option<&str>, path: &str, body: &impl Serialize) -> Answer {
        let mut request = self
            .request(Method::POST, path)
            .header("dpop", self.proof("POST", path).await)
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(PlainBody::from(serde_json::to_vec(body).unwrap())).unwrap()).await
    }

    /// The same browser, whose requests another instance answers.
    pub fn at(&self, world: &World) -> Self {
        Self {
            app: world.app.clone(),
            address: world.address,
            account: self.account.clone(),
            session: self.session.clone(),
            key: self.key.clone(),
            cookies: self.cookies.clone(),
            csrf: self.csrf.clone(),
            client: make_client(None),
        }
    }

    /// The answer to a challenge, whose signature is the proof, or another message with a proof.
    pub async fn post_text(&self, path: &str, text: &str) -> Answer {
        let mut request = self.request(Method::POST, path).header("content-type", "text/plain");
        if !text.starts_with("answer ") {
            request = request.header("dpop", self.fresh_proof("POST", path).await.sign());
        }
        self.send(request.body(PlainBody::from(text.to_owned())).unwrap()).await
    }

    /// A request with the cookies and headers of this browser's own page, without a proof.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let builder = Request::builder().uri(format!("http://{}{path}", self.address)).method(method.clone());
        let builder = builder.header("cookie", &self.cookies).header("sec-fetch-site", "same-origin");
        if method == Method::POST {
            builder.header("origin", ORIGIN).header("x-csrf-token", &self.csrf)
        } else {
            builder
        }
    }

    pub async fn send(&self, request: Request<PlainBody>) -> Answer {
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends, and leaves the body to be read.
    pub async fn begin(&self, request: Request<PlainBody>) -> axum::http::Response<axum::body::Body> {
        self.client.request(request).await.unwrap().map(axum::body::Body::new)
    }

    pub async fn mint(&self) -> Minted {
        self.mint_for(ACTIVITY).await
    }

    pub async fn mint_for(&self, stream: &str) -> Minted {
        let client_nonce = self.app.entropy.make_text();
        let request = TicketRequest { stream: stream.to_owned(), client_nonce: client_nonce.clone() };
        let answer = self.post("/v1/connections/tickets", &request).await;
        Minted { stream: stream.to_owned(), ticket: answer.json(), client_nonce }
    }

    /// This browser's half of a connection.
    pub fn prover(&self, minted: &Minted) -> Prover {
        let connection = minted.ticket.connection.clone();
        let thumbprint = public(&self.key).thumbprint();
        Prover::new(Binding::new(ORIGIN, connection, &minted.client_nonce, thumbprint).unwrap())
    }

    /// A proven request with this proof.
    pub async fn get_with(&self, path: &str, proof: &str) -> Answer {
        let request = self.request(Method::GET, path).header("dpop", proof);
        self.send(request.body(PlainBody::default()).unwrap()).await
    }

    /// A proof of this browser's key that is right in every way, to be made wrong.
    pub async fn fresh_proof(&self, method: &str, path: &str) -> Proof {
        Proof::new(&self.app, &self.key, method, path, &self.fresh_nonce().await)
    }

    pub async fn fresh_nonce(&self) -> String {
        let health = self.request(Method::GET, "/v1/health").body(PlainBody::default()).unwrap();
        self.send(health).await.headers["dpop-nonce"].to_str().unwrap().to_owned()
    }

    async fn proof(&self, method: &str, path: &str) -> String {
        self.fresh_proof(method, path).await.sign()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Why the server refused.
    pub fn code(&self) -> Code {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        problem.code
    }
}

pub fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    let signature: Signature = key.sign(message);
    signature.to_bytes().into()
}

pub fn public(key: &SigningKey) -> PublicKey {
    let point = key.verifying_key().to_sec1_point(false);
    PublicKey::from_sec1(point.as_bytes().try_into().unwrap())
}

pub fn make_key(app: &App) -> SigningKey {
    SigningKey::from_slice(&app.entropy.make::<32>()).unwrap()
}

pub type PlainClient = Client<HttpConnector, PlainBody>;

/// A client, from another address than usual if one is named.
pub fn make_client(from: Option<IpAddr>) -> PlainClient {
    let mut connector = HttpConnector::new();
    connector.set_local_address(from);
    Client::builder(TokioExecutor::new()).build(connector)
}
