//! What the operator lets people do without a step-up: nothing proves it, so whoever judges the trail must say so.

use super::{Real, additions_switched_off, command, verified, verified_by};
use crate::{
    passkeys::{add, begin, finish},
    support::{SoftPasskey, World},
};
use holdfast_protocol::{
    history::Activity,
    step_up::{Kind, Outcome},
};
use holdfast_server::{
    audit::{self, Event},
    verify_log::{Arguments, Fault, Finding, Heads, Verdict},
};
use tempfile::TempDir;

fn faults(findings: Vec<Finding>) -> Vec<Fault> {
    findings.into_iter().map(|finding| finding.fault).collect()
}

#[tokio::test]
async fn a_passkey_that_was_added_while_its_step_up_was_off_is_found_unless_that_is_said() {
    let world = World::with(|config| config.step_up_off = vec![Kind::PasskeyRegisterAdditional]).await;
    let (browser, first) = world.set_up_by_ceremony().await;
    add(&world, &browser, &first).await;
    let (summary, findings) = verified(&world, Heads::default()).await;
    assert_eq!(faults(findings), [Fault::Unguarded, Fault::Unconfirmed, Fault::NeverRegistered]);
    assert_eq!(summary.unguarded, [(Kind::PasskeyRegisterAdditional, 1)].into());
    let (summary, findings) = verified_by(&world, additions_switched_off(), Heads::default()).await;
    assert_eq!((summary.unguarded.len(), findings), (1, Vec::new()));
}

#[tokio::test]
async fn a_passkey_that_comes_at_the_last_moment_has_its_step_up() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    // Two at once, of which each comes; and one that never does.
    let (begun, left) = (begin(&browser, &first).await, begin(&browser, &first).await);
    world.advance_ms(1);
    let too = begin(&browser, &first).await;
    world.advance_ms(299_998);
    for options in [&too, &begun] {
        let credential = SoftPasskey::new(&world).register(options, |_| {});
        assert_eq!(finish(&browser, options, &credential).await.status, 200);
    }
    drop(left);
    let (summary, findings) = verified(&world, Heads::default()).await;
    assert_eq!((summary.step_ups, findings), (3, Vec::new()));
}

#[tokio::test]
async fn the_command_tells_how_many_there_were_and_of_which_actions() {
    let (real, folder) = (Real::new().await, TempDir::new().unwrap());
    drop(real.sign(folder.path()).await);
    let arguments = command::arguments(&real.world, folder.path());
    let (verdict, text) = command::said(arguments.clone()).await;
    assert!(
        verdict == Ok(Verdict::AllIsWell) && text.contains("\n0 actions were done without a step-up.\n"),
        "{text}"
    );

    let mut tx = real.world.app.db.write().await.unwrap();
    for action in [Kind::WalletSend, Kind::CredentialSet, Kind::WalletSend] {
        let what =
            Activity::StepUp { action, outcome: Outcome::Unguarded, sentence: String::new(), code: None };
        let (account, session) = (&real.owner.account, Some(&real.owner.session));
        let event = Event { account, what, device: None, session, at_ms: real.world.clock.unix_ms() };
        audit::record(&mut tx, event).await.unwrap();
    }
    tx.commit(&real.world.app.live).await.unwrap();
    for (off, verdict, findings) in [
        (None, Verdict::Findings, 3),
        (Some(["credential.set"].as_slice()), Verdict::Findings, 2),
        (Some(["wallet.send", "credential.set"].as_slice()), Verdict::AllIsWell, 0),
    ] {
        let step_up_off = off.map(|off| off.iter().map(|name| (*name).to_owned()).collect());
        let (said, text) = command::said(Arguments { step_up_off, ..arguments.clone() }).await;
        assert_eq!((said, text.matches("it was done without a step-up").count()), (Ok(verdict), findings));
        let told = "\n3 actions were done without a step-up: 2 of wallet.send, 1 of credential.set.\n";
        assert!(text.contains(told), "{text}");
    }
    for none in ["wallet.sent", "passkey.test"] {
        let step_up_off = Some(vec![none.to_owned()]);
        let said = command::said(Arguments { step_up_off, ..arguments.clone() }).await.0;
        assert!(said.is_err_and(|why| why.contains(none)), "{none}");
    }
}
