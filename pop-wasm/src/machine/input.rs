use super::{Effects, Machine};
use crate::{
    End, State,
    effect::{Attempt, KeyCheck, Line, NotDialled},
};
use holdfast_protocol::pop::Message;

/// What happens to a connection.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    Start,
    Deadline,
    NotDialled(Attempt, NotDialled),
    Opened,
    Control(&'a Message),
    Nonsense,
    Lost(u16),
    KeyReplaced,
    KeyChecked(Attempt, KeyCheck),
    Wake(Line),
    Sleep,
    RetryNow,
    Leading,
    LeadLost,
    Led { state: State, asked_for: bool },
    End(End),
}

impl Machine {
    /// What is to be done about it.
    pub(crate) fn on(&mut self, input: Input<'_>, now_ms: u64) -> Effects {
        match input {
            Input::Start => self.start(now_ms),
            Input::Deadline => self.on_deadline(now_ms),
            Input::NotDialled(attempt, why) => self.on_not_dialled(attempt, why, now_ms),
            Input::Opened => self.on_opened(),
            Input::Control(message) => self.on_control(message, now_ms),
            Input::Nonsense => self.on_nonsense(now_ms),
            Input::Lost(code) => self.on_lost(code, now_ms),
            Input::KeyReplaced => self.on_key_replaced(now_ms),
            Input::KeyChecked(attempt, found) => self.on_key_checked(attempt, found, now_ms),
            Input::Wake(line) => self.on_wake(line, now_ms),
            Input::Sleep => self.on_sleep(),
            Input::RetryNow => self.retry_now(now_ms),
            Input::Leading => self.on_leading(now_ms),
            Input::LeadLost => self.on_lead_lost(now_ms),
            Input::Led { state, asked_for } => self.on_led(state, asked_for, now_ms),
            Input::End(why) => self.end(why),
        }
    }
}
