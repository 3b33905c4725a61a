//! Passkeys: the list of them (K3), adding one (K4), removing one (K5), and testing one.

mod adding;
mod claims;
mod listing;
mod removing;
mod testing;

use crate::support::{Answer, Browser, SoftPasskey, World};
use holdfast_protocol::{
    passkeys::{
        Addition, AdditionVerifyRequest, AssertionOptions, PasskeyList, PasskeyView, RegistrationOptions,
        RegistrationResponse,
    },
    step_up::{Action, Confirmation, Request, StepUpOptions},
};

async fn list(browser: &Browser) -> Vec<PasskeyView> {
    let PasskeyList { passkeys } = browser.get("/v1/passkey").await.json();
    passkeys
}

/// Asks for the confirmation of an action.
async fn ask<A: Action>(browser: &Browser, parameters: &A) -> Answer {
    browser.post(&A::KIND.preflight(), parameters).await
}

/// Carries an action out, confirmed with this passkey; or gives the refusal of its preflight.
pub async fn act<A: Action>(browser: &Browser, passkey: &SoftPasskey, parameters: &A) -> Answer {
    let options = ask(browser, parameters).await;
    if !options.status.is_success() {
        return options;
    }
    let StepUpOptions { ceremony, token, public_key, .. } = options.json();
    let options = AssertionOptions { ceremony, token, public_key };
    let credential = passkey.assert(&options, |_| {});
    let AssertionOptions { ceremony, token, .. } = options;
    let confirmation = Some(Confirmation { ceremony, token, credential });
    let request = Request { parameters: parameters.clone(), secret: None, confirmation };
    browser.post(A::KIND.path(), &request).await
}

fn addition(browser: &Browser) -> Addition {
    Addition { account: browser.account.clone(), email: "mara@example.org".to_owned() }
}

/// Begins the registration of a further passkey, confirmed with one that is there.
pub async fn begin(browser: &Browser, by: &SoftPasskey) -> RegistrationOptions {
    act(browser, by, &addition(browser)).await.json()
}

pub async fn finish(
    browser: &Browser,
    options: &RegistrationOptions,
    credential: &RegistrationResponse,
) -> Answer {
    let request = AdditionVerifyRequest {
        ceremony: options.ceremony.clone(),
        token: options.token.clone(),
        credential: credential.clone(),
    };
    browser.post("/v1/passkey/register/verify", &request).await
}

/// A further passkey, and how it is listed.
pub async fn add(world: &World, browser: &Browser, by: &SoftPasskey) -> (SoftPasskey, PasskeyView) {
    let options = begin(browser, by).await;
    let mut passkey = SoftPasskey::new(world);
    let credential = passkey.register(&options, |_| {});
    (passkey, finish(browser, &options, &credential).await.json())
}
