//! The words of this slice.

use crate::{live::STREAM, text, words::Tone};
use holdfast_pop::End;
use holdfast_protocol::{connections::Transport, pop::Standing};

pub(super) const TITLE: &str = "Live connections";
pub(super) const INTRO: &str = "Each one proves itself again and again. Nothing is sent to one that cannot.";
pub(super) const THIS_BROWSER: &str = "this browser";
pub(super) const END: &str = "End";
pub(super) const CONNECT_AGAIN: &str = "Connect again";
pub(super) const LOADING: &str = "Looking who is connected";
pub(super) const NONE: &str = "Nobody is connected.";
pub(super) const ENDED: &str = "The connection was ended.";
pub(super) const HELD: &str = "An answer is late; nothing is sent until it proves itself.";
pub(super) const NO_BEATS: &str = "No answer yet.";

/// What a stream is for; an unknown one by its path.
pub(super) fn stream(path: &str) -> &str {
    if path == STREAM { "Activity" } else { path }
}

pub(super) const fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "WebSocket",
        Transport::ServerSentEvents => "server-sent events",
    }
}

pub(super) const fn standing(standing: Standing) -> (Tone, &'static str) {
    match standing {
        Standing::Proven => (Tone::Held, "proven"),
        Standing::Held => (Tone::Wait, "held back"),
        Standing::Unproven => (Tone::Wait, "not proven yet"),
    }
}

/// While this page hears nothing, it does not know better.
pub(super) const AS_LAST_HEARD: (Tone, &str) = (Tone::Wait, "as last heard");

pub(super) const fn ended(end: End) -> &'static str {
    match end {
        End::EndedByOwner => "ended by you",
        End::SignedOut | End::NoKey => "signed out",
        End::Closed | End::EndedByApplication => "closed",
        End::Refused => "refused by the server",
    }
}

pub(super) fn proven(ago_ms: u64) -> String {
    if ago_ms < 2_000 {
        return "proven just now".to_owned();
    }
    ["proven ", &(ago_ms / 1_000).to_string(), " s ago"].concat()
}

pub(super) fn reconnecting(in_ms: u64) -> String {
    ["reconnecting in ", &in_ms.div_ceil(1_000).to_string(), " s"].concat()
}

pub(super) fn open_for(ms: u64) -> String {
    if ms < 60_000 {
        "open less than a minute".to_owned()
    } else {
        ["open ", &text::duration(ms - 59_999)].concat()
    }
}

pub(super) fn end_label(stream: &str, device: &str) -> String {
    ["End ", stream, " on ", device].concat()
}

/// The picture of the pulse, in words.
pub(super) fn pulse(proven: usize, failed: usize, median_ms: u32) -> String {
    let total = proven + failed;
    let mut said =
        ["The last ", &total.to_string(), if total == 1 { " answer: " } else { " answers: " }].concat();
    said.push_str(&proven.to_string());
    said.push_str(" on time");
    if proven > 0 {
        said.push_str(", about ");
        said.push_str(&median_ms.to_string());
        said.push_str(" milliseconds");
    }
    if failed > 0 {
        said.push_str("; ");
        said.push_str(&failed.to_string());
        said.push_str(" late or missing");
    }
    said.push('.');
    said
}
