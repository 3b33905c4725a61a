//! Which streams there are.

use holdfast_protocol::{pop::Timing, step_up::Kind};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// A stream that a browser can ask a ticket for: `Stream::at("/streams/chat")`.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(super) path: Arc<str>,
    pub(super) timing: Option<Timing>,
    pub(super) after: Option<Kind>,
}

impl Stream {
    /// At this path, as the browser has it.
    pub fn at(path: &str) -> Self {
        Self { path: path.into(), timing: None, after: None }
    }

    /// Challenged at other times than the operator's.
    pub fn timing(self, timing: Timing) -> Self {
        Self { timing: Some(timing), ..self }
    }

    /// A ticket for it is given once, and at once, after this action was carried out, which calls
    /// `pop::grant`.
    pub(crate) fn after(self, action: Kind) -> Self {
        Self { after: Some(action), ..self }
    }
}

impl From<&str> for Stream {
    fn from(path: &str) -> Self {
        Self::at(path)
    }
}

/// The streams of this server: what is not in here gets no ticket.
#[derive(Default)]
pub struct Streams(RwLock<HashMap<Arc<str>, Stream>>);

impl Streams {
    pub(super) fn declare(&self, stream: &Stream) {
        let mut streams = self.0.write().unwrap_or_else(PoisonError::into_inner);
        streams.insert(stream.path.clone(), stream.clone());
    }

    pub(super) fn find(&self, path: &str) -> Option<Stream> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}
