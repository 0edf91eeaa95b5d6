//! The activities and objects of remote users, in the form that Mastodon gives them.

use serde_json::{Value, json};

use super::http::Response;
use super::keys::Key;
use super::remote::{Document, Remote, User};
use super::signature::SignatureScheme;
use super::signed_request::UnsignedRequest;

/// The public collection.
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// The id of an object that is embedded or given by its id.
pub fn id_of(object: &Value) -> &str {
    object.as_str().or_else(|| object["id"].as_str()).expect("an id")
}

/// A time in the format of ActivityStreams.
pub fn as2_date(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl User {
    pub fn id(&self) -> String {
        self.server.url(&format!("/users/{}", self.name))
    }

    pub fn handle(&self) -> String {
        format!("{}@{}", self.name, self.server.host)
    }

    pub fn key_id(&self) -> String {
        format!("{}#main-key", self.id())
    }

    pub fn key(&self) -> Key {
        self.server.key_of(&self.name)
    }

    /// Replaces the user's key, which its actor lists from now on.
    pub fn rotate_key(&self) {
        self.server.set_key(&self.name, Key::fresh());
    }

    /// The actor document.
    pub fn actor(&self) -> Value {
        let id = self.id();
        json!({
            "@context": [CONTEXT, "https://w3id.org/security/v1", {
                "toot": "http://joinmastodon.org/ns#",
                "discoverable": "toot:discoverable",
                "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
            }],
            "id": id,
            "type": "Person",
            "preferredUsername": self.name,
            "name": self.display_name(),
            "summary": "<p>Goes to the pictures.</p>",
            "url": self.server.url(&format!("/@{}", self.name)),
            "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"),
            "followers": format!("{id}/followers"),
            "following": format!("{id}/following"),
            "endpoints": {"sharedInbox": self.server.url("/inbox")},
            "manuallyApprovesFollowers": false,
            "discoverable": true,
            "published": "2024-01-01T00:00:00Z",
            "tag": [],
            "attachment": [],
            "publicKey": {"id": self.key_id(), "owner": id, "publicKeyPem": self.key().public_pem()},
        })
    }

    /// The name that pages show.
    pub fn display_name(&self) -> String {
        let (first, rest) = self.name.split_at(1);
        format!("{}{rest} Viewer", first.to_uppercase())
    }

    /// Serves another document as the user's actor.
    pub fn serve_actor(&self, actor: &Value) {
        self.server.serve(&format!("/users/{}", self.name), Document::activity_json(actor));
    }

    /// A new id of this user.
    fn new_id(&self, kind: &str) -> String {
        format!("{}{kind}{}", self.id(), self.server.next_number())
    }

    pub fn follow(&self, actor: &str) -> Value {
        json!({"@context": CONTEXT, "id": self.new_id("#follows/"), "type": "Follow", "actor": self.id(), "object": actor})
    }

    pub fn undo(&self, activity: &Value) -> Value {
        json!({
            "@context": CONTEXT, "id": format!("{}/undo", id_of(activity)), "type": "Undo",
            "actor": self.id(), "object": activity,
        })
    }

    /// A public reply, which is served at its id from now on.
    pub fn reply(&self, to: &str, html: &str) -> Value {
        self.note(to, html, &[PUBLIC], &[&format!("{}/followers", self.id())])
    }

    /// A reply to followers only, served as if it were public.
    pub fn reply_to_followers(&self, to: &str, html: &str) -> Value {
        self.note(to, html, &[&format!("{}/followers", self.id())], &[])
    }

    /// A direct message, served as if it were public.
    pub fn direct_reply(&self, to: &str, html: &str, recipient: &str) -> Value {
        self.note(to, html, &[recipient], &[])
    }

    fn note(&self, in_reply_to: &str, html: &str, to: &[&str], cc: &[&str]) -> Value {
        let number = self.server.next_number();
        let id = format!("{}/statuses/{number}", self.id());
        let note = json!({
            "@context": [CONTEXT, {"ostatus": "http://ostatus.org#", "sensitive": "as:sensitive"}],
            "id": id,
            "type": "Note",
            "summary": null,
            "inReplyTo": in_reply_to,
            "published": as2_date(super::now()),
            "url": self.server.url(&format!("/@{}/{number}", self.name)),
            "attributedTo": self.id(),
            "to": to,
            "cc": cc,
            "sensitive": false,
            "content": html,
            "contentMap": {"en": html},
            "attachment": [],
            "tag": [],
            "replies": {
                "id": format!("{id}/replies"), "type": "Collection",
                "first": {"type": "CollectionPage", "partOf": format!("{id}/replies"), "items": []},
            },
        });
        self.publish(&note);
        note
    }

    /// Serves an object at its id.
    pub fn publish(&self, object: &Value) {
        let path = super::signature::target_of(id_of(object));
        self.server.serve(&path, Document::activity_json(object));
    }

    pub fn create(&self, object: &Value) -> Value {
        json!({
            "@context": CONTEXT, "id": format!("{}/activity", id_of(object)), "type": "Create", "actor": self.id(),
            "published": object["published"], "to": object["to"], "cc": object["cc"], "object": object,
        })
    }

    /// An Update of the object, which is served in its new form from now on, marked as changed `seconds`
    /// after its publication.
    pub fn edit(&self, object: &Value, html: &str, seconds: i64) -> Value {
        let written: jiff::Timestamp = object["published"].as_str().expect("a date").parse().expect("a date");
        let moment = written.as_second() + seconds;
        let moment = jiff::Timestamp::from_second(moment).expect("a moment");
        let mut edited = object.clone();
        edited["content"] = json!(html);
        edited["contentMap"] = json!({"en": html});
        edited["updated"] = json!(as2_date(moment));
        self.publish(&edited);
        json!({
            "@context": CONTEXT, "id": format!("{}#updates/{}", id_of(object), moment.as_second()), "type": "Update",
            "actor": self.id(), "to": object["to"], "cc": object["cc"], "object": edited,
        })
    }

    /// A Delete; the id responds with 410 and a Tombstone from now on.
    pub fn delete(&self, object: &Value) -> Value {
        let id = id_of(object);
        let tombstone = json!({"@context": CONTEXT, "id": id, "type": "Tombstone"});
        let mut document = Document::activity_json(&tombstone);
        document.status = 410;
        self.server.serve(&super::signature::target_of(id), document);
        json!({
            "@context": CONTEXT, "id": format!("{id}#delete"), "type": "Delete", "actor": self.id(),
            "to": [PUBLIC], "object": {"id": id, "type": "Tombstone"},
        })
    }

    pub fn like(&self, object: &str) -> Value {
        json!({"@context": CONTEXT, "id": self.new_id("#likes/"), "type": "Like", "actor": self.id(), "object": object})
    }

    pub fn announce(&self, object: &str) -> Value {
        let number = self.server.next_number();
        json!({
            "@context": CONTEXT, "id": format!("{}/statuses/{number}/activity", self.id()), "type": "Announce",
            "actor": self.id(), "published": as2_date(super::now()), "to": [PUBLIC],
            "cc": [format!("{}/followers", self.id())], "object": object,
        })
    }

    /// Any other activity.
    pub fn activity(&self, kind: &str, object: &Value) -> Value {
        json!({
            "@context": CONTEXT, "id": self.new_id("/activities/"), "type": kind, "actor": self.id(),
            "to": [PUBLIC], "object": object,
        })
    }

    /// A request that a test may change before it is signed.
    pub fn unsigned_request(
        &self,
        scheme: SignatureScheme,
        inbox: &str,
        activity: &Value,
    ) -> UnsignedRequest {
        UnsignedRequest::new(scheme, &self.key(), &self.key_id(), inbox, activity)
    }

    /// Sends a signed GET.
    pub async fn fetch(&self, scheme: SignatureScheme, url: &str) -> Response {
        UnsignedRequest::fetch(scheme, &self.key(), &self.key_id(), url)
            .sign()
            .fetch(&self.server.client)
            .await
    }

    /// Signs and sends an activity.
    pub async fn send(&self, inbox: &str, activity: &Value) -> Response {
        self.unsigned_request(SignatureScheme::Cavage, inbox, activity).sign().post(&self.server.client).await
    }

    /// Signs and sends an activity to a server that may be down.
    #[cfg(feature = "failpoints")]
    pub async fn try_send(&self, inbox: &str, activity: &Value) -> Option<Response> {
        self.unsigned_request(SignatureScheme::Cavage, inbox, activity)
            .sign()
            .try_post(&self.server.client)
            .await
            .ok()
    }

    /// Signs and sends an activity that must be accepted.
    pub async fn deliver(&self, inbox: &str, activity: &Value) {
        let response = self.send(inbox, activity).await;
        assert!(
            response.is_success(),
            "{inbox} responded with {}: {}\nto {activity}",
            response.status,
            response.body
        );
    }
}

impl Remote {
    /// Allows that activities of others were forwarded to this server: Marquee signs them and is not their author, which is
    /// a violation otherwise. There must be no other violation.
    pub fn allow_forwards(&self) {
        let violations = self.take_violations();
        assert!(violations.iter().all(|violation| violation.contains(" signed for ")), "{violations:?}");
    }
}
