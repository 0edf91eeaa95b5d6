//! ActivityPub documents: those that we send, built from domain types, and those that others send.
//!
//! Incoming documents are parsed leniently in their shape, since every server has its own, and strictly in
//! their substance: an object counts only if it is on its author's server.

use serde_json::{Map, Value};

pub mod actor;
pub mod actor_activity;
pub mod article;
mod audience;
pub mod collection;
mod convert_text;
pub mod critic_reply;
pub mod follow_response;
mod hashtag;
pub mod json_document;
mod json_members;
pub mod parse_error;
pub mod quote;
pub mod remote_activity;
pub mod remote_actor;
pub mod remote_note;
pub mod remote_public_keys;
pub mod review_activity;
pub mod url_rules;

#[cfg(test)]
mod samples;

/// The JSON-LD context of ActivityStreams 2.0 (section 2.1), which is also the namespace of its terms.
pub const AS_CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// The collection that addresses everyone (ActivityPub section 5.6).
pub const AS_PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Turns an object into a document by putting a `@context` in front of its other members.
pub fn with_context(context: Value, object: Value) -> Value {
    let mut document = Map::new();
    document.insert("@context".to_owned(), context);
    if let Value::Object(members) = object {
        document.extend(members);
    }
    Value::Object(document)
}
