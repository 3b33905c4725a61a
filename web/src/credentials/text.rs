//! The words of this slice.

use super::state::{Done, Loaded, Place, Works};
use crate::words::{Tone, Words};
use holdfast_protocol::credentials::DEFAULT;

pub(super) const LIST: &str = "Stored";
pub(super) const LOADING: &str = "Fetching the list";
pub(super) const NONE: &str =
    "Nothing is stored yet. What you store below, your agents can read by its name; nobody can read it here.";
pub(super) const REPLACE: &str = "Replace";
pub(super) const DELETE: &str = "Delete";
pub(super) const DELETING: &str = "Waiting for your confirmation";
pub(super) const NOT_DELETED: &str = "Nothing was deleted.";
pub(super) const STORED: &str = "Stored ";
pub(super) const READ_BY: &str = ", read last by ";
pub(super) const NEVER_READ: &str = ", not read by any agent yet.";
pub(super) const UNREADABLE: &str = "This server no longer has the key that it was encrypted with, so no agent can read it. Replace its value to cure that.";
pub(super) const UNREADABLE_TAG: &str = "unreadable";
pub(super) const REVOKED: &str = "This agent is revoked and reads nothing any more.";

pub(super) const STORE: &str = "Store a credential";
pub(super) const ONCE: &str = "Its value is encrypted and never shown again, not even to you: keep your own copy. You confirm with your passkey that it is stored under this name.";
pub(super) const NAME: &str = "Name";
pub(super) const NAME_HINT: &str =
    "As your agents ask for it, for example OPENAI_API_KEY: letters, digits, underscores, dots and dashes.";
pub(super) const NAME_MISSING: &str = "Write the name that your agents will ask for.";
pub(super) const NAME_WRONG: &str = "Use 1 to 64 of the letters A to Z, digits, underscores, dots and dashes, and begin with neither of the last two.";
pub(super) const CHANNEL: &str = "Who can read it";
pub(super) const CHANNEL_HINT: &str =
    "An agent that has a credential of its own by this name reads that one instead.";
pub(super) const VALUE: &str = "Value";
pub(super) const VALUE_HINT: &str =
    "Stored exactly as it stands here, with its line breaks and spaces. A value that it had before is lost.";
pub(super) const VALUE_MISSING: &str = "Write or paste the value.";
pub(super) const VALUE_TOO_LONG: &str = "A value has at most 16,384 bytes; this one is longer.";
pub(super) const SHOW: &str = "Show what is typed";
pub(super) const SEND: &str = "Store";
pub(super) const SENDING: &str = "Waiting for your confirmation";
pub(super) const NOT_STORED: &str = "Nothing was stored.";

pub(super) const EVERYBODY: &str = "Every agent";

/// Who reads a channel, to choose from: an agent by its name and id.
pub(super) fn reader(channel: &str, loaded: &Loaded) -> String {
    match (channel, loaded.agent_of(channel)) {
        (DEFAULT, _) => EVERYBODY.to_owned(),
        (channel, Some(agent)) => [&agent.name, " (", channel, ")"].concat(),
        (channel, None) => ["The channel ", channel].concat(),
    }
}

/// The same in the list, where the id stands in a place of its own.
pub(super) fn readers(channel: &str, loaded: &Loaded) -> (Tone, String) {
    match (channel, loaded.agent_of(channel)) {
        (DEFAULT, _) => (Tone::Plain, "for every agent".to_owned()),
        (_, Some(agent)) if agent.works == Works::Revoked => {
            (Tone::Wait, ["for ", &agent.name, ", revoked"].concat())
        }
        (_, Some(agent)) => (Tone::Plain, ["for ", &agent.name].concat()),
        (_, None) => (Tone::Plain, "for one channel".to_owned()),
    }
}

/// A button of one of them, by its name.
pub(super) fn button(label: &str, place: &Place, loaded: &Loaded) -> String {
    [label, " ", place.name.as_str(), ", ", &reader(place.channel.as_str(), loaded)].concat()
}

pub(super) fn done(done: &Done) -> String {
    match done {
        Done::Stored(place) => [place.name.as_str(), " is stored. Its value is not shown again."].concat(),
        Done::Deleted(place) => [place.name.as_str(), " is deleted."].concat(),
    }
}

/// It was deleted meanwhile, elsewhere.
pub(super) fn gone() -> Words {
    Words {
        what: "It is gone already.".into(),
        way_on: "It was deleted elsewhere meanwhile, or with its agent.".into(),
        tone: Tone::Plain,
    }
}
