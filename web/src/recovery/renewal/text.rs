//! The words of a new list.

pub(super) const MAKE: &str = "Make new codes";
pub(super) const WHAT: &str = "Worried about where the old ones are, or running low? This browser makes ten new ones and shows them once. The old ones stay in force until you have kept the new ones and confirmed with a passkey; from that moment all of them are void, the unused ones too.";
pub(super) const NOT_YET: &str = "These codes are not in force yet, and the old ones still are. They change places all at once when you have typed one back and confirmed with a passkey. Leave, and the old ones stay.";
pub(super) const KEEP_OLD: &str = "Keep the old ones";
pub(super) const DECLINED: &str = "Your old codes are still in force. The new ones never came into force: throw them away if you wrote them down.";
pub(super) const ABANDONED: &str = "New codes were shown here and never came into force: they are worth nothing, throw them away. Your old codes are still in force.";
pub(super) const RENEWED: &str =
    "The new codes are in force. The old ones became void in the same moment: throw them away.";
pub(super) const UNSURE: &str = "Another list is in force by now, or may be: new codes whose answer was lost, or some that were made in another tab. Throw none of them away. To be sure which ones are in force, make new ones once more.";
pub(super) const NOT_KNOWN: &str = "It is not known which codes are in force now, new ones or older ones: throw none of them away. To be sure of these, type one back and confirm with a passkey; then no others are.";
