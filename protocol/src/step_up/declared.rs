//! What documents say of an action.

use super::{Action, Request};
use crate::{problem::Code, schema::Described};
use schemars::JsonSchema;
use std::any::TypeId;

/// All that is declared of an action.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The body of its preflight.
    pub parameters: Described,
    /// Its own body: a [`Request`] of these.
    pub request: Described,
    /// `None`: 204.
    pub answer: Option<Described>,
    /// See [`Action::WANTS_KEY`].
    pub wants_key: bool,
    /// See [`Action::REFUSES`].
    pub refuses: &'static [Code],
}

impl Declared {
    pub(super) fn of<A>(about: &'static str) -> Self
    where
        A: Action<Answer: JsonSchema> + JsonSchema,
    {
        let is_nothing = TypeId::of::<A::Answer>() == TypeId::of::<()>();
        Self {
            about: about.trim_ascii_start(),
            parameters: Described::of::<A>(),
            request: Described::of::<Request<A>>(),
            answer: (!is_nothing).then(Described::of::<A::Answer>),
            wants_key: A::WANTS_KEY,
            refuses: A::REFUSES,
        }
    }
}
