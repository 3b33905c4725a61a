//! Providers that are known to say "verified" of a person whom nobody has verified: told in the list, before a
//! confirmation and in the log of it, and decided by nowhere.

use super::{act, add, ask, list};
use crate::support::{World, run};
use holdfast_protocol::{
    passkeys::{PasskeyListing, PasskeyView, Removal, Test},
    step_up::{Claim, StepUpLog, StepUpOptions},
};

/// Proton Pass.
const CLAIMING: &[u8] = b"ProtonPassProton";

async fn becomes(world: &World, view: &PasskeyView, aaguid: &[u8]) {
    run!(world.app.db, "UPDATE passkeys SET aaguid = $1 WHERE id = $2", aaguid, view.id.as_str());
}

#[tokio::test]
async fn what_a_provider_claims_is_told_before_and_after() {
    let world = World::new().await;
    let (browser, first) = world.set_up_by_ceremony().await;
    let (second, added) = add(&world, &browser, &first).await;
    let views = list(&browser).await;
    let claims = async || {
        let PasskeyListing { passkeys } = browser.get("/v1/passkey").await.json();
        passkeys.iter().map(|listed| listed.claims_verification).collect::<Vec<_>>()
    };
    let log = async || browser.get("/v1/security/stepup-log").await.json::<StepUpLog>();
    let removal = Removal { id: added.id.clone(), name: added.name.clone() };
    let asked = async || ask(&browser, &removal).await.json::<StepUpOptions>().claiming_providers;
    assert_eq!((claims().await, asked().await), (vec![false, false], Vec::<String>::new()));
    assert_eq!(log().await.claims, []);

    // Another passkey could confirm it, but not everything.
    becomes(&world, &views[1], CLAIMING).await;
    assert_eq!((claims().await, asked().await), (vec![false, true], Vec::new()));
    let test = Test { id: views[1].id.clone(), name: views[1].name.clone() };
    assert_eq!(ask(&browser, &test).await.json::<StepUpOptions>().claiming_providers, ["Proton Pass"]);
    assert_eq!(act(&browser, &second, &test).await.status, 204);
    let confirmed = log().await;
    let claim = Claim { event: confirmed.events[0].id, provider: "Proton Pass".to_owned() };
    assert_eq!(confirmed.claims, std::slice::from_ref(&claim));

    // All of them, of one provider; and what was confirmed before by the first is told of as well.
    becomes(&world, &views[0], CLAIMING).await;
    assert_eq!(asked().await, ["Proton Pass"]);
    assert_eq!(log().await.claims.len(), 2);
    let newest: StepUpLog = browser.get("/v1/security/stepup-log?limit=1").await.json();
    assert!(newest.claims.is_empty(), "of entries that are not on this page");

    // It signs as well as any other, and is told of when it is gone.
    assert_eq!(act(&browser, &first, &removal).await.status, 204);
    becomes(&world, &views[0], &[0; 16]).await;
    assert_eq!(log().await.claims, [claim]);
}
