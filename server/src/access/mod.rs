//! Who asks, and how far they are trusted. Handlers take the proof as an argument; forgetting it does
//! not compile. The order of the checks is that of `protocol/http.md`.

mod agent;
mod device;
mod dpop;
mod session;
mod store;

pub use agent::Agent;
pub(crate) use agent::write_as_agent;
pub(crate) use device::Answered;
pub(crate) use device::{
    COOKIE_ATTRIBUTES, DEVICE_COOKIE, bind_device, device_cookie, first_cookie, may_ask, offer_device,
    require as require_device, without_device,
};
pub use device::{DeviceChallenge, DeviceKey};
pub(crate) use dpop::{make_nonce, prove_ceremony, prove_session};
pub use session::SignedIn;
pub(crate) use session::{CSRF_COOKIE, csrf_of, has_csrf_cookie};
pub(crate) use session::{
    SESSION_COOKIE, SignedInWith, by_cookie, require_csrf, within_limit, write_as, write_over_sessions,
};
pub use store::Session;
pub(crate) use store::{NewSession, Seen, end, end_all, end_by_passkey, hold, insert, is_alive, opened_by};
pub(crate) use store::{remember_proof, sweep, touch};

use crate::{
    app::App,
    problem::{Refusal, Result},
    wire::single,
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use holdfast_protocol::{history::Device, problem::Code};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What programs ask for, which have no page. A browser names its origin with every `POST`, so that what
/// names none comes from none.
const PROGRAMS: [&str; 3] = ["/v1/agents/pairings", "/v1/agents/pairings/claim", "/v1/agents/charges"];

/// What browsers ask for by themselves; some of them name no origin then.
const BROWSERS: [&str; 2] = ["/v1/sessions/device", "/v1/sessions/device/refresh"];

/// The first check of all: what changes anything was asked for by the console's own page, or by a program
/// or the browser itself where these may ask.
pub async fn require_own_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // Reports are sent by the browser itself, with whatever origin it likes; they change nothing.
    let report = request.uri().path() == crate::page::CSP_REPORT_PATH;
    if !reads
        && !report
        && !by_no_page(&request)
        && let Err(refusal) = own_origin(&app, request.headers())
    {
        return refusal.into_response();
    }
    next.run(request).await
}

fn by_no_page(request: &Request) -> bool {
    let says = |name| request.headers().contains_key(name);
    let path = request.uri().path();
    (PROGRAMS.contains(&path) || BROWSERS.contains(&path))
        && !says(header::ORIGIN.as_str())
        && !says("sec-fetch-site")
}

fn own_origin(app: &App, headers: &HeaderMap) -> Result<()> {
    let site = single(headers, "sec-fetch-site")?;
    let origin = single(headers, header::ORIGIN.as_str())?;
    let same_site = site.is_none_or(|site| site == "same-origin");
    if same_site && origin == Some(app.config.origin.as_str()) {
        Ok(())
    } else {
        let asked_by = origin.unwrap_or("nobody who says so");
        tracing::info!(asked_by, site, expected = %app.config.origin, "refused: another origin");
        Err(Refusal::with_detail(
            Code::ForeignOrigin,
            format!(
                "This console is at {0}. If that is not what the address bar shows, open {0} instead; else another site asked for this, and nothing was changed.",
                app.config.origin
            ),
        ))
    }
}

/// Gives every answer of the API a fresh nonce for the next proof (RFC 9449 section 8.2).
pub async fn hand_out_nonce(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(nonce) = HeaderValue::from_str(&make_nonce(&app)) {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}

/// The address that a request came from: the connection's, or what the trusted proxies say, counted
/// from the right. Of IPv6 the first half, as one subscriber has all of the second.
pub fn address(parts: &Parts, trust_proxy: usize) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    if trust_proxy == 0 {
        return subscriber(peer);
    }
    let forwarded = parts.headers.get_all("x-forwarded-for").iter();
    // What is not text is still a hop: left out, it would let its sender choose which one counts.
    let hops: Vec<Option<IpAddr>> = forwarded
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|hop| std::str::from_utf8(hop).ok()?.trim().parse().ok())
        .collect();
    let hop = hops.len().checked_sub(trust_proxy).and_then(|at| hops.get(at).copied().flatten());
    subscriber(hop.unwrap_or(peer))
}

fn subscriber(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Labels for a person; never grounds for a decision.
pub fn device(headers: &HeaderMap) -> Device {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let parsed = woothee::parser::Parser::new().parse(agent);
    let known = |text: &str| (text != "UNKNOWN" && !text.is_empty()).then(|| text.to_owned());
    let browser = parsed.as_ref().and_then(|parsed| known(parsed.name));
    let system = parsed.as_ref().and_then(|parsed| known(parsed.os)).map(|system| match system.as_str() {
        "Mac OSX" => "Mac".to_owned(),
        other if other.starts_with("Windows") => "Windows".to_owned(),
        _ => system,
    });
    Device {
        browser: browser.unwrap_or_else(|| "Unknown browser".to_owned()),
        system: system.unwrap_or_else(|| "Unknown device".to_owned()),
    }
}

/// A problem for a refusal of the WebAuthn, DPoP or token layer that is only worth a log line.
pub(crate) fn refuse(code: Code, why: impl std::fmt::Display) -> Refusal {
    tracing::info!(%code, %why, "refused");
    code.into()
}
