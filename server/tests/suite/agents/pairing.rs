//! An agent and its owner find one another by a code (G1).

use super::{Asked, DAY_MS, act, agents, ask, confirm, signed, told, unguarded};
use crate::support::{Owner, Program, Raw, World, everything_stored, run, stored_facts};
use futures_util::future::join_all;
use holdfast_protocol::{
    agents::{AgentState, Currency, FileScope, PairingView, Source},
    problem::Code,
    step_up::Kind,
};
use serde_json::{Value, json};

const TEN_MINUTES_MS: u64 = 600_000;

async fn look(browser: &crate::support::Browser, code: &str) -> crate::support::Answer {
    browser.get(&format!("/v1/agents/pairings/{code}")).await
}

#[tokio::test]
async fn an_agent_asks_its_owner_signs_and_it_gets_its_token_once() {
    let world = World::new().await;
    let (browser, passkey) = world.set_up_by_ceremony().await;
    let asked = ask(&world).await;
    assert_eq!(asked.claim(&world).await.json::<Value>(), json!({ "state": "pending" }));
    let view: PairingView = look(&browser, &asked.code).await.json();
    assert_eq!((view.agent.as_str(), view.name.as_str()), (asked.agent.as_str(), "Shopper"));
    assert_eq!(
        (view.scope, view.budget.to_string(), view.currency),
        (FileScope::Full, "50.00".to_owned(), Currency::Usd)
    );
    assert_eq!(view.expires_at_ms, view.asked_at_ms + TEN_MINUTES_MS);

    let approval = asked.approval(&world);
    let refused = act(&browser, Kind::AgentApprove, &approval).await;
    assert_eq!(refused.code(), Code::StepUpRequired);
    assert_eq!(asked.claim(&world).await.json::<Value>(), json!({ "state": "pending" }));
    assert_eq!(agents(&browser).await, []);

    let approved = confirm(&browser, &passkey, Kind::AgentApprove, &approval).await;
    assert_eq!(approved.json::<Value>()["state"], "waiting");
    assert_eq!(look(&browser, &asked.code).await.code(), Code::NotFound);
    let claimed: Value = asked.claim(&world).await.json();
    assert_eq!((&claimed["state"], &claimed["agent"]["state"]), (&json!("approved"), &json!("waiting")));
    let token = claimed["token"].as_str().unwrap().to_owned();
    let own = Program { address: world.address, id: view.agent, token: token.clone() }.own().await;
    let mut at_work = claimed["agent"].clone();
    at_work["state"] = json!("active");
    assert_eq!(own.json::<Value>(), at_work);
    assert_eq!(asked.claim(&world).await.code(), Code::PairingGone);

    let [agent] = &agents(&browser).await[..] else { panic!("not one") };
    assert_eq!((agent.budget.to_string(), agent.scope), ("20.00".to_owned(), FileScope::Workspace));
    assert_eq!((agent.left, agent.state), (agent.budget, AgentState::Active));
    assert_eq!(
        told(&browser).await,
        [format!("The agent “Shopper” ({}) is paired and at work.", asked.agent)]
    );
    let stored = everything_stored(&world).await;
    assert!(!stored.contains(&token.to_lowercase()) && !asked.is_told_by(&stored));
}

#[tokio::test]
async fn an_owner_sees_whether_the_agent_asks_from_where_they_are() {
    let world = World::with(|config| {
        config.trust_proxy = 1;
        config.step_up_off = Kind::ALL.to_vec();
    })
    .await;
    let browser = world.browser().await;
    for (address, source) in
        [("127.0.0.1", Source::Same), ("198.51.100.7", Source::Another), ("2001:db8::1", Source::Another)]
    {
        let mut request = Raw::new("POST", "/v1/agents/pairings");
        request.add("content-type", "application/json");
        request.add("x-forwarded-for", address);
        let wish = json!({ "name": "Shopper", "scope": "workspace", "budget": "1.00" });
        request.body = wish.to_string().into_bytes();
        let asked: Value = request.send(world.address).await.json();
        let view: PairingView = look(&browser, asked["code"].as_str().unwrap()).await.json();
        assert_eq!(view.source, source, "{address}");
    }
    // An approved one may wait for long, and from where it came is nobody's business any more.
    let asked = ask(&world).await;
    assert_eq!(act(&browser, Kind::AgentApprove, &asked.approval(&world)).await.status, 200);
    let kept = "UPDATE pairings SET name = name WHERE source IS NOT NULL AND approved_at_ms IS NOT NULL";
    assert_eq!(run!(world.app.db, kept), 0);
    assert_eq!(run!(world.app.db, "UPDATE pairings SET name = name WHERE source IS NOT NULL"), 3);
}

#[tokio::test]
async fn codes_are_not_tried_out() {
    let world = World::new().await;
    let (browser, other) = (world.browser().await, world.browser().await);
    let asked = ask(&world).await;
    for code in
        ["0000-0000", "x", "%ff", &asked.code.to_uppercase(), &asked.agent, &format!("{}-0000", asked.code)]
    {
        assert_eq!(look(&browser, code).await.code(), Code::NotFound, "{code}");
    }
    for _ in 6..10 {
        assert_eq!(look(&browser, "0000-0000").await.code(), Code::NotFound);
    }
    let limited = look(&browser, &asked.code).await;
    assert_eq!(limited.code(), Code::RateLimited);
    assert!(limited.headers.contains_key("retry-after"));
    // Another account at the same address is the same source.
    assert_eq!(look(&other, &asked.code).await.code(), Code::RateLimited);
    world.advance_ms(10_000);
    assert_eq!(look(&browser, &asked.code).await.status, 200);
}

#[tokio::test]
async fn a_code_waits_for_ten_minutes_and_what_was_approved_for_as_long_as_it_lives() {
    let world = World::new().await;
    let Owner { browser, passkey } = world.owner("Mara").await;
    let (late, approved) = (ask(&world).await, ask(&world).await);
    let approval = late.approval(&world);
    world.advance_ms(TEN_MINUTES_MS - 1);
    assert_eq!(look(&browser, &late.code).await.status, 200);
    let mut in_time = approved.approval(&world);
    in_time["expires_at_ms"] = approval["expires_at_ms"].clone();
    assert_eq!(confirm(&browser, &passkey, Kind::AgentApprove, &in_time).await.status, 200);
    let too_late = signed(&browser, &passkey, Kind::AgentApprove, &approval).await;
    world.advance_ms(1);
    assert_eq!(look(&browser, &late.code).await.code(), Code::NotFound);
    assert_eq!(late.claim(&world).await.code(), Code::PairingGone);
    assert_eq!(browser.post(Kind::AgentApprove.path(), &too_late).await.code(), Code::PairingGone);
    world.app.sweep().await.unwrap();
    world.advance_ms(DAY_MS - 2 * TEN_MINUTES_MS);
    assert_eq!(approved.claim(&world).await.json::<Value>()["state"], "approved");
    world.advance_ms(2 * TEN_MINUTES_MS);
    world.app.sweep().await.unwrap();
    assert_eq!(world.count("pairings").await, 0);
}

#[tokio::test]
async fn many_owners_who_confirm_at_once_each_in_two_tabs_are_one() {
    let world = World::new().await;
    let beside = world.beside(|_| {}).await;
    let asked = ask(&world).await;
    let approval = asked.approval(&world);
    let (mut browsers, mut tries) = (Vec::new(), Vec::new());
    for number in 0..4 {
        let Owner { browser, passkey } = world.owner("Mara").await;
        for instance in [&world, &beside] {
            let tab = browser.at(instance);
            let body = signed(&tab, &passkey, Kind::AgentApprove, &approval).await;
            tries.push((number, tab, body));
        }
        browsers.push(browser);
    }
    let path = Kind::AgentApprove.path();
    let answers = join_all(tries.iter().map(|(_, tab, body)| tab.post(path, body))).await;
    let approved: Vec<usize> = (0..8).filter(|at| answers[*at].status == 200).collect();
    let [first] = approved[..] else { panic!("{approved:?}: {answers:?}") };
    for (at, answer) in answers.iter().enumerate() {
        assert!(at == first || answer.code() == Code::PairingGone, "{answer:?}");
    }
    for (number, browser) in browsers.iter().enumerate() {
        assert_eq!(agents(browser).await.len(), usize::from(number == tries[first].0));
    }
    // Of eight that fetch the token at once, one has it.
    let agents = join_all((0..8).map(|_| asked.program(&world))).await;
    let uses = join_all(agents.iter().map(Program::own)).await;
    assert_eq!(uses.iter().filter(|own| own.status == 200).count(), 1, "{uses:?}");
    assert!(uses.iter().all(|own| own.status == 200 || own.code() == Code::AgentTokenInvalid));
}

#[tokio::test]
async fn a_token_that_got_lost_is_made_anew_until_one_is_used() {
    let world = unguarded().await;
    let beside = world.beside(|_| {}).await;
    let browser = world.browser().await;
    let asked = ask(&world).await;
    assert_eq!(act(&browser, Kind::AgentApprove, &asked.approval(&world)).await.status, 200);
    let (lost, mut agent) = (asked.program(&world).await, asked.program(&world).await);
    assert_ne!(lost.token, agent.token);
    assert_eq!(lost.own().await.code(), Code::AgentTokenInvalid);
    // Nothing says that it is at work before it is.
    assert_eq!(agents(&browser).await[0].state, AgentState::Waiting);
    assert_eq!(told(&browser).await, Vec::<String>::new());
    let mut elsewhere = agent.clone();
    elsewhere.address = beside.address;
    let uses = join_all((0..8).map(|at| [&agent, &elsewhere][at % 2].own())).await;
    assert!(uses.iter().all(|own| own.status == 200), "{uses:?}");
    assert_eq!(told(&browser).await.len(), 1);
    assert_eq!(agents(&browser).await[0].state, AgentState::Active);
    assert_eq!(asked.claim(&world).await.code(), Code::PairingGone);
    assert_eq!(lost.own().await.code(), Code::AgentTokenInvalid);

    // One that is first used to pay pays.
    let another = ask(&world).await;
    assert_eq!(act(&browser, Kind::AgentApprove, &another.approval(&world)).await.status, 200);
    agent = another.program(&world).await;
    assert_eq!(agent.charge("1.00", 1).await.status, 200);
    assert_eq!(another.claim(&world).await.code(), Code::PairingGone);
}

#[tokio::test]
async fn who_lets_its_time_pass_before_it_has_connected_gets_no_more() {
    for is_fetched in [false, true] {
        let world = unguarded().await;
        let browser = world.browser().await;
        let asked = ask(&world).await;
        let mut approval = asked.approval(&world);
        approval["expires_at_ms"] = json!(world.clock.now().unix_ms + 60_000);
        assert_eq!(act(&browser, Kind::AgentApprove, &approval).await.status, 200);
        approval.as_object_mut().unwrap().remove("code");
        // As long as its pairing is there, it can still come.
        world.advance_ms(60_000);
        approval["expires_at_ms"] = json!(world.clock.now().unix_ms + 60_000);
        assert_eq!(asked.claim(&world).await.code(), Code::PairingGone);
        let more = act(&browser, Kind::AgentApprove, &approval).await;
        assert_eq!(more.json::<Value>()["state"], "waiting");
        let fetched = if is_fetched { Some(asked.program(&world).await) } else { None };

        world.advance_ms(60_001);
        world.app.sweep().await.unwrap();
        approval["expires_at_ms"] = json!(world.clock.now().unix_ms + 119_999);
        let before = agents(&browser).await;
        let answers = [
            act(&browser, Kind::AgentApprove, &approval).await,
            browser.post("/v1/agents/approve/stepup", &approval).await,
        ];
        assert_eq!(answers.map(|answer| answer.code()), [Code::PairingGone; 2]);
        assert_eq!(asked.claim(&world).await.code(), Code::PairingGone);
        if let Some(fetched) = fetched {
            assert_eq!(fetched.own().await.code(), Code::AgentTokenInvalid);
        }
        assert_eq!(agents(&browser).await, before);
        assert_eq!(before[0].state, AgentState::Expired);
    }
}

#[tokio::test]
async fn an_error_after_the_code_was_taken_gives_it_back() {
    let world = World::new().await;
    let Owner { browser, passkey } = world.owner("Mara").await;
    let asked = ask(&world).await;
    let body = signed(&browser, &passkey, Kind::AgentApprove, &asked.approval(&world)).await;
    run!(world.app.db, "ALTER TABLE agents RENAME TO away");
    assert_eq!(browser.post(Kind::AgentApprove.path(), &body).await.code(), Code::Internal);
    run!(world.app.db, "ALTER TABLE away RENAME TO agents");
    // It waits as it did: for whoever types it, for the agent, and for the same confirmation.
    assert_eq!(look(&browser, &asked.code).await.json::<PairingView>().agent.as_str(), asked.agent);
    assert_eq!(asked.claim(&world).await.json::<Value>(), json!({ "state": "pending" }));
    assert_eq!(agents(&browser).await, []);
    assert_eq!(browser.post(Kind::AgentApprove.path(), &body).await.status, 200);
    assert_eq!(asked.claim(&world).await.json::<Value>()["state"], "approved");
}

#[tokio::test]
async fn what_is_approved_is_who_asked() {
    let world = unguarded().await;
    let browser = world.browser().await;
    let (asked, another) = (ask(&world).await, ask(&world).await);
    let before = stored_facts(&world).await;
    let tries: [(&str, Value, Code); 6] = [
        ("agent", json!(another.agent), Code::PairingGone),
        ("code", json!("0000-0000"), Code::PairingGone),
        ("name", json!("Shoppers"), Code::TargetChanged),
        ("expires_at_ms", json!(world.clock.now().unix_ms), Code::InvalidRequest),
        ("expires_at_ms", json!(world.clock.now().unix_ms + 60_001), Code::InvalidRequest),
        ("expires_at_ms", json!(9_007_199_254_700_000_u64), Code::InvalidRequest),
    ];
    for (member, value, code) in tries {
        let mut approval = asked.approval(&world);
        approval[member] = value;
        assert_eq!(act(&browser, Kind::AgentApprove, &approval).await.code(), code, "{approval}");
        assert_eq!(browser.post("/v1/agents/approve/stepup", &approval).await.code(), code, "{approval}");
    }
    let mut unpaired = asked.approval(&world);
    unpaired.as_object_mut().unwrap().remove("code");
    assert_eq!(act(&browser, Kind::AgentApprove, &unpaired).await.code(), Code::NotFound);
    assert_eq!(stored_facts(&world).await, before);
}

#[tokio::test]
async fn an_agents_name_hides_nothing() {
    let world = World::new().await;
    let before = stored_facts(&world).await;
    for name in [
        "",
        "  ",
        "a\r\nSet-Cookie: x=y",
        "a\nb",
        "a\u{0}",
        "a\u{202e}b",
        "a\u{200b}",
        "a\u{2028}b",
        &"x".repeat(65),
    ] {
        let body = json!({ "name": name, "scope": "full", "budget": "1.00" });
        let answer = Program::ask(world.address, "/v1/agents/pairings", &body).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{name:?}");
    }
    assert_eq!(stored_facts(&world).await, before);
}

#[tokio::test]
async fn only_a_program_says_no_origin_and_only_where_programs_may_ask() {
    let world = World::new().await;
    let browser = world.browser().await;
    let body = json!({ "name": "Shopper", "scope": "full", "budget": "1.00" }).to_string();
    let send = async |path: &str, name: &str, value: &str| {
        let mut request = Raw::new("POST", path);
        request.add("content-type", "application/json");
        request.body = body.clone().into_bytes();
        if !name.is_empty() {
            request.add(name, value);
        }
        request.send(world.address).await
    };
    assert_eq!(send("/v1/agents/pairings", "", "").await.status, 200);
    assert_eq!(send("/v1/agents/pairings", "origin", crate::support::ORIGIN).await.status, 200);
    for (name, value) in [
        ("origin", "null"),
        ("origin", "https://evil.example"),
        ("origin", ""),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", "cross-site"),
    ] {
        assert_eq!(
            send("/v1/agents/pairings", name, value).await.code(),
            Code::ForeignOrigin,
            "{name}: {value}"
        );
    }
    for path in ["/v1/agents/pairings/", "/v1/agents/approve", "/v1/agents/cap", "/v1/login/options"] {
        assert_eq!(send(path, "", "").await.code(), Code::ForeignOrigin, "{path}");
    }
    assert_eq!(agents(&browser).await, []);
}

#[tokio::test]
async fn who_is_revoked_before_it_has_its_token_never_gets_it() {
    let world = unguarded().await;
    let browser = world.browser().await;
    for kind in [Kind::AgentRevoke, Kind::AgentTeardown] {
        let (asked, fetching): (Asked, Asked) = (ask(&world).await, ask(&world).await);
        for asked in [&asked, &fetching] {
            assert_eq!(act(&browser, Kind::AgentApprove, &asked.approval(&world)).await.status, 200);
        }
        let fetched = fetching.program(&world).await;
        for asked in [&asked, &fetching] {
            let parameters = json!({ "agent": asked.agent, "name": "Shopper" });
            assert_eq!(act(&browser, kind, &parameters).await.status, 204);
            assert_eq!(asked.claim(&world).await.code(), Code::PairingGone);
        }
        assert_eq!(fetched.own().await.code(), Code::AgentTokenInvalid);
    }
}
