use holdfast_protocol::pop::{Frame, escape, unescape};

/// What an application sends arrives as it was sent, and nothing that it sends is control. Whether
/// the input, as a frame that arrives, is the application's.
pub fn holds(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else { return false };
    let sent = escape(text);
    assert_eq!(unescape(sent.as_deref().unwrap_or(text)), Frame::Application(text));

    match unescape(text) {
        Frame::Application(inner) => {
            assert_eq!(escape(inner).as_deref().unwrap_or(inner), text);
            true
        }
        Frame::Control(message) => {
            assert!(!message.starts_with('\u{1}'));
            assert_eq!(format!("\u{1}{message}"), text);
            false
        }
    }
}
