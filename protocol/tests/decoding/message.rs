use holdfast_protocol::{
    ids::Thumbprint,
    pop::{Binding, Challenge, Message},
};

/// A text that is a message is the only spelling of it, and what a challenge brings fills its own
/// lines of the transcript and no other. Whether the input is a message.
pub fn holds(input: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(input) else { return false };
    let Ok(message) = Message::parse(text) else { return false };
    assert_eq!(message.encode(), text);
    assert_eq!(Message::parse(&message.encode()).as_ref(), Ok(&message));
    assert!(text.len() <= Message::MAX_BYTES && text.is_ascii());
    for other in [format!("{text} "), format!(" {text}"), format!("{text}\n"), text.to_uppercase()] {
        assert!(Message::parse(&other).ok().as_ref() != Some(&message), "{other:?} is {text:?}, too");
    }
    if let Message::Challenge(challenge) = &message {
        fills_its_lines(challenge);
    }
    true
}

fn fills_its_lines(challenge: &Challenge) {
    let thumbprint = Thumbprint::from_hash(&[2; 32]);
    let binding = Binding::new("https://a", challenge.connection.clone(), "nonce", thumbprint.clone());
    let transcript = binding.ok().map(|binding| binding.transcript(challenge)).unwrap_or_default();
    let lines: Vec<&str> = transcript.split('\n').collect();
    let (sequence, expiry) = (challenge.sequence.to_string(), challenge.expires_at_ms.to_string());
    let connection = challenge.connection.as_str();
    let brought = [sequence.as_str(), challenge.nonce.as_str(), expiry.as_str()];
    assert_eq!(lines[..4], ["holdfast-pop/1", "https://a", connection, "nonce"]);
    assert_eq!(lines[4..7], brought);
    assert_eq!(lines[7..], [thumbprint.as_str()]);
}
