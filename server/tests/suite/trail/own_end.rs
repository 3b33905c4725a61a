//! A passkey may confirm its own removal, which is recorded before the step-up that it signed: through that door
//! nothing else passes.

use super::{forgeries::Forgery, judge, rechain, rows, verified};
use crate::{
    passkeys::{act, add},
    support::{Browser, SoftPasskey, World, passkey_of},
};
use holdfast_protocol::{
    base64url::Bytes,
    history::Activity,
    ids::{CeremonyId, PasskeyId},
    passkeys::{PasskeyView, Removal, Test},
    step_up::Action,
};
use holdfast_server::verify_log::{Fault, Finding, Heads, Place, Row, Rules};

/// A trail that ends with the removal of a passkey, confirmed by that passkey.
struct Ended {
    world: World,
    browser: Browser,
    passkey: SoftPasskey,
    view: PasskeyView,
}

impl Ended {
    /// It used its counter before, up to 8.
    async fn at_counter(counter: u32) -> Self {
        let world = World::new().await;
        let (browser, first) = world.set_up_by_ceremony().await;
        let (mut passkey, view) = add(&world, &browser, &first).await;
        passkey.counter = 8;
        let test = Test { id: view.id.clone(), name: view.name.clone() };
        assert_eq!(act(&browser, &passkey, &test).await.status, 204);
        passkey.counter = counter;
        let removal = Removal { id: view.id.clone(), name: view.name.clone() };
        assert_eq!(act(&browser, &passkey, &removal).await.status, 204);
        Self { world, browser, passkey, view }
    }

    /// The removal of a passkey, as the row of a trail.
    fn removed(&self, like: &Row, passkey: &PasskeyId) -> Row {
        let what = Activity::PasskeyRemoved { passkey: passkey.clone(), name: self.view.name.clone() };
        row(like, &what)
    }

    /// A step-up for something else, which fits in all its parts, signed by the passkey that was removed.
    fn forged<A: Action>(&self, step_up: &Row, action: &A) -> Row {
        let mut forgery = Forgery::of(step_up).unwrap();
        forgery.becomes(action);
        forgery.signed_by(&self.passkey, |_| {})
    }
}

fn row(like: &Row, what: &Activity) -> Row {
    Row { what: serde_json::to_vec(what).unwrap(), evidence: None, step_up: None, ..like.clone() }
}

#[tokio::test]
async fn a_passkey_that_confirms_its_own_removal_leaves_a_trail_that_is_all_well() {
    for (counter, events_between) in [(9, 0), (1, 1)] {
        let ended = Ended::at_counter(counter).await;
        let (summary, findings) = verified(&ended.world, Heads::default()).await;
        assert_eq!((summary.step_ups, findings), (3, Vec::new()), "counter {counter}");
        let rows = rows(&ended.world).await;
        let is_removal = |row: &Row| row.what.starts_with(b"{\"kind\":\"passkey_removed\"");
        let removal = rows.iter().position(is_removal).unwrap();
        assert_eq!(rows.len() - removal - 2, events_between, "counter {counter}");
    }
}

#[tokio::test]
async fn a_removed_passkey_confirms_nothing_but_its_own_removal_and_that_once() {
    let ended = Ended::at_counter(9).await;
    let rows = rows(&ended.world).await;
    let last = rows.len() - 1;
    let (removal, step_up) = (&rows[last - 1], &rows[last]);
    // What is found in these last rows, the hashes and numbers made to fit.
    let found = |tail: &[Row]| {
        let mut rows = [&rows[..last - 1], tail].concat();
        for (row, id) in rows.iter_mut().zip(1..) {
            row.id = id;
        }
        rechain(&mut rows);
        let (_, found) = judge(&rows, Rules::default(), Heads::default());
        let place =
            Place::Event { account: ended.browser.account.to_string(), event: rows.last().unwrap().id };
        assert!(found.iter().all(|finding| finding.place == place), "{found:?}");
        found.into_iter().map(|Finding { fault, .. }| fault).collect::<Vec<_>>()
    };
    assert_eq!(found(&[removal.clone(), step_up.clone()]), []);
    assert_eq!(found(&[step_up.clone(), removal.clone()]), []);

    let Ended { view, .. } = &ended;
    let (id, name, other) = (view.id.clone(), view.name.clone(), passkey_of(&ended.browser.account));
    let again = {
        let mut again = Forgery::of(step_up).unwrap();
        again.claims.ceremony = CeremonyId::make([9; 16]);
        again.claims.nonce = Bytes(vec![9; 32]);
        again.signed_by(&ended.passkey, |_| {})
    };
    let renamed = row(removal, &Activity::PasskeyRenamed { passkey: id.clone(), name: name.clone() });
    let others = ended.removed(removal, &other);
    let tails: [(&str, Vec<Row>); 6] = [
        ("another action", vec![removal.clone(), ended.forged(step_up, &Test { id, name: name.clone() })]),
        (
            "another target",
            vec![removal.clone(), ended.forged(step_up, &Removal { id: other.clone(), name: name.clone() })],
        ),
        (
            "another target, which was removed",
            vec![removal.clone(), others.clone(), ended.forged(step_up, &Removal { id: other, name })],
        ),
        ("once more", vec![removal.clone(), step_up.clone(), again]),
        ("later", vec![removal.clone(), renamed, step_up.clone()]),
        ("after another removal", vec![removal.clone(), others, step_up.clone()]),
    ];
    for (what, tail) in tails {
        assert_eq!(found(&tail), [Fault::RemovedPasskey], "{what}");
    }
}
