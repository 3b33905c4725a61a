use crate::audit::heads::LineFault;
use holdfast_relying_party::Refusal;
use std::fmt;

/// Something that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub place: Place,
    pub fault: Fault,
}

/// Where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Account {
        account: String,
    },
    Event {
        account: String,
        event: i64,
    },
    /// A row of the table of passkeys.
    Passkey {
        account: String,
        passkey: String,
    },
    /// A line of a file of signed heads.
    Line {
        file: String,
        line: u64,
    },
    /// All of the files of signed heads.
    Heads,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Events up to the one before this are not there, from this number on.
    Missing {
        from: i64,
    },
    /// The event's number was taken before, or is none.
    OutOfOrder,
    /// No hash, although an event before it has one.
    Unchained,
    /// No hash, nor has any before it, and nobody said that the trail is so old.
    NeverChained,
    /// The row is not what was hashed.
    Altered,
    /// A column does not hold what such a column holds.
    Unreadable {
        column: &'static str,
    },
    /// The event and its evidence do not belong together.
    Evidence,
    /// A credential that the account has already.
    RegisteredTwice,
    /// A further passkey, and no step-up of its own before, in the same session and in time.
    Unconfirmed,
    /// Carried out without a step-up, and nobody said that it was switched off.
    Unguarded,
    /// The parameters are not those of the action.
    Parameters,
    /// The token is none of a step-up.
    Token,
    /// The given secret has not signed the token.
    Mac,
    /// The token was made for another of these.
    MadeForAnother {
        what: &'static str,
    },
    /// The event's own sentence is not what was signed.
    Sentence,
    /// The event lies outside of the token's time.
    Time,
    /// A ceremony or a nonce that was used before.
    UsedTwice,
    /// No registration of the credential in the trail before.
    UnknownPasskey,
    /// The passkey was removed before.
    RemovedPasskey,
    /// The passkey's answer does not hold.
    Assertion(Refusal),
    /// A passkey that the trail has no registration of.
    NeverRegistered,
    /// A passkey with another public key than the registered one.
    KeySwapped,
    /// A passkey that was removed, and could sign in again.
    EnabledAgain,
    /// The account says to have another number of events.
    Count {
        says: i64,
        has: i64,
    },
    /// There is no such account.
    NoAccount,
    /// A signed head names an event that is not there.
    HeadMissing {
        event: i64,
        signed: String,
    },
    /// A signed head names another hash.
    HeadDiffers {
        signed: String,
    },
    Line(LineFault),
    /// No line has the hash that was noted.
    NotedLineMissing {
        hash: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Account { account } => write!(f, "{account}: {}", self.fault),
            Place::Event { account, event } => write!(f, "{account}, event {event}: {}", self.fault),
            Place::Passkey { account, passkey } => write!(f, "{account}, passkey {passkey}: {}", self.fault),
            Place::Line { file, line } => write!(f, "{file}, line {line}: {}", self.fault),
            Place::Heads => write!(f, "signed heads: {}", self.fault),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from } => write!(f, "events are missing before it, from {from} on"),
            Self::OutOfOrder => f.write_str("its number is none, or was there before"),
            Self::Unchained => f.write_str("it has no hash, although one before it has"),
            Self::NeverChained => f.write_str(
                "it has no hash; --allow-unchained takes it for one from before there was a hash chain",
            ),
            Self::Altered => f.write_str("it is not what was recorded: its hash does not fit"),
            Self::Unreadable { column } => write!(f, "its column `{column}` does not hold what it should"),
            Self::Evidence => f.write_str("it comes without its evidence, or with another's"),
            Self::RegisteredTwice => f.write_str("its credential was registered before"),
            Self::Unconfirmed => f.write_str("a further passkey was added without a step-up of its own"),
            Self::Unguarded => f.write_str(
                "it was done without a step-up; --step-up-off names actions that were switched off",
            ),
            Self::Parameters => f.write_str("the parameters are not those of its action"),
            Self::Token => f.write_str("the token is not one of a step-up"),
            Self::Mac => f.write_str("the given secret has not signed the token"),
            Self::MadeForAnother { what } => write!(f, "the token was made for another {what}"),
            Self::Sentence => f.write_str("its sentence is not the one that was signed for"),
            Self::Time => f.write_str("it lies outside of the token's time"),
            Self::UsedTwice => f.write_str("the token's ceremony or nonce was used before"),
            Self::UnknownPasskey => f.write_str("the passkey's registration is not in the trail before it"),
            Self::RemovedPasskey => f.write_str("the passkey had been removed"),
            Self::Assertion(why) => write!(f, "the passkey's answer does not hold: {why}"),
            Self::NeverRegistered => f.write_str("the trail has no registration of it"),
            Self::KeySwapped => f.write_str("its public key is not the one that was registered"),
            Self::EnabledAgain => f.write_str("it was removed, and can sign in again"),
            Self::Count { says, has } => {
                write!(f, "the account says to have {says} events, the trail has {has}")
            }
            Self::NoAccount => f.write_str("there is no such account"),
            Self::HeadMissing { event, signed } => {
                write!(f, "event {event} is not there, and was when {signed} was signed")
            }
            Self::HeadDiffers { signed } => write!(f, "it is not the event that {signed} was signed for"),
            Self::Line(why) => write!(f, "it {why}"),
            Self::NotedLineMissing { hash } => {
                write!(
                    f,
                    "no line has the hash {hash}: the end of a file was cut off, or the file is not here"
                )
            }
        }
    }
}
