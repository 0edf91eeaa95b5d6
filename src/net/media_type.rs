//! Recognizes the media types of ActivityPub in a `Content-Type`, or in one range of an `Accept`.

use mediatype::{MediaType, ReadParams as _};

/// The content type of ActivityPub that we send. Some servers accept no other.
pub const ACTIVITY_JSON: &str = "application/activity+json";

const LD_JSON: &str = "application/ld+json";

const AS2_PROFILE: &str = "https://www.w3.org/ns/activitystreams";

/// Whether this is a media type of ActivityPub (section 3.2): `application/activity+json`, or `application/ld+json`
/// with the ActivityStreams profile. Other parameters are ignored. A document of any other type may be a file that a user
/// uploaded to that host, so it proves nothing.
pub fn is_activitypub(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_activity_json = essence.eq_ignore_ascii_case(ACTIVITY_JSON);
    if !is_activity_json && !essence.eq_ignore_ascii_case(LD_JSON) {
        return false;
    }
    let is_good = |media_type: &MediaType<'_>| is_activity_json || has_as2_profile(media_type);
    match MediaType::parse(text.trim()) {
        Ok(media_type) => is_good(&media_type),
        Err(_) => MediaType::parse(&quote_values(text)).is_ok_and(|media_type| is_good(&media_type)),
    }
}

/// The profile of ld+json is a list of URIs (JSON-LD 1.1 appendix B).
fn has_as2_profile(media_type: &MediaType<'_>) -> bool {
    media_type.params().any(|(name, value)| {
        name == "profile"
            && value.unquoted_str().split_ascii_whitespace().any(|uri| uri.eq_ignore_ascii_case(AS2_PROFILE))
    })
}

/// Adds the quotes around URIs that some servers omit although the grammar requires them (RFC 9110 section 5.6.6), and
/// removes empty parameters, which the grammar allows. The parser accepts neither.
fn quote_values(text: &str) -> String {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    let quoted = parts.map(|part| match part.split_once('=') {
        Some((name, value)) if !value.contains('"') => format!("{name}=\"{value}\""),
        _ => part.to_owned(),
    });
    quoted.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_only_media_types_of_activitypub_are_recognized() {
        for good in [
            "application/activity+json",
            "Application/Activity+JSON",
            "application/activity+json; charset=utf-8",
            "application/activity+json;charset=UTF-8",
            "application/activity+json; profile=x ; charset=\"utf-8\";",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json;charset=utf-8;profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json; Profile="https://www.w3.org/ns/activitystreams"; charset=utf-8"#,
            r#"application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted https://www.w3.org/ns/activitystreams""#,
            "application/ld+json; profile=https://www.w3.org/ns/activitystreams",
            "application/ld+json;; profile=https://www.w3.org/ns/activitystreams ;charset=utf-8",
            "application/activity+json;; charset=utf-8",
            "application/activity+json; profile=http://www.w3.org/ns/activitystreams#x",
            r#"application/ld+json; charset="utf-8"; profile=https://www.w3.org/ns/activitystreams"#,
        ] {
            assert!(is_activitypub(good), "{good}");
        }
        for bad in [
            "",
            "text/html",
            "image/png",
            "application/json",
            "application/ld+json",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams.evil""#,
            r#"application/ld+json; x="profile=https://www.w3.org/ns/activitystreams""#,
            "text/html; x=application/activity+json",
            "application/activity+jsonx",
            "text/plain, application/activity+json",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams"#,
            r#"application/activity+json; a="b" c"#,
        ] {
            assert!(!is_activitypub(bad), "{bad}");
        }
    }
}
