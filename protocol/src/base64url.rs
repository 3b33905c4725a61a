// By hand rather than with a crate: a general engine and its error messages would be a sixth of the
// browser's module, which a page waits for. The tests hold it against the `base64` crate.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text is not base64url as Holdfast writes it (RFC 4648 section 5, no padding).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotBase64Url;

impl core::fmt::Display for NotBase64Url {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not base64url without padding")
    }
}

impl std::error::Error for NotBase64Url {}

/// Bytes to text.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 4).div_ceil(3));
    push(&mut text, bytes);
    text
}

/// Bytes to text, after what is there.
pub fn push(text: &mut String, bytes: &[u8]) {
    // The last of `bits` are yet to be spelled, `left` of them.
    let (mut bits, mut left) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        left += 8;
        while left >= 6 {
            left -= 6;
            text.push(symbol(bits >> left));
        }
    }
    if left > 0 {
        text.push(symbol(bits << (6 - left)));
    }
}

/// Of the last six bits.
fn symbol(bits: u32) -> char {
    let [.., last] = bits.to_be_bytes();
    char::from(ALPHABET[usize::from(last & 0b11_1111)])
}

/// Text to bytes; every sequence of bytes has exactly one text that is taken.
pub fn decode(text: &str) -> Result<Vec<u8>, NotBase64Url> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    // The last of `bits` are of no whole byte yet, `left` of them.
    let (mut bits, mut left) = (0_u32, 0);
    for symbol in text.bytes() {
        bits = bits << 6 | u32::from(look_up(symbol).ok_or(NotBase64Url)?);
        left += 6;
        if left >= 8 {
            left -= 8;
            let [.., byte] = (bits >> left).to_be_bytes();
            bytes.push(byte);
        }
    }
    // One symbol of a group of four holds no byte, and bits that belong to none could be spelled in several ways.
    let stray = bits & ((1 << left) - 1);
    if left == 6 || stray != 0 { Err(NotBase64Url) } else { Ok(bytes) }
}

const fn value(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(target_arch = "wasm32")]
use value as look_up;

/// The value of a symbol, from a table of all of them: no processor can guess which kind of symbol comes next, and
/// wrong guesses are most of what decoding costs. In the browser the table would weigh more than they do.
#[cfg(not(target_arch = "wasm32"))]
fn look_up(symbol: u8) -> Option<u8> {
    static VALUES: [Option<u8>; 256] = {
        let mut values = [None; 256];
        let (mut at, mut symbol) = (0, 0_u8);
        while at < values.len() {
            values[at] = value(symbol);
            at += 1;
            symbol = symbol.wrapping_add(1);
        }
        values
    };
    VALUES[usize::from(symbol)]
}

/// Text to exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], NotBase64Url> {
    decode(text)?.try_into().map_err(|_| NotBase64Url)
}

/// Bytes that are base64url text on the wire.
#[cfg(feature = "wire")]
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9_-]*$")))]
pub struct Bytes(#[cfg_attr(feature = "schema", schemars(with = "String"))] pub Vec<u8>);

#[cfg(feature = "wire")]
impl core::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

#[cfg(feature = "wire")]
impl serde::Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

#[cfg(feature = "wire")]
impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        decode(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as ORACLE};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_spelled_as_everywhere(bytes in any::<Vec<u8>>()) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &ORACLE.encode(&bytes));
            prop_assert_eq!(decode(&text), Ok(bytes));
        }

        #[test]
        fn a_text_is_taken_or_refused_as_everywhere(text in "[A-Za-z0-9_=+/-]{0,9}|[A-Za-z0-9_-]{0,9}|.{0,9}") {
            prop_assert_eq!(decode(&text).ok(), ORACLE.decode(&text).ok());
        }
    }

    #[test]
    fn refuses_every_second_spelling() {
        assert_eq!(decode("AQI"), Ok(vec![1, 2]));
        for other in ["AQI=", "AQI ", " AQI", "AQ I", "AQI\n", "AQJ", "AQ+_", "AQ/A", "A"] {
            assert_eq!(decode(other), Err(NotBase64Url), "{other:?}");
        }
    }
}
