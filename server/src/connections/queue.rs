//! What passes between a runner and its transport.

use holdfast_protocol::pop::{Close, Message, Now};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::sync::mpsc::{self, OwnedPermit, error::TrySendError};

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
    /// Which event of the account it is, if it is one.
    pub event: Option<i64>,
}

/// The end of the queue at which a runner puts what is to be sent.
#[derive(Clone)]
pub(super) struct Outbound {
    queue: mpsc::Sender<Queued>,
    counts: Arc<Mutex<Counts>>,
}

/// The end from which a transport takes it.
pub(super) struct ToSend {
    queue: mpsc::Receiver<Queued>,
    counts: Arc<Mutex<Counts>>,
}

/// Room for one message more, whatever else is queued.
pub(super) struct Last(OwnedPermit<Queued>);

struct Queued {
    generation: u64,
    what: Outgoing,
}

/// Data that was queued before a failure is not sent after it, however slow its reader was.
struct Counts {
    /// Rises when what is queued becomes void.
    generation: u64,
    /// The newest event that a transport has taken.
    taken: i64,
}

/// A queue for a stream that begins after this event.
pub(super) fn outbound(after: i64) -> (Outbound, ToSend) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let counts = Arc::new(Mutex::new(Counts { generation: 0, taken: after }));
    (Outbound { queue: sender, counts: counts.clone() }, ToSend { queue: receiver, counts })
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outbound {
    pub(super) fn try_send(&self, what: Outgoing) -> Result<(), TrySendError<()>> {
        let generation = lock(&self.counts).generation;
        self.queue.try_send(Queued { generation, what }).map_err(|error| match error {
            TrySendError::Full(_) => TrySendError::Full(()),
            TrySendError::Closed(_) => TrySendError::Closed(()),
        })
    }

    /// From now on no data is taken that is queued already. Gives the newest event that was.
    pub(super) fn void(&self) -> i64 {
        let mut counts = lock(&self.counts);
        counts.generation += 1;
        counts.taken
    }

    /// Keeps room for the last message.
    pub(super) async fn reserve_last(&self) -> Option<Last> {
        self.queue.clone().reserve_owned().await.ok().map(Last)
    }

    pub(super) fn room(&self) -> usize {
        self.queue.capacity()
    }

    /// Waits for so much room; false: nobody takes anything any more.
    pub(super) async fn has_room(&self, room: usize) -> bool {
        self.queue.reserve_many(room).await.is_ok()
    }

    /// Ends when nobody takes anything any more.
    pub(super) async fn closed(&self) {
        self.queue.closed().await;
    }
}

impl Last {
    pub(super) fn send(self, what: Outgoing) {
        // Its generation is never asked: it is no data.
        self.0.send(Queued { generation: 0, what });
    }
}

impl ToSend {
    /// The next message that still counts; none: the runner is over.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        loop {
            match self.queue.poll_recv(context) {
                Poll::Ready(Some(queued)) => {
                    if let Some(what) = self.counted(queued) {
                        return Poll::Ready(Some(what));
                    }
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn counted(&self, queued: Queued) -> Option<Outgoing> {
        let Queued { generation, what } = queued;
        if let Outgoing::Data(data) = &what {
            let mut counts = lock(&self.counts);
            if generation != counts.generation {
                return None;
            }
            counts.taken = data.event.unwrap_or(counts.taken);
        }
        Some(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64) -> Outgoing {
        Outgoing::Data(Data { name: "activity", json: "{}".to_owned(), event: Some(id) })
    }

    #[tokio::test]
    async fn what_is_queued_at_a_failure_is_never_taken_and_can_be_sent_again() {
        let (outbound, mut to_send) = outbound(4);
        let last = outbound.reserve_last().await.unwrap();
        for id in [5, 6, 7] {
            outbound.try_send(event(id)).unwrap();
        }
        assert!(matches!(to_send.next().await, Some(Outgoing::Data(Data { event: Some(5), .. }))));
        assert_eq!(outbound.void(), 5);
        outbound.try_send(Outgoing::Control(Message::Ask)).unwrap();
        outbound.try_send(event(6)).unwrap();
        assert!(matches!(to_send.next().await, Some(Outgoing::Control(Message::Ask))));
        assert!(matches!(to_send.next().await, Some(Outgoing::Data(Data { event: Some(6), .. }))));

        outbound.try_send(event(7)).unwrap();
        assert_eq!(outbound.void(), 6);
        last.send(Outgoing::Close(Close::SessionEnded));
        drop(outbound);
        assert!(matches!(to_send.next().await, Some(Outgoing::Close(_))));
        assert!(to_send.next().await.is_none());
    }
}
