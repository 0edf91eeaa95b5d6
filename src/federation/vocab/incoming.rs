//! Activities and objects that others send.
//!
//! Reading is lenient in shapes, since every server has its own, and strict in what gives authority: an activity
//! is on its actor's server, and what it carries counts only where that actor may speak for it. Whether anybody
//! may *do* what they ask is decided by who receives it.

use serde_json::Value;
use url::Url;

use super::address::{Rules, same_origin};
use super::document::{Document, each, reference, text, type_name};
use super::note::{Note, authors, line};
use super::remote_actor::{RemoteActor, address};

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
pub struct Activity {
    /// Its id, on the actor's server. Often missing on Accept and Undo, and not unique for Misskey's Follow.
    pub id: Option<Url>,
    /// Who claims to do it. Who signed it must be the same.
    pub actor: Url,
    /// Whether it is addressed to everyone.
    pub is_public: bool,
    /// Whether its body carries a signature of its own (Linked Data Signatures). It proves nothing to us; those
    /// to whom it is passed on may believe it.
    pub is_ld_signed: bool,
    /// What is done.
    pub kind: Kind,
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
pub enum Kind {
    /// Wants to follow an actor.
    Follow {
        /// Whom.
        object: Url,
    },
    /// Takes an earlier activity back.
    Undo(Undone),
    /// Wrote something.
    Create(Created),
    /// Changed something.
    Update(Updated),
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
pub enum Undone {
    /// The activity is repeated within.
    Embedded {
        /// Its id.
        id: Option<Url>,
        /// What it did.
        kind: UndoneKind,
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
pub enum UndoneKind {
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
pub enum Created {
    /// A post of the actor, on the actor's server.
    Note(Box<Note>),
    /// Only an id, or the copy of something on another server, which counts for nothing: to be fetched where it is.
    Reference(Url),
}

/// What an Update carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updated {
    /// The actor's own profile.
    Actor(Box<RemoteActor>),
    /// A post of the actor, on the actor's server.
    Note(Box<Note>),
    /// Only an id, or the copy of something that is not the actor's: to be fetched where it is.
    Reference(Url),
}

/// What is found at an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// A post.
    Note(Box<Note>),
    /// Anything else.
    Other,
}

/// Reads an activity from the body of a request to an inbox.
pub fn parse(bytes: &[u8], rules: Rules) -> Result<Activity, ParseError> {
    Activity::parse(&Document::from_slice(bytes)?, rules)
}

impl Activity {
    /// Reads an activity.
    pub fn parse(document: &Document, rules: Rules) -> Result<Self, ParseError> {
        let value = document.value();
        let type_name = type_name(value).ok_or(ParseError::Missing("type"))?;
        let actor = each(value, "actor").iter().find_map(reference);
        let actor = actor.ok_or(ParseError::Missing("actor"))?;
        let actor = rules.id(actor).ok_or(ParseError::NotAnId("actor"))?;
        let id = match text(value, "id").filter(|id| !id.is_empty()) {
            Some(id) => Some(rules.id(id).ok_or(ParseError::NotAnId("id"))?),
            None => None,
        };
        if id.as_ref().is_some_and(|id| !same_origin(id, &actor)) {
            return Err(ParseError::ForeignId);
        }
        let audience = Audience::read(value);
        let envelope = Envelope { value, actor: &actor, audience, rules };
        let is_ld_signed = each(value, "signature").iter().any(|it| text(it, "signatureValue").is_some());
        let kind = envelope.kind(type_name)?;
        Ok(Self { kind, is_public: audience.is_public, is_ld_signed, id, actor })
    }
}

impl Fetched {
    /// Reads what was fetched. That its id is the address it came from is for the caller to check.
    pub fn parse(document: &Document, rules: Rules) -> Result<Self, ParseError> {
        let value = document.value();
        if type_name(value).is_some_and(Note::is_kind) {
            return Ok(Self::Note(Box::new(Note::read(value, rules, None)?)));
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
    rules: Rules,
}

impl<'a> Envelope<'a> {
    fn kind(self, type_name: &str) -> Result<Kind, ParseError> {
        let kind = match type_name {
            "Follow" => Kind::Follow { object: self.object()? },
            "Undo" => Kind::Undo(self.undone()?),
            "Create" => self.created()?,
            "Update" => self.updated()?,
            "Delete" => Kind::Delete { object: self.object()? },
            "Like" | "EmojiReact" => Kind::Like { object: self.object()? },
            "Announce" => Kind::Announce { object: self.object()? },
            "Block" => Kind::Block { object: self.object()? },
            "Move" => self.moved(),
            "Flag" => self.flagged(),
            QUOTE_REQUEST | "QuoteRequest" => self.quote_request()?,
            _ => Kind::Other,
        };
        Ok(kind)
    }

    /// The id of the object, which may be repeated in full.
    fn object(self) -> Result<Url, ParseError> {
        let id = each(self.value, "object").iter().find_map(reference);
        let id = id.ok_or(ParseError::Missing("object"))?;
        self.rules.id(id).ok_or(ParseError::NotAnId("object"))
    }

    /// The object where it is repeated in full, with its type.
    fn embedded(self) -> Option<(&'a str, &'a Value)> {
        let object = each(self.value, "object").first()?;
        Some((type_name(object)?, object))
    }

    fn created(self) -> Result<Kind, ParseError> {
        let Some((kind, value)) = self.embedded() else {
            return Ok(Kind::Create(Created::Reference(self.object()?)));
        };
        if !Note::is_kind(kind) {
            return Ok(Kind::Other);
        }
        let note = Note::read(value, self.rules, Some(self.audience))?;
        if !same_origin(&note.id, self.actor) {
            return Ok(Kind::Create(Created::Reference(note.id)));
        }
        let note = self.own(note, value).ok_or(ParseError::ForeignAuthor)?;
        Ok(Kind::Create(Created::Note(note)))
    }

    fn updated(self) -> Result<Kind, ParseError> {
        match self.embedded() {
            Some((kind, value)) if RemoteActor::is_kind(kind) => {
                let actor = RemoteActor::read(value, self.rules)?;
                if actor.id == *self.actor {
                    return Ok(Kind::Update(Updated::Actor(Box::new(actor))));
                }
            }
            Some((kind, value)) if Note::is_kind(kind) => {
                let note = Note::read(value, self.rules, Some(self.audience))?;
                if let Some(note) = self.own(note, value) {
                    return Ok(Kind::Update(Updated::Note(note)));
                }
            }
            Some(_) => return Ok(Kind::Other),
            None => {}
        }
        Ok(Kind::Update(Updated::Reference(self.object()?)))
    }

    /// Of accounts; what else is moved is nothing to us.
    fn moved(self) -> Kind {
        let target = address(self.value, "target", self.rules);
        match (self.object(), target) {
            (Ok(object), Some(target)) => Kind::Move { object, target },
            _ => Kind::Other,
        }
    }

    fn flagged(self) -> Kind {
        let objects = each(self.value, "object").iter().filter_map(reference);
        let objects = objects.filter_map(|id| self.rules.id(id)).take(MOST_FLAGGED).collect();
        Kind::Flag { objects, content: line(self.value, "content", MOST_REASON).unwrap_or_default() }
    }

    fn quote_request(self) -> Result<Kind, ParseError> {
        let value = each(self.value, "instrument").first().ok_or(ParseError::Missing("instrument"))?;
        let instrument = reference(value).and_then(|id| self.rules.id(id));
        let instrument = instrument.ok_or(ParseError::NotAnId("instrument"))?;
        let mut authors = authors(value, self.rules).peekable();
        let is_attributed = authors.peek().is_some();
        if is_attributed && !authors.any(|author| author == *self.actor) {
            return Err(ParseError::ForeignAuthor);
        }
        Ok(Kind::QuoteRequest { object: self.object()?, instrument, is_attributed })
    }

    fn undone(self) -> Result<Undone, ParseError> {
        let Some((kind, value)) = self.embedded() else {
            return Ok(Undone::Reference(self.object()?));
        };
        let kind = match kind {
            "Follow" => UndoneKind::Follow,
            "Like" | "EmojiReact" => UndoneKind::Like,
            "Announce" => UndoneKind::Announce,
            "Block" => UndoneKind::Block,
            QUOTE_REQUEST | "QuoteRequest" => UndoneKind::QuoteRequest,
            _ => UndoneKind::Other,
        };
        let actor = match each(value, "actor").iter().find_map(reference) {
            Some(actor) => self.rules.id(actor).ok_or(ParseError::NotAnId("object.actor"))?,
            None => self.actor.clone(),
        };
        let member = if kind == UndoneKind::QuoteRequest { "instrument" } else { "object" };
        Ok(Undone::Embedded {
            id: address(value, "id", self.rules),
            kind,
            actor,
            object: address(value, member, self.rules),
        })
    }

    /// The post, attributed to the actor, if the actor may speak for it.
    fn own(self, mut note: Note, value: &Value) -> Option<Box<Note>> {
        if !note.may_come_from(value, self.actor, self.rules) {
            return None;
        }
        note.attributed_to = Some(self.actor.clone());
        Some(Box::new(note))
    }
}

#[cfg(test)]
mod tests;
