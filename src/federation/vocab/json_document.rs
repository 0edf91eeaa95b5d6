//! A JSON document of somebody else, read so that it means one thing only.
//!
//! Refused at any depth: a key that stands twice (two readers would see two documents), NUL in a string (no
//! database keeps it), halves of surrogate pairs, more than 32 levels. JSON-LD keywords like `@graph`,
//! `@reverse` and `@included` are members like others that nobody asks for, so they grant nothing.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

use super::AS_CONTEXT;

/// Honest documents have fewer than ten.
const MOST_LEVELS: usize = 32;

/// As many items of a list are kept; the rest is read, checked and dropped.
const MOST_ITEMS: usize = 1000;

/// A JSON document that is unambiguous.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct JsonDocument(Value);

impl JsonDocument {
    /// Reads one document, and nothing after it.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The document as it was read.
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl<'de> Deserialize<'de> for JsonDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict { level: 0 }.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Strict {
    level: usize,
}

impl Strict {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.level >= MOST_LEVELS {
            return Err(E::custom("too deep"));
        }
        Ok(Self { level: self.level + 1 })
    }
}

fn without_nul<E: serde::de::Error>(text: String) -> Result<String, E> {
    if text.contains('\0') {
        return Err(E::custom("NUL in a string"));
    }
    Ok(text)
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        without_nul(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            if kept.len() < MOST_ITEMS {
                kept.push(item);
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut kept = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let key = without_nul(key)?;
            if kept.contains_key(&key) {
                return Err(A::Error::custom("a key stands twice"));
            }
            let value = members.next_value_seed(below)?;
            kept.insert(key, value);
        }
        Ok(Value::Object(kept))
    }
}

/// The values of a member that may be absent, null, single or a list (ActivityStreams section 4.1).
pub(in crate::federation) fn values<'v>(object: &'v Value, key: &str) -> &'v [Value] {
    match object.get(key) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items,
        Some(single) => std::slice::from_ref(single),
    }
}

/// The first text among the values of a member.
pub(in crate::federation) fn first_string<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    values(object, key).iter().find_map(Value::as_str)
}

/// What a value refers to: itself where it is a text, else the `id` of the object, else the `href` of the Link.
pub(super) fn reference_id(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(_) => first_string(value, "id").or_else(|| first_string(value, "href")),
        _ => None,
    }
}

/// The first type of an object, without the namespace of ActivityStreams.
pub(super) fn type_name(object: &Value) -> Option<&str> {
    let name = first_string(object, "type")?;
    let short = name.strip_prefix(AS_CONTEXT).and_then(|rest| rest.strip_prefix('#'));
    Some(short.or_else(|| name.strip_prefix("as:")).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn is_read(text: &str) -> bool {
        JsonDocument::from_slice(text.as_bytes()).is_ok()
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        assert!(!is_read(r#"{"id":"a","id":"a"}"#));
        assert!(!is_read(r#"{"x":[{"y":{"id":"a","i\u0064":"b"}}]}"#));
        assert!(is_read(r#"{"x":{"id":"a"},"id":"b"}"#));
    }

    #[test]
    fn nul_and_half_surrogates_are_refused() {
        assert!(!is_read(r#"{"a":"x\u0000"}"#));
        assert!(!is_read(r#"{"a\u0000":1}"#));
        assert!(!is_read(r#"{"a":"\ud800"}"#));
        assert!(!is_read(r#"{"a":"\udc00x"}"#));
        assert!(is_read(r#"{"a":"\ud83c\udfac"}"#));
        assert!(JsonDocument::from_slice(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn depth_is_bounded_and_numbers_are_not_a_danger() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(is_read(&deep(MOST_LEVELS)));
        assert!(!is_read(&deep(MOST_LEVELS + 1)));
        assert!(!is_read(&deep(100_000)));
        assert!(is_read(r#"{"a":9223372036854775808,"b":-99999999999999999999,"c":1e300}"#));
        assert!(!is_read("{} {}"));
        assert!(!is_read(""));
    }

    #[test]
    fn a_long_list_is_cut_but_checked_to_its_end() {
        let mut list = String::from("[0");
        for n in 1..5000 {
            let _ = write!(list, ",{n}");
        }
        let read = JsonDocument::from_slice(format!("{list}]").as_bytes()).unwrap();
        assert_eq!(read.value().as_array().unwrap().len(), MOST_ITEMS);
        assert!(!is_read(&format!("{list},{{\"a\":1,\"a\":2}}]")));
    }

    #[test]
    fn members_keep_their_order() {
        // The language of a note is the first key of its contentMap.
        let read = JsonDocument::from_slice(br#"{"z":1,"a":2}"#).unwrap();
        assert_eq!(read.value().as_object().unwrap().keys().collect::<Vec<_>>(), ["z", "a"]);
    }
}
