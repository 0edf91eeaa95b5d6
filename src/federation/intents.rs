//! The way home for somebody who reads here: which page of their own server lets them follow, reply, like or
//! boost. Activity Intents (FEP-3b86) say it, and before them the template of `oStatus`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::vocab::json_document::{JsonDocument, first_string, values};
use super::vocab::url_rules::UrlRules;
use super::webfinger::{Handle, PROFILE_PAGE};
use crate::net::media_type::is_activitypub;

/// Links of an answer that are looked at.
const MOST_LINKS: usize = 200;

/// Whatever has a meaning in an address is encoded (FEP-3b86 section 3.3, RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same page at servers of known kinds, by the name that NodeInfo gives the software. It takes a post as it takes
/// an actor.
const KNOWN: [(&[&str], &str); 3] = [
    (&["mastodon", "hometown", "fedibird", "kmyblue"], "/authorize_interaction?uri={uri}"),
    (&["pleroma", "akkoma"], "/ostatus_subscribe?acct={uri}"),
    (
        &["misskey", "sharkey", "firefish", "iceshrimp", "cherrypick", "foundkey"],
        "/authorize-follow?acct={uri}",
    ),
];

/// The page of a server on which its people do what they wish with the `object`, where its software is known to have
/// one; `home` is the root of the server.
pub fn known_interaction_url(
    software: &str,
    home: &Url,
    wish: Intent,
    object: &Url,
    acct: &str,
) -> Option<Url> {
    let (_, template) = KNOWN.iter().find(|(names, _)| names.contains(&software))?;
    let value = if wish == Intent::Follow { acct } else { object.as_str() };
    home.join(&fill(template, "uri", value)?).ok()
}

/// What somebody wants to do.
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

impl Intent {
    /// Reads what [`Intent::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Follow, Self::Reply, Self::Like, Self::Boost].into_iter().find(|wish| wish.as_str() == text)
    }

    /// Its name in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Reply => "reply",
            Self::Like => "like",
            Self::Boost => "boost",
        }
    }

    /// Where to look for a template, the best first: the relation, and the parameter that must be in it.
    const fn ways(self) -> [(&'static str, &'static str); 3] {
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

/// The page of somebody's own server on which they do what they wish with the `object`, as the WebFinger answer
/// about them tells it. `acct` is what `oStatus` calls the object where it is an actor. None where the server offers
/// no such page, or one that is not its own.
pub fn remote_interaction_url(
    answer: &[u8],
    reader: &Handle,
    wish: Intent,
    object: &Url,
    acct: &str,
    rules: UrlRules,
) -> Option<Url> {
    let document = JsonDocument::from_slice(answer).ok()?;
    let links = values(document.value(), "links");
    let links = &links[..links.len().min(MOST_LINKS)];
    let servers = servers(links, reader, rules);
    wish.ways().into_iter().find_map(|(rel, parameter)| {
        let value = if parameter == "uri" && wish == Intent::Follow { acct } else { object.as_str() };
        let of_rel = links
            .iter()
            .filter(|link| first_string(link, "rel").is_some_and(|r| r.eq_ignore_ascii_case(rel)));
        let mut templates = of_rel.filter_map(|link| first_string(link, "template"));
        templates.find_map(|template| {
            let address = rules.parse_id(&fill(template, parameter, value)?)?;
            servers.contains(&authority(&address)).then_some(address)
        })
    })
}

/// The servers that are somebody's own: that of the handle, and those where the answer says that they live.
fn servers(links: &[Value], reader: &Handle, rules: UrlRules) -> Vec<String> {
    let is_home = |link: &&Value| match first_string(link, "rel") {
        Some("self") => first_string(link, "type").is_some_and(is_activitypub),
        rel => rel == Some(PROFILE_PAGE),
    };
    let homes = links.iter().filter(is_home).filter_map(|link| rules.parse_id(first_string(link, "href")?));
    std::iter::once(reader.host.clone()).chain(homes.take(8).map(|home| authority(&home))).collect()
}

fn authority(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    origin.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default()
}

/// The template with the parameter's value in it; parameters that we do not know become empty (FEP-3b86 section
/// 3.2). None where the parameter is not in it.
fn fill(template: &str, parameter: &str, value: &str) -> Option<String> {
    let mut filled = String::with_capacity(template.len() + value.len());
    let (mut rest, mut found) = (template, false);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        filled.push_str(before);
        if name == parameter {
            found = true;
            filled.extend(utf8_percent_encode(value, RESERVED));
        }
        rest = behind;
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

    fn way(wish: Intent, links: &Value) -> Option<String> {
        let answer = json!({"subject": "acct:me@m.example", "links": links}).to_string();
        let reader = Handle::parse("me@m.example", UrlRules::STRICT).unwrap();
        let object = OBJECT.parse().unwrap();
        remote_interaction_url(
            answer.as_bytes(),
            &reader,
            wish,
            &object,
            "ada@crit.example",
            UrlRules::STRICT,
        )
        .map(Into::into)
    }

    fn intent(name: &str, template: &str) -> Value {
        json!({"rel": format!("https://w3id.org/fep/3b86/{name}"), "template": template})
    }

    fn subscribe(template: &str) -> Value {
        json!({"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template})
    }

    #[test]
    fn the_intent_comes_before_the_older_ways() {
        let links = json!([
            subscribe("https://m.example/authorize_interaction?uri={uri}"),
            intent("Object", "https://m.example/see?id={object}"),
            intent("Follow", "https://m.example/follow?who={object}&then={on-success}"),
            intent("Create", "https://m.example/share?text={content}"),
            intent("Like", "https://m.example/like/{object}"),
        ]);
        let expected = |page: &str| Some(format!("https://m.example/{page}"));
        assert_eq!(way(Intent::Follow, &links), expected(&format!("follow?who={ENCODED}&then=")));
        assert_eq!(way(Intent::Like, &links), expected(&format!("like/{ENCODED}")));
        assert_eq!(way(Intent::Boost, &links), expected(&format!("see?id={ENCODED}")));
        // A page that only shares says nothing of what is answered.
        assert_eq!(way(Intent::Reply, &links), expected(&format!("see?id={ENCODED}")));
        let with_reply = json!([intent("Create", "https://m.example/new?re={inReplyTo}&text={content}")]);
        assert_eq!(way(Intent::Reply, &with_reply), expected(&format!("new?re={ENCODED}&text=")));
    }

    #[test]
    fn mastodon_is_asked_as_it_always_was() {
        let links = json!([subscribe("https://m.example/authorize_interaction?uri={uri}")]);
        let page = "https://m.example/authorize_interaction?uri=";
        assert_eq!(way(Intent::Follow, &links), Some(format!("{page}ada%40crit.example")));
        assert_eq!(way(Intent::Reply, &links), Some(format!("{page}{ENCODED}")));
        assert_eq!(way(Intent::Follow, &json!([])), None);
    }

    #[test]
    fn servers_of_known_kinds_need_not_be_asked_about_anybody() {
        let page = |software: &str, wish| {
            let (home, object) = ("https://m.example/".parse().unwrap(), OBJECT.parse().unwrap());
            known_interaction_url(software, &home, wish, &object, "ada@crit.example").map(String::from)
        };
        let at = |page: &str| Some(format!("https://m.example/{page}"));
        assert_eq!(page("mastodon", Intent::Like), at(&format!("authorize_interaction?uri={ENCODED}")));
        assert_eq!(page("akkoma", Intent::Follow), at("ostatus_subscribe?acct=ada%40crit.example"));
        assert_eq!(page("misskey", Intent::Reply), at(&format!("authorize-follow?acct={ENCODED}")));
        assert_eq!(page("wordpress", Intent::Reply), None);
    }

    #[test]
    fn nobody_is_led_to_a_server_that_is_not_theirs() {
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
            assert_eq!(way(Intent::Reply, &json!([subscribe(template)])), None, "{template}");
        }
        let elsewhere = json!([
            {"rel": "self", "type": "application/activity+json", "href": "https://social.m.example/users/me"},
            subscribe("https://social.m.example/i?uri={uri}"),
        ]);
        assert_eq!(way(Intent::Reply, &elsewhere), Some(format!("https://social.m.example/i?uri={ENCODED}")));
        assert_eq!(way(Intent::Reply, &json!({"template": 5})), None);
        assert_eq!(way(Intent::Reply, &json!([{"rel": 5, "template": []}, "x", null])), None);
    }
}
