//! What words are made of: a tone, and a sentence with its way on.

use std::borrow::Cow;

/// A failure in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened.
    pub what: Cow<'static, str>,
    /// What to do.
    pub way_on: Cow<'static, str>,
    /// How grave it is.
    pub tone: Tone,
}

/// Amber waits, red is broken; the words say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Plain,
    /// Safe, proven, held.
    Held,
    /// Waiting, or for the person to decide.
    Wait,
    /// Broken, refused, or ends something.
    Broken,
}

impl Tone {
    /// The class that colours it.
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Held => "held",
            Tone::Wait => "wait",
            Tone::Broken => "broken",
        }
    }
}
