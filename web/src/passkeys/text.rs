//! The words of this slice.

use crate::{text, words::Tone};
use holdfast_protocol::passkeys::{Backup, Trust};

pub(super) const TITLE: &str = "Passkeys";
pub(super) const LOADING: &str = "Fetching your passkeys";
pub(super) const MANAGE: &str = "Add, test or remove";
pub(super) const RENAME: &str = "Rename";
pub(super) const NEW_NAME: &str = "New name";
pub(super) const SAVE: &str = "Save";
pub(super) const SAVING: &str = "Saving";
pub(super) const RENAMED: &str = "The name was changed.";
pub(super) const NAME_MISSING: &str = "Write a name.";
pub(super) const NAME_TOO_LONG: &str = "Use at most 64 characters.";
pub(super) const NAME_CONTROL: &str = "Use letters, digits and ordinary signs only.";
pub(super) const OPENED_THIS: &str = "opened this session";
pub(super) const ADDED: &str = "Added ";
pub(super) const USED: &str = "used ";
pub(super) const NEVER_USED: &str = "not used to sign in yet";
pub(super) const ADVICE: &str = "You have one passkey. With a second one, on another device or a security key, losing one never locks you out; until then this one is the only way in, since recovery codes cannot be used yet.";

pub(super) fn in_use(number: usize) -> String {
    text::count(u64::try_from(number).unwrap_or_default(), "in use", "in use")
}

pub(super) const fn backup(backup: Backup) -> &'static str {
    match backup {
        Backup::DeviceBound => "this device only",
        Backup::NotYetSynced => "not synced yet",
        Backup::Synced => "synced",
    }
}

/// What losing the device means for a passkey that lives like this.
pub(super) const fn losing(backup: Backup) -> &'static str {
    match backup {
        Backup::DeviceBound => "If the device is lost, this passkey is lost.",
        Backup::NotYetSynced => "It may be synced later; until then it is lost with its device.",
        Backup::Synced => "It is on every device of its password manager.",
    }
}

pub(super) const fn trust(trust: Trust) -> Option<(Tone, &'static str)> {
    match trust {
        Trust::Trusted => None,
        Trust::New => Some((Tone::Plain, "new")),
        Trust::Suspect => Some((Tone::Broken, "may have been copied")),
        Trust::Disabled => Some((Tone::Plain, "removed")),
    }
}

pub(super) const SUSPECT: &str = "Its counter went backwards, as it would if somebody had cloned it. If you cannot explain that, stop using it.";

/// How it is reached besides what its display name says already, in words.
pub(super) fn transports(names: &[String]) -> String {
    let known: Vec<&str> = names
        .iter()
        .filter_map(|name| match name.as_str() {
            "hybrid" => Some("also from a phone nearby"),
            "smart-card" => Some("also by smart card"),
            _ => None,
        })
        .collect();
    known.join(", ")
}

pub(super) fn rename_label(name: &str) -> String {
    [RENAME, " ", name].concat()
}
