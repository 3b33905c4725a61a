//! What guards every answer, of whichever kind (S3).

use crate::support::{Line, ORIGIN, Raw, World};
use axum::http::HeaderMap;
use holdfast_protocol::connections::Transport;

/// Header, and what it must hold.
const GUARDS: [(&str, &[&str]); 7] = [
    ("x-content-type-options", &["nosniff"]),
    ("x-frame-options", &["DENY"]),
    ("referrer-policy", &["no-referrer"]),
    ("cross-origin-opener-policy", &["same-origin"]),
    ("cross-origin-resource-policy", &["same-origin"]),
    ("permissions-policy", &["publickey-credentials-get=(self)", "camera=()"]),
    ("content-security-policy", &["default-src 'none'", "frame-ancestors 'none'"]),
];

fn check(kind: &str, headers: &HeaderMap) {
    for (name, parts) in GUARDS {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "{kind}: {name}: {values:?}");
        let value = values[0].to_str().unwrap();
        assert!(parts.iter().all(|part| value.contains(part)), "{kind}: {name}: {value}");
        for bad in ["unsafe-inline", "'unsafe-eval'", "*"] {
            assert!(!value.contains(bad), "{kind}: {name}: {value}");
        }
    }
    for bad in ["access-control-allow-origin", "server", "x-powered-by"] {
        assert!(!headers.contains_key(bad), "{kind}: {bad}");
    }
}

#[tokio::test]
async fn every_kind_of_answer_is_guarded() {
    let world = World::new().await;
    let browser = world.browser().await;
    let _line = Line::open(&browser, Transport::ServerSentEvents).await;
    let mut large = Raw::new("POST", "/v1/login/options");
    large.add("origin", ORIGIN);
    large.add("content-type", "application/json");
    large.body = vec![b' '; 70_000];
    let mut own = Raw::new("POST", "/v1/me");
    own.add("origin", ORIGIN);
    let mut report = Raw::new("POST", "/v1/csp-report");
    report.add("content-type", "application/csp-report");
    report.body = b"{}".to_vec();
    for (kind, request, status) in [
        ("JSON", Raw::new("GET", "/v1/setup"), 200),
        ("no content", report, 204),
        ("signed out", Raw::new("GET", "/v1/me"), 401),
        ("foreign origin", Raw::new("POST", "/v1/me"), 403),
        ("not found", Raw::new("GET", "/v1/nothing"), 404),
        ("another method", own, 405),
        ("too large", large, 413),
        ("HEAD", Raw::new("HEAD", "/v1/health"), 200),
    ] {
        let answer = request.send(world.address).await;
        assert_eq!(answer.status, status, "{kind}");
        check(kind, &answer.headers);
        assert_eq!(answer.headers["cache-control"], "no-store", "{kind}");
    }
    // The page, whether this program was built with it or not.
    for path in ["/", "/security", "/setup", "/index.html", "/console/agents", "/console/index.html"] {
        let answer = Raw::new("GET", path).send(world.address).await;
        check(path, &answer.headers);
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
    for (kind, answer) in [("proven", browser.get("/v1/me").await), ("HTML", browser.get("/x").await)] {
        check(kind, &answer.headers);
    }
}

#[tokio::test]
async fn a_report_is_kept_without_what_addresses_carry() {
    let world = World::new().await;
    let mut report = Raw::new("POST", "/v1/csp-report");
    report.add("content-type", "application/csp-report");
    report.body = br#"{"csp-report":{"document-uri":"https://a.example/setup#token=secret",
        "blocked":["https://b.example/x?ticket=secret#y"],"sample":"why? not","line":7}}"#
        .to_vec();
    assert_eq!(report.send(world.address).await.status, 204);
    let kept = world.app.csp_reports.all().concat();
    assert!(!kept.contains("secret") && kept.contains("https://b.example/x\""), "{kept}");
    assert!(kept.contains("why? not"), "{kept}");
}

#[tokio::test]
async fn a_console_on_https_stays_there() {
    let world = World::new().await;
    let secure = world.beside(|config| config.origin = "https://console.example".to_owned()).await;
    for path in ["/", "/v1/health", "/v1/nothing"] {
        let answer = Raw::new("GET", path).send(secure.address).await;
        assert!(
            answer.headers["strict-transport-security"].to_str().unwrap().starts_with("max-age=63072000")
        );
        let answer = Raw::new("GET", path).send(world.address).await;
        assert!(!answer.headers.contains_key("strict-transport-security"));
    }
}

#[tokio::test]
async fn every_answer_of_the_api_hands_out_a_nonce_for_the_next_proof() {
    let world = World::new().await;
    let browser = world.browser().await;
    for (path, status) in [("/v1/health", 200), ("/v1/me", 401)] {
        let answer = Raw::new("GET", path).send(world.address).await;
        assert_eq!(answer.status, status);
        let nonce = answer.headers["dpop-nonce"].to_str().unwrap();
        let mut proof = browser.fresh_proof("GET", "/v1/me").await;
        proof.claims["nonce"] = nonce.into();
        assert_eq!(browser.get_with("/v1/me", &proof.sign()).await.status, 200);
    }
}
