//! HTML Living Standard, section 9.2.6: where the events of an application's stream begin and end, so that
//! control messages go between them, and that none of its own is named as those are.

use axum::body::Bytes;
use holdfast_protocol::pop::{Close, EVENT};

/// The longest event.
const MAX_BYTES: usize = 64 * 1024;

/// Cuts bytes into whole events.
#[derive(Default)]
pub(super) struct Events {
    /// What has come of an event that is not whole.
    begun: Vec<u8>,
    /// Where its current line begins.
    line_at: usize,
    /// Up to where it has been looked at.
    at: usize,
    /// The last byte was a carriage return: a line feed after it ends no further line.
    after_return: bool,
}

impl Events {
    /// The events that are whole with these bytes, maybe none.
    pub(super) fn complete(&mut self, bytes: Bytes) -> Result<Bytes, Close> {
        if self.begun.is_empty() {
            // Most often what comes is one whole event, and goes on as it is.
            let whole = self.scan(&bytes)?;
            self.begun.extend_from_slice(bytes.get(whole..).unwrap_or_default());
            return self.bounded(bytes.slice(..whole));
        }
        self.begun.extend_from_slice(&bytes);
        let mut begun = std::mem::take(&mut self.begun);
        let whole = self.scan(&begun)?;
        self.begun = begun.split_off(whole);
        self.bounded(begun.into())
    }

    fn bounded(&self, whole: Bytes) -> Result<Bytes, Close> {
        if self.begun.len() > MAX_BYTES { Err(Close::TooMuchHeld) } else { Ok(whole) }
    }

    /// How many of the bytes are whole events.
    fn scan(&mut self, bytes: &[u8]) -> Result<usize, Close> {
        let mut whole = 0;
        for byte in bytes.get(self.at..).unwrap_or_default() {
            let line = bytes.get(self.line_at..self.at).unwrap_or_default();
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            let begins = whole == self.at;
            self.at += 1;
            match byte {
                b'\n' if after_return => {
                    if begins {
                        whole = self.at;
                    }
                }
                b'\n' | b'\r' if line.is_empty() => whole = self.at,
                b'\n' | b'\r' if is_control(line) => {
                    tracing::error!("an application's event is named as control messages are; refused");
                    return Err(Close::BadMessage);
                }
                b'\n' | b'\r' => {}
                _ => continue,
            }
            self.line_at = self.at;
        }
        self.at -= whole;
        self.line_at -= whole;
        Ok(whole)
    }
}

/// Whether a line gives its event the name of control messages.
fn is_control(line: &[u8]) -> bool {
    let value = line.strip_prefix(b"event:");
    value.is_some_and(|value| value.strip_prefix(b" ").unwrap_or(value) == EVENT.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&'static str]) -> Vec<String> {
        let mut events = Events::default();
        let whole = pieces.iter().map(|piece| events.complete(Bytes::from_static(piece.as_bytes())).unwrap());
        whole.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect()
    }

    #[test]
    fn whole_events_go_on_and_others_wait_for_their_end() {
        assert_eq!(cut(&["data: a\n\n"]), ["data: a\n\n"]);
        assert_eq!(cut(&["data: a\n\ndata: b\n\n"]), ["data: a\n\ndata: b\n\n"]);
        assert_eq!(cut(&["data: a\n\nda", "ta: b\n", "\n"]), ["data: a\n\n", "", "data: b\n\n"]);
        assert_eq!(cut(&["data: a", "\n", "id: 1\n", "\n:\n\n"]), ["", "", "", "data: a\nid: 1\n\n:\n\n"]);
        assert_eq!(cut(&["", "\n"]), ["", "\n"]);
    }

    #[test]
    fn lines_end_in_three_ways() {
        assert_eq!(cut(&["data: a\r\n\r\nx"]), ["data: a\r\n\r\n"]);
        assert_eq!(cut(&["data: a\r\rx"]), ["data: a\r\r"]);
        assert_eq!(
            cut(&["data: a\r", "\n", "\r", "\ndata: b\r\n", "\n"]),
            ["", "", "data: a\r\n\r", "\n", "data: b\r\n\n"]
        );
    }

    #[test]
    fn one_byte_at_a_time_is_the_same() {
        let text = "event: a\r\ndata: \u{e4}\r\n\r\n:\n\ndata: b\n\rdata: c\r\r\n";
        let mut events = Events::default();
        let mut out = Vec::new();
        for byte in text.bytes() {
            out.extend_from_slice(&events.complete(vec![byte].into()).unwrap());
        }
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn an_event_of_the_name_of_control_messages_is_refused() {
        for bad in
            ["event: pop\n", "event:pop\r\n", "data: a\nevent: pop\r", "data: a\n\nevent: pop\nevent: b\n"]
        {
            for pieces in [vec![bad.to_owned()], bad.chars().map(String::from).collect()] {
                let mut events = Events::default();
                let results: Vec<_> =
                    pieces.into_iter().map(|piece| events.complete(Bytes::from(piece))).collect();
                assert!(results.contains(&Err(Close::BadMessage)), "{bad:?}");
            }
        }
        let good = "event: pops\nevent:  pop\nevent: po\nevents: pop\n event: pop\ndata: event: pop\n:event: pop\n\n";
        assert_eq!(cut(&[good]), [good]);
    }

    #[test]
    fn an_event_without_end_is_too_much() {
        let mut events = Events::default();
        let half = Bytes::from(vec![b'x'; MAX_BYTES]);
        assert_eq!(events.complete(half.clone()), Ok(Bytes::new()));
        assert_eq!(events.complete(half), Err(Close::TooMuchHeld));
    }
}
