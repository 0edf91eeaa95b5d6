//! Parses activities from other servers.
//!
//! Parsing is lenient about shapes, since every server has its own, and strict about authority: an activity
//! must be on its actor's server, and an embedded object counts only if that actor is authoritative for it.
//! Whether the actor may do what the activity asks is for the receiver to decide.

use serde_json::Value;
use url::Url;

use super::audience::Audience;
use super::json_document::{JsonDocument, first_string, reference_id, type_name, values};
use super::json_members::{id_member, single_line_member};
use super::parse_error::ParseError;
use super::remote_actor::RemoteActor;
use super::remote_note::{RemoteNote, authors};
use super::url_rules::{UrlRules, same_origin};

/// The full name of the type QuoteRequest (FEP-044f).
const QUOTE_REQUEST: &str = "https://w3id.org/fep/044f#QuoteRequest";

/// The type of what is left of a deleted object (ActivityStreams vocabulary, section 3.3).
const TOMBSTONE: &str = "Tombstone";

/// The most objects of a report that are kept.
const MAX_REPORTED_OBJECTS: usize = 20;

/// The most characters of a report's reason that are kept.
const MAX_REPORT_REASON: usize = 2_000;

/// An activity from another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteActivity {
    /// The id, on the actor's server. It is often missing on Accept and Undo, and Misskey reuses it for Follows.
    pub id: Option<Url>,
    /// The claimed actor. The caller must check that the same actor signed the request.
    pub actor: Url,
    /// Whether it is addressed to everyone.
    pub is_public: bool,
    /// Whether the body has a Linked Data Signature. We do not verify it, but servers to which the activity is
    /// forwarded may.
    pub has_ld_signature: bool,
    /// The type of the activity, with its content.
    pub kind: InboundActivityKind,
}

/// The type of an incoming activity, with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundActivityKind {
    /// Requests to follow an actor.
    Follow {
        /// The actor to follow.
        object: Url,
    },
    /// Reverts an earlier activity.
    Undo(UndoTarget),
    /// Creates a post.
    Create(CreateObject),
    /// Updates a post or the actor.
    Update(UpdateObject),
    /// Deletes a post, or the account if the object is the actor.
    Delete {
        /// The id of the deleted object.
        object: Url,
    },
    /// Likes an object. Emoji reactions (Pleroma, Misskey) count as likes.
    Like {
        /// The liked object.
        object: Url,
    },
    /// Boosts an object.
    Announce {
        /// The boosted object.
        object: Url,
    },
    /// Blocks an actor.
    Block {
        /// The blocked actor.
        object: Url,
    },
    /// Moves an account.
    Move {
        /// The old account.
        object: Url,
        /// The new account.
        target: Url,
    },
    /// Reports accounts or posts.
    Flag {
        /// The reported objects, up to a limit.
        objects: Vec<Url>,
        /// The reason, as plain text.
        content: String,
    },
    /// Requests authorization for a quote (FEP-044f).
    QuoteRequest {
        /// The object to quote.
        object: Url,
        /// The quoting post.
        instrument: Url,
        /// Whether the quoting post is embedded with its author, rather than just its id.
        is_attributed: bool,
    },
    /// Any other activity, which is accepted and ignored.
    Other,
}

/// The object of an Undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoTarget {
    /// The activity is embedded.
    Embedded {
        /// The id of the activity.
        id: Option<Url>,
        /// The type of the activity.
        kind: UndoTargetKind,
        /// The actor of the activity, who alone may undo it.
        actor: Url,
        /// The object of the activity. For a QuoteRequest, the quoting post.
        object: Option<Url>,
    },
    /// Only the id of the activity is given.
    Reference(Url),
}

/// The type of the activity that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoTargetKind {
    /// A follow.
    Follow,
    /// A like or an emoji reaction.
    Like,
    /// A boost.
    Announce,
    /// A block.
    Block,
    /// A quote request.
    QuoteRequest,
    /// Anything else.
    Other,
}

/// The object of a Create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateObject {
    /// A post by the actor, on the actor's server.
    Note(Box<RemoteNote>),
    /// Only an id, or a copy of an object on another server, which must be fetched from there.
    Reference(Url),
}

/// The object of an Update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateObject {
    /// The actor itself.
    Actor(Box<RemoteActor>),
    /// A post by the actor, on the actor's server.
    Note(Box<RemoteNote>),
    /// Only an id, or a copy of an object that is not the actor's, which must be fetched.
    Reference(Url),
}

/// An object that was fetched by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchedObject {
    /// A post.
    Note(Box<RemoteNote>),
    /// What is left of an object that was deleted.
    Tombstone,
    /// Anything else.
    Other,
}

/// Parses the body of a request to an inbox.
pub fn parse(bytes: &[u8], rules: UrlRules) -> Result<RemoteActivity, ParseError> {
    RemoteActivity::parse(&JsonDocument::from_slice(bytes)?, rules)
}

impl RemoteActivity {
    /// Parses an activity.
    pub fn parse(document: &JsonDocument, rules: UrlRules) -> Result<Self, ParseError> {
        let value = document.value();
        let type_name = type_name(value).ok_or(ParseError::Missing("type"))?;
        let actor = values(value, "actor").iter().find_map(reference_id);
        let actor = actor.ok_or(ParseError::Missing("actor"))?;
        let actor = rules.parse_id(actor).ok_or(ParseError::NotAnId("actor"))?;
        let id = match first_string(value, "id").filter(|id| !id.is_empty()) {
            Some(id) => Some(rules.parse_id(id).ok_or(ParseError::NotAnId("id"))?),
            None => None,
        };
        if id.as_ref().is_some_and(|id| !same_origin(id, &actor)) {
            return Err(ParseError::ForeignId);
        }
        let audience = Audience::parse(value);
        let envelope = Envelope { value, actor: &actor, audience, rules };
        let is_ld_signed =
            values(value, "signature").iter().any(|it| first_string(it, "signatureValue").is_some());
        let kind = envelope.kind(type_name)?;
        Ok(Self { kind, is_public: audience.is_public, has_ld_signature: is_ld_signed, id, actor })
    }
}

impl FetchedObject {
    /// Parses a fetched document. The caller must check that its id is the URL that it was fetched from.
    pub fn parse(document: &JsonDocument, rules: UrlRules) -> Result<Self, ParseError> {
        let value = document.value();
        if type_name(value).is_some_and(RemoteNote::is_note_type) {
            return Ok(Self::Note(Box::new(RemoteNote::parse(value, rules, None)?)));
        }
        if type_name(value) == Some(TOMBSTONE) {
            return Ok(Self::Tombstone);
        }
        Ok(Self::Other)
    }
}

/// An activity whose object is being parsed.
#[derive(Clone, Copy)]
struct Envelope<'a> {
    value: &'a Value,
    actor: &'a Url,
    audience: Audience,
    rules: UrlRules,
}

impl<'a> Envelope<'a> {
    fn kind(self, type_name: &str) -> Result<InboundActivityKind, ParseError> {
        let kind = match type_name {
            "Follow" => InboundActivityKind::Follow { object: self.object()? },
            "Undo" => InboundActivityKind::Undo(self.undone()?),
            "Create" => self.created()?,
            "Update" => self.updated()?,
            "Delete" => InboundActivityKind::Delete { object: self.object()? },
            "Like" | "EmojiReact" => InboundActivityKind::Like { object: self.object()? },
            "Announce" => InboundActivityKind::Announce { object: self.object()? },
            "Block" => InboundActivityKind::Block { object: self.object()? },
            "Move" => self.moved(),
            "Flag" => self.flagged(),
            QUOTE_REQUEST | "QuoteRequest" => self.quote_request()?,
            _ => InboundActivityKind::Other,
        };
        Ok(kind)
    }

    /// Returns the id of the object, which may be embedded.
    fn object(self) -> Result<Url, ParseError> {
        let id = values(self.value, "object").iter().find_map(reference_id);
        let id = id.ok_or(ParseError::Missing("object"))?;
        self.rules.parse_id(id).ok_or(ParseError::NotAnId("object"))
    }

    /// Returns the type and value of an embedded object.
    fn embedded(self) -> Option<(&'a str, &'a Value)> {
        let object = values(self.value, "object").first()?;
        Some((type_name(object)?, object))
    }

    fn created(self) -> Result<InboundActivityKind, ParseError> {
        let Some((kind, value)) = self.embedded() else {
            return Ok(InboundActivityKind::Create(CreateObject::Reference(self.object()?)));
        };
        if !RemoteNote::is_note_type(kind) {
            return Ok(InboundActivityKind::Other);
        }
        let note = RemoteNote::parse(value, self.rules, Some(self.audience))?;
        if !same_origin(&note.id, self.actor) {
            return Ok(InboundActivityKind::Create(CreateObject::Reference(note.id)));
        }
        let note = self.own(note, value).ok_or(ParseError::ForeignAuthor)?;
        Ok(InboundActivityKind::Create(CreateObject::Note(note)))
    }

    fn updated(self) -> Result<InboundActivityKind, ParseError> {
        match self.embedded() {
            Some((kind, value)) if RemoteActor::is_actor_type(kind) => {
                let actor = RemoteActor::parse_value(value, self.rules)?;
                if actor.id == *self.actor {
                    return Ok(InboundActivityKind::Update(UpdateObject::Actor(Box::new(actor))));
                }
            }
            Some((kind, value)) if RemoteNote::is_note_type(kind) => {
                let note = RemoteNote::parse(value, self.rules, Some(self.audience))?;
                if let Some(note) = self.own(note, value) {
                    return Ok(InboundActivityKind::Update(UpdateObject::Note(note)));
                }
            }
            // Whoever replaces a post by a Tombstone deletes it.
            Some((TOMBSTONE, _)) => return Ok(InboundActivityKind::Delete { object: self.object()? }),
            Some(_) => return Ok(InboundActivityKind::Other),
            None => {}
        }
        Ok(InboundActivityKind::Update(UpdateObject::Reference(self.object()?)))
    }

    /// Parses the Move of an account. Other Moves are ignored.
    fn moved(self) -> InboundActivityKind {
        let target = id_member(self.value, "target", self.rules);
        match (self.object(), target) {
            (Ok(object), Some(target)) => InboundActivityKind::Move { object, target },
            _ => InboundActivityKind::Other,
        }
    }

    fn flagged(self) -> InboundActivityKind {
        let objects = values(self.value, "object").iter().filter_map(reference_id);
        let objects = objects.filter_map(|id| self.rules.parse_id(id)).take(MAX_REPORTED_OBJECTS).collect();
        InboundActivityKind::Flag {
            objects,
            content: single_line_member(self.value, "content", MAX_REPORT_REASON).unwrap_or_default(),
        }
    }

    fn quote_request(self) -> Result<InboundActivityKind, ParseError> {
        let value = values(self.value, "instrument").first().ok_or(ParseError::Missing("instrument"))?;
        let instrument = reference_id(value).and_then(|id| self.rules.parse_id(id));
        let instrument = instrument.ok_or(ParseError::NotAnId("instrument"))?;
        let mut authors = authors(value, self.rules).peekable();
        let is_attributed = authors.peek().is_some();
        if is_attributed && !authors.any(|author| author == *self.actor) {
            return Err(ParseError::ForeignAuthor);
        }
        Ok(InboundActivityKind::QuoteRequest { object: self.object()?, instrument, is_attributed })
    }

    fn undone(self) -> Result<UndoTarget, ParseError> {
        let Some((kind, value)) = self.embedded() else {
            return Ok(UndoTarget::Reference(self.object()?));
        };
        let kind = match kind {
            "Follow" => UndoTargetKind::Follow,
            "Like" | "EmojiReact" => UndoTargetKind::Like,
            "Announce" => UndoTargetKind::Announce,
            "Block" => UndoTargetKind::Block,
            QUOTE_REQUEST | "QuoteRequest" => UndoTargetKind::QuoteRequest,
            _ => UndoTargetKind::Other,
        };
        let actor = match values(value, "actor").iter().find_map(reference_id) {
            Some(actor) => self.rules.parse_id(actor).ok_or(ParseError::NotAnId("object.actor"))?,
            None => self.actor.clone(),
        };
        let member = if kind == UndoTargetKind::QuoteRequest { "instrument" } else { "object" };
        Ok(UndoTarget::Embedded {
            id: id_member(value, "id", self.rules),
            kind,
            actor,
            object: id_member(value, member, self.rules),
        })
    }

    /// Returns the post, attributed to the actor, if the actor is authoritative for it.
    fn own(self, mut note: RemoteNote, value: &Value) -> Option<Box<RemoteNote>> {
        if !note.may_be_sent_by(value, self.actor, self.rules) {
            return None;
        }
        note.attributed_to = Some(self.actor.clone());
        Some(Box::new(note))
    }
}

#[cfg(test)]
mod tests;
