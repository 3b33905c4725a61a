use super::{Attack, Target, attack_all};
use crate::support::{Access, Endpoint, Line, ORIGIN, Raw, endpoints};
use holdfast_protocol::{connections::Transport, problem::Code};

fn attack(why: &str, request: &Raw, code: Code, change: impl FnOnce(&mut Raw)) -> Attack {
    let mut request = request.clone();
    change(&mut request);
    Attack { why: why.to_owned(), request, code }
}

#[tokio::test]
async fn what_another_site_asks_for_is_refused_first() {
    attack_all(|_: &Target, endpoint: &Endpoint, request: &Raw| {
        if endpoint.reads() || endpoint.path == "/v1/csp-report" {
            return Vec::new();
        }
        let foreign = |why: &str, code: Code, change: &dyn Fn(&mut Raw)| {
            attack(why, request, code, |request| {
                // It comes before everything else, so that everything else may be wrong.
                request.remove("cookie");
                request.remove("dpop");
                request.body = b"{".to_vec();
                change(request);
            })
        };
        let mut attacks = vec![
            // With the site alone; a program says neither.
            foreign("no origin", Code::ForeignOrigin, &|request| request.remove("origin")),
            foreign("two origins", Code::InvalidRequest, &|request| request.double("origin")),
            foreign("no text", Code::InvalidRequest, &|request| request.set("origin", b"\xff\xfe")),
            foreign("two sites", Code::InvalidRequest, &|request| request.double("sec-fetch-site")),
        ];
        for origin in [
            "null",
            "",
            "*",
            "http://localhost",
            "http://localhost:8081",
            "https://localhost:8080",
            "http://localhost:8080/",
            "http://LOCALHOST:8080",
            "http://localhost:8080.evil.example",
            "http://evil.example",
            "https://other.example",
            "http://localhost:8080, http://localhost:8080",
            "http://127.0.0.1:8080",
        ] {
            attacks.push(foreign(origin, Code::ForeignOrigin, &|request| request.set("origin", origin)));
        }
        for site in ["cross-site", "same-site", "none", "", "SAME-ORIGIN", "same-origin, same-origin"] {
            attacks.push(foreign(site, Code::ForeignOrigin, &|request| request.set("sec-fetch-site", site)));
        }
        attacks
    })
    .await;
}

#[tokio::test]
async fn without_a_session_nothing_is_answered() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        let by_cookie = !matches!(
            endpoint.access,
            Access::Public | Access::Program | Access::Agent | Access::Ceremony | Access::Device
        );
        if !by_cookie {
            return Vec::new();
        }
        let (session, csrf) = target.browser.cookies.split_once("; ").unwrap();
        let token = session.split_once('=').unwrap().1;
        let cookies = |why: &str, code: Code, cookies: &str| {
            attack(why, request, code, |request| request.set("cookie", cookies))
        };
        let hash = holdfast_protocol::base64url::encode(&holdfast_server::app::stored(token));
        vec![
            attack("no cookie", request, Code::SignedOut, |request| request.remove("cookie")),
            attack("an agent's token", request, Code::SignedOut, |request| {
                request.remove("cookie");
                request.add("authorization", format!("Bearer {}", target.token));
            }),
            cookies("no session", Code::SignedOut, csrf),
            cookies("an empty session", Code::SignedOut, &format!("__Host-holdfast=; {csrf}")),
            cookies("another name", Code::SignedOut, &format!("holdfast={token}; {csrf}")),
            cookies("another spelling", Code::SignedOut, &format!("__host-Holdfast={token}; {csrf}")),
            cookies("quotes", Code::SignedOut, &format!("__Host-holdfast=\"{token}\"; {csrf}")),
            cookies("padding", Code::SignedOut, &format!("{session}=; {csrf}")),
            cookies(
                "one letter less",
                Code::SignedOut,
                &format!("{}; {csrf}", &session[..session.len() - 1]),
            ),
            cookies("what the database holds", Code::SignedOut, &format!("__Host-holdfast={hash}; {csrf}")),
            cookies(
                "the session's id",
                Code::SignedOut,
                &format!("__Host-holdfast={}; {csrf}", target.browser.session),
            ),
            cookies("twice in one header", Code::InvalidRequest, &format!("{session}; {session}; {csrf}")),
            cookies(
                "another one first",
                Code::InvalidRequest,
                &format!("__Host-holdfast=x; {session}; {csrf}"),
            ),
            attack("twice in two headers", request, Code::InvalidRequest, |request| request.double("cookie")),
        ]
    })
    .await;
}

#[tokio::test]
async fn without_an_agents_token_nothing_is_answered_to_programs() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        if endpoint.access != Access::Agent {
            return Vec::new();
        }
        let token = target.token.as_str();
        let hash = holdfast_protocol::base64url::encode(&holdfast_server::app::stored(token));
        let with = |why: &str, header: &str| {
            attack(why, request, Code::AgentTokenInvalid, |request| request.set("authorization", header))
        };
        vec![
            attack("no header", request, Code::AgentTokenInvalid, |request| request.remove("authorization")),
            attack("two headers", request, Code::InvalidRequest, |request| request.double("authorization")),
            attack("a browser's cookie", request, Code::AgentTokenInvalid, |request| {
                request.remove("authorization");
                request.add("cookie", &target.browser.cookies);
            }),
            with("no token", "Bearer"),
            with("an empty token", "Bearer "),
            with("no scheme", token),
            with("another scheme", &format!("DPoP {token}")),
            with("two spaces", &format!("Bearer  {token}")),
            with("padding", &format!("Bearer {token}=")),
            with("one letter less", &format!("Bearer {}", &token[..token.len() - 1])),
            with("what the database holds", &format!("Bearer {hash}")),
            with("two tokens", &format!("Bearer {token}, Bearer {token}")),
        ]
    })
    .await;
}

#[tokio::test]
async fn without_a_proof_of_its_key_a_session_is_worth_nothing() {
    attack_all(|_: &Target, endpoint: &Endpoint, request: &Raw| {
        if !matches!(endpoint.access, Access::SignedIn | Access::Elevated) {
            return Vec::new();
        }
        let foreign_header = "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.AAAA";
        vec![
            attack("no proof", request, Code::PopProofMissing, |request| request.remove("dpop")),
            attack("two proofs", request, Code::PopProofInvalid, |request| request.double("dpop")),
            attack("no proof but a word", request, Code::PopProofInvalid, |request| {
                // Two headers of which the first is dropped: what is left is not made anew.
                request.remove("dpop");
                request.add("DPoP", foreign_header);
            }),
        ]
    })
    .await;
}

#[tokio::test]
async fn without_the_pages_token_nothing_is_changed() {
    attack_all(|target: &Target, endpoint: &Endpoint, request: &Raw| {
        if endpoint.reads()
            || !matches!(endpoint.access, Access::SignedIn | Access::Elevated | Access::Answer)
        {
            return Vec::new();
        }
        let (session, csrf) = target.browser.cookies.split_once("; ").unwrap();
        let right = target.browser.csrf.as_str();
        let foreign = holdfast_protocol::base64url::encode(
            &target.world.app.config.keys.mac("csrf", b"ses_0000-0000-0000-0000"),
        );
        let with = |why: &str, code: Code, header: &str, cookies: String| {
            attack(why, request, code, |request| {
                request.set("x-csrf-token", header);
                request.set("cookie", cookies);
            })
        };
        vec![
            attack("no header", request, Code::CsrfMismatch, |request| request.remove("x-csrf-token")),
            attack("two headers", request, Code::InvalidRequest, |request| request.double("x-csrf-token")),
            with("no cookie", Code::CsrfMismatch, right, session.to_owned()),
            with("two of others", Code::CsrfMismatch, right, format!("{session}; csrf=x; csrf={foreign}")),
            with("both empty", Code::CsrfMismatch, "", format!("{session}; csrf=")),
            with("equal and made up", Code::CsrfMismatch, "x", format!("{session}; csrf=x")),
            with("another session's", Code::CsrfMismatch, &foreign, format!("{session}; csrf={foreign}")),
            with("header of another", Code::CsrfMismatch, &foreign, format!("{session}; {csrf}")),
            with("cookie of another", Code::CsrfMismatch, right, format!("{session}; csrf={foreign}")),
            with("padded", Code::CsrfMismatch, &format!("{right}="), format!("{session}; {csrf}=")),
        ]
    })
    .await;
}

#[tokio::test]
async fn another_method_is_refused() {
    attack_all(|_: &Target, endpoint: &Endpoint, request: &Raw| {
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "PROPFIND"];
        let others = methods.into_iter().filter(|method| *method != endpoint.method);
        let attacks = others.map(|method| {
            attack(method, request, Code::MethodNotAllowed, |request| {
                request.method = method.to_owned();
                request.set("origin", ORIGIN);
                request.remove("sec-fetch-site");
            })
        });
        attacks.collect()
    })
    .await;
}

#[tokio::test]
async fn cookies_of_other_applications_do_not_matter() {
    let target = Target::new().await;
    let line = Line::open(&target.browser, Transport::ServerSentEvents).await;
    let endpoint = endpoints().into_iter().find(|endpoint| endpoint.path == "/v1/logout").unwrap();
    let mut request = target.request(&endpoint, &line);
    request
        .set("cookie", [b"a=\xff; csrf=theirs; ", target.browser.cookies.as_bytes(), b"; b=\xfe"].concat());
    assert_eq!(request.send(target.world.address).await.status, 204);
}
