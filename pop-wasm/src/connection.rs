use crate::{
    End, PopError, State, Subscription,
    browser::{member, text_member, whole},
    link::Link,
    told::Told,
};
use holdfast_protocol::pop::is_last_word;
use std::rc::Rc;

/// A WebSocket that is proven, and that comes back by itself.
///
/// Clones are the same connection; it closes when the last of them is dropped.
#[derive(Clone)]
pub struct Connection(Rc<Handle>);

/// A stream of server-sent events that is proven, and that comes back by itself.
///
/// Clones are the same stream; it closes when the last of them is dropped.
#[derive(Clone)]
pub struct EventStream(Rc<Handle>);

/// A message of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data<'a> {
    /// A text frame.
    Text(&'a str),
    /// A binary frame.
    Bytes(&'a [u8]),
}

/// How an application closes its WebSocket (RFC 6455 section 7.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWord {
    /// The close code.
    pub code: u16,
    /// Its own words; may be empty.
    pub reason: String,
}

/// The application is done (RFC 6455 section 7.4.1).
const DONE: u16 = 1000;

struct Handle(Rc<Link>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

macro_rules! handle {
    ($name:ident) => {
        impl $name {
            pub(crate) fn new(link: Rc<Link>) -> Self {
                Self(Rc::new(Handle(link)))
            }

            /// How it stands.
            pub fn state(&self) -> State {
                self.0.0.state()
            }

            /// Listens to how it stands; every answered challenge is told as [`State::Open`].
            pub fn on_state(&self, listener: impl Fn(State) + 'static) -> Subscription {
                self.0.0.on_told(move |told| {
                    if let Told::State(state) = told {
                        listener(*state);
                    }
                })
            }

            /// Does not wait for the next try.
            pub fn retry_now(&self) {
                self.0.0.retry_now();
            }

            /// Ends it. Where it is not proven, the other end hears no word of it, and what is held back is dropped.
            pub fn close(&self) {
                self.0.0.close_with(DONE, "");
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Rc::ptr_eq(&self.0, &other.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

handle!(Connection);
handle!(EventStream);

impl Connection {
    /// Ends it, with what the application at the other end hears: 1000, or 3000 to 4999 but for 4400 to 4499,
    /// and at most 123 bytes. Only a proven connection says it ([`State::Open`]), since it says that all before it
    /// has arrived: on any other the other end hears no word, and what is held back is dropped.
    ///
    /// # Errors
    ///
    /// [`PopError::BadArgument`] for any other code and for more.
    pub fn close_with(&self, code: u16, reason: &str) -> Result<(), PopError> {
        if !(is_last_word(code) && (code == DONE || code >= 3000)) || reason.len() > 123 {
            return Err(PopError::BadArgument);
        }
        self.0.0.close_with(code, reason);
        Ok(())
    }

    /// What the application at the other end has said when it ended this connection
    /// ([`End::EndedByApplication`]).
    pub fn last_word(&self) -> Option<LastWord> {
        let is_its = self.state() == State::Ended(End::EndedByApplication);
        let closed = self.0.0.wire().filter(|_| is_its)?.closed();
        let code = u16::try_from(whole(member(&closed, "code")?.as_f64()?)).ok()?;
        Some(LastWord { code, reason: text_member(&closed, "reason")? })
    }

    /// Listens to the application's messages, in order.
    pub fn on_message(&self, listener: impl Fn(Data<'_>) + 'static) -> Subscription {
        self.0.0.on_told(move |told| match told {
            Told::Text(text) => listener(Data::Text(text)),
            Told::Bytes(bytes) => listener(Data::Bytes(bytes)),
            Told::Event { .. } | Told::State(_) | Told::Status(_) => {}
        })
    }

    /// Sends a text frame; held back until the connection is proven.
    ///
    /// # Errors
    ///
    /// [`PopError::TooMuchHeld`] beyond 64 KiB; [`PopError::Ended`].
    pub fn send(&self, text: &str) -> Result<(), PopError> {
        self.0.0.send_text(text)
    }

    /// Sends a binary frame, likewise.
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), PopError> {
        self.0.0.send_bytes(bytes)
    }
}

impl EventStream {
    /// Listens to the events with this name, in order: their data, and the last id that the server gave
    /// (empty where it gave none). `pop` is not the application's.
    pub fn on_event(&self, name: &str, listener: impl Fn(&str, &str) + 'static) -> Subscription {
        self.0.0.listen(name);
        let wanted = name.to_owned();
        self.0.0.on_told(move |told| {
            if let Told::Event { name, data, id } = told
                && *name == wanted
            {
                listener(data, id);
            }
        })
    }
}
