//! What an agent pays comes out of its budget, exactly (G2).

use super::{DAY_MS, agents, told};
use crate::support::{Program, World, run, stored_facts};
use futures_util::future::join_all;
use holdfast_protocol::{
    agents::{AgentList, AgentView, Charge, Currency},
    problem::Code,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn spent(agent: &Program) -> String {
    let view: AgentView = agent.own().await.json();
    view.spent.to_string()
}

#[tokio::test]
async fn a_charge_is_recorded_stamped_and_told_at_once() {
    let world = World::new().await;
    let browser = world.browser().await;
    let agent = world.agent(&browser.account).await;
    let woken = world.app.live.watch(&browser.account);
    let charge: Charge = agent.charge("3.50", 1).await.json();
    assert!(woken.has_changed().unwrap());
    assert_eq!((charge.amount.to_string(), charge.left.to_string()), ("3.50".to_owned(), "6.50".to_owned()));
    assert_eq!((charge.currency, charge.at_ms), (Currency::Usd, world.clock.now().unix_ms));
    assert_eq!((&*charge.merchant.name, &*charge.merchant.settlement_token), ("Books", "USDC"));
    let [view] = &agents(&browser).await[..] else { panic!("not one") };
    assert_eq!((view.spent, view.left, view.currency), (charge.amount, charge.left, Currency::Usd));
    let sentence = format!("The agent “Shopper” ({}) paid 3.50 USD to “Books”.", agent.id);
    assert_eq!(told(&browser).await, [sentence]);
}

#[tokio::test]
async fn more_than_what_is_left_is_refused_whole() {
    let world = World::new().await;
    let browser = world.browser().await;
    let agent = world.agent(&browser.account).await;
    for (number, (amount, taken)) in [
        ("10.000001", false),
        ("0.10", true),
        ("0.20", true),
        ("9.700001", false),
        ("9.70", true),
        ("0.000001", false),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = agent.charge(amount, number).await;
        assert_eq!(answer.status == 200, taken, "{amount}: {answer:?}");
        assert!(taken || answer.code() == Code::BudgetExceeded);
    }
    assert_eq!(spent(&agent).await, "10.00");
    assert_eq!(world.count("charges").await, 3);
    let told = told(&browser).await;
    assert_eq!(
        told[0],
        format!(
            "The agent “Shopper” ({}) wanted to pay 0.000001 USD to “Books”, more than what is left: refused.",
            agent.id
        )
    );
    // One that asks for the same again and again does not fill the trail.
    for number in 10..15 {
        assert_eq!(agent.charge("0.000001", number).await.code(), Code::BudgetExceeded);
    }
    assert_eq!(super::told(&browser).await.len(), told.len());
}

#[tokio::test]
async fn an_agent_that_asks_for_ever_more_does_not_fill_the_trail() {
    let world = World::new().await;
    let browser = world.browser().await;
    let agent = world.agent(&browser.account).await;
    let before = told(&browser).await.len();
    for number in 1..=12 {
        assert_eq!(agent.charge(&format!("{number}000.00"), number).await.code(), Code::BudgetExceeded);
    }
    assert_eq!(told(&browser).await.len(), before + 5);
    // What was refused is shown again in time, and what it pays always was.
    world.advance_ms(12_000);
    assert_eq!(agent.charge("13000.00", 13).await.code(), Code::BudgetExceeded);
    assert_eq!(agent.charge("1.00", 14).await.status, 200);
    assert_eq!(told(&browser).await.len(), before + 7);
}

#[tokio::test]
async fn an_owner_sees_the_last_five_charges_of_each_agent() {
    let world = World::new().await;
    let (browser, other) = (world.browser().await, world.browser().await);
    let [busy, thrifty, idle] = [
        world.agent(&browser.account).await,
        world.agent(&browser.account).await,
        world.agent(&browser.account).await,
    ];
    let mut paid: Vec<Charge> = Vec::new();
    for number in 1..=7 {
        world.advance_ms(1);
        paid.insert(0, busy.charge(&format!("0.0{number}"), number).await.json());
    }
    let one: Charge = thrifty.charge("9.00", 1).await.json();
    assert_eq!(idle.charge("10.01", 1).await.code(), Code::BudgetExceeded);
    let AgentList { charges, .. } = browser.get("/v1/agents").await.json();
    assert_eq!(charges, BTreeMap::from([(busy.id, paid[..5].to_vec()), (thrifty.id, vec![one])]));
    let AgentList { charges, .. } = other.get("/v1/agents").await.json();
    assert_eq!(charges, BTreeMap::new());
}

#[tokio::test]
async fn the_same_key_is_the_same_charge() {
    let world = World::new().await;
    let account = world.account().await;
    let agent = world.agent(&account).await;
    let first: Charge = agent.charge("10.00", 1).await.json();
    world.advance_ms(DAY_MS - 1);
    // Nothing is left, and the answer is the one that was lost.
    assert_eq!(agent.charge("10.00", 1).await.json::<Charge>(), first);
    assert_eq!(agent.charge("9.99", 1).await.code(), Code::IdempotencyKeyReused);
    let mut elsewhere = agent.charge_request("10.00", 1);
    let other = json!({ "amount": "10.00", "merchant": { "name": "Books", "settlement_token": "EURC" } });
    elsewhere.body = other.to_string().into_bytes();
    assert_eq!(elsewhere.send(world.address).await.code(), Code::IdempotencyKeyReused);
    assert_eq!(world.count("charges").await, 1);
    // Another agent's keys are its own.
    assert_eq!(world.agent(&account).await.charge("9.99", 1).await.status, 200);
}

#[tokio::test]
async fn charges_that_race_never_pass_the_cap() {
    let world = World::new().await;
    let beside = world.beside(|_| {}).await;
    let account = world.account().await;
    let mut agent = world.agent(&account).await;
    let mut other = agent.clone();
    other.address = beside.address;
    let answers = join_all((0..40).map(|number| {
        let agent = if number % 2 == 0 { &agent } else { &other };
        agent.charge("0.75", number)
    }))
    .await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(taken, 13, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == Code::BudgetExceeded));
    assert_eq!(spent(&agent).await, "9.75");
    assert_eq!(world.count("charges").await, 13);

    agent = world.agent(&account).await;
    let same = join_all((0..20).map(|_| agent.charge("1.00", 1))).await;
    let ids: BTreeSet<String> = same.iter().map(|answer| answer.json::<Charge>().id.to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(spent(&agent).await, "1.00");
}

#[tokio::test]
async fn what_is_no_charge_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let account = world.account().await;
    let agent = world.agent(&account).await;
    let before = stored_facts(&world).await;
    let merchant = json!({ "name": "Books", "settlement_token": "USDC" });
    let no_money = [
        "0.00",
        "-1.00",
        "1",
        "1.5",
        "1.0000001",
        "1e3",
        "01.00",
        "1,00",
        "",
        "NaN",
        "99999999999999999999.00",
    ];
    let mut bodies: Vec<_> =
        no_money.iter().map(|amount| json!({ "amount": amount, "merchant": merchant })).collect();
    bodies.extend([
        json!({ "amount": 1, "merchant": merchant }),
        json!({ "amount": "1.00", "currency": "USD", "merchant": merchant }),
        json!({ "amount": "1.00", "settlement_token": "USDC", "merchant": merchant }),
        json!({ "amount": "1.00", "merchant": "Books" }),
        json!({ "amount": "1.00", "merchant": { "name": "Books" } }),
        json!({ "amount": "1.00", "merchant": { "name": "", "settlement_token": "USDC" } }),
        json!({ "amount": "1.00", "merchant": { "name": "a\r\nb", "settlement_token": "USDC" } }),
        json!({ "amount": "1.00", "merchant": { "name": "Books", "settlement_token": "a\u{202e}b" } }),
    ]);
    for body in bodies {
        let mut request = agent.charge_request("1.00", 1);
        request.body = body.to_string().into_bytes();
        assert_eq!(request.send(world.address).await.code(), Code::InvalidRequest, "{body}");
    }
    for key in ["", "short", &"x".repeat(65), "a key with some spaces"] {
        let mut request = agent.charge_request("1.00", 1);
        request.set("idempotency-key", key);
        assert_eq!(request.send(world.address).await.code(), Code::InvalidRequest, "{key:?}");
    }
    let mut request = agent.charge_request("1.00", 1);
    request.remove("idempotency-key");
    assert_eq!(request.send(world.address).await.code(), Code::InvalidRequest);
    assert_eq!(stored_facts(&world).await, before);
}

#[tokio::test]
async fn an_agent_that_is_revoked_before_its_body_has_come_pays_nothing() {
    let world = World::new().await;
    let agent = world.agent(&world.account().await).await;
    let request = agent.charge_request("1.00", 1);
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let mut head = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", request.path, world.address).into_bytes();
    for (name, value) in &request.headers {
        head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    let length = request.body.len();
    let rest = format!("content-length: {length}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n");
    head.extend_from_slice(rest.as_bytes());
    stream.write_all(&head).await.unwrap();
    // Its token was believed: the server asks for the body (RFC 9110 section 10.1.1).
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    run!(world.app.db, "UPDATE agents SET revoked_at_ms = 1");
    stream.write_all(&request.body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("agent_token_invalid"), "{answer}");
    assert_eq!(world.count("charges").await, 0);
}

#[tokio::test]
async fn an_agent_asks_so_often() {
    let world = World::with(|config| config.rates.agent.burst = NonZeroU32::new(2).unwrap()).await;
    let account = world.account().await;
    let (agent, other) = (world.agent(&account).await, world.agent(&account).await);
    assert_eq!(agent.own().await.status, 200);
    assert_eq!(agent.charge("1.00", 1).await.status, 200);
    assert_eq!(agent.charge("1.00", 2).await.code(), Code::RateLimited);
    assert_eq!(other.own().await.status, 200);
    world.advance_ms(100);
    assert_eq!(agent.charge("1.00", 2).await.status, 200);
}
