//! Identifiers: ULIDs, typed by what they identify.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use ulid::Ulid;

use super::time::Timestamp;

/// A ULID that identifies a `K`. Made by us, never by a database, so that a restored backup or a
/// second machine cannot mint one twice.
pub struct Id<K>(Ulid, PhantomData<fn() -> K>);

/// The text is not a ULID in its canonical form (26 characters of Crockford's base 32, upper case).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct ParseIdError;

impl<K> Id<K> {
    /// A fresh id of the given moment.
    ///
    /// # Panics
    /// When the system has no randomness to give, without which nothing here is safe.
    pub fn new(now: Timestamp) -> Self {
        let mut random = [0u8; 16];
        // From the system itself: the cryptography's own generator takes as long to begin as all else of a start.
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let moment = u64::try_from(now.millis()).unwrap_or(0);
        Self(Ulid::from_parts(moment, u128::from_be_bytes(random)), PhantomData)
    }
}

impl<K> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let ulid = Ulid::from_string(text).map_err(|_| ParseIdError)?;
        // One id has one spelling: lower case and look-alike letters are not accepted.
        if ulid.to_string() == text { Ok(Self(ulid, PhantomData)) } else { Err(ParseIdError) }
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0u8; ulid::ULID_LEN];
        f.write_str(self.0.array_to_str(&mut buffer))
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Kinds of things that have an id; only used as type parameters.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $id:ident),+ $(,)?) => {$(
        #[doc = concat!("Marks ids of a ", stringify!($kind), ".")]
        #[derive(Debug)]
        pub enum $kind {}
        $(#[$doc])*
        pub type $id = Id<$kind>;
    )+};
}

kinds! {
    /// A critic, the local actor.
    CriticKind => CriticId,
    /// A feed that is polled.
    FeedKind => FeedId,
    /// What a feed said once.
    EntryKind => EntryId,
    /// A review; also the last segment of its Article's id.
    ReviewKind => ReviewId,
    /// An activity that we sent.
    ActivityKind => ActivityId,
    /// An activity that others sent to us, as it was accepted.
    ReceivedKind => InboxActivityId,
    /// A reply that is shown as a comment; the last segment of its Note's id where a critic of ours wrote it.
    CommentKind => CommentId,
    /// A file under the media folder.
    MediaKind => MediaId,
    /// A signing key of ours.
    KeyKind => KeyId,
    /// A quote that was granted; also the last segment of its stamp's id.
    StampKind => AuthorizationId,
    /// Something that others reported.
    ReportKind => ReportId,
    /// A claim on queued work.
    LeaseKind => LeaseId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = ReviewId::new(Timestamp::from_millis(1_700_000_000_000));
        let text = id.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse::<ReviewId>(), Ok(id));
        assert_eq!(text.to_lowercase().parse::<ReviewId>(), Err(ParseIdError));
        assert_eq!("../../etc/passwd".parse::<ReviewId>(), Err(ParseIdError));
    }
}
