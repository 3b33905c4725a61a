//! The one prompt that has actions confirmed. A panel gets [`Confirm`] from the console and awaits
//! [`Confirm::perform`]; whatever the confirmation itself can run into is said inside the prompt.

use crate::{
    api::{Access, Api, Call},
    browser,
    problem::Failure,
};
use holdfast_pop::PopError;
use holdfast_protocol::{
    base64url,
    commitment::Opening,
    step_up::{Action, Request},
};
use serde::de::DeserializeOwned;

/// Runs actions; where the server wants a confirmation, it opens the one prompt.
#[derive(Clone, PartialEq)]
pub struct Confirm(Api);

/// Why an action was not carried out, as far as this page knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The person closed the prompt: nothing was done, and there is nothing to say.
    Left,
    /// The server refused the action itself, or could not be reached: show it in place.
    Failed(Failure),
}

impl Confirm {
    /// Asks the server by this.
    pub fn new(api: &Api) -> Self {
        Self(api.clone())
    }

    /// Does it: sends it with a fresh `Idempotency-Key`, has it confirmed where the server wants that, and sends
    /// it once more with the confirmation. `secret` opens the commitment of those parameters that have one;
    /// `opener` is the `id` of what gets the focus back.
    pub async fn perform<A: Action, R: DeserializeOwned + 'static>(
        &self,
        parameters: A,
        secret: Option<Opening>,
        _opener: &'static str,
    ) -> Result<R, Stopped> {
        let random = browser::random::<16>().ok_or(Failure::Key(PopError::NotSupported));
        let key = base64url::encode(&random.map_err(Stopped::Failed)?);
        let request = Request { parameters, secret, confirmation: None };
        let call = Call::post(A::KIND.path(), Access::SignedIn, &request).idempotency_key(&key);
        self.0.call(call).await.map_err(Stopped::Failed)
    }
}
