//! What an owner gives an agent, and takes away (G3).

use super::{DAY_MS, act, agents, confirm, told, unguarded};
use crate::support::{Program, World, run, stored_facts};
use holdfast_protocol::{
    agents::AgentState,
    ids::AgentId,
    problem::{Code, Problem},
    step_up::Kind,
};
use serde_json::{Value, json};

fn limits(agent: &AgentId, budget: &str, expires_at_ms: u64) -> Value {
    json!({ "agent": agent, "name": "Shopper", "scope": "full", "budget": budget, "expires_at_ms": expires_at_ms })
}

fn named(agent: &AgentId) -> Value {
    json!({ "agent": agent, "name": "Shopper" })
}

#[tokio::test]
async fn more_money_wants_a_signature_and_less_does_not() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let agent = world.agent(&browser.account).await;
    assert_eq!(agent.charge("4.00", 1).await.status, 200);
    let cap = async |budget: &str| {
        browser.post("/v1/agents/cap", &json!({ "agent": agent.id, "budget": budget })).await
    };
    let budget_and_left = async || {
        let view = agents(&browser).await.remove(0);
        (view.budget.to_string(), view.left.to_string())
    };
    let more = cap("10.000001").await;
    assert_eq!(more.code(), Code::StepUpRequired);
    let problem: Problem = serde_json::from_slice(&more.body).unwrap();
    assert_eq!(problem.preflight.as_deref(), Some("/v1/agents/approve/stepup"));
    assert_eq!(budget_and_left().await, ("10.00".to_owned(), "6.00".to_owned()));

    assert_eq!(cap("5.00").await.status, 204);
    assert_eq!(budget_and_left().await, ("5.00".to_owned(), "1.00".to_owned()));
    let sentence = format!("The agent “Shopper” ({}) may spend 5.00 USD in all from now on.", agent.id);
    assert_eq!(told(&browser).await[0], sentence);
    // Below what is spent: nothing is left, and nothing is owed.
    assert_eq!(cap("3.00").await.status, 204);
    assert_eq!(budget_and_left().await, ("3.00".to_owned(), "0.00".to_owned()));
    assert_eq!(agent.charge("0.000001", 2).await.code(), Code::BudgetExceeded);

    let raised = limits(&agent.id, "12.00", world.clock.now().unix_ms + DAY_MS);
    assert_eq!(act(&browser, Kind::AgentApprove, &raised).await.code(), Code::StepUpRequired);
    assert_eq!(budget_and_left().await.0, "3.00");
    assert_eq!(confirm(&browser, &passkey, Kind::AgentApprove, &raised).await.status, 200);
    assert_eq!(budget_and_left().await, ("12.00".to_owned(), "8.00".to_owned()));
    // The token stays the same.
    assert_eq!(agent.charge("8.00", 3).await.status, 200);
}

#[tokio::test]
async fn an_agents_time_ends_and_an_approval_gives_it_more() {
    let world = unguarded().await;
    let browser = world.browser().await;
    let agent = world.agent(&browser.account).await;
    world.advance_ms(DAY_MS - 1);
    assert_eq!(agent.own().await.status, 200);
    world.advance_ms(1);
    assert_eq!(agent.own().await.code(), Code::AgentTokenInvalid);
    assert_eq!(agent.charge("1.00", 1).await.code(), Code::AgentTokenInvalid);
    assert_eq!(agents(&browser).await[0].state, AgentState::Expired);
    let more = limits(&agent.id, "10.00", world.clock.now().unix_ms + 60_000);
    assert_eq!(act(&browser, Kind::AgentApprove, &more).await.json::<Value>()["state"], "active");
    assert_eq!(agent.charge("1.00", 1).await.status, 200);
}

#[tokio::test]
async fn a_revoked_agent_can_do_nothing_more_and_is_not_revived() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let agent = world.agent(&browser.account).await;
    assert_eq!(act(&browser, Kind::AgentRevoke, &named(&agent.id)).await.code(), Code::StepUpRequired);
    assert_eq!(agent.own().await.status, 200);
    assert_eq!(confirm(&browser, &passkey, Kind::AgentRevoke, &named(&agent.id)).await.status, 204);
    for answer in [agent.own().await, agent.charge("1.00", 1).await] {
        assert_eq!((answer.status.as_u16(), answer.code()), (401, Code::AgentTokenInvalid));
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
    assert_eq!(agents(&browser).await[0].state, AgentState::Revoked);
    let more = limits(&agent.id, "10.00", world.clock.now().unix_ms + 60_000);
    assert_eq!(browser.post("/v1/agents/approve/stepup", &more).await.code(), Code::NotFound);
    let less = json!({ "agent": agent.id, "budget": "1.00" });
    assert_eq!(browser.post("/v1/agents/cap", &less).await.code(), Code::NotFound);
    // What takes power away may be said twice.
    assert_eq!(confirm(&browser, &passkey, Kind::AgentRevoke, &named(&agent.id)).await.status, 204);
    assert_eq!(confirm(&browser, &passkey, Kind::AgentTeardown, &named(&agent.id)).await.status, 204);
    assert_eq!(agents(&browser).await, []);
}

#[tokio::test]
async fn a_torn_down_agent_is_gone_and_its_charges_stay() {
    let world = unguarded().await;
    let browser = world.browser().await;
    let (agent, other) = (world.agent(&browser.account).await, world.agent(&browser.account).await);
    assert_eq!(agent.charge("1.00", 1).await.status, 200);
    assert_eq!(act(&browser, Kind::AgentTeardown, &named(&agent.id)).await.status, 204);
    assert_eq!(agent.own().await.code(), Code::AgentTokenInvalid);
    assert_eq!(act(&browser, Kind::AgentTeardown, &named(&agent.id)).await.code(), Code::NotFound);
    let left: Vec<AgentId> = agents(&browser).await.into_iter().map(|agent| agent.id).collect();
    assert_eq!(left, std::slice::from_ref(&other.id));
    assert_eq!(other.own().await.status, 200);
    assert_eq!(world.count("charges").await, 1);
}

#[tokio::test]
async fn a_hold_keeps_power_from_being_given_and_lets_it_be_taken() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let agent = world.agent(&browser.account).await;
    let now_ms = world.app.clock.unix_ms();
    let (cooldown, until_ms) =
        ("UPDATE accounts SET cooldown_from_ms = $1, cooldown_until_ms = $2", now_ms + 3_600_000);
    run!(world.app.db, cooldown, now_ms, until_ms);
    let more = limits(&agent.id, "50.00", world.clock.now().unix_ms + DAY_MS);
    assert_eq!(browser.post("/v1/agents/approve/stepup", &more).await.code(), Code::Cooldown);
    // What was signed for before goes on, silently, until its owner takes it away.
    assert_eq!(agent.charge("1.00", 1).await.status, 200);
    assert_eq!(
        browser.post("/v1/agents/cap", &json!({ "agent": agent.id, "budget": "2.00" })).await.status,
        204
    );
    assert_eq!(confirm(&browser, &passkey, Kind::AgentRevoke, &named(&agent.id)).await.status, 204);
    assert_eq!(confirm(&browser, &passkey, Kind::AgentTeardown, &named(&agent.id)).await.status, 204);
    assert_eq!(agent.own().await.code(), Code::AgentTokenInvalid);
}

#[tokio::test]
async fn another_accounts_agent_is_as_good_as_none() {
    let world = unguarded().await;
    let (browser, stranger) = (world.browser().await, world.browser().await);
    let theirs: Program = world.agent(&stranger.account).await;
    let before = stored_facts(&world).await;
    let none = AgentId::make([7; 16]);
    assert_eq!(agents(&browser).await, []);
    for agent in [&theirs.id, &none] {
        let more = limits(agent, "50.00", world.clock.now().unix_ms + DAY_MS);
        let actions = [
            (Kind::AgentApprove, more),
            (Kind::AgentRevoke, named(agent)),
            (Kind::AgentTeardown, named(agent)),
        ];
        for (kind, parameters) in actions {
            assert_eq!(act(&browser, kind, &parameters).await.code(), Code::NotFound, "{kind}");
            assert_eq!(browser.post(&kind.preflight(), &parameters).await.code(), Code::NotFound, "{kind}");
        }
        let less = json!({ "agent": agent, "budget": "1.00" });
        assert_eq!(browser.post("/v1/agents/cap", &less).await.code(), Code::NotFound);
    }
    assert_eq!(stored_facts(&world).await, before);
    for kind in [Kind::AgentRevoke, Kind::AgentTeardown] {
        let renamed = json!({ "agent": theirs.id, "name": "Shoppers" });
        assert_eq!(act(&stranger, kind, &renamed).await.code(), Code::TargetChanged);
    }
    assert_eq!(theirs.own().await.status, 200);
}
