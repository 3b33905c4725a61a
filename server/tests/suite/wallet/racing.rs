use super::key;
use crate::support::World;
use futures_util::future::join_all;
use holdfast_protocol::{problem::Code, step_up::Request, wallet::Sent};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_that_race_for_one_balance_never_overdraw_it() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let mut requests = Vec::new();
    for _ in 0..10 {
        requests.push(ada.confirm(ada.to(&mara, "Mara", "30.00").await).await);
    }
    let keys: Vec<String> = (0..10).map(key).collect();
    let answers = join_all(requests.iter().zip(&keys).map(|(request, key)| ada.act(request, key))).await;
    let (sent, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(sent.len(), 3);
    assert!(refused.iter().all(|answer| answer.code() == Code::InsufficientFunds), "{refused:?}");
    assert_eq!((ada.balance().await, mara.balance().await), ("10.00".to_owned(), "90.00".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_both_ways_at_once_all_arrive() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "100.00").await);
    let mut requests = Vec::new();
    for number in 0..12 {
        let (from, to, name) = if number % 2 == 0 { (&ada, &mara, "Mara") } else { (&mara, &ada, "Ada") };
        // Two browsers each, so that sends wait for wallets and not for their own session.
        let send = from.to(to, name, if number % 2 == 0 { "2.00" } else { "1.00" }).await;
        requests.push((from, from.confirm(send).await, key(number)));
    }
    let sends = requests.iter().map(|(from, request, key)| from.act(request, key));
    for answer in join_all(sends).await {
        answer.json::<Sent>();
    }
    assert_eq!((ada.balance().await, mara.balance().await), ("94.00".to_owned(), "106.00".to_owned()));
    assert_eq!(world.sum().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_repetitions_that_race_none_is_done_after_one_was_refused() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    // What one of them meets is otherwise for the next.
    let renaming = async {
        for name in ["Maria", "Mara"].iter().cycle() {
            world.rename(&mara, name).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let repeating = async {
        for round in 0..12 {
            let send = ada.to(&mara, "Mara", "1.00").await;
            let asked = loop {
                let asked = ada.ask(&send).await;
                match asked.status.as_u16() {
                    200 => break asked,
                    // It was called otherwise in this moment.
                    409 => {}
                    429 => world.advance_ms(60_000),
                    _ => panic!("{asked:?}"),
                }
            };
            let request = Request { parameters: send, secret: None, confirmation: Some(ada.sign(&asked)) };
            let key = key(round);
            let answers = join_all((0..6).map(|_| ada.act(&request, &key))).await;
            let done = answers.iter().filter(|answer| answer.status == 200).count();
            assert!([0, 6].contains(&done), "{answers:?}");
        }
    };
    tokio::select! {
        () = renaming => {}
        () = repeating => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_repetitions_that_race_one_sends_and_all_get_its_answer() {
    let world = World::new().await;
    let (ada, mara) = (world.holder("Ada", "100.00").await, world.holder("Mara", "0.00").await);
    let request = ada.confirm(ada.to(&mara, "Mara", "1.00").await).await;
    let key = key(1);
    let answers = join_all((0..20).map(|_| ada.act(&request, &key))).await;
    let first: Sent = answers[0].json();
    assert!(answers.iter().all(|answer| answer.json::<Sent>() == first));
    assert_eq!(mara.balance().await, "1.00");
}
