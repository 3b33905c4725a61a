use crate::State;
use std::cell::RefCell;

/// How a connection travels.
pub(crate) enum Kind {
    /// The subprotocols to offer, ours first.
    Socket(Vec<String>),
    /// The names of events that somebody listens to.
    Events(RefCell<Vec<String>>),
}

/// What the application is told.
pub(crate) enum Told {
    State(State),
    Text(String),
    Bytes(Vec<u8>),
    Event { name: String, data: String, id: String },
}

/// What the application sends.
pub(crate) enum Outgoing {
    Text(String),
    Bytes(Vec<u8>),
}
