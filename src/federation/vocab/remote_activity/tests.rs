//! Documents as various servers send them, and malformed ones.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::samples::{BOB, remote_person as person};
use super::*;
use crate::domain::time::Timestamp;

const OURS: &str = "https://crit.example/ap/actor/01C";
const ARTICLE: &str = "https://crit.example/ap/article/01J";

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn read(value: &Value) -> Result<RemoteActivity, ParseError> {
    parse(value.to_string().as_bytes(), UrlRules::STRICT)
}

fn kind(value: &Value) -> InboundActivityKind {
    read(value).unwrap_or_else(|error| panic!("{error}: {value}")).kind
}

fn created(value: &Value) -> RemoteNote {
    match kind(value) {
        InboundActivityKind::Create(CreateObject::Note(note)) => *note,
        other => panic!("{other:?}"),
    }
}

fn fetched(value: &Value) -> Result<FetchedObject, ParseError> {
    let document = JsonDocument::from_slice(value.to_string().as_bytes())?;
    FetchedObject::parse(&document, UrlRules::STRICT)
}

fn reply() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", {"ostatus": "http://ostatus.org#"}],
        "id": format!("{BOB}/statuses/9/activity"),
        "type": "Create",
        "actor": BOB,
        "published": "2026-09-01T10:00:00Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "cc": [format!("{BOB}/followers"), OURS],
        "object": {
            "id": format!("{BOB}/statuses/9"),
            "type": "Note",
            "summary": null,
            "inReplyTo": ARTICLE,
            "published": "2026-09-01T10:00:00Z",
            "url": "https://m.example/@bob/9",
            "attributedTo": BOB,
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "cc": [format!("{BOB}/followers"), OURS],
            "sensitive": false,
            "content": "<p>Well said.</p>",
            "contentMap": {"en": "<p>Well said.</p>"},
            "attachment": [],
            "tag": [{"type": "Mention", "href": OURS, "name": "@ada@crit.example"}],
            "replies": {"id": format!("{BOB}/statuses/9/replies"), "type": "Collection"},
        },
        "signature": {"type": "RsaSignature2017", "creator": format!("{BOB}#main-key"), "signatureValue": "x=="},
    })
}

#[test]
fn a_reply_from_mastodon_is_parsed_in_full() {
    let activity = read(&reply()).unwrap();
    assert_eq!(activity.actor, url(BOB));
    assert_eq!(activity.id, Some(url("https://m.example/users/bob/statuses/9/activity")));
    let moment = Timestamp::parse_rfc3339("2026-09-01T10:00:00Z");
    assert_eq!(
        created(&reply()),
        RemoteNote {
            id: url("https://m.example/users/bob/statuses/9"),
            attributed_to: Some(url(BOB)),
            in_reply_to: Some(url(ARTICLE)),
            name: None,
            content: "<p>Well said.</p>".to_owned(),
            language: Some("en".to_owned()),
            summary: None,
            attachments: Vec::new(),
            url: Some(url("https://m.example/@bob/9")),
            published: moment,
            updated: None,
            is_public: true,
        }
    );
}

#[test]
fn a_follow_is_parsed_from_every_server() {
    let ids = json!(["https://m.example/0c1d-follow", "https://misskey.example/follows/9abc/9def", null,]);
    for (id, object) in ids.as_array().unwrap().iter().zip([
        json!(OURS),
        json!([OURS]),
        json!({"id": OURS, "type": "Person", "name": "Ada"}),
    ]) {
        let actor = id
            .as_str()
            .map_or(BOB.to_owned(), |id| format!("https://{}/users/bob", url(id).host_str().unwrap()));
        let follow = json!({"id": id, "type": "Follow", "actor": actor, "object": object});
        assert_eq!(kind(&follow), InboundActivityKind::Follow { object: url(OURS) });
    }
}

#[test]
fn an_undo_embeds_or_references_its_activity() {
    let undo = |object: Value| kind(&json!({"type": "Undo", "actor": BOB, "object": object}));
    let embedded = |id: Option<&str>, kind, object: &str| {
        let (id, object) = (id.map(url), Some(url(object)));
        InboundActivityKind::Undo(UndoTarget::Embedded { id, kind, actor: url(BOB), object })
    };
    assert_eq!(
        undo(json!({"id": "https://m.example/f1", "type": "Follow", "actor": BOB, "object": OURS})),
        embedded(Some("https://m.example/f1"), UndoTargetKind::Follow, OURS)
    );
    assert_eq!(
        undo(json!({"type": "Follow", "object": {"id": OURS, "type": "Person"}})),
        embedded(None, UndoTargetKind::Follow, OURS)
    );
    assert_eq!(
        undo(json!({"type": "EmojiReact", "content": "🍿", "actor": {"id": BOB}, "object": ARTICLE})),
        embedded(None, UndoTargetKind::Like, ARTICLE)
    );
    assert_eq!(
        undo(json!({"type": "Announce", "actor": [BOB], "object": [ARTICLE]})),
        embedded(None, UndoTargetKind::Announce, ARTICLE)
    );
    let bare = InboundActivityKind::Undo(UndoTarget::Reference(url("https://m.example/f1")));
    assert_eq!(undo(json!("https://m.example/f1")), bare);
    assert_eq!(undo(json!({"id": "https://m.example/f1"})), bare);
    let foreign = undo(json!({"type": "Like", "actor": "https://m.example/users/eve", "object": ARTICLE}));
    assert!(
        matches!(foreign, InboundActivityKind::Undo(UndoTarget::Embedded { actor, .. }) if actor != url(BOB))
    );
}

#[test]
fn a_delete_contains_an_id_a_tombstone_or_an_object() {
    let note = "https://m.example/users/bob/statuses/9";
    for object in [
        json!(note),
        json!({"id": note, "type": "Tombstone", "atomUri": note}),
        json!({"id": note, "type": "Note"}),
        json!([note]),
    ] {
        let delete = json!({
            "id": format!("{note}#delete"), "type": "Delete", "actor": BOB, "to": ["as:Public"], "object": object,
        });
        assert_eq!(kind(&delete), InboundActivityKind::Delete { object: url(note) });
    }
}

#[test]
fn likes_and_reactions_are_likes() {
    for like in [
        json!({"id": "https://m.example/users/bob#likes/1", "type": "Like", "actor": BOB, "object": ARTICLE}),
        json!({
            "id": "https://m.example/likes/1", "type": "Like", "actor": BOB, "object": ARTICLE,
            "content": "🎬", "_misskey_reaction": "🎬",
        }),
        json!({
            "id": "https://m.example/activities/1", "type": "EmojiReact", "actor": BOB, "object": {"id": ARTICLE},
            "content": ":popcorn:", "to": [OURS], "cc": "https://www.w3.org/ns/activitystreams#Public",
        }),
    ] {
        assert_eq!(kind(&like), InboundActivityKind::Like { object: url(ARTICLE) });
    }
}

#[test]
fn a_boost_references_or_embeds_its_object() {
    let share = |object: Value| kind(&json!({"type": "Announce", "actor": BOB, "object": object}));
    assert_eq!(share(json!(ARTICLE)), InboundActivityKind::Announce { object: url(ARTICLE) });
    assert_eq!(share(json!({"id": ARTICLE})), InboundActivityKind::Announce { object: url(ARTICLE) });
    // Lemmy's groups share whole activities of their members.
    let inner = json!({"id": "https://lemmy.example/activities/create/1", "type": "Create", "actor": BOB});
    assert_eq!(
        share(inner),
        InboundActivityKind::Announce { object: url("https://lemmy.example/activities/create/1") }
    );
}

#[test]
fn an_unsupported_activity_is_accepted_and_ignored() {
    assert_eq!(
        kind(&json!({"type": "Block", "actor": BOB, "object": OURS})),
        InboundActivityKind::Block { object: url(OURS) }
    );
    let full = "https://www.w3.org/ns/activitystreams#Like";
    assert_eq!(
        kind(&json!({"type": full, "actor": BOB, "object": ARTICLE})),
        InboundActivityKind::Like { object: url(ARTICLE) }
    );
    for name in ["Dislike", "Move", "Accept", "Reject", "View", ""] {
        for type_name in [json!(name), json!([name])] {
            assert_eq!(
                kind(&json!({"type": type_name, "actor": BOB, "object": "nonsense"})),
                InboundActivityKind::Other
            );
        }
    }
}

#[test]
fn posts_come_in_many_shapes() {
    let mut lemmy = reply();
    lemmy["object"] = json!({
        "id": "https://m.example/post/5", "type": "Page", "name": " A  film ", "attributedTo": BOB,
        "to": ["https://m.example/c/films", "https://www.w3.org/ns/activitystreams#Public"],
        "content": "<p>x</p>", "mediaType": "text/html", "url": "http://films.example/5",
        "source": {"content": "x", "mediaType": "text/markdown"}, "language": {"identifier": "fr"},
    });
    let page = created(&lemmy);
    assert_eq!(page.name.as_deref(), Some("A film"));
    assert_eq!(page.url, Some(url("http://films.example/5")));

    let mut video = reply();
    video["object"] = json!({
        "id": "https://m.example/videos/5", "type": "Video", "name": "Trailer", "mediaType": "text/markdown",
        "attributedTo": [{"type": "Person", "id": BOB}, {"type": "Group", "id": "https://m.example/c/1"}],
        "content": "1 < 2", "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "url": [
            {"type": "Link", "mediaType": "application/x-mpegURL", "href": "https://m.example/v.m3u8"},
            {"type": "Link", "mediaType": "text/html", "href": "https://m.example/w/5"},
        ],
    });
    let video = created(&video);
    assert_eq!(video.content, "1 &lt; 2");
    assert_eq!(video.attributed_to, Some(url(BOB)));
    assert_eq!(video.url, Some(url("https://m.example/w/5")));

    let mut pleroma = reply();
    pleroma["object"]["content"] = Value::Null;
    pleroma["object"]["contentMap"] = json!({"pt-BR": "<p>Sim</p>", "en": "<p>Yes</p>"});
    pleroma["object"]["attributedTo"] = Value::Null;
    pleroma["object"]["summary"] = json!("Spoilers\u{0007} ahead");
    let pleroma = created(&pleroma);
    assert_eq!(pleroma.content, "<p>Sim</p>");
    assert_eq!(pleroma.language.as_deref(), Some("pt-BR"));
    assert_eq!(pleroma.attributed_to, Some(url(BOB)));
    assert_eq!(pleroma.summary.as_deref(), Some("Spoilers ahead"));
}

#[test]
fn a_post_is_public_only_if_it_says_so() {
    let mut value = reply();
    let note = |value: &Value| created(value).is_public;
    value["object"]["to"] = json!([OURS]);
    value["object"]["cc"] = json!([]);
    assert!(!note(&value), "the audience of the post is narrower");
    value["object"].as_object_mut().unwrap().remove("to");
    value["object"].as_object_mut().unwrap().remove("cc");
    assert!(note(&value), "the audience of the activity applies");
    value["to"] = json!([format!("{BOB}/followers")]);
    assert!(!note(&value));
    value["cc"] = json!("as:Public");
    assert!(note(&value));
    value["object"]["to"] = json!({"id": "https://www.w3.org/ns/activitystreams#Public"});
    assert!(note(&value));
    value["object"]["to"] = json!("https://www.w3.org/ns/activitystreams#public");
    assert!(!note(&value));
}

#[test]
fn actors_are_authoritative_only_for_their_own_objects() {
    let mut foreign_id = reply();
    foreign_id["id"] = json!("https://evil.example/1");
    assert!(read(&foreign_id).unwrap_err().is_forged());

    let mut foreign_author = reply();
    foreign_author["object"]["attributedTo"] = json!("https://m.example/users/eve");
    assert!(read(&foreign_author).unwrap_err().is_forged());

    let mut elsewhere = reply();
    elsewhere["object"]["id"] = json!("https://other.example/notes/1");
    elsewhere["object"]["attributedTo"] = json!("https://other.example/users/carol");
    let note = url("https://other.example/notes/1");
    assert_eq!(kind(&elsewhere), InboundActivityKind::Create(CreateObject::Reference(note.clone())));
    elsewhere["type"] = json!("Update");
    assert_eq!(kind(&elsewhere), InboundActivityKind::Update(UpdateObject::Reference(note)));

    let mut anothers_post = reply();
    anothers_post["type"] = json!("Update");
    anothers_post["object"]["attributedTo"] = json!("https://m.example/users/eve");
    let id = url("https://m.example/users/bob/statuses/9");
    assert_eq!(kind(&anothers_post), InboundActivityKind::Update(UpdateObject::Reference(id)));

    let mut profile = json!({"type": "Update", "actor": "https://m.example/users/eve", "object": person()});
    assert_eq!(kind(&profile), InboundActivityKind::Update(UpdateObject::Reference(url(BOB))));
    profile["actor"] = json!(BOB);
    assert!(
        matches!(kind(&profile), InboundActivityKind::Update(UpdateObject::Actor(bob)) if bob.id == url(BOB))
    );
}

#[test]
fn json_ld_keywords_have_no_effect() {
    let like = json!({"type": "Like", "actor": BOB, "object": ARTICLE});
    for keyword in ["@graph", "@included", "@reverse"] {
        let hidden = json!({keyword: [like], "type": "View", "actor": BOB});
        assert_eq!(kind(&hidden), InboundActivityKind::Other);
        let alone = json!({keyword: [like]});
        assert!(matches!(read(&alone), Err(ParseError::Missing("type"))));
    }
    let aliased = json!({"@type": "Like", "@id": "https://m.example/1", "actor": BOB, "object": ARTICLE});
    assert!(matches!(read(&aliased), Err(ParseError::Missing("type"))));
}

#[test]
fn activities_without_valid_ids_are_malformed() {
    for value in [
        json!([]),
        json!("x"),
        json!({}),
        json!({"type": "Follow", "object": OURS}),
        json!({"type": "Follow", "actor": "http://m.example/users/bob", "object": OURS}),
        json!({"type": "Follow", "actor": "https://192.0.2.1/bob", "object": OURS}),
        json!({"id": "https://127.0.0.1/1", "type": "Follow", "actor": BOB, "object": OURS}),
        json!({"id": "nonsense", "type": "Follow", "actor": BOB, "object": OURS}),
        json!({"type": "Follow", "actor": BOB}),
        json!({"type": "Follow", "actor": BOB, "object": {}}),
        json!({"type": "Follow", "actor": BOB, "object": 7}),
        json!({"type": "Create", "actor": BOB, "object": {"type": "Note", "content": "x"}}),
    ] {
        let error = read(&value).expect_err(&value.to_string());
        assert!(!error.is_forged());
    }
    assert!(parse(br#"{"type":"Follow","type":"Like"}"#, UrlRules::STRICT).is_err());
    let trial =
        json!({"type": "Follow", "actor": "http://localhost:3000/u", "object": "http://localhost:8080/a"});
    assert!(parse(trial.to_string().as_bytes(), UrlRules::LOCALHOST).is_ok());
}

#[test]
fn a_fetched_document_is_a_post_or_ignored() {
    let gone = json!({"id": "https://m.example/1", "type": "Tombstone", "deleted": "2026-01-01T00:00:00Z"});
    let mut note = reply()["object"].clone();
    assert!(matches!(fetched(&note).unwrap(), FetchedObject::Note(note) if note.is_public));
    note["attributedTo"] = json!("https://other.example/users/carol");
    assert!(matches!(fetched(&note).unwrap(), FetchedObject::Note(note) if note.attributed_to.is_none()));
    assert_eq!(fetched(&gone).unwrap(), FetchedObject::Tombstone);
    for other in [person(), json!({"type": "Collection"}), json!([])] {
        assert_eq!(fetched(&other).unwrap(), FetchedObject::Other);
    }
}

/// Generates any JSON made of the names that the parser looks for.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            BOB,
            OURS,
            ARTICLE,
            "Create",
            "Update",
            "Undo",
            "Note",
            "Person",
            "Flag",
            "as:Public",
            "text/plain",
            "https://a.example./\u{430}",
            "2026-09-01T10:00:00Z",
            "9999-12-31T23:59:59+18:00",
        ])
        .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "id",
        "type",
        "actor",
        "object",
        "to",
        "cc",
        "attributedTo",
        "content",
        "contentMap",
        "url",
        "href",
        "name",
        "inbox",
        "publicKey",
        "owner",
        "publicKeyPem",
        "icon",
        "endpoints",
        "published",
        "mediaType",
    ]);
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..8)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn parsing_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        value in any_json(),
        object in any_json(),
        type_name in prop::sample::select(vec!["Create", "Update", "Undo", "Flag", "Announce", "Delete", "Move"]),
    ) {
        let _ = parse(&bytes, UrlRules::STRICT);
        let _ = read(&value);
        let _ = fetched(&value);
        let _ = read(&json!({"type": type_name, "actor": BOB, "to": value, "object": object}));
    }
}

#[test]
fn moves_reports_and_quote_requests_are_parsed() {
    let moved = json!({"type": "Move", "actor": BOB, "object": BOB, "target": "https://n.example/users/bob"});
    let target = url("https://n.example/users/bob");
    assert_eq!(kind(&moved), InboundActivityKind::Move { object: url(BOB), target });
    assert_eq!(kind(&json!({"type": "Move", "actor": BOB, "object": BOB})), InboundActivityKind::Other);

    let many = vec![json!(ARTICLE); 1000];
    for (object, count) in
        [(json!(ARTICLE), 1), (json!([OURS, {"id": ARTICLE}, 7, "nonsense"]), 2), (json!(many), 20)]
    {
        let flag = json!({"type": "Flag", "actor": BOB, "object": object, "content": "x".repeat(10_000)});
        let InboundActivityKind::Flag { objects, content } = kind(&flag) else { panic!("{flag}") };
        assert_eq!(objects.len(), count);
        assert!(content.chars().count() <= 2_000);
    }
    assert_eq!(
        kind(&json!({"type": "Flag", "actor": BOB})),
        InboundActivityKind::Flag { objects: vec![], content: String::new() }
    );

    let note = format!("{BOB}/statuses/5");
    for instrument in [json!(note), json!({"id": note, "type": "Note", "attributedTo": BOB}), json!([note])] {
        let is_attributed = instrument.is_object();
        let expected =
            InboundActivityKind::QuoteRequest { object: url(ARTICLE), instrument: url(&note), is_attributed };
        for type_name in [json!("QuoteRequest"), json!(["https://w3id.org/fep/044f#QuoteRequest"])] {
            let request =
                json!({"type": type_name, "actor": BOB, "object": ARTICLE, "instrument": instrument});
            assert_eq!(kind(&request), expected);
        }
    }
    let stolen = json!({"id": note, "type": "Note", "attributedTo": "https://m.example/users/eve"});
    let stolen = json!({"type": "QuoteRequest", "actor": BOB, "object": ARTICLE, "instrument": stolen});
    assert!(read(&stolen).unwrap_err().is_forged());
}

#[test]
fn the_audience_member_counts_and_an_ld_signature_is_only_recorded() {
    let mut audience = reply();
    audience.as_object_mut().unwrap().remove("signature");
    for member in ["to", "cc"] {
        audience.as_object_mut().unwrap().remove(member);
        audience["object"].as_object_mut().unwrap().remove(member);
    }
    assert!(!created(&audience).is_public);
    audience["audience"] = json!("https://www.w3.org/ns/activitystreams#Public");
    assert!(created(&audience).is_public && !read(&audience).unwrap().has_ld_signature);
    audience["signature"] = json!({"type": "RsaSignature2017", "signatureValue": "AAAA"});
    let read = read(&audience).unwrap();
    assert!(read.has_ld_signature && read.is_public);
}
