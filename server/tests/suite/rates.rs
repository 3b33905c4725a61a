//! How often a source may try (S6).

use crate::support::{Answer, Guest, PlainBody, World, public};
use axum::http::Method;
use holdfast_protocol::problem::Code;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// Tries that a source has at once, and what gives one back.
const OPTIONS: (usize, u64) = (60, 2_000);
const VERIFY: (usize, u64) = (20, 3_000);

async fn try_options(guest: &mut Guest) -> Answer {
    guest.post("/v1/login/options", &json!({ "jkt": public(&guest.key).thumbprint() })).await
}

async fn try_verify(guest: &mut Guest) -> Answer {
    let body = json!({ "ceremony": "cer_0000-0000-0000-0000", "token": "x", "credential": {
        "id": "", "client_data_json": "", "authenticator_data": "", "signature": "", "user_handle": "",
    }});
    guest.post("/v1/login/verify", &body).await
}

fn is_limited(answer: &Answer) -> bool {
    let limited = answer.status == 429;
    if limited {
        assert_eq!(answer.code(), Code::RateLimited);
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        let seconds = answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
        assert_eq!(problem["retry_after_s"], seconds);
        assert!((1..=10).contains(&seconds), "{seconds}");
    } else {
        assert!(!answer.headers.contains_key("retry-after"));
    }
    limited
}

fn another_address() -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)))
}

#[tokio::test]
async fn ceremonies_are_begun_so_often_and_the_clock_gives_tries_back() {
    let world = World::new().await;
    let (mut guest, mut other) = (world.guest(), world.guest_from(another_address()));
    for _ in 0..OPTIONS.0 {
        assert!(!is_limited(&try_options(&mut guest).await));
    }
    let rows = world.count("ceremonies").await;
    assert!(is_limited(&try_options(&mut guest).await));
    // Another browser of the same address is the same source; another key does not help.
    assert!(is_limited(&try_options(&mut world.guest()).await));
    assert_eq!(world.count("ceremonies").await, rows);
    assert!(!is_limited(&try_options(&mut other).await));
    // What it has used up to begin it has not used up to finish.
    assert!(!is_limited(&try_verify(&mut guest).await));
    world.advance_ms(OPTIONS.1 - 1);
    assert!(is_limited(&try_options(&mut guest).await));
    world.advance_ms(1);
    assert!(!is_limited(&try_options(&mut guest).await));
    assert!(is_limited(&try_options(&mut guest).await));
}

#[tokio::test]
async fn ceremonies_are_finished_so_often_and_set_up_counts_with_them() {
    let world = World::new().await;
    let (mut guest, mut other) = (world.guest(), world.guest_from(another_address()));
    for _ in 0..VERIFY.0 {
        assert!(!is_limited(&try_verify(&mut guest).await));
    }
    assert!(is_limited(&try_verify(&mut guest).await));
    let body = json!({ "ceremony": "cer_0000-0000-0000-0000", "token": "x", "credential": {
        "id": "", "client_data_json": "", "attestation_object": "", "transports": [],
    }});
    assert!(is_limited(&guest.post("/v1/setup/verify", &body).await));
    assert!(!is_limited(&other.post("/v1/setup/verify", &body).await));
    // After the seconds that it was told, not before.
    world.advance_ms(VERIFY.1);
    assert!(!is_limited(&try_verify(&mut guest).await));
}

#[tokio::test]
async fn the_setup_token_cannot_be_guessed_quickly() {
    let world = World::new().await;
    let mut guest = world.guest();
    let body = json!({ "name": "M", "email": "m@example.org", "jkt": public(&guest.key).thumbprint() });
    let mut codes = Vec::new();
    for number in 0..OPTIONS.0 + 5 {
        let request = guest
            .request(Method::POST, "/v1/setup/options")
            .header("content-type", "application/json")
            .header("x-setup-token", format!("a-guess-of-the-setup-token-{number}"));
        codes.push(guest.send(request.body(PlainBody::from(body.to_string())).unwrap()).await.code());
    }
    assert_eq!(codes.iter().filter(|code| **code == Code::SetupTokenInvalid).count(), OPTIONS.0);
    assert_eq!(codes.iter().filter(|code| **code == Code::RateLimited).count(), 5);
}

/// How many of three tries with these headers another source of the same proxy is refused, once the
/// first source has used up its tries.
async fn refused_after(world: &World, first: &[&[u8]], second: &[&[u8]]) -> usize {
    let headers = |lists: &[&[u8]]| lists.iter().map(|list| list.to_vec()).collect::<Vec<_>>();
    let mut guest = world.guest();
    guest.forwarded_for = headers(first);
    for _ in 0..VERIFY.0 {
        try_verify(&mut guest).await;
    }
    guest.forwarded_for = headers(second);
    let mut refused = 0;
    for _ in 0..3 {
        refused += usize::from(is_limited(&try_verify(&mut guest).await));
    }
    world.advance_ms(600_000);
    refused
}

#[tokio::test]
async fn what_a_client_says_of_its_address_is_not_believed() {
    let world = World::new().await;
    assert_eq!(refused_after(&world, &[b"9.9.9.1"], &[b"9.9.9.2"]).await, 3);
    assert_eq!(refused_after(&world, &[], &[b"9.9.9.2"]).await, 3);
}

#[tokio::test]
async fn a_trusted_proxys_word_counts_from_the_right() {
    let world = World::with(|config| config.trust_proxy = 1).await;
    for (why, first, second, refused) in [
        ("two clients", vec![&b"9.9.9.1"[..]], vec![&b"9.9.9.2"[..]], 0),
        ("made-up hops before", vec![b"1.1.1.1, 9.9.9.1"], vec![b"2.2.2.2, 9.9.9.1"], 3),
        ("made-up headers before", vec![b"1.1.1.1", b"9.9.9.1"], vec![b"2.2.2.2", b"9.9.9.1"], 3),
        ("white space", vec![b"9.9.9.1"], vec![b"x,  9.9.9.1 "], 3),
        ("no header", vec![b"127.0.0.1"], vec![], 3),
        ("no address", vec![b"127.0.0.1"], vec![b"unknown"], 3),
        ("no text beside the hop", vec![b"1.1.1.1", b"9.9.9.1"], vec![b"2.2.2.2", b"\xff, 9.9.9.1"], 3),
        ("no text for a hop", vec![b"127.0.0.1"], vec![b"2.2.2.2", b"\xff"], 3),
        ("one IPv6 subscriber", vec![b"2001:db8:1:2::1"], vec![b"2001:db8:1:2:ffff::9"], 3),
        ("two IPv6 subscribers", vec![b"2001:db8:1:2::1"], vec![b"2001:db8:1:3::1"], 0),
        ("IPv4 in IPv6", vec![b"9.9.9.1"], vec![b"::ffff:9.9.9.1"], 3),
    ] {
        assert_eq!(refused_after(&world, &first, &second).await, refused, "{why}");
    }
}

#[tokio::test]
async fn two_proxies_are_counted_two_from_the_right() {
    let world = World::with(|config| config.trust_proxy = 2).await;
    assert_eq!(refused_after(&world, &[b"9.9.9.1, 10.0.0.1"], &[b"9.9.9.2, 10.0.0.1"]).await, 0);
    assert_eq!(refused_after(&world, &[b"8.8.8.8, 9.9.9.1, 10.0.0.1"], &[b"9.9.9.1, 10.0.0.2"]).await, 3);
    // Fewer hops than proxies: the request went around one of them.
    assert_eq!(refused_after(&world, &[b"9.9.9.1"], &[b"9.9.9.2"]).await, 3);
}

#[tokio::test]
async fn who_has_only_copied_the_cookie_cannot_use_up_its_owners_share() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut thief = world.guest_from(another_address());
    for pair in browser.cookies.split("; ") {
        let (name, value) = pair.split_once('=').unwrap();
        thief.cookies.set(name, value);
    }
    let mut limited = 0;
    for _ in 0..310 {
        limited += usize::from(is_limited(&thief.get("/v1/me").await));
    }
    assert_eq!(limited, 10);
    assert_eq!(browser.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn reports_of_violations_do_not_use_up_sign_ins() {
    let world = World::new().await;
    let mut guest = world.guest();
    let mut limited = 0;
    for _ in 0..70 {
        let request =
            guest.request(Method::POST, "/v1/csp-report").header("content-type", "application/csp-report");
        let answer = guest.send(request.body(PlainBody::from("{}")).unwrap()).await;
        limited += usize::from(is_limited(&answer));
    }
    assert!(limited > 0);
    assert!(!is_limited(&try_options(&mut guest).await));
}
