//! The one prompt that has actions confirmed. The console draws it once, with `use_step_up`, and gives every
//! panel a `Confirm`; a panel awaits `Confirm::perform` and knows nothing of prompts. Whatever the
//! confirmation itself can run into is said inside the prompt, with a way on.

mod check;
mod deed;
mod effects;
mod hold;
mod log;
mod state;
mod text;
mod view;

pub use check::{Asked, Asker, Difference, Offer, Signer};
pub use hold::{Hold, HoldProps};
pub use log::{Confirmations, ConfirmationsProps};
pub use view::{StepUp, use_step_up};

use crate::{json, problem::Failure};
use effects::{Body, Flow};
use holdfast_protocol::{
    commitment::Opening,
    step_up::{Action, Request},
};
use serde::de::DeserializeOwned;
use std::rc::Rc;

/// Runs actions; where the server wants a confirmation, it opens the one prompt.
#[derive(Clone)]
pub struct Confirm(Rc<Flow>);

impl PartialEq for Confirm {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Why an action was not carried out, as far as this page knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The person closed the prompt: nothing was done, and there is nothing to say.
    Left,
    /// The server refused the action itself, or it is not known whether it was done: show it in place, and ask
    /// the server again how things are.
    Failed(Failure),
}

impl Confirm {
    /// Does it: sends it with a fresh `Idempotency-Key`; where the server answers `step_up_required`, asks for the
    /// options of exactly these parameters, checks them, opens the prompt, and sends the same request once more
    /// with the confirmation. The same parameters after an answer that was lost go under the same key, so that
    /// trying again never does anything twice.
    ///
    /// `secret` opens the commitment of those parameters that have one; `opener` is the `id` of what gets the
    /// focus back.
    pub async fn perform<A: Action, R: DeserializeOwned + 'static>(
        &self,
        parameters: A,
        secret: Option<Opening>,
        opener: &'static str,
    ) -> Result<R, Stopped> {
        // What has no canonical spelling could not be signed for, and nobody signs what cannot be read.
        let asked = Asked::of(&parameters).ok_or(Stopped::Failed(Failure::Illegible))?;
        let body: Body = Box::new(move |confirmation| {
            let (parameters, secret) = (parameters.clone(), secret.clone());
            // The types of the wire always serialise; an empty body would be refused by the server.
            serde_json::to_string(&Request { parameters, secret, confirmation }).unwrap_or_default()
        });
        let answer = self.0.perform(asked, body, opener).await?;
        json::read(answer).map_err(|why| Stopped::Failed(why.into()))
    }

    /// Closes the prompt, if one is open, as its person could.
    pub fn leave(&self) {
        self.0.leave();
    }
}
