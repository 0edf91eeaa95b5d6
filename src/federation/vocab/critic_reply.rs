//! A critic's reply as a Note, and its activities.

use serde_json::{Value, json};

use super::convert_text::escape_html;
use super::{AS_CONTEXT, AS_PUBLIC, with_context};
use crate::domain::activity::ActivityKind;
use crate::domain::comment::{CriticReply, Mention};
use crate::domain::id::{ActivityId, CommentId, CriticId};
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;

/// Returns the reply as a Note without `@context`.
pub fn note(origin: &Origin, reply: &CriticReply) -> Value {
    let id = origin.note(reply.id);
    let content = content(reply);
    let replies = origin.note_collection(reply.id, "replies");
    let mut note = json!({
        "id": id,
        "type": "Note",
        "attributedTo": origin.actor(reply.critic),
        "inReplyTo": reply.in_reply_to,
        "url": reply.url,
        "to": [AS_PUBLIC],
        "cc": cc(origin, reply),
        "published": reply.published.to_string(),
        "content": content,
        "sensitive": false,
        "tag": reply.mentions.iter().map(tag).collect::<Vec<_>>(),
        "context": origin.article_collection(reply.review, "context"),
        "replies": {"id": replies, "type": "Collection", "first": format!("{replies}?page=1")},
    });
    if let Some(edited) = reply.edited {
        note["updated"] = json!(edited.to_string());
    }
    if let Some(language) = &reply.language {
        note["contentMap"] = json!({language: content});
    }
    note
}

/// Returns the `@context` of a Note.
pub fn context() -> Value {
    json!([AS_CONTEXT, {"sensitive": "as:sensitive"}])
}

/// Returns the Tombstone of a deleted reply (ActivityPub section 6.4), without `@context`.
pub fn tombstone(origin: &Origin, id: CommentId, deleted: Timestamp) -> Value {
    json!({
        "id": origin.note(id),
        "type": "Tombstone",
        "formerType": "Note",
        "deleted": deleted.to_string(),
    })
}

/// Returns the Create or Update of a reply, depending on `kind`. `note` is its whole object.
pub fn create_or_update(
    origin: &Origin,
    id: ActivityId,
    kind: ActivityKind,
    reply: &CriticReply,
    note: &Value,
) -> Value {
    with_context(
        context(),
        json!({
            "id": origin.activity(id),
            "type": kind.as_str(),
            "actor": origin.actor(reply.critic),
            "published": reply.edited.unwrap_or(reply.published).to_string(),
            "to": [AS_PUBLIC],
            "cc": cc(origin, reply),
            "object": note,
        }),
    )
}

/// Returns the Delete of a reply.
pub fn delete(
    origin: &Origin,
    id: ActivityId,
    critic: CriticId,
    reply: CommentId,
    deleted: Timestamp,
) -> Value {
    with_context(
        json!(AS_CONTEXT),
        json!({
            "id": origin.activity(id),
            "type": ActivityKind::Delete.as_str(),
            "actor": origin.actor(critic),
            "to": [AS_PUBLIC],
            "object": tombstone(origin, reply, deleted),
        }),
    )
}

fn cc(origin: &Origin, reply: &CriticReply) -> Vec<String> {
    let followers = origin.actor_endpoint(reply.critic, "followers").into();
    std::iter::once(followers).chain(reply.mentions.iter().map(|m| m.actor.to_string())).collect()
}

fn tag(mention: &Mention) -> Value {
    let name = mention.handle.as_deref().unwrap_or(mention.actor.as_str());
    json!({"type": "Mention", "href": mention.actor, "name": name})
}

/// Returns the content, after mentions in the markup that Mastodon recognizes.
fn content(reply: &CriticReply) -> String {
    let mut names = String::new();
    for mention in reply.mentions.iter().filter(|mention| !mention.in_text) {
        let handle = mention.handle.as_deref().unwrap_or_default();
        let user = handle.trim_start_matches('@').split('@').next().unwrap_or_default();
        let user = if user.is_empty() { mention.actor.host_str().unwrap_or_default() } else { user };
        names.extend([
            "<span class=\"h-card\" translate=\"no\"><a href=\"",
            &escape_html(mention.url.as_str()),
            "\" class=\"u-url mention\">@<span>",
            &escape_html(user),
            "</span></a></span> ",
        ]);
    }
    match reply.content.strip_prefix("<p>") {
        Some(rest) => format!("<p>{names}{rest}"),
        None if names.is_empty() => reply.content.clone(),
        None => format!("<p>{}</p>{}", names.trim_end(), reply.content),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ACTIVITY, BOB, CRITIC, REVIEW, moment, origin};
    use super::*;

    const NOTE: &str = "01N0TE00000000000000000000";

    fn reply() -> CriticReply {
        CriticReply {
            id: NOTE.parse().unwrap(),
            critic: CRITIC.parse().unwrap(),
            review: REVIEW.parse().unwrap(),
            url: format!("https://crit.example/reviews/stalker-1979#comment-{NOTE}").parse().unwrap(),
            in_reply_to: "https://m.example/users/bob/statuses/1".parse().unwrap(),
            content: "<p>It <em>is</em>.</p>".to_owned(),
            language: Some("en".to_owned()),
            published: moment("2026-09-02T10:00:00Z"),
            edited: None,
            mentions: vec![Mention {
                actor: BOB.parse().unwrap(),
                url: "https://m.example/@bob".parse().unwrap(),
                handle: Some("@bob@m.example".to_owned()),
                in_text: false,
            }],
        }
    }

    #[test]
    fn a_critics_reply_is_a_public_note_that_mentions_the_author() {
        let actor = format!("https://crit.example/ap/actor/{CRITIC}");
        let id = format!("https://crit.example/ap/note/{NOTE}");
        let content = "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://m.example/@bob\" \
            class=\"u-url mention\">@<span>bob</span></a></span> It <em>is</em>.</p>";
        assert_eq!(
            note(&origin(), &reply()),
            json!({
                "id": id,
                "type": "Note",
                "attributedTo": actor,
                "inReplyTo": "https://m.example/users/bob/statuses/1",
                "url": format!("https://crit.example/reviews/stalker-1979#comment-{NOTE}"),
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
                "cc": [format!("{actor}/followers"), BOB],
                "published": "2026-09-02T10:00:00Z",
                "content": content,
                "sensitive": false,
                "tag": [{"type": "Mention", "href": BOB, "name": "@bob@m.example"}],
                "context": format!("https://crit.example/ap/article/{REVIEW}/context"),
                "replies": {
                    "id": format!("{id}/replies"), "type": "Collection", "first": format!("{id}/replies?page=1"),
                },
                "contentMap": {"en": content},
            })
        );
    }

    #[test]
    fn an_edit_is_dated_and_a_mention_in_the_text_is_not_repeated() {
        let mut edited = reply();
        edited.edited = Some(moment("2026-09-02T11:00:00Z"));
        edited.mentions[0].in_text = true;
        let object = note(&origin(), &edited);
        assert_eq!(object["content"], "<p>It <em>is</em>.</p>");
        let update =
            create_or_update(&origin(), ACTIVITY.parse().unwrap(), ActivityKind::Update, &edited, &object);
        assert_eq!(
            (&update["type"], &update["object"]["updated"]),
            (&json!("Update"), &json!("2026-09-02T11:00:00Z"))
        );
        assert_eq!(update["cc"][1], BOB);
    }
}
