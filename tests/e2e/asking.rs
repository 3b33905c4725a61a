//! Requests that a script in a page makes by itself, without the page's own care for proofs.

use anyhow::{Context, Result};
use holdfast_tests::browser::Browser;
use serde::Deserialize;
use serde_json::{Value, json};

/// What came back.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The code of a refusal, and nothing where it is none.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A request: `"GET /v1/me"`, further headers, and what is sent as JSON where it is not null.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) what: &'a str,
    pub(crate) headers: Value,
    pub(crate) body: Value,
}

/// Asks by the page's own `fetch`. The token against forged requests goes with it, since any script in
/// the page can read that.
pub(crate) async fn ask(browser: &Browser, asked: Asked<'_>) -> Result<Answer> {
    const SCRIPT: &str = r#"
        const [method, path, headers, body] = arguments;
        const csrf = /(?:^|; )csrf=([^;]*)/.exec(document.cookie);
        const response = await fetch(path, {
            method,
            headers: {
                ...(method !== "GET" && csrf && { "X-CSRF-Token": csrf[1] }),
                ...(body !== null && { "Content-Type": "application/json" }),
                ...headers,
            },
            ...(body !== null && { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        const read = () => { try { return JSON.parse(text); } catch { return text; } };
        return { status: response.status, body: read() };"#;
    let (method, path) = asked.what.split_once(' ').context("a method and a path")?;
    let arguments = [json!(method), json!(path), asked.headers, asked.body];
    let answer = browser.execute_async(SCRIPT, &arguments).await?;
    serde_json::from_value(answer).context("read an answer")
}

/// [`ask`] without further headers and body.
pub(crate) async fn get(browser: &Browser, path: &str) -> Result<Answer> {
    let what = format!("GET {path}");
    ask(browser, Asked { what: &what, headers: json!({}), body: Value::Null }).await
}

/// [`ask`] without further headers.
pub(crate) async fn post(browser: &Browser, path: &str, body: Value) -> Result<Answer> {
    let what = format!("POST {path}");
    ask(browser, Asked { what: &what, headers: json!({}), body }).await
}

/// Requests with proofs that a script in the page makes: see `proven.js` for whose key.
pub(crate) async fn ask_proven(
    browser: &Browser,
    whose: &str,
    asked: &[(&str, Value)],
) -> Result<Vec<Answer>> {
    let requests = asked.iter().map(|(what, body)| {
        let (method, path) = what.split_once(' ').context("a method and a path")?;
        Ok(json!([method, path, body]))
    });
    let requests = requests.collect::<Result<Vec<Value>>>()?;
    let answers = browser.execute_async(include_str!("proven.js"), &[json!(whose), json!(requests)]).await?;
    serde_json::from_value(answers).context("read the answers")
}
