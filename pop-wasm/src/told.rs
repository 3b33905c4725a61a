use crate::{State, Status, machine::Dialling};
use std::cell::RefCell;

/// How a connection travels.
pub(crate) struct Kind {
    /// The application's subprotocols, with a comma before each; or the names of events that somebody
    /// listens to.
    pub(crate) names: RefCell<Vec<String>>,
    pub(crate) dialling: Dialling,
}

impl Kind {
    /// A WebSocket: each has its own application at the other end.
    pub(crate) fn socket(protocols: String) -> Self {
        Self { names: RefCell::new(vec![protocols]), dialling: Dialling::Alone }
    }

    /// Server-sent events.
    pub(crate) fn events() -> Self {
        Self { names: RefCell::default(), dialling: Dialling::Shared }
    }
}

/// What the application is told: of the client its status, of a connection the rest. Text and bytes are
/// also what it sends.
pub(crate) enum Told {
    Status(Status),
    State(State),
    Text(String),
    Bytes(Vec<u8>),
    Event { name: String, data: String, id: String },
}
