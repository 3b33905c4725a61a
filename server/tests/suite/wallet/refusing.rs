use super::{house, key, usd};
use crate::support::{Owner, World, stored_facts};
use holdfast_protocol::{ids::WalletId, problem::Code, step_up::Request, wallet::Send};
use serde_json::json;

/// What a change turns a send into that would be carried out.
type Change = fn(&mut Send, own: &WalletId);

const REFUSED: &[(&str, Code, Change)] = &[
    ("more than there is", Code::InsufficientFunds, |send, _| send.amount = usd("100.000001")),
    ("more than anybody has", Code::InsufficientFunds, |send, _| send.amount = usd("999999999.999999")),
    ("nothing", Code::InvalidRequest, |send, _| send.amount = usd("0.00")),
    ("to oneself", Code::InvalidRequest, |send, own| send.to = own.clone()),
    ("to nobody", Code::NotFound, |send, _| send.to = WalletId::make([9; 16])),
    ("to the house", Code::NotFound, |send, _| send.to = house()),
    ("from nobody's wallet", Code::NotFound, |send, _| send.from = WalletId::make([9; 16])),
    ("from the house's wallet", Code::NotFound, |send, _| send.from = house()),
    ("from somebody else's wallet", Code::NotFound, |send, own| {
        send.from = std::mem::replace(&mut send.to, own.clone());
    }),
    ("to another name", Code::TargetChanged, |send, _| send.to_name = "Maria".to_owned()),
    ("to no name", Code::TargetChanged, |send, _| send.to_name = String::new()),
    ("an empty note", Code::InvalidRequest, |send, _| send.note = Some(String::new())),
    ("a note around nothing", Code::InvalidRequest, |send, _| send.note = Some(" lunch".to_owned())),
    ("a note that hides something", Code::InvalidRequest, |send, _| {
        send.note = Some("a\u{202e}b".to_owned())
    }),
    ("a note that is too long", Code::InvalidRequest, |send, _| send.note = Some("x".repeat(65))),
];

async fn refused(world: &World, ada: &Owner, good: &Send, of: impl AsyncFn(Send) -> Code) {
    let own = ada.wallet().await.id;
    for (why, code, change) in REFUSED {
        let mut send = good.clone();
        change(&mut send, &own);
        let before = stored_facts(world).await;
        assert_eq!(of(send).await, *code, "{why}");
        assert_eq!(stored_facts(world).await, before, "{why}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anybody_is_asked_to_confirm_it() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "7.00").await);
    let good = ada.to(&mara, "Mara", "100.00").await;
    refused(&world, &ada, &good, async |send| ada.ask(&send).await.code()).await;
    assert_eq!(ada.ask(&good).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_where_the_operator_wants_no_confirmation() {
    let off = |config: &mut holdfast_server::config::Config| {
        config.step_up_off = vec![holdfast_protocol::step_up::Kind::WalletSend];
    };
    let world = World::with(off).await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "7.00").await);
    let good = ada.to(&mara, "Mara", "100.00").await;
    let act = async |parameters: Send| {
        ada.act(&Request { parameters, secret: None, confirmation: None }, "a-key-of-no-use-yet").await
    };
    refused(&world, &ada, &good, async |send| act(send).await.code()).await;
    assert_eq!(act(good).await.status, 200);
}

#[tokio::test]
async fn a_name_that_has_changed_since_it_was_read_is_refused() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let request = ada.confirm(ada.to(&mara, "Mara", "1.00").await).await;
    world.rename(&mara, "Maria").await;
    assert_eq!(ada.act(&request, &key(1)).await.code(), Code::TargetChanged);
    // The confirmation is spent, and the key is not: nothing was done under it.
    world.rename(&mara, "Mara").await;
    assert_eq!(ada.act(&request, &key(1)).await.code(), Code::StepUpRequired);
    assert_eq!(ada.balance().await, "100.00");
    assert_eq!(ada.send(request.parameters, &key(1)).await.status, 200);
}

#[tokio::test]
async fn what_was_spent_since_it_was_confirmed_cannot_be_sent() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let late = ada.confirm(ada.to(&mara, "Mara", "60.00").await).await;
    assert_eq!(ada.send(ada.to(&mara, "Mara", "60.00").await, &key(1)).await.status, 200);
    let answer = ada.act(&late, &key(2)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (409, Code::InsufficientFunds));
    assert_eq!((ada.balance().await, mara.balance().await), ("40.00".to_owned(), "60.00".to_owned()));
}

#[tokio::test]
async fn a_send_without_a_key_is_refused() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let request = ada.confirm(ada.to(&mara, "Mara", "1.00").await).await;
    assert_eq!(ada.browser.post("/v1/wallet/send", &request).await.code(), Code::InvalidRequest);
    assert_eq!(ada.act(&request, "too-short").await.code(), Code::InvalidRequest);
    assert_eq!(ada.balance().await, "100.00");
    // Nothing was spent either.
    assert_eq!(ada.act(&request, &key(1)).await.status, 200);
}

#[tokio::test]
async fn an_amount_has_one_spelling() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let good = serde_json::to_value(ada.to(&mara, "Mara", "1.50").await).unwrap();
    let path = "/v1/wallet/send/stepup";
    for amount in [
        json!("1.5"),
        json!("1.500"),
        json!("01.50"),
        json!("-1.50"),
        json!("1.5e0"),
        json!("1000000000.00"),
        json!(1.5),
        json!(1),
        json!({ "usd": "1.50" }),
    ] {
        let mut send = good.clone();
        send["amount"] = amount;
        assert_eq!(ada.browser.post(path, &send).await.code(), Code::InvalidRequest, "{send}");
    }
    assert_eq!(ada.browser.post(path, &good).await.status, 200);
}

#[tokio::test]
async fn no_more_can_be_issued_than_can_be_counted() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "999999999.999999").await, world.holder("Mara", "0.00").await);
    let wallet = mara.wallet().await.id;
    let issue = async |to: &WalletId, amount: &str| {
        holdfast_server::ledger::issue(&world.app, to, usd(amount)).await.map_err(|refusal| refusal.code())
    };
    assert_eq!(issue(&wallet, "0.000001").await, Err(Code::InsufficientFunds));
    assert_eq!(issue(&wallet, "0.00").await, Err(Code::InvalidRequest));
    assert_eq!(issue(&WalletId::make([9; 16]), "1.00").await, Err(Code::NotFound));
    assert_eq!(issue(&house(), "1.00").await, Err(Code::InvalidRequest));
    assert_eq!((ada.balance().await.as_str(), world.sum().await), ("999999999.999999", 0));
}
