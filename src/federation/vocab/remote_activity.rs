//! Activities and objects that others send.
//!
//! Reading is lenient in shapes, since every server has its own, and strict in what gives authority: an activity
//! is on its actor's server, and what it carries counts only where that actor may speak for it. Whether anybody
//! may *do* what they ask is decided by who receives it.

use serde_json::Value;
use url::Url;

use super::json_document::{JsonDocument, first_string, reference_id, type_name, values};
use super::remote_actor::{RemoteActor, id_member};
use super::remote_note::{RemoteNote, authors, single_line_member};
use super::url_rules::{UrlRules, same_origin};

/// The type of a request to quote, in full (FEP-044f).
const QUOTE_REQUEST: &str = "https://w3id.org/fep/044f#QuoteRequest";

/// Of a report, as many objects and characters are kept.
const MOST_FLAGGED: usize = 20;
const MOST_REASON: usize = 2_000;

/// Why a document is not read.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// It is not JSON, or JSON that means two things.
    #[error("not a JSON document that we read: {0}")]
    Json(#[from] serde_json::Error),
    /// A member is missing without which it says nothing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member is not the id of anything: not https, not at a domain name, malformed.
    #[error("`{0}` is not an id")]
    NotAnId(&'static str),
    /// The activity has its id on another server than its actor. Answered like a bad signature.
    #[error("the activity is not on its actor's server")]
    ForeignId,
    /// What is created is attributed to somebody else. Answered like a bad signature.
    #[error("the object is attributed to another actor")]
    ForeignAuthor,
}

impl ParseError {
    /// Whether it claims an authority that it has not (401), and is not just malformed (400).
    pub const fn is_forged(&self) -> bool {
        matches!(self, Self::ForeignId | Self::ForeignAuthor)
    }
}

/// An activity of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteActivity {
    /// Its id, on the actor's server. Often missing on Accept and Undo, and not unique for Misskey's Follow.
    pub id: Option<Url>,
    /// Who claims to do it. Who signed it must be the same.
    pub actor: Url,
    /// Whether it is addressed to everyone.
    pub is_public: bool,
    /// Whether its body carries a signature of its own (Linked Data Signatures). It proves nothing to us; those
    /// to whom it is passed on may believe it.
    pub has_ld_signature: bool,
    /// What is done.
    pub kind: InboundActivityKind,
}

/// To whom something is addressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audience {
    /// Whether it says anything about its audience.
    pub(super) is_stated: bool,
    /// Whether everyone is in it (ActivityPub section 5.6): then it may be shown.
    pub(super) is_public: bool,
}

/// What an activity does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundActivityKind {
    /// Wants to follow an actor.
    Follow {
        /// Whom.
        object: Url,
    },
    /// Takes an earlier activity back.
    Undo(UndoTarget),
    /// Wrote something.
    Create(CreateObject),
    /// Changed something.
    Update(UpdateObject),
    /// Deleted a post, or the whole account where the object is the actor.
    Delete {
        /// What.
        object: Url,
    },
    /// Likes something. A reaction with an emoji (Pleroma, Misskey) is a like.
    Like {
        /// What.
        object: Url,
    },
    /// Shares something.
    Announce {
        /// What.
        object: Url,
    },
    /// Wants nothing more to do with an actor.
    Block {
        /// With whom.
        object: Url,
    },
    /// Says that an account is now another one.
    Move {
        /// The old one.
        object: Url,
        /// The new one.
        target: Url,
    },
    /// Reports something.
    Flag {
        /// What: at most as many as anyone looks at.
        objects: Vec<Url>,
        /// Why, plain text.
        content: String,
    },
    /// Wants to quote something (FEP-044f).
    QuoteRequest {
        /// What.
        object: Url,
        /// The post that quotes it.
        instrument: Url,
        /// Whether the post is there with its author, and not just its id.
        is_attributed: bool,
    },
    /// Anything else; taken and forgotten.
    Other,
}

/// What an Undo takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoTarget {
    /// The activity is repeated within.
    Embedded {
        /// Its id.
        id: Option<Url>,
        /// What it did.
        kind: UndoTargetKind,
        /// Who did it: only they may undo it.
        actor: Url,
        /// To what. Of a wish to quote: the post that quotes.
        object: Option<Url>,
    },
    /// Only its id is told.
    Reference(Url),
}

/// What was done that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoTargetKind {
    /// A follow.
    Follow,
    /// A like or a reaction.
    Like,
    /// A share.
    Announce,
    /// A block.
    Block,
    /// The wish to quote something.
    QuoteRequest,
    /// Anything else.
    Other,
}

/// What a Create carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateObject {
    /// A post of the actor, on the actor's server.
    Note(Box<RemoteNote>),
    /// Only an id, or the copy of something on another server, which counts for nothing: to be fetched where it is.
    Reference(Url),
}

/// What an Update carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateObject {
    /// The actor's own profile.
    Actor(Box<RemoteActor>),
    /// A post of the actor, on the actor's server.
    Note(Box<RemoteNote>),
    /// Only an id, or the copy of something that is not the actor's: to be fetched where it is.
    Reference(Url),
}

/// What is found at an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchedObject {
    /// A post.
    Note(Box<RemoteNote>),
    /// Anything else.
    Other,
}

/// Reads an activity from the body of a request to an inbox.
pub fn parse(bytes: &[u8], rules: UrlRules) -> Result<RemoteActivity, ParseError> {
    RemoteActivity::parse(&JsonDocument::from_slice(bytes)?, rules)
}

impl RemoteActivity {
    /// Reads an activity.
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
        let audience = Audience::read(value);
        let envelope = Envelope { value, actor: &actor, audience, rules };
        let is_ld_signed =
            values(value, "signature").iter().any(|it| first_string(it, "signatureValue").is_some());
        let kind = envelope.kind(type_name)?;
        Ok(Self { kind, is_public: audience.is_public, has_ld_signature: is_ld_signed, id, actor })
    }
}

impl FetchedObject {
    /// Reads what was fetched. That its id is the address it came from is for the caller to check.
    pub fn parse(document: &JsonDocument, rules: UrlRules) -> Result<Self, ParseError> {
        let value = document.value();
        if type_name(value).is_some_and(RemoteNote::is_note_type) {
            return Ok(Self::Note(Box::new(RemoteNote::read(value, rules, None)?)));
        }
        Ok(Self::Other)
    }
}

/// An activity while what it carries is read.
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

    /// The id of the object, which may be repeated in full.
    fn object(self) -> Result<Url, ParseError> {
        let id = values(self.value, "object").iter().find_map(reference_id);
        let id = id.ok_or(ParseError::Missing("object"))?;
        self.rules.parse_id(id).ok_or(ParseError::NotAnId("object"))
    }

    /// The object where it is repeated in full, with its type.
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
        let note = RemoteNote::read(value, self.rules, Some(self.audience))?;
        if !same_origin(&note.id, self.actor) {
            return Ok(InboundActivityKind::Create(CreateObject::Reference(note.id)));
        }
        let note = self.own(note, value).ok_or(ParseError::ForeignAuthor)?;
        Ok(InboundActivityKind::Create(CreateObject::Note(note)))
    }

    fn updated(self) -> Result<InboundActivityKind, ParseError> {
        match self.embedded() {
            Some((kind, value)) if RemoteActor::is_actor_type(kind) => {
                let actor = RemoteActor::read(value, self.rules)?;
                if actor.id == *self.actor {
                    return Ok(InboundActivityKind::Update(UpdateObject::Actor(Box::new(actor))));
                }
            }
            Some((kind, value)) if RemoteNote::is_note_type(kind) => {
                let note = RemoteNote::read(value, self.rules, Some(self.audience))?;
                if let Some(note) = self.own(note, value) {
                    return Ok(InboundActivityKind::Update(UpdateObject::Note(note)));
                }
            }
            Some(_) => return Ok(InboundActivityKind::Other),
            None => {}
        }
        Ok(InboundActivityKind::Update(UpdateObject::Reference(self.object()?)))
    }

    /// Of accounts; what else is moved is nothing to us.
    fn moved(self) -> InboundActivityKind {
        let target = id_member(self.value, "target", self.rules);
        match (self.object(), target) {
            (Ok(object), Some(target)) => InboundActivityKind::Move { object, target },
            _ => InboundActivityKind::Other,
        }
    }

    fn flagged(self) -> InboundActivityKind {
        let objects = values(self.value, "object").iter().filter_map(reference_id);
        let objects = objects.filter_map(|id| self.rules.parse_id(id)).take(MOST_FLAGGED).collect();
        InboundActivityKind::Flag {
            objects,
            content: single_line_member(self.value, "content", MOST_REASON).unwrap_or_default(),
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

    /// The post, attributed to the actor, if the actor may speak for it.
    fn own(self, mut note: RemoteNote, value: &Value) -> Option<Box<RemoteNote>> {
        if !note.may_come_from(value, self.actor, self.rules) {
            return None;
        }
        note.attributed_to = Some(self.actor.clone());
        Some(Box::new(note))
    }
}

#[cfg(test)]
mod tests;
