//! Recovery codes: the server gets verifiers, and keeps hashes of them (C1, C2).

use crate::support::{Answer, Browser, World, everything_stored, stored_facts};
use futures_util::future::join_all;
use holdfast_protocol::{
    account::Me,
    base64url::{self, Bytes},
    history::{Activity, ActivityPage},
    problem::Code,
    recovery::{CODES, RecoveryCode, RecoveryCodesRequest, RecoveryCodesView},
};
use holdfast_server::{db::Db, secrets::sha256};
use serde_json::json;

const PATH: &str = "/v1/recovery-codes";

fn make_list(world: &World) -> (Vec<RecoveryCode>, RecoveryCodesRequest) {
    let code = |_| RecoveryCode::make(&world.app.entropy.make::<64>()).unwrap();
    let codes: Vec<RecoveryCode> = (0..CODES).map(code).collect();
    let verifiers = codes.iter().map(RecoveryCode::sign_in_verifier).collect();
    (codes, RecoveryCodesRequest { verifiers })
}

async fn put(browser: &Browser, request: &RecoveryCodesRequest) -> Answer {
    browser.post(PATH, request).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_list_comes_into_force_once() {
    let world = World::new().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    let (_, first) = make_list(&world);
    let view: RecoveryCodesView = put(&browser, &first).await.json();
    assert_eq!((view.left, view.total, view.created_at_ms), (10, 10, 1_800_000_000_000));
    let before = stored_facts(&world).await;
    for list in [&first, &make_list(&world).1] {
        assert_eq!(put(&browser, list).await.code(), Code::RecoveryCodesExist);
    }
    assert_eq!(stored_facts(&world).await, before);

    let me: Me = browser.get("/v1/me").await.json();
    assert_eq!(me.recovery_codes, Some(view));
    let me: Me = stranger.get("/v1/me").await.json();
    assert_eq!(me.recovery_codes, None);
    let page: ActivityPage = browser.get("/v1/activity").await.json();
    assert_eq!(page.events.len(), 1);
    assert_eq!(page.events[0].what, Activity::RecoveryCodesCreated);
    // Each account has its own, even if the codes were the same.
    assert_eq!(put(&stranger, &first).await.status, 200);
}

#[tokio::test]
async fn of_two_lists_that_race_one_comes_into_force_whole() {
    let world = World::new().await;
    let browser = world.browser().await;
    let lists: Vec<RecoveryCodesRequest> = (0..6).map(|_| make_list(&world).1).collect();
    let answers = join_all(lists.iter().map(|list| put(&browser, list))).await;
    let winners: Vec<usize> = (0..6).filter(|at| answers[*at].status == 200).collect();
    assert_eq!(winners.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.code(), Code::RecoveryCodesExist);
    }
    assert_eq!(world.count("recovery_codes").await, CODES);
    let stored = everything_stored(&world).await;
    for verifier in &lists[winners[0]].verifiers {
        assert!(stored.contains(&hex(&sha256(&verifier.0))));
    }
}

#[tokio::test]
async fn a_list_is_ten_different_verifiers_of_32_bytes() {
    let world = World::new().await;
    let browser = world.browser().await;
    let (_, good) = make_list(&world);
    let before = stored_facts(&world).await;
    let changed = |change: &dyn Fn(&mut Vec<Bytes>)| {
        let mut list = good.clone();
        change(&mut list.verifiers);
        list
    };
    for (why, bad) in [
        ("none", changed(&|list| list.clear())),
        ("nine", changed(&|list| list.truncate(9))),
        ("eleven", changed(&|list| list.push(Bytes(vec![1; 32])))),
        ("eleven, one twice", changed(&|list| list.push(list[0].clone()))),
        ("one twice", changed(&|list| list[9] = list[0].clone())),
        ("a short one", changed(&|list| list[3] = Bytes(vec![1; 31]))),
        ("a long one", changed(&|list| list[3] = Bytes(vec![1; 33]))),
        ("an empty one", changed(&|list| list[3] = Bytes(Vec::new()))),
    ] {
        assert_eq!(put(&browser, &bad).await.code(), Code::InvalidRequest, "{why}");
    }
    let codes = json!({ "codes": vec!["7K3-9MX-TAF-2HD-NYR-4PC-8WV"; 10] });
    assert_eq!(browser.post(PATH, &codes).await.code(), Code::InvalidRequest);
    assert_eq!(stored_facts(&world).await, before);
    assert_eq!(put(&browser, &good).await.status, 200);
}

#[tokio::test]
async fn neither_codes_nor_verifiers_are_stored_anywhere() {
    let world = World::new().await;
    let browser = world.browser().await;
    let (codes, list) = make_list(&world);
    put(&browser, &list).await;
    let stored = everything_stored(&world).await;
    let mut files = Vec::new();
    if matches!(world.app.db, Db::Sqlite(_)) {
        for entry in std::fs::read_dir(world.folder.path()).unwrap() {
            files.push(std::fs::read(entry.unwrap().path()).unwrap());
        }
        assert!(files.iter().any(|file| file.len() > 4096));
    }
    for (code, Bytes(verifier)) in codes.iter().zip(&list.verifiers) {
        let hash = sha256(verifier);
        assert!(stored.contains(&hex(&hash)), "the hash is what is kept");
        let plain = code.grouped().replace('-', "");
        for secret in [
            verifier.clone(),
            base64url::encode(verifier).into_bytes(),
            plain.into_bytes(),
            code.grouped().into_bytes(),
        ] {
            assert!(!stored.contains(&hex(&secret)));
            let text = String::from_utf8_lossy(&secret).to_lowercase();
            assert!(!stored.contains(&text));
            for file in &files {
                assert!(!file.windows(secret.len()).any(|window| window == secret));
            }
        }
        // And the search finds what is there.
        assert!(files.is_empty() || files.iter().any(|file| file.windows(32).any(|window| window == hash)));
    }
}
