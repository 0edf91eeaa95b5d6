//! The words of ActivityPub: what we send, built from the domain; what others send, read leniently in its
//! shape and strictly in its substance.

use serde_json::{Map, Value};

pub mod activity;
pub mod actor;
pub mod article;
pub mod collection;
pub mod critic_reply;
pub mod json_document;
pub mod profile;
pub mod quote;
pub mod remote_activity;
pub mod remote_actor;
pub mod remote_note;
mod tag;
mod text;
pub mod url_rules;

#[cfg(test)]
mod samples;

/// The context of ActivityStreams 2.0 (section 2.1), and the namespace of its terms.
pub const AS_CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// The collection that everyone is in (ActivityPub section 5.6).
pub const AS_PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// The object as a document of its own: with a `@context`, ahead of its other members.
pub fn with_context(context: Value, object: Value) -> Value {
    let mut document = Map::new();
    document.insert("@context".to_owned(), context);
    if let Value::Object(members) = object {
        document.extend(members);
    }
    Value::Object(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_is_what_everyone_calls_it() {
        assert_eq!(activitypub_federation::kinds::public().as_str(), AS_PUBLIC);
    }
}
