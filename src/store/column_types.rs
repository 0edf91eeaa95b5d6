//! The types of columns, and what a text or a number in a column means.

use std::marker::PhantomData;

use crate::domain::activity::ActivityKind;
use crate::domain::browse_index::BrowseKind;
use crate::domain::comment::CommentState;
use crate::domain::delivery::DeliveryState;
use crate::domain::domain_rules::DomainRule;
use crate::domain::feed::{HoldReason, IngestDecision};
use crate::domain::follower::FollowState;
use crate::domain::id::Id;
use crate::domain::inbox_activity::InboxState;
use crate::domain::quote_authorization::AuthorizationState;
use crate::domain::reaction::{ReactionEventKind, ReactionKind, ToggleState};
use crate::domain::report::ReportState;
use crate::domain::review::ReviewState;
use crate::domain::review_stats::ReviewStatKind;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;

use super::Result;

/// A list of texts in one column.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Reads what [`to_json`] wrote.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The error of a column that does not hold what it should.
pub(super) fn corrupt(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(column.into())
}

/// Reads the URL that a column holds.
pub(super) fn parse_url(text: &str) -> Result<url::Url> {
    url::Url::parse(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A count or a number of pixels, which a column holds as a BIGINT.
pub(super) fn to_unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Makes a type that of a column, on both databases.
macro_rules! column {
    ([$($generics:tt)*] $type:ty => $inner:ty, $to:expr, $from:expr) => {
        impl<DB: sqlx::Database, $($generics)*> sqlx::Type<DB> for $type
        where
            $inner: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$inner as sqlx::Type<DB>>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <$inner as sqlx::Type<DB>>::compatible(ty)
            }
        }
        impl<'q, DB: sqlx::Database, $($generics)*> sqlx::Encode<'q, DB> for $type
        where
            $inner: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> std::result::Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let inner: $inner = ($to)(self);
                sqlx::Encode::<DB>::encode(inner, buffer)
            }
        }
        impl<'r, DB: sqlx::Database, $($generics)*> sqlx::Decode<'r, DB> for $type
        where
            $inner: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> std::result::Result<Self, sqlx::error::BoxDynError> {
                let inner = <$inner as sqlx::Decode<DB>>::decode(value)?;
                ($from)(inner)
            }
        }
    };
}
column!([K] Id<K> => String, |id: &Id<K>| id.to_string(), |text: String| {
    let _: PhantomData<K>;
    Ok(text.parse::<Id<K>>()?)
});
column!([] Timestamp => i64, |at: &Timestamp| at.millis(), |millis: i64| Ok(Timestamp::from_millis(millis)));

/// States and kinds are stored by their names. A name that no variant has is an error.
macro_rules! named_columns {
    ($($enum:ty),+ $(,)?) => {$(
        column!([] $enum => String, |value: &$enum| value.as_str().to_owned(), |name: String| Ok(name.parse::<$enum>()?));
    )+};
}
named_columns!(
    ActivityKind,
    AuthorizationState,
    BrowseKind,
    CommentState,
    DeliveryState,
    DomainRule,
    FollowState,
    HoldReason,
    InboxState,
    IngestDecision,
    ReactionEventKind,
    ReactionKind,
    ReportState,
    ReviewState,
    ReviewStatKind,
    SignatureScheme,
    ToggleState,
);
