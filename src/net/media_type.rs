//! What a `Content-Type`, or one range of an `Accept`, says.

/// The content type of ActivityPub that we send, and the only one that some servers take.
pub const ACTIVITY_JSON: &str = "application/activity+json";

const AS2_PROFILE: &str = "https://www.w3.org/ns/activitystreams";

/// Whether it says ActivityPub (section 3.2): `application/activity+json`, or `application/ld+json` with the
/// profile. Other parameters do not matter. Anything else may be a file that a user of that host uploaded, and
/// proves nothing.
pub fn is_activitypub(text: &str) -> bool {
    media_type(text).is_some_and(|(essence, profile)| {
        essence == ACTIVITY_JSON || (essence == "application/ld+json" && profile)
    })
}

/// Reads a media type (RFC 9110 section 8.3.1).
fn media_type(text: &str) -> Option<(String, bool)> {
    let (essence, mut rest) = match text.split_once(';') {
        Some((essence, rest)) => (essence, rest),
        None => (text, ""),
    };
    let mut profile = false;
    while !rest.trim().is_empty() {
        let (name, after) = match rest.trim_start().strip_prefix(';') {
            Some(empty) => {
                rest = empty;
                continue;
            }
            None => rest.split_once('=')?,
        };
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if name.trim().eq_ignore_ascii_case("profile") {
            // The profile of ld+json is a list of URIs (JSON-LD 1.1 section B).
            let mut uris = value.split_ascii_whitespace();
            profile |= uris.any(|uri| uri.eq_ignore_ascii_case(AS2_PROFILE));
        }
        rest = match after.trim_start().strip_prefix(';') {
            Some(more) => more,
            None if after.trim().is_empty() => "",
            None => return None,
        };
    }
    Some((essence.trim().to_ascii_lowercase(), profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_activitypub_in_any_spelling_and_nothing_else() {
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
