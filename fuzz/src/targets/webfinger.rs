//! The target `webfinger`: WebFinger responses of other servers, and WebFinger queries.

use crate::assert_is_id;
use marquee::federation::vocab::url_rules::UrlRules;
use marquee::federation::webfinger::{self, Handle, JrdError, WebFingerResource};
use serde_json::Value;

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let expected = Handle::parse("ada@m.example", UrlRules::STRICT).expect("a handle");
    match webfinger::parse_self_link(data, &expected, UrlRules::STRICT) {
        Ok(actor) => check(data, &actor),
        Err(JrdError::OtherSubject(other)) => {
            assert!(!other.is_same_account(&expected));
            assert_is_handle(&other);
        }
        Err(_) => {}
    }
    if let Ok(text) = std::str::from_utf8(data) {
        match webfinger::parse_resource(text, UrlRules::STRICT) {
            Some(WebFingerResource::Account(handle)) => assert_is_handle(&handle),
            Some(WebFingerResource::Url(url)) => {
                assert!(matches!(url.scheme(), "http" | "https"), "{url}");
            }
            None => {}
        }
    }
}

/// Asserts that an accepted response is about the requested account and has the link to the actor.
fn check(data: &[u8], actor: &url::Url) {
    assert_is_id(actor);
    let document: Value = serde_json::from_slice(data).expect("JSON");
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let subject = texts(&document["subject"]).swap_remove(0).to_lowercase();
    let subject = subject.strip_prefix("acct:").expect("an account");
    assert!(subject.trim_start_matches('@').starts_with("ada@"), "{subject}");
    let links = match &document["links"] {
        Value::Array(links) => links.clone(),
        single => vec![single.clone()],
    };
    let is_actor = |href: &String| UrlRules::STRICT.parse_id(href).as_ref() == Some(actor);
    assert!(
        links.iter().any(|link| texts(&link["href"]).iter().any(is_actor)),
        "{document} does not link to {actor}"
    );
}

/// Asserts that formatting and parsing a handle returns the same handle.
fn assert_is_handle(handle: &Handle) {
    assert_eq!(Handle::parse(&handle.to_acct_uri(), UrlRules::STRICT).as_ref(), Some(handle));
    assert!(!handle.to_string().contains(char::is_whitespace), "{handle}");
}
