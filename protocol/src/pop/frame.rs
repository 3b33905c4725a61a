/// The character that begins every control frame.
pub(super) const CONTROL: char = '\u{1}';

/// What a text frame of a WebSocket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A control message, without its first character.
    Control(&'a str),
    /// The application's text, as it sent it.
    Application(&'a str),
}

/// Tells control from application; undoes the doubling of [`escape`].
pub fn unescape(text: &str) -> Frame<'_> {
    match text.strip_prefix(CONTROL) {
        Some(rest) if rest.starts_with(CONTROL) => Frame::Application(rest),
        Some(rest) => Frame::Control(rest),
        None => Frame::Application(text),
    }
}

/// The application's text as it travels: a first U+0001 is doubled. `None`: as it is.
pub fn escape(text: &str) -> Option<String> {
    text.starts_with(CONTROL).then(|| {
        let mut escaped = String::with_capacity(text.len() + 1);
        escaped.push(CONTROL);
        escaped.push_str(text);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_the_application_arrives_as_it_was_sent() {
        for text in ["", "a", "\u{1}", "\u{1}\u{1}", "\u{1}ask", "a\u{1}"] {
            let sent = escape(text);
            assert_eq!(unescape(sent.as_deref().unwrap_or(text)), Frame::Application(text), "{text:?}");
        }
        assert_eq!(unescape("\u{1}ask"), Frame::Control("ask"));
    }
}
