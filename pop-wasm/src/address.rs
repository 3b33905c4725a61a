use crate::PopError;
use holdfast_protocol::parts::{cut, parts};

/// The one origin that a client dials, as `https://console.example` or `http://localhost:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

/// A path of the origin, spelled in the one way that browser and server agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    path: String,
    query: Option<String>,
}

impl Origin {
    /// Takes an origin as the browser writes it: `location.origin`.
    pub(crate) fn parse(text: &str) -> Result<Self, PopError> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        // A browser writes hosts in small letters.
        let spelled = |host: &str| {
            !host.is_empty()
                && is_made_of(host, 128, b".-_:[]")
                && !host.bytes().any(|byte| byte.is_ascii_uppercase())
        };
        if host.is_some_and(spelled) { Ok(Self(text.to_owned())) } else { Err(PopError::WrongOrigin) }
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes `/path?query#fragment`, or the same after this very origin. The fragment is dropped.
    pub(crate) fn path(&self, address: &str) -> Result<Path, PopError> {
        let rest = address.strip_prefix(&self.0).unwrap_or(address);
        // `//host` and `/\host` are other hosts to a browser, and so is what goes on after the origin
        // with anything but a path.
        if !rest.starts_with('/') || rest.starts_with("//") || rest.starts_with("/\\") {
            return Err(PopError::WrongOrigin);
        }
        let rest = cut(rest, b'#').map_or(rest, |(before, _)| before);
        let (path, query) = match cut(rest, b'?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        // What a URL parser leaves alone and JSON writes as it is, in path and query alike, but for `'` in a query,
        // which no ticket is bound to.
        if !is_made_of(rest, 2048, b"-._~%!$&'()*+,;=:@/?[]|") || parts(path, b'/').any(is_dots) {
            return Err(PopError::BadArgument);
        }
        Ok(Path { path: path.to_owned(), query: query.map(str::to_owned) })
    }

    /// The address of a request.
    pub(crate) fn http(&self, path: &Path) -> String {
        let mut address = self.htu(path);
        if let Some(query) = &path.query {
            address.push('?');
            address.push_str(query);
        }
        address
    }

    /// The address that a proof names: no query, no fragment (RFC 9449 section 4.2).
    pub(crate) fn htu(&self, path: &Path) -> String {
        let mut address = String::with_capacity(self.0.len() + path.path.len());
        address.push_str(&self.0);
        address.push_str(&path.path);
        address
    }
}

/// The address of a connection, opened with a ticket.
pub(crate) struct Address<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) path: &'a Path,
    pub(crate) ticket: &'a str,
}

impl Address<'_> {
    /// As server-sent events.
    pub(crate) fn events(&self) -> String {
        let mut address = self.origin.http(self.path);
        address.push_str(if self.path.query.is_some() { "&ticket=" } else { "?ticket=" });
        address.push_str(self.ticket);
        address
    }

    /// As a WebSocket.
    pub(crate) fn socket(&self) -> String {
        let address = self.events();
        let mut socket = String::with_capacity(address.len());
        socket.push_str("ws");
        socket.push_str(address.strip_prefix("http").unwrap_or(&address));
        socket
    }
}

impl Path {
    /// Without query.
    pub(crate) fn as_str(&self) -> &str {
        &self.path
    }
}

/// ASCII letters, digits and these marks, and not too much of it.
#[expect(
    clippy::manual_contains,
    reason = "the search by words behind it is a quarter of a kilobyte of wasm"
)]
fn is_made_of(text: &str, longest: usize, marks: &[u8]) -> bool {
    let is_mark = |byte| marks.iter().any(|mark| *mark == byte);
    text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

/// `.` and `..`, however they are escaped: a browser resolves them before it sends.
fn is_dots(segment: &str) -> bool {
    let after_dot = |text| [".", "%2e", "%2E"].into_iter().find_map(|dot| str::strip_prefix(text, dot));
    match after_dot(segment) {
        Some("") => true,
        Some(rest) => after_dot(rest) == Some(""),
        None => false,
    }
}

/// A ticket can stand in a query as it is.
pub(crate) fn is_ticket(text: &str) -> bool {
    !text.is_empty() && is_made_of(text, 512, b"-_.~")
}

/// RFC 9110's token, which JSON writes as it is.
pub(crate) fn is_method(text: &str) -> bool {
    !text.is_empty() && is_made_of(text, 64, b"!#$%&'*+-.^_`|~")
}

/// RFC 9449's `1*NQCHAR`, which JSON writes as it is.
pub(crate) fn is_nonce(text: &str) -> bool {
    !text.is_empty() && is_made_of(text, 512, b"!#$%&'()*+,-./:;<=>?@[]^_`{|}~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin::parse("https://console.example:8443").unwrap()
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for good in
            ["https://console.example", "http://localhost:8080", "http://[::1]:3000", "http://127.0.0.1"]
        {
            assert_eq!(Origin::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "null",
            "https://",
            "https://a/",
            "https://a.example/x",
            "wss://a",
            "https://A",
            "https://a b",
        ] {
            assert_eq!(Origin::parse(bad), Err(PopError::WrongOrigin), "{bad}");
        }
    }

    #[test]
    fn a_proof_names_neither_query_nor_fragment() {
        let path = origin().path("/v1/me?x=1#y").unwrap();
        assert_eq!(origin().htu(&path), "https://console.example:8443/v1/me");
        assert_eq!(origin().http(&path), "https://console.example:8443/v1/me?x=1");
        assert_eq!(origin().path("https://console.example:8443/v1/me?x=1"), Ok(path));
    }

    #[test]
    fn other_origins_are_refused() {
        for other in [
            "https://evil.example/v1/me",
            "https://console.example:84430/v1/me",
            "https://console.example:8443.evil.example/",
            "https://console.example:8443@evil.example/",
            "//evil.example/v1/me",
            "/\\evil.example",
            "https://console.example:8443//evil.example",
            "v1/me",
            "",
        ] {
            assert_eq!(origin().path(other), Err(PopError::WrongOrigin), "{other}");
        }
    }

    #[test]
    fn what_a_browser_would_spell_otherwise_is_refused() {
        for bad in ["/a b", "/a\"b", "/a\\b", "/ä", "/a/../b", "/a/%2e%2E/b", "/./a", "/a\n", "/a{b}"] {
            assert_eq!(origin().path(bad), Err(PopError::BadArgument), "{bad:?}");
        }
        for good in [
            "/",
            "/v1/..a",
            "/v1/a...",
            "/%41",
            "/v1/connections/con_7q4m-2f9k-xw1d-0h3t/answer",
            "/it's[1]|2",
        ] {
            assert_eq!(origin().path(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_ticket_joins_the_query() {
        let origin = origin();
        let plain = origin.path("/v1/streams/activity").unwrap();
        let query = origin.path("/v1/streams/activity?since=1").unwrap();
        let of = |path| Address { origin: &origin, path, ticket: "t1" };
        assert_eq!(of(&plain).socket(), "wss://console.example:8443/v1/streams/activity?ticket=t1");
        assert_eq!(of(&query).events(), "https://console.example:8443/v1/streams/activity?since=1&ticket=t1");
        assert!(is_ticket("a-Z_9.~") && !is_ticket("a&b=c") && !is_ticket("") && !is_ticket("a#"));
    }

    #[test]
    fn methods_and_nonces_need_no_escaping() {
        assert!(is_method("GET") && is_method("M-SEARCH"));
        assert!(!is_method("") && !is_method("GE T") && !is_method("GET\""));
        assert!(
            is_nonce("AAABmq_-.~!")
                && !is_nonce("a\"b")
                && !is_nonce("a\\b")
                && !is_nonce("a b")
                && !is_nonce("")
        );
    }
}
