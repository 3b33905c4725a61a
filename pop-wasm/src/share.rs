//! One stream of server-sent events for all tabs of a browser, since HTTP/1.1 gives an origin six
//! connections. A Web Lock says which tab leads; what that one hears, it tells the others over a
//! channel, which scripts of this origin alone can hear. What they say to each other are arrays, the first
//! item a [`word`].

use crate::{
    End, State,
    browser::{float, whole},
    channel::Channel,
    lock::{Lock, Wait, Waited, Waiting},
    told::Told,
};
use js_sys::Array;
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};
use wasm_bindgen::{JsCast as _, JsValue};

/// What a tab hears of the others.
pub(crate) enum Heard {
    /// This tab leads now.
    Leading(Lock),
    /// Another tab has taken the lead.
    LeadLost,
    /// Another tab leads from now on: it needs to know what is listened to here.
    Lead,
    /// How does it stand?
    Ask,
    /// Listen to events of this name, too.
    Listen(String),
    /// Do not wait for the next try.
    Retry,
    /// Make sure that the connection is there.
    Wake,
    /// How it stands; asked for by somebody.
    Is(State),
    /// What the leader was told.
    Told(Told),
}

/// What tabs say to each other: the first item of what they send, an array.
pub(crate) mod word {
    // To the tab that leads.
    pub(crate) const ASK: u32 = 0;
    pub(crate) const RETRY: u32 = 1;
    pub(crate) const LISTEN: u32 = 2;
    pub(crate) const WAKE: u32 = 7;
    // From it.
    pub(crate) const LEAD: u32 = 3;
    pub(crate) const IS: u32 = 4;
    pub(crate) const STATE: u32 = 5;
    pub(crate) const EVENT: u32 = 6;
}

/// A place among the tabs that share; dropped, the place is free and the lead another tab's.
pub(crate) struct Share {
    name: String,
    channel: Channel,
    lead: RefCell<Option<Lock>>,
    hear: Hear,
    /// Whoever leaves waits for the lead no longer.
    waiting: RefCell<Option<Waiting>>,
}

type Hear = Rc<dyn Fn(Heard)>;

impl Share {
    /// None where the browser has no channels or no locks: each tab is alone then.
    pub(crate) fn join(name: String, hear: impl Fn(Heard) + 'static) -> Option<Self> {
        let hear: Hear = Rc::new(hear);
        let heard: Weak<_> = Rc::downgrade(&hear);
        let channel = Channel::open(&name, move |message| {
            if let Some(hear) = heard.upgrade()
                && let Some(message) = read(&message)
            {
                hear(message);
            }
        })?;
        let share = Self { name, channel, lead: RefCell::new(None), hear, waiting: RefCell::default() };
        share.say(word::ASK, "");
        let waiting = share.ask_for_lead(Wait::Patiently)?;
        share.waiting.replace(Some(waiting));
        Some(share)
    }

    /// Waits for the lead, or takes it from a tab that does not answer. None: there are no locks.
    pub(crate) fn ask_for_lead(&self, how: Wait) -> Option<Waiting> {
        let hear = Rc::downgrade(&self.hear);
        Lock::wait(&self.name, how, move |waited| {
            // Whoever has left meanwhile drops the lock at once.
            if let Some(hear) = hear.upgrade() {
                hear(match waited {
                    Waited::Granted(lock) => Heard::Leading(lock),
                    Waited::Lost => Heard::LeadLost,
                });
            }
        })
    }

    /// This tab leads, for as long as it keeps the lock.
    pub(crate) fn lead(&self, lock: Lock) {
        self.lead.replace(Some(lock));
        self.say(word::LEAD, "");
    }

    pub(crate) fn leads(&self) -> bool {
        self.lead.borrow().is_some()
    }

    pub(crate) fn say(&self, word: u32, what: &str) {
        self.post(word, &[what.into()]);
    }

    /// Tells the others how it stands, because one of them has asked.
    pub(crate) fn say_how(&self, state: State) {
        self.post(word::IS, &[number(state).into()]);
    }

    /// Tells the others what this tab was told.
    pub(crate) fn pass_on(&self, told: &Told) {
        match told {
            Told::State(state) => self.post(word::STATE, &[number(*state).into()]),
            Told::Event { name, data, id } => self.post(word::EVENT, &[name.into(), data.into(), id.into()]),
            // Of a WebSocket, which nobody shares, or of the client.
            Told::Text(_) | Told::Bytes(_) | Told::Status(_) => {}
        }
    }

    fn post(&self, word: u32, rest: &[JsValue]) {
        let message = Array::of1(&word.into());
        for item in rest {
            message.push(item);
        }
        self.channel.post(&message);
    }
}

/// A state as one number.
fn number(state: State) -> f64 {
    let (kind, detail) = match state {
        State::Connecting => (0, 0),
        State::Proving => (1, 0),
        State::Open { rtt_ms } => (2, rtt_ms),
        State::Held => (3, 0),
        State::Waiting { retry_in_ms } => (4, retry_in_ms),
        State::Ended(End::Closed) => (5, 0),
        State::Ended(End::SignedOut) => (5, 1),
        State::Ended(End::NoKey) => (5, 2),
        State::Ended(End::EndedByOwner) => (5, 3),
        // The last is only a WebSocket's, which nobody shares.
        State::Ended(End::Refused | End::EndedByApplication) => (5, 4),
    };
    float(u64::from(detail) * 8 + kind)
}

fn state(number: f64) -> Option<State> {
    let number = whole(number);
    let detail = u32::try_from(number / 8).ok()?;
    Some(match (number % 8, detail) {
        (0, _) => State::Connecting,
        (1, _) => State::Proving,
        (2, rtt_ms) => State::Open { rtt_ms },
        (3, _) => State::Held,
        (4, retry_in_ms) => State::Waiting { retry_in_ms },
        (5, 0) => State::Ended(End::Closed),
        (5, 1) => State::Ended(End::SignedOut),
        (5, 2) => State::Ended(End::NoKey),
        (5, 3) => State::Ended(End::EndedByOwner),
        (5, 4) => State::Ended(End::Refused),
        _ => return None,
    })
}

fn read(message: &JsValue) -> Option<Heard> {
    let message = message.dyn_ref::<Array>()?;
    let text = |at| message.get(at).as_string();
    let how = || state(message.get(1).as_f64()?);
    Some(match u32::try_from(whole(message.get(0).as_f64()?)).ok()? {
        word::ASK => Heard::Ask,
        word::RETRY => Heard::Retry,
        word::WAKE => Heard::Wake,
        word::LISTEN => Heard::Listen(text(1)?),
        word::LEAD => Heard::Lead,
        word::IS => Heard::Is(how()?),
        word::STATE => Heard::Told(Told::State(how()?)),
        word::EVENT => Heard::Told(Told::Event { name: text(1)?, data: text(2)?, id: text(3)? }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_they_are_written() {
        let ends =
            [End::Closed, End::SignedOut, End::NoKey, End::EndedByOwner, End::Refused].map(State::Ended);
        let others = [
            State::Connecting,
            State::Proving,
            State::Open { rtt_ms: 0 },
            State::Open { rtt_ms: u32::MAX },
            State::Held,
            State::Waiting { retry_in_ms: u32::MAX },
        ];
        for one in ends.into_iter().chain(others) {
            assert_eq!(state(number(one)), Some(one));
        }
        for nonsense in [6.0, 7.0, 45.0, f64::MIN, f64::INFINITY, f64::from(u32::MAX) * 16.0] {
            assert!(!matches!(state(nonsense), Some(State::Ended(_) | State::Open { .. })), "{nonsense}");
        }
    }
}
