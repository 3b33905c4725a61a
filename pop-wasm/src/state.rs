/// How a connection stands, for a person to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A ticket is being fetched.
    Connecting,
    /// Dialled, or back from a sleep: nothing flows until the key has answered once.
    Proving,
    /// Proven. Told again after every challenge: a heartbeat.
    Open {
        /// Milliseconds from the server's challenge to the answer's arrival there.
        rtt_ms: u32,
    },
    /// The server missed an answer: nothing flows in either direction until the next one.
    Held,
    /// Lost; the next try comes by itself.
    Waiting {
        /// Milliseconds until then.
        retry_in_ms: u32,
    },
    /// Over. It does not come back by itself.
    Ended(End),
}

/// Why a connection does not come back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The page closed it.
    Closed,
    /// The application at the other end closed it: it is done, or says why not.
    EndedByApplication,
    /// The session is over: sign in.
    SignedOut,
    /// This browser has no key: sign in.
    NoKey,
    /// Its owner ended it, from the list of connections.
    EndedByOwner,
    /// The server will not have it: no such stream, not allowed, or the two do not speak alike.
    Refused,
}

impl End {
    /// All of them, for documents and tests.
    pub const ALL: [End; 6] =
        [End::Closed, End::EndedByApplication, End::SignedOut, End::NoKey, End::EndedByOwner, End::Refused];

    /// What a program decides by.
    pub const fn code(self) -> &'static str {
        match self {
            End::Closed => "closed",
            End::SignedOut => "signed_out",
            End::NoKey => "no_key",
            End::EndedByApplication => "ended_by_application",
            End::EndedByOwner => "ended_by_owner",
            End::Refused => "refused",
        }
    }
}
