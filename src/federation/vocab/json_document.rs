//! JSON documents from other servers, parsed so that they are unambiguous, and accessors for their members.
//!
//! A document is rejected if it has, at any depth, a duplicate key (two parsers would see two documents), NUL
//! in a string (PostgreSQL cannot store it), an unpaired surrogate, or more than 32 levels. JSON-LD keywords
//! such as `@graph`, `@reverse` and `@included` are never read, so they have no effect.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

use super::AS_CONTEXT;

/// The deepest nesting that is accepted. Real documents have fewer than ten levels.
const MAX_DEPTH: usize = 32;

/// The most items of a list that are kept. The rest is checked and dropped.
const MAX_ITEMS: usize = 1000;

/// An unambiguous JSON document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct JsonDocument(Value);

impl JsonDocument {
    /// Parses a document. Nothing may follow it.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The document as a JSON value.
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl<'de> Deserialize<'de> for JsonDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictVisitor { level: 0 }.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct StrictVisitor {
    level: usize,
}

impl StrictVisitor {
    fn descend<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.level >= MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self { level: self.level + 1 })
    }
}

fn reject_nul<E: serde::de::Error>(text: String) -> Result<String, E> {
    if text.contains('\0') {
        return Err(E::custom("NUL character in a string"));
    }
    Ok(text)
}

impl<'de> DeserializeSeed<'de> for StrictVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
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
        reject_nul(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            if kept.len() < MAX_ITEMS {
                kept.push(item);
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut kept = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let key = reject_nul(key)?;
            if kept.contains_key(&key) {
                return Err(A::Error::custom("duplicate key"));
            }
            let value = members.next_value_seed(inner)?;
            kept.insert(key, value);
        }
        Ok(Value::Object(kept))
    }
}

/// Returns the values of a member, which may be absent, null, single or a list (ActivityStreams section 4.1).
pub(in crate::federation) fn values<'v>(object: &'v Value, key: &str) -> &'v [Value] {
    match object.get(key) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items,
        Some(single) => std::slice::from_ref(single),
    }
}

/// Returns the first string among the values of a member.
pub(in crate::federation) fn first_string<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    values(object, key).iter().find_map(Value::as_str)
}

/// Returns the id that a value refers to: the string itself, the `id` of an object, or the `href` of a Link.
pub(super) fn reference_id(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(_) => first_string(value, "id").or_else(|| first_string(value, "href")),
        _ => None,
    }
}

/// Returns the first type of an object, without the ActivityStreams namespace.
pub(super) fn type_name(object: &Value) -> Option<&str> {
    let name = first_string(object, "type")?;
    let short = name.strip_prefix(AS_CONTEXT).and_then(|rest| rest.strip_prefix('#'));
    Some(short.or_else(|| name.strip_prefix("as:")).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn is_accepted(text: &str) -> bool {
        JsonDocument::from_slice(text.as_bytes()).is_ok()
    }

    #[test]
    fn duplicate_keys_are_rejected_at_any_depth() {
        assert!(!is_accepted(r#"{"id":"a","id":"a"}"#));
        assert!(!is_accepted(r#"{"x":[{"y":{"id":"a","i\u0064":"b"}}]}"#));
        assert!(is_accepted(r#"{"x":{"id":"a"},"id":"b"}"#));
    }

    #[test]
    fn nul_and_unpaired_surrogates_are_rejected() {
        assert!(!is_accepted(r#"{"a":"x\u0000"}"#));
        assert!(!is_accepted(r#"{"a\u0000":1}"#));
        assert!(!is_accepted(r#"{"a":"\ud800"}"#));
        assert!(!is_accepted(r#"{"a":"\udc00x"}"#));
        assert!(is_accepted(r#"{"a":"\ud83c\udfac"}"#));
        assert!(JsonDocument::from_slice(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn depth_is_bounded_and_numbers_are_harmless() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(is_accepted(&deep(MAX_DEPTH)));
        assert!(!is_accepted(&deep(MAX_DEPTH + 1)));
        assert!(!is_accepted(&deep(100_000)));
        assert!(is_accepted(r#"{"a":9223372036854775808,"b":-99999999999999999999,"c":1e300}"#));
        assert!(!is_accepted("{} {}"));
        assert!(!is_accepted(""));
    }

    #[test]
    fn a_long_list_is_truncated_but_checked_to_its_end() {
        let mut list = String::from("[0");
        for n in 1..5000 {
            let _ = write!(list, ",{n}");
        }
        let read = JsonDocument::from_slice(format!("{list}]").as_bytes()).unwrap();
        assert_eq!(read.value().as_array().unwrap().len(), MAX_ITEMS);
        assert!(!is_accepted(&format!("{list},{{\"a\":1,\"a\":2}}]")));
    }

    #[test]
    fn members_keep_their_order() {
        // The language of a note is the first key of its contentMap.
        let read = JsonDocument::from_slice(br#"{"z":1,"a":2}"#).unwrap();
        assert_eq!(read.value().as_object().unwrap().keys().collect::<Vec<_>>(), ["z", "a"]);
    }
}
