use crate::{
    State, Status,
    address::Address,
    machine::Dialling,
    transport::{Events, Hear, Socket, Transport},
};
use std::cell::RefCell;

/// Dials, or finds that the browser will not have it.
type Dial = fn(&Address<'_>, &[String], Hear) -> Option<Box<dyn Transport>>;

/// How a connection travels.
pub(crate) struct Kind {
    pub(crate) dial: Dial,
    /// The application's subprotocols, with a comma before each; or the names of events that somebody
    /// listens to.
    pub(crate) names: RefCell<Vec<String>>,
    pub(crate) dialling: Dialling,
}

impl Kind {
    /// Each has its own application at the other end.
    pub(crate) fn socket(protocols: String) -> Self {
        Self { dial: Socket::dial, names: RefCell::new(vec![protocols]), dialling: Dialling::Alone }
    }

    pub(crate) fn events() -> Self {
        Self { dial: Events::dial, names: RefCell::default(), dialling: Dialling::Shared }
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
