use core::fmt;

/// Why the client could not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PopError {
    /// There is no key: sign in.
    NoKey,
    /// The browser lacks WebCrypto with P-256, or the page is not a secure context.
    NotSupported,
    /// The browser keeps what should be removed: its key store does not answer.
    StorageRefused,
    /// The browser refuses to use a key that it made itself.
    KeyRefused,
    /// The address does not belong to the origin that the client was opened for, or the origin is none.
    WrongOrigin,
    /// A method or path that cannot be spelled in one way only.
    BadArgument,
    /// More is waiting for the proof than is kept back (64 KiB).
    TooMuchHeld,
    /// The connection has ended.
    Ended,
}

impl PopError {
    /// All of them, for documents and tests.
    pub const ALL: [PopError; 8] = [
        PopError::NoKey,
        PopError::NotSupported,
        PopError::StorageRefused,
        PopError::KeyRefused,
        PopError::WrongOrigin,
        PopError::BadArgument,
        PopError::TooMuchHeld,
        PopError::Ended,
    ];

    /// What a program decides by.
    pub const fn code(self) -> &'static str {
        match self {
            PopError::NoKey => "no_key",
            PopError::NotSupported => "not_supported",
            PopError::StorageRefused => "storage_refused",
            PopError::KeyRefused => "key_refused",
            PopError::WrongOrigin => "wrong_origin",
            PopError::BadArgument => "bad_argument",
            PopError::TooMuchHeld => "too_much_held",
            PopError::Ended => "ended",
        }
    }

    /// A sentence for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            PopError::NoKey => "This browser has no key for a session. Sign in to make one.",
            PopError::NotSupported => {
                "This browser cannot make the key that protects your session. Use a current browser over HTTPS."
            }
            PopError::StorageRefused => {
                "The browser could not remove this session's key. Clear this site's data."
            }
            PopError::KeyRefused => "The browser could not use this session's key. Sign in again.",
            PopError::WrongOrigin => "This address does not belong to this console.",
            PopError::BadArgument => "This method or path cannot be proven.",
            PopError::TooMuchHeld => "Too much is waiting for the connection to be proven.",
            PopError::Ended => "The connection has ended.",
        }
    }
}

impl fmt::Display for PopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl core::error::Error for PopError {}
