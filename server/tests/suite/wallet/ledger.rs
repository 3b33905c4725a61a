//! What a program with a bug asks the database to write, the database refuses.

use super::{house, usd};
use crate::support::World;
use holdfast_protocol::ids::WalletId;
use holdfast_server::{db::Db, ledger::issue};

/// As a program would write it.
#[derive(Clone)]
struct Entry {
    transfer: &'static str,
    side: i64,
    wallet: WalletId,
    previous: Option<i64>,
    number: i64,
    before: i64,
    change: i64,
    after: i64,
    counter: i64,
}

impl Entry {
    /// One that fits to what is there.
    fn good(side: i64, wallet: &WalletId, number: i64, before: i64, change: i64) -> Self {
        Self {
            transfer: "trf_0000-0000-0000-0000",
            side,
            wallet: wallet.clone(),
            previous: (number > 1).then_some(number - 1),
            number,
            before,
            change,
            after: before + change,
            counter: -change,
        }
    }

    fn values(&self) -> String {
        let Entry { transfer, side, wallet, number, before, change, after, counter, .. } = self;
        let previous = self.previous.map_or("NULL".to_owned(), |previous| previous.to_string());
        format!(
            "('{transfer}', {side}, '{wallet}', {previous}, {number}, {before}, {change}, {after}, {counter})"
        )
    }
}

/// Whether the database takes it.
async fn takes(world: &World, sql: &str) -> bool {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match &world.app.db {
        Db::Sqlite(pool) => sqlx::query(sql).execute(pool).await.is_ok(),
        Db::Postgres(pool) => sqlx::query(sql).execute(pool).await.is_ok(),
    }
}

async fn takes_entries(world: &World, entries: &[Entry]) -> bool {
    let values: Vec<String> = entries.iter().map(Entry::values).collect();
    let columns = "transfer_id, side, wallet_id, previous, number, before_micros, change_micros, after_micros, \
                   counter_micros";
    takes(world, &format!("INSERT INTO ledger_entries ({columns}) VALUES {}", values.join(", "))).await
}

/// Ada has 10 dollars in her second entry, Mara 5 in her first; the house owes both.
async fn two_wallets(world: &World) -> [WalletId; 2] {
    let (ada, mara) = (world.owner("Ada").await, world.owner("Mara").await);
    let (ada, mara) = (ada.wallet().await.id, mara.wallet().await.id);
    for (wallet, amount) in [(&ada, "4.00"), (&mara, "5.00"), (&ada, "6.00")] {
        issue(&world.app, wallet, usd(amount)).await.unwrap();
    }
    assert!(takes(world, "INSERT INTO transfers (id, at_ms) VALUES ('trf_0000-0000-0000-0000', 1)").await);
    [ada, mara]
}

#[tokio::test]
async fn an_entry_that_breaks_a_sum_cannot_be_written() {
    let world = World::new().await;
    let [ada, mara] = two_wallets(&world).await;
    let zoe = world.owner("Zoe").await.wallet().await.id;
    // Ada pays Mara 3 dollars.
    let good =
        [Entry::good(1, &ada, 3, 10_000_000, -3_000_000), Entry::good(2, &mara, 2, 5_000_000, 3_000_000)];
    let with = |change: &dyn Fn(&mut [Entry; 2])| {
        let mut entries = good.clone();
        change(&mut entries);
        entries
    };
    let both = |change: i64| {
        [Entry::good(1, &ada, 3, 10_000_000, -change), Entry::good(2, &mara, 2, 5_000_000, change)]
    };
    for (why, entries) in [
        (
            "more arrives than was paid",
            with(&|[_, mara]| *mara = Entry::good(2, &mara.wallet, 2, 5_000_000, 4_000_000)),
        ),
        (
            "the same, as if it were not so",
            with(&|[ada, mara]| {
                ada.counter = 4_000_000;
                *mara =
                    Entry { counter: -3_000_000, ..Entry::good(2, &mara.wallet, 2, 5_000_000, 4_000_000) };
            }),
        ),
        ("both receive", with(&|[ada, _]| *ada = Entry::good(1, &ada.wallet, 3, 10_000_000, 3_000_000))),
        ("a balance that is not the sum", with(&|[_, mara]| mara.after += 1)),
        (
            "a beginning that is not the end before",
            with(&|[_, mara]| {
                *mara = Entry::good(2, &mara.wallet, 2, 6_000_000, 3_000_000);
            }),
        ),
        (
            "a wallet that begins anew",
            with(&|[_, mara]| {
                *mara = Entry { previous: None, ..Entry::good(2, &mara.wallet, 2, 0, 3_000_000) };
            }),
        ),
        (
            "a wallet that begins with something",
            with(&|[_, mara]| *mara = Entry::good(2, &zoe, 1, 5_000_000, 3_000_000)),
        ),
        ("a second first entry", with(&|[_, mara]| *mara = Entry::good(2, &mara.wallet, 1, 0, 3_000_000))),
        (
            "an entry left out",
            with(&|[_, mara]| *mara = Entry::good(2, &mara.wallet, 3, 5_000_000, 3_000_000)),
        ),
        (
            "an entry of no number",
            with(&|[_, mara]| {
                *mara = Entry { previous: Some(-1), ..Entry::good(2, &mara.wallet, 0, 5_000_000, 3_000_000) };
            }),
        ),
        ("an older end", with(&|[ada, _]| *ada = Entry::good(1, &ada.wallet, 2, 4_000_000, -3_000_000))),
        (
            "nobody's wallet",
            with(&|[_, mara]| {
                *mara = Entry::good(2, &WalletId::make([9; 16]), 1, 0, 3_000_000);
            }),
        ),
        (
            "no transfer",
            with(&|entries| {
                for entry in entries {
                    entry.transfer = "trf_9999-9999-9999-9999";
                }
            }),
        ),
        ("two of one side", with(&|[_, mara]| mara.side = 1)),
        ("a third side", with(&|[_, mara]| mara.side = 3)),
        ("a debt", both(10_000_001)),
        ("nothing", both(0)),
        ("backwards, more than there is", both(-5_000_001)),
    ] {
        assert!(!takes_entries(&world, &entries).await, "{why}");
    }
    let nothing = [Entry::good(1, &ada, 3, 10_000_000, 0)];
    let alone =
        [("half of it", &good[..1]), ("the other half", &good[1..]), ("its own counterpart", &nothing)];
    for (why, alone) in alone {
        assert!(!takes_entries(&world, alone).await, "{why}");
    }
    let to_oneself = [good[0].clone(), Entry::good(2, &ada, 4, 7_000_000, 3_000_000)];
    assert!(!takes_entries(&world, &to_oneself).await, "to oneself");
    let uncountable = Entry::good(1, &house(), 4, -15_000_000, -999_999_985_000_000);
    let all_there_is = Entry::good(2, &mara, 2, 5_000_000, 999_999_985_000_000);
    assert!(!takes_entries(&world, &[uncountable, all_there_is]).await, "more than can be counted");
    assert_eq!(world.count("ledger_entries").await, 6);

    assert!(takes_entries(&world, &good).await, "what fits is taken");
    let more = |side| [Entry::good(side, &house(), 4, -15_000_000, -1), Entry::good(side + 1, &zoe, 1, 0, 1)];
    for side in [1, 3] {
        assert!(!takes_entries(&world, &more(side)).await, "a transfer is done once");
    }
}

#[tokio::test]
async fn what_was_written_cannot_be_changed_so_that_a_sum_breaks() {
    let world = World::new().await;
    let [ada, mara] = two_wallets(&world).await;
    for change in [
        "UPDATE ledger_entries SET change_micros = change_micros + 1",
        "UPDATE ledger_entries SET after_micros = after_micros + 1",
        "UPDATE ledger_entries SET change_micros = change_micros + 1, after_micros = after_micros + 1,
                counter_micros = counter_micros - 1",
        "UPDATE ledger_entries SET before_micros = before_micros + 1, after_micros = after_micros + 1",
        "DELETE FROM ledger_entries",
        "DELETE FROM transfers",
    ] {
        // Of the first in a wallet, of the newest, and of all that it has.
        for (wallet, number) in
            [(&ada, "= 1"), (&ada, "= 2"), (&mara, "= 1"), (&ada, "> 0"), (&house(), "= 3")]
        {
            let sql = match change {
                "DELETE FROM transfers" => format!("{change} WHERE id <> 'trf_0000-0000-0000-0000'"),
                _ => format!("{change} WHERE wallet_id = '{wallet}' AND number {number}"),
            };
            assert!(!takes(&world, &sql).await, "{sql}");
        }
    }
    assert!(!takes(&world, "DELETE FROM wallets").await);
    assert!(!takes(&world, "UPDATE wallets SET account_id = NULL").await);
    let house_of_its_own = "INSERT INTO wallets (id, created_at_ms) VALUES ('wal_1111-1111-1111-1111', 1)";
    assert!(!takes(&world, house_of_its_own).await);
    assert_eq!(world.sum().await, 0);
}
