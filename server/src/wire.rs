//! What comes in: headers that stand once, cookies, and JSON of exactly the documented shape.

use crate::{
    app::App,
    clock::Clock,
    problem::{Refusal, Result},
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use holdfast_protocol::{
    characters::{EMOJI_STYLE, is_hidden, seems_to_unquote},
    problem::Code,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The largest body that any address takes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A JSON body, in the one spelling that its type has.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Serialize> FromRequest<App> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        require_content_type(request.headers(), &["application/json"])?;
        let bytes = body(&app.clock, request).await?;
        let read: T = serde_json::from_slice(&bytes).map_err(|error| {
            // Where, not what: the body may hold a secret.
            let (line, column) = (error.line(), error.column());
            let at = format!(
                "The body is not what this address takes (line {line}, column {column}). Nothing was changed."
            );
            Refusal::with_detail(Code::InvalidRequest, at)
        })?;
        if is_spelled_as(&bytes, &read) { Ok(Json(read)) } else { Err(Code::InvalidRequest.into()) }
    }
}

/// serde also takes an object's members as an array, by position, and a word as an object that holds
/// nothing; whatever would not be written again as it came is a second spelling.
fn is_spelled_as<T: Serialize>(bytes: &[u8], read: &T) -> bool {
    let (came, written) = (serde_json::from_slice::<Value>(bytes), serde_json::to_value(read));
    matches!((came, written), (Ok(came), Ok(written)) if came == written)
}

/// Of a stream that takes no query.
pub struct NoQuery;

impl FromRequestParts<App> for NoQuery {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(Refusal::with_detail(Code::InvalidRequest, "This stream takes no query.")),
        }
    }
}

/// How long a body may take to arrive.
pub const BODY_WITHIN_MS: u64 = 30_000;

/// The whole body, if it is small enough and comes in time.
pub async fn body(clock: &Clock, request: Request) -> Result<Vec<u8>> {
    let announced = single(request.headers(), header::CONTENT_LENGTH.as_str())?;
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > MAX_BODY_BYTES)
    {
        return Err(Code::TooLarge.into());
    }
    let late = clock.sleep_until(clock.now().monotonic_ms.saturating_add(BODY_WITHIN_MS));
    let whole = tokio::select! {
        whole = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES) => whole,
        () = late => return Err(Code::TooSlow.into()),
    };
    match whole {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) if is_too_long(&error) => Err(Code::TooLarge.into()),
        Err(_) => Err(Code::InvalidRequest.into()),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        source = error.source();
    }
    false
}

/// The media type, parameters aside; `charset` may only be UTF-8.
pub fn require_content_type(headers: &HeaderMap, taken: &[&str]) -> Result<()> {
    let text = single(headers, header::CONTENT_TYPE.as_str())?.ok_or(Code::UnsupportedMediaType)?;
    let mut parts = text.split(';').map(str::trim);
    let known = parts.next().is_some_and(|kind| taken.iter().any(|taken| kind.eq_ignore_ascii_case(taken)));
    if known && parts.all(|part| part.eq_ignore_ascii_case("charset=utf-8")) {
        Ok(())
    } else {
        Err(Code::UnsupportedMediaType.into())
    }
}

/// The value of a header that must not stand twice.
pub fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::with_detail(Code::InvalidRequest, format!("The header {name} stands twice.")));
    }
    let text = value.to_str().map_err(|_| {
        Refusal::with_detail(Code::InvalidRequest, format!("The header {name} is not visible ASCII."))
    })?;
    Ok(Some(text))
}

/// The value of a cookie that must not stand twice.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut values = cookies(headers, name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refusal::with_detail(Code::InvalidRequest, "A cookie stands twice.")),
        (found, None) => Ok(found),
    }
}

/// Every value of the cookies of this name.
pub fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().flat_map(|header| {
        // Another application's cookie beside ours may hold any bytes.
        header.as_bytes().split(|byte| *byte == b';').filter_map(|pair| std::str::from_utf8(pair).ok())
    });
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(move |(key, value)| (key == name).then_some(value))
}

/// A name or label that a person gave: trimmed, 1 to 64 characters, nothing invisible that could
/// disguise it, and nothing that could seem to end its quotation.
pub fn label(text: &str, what: &str) -> Result<String> {
    let text = text.trim();
    let characters = text.chars().count();
    let shows = text.chars().any(|c| c != EMOJI_STYLE);
    let wrong = |detail| Err(Refusal::with_detail(Code::InvalidRequest, detail));
    if !(1..=64).contains(&characters) || !shows || text.chars().any(is_hidden) {
        return wrong(format!("{what} must have 1 to 64 visible characters."));
    }
    if seems_to_unquote(text) {
        return wrong(format!("{what} can have the marks \", “ and ”, and none that look like them."));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_or_cookie_that_stands_twice_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append("dpop", "a".parse().unwrap());
        assert_eq!(single(&headers, "dpop").unwrap(), Some("a"));
        headers.append("dpop", "a".parse().unwrap());
        assert_eq!(single(&headers, "dpop").unwrap_err().code(), Code::InvalidRequest);

        headers.append("cookie", "x=1; csrf=a".parse().unwrap());
        assert_eq!(cookie(&headers, "csrf").unwrap(), Some("a"));
        headers.append("cookie", "csrf=b".parse().unwrap());
        assert_eq!(cookie(&headers, "csrf").unwrap_err().code(), Code::InvalidRequest);
    }

    #[test]
    fn labels_hide_nothing() {
        assert_eq!(label("  Blue key ", "A name").unwrap(), "Blue key");
        assert_eq!(label("❤\u{fe0f} Ключ", "A name").unwrap(), "❤\u{fe0f} Ключ");
        for bad in [
            "",
            "   ",
            "\u{fe0f}",
            "a\nb",
            "a\u{202e}b",
            "a\u{0}",
            "a\u{ad}b",
            "\u{3164}",
            "a\u{e0041}",
            &"x".repeat(65),
            "Shopper❞ (agt_1111-1111-1111-1111). It may spend 0.01 USD. „x",
            "Shopper’’",
        ] {
            assert!(label(bad, "A name").is_err(), "{bad:?}");
        }
    }
}
