use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as ORACLE};
use holdfast_protocol::base64url::{NotBase64Url, decode, decode_array, encode};

/// Bytes come back from their text, and a text that is taken is the only one of its bytes. Whether
/// the input, as text, is taken.
pub fn holds(input: &[u8]) -> bool {
    let written = encode(input);
    assert_eq!(written, ORACLE.encode(input));
    assert_eq!(decode(&written).as_deref(), Ok(input));

    let Ok(text) = core::str::from_utf8(input) else { return false };
    let read = decode(text);
    assert_eq!(read.as_deref().ok(), ORACLE.decode(text).ok().as_deref());
    let exactly = decode_array::<32>(text);
    match &read {
        Ok(bytes) => {
            assert_eq!(encode(bytes), text);
            assert_eq!(
                exactly.ok().as_ref().map(<[u8; 32]>::as_slice),
                (bytes.len() == 32).then_some(&bytes[..])
            );
        }
        Err(NotBase64Url) => assert_eq!(exactly, Err(NotBase64Url)),
    }
    read.is_ok()
}
