//! What passes between a runner and its transport.

use holdfast_protocol::pop::{Close, Message, Now};

/// Messages that wait for a reader.
pub(super) const QUEUE: usize = 64;

/// Something from the browser, and when it arrived: an answer is not late because others were waiting
/// here before it.
pub(super) struct Incoming {
    pub at: Now,
    pub what: Sent,
}

/// What a browser sends.
pub(super) enum Sent {
    Control(Message),
    /// A frame of the application.
    Application {
        bytes: usize,
    },
    /// Neither.
    Unreadable,
}

/// What a browser is sent.
#[derive(Debug)]
pub(super) enum Outgoing {
    Control(Message),
    Data(Data),
    /// The last.
    Close(Close),
}

/// Application data: a name and its JSON.
#[derive(Debug)]
pub(super) struct Data {
    pub name: &'static str,
    pub json: String,
}
