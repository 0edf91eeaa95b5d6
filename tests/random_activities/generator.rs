//! Generates random activities. Most are almost valid, since others would be rejected early.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::activities::PUBLIC;

/// A placeholder for the id of the sender.
const ME: &str = "https://me.invalid";

const ACTIVITIES: [&str; 27] = [
    "Follow",
    "Undo",
    "Create",
    "Update",
    "Delete",
    "Like",
    "EmojiReact",
    "Dislike",
    "Announce",
    "Block",
    "Flag",
    "Move",
    "Add",
    "Remove",
    "Accept",
    "Reject",
    "TentativeAccept",
    "QuoteRequest",
    "Offer",
    "Invite",
    "Join",
    "Leave",
    "View",
    "Listen",
    "Read",
    "https://www.w3.org/ns/activitystreams#Follow",
    "as:Like",
];
const POSTS: [&str; 11] = [
    "Note",
    "Article",
    "Page",
    "Question",
    "Video",
    "Audio",
    "Image",
    "Event",
    "Tombstone",
    "ChatMessage",
    "Review",
];
const MEMBERS: [&str; 40] = [
    "@context",
    "to",
    "cc",
    "bto",
    "bcc",
    "audience",
    "published",
    "updated",
    "endTime",
    "closed",
    "deleted",
    "content",
    "contentMap",
    "summary",
    "summaryMap",
    "name",
    "nameMap",
    "tag",
    "attachment",
    "image",
    "icon",
    "inReplyTo",
    "attributedTo",
    "url",
    "target",
    "origin",
    "instrument",
    "result",
    "quote",
    "quoteUri",
    "_misskey_quote",
    "mediaType",
    "source",
    "signature",
    "proof",
    "replies",
    "oneOf",
    "votersCount",
    "sensitive",
    "context",
];
const TEXTS: [&str; 22] = [
    "",
    " ",
    "\u{0}",
    "\u{202e}txet",
    "e\u{301}\u{301}\u{301}\u{301}",
    "\u{1f3ac}\u{200d}\u{1f3ac}",
    "\u{feff}",
    "<p>Yes.</p>",
    "<script>alert(1)</script>",
    "<p><b><i><u>x</p>",
    "&#0;&#x110000;&amp",
    "{{ critic }}{% raw %}",
    "null",
    "'; drop table comments; --",
    "%00%0a",
    "\r\nX-Header: 1",
    "javascript:alert(1)",
    "as:Public",
    "Public",
    "2026-02-30T25:61:61Z",
    "+275760-09-13T00:00:00Z",
    "-009999-01-01T00:00:00Z",
];
const DATES: [&str; 9] = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.123456789+14:00",
    "9999-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "1767225600",
    "yesterday",
];
/// A replacement for a character of the JSON.
const PIECES: [&str; 12] = [
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "1e999",
    "-0.0e-999",
    "99999999999999999999999",
    "}",
    "[",
    "\"",
    ",",
    "\u{0}",
    "é",
];

pub(super) struct ActivityGenerator {
    runner: TestRunner,
    activities: BoxedStrategy<Value>,
    mutations: BoxedStrategy<Mutation>,
}

/// A change to the text of an activity.
#[derive(Debug, Clone)]
enum Mutation {
    None,
    Truncated(prop::sample::Index),
    DuplicateKey(&'static str),
    Replaced(prop::sample::Index, &'static str),
    Nested(usize),
    Repeated(usize),
    Wrapped,
}

impl ActivityGenerator {
    pub(super) fn new(seed: u64, known: &[String]) -> Self {
        let bytes: Vec<u8> = (0..4).flat_map(|part| (seed ^ part).to_le_bytes()).collect();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mutations = prop_oneof![
            24 => Just(Mutation::None),
            1 => any::<prop::sample::Index>().prop_map(Mutation::Truncated),
            1 => select(vec!["id", "type", "actor", "object"]).prop_map(Mutation::DuplicateKey),
            2 => (any::<prop::sample::Index>(), select(PIECES.to_vec())).prop_map(|(at, with)| Mutation::Replaced(at, with)),
            1 => (1..200usize).prop_map(Mutation::Nested),
            1 => (1..3_000usize).prop_map(Mutation::Repeated),
            1 => Just(Mutation::Wrapped),
        ];
        Self {
            runner: TestRunner::new_with_rng(Config::default(), rng),
            activities: activity(known),
            mutations: mutations.boxed(),
        }
    }

    /// The body of a request by the user with this id.
    pub(super) fn next(&mut self, me: &str) -> String {
        let activity = self.activities.new_tree(&mut self.runner).expect("an activity").current();
        let mutation = self.mutations.new_tree(&mut self.runner).expect("a mutation").current();
        mutation.apply(activity.to_string()).replace(ME, me)
    }
}

impl Mutation {
    fn apply(&self, text: String) -> String {
        let boundary = |at: &prop::sample::Index| {
            let at = at.index(text.len());
            (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default()
        };
        match self {
            Self::None => text,
            Self::Truncated(at) => text[..boundary(at)].to_owned(),
            Self::DuplicateKey(key) => text.replacen('{', &format!("{{\"{key}\":\"{ME}/twice\","), 1),
            Self::Replaced(at, with) => {
                let at = boundary(at);
                format!("{}{with}{}", &text[..at], text[at..].chars().skip(1).collect::<String>())
            }
            Self::Nested(levels) => {
                let deep = format!("{}1{}", "[".repeat(*levels), "]".repeat(*levels));
                text.replacen('{', &format!("{{\"deep\":{deep},"), 1)
            }
            Self::Repeated(items) => {
                let wide = vec![format!("\"{ME}/followers\""); *items].join(",");
                text.replacen('{', &format!("{{\"bto\":[{wide}],"), 1)
            }
            Self::Wrapped => format!("[{text}]"),
        }
    }
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        6 => select(TEXTS.to_vec()).prop_map(str::to_owned),
        4 => "<p>[a-z ]{1,20}</p>",
        2 => "\\PC{0,40}",
        1 => (100..6_000usize).prop_map(|length| "ab ".repeat(length)),
    ]
    .boxed()
}

/// An id of this site, of the sender, of other servers, or something that resembles an id.
fn id(known: &[String]) -> BoxedStrategy<String> {
    let known_ids = known.to_vec();
    let root = known[0].split("/ap/").next().unwrap_or_default().to_owned();
    let unusual = vec![
        format!("{root}/ap/actor/01ZZZZZZZZZZZZZZZZZZZZZZZZ"),
        format!("{root}/ap/article/x"),
        format!("{root}/ap/actor"),
        format!("{root}/"),
        format!("{}#main-key", known[0]),
        format!("{}/followers", known[0]),
        "https://127.0.0.1/x".to_owned(),
        "https://[::1]:1/".to_owned(),
        "https://OTHER.test./A".to_owned(),
        "https://b\u{fc}cher.test/".to_owned(),
        "http://other.test/".to_owned(),
        "https://user:password@other.test/".to_owned(),
        "https://".to_owned(),
        "acct:a@other.test".to_owned(),
        "urn:uuid:0".to_owned(),
        format!("https://other.test/{}", "x".repeat(3_000)),
    ];
    prop_oneof![
        8 => select(known_ids),
        6 => (0..40u8).prop_map(|number| format!("{ME}/statuses/{number}")),
        2 => Just(ME.to_owned()),
        1 => (0..40u8).prop_map(|number| format!("https://other.test/{number}")),
        2 => select(unusual),
    ]
    .boxed()
}

/// Any JSON value.
fn any_value(known: &[String]) -> BoxedStrategy<Value> {
    let numbers =
        vec![json!(0), json!(-1), json!(i64::MAX), json!(u64::MAX), json!(1e300), json!(0.1), json!(1e18)];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(numbers),
        text().prop_map(Value::from),
        id(known).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let keys = [&MEMBERS[..], &["id", "type", "actor", "object", "href", "first", "items", ""]].concat();
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(keys), inner), 0..4).prop_map(members),
        ]
    })
    .boxed()
}

fn members<K: Into<String>>(members: Vec<(K, Value)>) -> Value {
    members.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map<_, _>>().into()
}

/// An id in one of its notations.
fn reference(known: &[String]) -> BoxedStrategy<Value> {
    prop_oneof![
        8 => id(known).prop_map(Value::from),
        1 => id(known).prop_map(|id| json!({"id": id})),
        1 => id(known).prop_map(|id| json!({"type": "Link", "href": id})),
        1 => vec(id(known), 0..4).prop_map(Value::from),
        1 => any_value(known),
    ]
    .boxed()
}

/// A member, valid or not.
fn member(known: &[String]) -> BoxedStrategy<(String, Value)> {
    let audience = || vec(prop_oneof![4 => Just(PUBLIC.to_owned()), 1 => id(known), 1 => text()], 0..4);
    let tag = (select(vec!["Mention", "Hashtag", "Emoji", "Movie", "Link"]), text(), id(known))
        .prop_map(|(kind, name, href)| json!({"type": kind, "name": name, "href": href}));
    let valid = prop_oneof![
        (select(vec!["to", "cc", "audience"]), audience()).prop_map(|(key, to)| (key, Value::from(to))),
        (select(vec!["published", "updated", "endTime", "deleted"]), select(DATES.to_vec()))
            .prop_map(|(key, date)| (key, json!(date))),
        (select(vec!["content", "summary", "name", "mediaType"]), text())
            .prop_map(|(key, text)| (key, json!(text))),
        vec((text(), text()), 0..3).prop_map(|map| {
            ("contentMap", members(map.into_iter().map(|(key, text)| (key, json!(text))).collect()))
        }),
        (select(vec!["tag", "attachment", "url"]), vec(tag, 0..5))
            .prop_map(|(key, tags)| (key, Value::from(tags))),
        (
            select(vec!["inReplyTo", "attributedTo", "target", "instrument", "quote", "context"]),
            reference(known)
        ),
    ];
    let random = (select(MEMBERS.to_vec()), any_value(known));
    prop_oneof![4 => valid, 1 => random].prop_map(|(key, value)| (key.to_owned(), value)).boxed()
}

/// An object with these members; later ones replace earlier ones.
fn with_members(object: Value, more: Vec<(String, Value)>) -> Value {
    let Value::Object(mut all) = object else { return object };
    all.extend(more);
    all.into()
}

fn post(known: &[String]) -> BoxedStrategy<Value> {
    let kind = prop_oneof![6 => Just("Note"), 4 => select(POSTS.to_vec())];
    let parents = prop_oneof![5 => select(known.to_vec()).prop_map(Value::from), 2 => reference(known)];
    let id = prop_oneof![9 => (0..40u8).prop_map(|number| format!("{ME}/statuses/{number}")), 1 => id(known)];
    (kind, id, parents, text(), vec(member(known), 0..5))
        .prop_map(|(kind, id, parent, content, more)| {
            let post = json!({
                "id": id, "type": kind, "attributedTo": ME, "inReplyTo": parent, "content": content, "to": [PUBLIC],
            });
            with_members(post, more)
        })
        .boxed()
}

fn profile(known: &[String]) -> BoxedStrategy<Value> {
    (select(vec!["Person", "Service", "Group", "Application"]), text(), vec(member(known), 0..4))
        .prop_map(|(kind, name, more)| {
            let inbox = format!("{ME}/inbox");
            with_members(
                json!({"id": ME, "type": kind, "name": name, "preferredUsername": name, "inbox": inbox}),
                more,
            )
        })
        .boxed()
}

fn nested_activity(known: &[String]) -> BoxedStrategy<Value> {
    (select(ACTIVITIES.to_vec()), reference(known), vec(member(known), 0..2), 0..40u8)
        .prop_map(|(kind, object, more, number)| {
            let id = format!("{ME}/activities/{number}");
            with_members(json!({"id": id, "type": kind, "actor": ME, "object": object}), more)
        })
        .boxed()
}

fn activity(known: &[String]) -> BoxedStrategy<Value> {
    let kind = prop_oneof![
        20 => select(ACTIVITIES.to_vec()).prop_map(Value::from),
        1 => vec(select(ACTIVITIES.to_vec()), 0..3).prop_map(Value::from),
        1 => any_value(known),
    ];
    let object = prop_oneof![
        6 => select(known.to_vec()).prop_map(Value::from),
        6 => post(known),
        3 => nested_activity(known),
        2 => profile(known),
        2 => reference(known),
        1 => any_value(known),
    ];
    let id = prop_oneof![
        12 => (0..40u8).prop_map(|number| json!(format!("{ME}/activities/{number}"))),
        1 => reference(known),
    ];
    let actor = prop_oneof![12 => Just(json!(ME)), 2 => Just(json!({"id": ME})), 1 => Just(json!([ME])), 1 => reference(known)];
    let missing =
        prop_oneof![8 => Just(None), 1 => select(vec!["id", "actor", "object", "type"]).prop_map(Some)];
    (kind, id, actor, object, vec(member(known), 0..4), missing)
        .prop_map(|(kind, id, actor, object, more, missing)| {
            let mut activity =
                with_members(json!({"id": id, "type": kind, "actor": actor, "object": object}), more);
            if let (Some(key), Value::Object(members)) = (missing, &mut activity) {
                members.remove(key);
            }
            activity
        })
        .boxed()
}
