//! Which streams there are.

use holdfast_protocol::pop::Timing;
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

/// A stream that a browser can ask a ticket for: `Stream::at("/streams/chat")`.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(super) path: Arc<str>,
    pub(super) timing: Option<Timing>,
}

impl Stream {
    /// At this path, as the browser has it.
    pub fn at(path: &str) -> Self {
        Self { path: path.into(), timing: None }
    }

    /// Challenged at other times than the operator's.
    pub fn timing(self, timing: Timing) -> Self {
        Self { timing: Some(timing), ..self }
    }
}

impl From<&str> for Stream {
    fn from(path: &str) -> Self {
        Self::at(path)
    }
}

/// The streams of this server: what is not in here gets no ticket.
#[derive(Default)]
pub struct Streams(RwLock<HashSet<Arc<str>>>);

impl Streams {
    pub(super) fn declare(&self, stream: &Stream) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(stream.path.clone());
    }

    pub(super) fn find(&self, path: &str) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}
