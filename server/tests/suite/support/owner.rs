use super::{Answer, Browser, PlainBody, SoftPasskey, World, world::run};
use axum::http::Method;
use holdfast_protocol::{
    passkeys::AssertionOptions,
    step_up::{Action, Confirmation, Request, StepUpOptions},
};
use serde::Serialize;

/// Somebody with an account, signed in, and the passkey that confirms what they do.
pub struct Owner {
    pub browser: Browser,
    pub passkey: SoftPasskey,
}

impl World {
    /// Of a new account.
    pub async fn owner(&self, name: &str) -> Owner {
        let browser = self.browser().await;
        let account = browser.account.as_str();
        let mut passkey = SoftPasskey::new(self);
        passkey.id = account.as_bytes().to_vec();
        passkey.user_handle = account.as_bytes().to_vec();
        run!(
            self.app.db,
            "UPDATE passkeys SET public_key = $1, backup_eligible = $2, backup_state = $2 WHERE account_id = $3",
            passkey.cose_key().as_slice(),
            true,
            account,
        );
        run!(self.app.db, "UPDATE accounts SET name = $1 WHERE id = $2", name, account);
        Owner { browser, passkey }
    }
}

impl Owner {
    /// Asks for a step-up.
    pub async fn ask<A: Action>(&self, parameters: &A) -> Answer {
        self.browser.post(&A::KIND.preflight(), parameters).await
    }

    /// Signs what a preflight has answered.
    pub fn sign(&self, asked: &Answer) -> Confirmation {
        let StepUpOptions { ceremony, token, public_key, .. } = asked.json();
        let options = AssertionOptions { ceremony, token, public_key };
        let credential = self.passkey.assert(&options, |_| {});
        Confirmation { ceremony: options.ceremony, token: options.token, credential }
    }

    /// Asks and signs.
    pub async fn confirm<A: Action>(&self, parameters: A) -> Request<A> {
        let confirmation = Some(self.sign(&self.ask(&parameters).await));
        Request { parameters, secret: None, confirmation }
    }

    /// Sends an action, with this `Idempotency-Key`.
    pub async fn act<A: Action>(&self, request: &Request<A>, key: &str) -> Answer {
        self.post_with_key(A::KIND.path(), request, key).await
    }

    async fn post_with_key(&self, path: &str, body: &impl Serialize, key: &str) -> Answer {
        let proof = self.browser.fresh_proof("POST", path).await.sign();
        let request = self.browser.request(Method::POST, path).header("dpop", proof);
        let request = request.header("content-type", "application/json").header("idempotency-key", key);
        let body = PlainBody::from(serde_json::to_vec(body).unwrap());
        self.browser.send(request.body(body).unwrap()).await
    }
}
