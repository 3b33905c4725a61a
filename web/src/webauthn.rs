use crate::{
    ceremony::{Capabilities, CeremonyFailure, Kind, Mediation, Rejection},
    clock,
    json::{self, NotReadable},
    step_up::{Difference, Offer},
};
use gloo_timers::future::TimeoutFuture;
use holdfast_protocol::{
    account::Signals,
    base64url::{self, Bytes},
    ids::{CeremonyId, Thumbprint},
    passkeys::{AssertionResponse, Discoverable, RegistrationResponse},
    tokens::{Begun, Claims, OfAKey},
};
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use std::cell::RefCell;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::AbortController;

const WATCHDOG: &str = "watchdog";
/// How much longer than the options allow a promise may stay unsettled.
const GRACE_MS: u32 = 5_000;
const DEFAULT_TIMEOUT_MS: u32 = 300_000;

/// What a browser gets of the options, of either kind (WebAuthn Level 3, sections 5.4 and 5.5), beside the challenge.
/// Nothing else is the server's to ask for: an extension could write into the passkey, or read out of it.
const MEMBERS: &str = "rp user pubKeyCredParams excludeCredentials authenticatorSelection rpId allowCredentials \
                       userVerification timeout hints";

thread_local! {
    /// The prompt that is open now. A page has one at a time.
    static OPEN: RefCell<Option<AbortController>> = const { RefCell::new(None) };
}

/// What the server asks the browser to do: `RegistrationOptions` or `AssertionOptions` of the wire.
/// What is for the browser alone is left as the browser reads it.
pub struct Options {
    /// Comes back with the answer.
    pub ceremony: CeremonyId,
    /// Comes back with the answer; the challenge is its hash.
    pub token: String,
    public_key: JsValue,
    claiming_providers: JsValue,
}

impl Options {
    /// Of a step-up: whoever keeps the passkeys that could confirm it says "verified" without verifying anybody.
    /// Their names are the server's word, and not shown.
    pub fn are_only_claimed(&self) -> bool {
        self.claiming_providers.dyn_ref::<Array>().is_some_and(|names| names.length() > 0)
    }

    /// From the answer of the server.
    pub fn read(answer: &JsValue) -> Result<Self, NotReadable> {
        let text = |name: &str| property(answer, name).as_string().ok_or(NotReadable);
        Ok(Self {
            ceremony: CeremonyId::parse(&text("ceremony")?).map_err(|_| NotReadable)?,
            token: text("token")?,
            public_key: property(answer, "public_key"),
            claiming_providers: property(answer, "claiming_providers"),
        })
    }

    /// The relying party that is asked for.
    pub fn rp_id(&self, kind: Kind) -> String {
        let id = match kind {
            Kind::Registration => property(&property(&self.public_key, "rp"), "id"),
            Kind::SignIn => property(&self.public_key, "rpId"),
        };
        id.as_string().unwrap_or_default()
    }
}

/// A prompt that has been checked and may be opened.
pub struct Prompt {
    kind: Kind,
    public_key: JsValue,
    timeout_ms: u32,
}

impl Prompt {
    /// Holds the options against what this browser began and makes the prompt ready.
    pub fn prepare(
        kind: Kind,
        options: &Options,
        jkt: &Thumbprint,
        origin: &str,
    ) -> Result<Self, CeremonyFailure> {
        let public_key = &options.public_key;
        let challenge = decoded(public_key, "challenge")?;
        let label = match kind {
            Kind::Registration => "token/registration",
            Kind::SignIn => "token/login",
        };
        let rp_id = options.rp_id(kind);
        let begun =
            Begun { jkt, label, ceremony: &options.ceremony, origin, rp_id: &rp_id, challenge: &challenge };
        begun
            .check_by(&options.token, |claims| Some(json::from_str::<Claims<OfAKey>>(claims).ok()?.into()))
            .map_err(CeremonyFailure::NotWhatWasAsked)?;

        if kind == Kind::Registration {
            make_bytes(&property(public_key, "user"))?;
            make_each_bytes(&property(public_key, "excludeCredentials"))?;
        }
        Self::of_checked(kind, public_key, &challenge)
    }

    /// The same for the confirmation of an action, once `check` has found in the options what was asked for.
    pub fn confirming(
        options: &Options,
        check: impl FnOnce(&Offer<'_>) -> Result<(), Difference>,
    ) -> Result<Self, Difference> {
        let public_key = &options.public_key;
        let challenge = decoded(public_key, "challenge").map_err(|_| Difference::Unreadable)?;
        check(&Offer {
            ceremony: &options.ceremony,
            unverified_token: &options.token,
            challenge: &challenge,
            rp_id: &options.rp_id(Kind::SignIn),
            user_verification: &property(public_key, "userVerification").as_string().unwrap_or_default(),
        })?;
        Self::of_checked(Kind::SignIn, public_key, &challenge).map_err(|_| Difference::Unreadable)
    }

    fn of_checked(kind: Kind, public_key: &JsValue, challenge: &[u8]) -> Result<Self, CeremonyFailure> {
        make_each_bytes(&property(public_key, "allowCredentials"))?;
        let timeout_ms = property(public_key, "timeout").as_f64().and_then(json::whole);
        let timeout_ms = timeout_ms.and_then(|ms| u32::try_from(ms).ok()).unwrap_or(DEFAULT_TIMEOUT_MS);
        let asked = Object::new();
        for name in MEMBERS.split(' ') {
            let value = property(public_key, name);
            if !value.is_undefined() {
                set(&asked, name, &value);
            }
        }
        set(&asked, "challenge", &bytes(challenge));
        if kind == Kind::Registration {
            // Firefox on Android saves a passkey only when it is asked for.
            let extensions = Object::new();
            set(&extensions, "credProps", &JsValue::TRUE);
            set(&asked, "extensions", &extensions);
        }
        Ok(Self { kind, public_key: asked.into(), timeout_ms })
    }
}

/// The ids of a list of credentials, from text to bytes.
fn make_each_bytes(list: &JsValue) -> Result<(), CeremonyFailure> {
    match list.dyn_ref::<Array>() {
        Some(list) => list.iter().try_for_each(|each| make_bytes(&each)),
        None => Ok(()),
    }
}

/// The `id` of a thing, from text to bytes.
fn make_bytes(thing: &JsValue) -> Result<(), CeremonyFailure> {
    set(thing, "id", &bytes(&decoded(thing, "id")?));
    Ok(())
}

fn decoded(thing: &JsValue, name: &str) -> Result<Vec<u8>, CeremonyFailure> {
    let text = property(thing, name).as_string();
    text.and_then(|text| base64url::decode(&text).ok()).ok_or(CeremonyFailure::UnreadableOptions)
}

/// Opens the prompt at once, before anything is awaited: the person's click still counts.
pub fn create(
    prompt: &Prompt,
) -> impl Future<Output = Result<RegistrationResponse, CeremonyFailure>> + use<> {
    let running = Running::begin(prompt, Mediation::Modal);
    async move { read_registration(&running?.settle().await?).ok_or(CeremonyFailure::UnreadableAnswer) }
}

/// As [`create`], for signing in.
pub fn assert(
    prompt: &Prompt,
    mediation: Mediation,
) -> impl Future<Output = Result<AssertionResponse, CeremonyFailure>> + use<> {
    let running = Running::begin(prompt, mediation);
    async move { read_assertion(&running?.settle().await?).ok_or(CeremonyFailure::UnreadableAnswer) }
}

/// Ends the prompt that is open, if one is.
pub fn abort() {
    if let Some(older) = OPEN.take() {
        older.abort();
    }
}

struct Running {
    kind: Kind,
    mediation: Mediation,
    timeout_ms: u32,
    began_ms: f64,
    promise: Promise,
    controller: AbortController,
}

impl Running {
    fn begin(prompt: &Prompt, mediation: Mediation) -> Result<Self, CeremonyFailure> {
        abort();
        let controller = AbortController::new().map_err(|_| CeremonyFailure::NotSupported)?;
        let options = Object::new();
        set(&options, "publicKey", &prompt.public_key);
        set(&options, "signal", controller.signal().as_ref());
        if mediation == Mediation::Autofill {
            set(&options, "mediation", &JsValue::from_str("conditional"));
        }
        let method = match prompt.kind {
            Kind::Registration => "create",
            Kind::SignIn => "get",
        };
        let container = web_sys::window()
            .map_or(JsValue::UNDEFINED, |window| property(window.navigator().as_ref(), "credentials"));
        let began_ms = clock::steady_ms();
        let promise = call(&container, method, &options)
            .and_then(|promise| promise.dyn_into::<Promise>().ok())
            .ok_or(CeremonyFailure::NotSupported)?;
        OPEN.set(Some(controller.clone()));
        let (kind, timeout_ms) = (prompt.kind, prompt.timeout_ms);
        Ok(Self { kind, mediation, timeout_ms, began_ms, promise, controller })
    }

    async fn settle(self) -> Result<JsValue, CeremonyFailure> {
        let settled = match self.mediation {
            // Autofill waits for as long as the page is open.
            Mediation::Autofill => JsFuture::from(self.promise.clone()).await,
            Mediation::Modal => {
                let wait_ms = self.timeout_ms.saturating_add(GRACE_MS);
                let watchdog = future_to_promise(async move {
                    TimeoutFuture::new(wait_ms).await;
                    Err(JsValue::from_str(WATCHDOG))
                });
                JsFuture::from(Promise::race(&Array::of2(&self.promise, &watchdog))).await
            }
        };
        OPEN.with_borrow_mut(|open| {
            if open.as_ref() == Some(&self.controller) {
                *open = None;
            }
        });
        settled.map_err(|error| {
            if error.as_string().as_deref() == Some(WATCHDOG) {
                self.controller.abort();
                return CeremonyFailure::NeverAnswered;
            }
            let name = property(&error, "name").as_string().unwrap_or_default();
            let elapsed_ms = clock::steady_ms() - self.began_ms;
            // Only this page can put a newer prompt in this one's place.
            let aborted_here = self.controller.signal().aborted();
            let name = if name == "AbortError" && !aborted_here { "NotAllowedError" } else { name.as_str() };
            Rejection { name, kind: self.kind, elapsed_ms, timeout_ms: self.timeout_ms }.classify()
        })
    }
}

fn read_registration(credential: &JsValue) -> Option<RegistrationResponse> {
    let response = property(credential, "response");
    let transports = call(&response, "getTransports", &JsValue::UNDEFINED)
        .and_then(|list| list.dyn_into::<Array>().ok())
        .map(|list| list.iter().filter_map(|name| name.as_string()).take(8).collect())
        .unwrap_or_default();
    let extensions =
        call(credential, "getClientExtensionResults", &JsValue::UNDEFINED).unwrap_or(JsValue::UNDEFINED);
    let discoverable = property(&property(&extensions, "credProps"), "rk")
        .as_bool()
        .map(|resident| if resident { Discoverable::Yes } else { Discoverable::No });
    Some(RegistrationResponse {
        id: read_bytes(credential, "rawId")?,
        client_data_json: read_bytes(&response, "clientDataJSON")?,
        attestation_object: read_bytes(&response, "attestationObject")?,
        transports,
        discoverable,
    })
}

fn read_assertion(credential: &JsValue) -> Option<AssertionResponse> {
    let response = property(credential, "response");
    Some(AssertionResponse {
        id: read_bytes(credential, "rawId")?,
        client_data_json: read_bytes(&response, "clientDataJSON")?,
        authenticator_data: read_bytes(&response, "authenticatorData")?,
        signature: read_bytes(&response, "signature")?,
        // `null` where the authenticator was told which passkeys it may use; at a sign-in the server wants one.
        user_handle: read_bytes(&response, "userHandle").unwrap_or(Bytes(Vec::new())),
    })
}

/// Asks the browser what it can do.
pub async fn capabilities() -> Result<Capabilities, CeremonyFailure> {
    if !web_sys::window().is_some_and(|window| window.is_secure_context()) {
        return Err(CeremonyFailure::InsecureContext);
    }
    let class = public_key_credential();
    if class.is_undefined() {
        return Err(CeremonyFailure::NotSupported);
    }
    let told = ask(&class, "getClientCapabilities").await;
    let of = |name: &str| told.as_ref().and_then(|told| property(told, name).as_bool());
    let autofill = match of("conditionalGet") {
        Some(known) => known,
        None => asked_to_be_true(&class, "isConditionalMediationAvailable").await,
    };
    let built_in = match of("userVerifyingPlatformAuthenticator") {
        Some(known) => known,
        None => asked_to_be_true(&class, "isUserVerifyingPlatformAuthenticatorAvailable").await,
    };
    Ok(Capabilities { autofill, built_in, phone: of("hybridTransport").unwrap_or(false) })
}

/// Tells the authenticator which passkeys are accepted and how the account is called now.
pub fn signal_signed_in(signals: &Signals) {
    let user_id = JsValue::from_str(&base64url::encode(&signals.user_id.0));
    let accepted: Array = signals
        .accepted_credential_ids
        .iter()
        .map(|id| JsValue::from_str(&base64url::encode(&id.0)))
        .collect();
    let rp_id = JsValue::from_str(&signals.rp_id);
    signal(
        "signalAllAcceptedCredentials",
        &[("rpId", &rp_id), ("userId", &user_id), ("allAcceptedCredentialIds", accepted.as_ref())],
    );
    signal(
        "signalCurrentUserDetails",
        &[
            ("rpId", &rp_id),
            ("userId", &user_id),
            ("name", &JsValue::from_str(&signals.name)),
            ("displayName", &JsValue::from_str(&signals.display_name)),
        ],
    );
}

/// Tells the authenticator that the server has no such passkey: only on its own word.
pub fn signal_unknown(rp_id: &str, credential: &Bytes) {
    signal(
        "signalUnknownCredential",
        &[
            ("rpId", &JsValue::from_str(rp_id)),
            ("credentialId", &JsValue::from_str(&base64url::encode(&credential.0))),
        ],
    );
}

fn signal(method: &str, fields: &[(&str, &JsValue)]) {
    let options = Object::new();
    for (name, value) in fields {
        set(&options, name, value);
    }
    let promise = call(&public_key_credential(), method, &options);
    if let Some(promise) = promise.and_then(|promise| promise.dyn_into::<Promise>().ok()) {
        // What the authenticator makes of it is its own affair; a refusal is not an error of the page.
        wasm_bindgen_futures::spawn_local(async move {
            let _ = JsFuture::from(promise).await;
        });
    }
}

fn public_key_credential() -> JsValue {
    property(&js_sys::global(), "PublicKeyCredential")
}

async fn ask(target: &JsValue, method: &str) -> Option<JsValue> {
    let promise = call(target, method, &JsValue::UNDEFINED)?.dyn_into::<Promise>().ok()?;
    JsFuture::from(promise).await.ok()
}

async fn asked_to_be_true(target: &JsValue, method: &str) -> bool {
    ask(target, method).await.and_then(|answer| answer.as_bool()).unwrap_or(false)
}

/// `None` when there is no such method, or it throws.
fn call(target: &JsValue, method: &str, argument: &JsValue) -> Option<JsValue> {
    let method = property(target, method).dyn_into::<Function>().ok()?;
    method.call1(target, argument).ok()
}

fn property(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn set(target: &JsValue, name: &str, value: &JsValue) {
    // Setting a property of an object made here cannot fail.
    let _ = Reflect::set(target, &JsValue::from_str(name), value);
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn read_bytes(target: &JsValue, name: &str) -> Option<Bytes> {
    let buffer = property(target, name).dyn_into::<js_sys::ArrayBuffer>().ok()?;
    Some(Bytes(Uint8Array::new(&buffer).to_vec()))
}
