use crate::State;

/// Says which try an answer belongs to, so that late ones are nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Attempt(u32);

impl Attempt {
    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What the shell has to do, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Fetch a ticket and dial; report to `on_dialled` or `on_not_dialled`.
    Mint(Attempt),
    /// Ask the server for a challenge.
    Ask,
    /// Let go what was held back, in both directions.
    Release,
    /// Close the transport, if there is one, and hear nothing more from it.
    HangUp,
    /// Look whether another tab has stored a newer key than this attempt's; report to `on_key_checked`.
    CheckKey(Attempt),
    /// Tell the page.
    Report(State),
    /// Nothing will be sent any more: forget what is held.
    Drop,
    /// Share with the other tabs of this key: report to `on_leading` once this one leads.
    Join,
    /// Ask the tab that leads how it stands; report to `on_led`.
    AskLeader,
    /// The page is back: the tab that leads shall make sure that its connection is.
    WakeLeader,
    /// Take the lead from a tab that does not answer; report to `on_leading`.
    TakeLead,
    /// Share no more.
    Leave,
}

/// Why no connection was dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotDialled {
    /// Network away, server away, too many tries: later, and not before what it asked for.
    Later { after_ms: u64 },
    /// 401: the session is over, or another tab has a new one.
    SignedOut,
    /// There is no key.
    NoKey,
    /// It will never be different.
    Refused,
}

/// Whether a transport looks alive after a sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Up,
    Down,
}

/// Whether a newer key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyCheck {
    Newer,
    Same,
}
