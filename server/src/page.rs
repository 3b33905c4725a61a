//! The page: files made by `cargo xtask page`, embedded in the program, and the headers that guard it.

use crate::{app::App, problem::Refusal, wire::body};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use holdfast_protocol::{base64url, problem::Code};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};

/// Where browsers report what the policy stopped.
pub const CSP_REPORT_PATH: &str = "/v1/csp-report";
/// The addresses of the console's document.
const CONSOLE_PATH: &str = "/console";
/// What Trunk writes where the response's nonce goes.
const NONCE_PLACEHOLDER: &str = "{{__TRUNK_NONCE__}}";

#[derive(RustEmbed)]
#[folder = "../target/page"]
#[allow_missing = true]
struct Files;

/// The embedded page: two documents, each with a program of its own.
pub struct Page {
    index: Option<String>,
    /// Where agents, money and secrets are: everything under [`CONSOLE_PATH`].
    console: Option<String>,
}

impl Page {
    pub fn embedded() -> Self {
        let text = |path| Files::get(path).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let page = Self { index: text("index.html"), console: text("console/index.html") };
        if page.index.is_none() || page.console.is_none() {
            tracing::warn!("this program was built without its page; `cargo xtask run` builds both");
        }
        page
    }

    /// The document of an address.
    fn document(&self, path: &str) -> Option<&str> {
        let below = path.strip_prefix(CONSOLE_PATH);
        let document = match below {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => &self.console,
            _ => &self.index,
        };
        document.as_deref()
    }
}

/// Anything that is no address of the API: a file of the page, or the page itself.
pub async fn serve(State(app): State<App>, request: Request) -> Response {
    let (method, uri) = (request.method(), request.uri());
    if uri.path().starts_with("/v1/") {
        return Refusal::from(Code::NotFound).into_response();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Refusal::from(Code::MethodNotAllowed).into_response();
    }
    file(uri, request.headers()).unwrap_or_else(|| document(&app, uri.path()))
}

fn file(uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let path = uri.path().trim_start_matches('/');
    if path.is_empty() || path.ends_with("index.html") {
        return None;
    }
    let plain = Files::get(path)?;
    let kind = plain.metadata.mimetype().to_owned();
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes_brotli = accepted.is_some_and(|value| value.split(',').any(|coding| coding.trim() == "br"));
    let packed = if takes_brotli { Files::get(&format!("{path}.br")) } else { None };
    let coding = packed.is_some().then_some(HeaderValue::from_static("br"));
    let EmbeddedFile { data, .. } = packed.unwrap_or(plain);
    let mut response = Body::from(data.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&kind).ok()?);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Names hold a hash of the contents.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, coding);
    }
    Some(response)
}

fn document(app: &App, path: &str) -> Response {
    let nonce = base64url::encode(&app.entropy.make::<16>());
    let Some(document) = app.page.document(path) else {
        let text = "This program was built without its page. `cargo xtask run` builds both.\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let mut response = document.replace(NONCE_PLACEHOLDER, &nonce).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'; report-uri {CSP_REPORT_PATH}"
    )
}

/// Headers of every answer.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    guard_headers(&app, response.headers_mut());
    response
}

/// The same for answers that do not pass through [`crate::router`].
pub(crate) fn guard_headers(app: &App, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(
        HeaderName::from_static("permissions-policy"),
        "publickey-credentials-create=(self), publickey-credentials-get=(self), camera=(), \
         microphone=(), geolocation=(), payment=(), usb=()",
    );
    if app.config.origin.starts_with("https://") {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
}

/// What browsers said that the policy stopped; the newest few, for the operator's log and the tests.
#[derive(Default)]
pub struct CspReports(Mutex<Vec<String>>);

impl CspReports {
    const KEPT: usize = 64;

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, report: String) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() == Self::KEPT {
            reports.remove(0);
        }
        reports.push(report);
    }
}

/// `POST /v1/csp-report`.
pub async fn csp_report(State(app): State<App>, request: Request) -> Result<StatusCode, Refusal> {
    let (parts, rest) = request.into_parts();
    app.limits.reports.check(&app.source(&parts))?;
    let kinds = ["application/csp-report", "application/reports+json", "application/json"];
    crate::wire::require_content_type(&parts.headers, &kinds)?;
    let bytes = body(&app.clock, Request::from_parts(parts, rest)).await?;
    let mut report: Value = serde_json::from_slice(&bytes).map_err(|_| Code::InvalidRequest)?;
    drop_queries(&mut report);
    let report = report.to_string();
    tracing::warn!(report, "a browser reports a violation of the content security policy");
    app.csp_reports.add(report);
    Ok(StatusCode::NO_CONTENT)
}

/// A report names addresses, and what stands behind their `?` or `#` may be secret: the setup link's
/// token does.
fn drop_queries(report: &mut Value) {
    match report {
        Value::String(text) if text.contains("://") => {
            let end = text.find(['?', '#']).unwrap_or(text.len());
            text.truncate(end);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_queries),
        Value::Object(members) => members.values_mut().for_each(drop_queries),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_a_document_of_its_own() {
        let page = Page { index: Some("index".to_owned()), console: Some("console".to_owned()) };
        for path in ["/console", "/console/", "/console/agents", "/console/nowhere"] {
            assert_eq!(page.document(path), Some("console"), "{path}");
        }
        for path in ["/", "/security", "/consoles", "/x/console"] {
            assert_eq!(page.document(path), Some("index"), "{path}");
        }
    }
}
