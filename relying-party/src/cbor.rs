//! The strict subset of CBOR that authenticators may speak (CTAP2's canonical form, but for the order of keys):
//! lengths definite and in their shortest form, no tags, no floats, nesting bounded.

use minicbor::Decoder;
use minicbor::data::Type;

/// Not CBOR, or not of the subset. The caller knows what was being read and says so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// Reads item after item.
pub(crate) struct Reader<'a> {
    decoder: Decoder<'a>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { decoder: Decoder::new(bytes) }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.decoder.input().get(self.decoder.position()..).unwrap_or_default()
    }

    /// The number of pairs in the map that begins here.
    pub(crate) fn map(&mut self) -> Result<u64, Malformed> {
        let start = self.decoder.position();
        let pairs = self.decoder.map()?.ok_or(Malformed)?;
        self.shortest_head(start, pairs)?;
        Ok(pairs)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let start = self.decoder.position();
        let text = self.decoder.str()?;
        self.shortest_string(start, text.len())?;
        Ok(text)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.decoder.position();
        let bytes = self.decoder.bytes()?;
        self.shortest_string(start, bytes.len())?;
        Ok(bytes)
    }

    /// An integer of either sign.
    pub(crate) fn integer(&mut self) -> Result<i64, Malformed> {
        let start = self.decoder.position();
        let integer = self.decoder.i64()?;
        // CBOR writes a negative number n as -1 - n, which is the bitwise complement.
        let argument = if integer < 0 { !integer } else { integer };
        self.shortest_head(start, u64::try_from(argument).map_err(|_| Malformed)?)?;
        Ok(integer)
    }

    /// The type of the next item.
    pub(crate) fn datatype(&self) -> Result<Type, Malformed> {
        Ok(self.decoder.datatype()?)
    }

    /// Passes over one item and returns its bytes.
    pub(crate) fn item(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.rest();
        self.skip(MAX_DEPTH)?;
        let length = start.len().checked_sub(self.rest().len()).ok_or(Malformed)?;
        start.get(..length).ok_or(Malformed)
    }

    fn skip(&mut self, depth: u8) -> Result<(), Malformed> {
        let within = depth.checked_sub(1).ok_or(Malformed)?;
        match self.datatype()? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
                self.integer()?;
            }
            Type::Bytes => {
                self.bytes()?;
            }
            Type::String => {
                self.text()?;
            }
            Type::Bool => {
                self.decoder.bool()?;
            }
            Type::Null => self.decoder.null()?,
            // A length that lies ends at the end of the input: every item takes a byte or more.
            Type::Array => {
                for _ in 0..self.array()? {
                    self.skip(within)?;
                }
            }
            Type::Map => {
                for _ in 0..self.map()? {
                    self.skip(within)?;
                    self.skip(within)?;
                }
            }
            Type::Int
            | Type::Undefined
            | Type::F16
            | Type::F32
            | Type::F64
            | Type::Simple
            | Type::BytesIndef
            | Type::StringIndef
            | Type::ArrayIndef
            | Type::MapIndef
            | Type::Tag
            | Type::Break
            | Type::Unknown(_) => return Err(Malformed),
        }
        Ok(())
    }

    fn array(&mut self) -> Result<u64, Malformed> {
        let start = self.decoder.position();
        let items = self.decoder.array()?.ok_or(Malformed)?;
        self.shortest_head(start, items)?;
        Ok(items)
    }

    fn shortest_string(&self, start: usize, length: usize) -> Result<(), Malformed> {
        let argument = u64::try_from(length).map_err(|_| Malformed)?;
        self.shortest(start, head_length(argument).checked_add(length).ok_or(Malformed)?)
    }

    fn shortest_head(&self, start: usize, argument: u64) -> Result<(), Malformed> {
        self.shortest(start, head_length(argument))
    }

    fn shortest(&self, start: usize, length: usize) -> Result<(), Malformed> {
        if self.decoder.position().checked_sub(start) == Some(length) { Ok(()) } else { Err(Malformed) }
    }
}

/// CTAP2 allows four levels; a compound attestation nests others, within the attestation object.
const MAX_DEPTH: u8 = 8;

/// The bytes that the shortest head of an item takes (RFC 8949 §3).
const fn head_length(argument: u64) -> usize {
    match argument {
        0..=0x17 => 1,
        0x18..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        0x1_0000_0000.. => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(bytes: &[u8]) -> Result<&[u8], Malformed> {
        Reader::new(bytes).item()
    }

    #[test]
    fn an_item_ends_where_its_encoding_ends() {
        assert_eq!(
            item(&[0xa1, 0x01, 0x82, 0x20, 0xf5, 0xff, 0xff]),
            Ok(&[0xa1, 0x01, 0x82, 0x20, 0xf5][..])
        );
    }

    #[test]
    fn longer_heads_than_needed_are_refused() {
        for long in [
            &[0x18, 0x17][..],
            &[0x19, 0x00, 0xff],
            &[0x38, 0x00],
            &[0x58, 0x01, 0xaa],
            &[0x78, 0x01, 0x61],
            &[0x98, 0x00],
            &[0xb8, 0x00],
            &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(item(long), Err(Malformed), "{long:02x?}");
        }
    }

    #[test]
    fn the_shortest_heads_are_read() {
        for short in [
            &[0x17][..],
            &[0x18, 0x18],
            &[0x37],
            &[0x38, 0x18],
            &[0x39, 0x01, 0x00],
            &[0x1a, 0x00, 0x01, 0x00, 0x00],
            &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0],
        ] {
            assert_eq!(item(short), Ok(short), "{short:02x?}");
        }
    }

    #[test]
    fn tags_floats_and_indefinite_lengths_are_refused() {
        for foreign in [
            &[0xc0, 0x00][..],
            &[0xf9, 0, 0],
            &[0xfa, 0, 0, 0, 0],
            &[0x9f, 0xff],
            &[0xbf, 0xff],
            &[0x5f, 0xff],
            &[0x7f, 0xff],
            &[0xf7],
            &[0xff],
            &[0x1c],
        ] {
            assert_eq!(item(foreign), Err(Malformed), "{foreign:02x?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| [vec![0x81; levels], vec![0x00]].concat();
        assert!(item(&nested(7)).is_ok());
        assert_eq!(item(&nested(8)), Err(Malformed));
        assert_eq!(item(&nested(100_000)), Err(Malformed));
    }

    #[test]
    fn a_length_beyond_the_input_ends_with_the_input() {
        assert_eq!(item(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]), Err(Malformed));
        assert_eq!(item(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]), Err(Malformed));
    }
}
