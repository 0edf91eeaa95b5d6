//! Typed identifiers: each is a ULID with the type of the thing that it identifies.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use ulid::Ulid;

use super::time::Timestamp;

/// A ULID that identifies a `K`. Marquee generates ids itself rather than in the database, so that a
/// restored backup or a second machine cannot issue the same id twice.
pub struct Id<K>(Ulid, PhantomData<fn() -> K>);

/// The text is not a ULID in its canonical form (26 characters of Crockford's base 32, upper case).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct ParseIdError;

impl<K> Id<K> {
    /// Generates an id with the given time.
    ///
    /// # Panics
    /// Panics if the system provides no randomness, since nothing is safe without it.
    pub fn new(now: Timestamp) -> Self {
        let mut random = [0u8; 16];
        // Uses the system's generator, since initializing the one of aws-lc-rs would double the start time.
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let moment = u64::try_from(now.millis()).unwrap_or(0);
        Self(Ulid::from_parts(moment, u128::from_be_bytes(random)), PhantomData)
    }

    /// The first of all ids with the given time.
    pub fn first_at(time: Timestamp) -> Self {
        Self(Ulid::from_parts(u64::try_from(time.millis()).unwrap_or(0), 0), PhantomData)
    }

    /// When it was generated.
    pub fn created_at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }
}

impl<K> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let ulid = Ulid::from_string(text).map_err(|_| ParseIdError)?;
        // An id has a single spelling: lower case and look-alike letters are rejected.
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

/// Defines the id types, each with a marker type that is only used as the parameter of [`Id`].
macro_rules! id_types {
    ($($(#[$doc:meta])* $id:ident($marker:ident)),+ $(,)?) => {
        /// The things that ids identify. The types have no values.
        pub mod marker {
            $(
                #[doc = concat!("The parameter of `", stringify!($id), "`.")]
                #[derive(Debug)]
                pub enum $marker {}
            )+
        }
        $(
            $(#[$doc])*
            pub type $id = Id<marker::$marker>;
        )+
    };
}

id_types! {
    /// Identifies a critic, and the critic's actor.
    CriticId(Critic),
    /// Identifies a feed.
    FeedId(Feed),
    /// Identifies a stored entry of a feed.
    EntryId(Entry),
    /// Identifies a review; also the last segment of the Article's id.
    ReviewId(Review),
    /// Identifies an outgoing activity.
    ActivityId(Activity),
    /// Identifies an activity that the inbox accepted.
    InboxActivityId(InboxActivity),
    /// Identifies a comment; also the last segment of the Note's id if a local critic wrote it.
    CommentId(Comment),
    /// Identifies a file in the media folder.
    MediaId(Media),
    /// Identifies a signing key of a local actor.
    KeyId(Key),
    /// Identifies a quote authorization (FEP-044f); also the last segment of its id.
    AuthorizationId(Authorization),
    /// Identifies a report (Flag) from another server.
    ReportId(Report),
    /// Identifies a lease on queued work.
    LeaseId(Lease),
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
