use super::{
    Answer, Browser, ORIGIN, PlainBody, Proof, SETUP_TOKEN, Said, SoftPasskey, World,
    browser::{PlainClient, make_client},
    make_key, public,
};
use axum::http::{HeaderMap, Method, Request, request::Builder};
use holdfast_protocol::{
    account::SignedIn,
    passkeys::{AssertionOptions, AssertionResponse, RegistrationOptions, RegistrationResponse},
};
use holdfast_server::app::App;
use http_body_util::BodyExt as _;
use p256::ecdsa::SigningKey;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::IpAddr, net::SocketAddr};

/// What a browser keeps for the server.
#[derive(Clone, Default)]
pub struct Cookies(BTreeMap<String, String>);

/// A browser that is about to sign in, with the key that it has just made.
pub struct Guest {
    pub app: App,
    pub address: SocketAddr,
    pub key: SigningKey,
    pub cookies: Cookies,
    pub user_agent: String,
    /// Sent as `X-Forwarded-For`, each a header of its own.
    pub forwarded_for: Vec<Vec<u8>>,
    client: PlainClient,
}

impl Cookies {
    /// The value of the header `Cookie`.
    pub fn header(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    pub fn value(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    fn take(&mut self, headers: &HeaderMap) {
        for header in headers.get_all("set-cookie") {
            let text = header.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.set(name, value);
            }
        }
    }
}

impl World {
    pub fn guest(&self) -> Guest {
        self.guest_from(None)
    }

    /// From another address of this machine than usual.
    pub fn guest_from(&self, from: Option<IpAddr>) -> Guest {
        Guest {
            app: self.app.clone(),
            address: self.address,
            key: make_key(&self.app),
            cookies: Cookies::default(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            forwarded_for: Vec::new(),
            client: make_client(from),
        }
    }

    /// Makes the first account as a person does, and gives the browser and the passkey that did it.
    pub async fn set_up_by_ceremony(&self) -> (Browser, SoftPasskey) {
        let (mut guest, mut passkey) = (self.guest(), SoftPasskey::new(self));
        let answer = guest.set_up(&mut passkey).await;
        (guest.signed_in(&answer), passkey)
    }

    /// Signs in as a person does, in a browser of its own.
    pub async fn sign_in_by_ceremony(&self, passkey: &SoftPasskey) -> Browser {
        let mut guest = self.guest();
        let answer = guest.sign_in(passkey, |_| {}).await;
        guest.signed_in(&answer)
    }
}

impl SoftPasskey {
    /// In a browser that shows this world's page.
    pub fn new(world: &World) -> Self {
        Self::at(ORIGIN, &world.app.entropy)
    }
}

impl Guest {
    /// A request of the console's own page.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let builder = Request::builder().uri(format!("http://{}{path}", self.address)).method(method);
        let mut builder = builder
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("user-agent", &self.user_agent);
        for hop in &self.forwarded_for {
            builder = builder.header("x-forwarded-for", hop.as_slice());
        }
        match self.cookies.header() {
            none if none.is_empty() => builder,
            cookies => builder.header("cookie", cookies),
        }
    }

    /// Sends, and keeps the cookies of the answer.
    pub async fn send(&mut self, request: Request<PlainBody>) -> Answer {
        let (parts, body) = self.client.request(request).await.unwrap().into_parts();
        self.cookies.take(&parts.headers);
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(PlainBody::default()).unwrap()).await
    }

    /// A body, with the setup token, and without a proof.
    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, None).await
    }

    /// The same, with this proof.
    pub async fn post_with(&mut self, path: &str, body: &Value, proof: Option<&str>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        let mut request = request.header("x-setup-token", SETUP_TOKEN);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        self.send(request.body(PlainBody::from(body.to_string())).unwrap()).await
    }

    /// A proof of this browser's key that is right in every way.
    pub async fn proof(&mut self, path: &str) -> Proof {
        let health = self.get("/v1/health").await;
        let nonce = health.headers["dpop-nonce"].to_str().unwrap().to_owned();
        Proof::new(&self.app, &self.key, "POST", path, &nonce)
    }

    pub async fn begin_setup(&mut self) -> RegistrationOptions {
        let jkt = public(&self.key).thumbprint();
        let body = json!({ "name": "Mara", "email": "mara@example.org", "jkt": jkt });
        self.post("/v1/setup/options", &body).await.json()
    }

    pub async fn finish_setup(
        &mut self,
        options: &RegistrationOptions,
        credential: &RegistrationResponse,
    ) -> Answer {
        let body = json!({ "ceremony": options.ceremony, "token": options.token, "credential": credential });
        let proof = self.proof("/v1/setup/verify").await.sign();
        self.post_with("/v1/setup/verify", &body, Some(&proof)).await
    }

    pub async fn set_up(&mut self, passkey: &mut SoftPasskey) -> Answer {
        let options = self.begin_setup().await;
        let credential = passkey.register(&options, |_| {});
        self.finish_setup(&options, &credential).await
    }

    pub async fn begin_login(&mut self) -> AssertionOptions {
        let jkt = public(&self.key).thumbprint();
        self.post("/v1/login/options", &json!({ "jkt": jkt })).await.json()
    }

    pub async fn finish_login(
        &mut self,
        options: &AssertionOptions,
        credential: &AssertionResponse,
    ) -> Answer {
        let body = login_body(options, credential);
        let proof = self.proof("/v1/login/verify").await.sign();
        self.post_with("/v1/login/verify", &body, Some(&proof)).await
    }

    pub async fn sign_in(&mut self, passkey: &SoftPasskey, lie: impl FnOnce(&mut Said)) -> Answer {
        let options = self.begin_login().await;
        let credential = passkey.assert(&options, lie);
        self.finish_login(&options, &credential).await
    }

    /// This browser, once the server has opened a session for it.
    pub fn signed_in(&self, answer: &Answer) -> Browser {
        let SignedIn { me } = answer.json();
        Browser::of(&self.app, self.address, &me, self.key.clone(), &self.cookies)
    }
}

pub fn login_body(options: &AssertionOptions, credential: &AssertionResponse) -> Value {
    json!({ "ceremony": options.ceremony, "token": options.token, "credential": credential })
}
