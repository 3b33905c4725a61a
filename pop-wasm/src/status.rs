use crate::told::Told;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

/// What happened to the key or the session, outside of what the page itself asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Another tab signed in: this client has its key now. Who is signed in may have changed.
    KeyReplaced,
    /// Another tab signed out, or the server says that the session is over.
    SignedOut,
    /// The browser stores no key: this one lives as long as this page, and a reload signs out.
    MemoryOnly,
}

impl Status {
    /// All of them, for documents and tests.
    pub const ALL: [Status; 3] = [Status::KeyReplaced, Status::SignedOut, Status::MemoryOnly];

    /// What a program decides by.
    pub const fn code(self) -> &'static str {
        match self {
            Status::KeyReplaced => "key-replaced",
            Status::SignedOut => "signed-out",
            Status::MemoryOnly => "memory-only",
        }
    }
}

/// Listens until it is dropped.
#[must_use = "dropping it stops listening"]
pub struct Subscription {
    to: Weak<List>,
    id: u32,
}

impl Subscription {
    /// Listens for as long as what it listens to is there.
    pub fn forget(mut self) {
        self.to = Weak::new();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(all) = self.to.upgrade() {
            // What a listener owns is dropped after the list is free again: it may own a subscription.
            let gone = {
                let mut all = all.borrow_mut();
                let at = all.iter().position(|(other, _)| *other == self.id);
                at.map(|at| all.remove(at))
            };
            drop(gone);
        }
    }
}

impl core::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Subscription")
    }
}

type Listener = Rc<dyn Fn(&Told)>;
/// In the order of their ids.
type List = RefCell<Vec<(u32, Listener)>>;

/// Those who listen. A listener may add and remove listeners while it is called.
pub(crate) struct Listeners {
    all: Rc<List>,
    next: Cell<u32>,
}

impl Listeners {
    pub(crate) fn new() -> Self {
        Self { all: Rc::new(RefCell::new(Vec::new())), next: Cell::new(0) }
    }

    pub(crate) fn add(&self, listener: impl Fn(&Told) + 'static) -> Subscription {
        self.push(Rc::new(listener))
    }

    fn push(&self, listener: Listener) -> Subscription {
        let id = self.next.get();
        self.next.set(id.wrapping_add(1));
        self.all.borrow_mut().push((id, listener));
        Subscription { to: Rc::downgrade(&self.all), id }
    }

    /// Nobody listens any more.
    pub(crate) fn clear(&self) {
        let gone = self.all.take();
        drop(gone);
    }

    pub(crate) fn tell(&self, what: &Told) {
        let mut told = None;
        // By id, not by place: the list may change under the calls.
        while let Some((id, listener)) = self.after(told) {
            told = Some(id);
            listener(what);
        }
    }

    fn after(&self, told: Option<u32>) -> Option<(u32, Listener)> {
        let all = self.all.borrow();
        let next = all.iter().find(|(id, _)| told.is_none_or(|told| *id > told));
        next.map(|(id, listener)| (*id, Rc::clone(listener)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: Told = Told::Status(Status::SignedOut);

    #[test]
    fn listens_until_dropped() {
        let listeners = Listeners::new();
        let heard = Rc::new(Cell::new(0));
        let sum = Rc::clone(&heard);
        let first = listeners.add(move |_| sum.set(sum.get() + 1));
        let sum = Rc::clone(&heard);
        listeners.add(move |_| sum.set(sum.get() + 10)).forget();
        listeners.tell(&TOLD);
        drop(first);
        listeners.tell(&TOLD);
        assert_eq!(heard.get(), 21);
    }

    #[test]
    fn a_listener_may_stop_listening_while_it_is_called() {
        let listeners = Rc::new(Listeners::new());
        let slot: Rc<RefCell<Option<Subscription>>> = Rc::default();
        let (own, calls) = (Rc::clone(&slot), Rc::new(Cell::new(0)));
        let count = Rc::clone(&calls);
        *slot.borrow_mut() = Some(listeners.add(move |_| {
            count.set(count.get() + 1);
            drop(own.borrow_mut().take());
        }));
        listeners.tell(&TOLD);
        listeners.tell(&TOLD);
        assert_eq!(calls.get(), 1);
    }
}
