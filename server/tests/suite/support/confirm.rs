use super::{Answer, Browser, SoftPasskey};
use holdfast_protocol::{
    commitment::Opening,
    passkeys::AssertionOptions,
    step_up::{Action, Confirmation, Request, StepUpOptions},
};

impl Browser {
    /// Asks for the confirmation of an action, and gives it with this passkey.
    pub async fn confirmed<A: Action>(
        &self,
        passkey: &SoftPasskey,
        parameters: A,
        secret: Option<Opening>,
    ) -> Request<A> {
        let asked = self.post(&A::KIND.preflight(), &parameters).await;
        let StepUpOptions { ceremony, token, public_key } = asked.json();
        let options = AssertionOptions { ceremony, token, public_key };
        let credential = passkey.assert(&options, |_| {});
        let AssertionOptions { ceremony, token, .. } = options;
        Request { parameters, secret, confirmation: Some(Confirmation { ceremony, token, credential }) }
    }

    /// An action that its owner confirms.
    pub async fn act<A: Action>(
        &self,
        passkey: &SoftPasskey,
        parameters: A,
        secret: Option<Opening>,
    ) -> Answer {
        let request = self.confirmed(passkey, parameters, secret).await;
        self.post(A::KIND.path(), &request).await
    }
}
