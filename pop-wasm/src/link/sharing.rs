//! What a connection does with the other tabs.

use super::Link;
use crate::{
    End, State,
    effect::Effect,
    lock::Wait,
    machine::{Dialling, Input},
    proof::joined,
    share::{Heard, Share, word},
    told::Told,
};
use holdfast_protocol::pop::EVENT;
use std::rc::Weak;

impl Link {
    /// Hears events of this name from now on.
    pub(crate) fn listen(&self, name: &str) {
        let names = &self.kind.names;
        let known = |known: &String| known == name;
        // `pop` is not the application's.
        if self.kind.dialling == Dialling::Alone || name == EVENT || names.borrow().iter().any(known) {
            return;
        }
        names.borrow_mut().push(name.to_owned());
        if let Some(dialled) = &*self.dialled.borrow() {
            dialled.transport.listen(name);
        } else {
            self.say(word::LISTEN, name);
        }
    }

    pub(crate) fn retry_now(&self) {
        self.step(Input::RetryNow);
        if self.machine.borrow().is_following() {
            self.say(word::RETRY, "");
        }
    }

    /// Tells the page, and the other tabs where this one leads.
    pub(super) fn tell(&self, told: &Told) {
        // That the page closed it concerns nobody else: another tab leads then.
        if !matches!(told, Told::State(State::Ended(End::Closed)))
            && let Some(share) = &*self.share.borrow()
            && share.leads()
        {
            share.pass_on(told);
        }
        self.listeners.tell(told);
    }

    pub(super) fn join(&self) {
        if !self.machine.borrow().is_following() {
            // Somebody who was told just before has closed it.
            return;
        }
        let me = Weak::clone(&self.me);
        let key = self.client.thumbprint();
        let key = key.as_ref().map_or("", |thumbprint| thumbprint.as_str());
        let address = self.client.origin().http(&self.path);
        let name = joined(&["holdfast-pop ", &address, " ", key]);
        // The place before is given up first: it may be that of another key.
        drop(self.share.take());
        let share = Share::join(name, move |heard| {
            if let Some(link) = me.upgrade() {
                link.on_heard(heard);
            }
        });
        let alone = share.is_none();
        self.share.replace(share);
        if alone {
            self.step(Input::Leading);
        }
    }

    pub(super) fn to_the_others(&self, effect: Effect) {
        if let Some(share) = &*self.share.borrow() {
            match effect {
                Effect::TakeLead => drop(share.ask_for_lead(Wait::Steal)),
                Effect::WakeLeader => share.say(word::WAKE, ""),
                _ => share.say(word::ASK, ""),
            }
        }
    }

    fn say(&self, word: u32, what: &str) {
        if let Some(share) = &*self.share.borrow() {
            share.say(word, what);
        }
    }

    fn leads(&self) -> bool {
        self.share.borrow().as_ref().is_some_and(Share::leads)
    }

    fn is_open(&self) -> bool {
        matches!(self.state(), State::Open { .. })
    }

    fn on_heard(&self, heard: Heard) {
        let leads = self.leads();
        match heard {
            Heard::Leading(lock) => {
                if let Some(share) = &*self.share.borrow() {
                    share.lead(lock);
                }
                // The tab that led may have let go because of a sign-in that this one has not heard of yet.
                self.later(|link| async move {
                    link.client.refresh_key().await;
                    if link.leads() {
                        link.step(Input::Leading);
                    }
                });
            }
            Heard::LeadLost if leads => {
                // Before anything is told: the others listen to another tab now.
                drop(self.share.take());
                self.step(Input::LeadLost);
            }
            // A browser that lets nobody wait for the lead: each tab is alone then.
            Heard::LeadLost => self.step(Input::Leading),
            Heard::Lead => {
                for name in &*self.kind.names.borrow() {
                    self.say(word::LISTEN, name);
                }
            }
            Heard::Ask | Heard::Wake if leads => {
                if matches!(heard, Heard::Wake) {
                    self.on_wake();
                } else {
                    // Timers of a hidden tab may be late.
                    self.step(Input::Deadline);
                }
                if let Some(share) = &*self.share.borrow() {
                    share.say_how(self.state());
                }
            }
            Heard::Listen(name) if leads => self.listen(&name),
            Heard::Retry if leads => self.retry_now(),
            Heard::Is(state) => self.step(Input::Led { state, asked_for: true }),
            Heard::Told(Told::State(state)) => {
                self.step(Input::Led { state, asked_for: false });
            }
            // Who has just joined hears nothing before it knows that the connection is proven.
            Heard::Told(told) if self.machine.borrow().is_following() && self.is_open() => {
                self.listeners.tell(&told);
            }
            Heard::Ask | Heard::Wake | Heard::Listen(_) | Heard::Retry | Heard::Told(_) => {}
        }
    }
}
