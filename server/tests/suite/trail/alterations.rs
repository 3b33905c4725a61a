//! Rows that were changed, removed, moved, doubled, with nothing made to fit them.

use super::{Real, judge, judge_all, passkeys};
use holdfast_protocol::base64url;
use holdfast_server::verify_log::{Fault, Finding, Heads, PasskeyRow, Place, Row, Rules, Verifier};

/// Chooses bits; seeded, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        let bit = self.below(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }

    /// Flips a bit of one column, each that the row has as likely as another, and names the column.
    fn flip_in(&mut self, row: &mut Row) -> &'static str {
        let number = 1_u64 << self.below(64);
        let mut texts: Vec<(&'static str, &mut Vec<u8>)> =
            vec![("account_id", &mut row.account), ("what", &mut row.what)];
        let or_none = [
            ("browser", &mut row.browser),
            ("system", &mut row.system),
            ("session_id", &mut row.session),
            ("evidence", &mut row.evidence),
            ("step_up", &mut row.step_up),
            ("hash", &mut row.hash),
        ];
        texts.extend(or_none.into_iter().filter_map(|(name, column)| Some((name, column.as_mut()?))));
        let count = texts.len();
        let chosen = self.below(count + 2);
        if let Some((name, column)) = texts.get_mut(chosen) {
            self.flip(column);
            return name;
        }
        if chosen == count {
            row.id ^= number.cast_signed();
            return "id";
        }
        row.at_ms ^= number.cast_signed();
        "at_ms"
    }
}

fn names(finding: &Finding, row: &Row) -> bool {
    let account = row.account.escape_ascii().to_string();
    finding.place == Place::Event { account, event: row.id }
}

fn faults(rows: &[Row]) -> Vec<Finding> {
    judge(rows, Rules::default(), Heads::default()).1
}

#[tokio::test]
async fn each_of_a_thousand_flipped_bits_is_found_and_named() {
    let real = Real::new().await;
    let rows = real.rows().await;
    assert_eq!(faults(&rows), []);
    let mut dice = Dice(4);
    let mut columns = Vec::new();
    for _ in 0..1_000 {
        let mut rows = rows.clone();
        let at = dice.below(rows.len());
        let column = dice.flip_in(&mut rows[at]);
        let flipped = rows[at].clone();
        rows.sort_by(|one, other| (&one.account, one.id).cmp(&(&other.account, other.id)));
        let found = faults(&rows);
        assert!(found.iter().any(|finding| names(finding, &flipped)), "{column} of {flipped:?}: {found:?}");
        columns.push(column);
    }
    columns.sort_unstable();
    columns.dedup();
    assert_eq!(columns.len(), 10, "{columns:?}");
}

#[tokio::test]
async fn each_flipped_bit_in_a_count_of_events_is_found_and_named() {
    let real = Real::new().await;
    let rows = real.rows().await;
    for account in rows.chunk_by(|one, next| one.account == next.account) {
        let has = i64::try_from(account.len()).unwrap();
        for bit in 0..i64::BITS {
            let says = has ^ (1 << bit);
            // A row of the trail comes with what its account says.
            let account: Vec<Row> =
                account.iter().cloned().map(|row| Row { count: Some(says), ..row }).collect();
            let place = Place::Account { account: account[0].account.escape_ascii().to_string() };
            assert_eq!(faults(&account), [Finding { place, fault: Fault::Count { says, has } }]);
        }
    }
}

#[tokio::test]
async fn each_flipped_bit_in_the_table_of_passkeys_is_found_and_named() {
    let real = Real::new().await;
    let (rows, passkeys) = (real.rows().await, passkeys(&real.world).await);
    let found = |passkeys: &[PasskeyRow]| {
        judge_all(&rows, passkeys, Verifier::new(Rules::default(), Heads::default())).1
    };
    assert_eq!(found(&passkeys), []);
    let mut dice = Dice(6);
    for number in 0..400 {
        let mut passkeys = passkeys.clone();
        let at = dice.below(passkeys.len());
        let flipped = &mut passkeys[at];
        let (column, fault) = match number % 4 {
            0 => (&mut flipped.account, Fault::NeverRegistered),
            1 => (&mut flipped.id, Fault::NeverRegistered),
            2 => (&mut flipped.credential_id, Fault::NeverRegistered),
            _ => (&mut flipped.public_key, Fault::KeySwapped),
        };
        dice.flip(column);
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let place = Place::Passkey { account: text(&flipped.account), passkey: text(&flipped.id) };
        assert_eq!(found(&passkeys), [Finding { place, fault }]);
    }
}

#[tokio::test]
async fn a_flipped_bit_in_what_a_step_up_is_judged_by_is_found_without_the_chain_too() {
    let real = Real::new().await;
    let rows = real.rows().await;
    let mut dice = Dice(5);
    let evidence = |row: &Row| row.evidence.clone().filter(|bytes| bytes.starts_with(b"{\"of\":\"step_up\""));
    let step_ups: Vec<usize> = (0..rows.len()).filter(|at| evidence(&rows[*at]).is_some()).collect();
    for _ in 0..200 {
        let mut rows = rows.clone();
        let at = step_ups[dice.below(step_ups.len())];
        let mut said: serde_json::Value = serde_json::from_slice(&evidence(&rows[at]).unwrap()).unwrap();
        let parts = ["client_data_json", "authenticator_data", "signature", "credential_id"];
        let part = parts[dice.below(parts.len())];
        let mut bytes = base64url::decode(said[part].as_str().unwrap()).unwrap();
        dice.flip(&mut bytes);
        said[part] = base64url::encode(&bytes).into();
        rows[at].evidence = Some(serde_json::to_vec(&said).unwrap());
        super::rechain(&mut rows);
        let found = faults(&rows);
        assert!(found.iter().any(|finding| names(finding, &rows[at])), "{part}: {found:?}");
    }
}

#[tokio::test]
async fn a_row_that_is_gone_moved_or_doubled_is_found() {
    let real = Real::new().await;
    let rows = real.rows().await;
    let first = rows.iter().position(|row| row.account == real.owner.account.as_str().as_bytes()).unwrap();
    let event =
        |at: usize| Place::Event { account: real.owner.account.to_string(), event: rows[first + at].id };
    let found = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = rows.clone();
        change(&mut rows);
        faults(&rows)
    };

    let gone = found(&|rows| drop(rows.remove(first + 3)));
    assert_eq!(gone[0], Finding { place: event(4), fault: Fault::Missing { from: 4 } });
    let gone = found(&|rows| drop(rows.remove(first)));
    assert_eq!(gone[0], Finding { place: event(1), fault: Fault::Missing { from: 1 } });

    let moved = found(&|rows| rows.swap(first + 3, first + 4));
    assert!(moved.contains(&Finding { place: event(3), fault: Fault::OutOfOrder }), "{moved:?}");
    // Their numbers made to fit.
    let moved = found(&|rows| {
        rows.swap(first + 3, first + 4);
        (rows[first + 3].id, rows[first + 4].id) = (4, 5);
    });
    assert!(moved.contains(&Finding { place: event(3), fault: Fault::Altered }), "{moved:?}");

    let doubled = found(&|rows| rows.insert(first + 3, rows[first + 3].clone()));
    assert!(doubled.contains(&Finding { place: event(3), fault: Fault::OutOfOrder }), "{doubled:?}");

    let unchained = found(&|rows| rows[first + 3].hash = None);
    assert_eq!(unchained, [Finding { place: event(3), fault: Fault::Unchained }]);
    let all = found(&|rows| rows[first..first + 4].iter_mut().for_each(|row| row.hash = None));
    assert!(all.contains(&Finding { place: event(4), fault: Fault::Altered }), "{all:?}");
}

#[tokio::test]
async fn a_trail_whose_end_is_cut_is_found_by_the_account_itself() {
    let real = Real::new().await;
    let mut rows = real.rows().await;
    let Row { account, id: says, .. } = rows.last().unwrap().clone();
    let place = Place::Account { account: String::from_utf8(account.clone()).unwrap() };
    rows.pop();
    assert_eq!(
        faults(&rows),
        [Finding { place: place.clone(), fault: Fault::Count { says, has: says - 1 } }]
    );
    rows.iter_mut().for_each(|row| row.count = row.count.filter(|_| row.account != account));
    assert_eq!(faults(&rows), [Finding { place: place.clone(), fault: Fault::NoAccount }]);

    let account = std::str::from_utf8(&account).unwrap();
    crate::support::run!(real.world.app.db, "DELETE FROM activity WHERE account_id = $1", account);
    let (_, findings) = real.verified(Heads::default()).await;
    assert!(findings.contains(&Finding { place, fault: Fault::Count { says, has: 0 } }), "{findings:?}");
}
