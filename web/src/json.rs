//! JSON as the browser reads it, for the types of the wire.
//!
//! `JSON.parse` is in every browser; a second parser, with its numbers and its messages, would be a
//! sixth of the page. What is not of the documented shape is `NotReadable`, and no more is said.

use js_sys::{Array, JSON, Object, Reflect};
use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
        Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use std::fmt;
use wasm_bindgen::{JsCast as _, JsValue};

/// Not JSON, or not of this shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReadable;

impl fmt::Display for NotReadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not readable")
    }
}

impl std::error::Error for NotReadable {}

impl serde::de::Error for NotReadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Text to the browser's value; no text at all is `null`.
pub fn parse(text: &str) -> Result<JsValue, NotReadable> {
    if text.is_empty() {
        return Ok(JsValue::NULL);
    }
    JSON::parse(text).map_err(|_| NotReadable)
}

/// A value to a type of the wire.
pub fn read<T: DeserializeOwned>(value: JsValue) -> Result<T, NotReadable> {
    T::deserialize(Value(value))
}

/// Text to a type of the wire.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, NotReadable> {
    read(parse(text)?)
}

struct Value(JsValue);

impl Value {
    fn whole(&self) -> Result<i64, NotReadable> {
        whole(self.0.as_f64().ok_or(NotReadable)?).ok_or(NotReadable)
    }

    fn natural(&self) -> Result<u64, NotReadable> {
        u64::try_from(self.whole()?).map_err(|_| NotReadable)
    }

    fn text(&self) -> Result<String, NotReadable> {
        self.0.as_string().ok_or(NotReadable)
    }

    fn list(self) -> Result<Items, NotReadable> {
        let list = self.0.dyn_into::<Array>().map_err(|_| NotReadable)?;
        Ok(Items { list, next: 0 })
    }

    fn fields(self) -> Result<Fields, NotReadable> {
        // An array is an object to JavaScript, and none to JSON.
        if !self.0.is_object() || Array::is_array(&self.0) {
            return Err(NotReadable);
        }
        let names = Object::keys(self.0.unchecked_ref::<Object>());
        Ok(Fields { names, object: self.0, next: 0, value: JsValue::UNDEFINED })
    }
}

/// A JavaScript number that is whole and exact: no more than 2^53 either way.
pub fn whole(number: f64) -> Option<i64> {
    const EXPONENT_OF_ONE: u64 = 1023;
    const FRACTION_BITS: u64 = 52;
    let bits = number.abs().to_bits();
    let (exponent, fraction) = (bits >> FRACTION_BITS, bits & ((1 << FRACTION_BITS) - 1));
    if bits == 0 {
        return Some(0);
    }
    // value = (1.fraction) · 2^(exponent - 1023), so this many low bits are behind the point
    let behind =
        (EXPONENT_OF_ONE + FRACTION_BITS).checked_sub(exponent).filter(|behind| *behind <= FRACTION_BITS)?;
    let digits = fraction | (1 << FRACTION_BITS);
    if digits & ((1 << behind) - 1) != 0 {
        return None;
    }
    let size = i64::try_from(digits >> behind).ok()?;
    Some(if number.is_sign_negative() { -size } else { size })
}

macro_rules! number {
    ($($method:ident $visit:ident $read:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotReadable> {
            visitor.$visit(self.$read()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = NotReadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotReadable> {
        if let Some(text) = self.0.as_string() {
            visitor.visit_string(text)
        } else if let Some(answer) = self.0.as_bool() {
            visitor.visit_bool(answer)
        } else if self.0.as_f64().is_some() {
            visitor.visit_i64(self.whole()?)
        } else if self.0.is_null() {
            visitor.visit_unit()
        } else if Array::is_array(&self.0) {
            visitor.visit_seq(self.list()?)
        } else {
            visitor.visit_map(self.fields()?)
        }
    }

    number! {
        deserialize_i8 visit_i64 whole
        deserialize_i16 visit_i64 whole
        deserialize_i32 visit_i64 whole
        deserialize_i64 visit_i64 whole
        deserialize_u8 visit_u64 natural
        deserialize_u16 visit_u64 natural
        deserialize_u32 visit_u64 natural
        deserialize_u64 visit_u64 natural
        deserialize_str visit_string text
        deserialize_string visit_string text
        deserialize_identifier visit_string text
        deserialize_seq visit_seq list
        deserialize_map visit_map fields
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotReadable> {
        visitor.visit_bool(self.0.as_bool().ok_or(NotReadable)?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotReadable> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotReadable> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(NotReadable) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotReadable> {
        visitor.visit_map(self.fields()?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NotReadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotReadable> {
        if let Some(name) = self.0.as_string() {
            return visitor.visit_enum(Variant { name, content: JsValue::NULL });
        }
        let Fields { names, object, .. } = self.fields()?;
        let name = names.get(0);
        let content = Reflect::get(&object, &name).map_err(|_| NotReadable)?;
        match name.as_string() {
            Some(name) if names.length() == 1 => visitor.visit_enum(Variant { name, content }),
            _ => Err(NotReadable),
        }
    }

    forward_to_deserialize_any! { f32 f64 char bytes byte_buf unit_struct tuple tuple_struct ignored_any }
}

struct Items {
    list: Array,
    next: u32,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = NotReadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, NotReadable> {
        if self.next >= self.list.length() {
            return Ok(None);
        }
        let item = self.list.get(self.next);
        self.next += 1;
        seed.deserialize(Value(item)).map(Some)
    }
}

struct Fields {
    names: Array,
    object: JsValue,
    next: u32,
    value: JsValue,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = NotReadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotReadable> {
        if self.next >= self.names.length() {
            return Ok(None);
        }
        let name = self.names.get(self.next);
        self.next += 1;
        self.value = Reflect::get(&self.object, &name).map_err(|_| NotReadable)?;
        seed.deserialize(Value(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, NotReadable> {
        seed.deserialize(Value(std::mem::replace(&mut self.value, JsValue::UNDEFINED)))
    }
}

struct Variant {
    name: String,
    content: JsValue,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = NotReadable;
    type Variant = Value;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Value), NotReadable> {
        let variant = seed.deserialize(StrDeserializer::<NotReadable>::new(&self.name))?;
        Ok((variant, Value(self.content)))
    }
}

impl<'de> VariantAccess<'de> for Value {
    type Error = NotReadable;

    fn unit_variant(self) -> Result<(), NotReadable> {
        if self.0.is_null() { Ok(()) } else { Err(NotReadable) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, NotReadable> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, NotReadable> {
        visitor.visit_seq(self.list()?)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotReadable> {
        visitor.visit_map(self.fields()?)
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn whole_numbers_are_read_exactly() {
        for number in [0, 1, 2, 3, 1_796_000_123_456, (1 << 53) - 1, -1, -7] {
            assert_eq!(whole(format!("{number}").parse().unwrap()), Some(number));
        }
        for number in [0.5, -1.25, 1e-300, 2f64.powi(60), f64::NAN, f64::INFINITY, 1_000.001] {
            assert_eq!(whole(number), None, "{number}");
        }
    }
}
