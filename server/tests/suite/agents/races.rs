//! What agents do while their owner takes it away from them.

use super::{DAY_MS, act, ask, unguarded};
use crate::support::{Answer, Browser, Program, World};
use futures_util::future::join_all;
use holdfast_protocol::{
    agents::AgentState, base64url::Bytes, commitment::Opening, problem::Code, step_up::Kind,
};
use serde_json::{Value, json};

const KEY: &str = "/v1/agents/credentials/KEY";

/// Stores the credential that every agent reads, anew: the next reading is told.
async fn store(browser: &Browser, number: u8) -> Answer {
    let opening = Opening { salt: Bytes(vec![number; 16]), value: Bytes(b"hunter2".to_vec()) };
    let parameters = json!({ "name": "KEY", "channel": "default", "commitment": opening.commitment() });
    let body = json!({ "parameters": parameters, "secret": opening });
    browser.post(Kind::CredentialSet.path(), &body).await
}

fn limits(agent: &Program, world: &World) -> Value {
    json!({ "agent": agent.id, "name": "Shopper", "scope": "workspace", "budget": "9.00",
            "expires_at_ms": world.clock.now().unix_ms + DAY_MS })
}

/// It was done, or refused because of what came before it; nobody was in anybody's way.
fn is_told(answer: &Answer) -> bool {
    const REFUSED: [Code; 4] =
        [Code::AgentTokenInvalid, Code::PairingGone, Code::BudgetExceeded, Code::NotFound];
    answer.status.is_success() || REFUSED.contains(&answer.code())
}

#[tokio::test]
async fn agents_and_their_owner_never_wait_for_each_other_forever() {
    let world = unguarded().await;
    let browser = world.browser().await;
    let elsewhere = browser.at(&world.beside(|config| config.step_up_off = Kind::ALL.to_vec()).await);
    assert_eq!(store(&browser, 0).await.status, 204);
    for number in 1..=8 {
        let (agent, capped) = (world.agent(&browser.account).await, world.agent(&browser.account).await);
        let pairing = ask(&world).await;
        assert_eq!(act(&browser, Kind::AgentApprove, &pairing.approval(&world)).await.status, 200);
        let named = json!({ "agent": agent.id, "name": "Shopper" });
        let waits = json!({ "agent": pairing.agent, "name": "Shopper" });
        let more = limits(&agent, &world);
        let less = json!({ "agent": capped.id, "budget": "5.00" });
        let theirs = async {
            let charges = join_all((0..6).map(|at| [&agent, &capped][at % 2].charge("0.50", at)));
            let reads = join_all((0..6).map(|at| [&agent, &capped][at % 2].read(KEY)));
            let claims = join_all((0..3).map(|_| async {
                let claimed = pairing.claim(&world).await;
                let Some(token) = told_token(&claimed) else { return vec![claimed] };
                let program = Program { token, ..agent.clone() };
                vec![claimed, program.own().await]
            }));
            let (charges, reads, claims) = tokio::join!(charges, reads, claims);
            charges.into_iter().chain(reads).chain(claims.into_iter().flatten()).collect::<Vec<_>>()
        };
        let owners = async {
            let (limited, stored, cut, revoked, torn) = tokio::join!(
                act(&elsewhere, Kind::AgentApprove, &more),
                store(&elsewhere, number),
                browser.post("/v1/agents/cap", &less),
                act(&browser, Kind::AgentRevoke, &named),
                act(&elsewhere, Kind::AgentTeardown, &waits),
            );
            [stored, cut, revoked, torn].iter().for_each(|done| assert_eq!(done.status, 204, "{done:?}"));
            assert!(is_told(&limited), "{limited:?}");
        };
        let (answers, ()) = tokio::join!(theirs, owners);
        for answer in &answers {
            assert!(is_told(answer), "{answer:?}");
        }
        // What was taken away is gone.
        assert_eq!(agent.charge("0.50", 7).await.code(), Code::AgentTokenInvalid);
        assert_eq!(agent.read(KEY).await.code(), Code::AgentTokenInvalid);
        assert_eq!(pairing.claim(&world).await.code(), Code::PairingGone);
        let left = super::agents(&browser).await;
        let state = left.iter().find(|view| view.id == agent.id).map(|view| view.state);
        assert_eq!(state, Some(AgentState::Revoked));
        assert!(left.iter().all(|view| view.id.as_str() != pairing.agent));
    }
}

#[tokio::test]
async fn a_claim_and_the_first_use_leave_one_token_that_works() {
    let world = unguarded().await;
    let beside = world.beside(|_| {}).await;
    let browser = world.browser().await;
    for round in 0..16 {
        // Claims are counted.
        world.advance_ms(60_000);
        let pairing = ask(&world).await;
        assert_eq!(act(&browser, Kind::AgentApprove, &pairing.approval(&world)).await.status, 200);
        let fetched = pairing.program(&world).await;
        let use_it = async {
            // What comes first is another one each time.
            for _ in 0..round / 4 {
                fetched.read("/v1/nonexistent").await;
            }
            fetched.own().await
        };
        let claims = join_all((0..4).map(|at| pairing.claim_at([&world, &beside][at % 2].address)));
        let (used, claims) = tokio::join!(use_it, claims);

        let others: Vec<_> = claims.iter().filter_map(told_token).collect();
        let others = others.into_iter().map(|token| Program { token, ..fetched.clone() });
        let later = join_all(others.map(|program| async move { program.own().await })).await;
        assert_eq!(fetched.own().await.status, used.status);
        if used.status == 200 {
            assert!(later.is_empty(), "{claims:?}");
        } else {
            // Of tokens that were given one after the other the last one works.
            assert_eq!(used.code(), Code::AgentTokenInvalid);
            assert_eq!(later.iter().filter(|own| own.status == 200).count(), 1, "{later:?}");
        }
        assert!(claims.iter().all(|it| it.status == 200 || it.code() == Code::PairingGone), "{claims:?}");
        assert_eq!(super::told(&browser).await.len(), round + 1);
    }
}

fn told_token(claim: &Answer) -> Option<String> {
    claim.status.is_success().then(|| claim.json::<Value>()["token"].as_str().map(str::to_owned))?
}
