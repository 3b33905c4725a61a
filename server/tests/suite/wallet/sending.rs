use super::{key, usd};
use crate::support::{World, stored_facts};
use futures_util::future::join_all;
use holdfast_protocol::{
    problem::Code,
    step_up::Request,
    wallet::{Direction, Party, Sent, TransferView, WalletView},
};

#[tokio::test]
async fn the_first_look_opens_a_wallet_and_no_other_does() {
    let world = World::new().await;
    let (owner, other) = (world.owner("Ada").await, world.owner("Mara").await);
    let looks = join_all((0..8).map(|_| owner.wallet())).await;
    assert_eq!(looks[0].balance.to_string(), "0.00");
    assert_eq!((looks[0].transfers.as_slice(), looks[0].more), (&[][..], false));
    assert!(looks.iter().all(|look| look.id == looks[0].id));
    assert_ne!(other.wallet().await.id, looks[0].id);
    assert_eq!(world.count("wallets").await, 3, "theirs and the house's");
}

#[tokio::test]
async fn money_goes_whole_and_both_sides_see_it() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    world.advance_ms(5);
    let mut send = ada.to(&mara, "Mara", "12.345678").await;
    send.note = Some("lunch".to_owned());
    let sent: Sent = ada.send(send.clone(), &key(1)).await.json();
    assert_eq!(sent.balance, usd("87.654322"));

    let at_ms = 1_800_000_000_005;
    let seen = TransferView {
        id: sent.transfer,
        number: 2,
        at_ms,
        direction: Direction::Sent,
        amount: send.amount,
        balance: sent.balance,
        other: Some(Party { wallet: send.to.clone(), name: "Mara".to_owned() }),
        note: send.note.clone(),
    };
    let view = ada.wallet().await;
    assert_eq!((&view.transfers[0], view.balance, view.more), (&seen, sent.balance, false));
    let issued = &view.transfers[1];
    assert_eq!((issued.direction, &issued.other, &issued.note), (Direction::Received, &None, &None));
    assert_eq!((issued.number, issued.amount, issued.balance), (1, usd("100.00"), usd("100.00")));

    let view = mara.wallet().await;
    let other = Some(Party { wallet: send.from, name: "Ada".to_owned() });
    let (number, direction, balance) = (1, Direction::Received, send.amount);
    assert_eq!(view.transfers, [TransferView { number, direction, balance, other, ..seen }]);
    assert_eq!(view.balance, send.amount);
    assert_eq!(world.sum().await, 0);
}

#[tokio::test]
async fn the_last_cent_can_be_sent_and_comes_back() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "0.000001").await, world.holder("Mara", "0.00").await);
    ada.send(ada.to(&mara, "Mara", "0.000001").await, &key(1)).await.json::<Sent>();
    assert_eq!((ada.balance().await, mara.balance().await), ("0.00".to_owned(), "0.000001".to_owned()));
    mara.send(mara.to(&ada, "Ada", "0.000001").await, &key(1)).await.json::<Sent>();
    assert_eq!((ada.balance().await, mara.balance().await), ("0.000001".to_owned(), "0.00".to_owned()));
}

#[tokio::test]
async fn a_repetition_under_one_key_gets_the_answer_and_sends_nothing() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let send = ada.to(&mara, "Mara", "10.00").await;
    let request = ada.confirm(send.clone()).await;
    let first: Sent = ada.act(&request, &key(1)).await.json();
    let facts = stored_facts(&world).await;
    // Without its confirmation, too: it is not looked at any more.
    for again in [&request, &Request { parameters: send.clone(), secret: None, confirmation: None }] {
        assert_eq!(ada.act(again, &key(1)).await.json::<Sent>(), first);
    }
    // Another amount under the same key is somebody's mistake.
    let other = ada.confirm(ada.to(&mara, "Mara", "10.01").await).await;
    assert_eq!(ada.act(&other, &key(1)).await.code(), Code::IdempotencyKeyReused);
    assert_eq!(mara.balance().await, "10.00");
    // The same again under another key is another send, which wants its own confirmation.
    assert_eq!(ada.act(&request, &key(2)).await.code(), Code::StepUpRequired);
    let without_step_ups = |facts: &str| facts.split("step_ups").next().unwrap().to_owned();
    assert_eq!(without_step_ups(&stored_facts(&world).await), without_step_ups(&facts));
    assert_eq!(ada.send(send, &key(2)).await.json::<Sent>().balance, usd("80.00"));
}

#[tokio::test]
async fn a_key_is_its_owners_alone() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "5.00").await, world.holder("Mara", "5.00").await);
    ada.send(ada.to(&mara, "Mara", "1.00").await, &key(1)).await.json::<Sent>();
    mara.send(mara.to(&ada, "Ada", "2.00").await, &key(1)).await.json::<Sent>();
    assert_eq!((ada.balance().await, mara.balance().await), ("6.00".to_owned(), "4.00".to_owned()));
}

#[tokio::test]
async fn transfers_are_read_in_pages() {
    let world = World::new().await;
    let ada = world.holder("Ada", "1.00").await;
    for _ in 0..4 {
        let wallet = ada.wallet().await.id;
        holdfast_server::ledger::issue(&world.app, &wallet, usd("1.00")).await.unwrap();
    }
    let numbers = async |query: &str| {
        let view: WalletView = ada.browser.get(&format!("/v1/wallet{query}")).await.json();
        (view.transfers.iter().map(|transfer| transfer.number).collect::<Vec<_>>(), view.more)
    };
    assert_eq!(numbers("?limit=2").await, (vec![5, 4], true));
    assert_eq!(numbers("?limit=2&before=4").await, (vec![3, 2], true));
    assert_eq!(numbers("?limit=2&before=2").await, (vec![1], false));
    for query in ["?limit=0", "?limit=101", "?before=0", "?before=x", "?more=1"] {
        let answer = ada.browser.get(&format!("/v1/wallet{query}")).await;
        assert_eq!(answer.code(), Code::InvalidRequest, "{query}");
    }
}
