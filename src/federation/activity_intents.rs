//! Remote interaction: finds the page of a reader's own server on which they can follow, reply, like or boost.
//!
//! Servers announce these pages in WebFinger, as Activity Intents (FEP-3b86) or as the older OStatus
//! subscribe template.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::vocab::json_document::{JsonDocument, first_string, values};
use super::vocab::url_rules::UrlRules;
use super::webfinger::{Handle, REL_PROFILE_PAGE};
use crate::domain::named_enum::named_enum;
use crate::net::media_type::is_activitypub;

/// The most links of a WebFinger document that are examined.
const MAX_LINKS: usize = 200;

/// Reserved characters are percent-encoded (FEP-3b86 section 3.3, RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The interaction pages of well-known software, by its NodeInfo name. They accept both actors and posts.
const KNOWN_PAGES: [(&[&str], &str); 3] = [
    (&["mastodon", "hometown", "fedibird", "kmyblue"], "/authorize_interaction?uri={uri}"),
    (&["pleroma", "akkoma"], "/ostatus_subscribe?acct={uri}"),
    (
        &["misskey", "sharkey", "firefish", "iceshrimp", "cherrypick", "foundkey"],
        "/authorize-follow?acct={uri}",
    ),
];

/// Returns the interaction page of a server whose software is known, or `None` if it is not. `root` is the
/// root URL of the server.
pub fn known_interaction_url(
    software: &str,
    root: &Url,
    intent: Intent,
    object: &Url,
    acct: &str,
) -> Option<Url> {
    let (_, template) = KNOWN_PAGES.iter().find(|(names, _)| names.contains(&software))?;
    let value = if intent == Intent::Follow { acct } else { object.as_str() };
    root.join(&fill_template(template, "uri", value)?).ok()
}

/// What a reader wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Follow a critic.
    Follow,
    /// Reply to a review.
    Reply,
    /// Like a review.
    Like,
    /// Boost a review.
    Boost,
}

named_enum!(Intent, "intent", {
    Follow => "follow",
    Reply => "reply",
    Like => "like",
    Boost => "boost",
});

impl Intent {
    /// The templates to look for, in order of preference: the link relation, and the parameter that the template
    /// must contain.
    const fn template_sources(self) -> [(&'static str, &'static str); 3] {
        let best = match self {
            Self::Follow => ("https://w3id.org/fep/3b86/Follow", "object"),
            Self::Reply => ("https://w3id.org/fep/3b86/Create", "inReplyTo"),
            Self::Like => ("https://w3id.org/fep/3b86/Like", "object"),
            Self::Boost => ("https://w3id.org/fep/3b86/Announce", "object"),
        };
        let any = ("https://w3id.org/fep/3b86/Object", "object");
        [best, any, ("http://ostatus.org/schema/1.0/subscribe", "uri")]
    }
}

/// Returns the interaction page that a reader's WebFinger document announces for the `object`. `acct` is the
/// account name by which the OStatus template refers to an actor. Returns `None` if the server announces no
/// such page, or one on another server.
pub fn remote_interaction_url(
    jrd: &[u8],
    reader: &Handle,
    intent: Intent,
    object: &Url,
    acct: &str,
    rules: UrlRules,
) -> Option<Url> {
    let document = JsonDocument::from_slice(jrd).ok()?;
    let links = values(document.value(), "links");
    let links = &links[..links.len().min(MAX_LINKS)];
    let authorities = own_authorities(links, reader, rules);
    intent.template_sources().into_iter().find_map(|(rel, parameter)| {
        let value = if parameter == "uri" && intent == Intent::Follow { acct } else { object.as_str() };
        let with_rel = links
            .iter()
            .filter(|link| first_string(link, "rel").is_some_and(|r| r.eq_ignore_ascii_case(rel)));
        let mut templates = with_rel.filter_map(|link| first_string(link, "template"));
        templates.find_map(|template| {
            let url = rules.parse_id(&fill_template(template, parameter, value)?)?;
            authorities.contains(&authority(&url)).then_some(url)
        })
    })
}

/// Returns the authorities that count as the reader's own: that of the handle, and those of the actor and
/// profile page to which the document links.
fn own_authorities(links: &[Value], reader: &Handle, rules: UrlRules) -> Vec<String> {
    let is_home = |link: &&Value| match first_string(link, "rel") {
        Some("self") => first_string(link, "type").is_some_and(is_activitypub),
        rel => rel == Some(REL_PROFILE_PAGE),
    };
    let homes = links.iter().filter(is_home).filter_map(|link| rules.parse_id(first_string(link, "href")?));
    std::iter::once(reader.host.clone()).chain(homes.take(8).map(|home| authority(&home))).collect()
}

fn authority(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    origin.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default()
}

/// Fills the parameter into the template. Unknown parameters become empty (FEP-3b86 section 3.2). Returns
/// `None` if the template does not contain the parameter.
fn fill_template(template: &str, parameter: &str, value: &str) -> Option<String> {
    let mut filled = String::with_capacity(template.len() + value.len());
    let (mut rest, mut found) = (template, false);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, remaining) = after.split_once('}')?;
        filled.push_str(before);
        if name == parameter {
            found = true;
            filled.extend(utf8_percent_encode(value, RESERVED));
        }
        rest = remaining;
    }
    filled.push_str(rest);
    found.then_some(filled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OBJECT: &str = "https://crit.example/ap/article/01J?a=b&c#d";
    const ENCODED: &str = "https%3A%2F%2Fcrit.example%2Fap%2Farticle%2F01J%3Fa%3Db%26c%23d";

    fn url_for(intent: Intent, links: &Value) -> Option<String> {
        let jrd = json!({"subject": "acct:me@m.example", "links": links}).to_string();
        let reader = Handle::parse("me@m.example", UrlRules::STRICT).unwrap();
        let object = OBJECT.parse().unwrap();
        remote_interaction_url(jrd.as_bytes(), &reader, intent, &object, "ada@crit.example", UrlRules::STRICT)
            .map(Into::into)
    }

    fn intent(name: &str, template: &str) -> Value {
        json!({"rel": format!("https://w3id.org/fep/3b86/{name}"), "template": template})
    }

    fn subscribe(template: &str) -> Value {
        json!({"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template})
    }

    #[test]
    fn an_intent_is_preferred_to_the_ostatus_template() {
        let links = json!([
            subscribe("https://m.example/authorize_interaction?uri={uri}"),
            intent("Object", "https://m.example/see?id={object}"),
            intent("Follow", "https://m.example/follow?who={object}&then={on-success}"),
            intent("Create", "https://m.example/share?text={content}"),
            intent("Like", "https://m.example/like/{object}"),
        ]);
        let expected = |page: &str| Some(format!("https://m.example/{page}"));
        assert_eq!(url_for(Intent::Follow, &links), expected(&format!("follow?who={ENCODED}&then=")));
        assert_eq!(url_for(Intent::Like, &links), expected(&format!("like/{ENCODED}")));
        assert_eq!(url_for(Intent::Boost, &links), expected(&format!("see?id={ENCODED}")));
        // A share page without `inReplyTo` cannot tell which post is replied to.
        assert_eq!(url_for(Intent::Reply, &links), expected(&format!("see?id={ENCODED}")));
        let with_reply = json!([intent("Create", "https://m.example/new?re={inReplyTo}&text={content}")]);
        assert_eq!(url_for(Intent::Reply, &with_reply), expected(&format!("new?re={ENCODED}&text=")));
    }

    #[test]
    fn mastodons_ostatus_template_is_supported() {
        let links = json!([subscribe("https://m.example/authorize_interaction?uri={uri}")]);
        let page = "https://m.example/authorize_interaction?uri=";
        assert_eq!(url_for(Intent::Follow, &links), Some(format!("{page}ada%40crit.example")));
        assert_eq!(url_for(Intent::Reply, &links), Some(format!("{page}{ENCODED}")));
        assert_eq!(url_for(Intent::Follow, &json!([])), None);
    }

    #[test]
    fn the_pages_of_known_software_need_no_webfinger() {
        let page = |software: &str, intent| {
            let (root, object) = ("https://m.example/".parse().unwrap(), OBJECT.parse().unwrap());
            known_interaction_url(software, &root, intent, &object, "ada@crit.example").map(String::from)
        };
        let at = |page: &str| Some(format!("https://m.example/{page}"));
        assert_eq!(page("mastodon", Intent::Like), at(&format!("authorize_interaction?uri={ENCODED}")));
        assert_eq!(page("akkoma", Intent::Follow), at("ostatus_subscribe?acct=ada%40crit.example"));
        assert_eq!(page("misskey", Intent::Reply), at(&format!("authorize-follow?acct={ENCODED}")));
        assert_eq!(page("wordpress", Intent::Reply), None);
    }

    #[test]
    fn readers_are_never_sent_to_another_server() {
        for template in [
            "https://evil.example/?uri={uri}",
            "https://m.example.evil.example/?uri={uri}",
            "https://m.example@evil.example/?uri={uri}",
            "https://m.example:8443/?uri={uri}",
            "http://m.example/?uri={uri}",
            "//m.example/?uri={uri}",
            "/?uri={uri}",
            "javascript:alert('{uri}')",
            "data:text/html,{uri}",
            "https://{uri}/",
            "https://{uri}@m.example/",
            "{uri}",
            "https://m.example/?uri={uri",
            "https://m.example/no-place-for-it",
            "https://m.example/\r\nx: {uri}",
            "https://m.example\\@evil.example/?uri={uri}",
        ] {
            assert_eq!(url_for(Intent::Reply, &json!([subscribe(template)])), None, "{template}");
        }
        let elsewhere = json!([
            {"rel": "self", "type": "application/activity+json", "href": "https://social.m.example/users/me"},
            subscribe("https://social.m.example/i?uri={uri}"),
        ]);
        assert_eq!(
            url_for(Intent::Reply, &elsewhere),
            Some(format!("https://social.m.example/i?uri={ENCODED}"))
        );
        assert_eq!(url_for(Intent::Reply, &json!({"template": 5})), None);
        assert_eq!(url_for(Intent::Reply, &json!([{"rel": 5, "template": []}, "x", null])), None);
    }
}
