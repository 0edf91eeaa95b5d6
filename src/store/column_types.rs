//! The types of columns, and what a text or a number in a column means.

use std::marker::PhantomData;

use crate::domain::activity::ActivityKind;
use crate::domain::browse_index::BrowseKind;
use crate::domain::comment::CommentState;
use crate::domain::delivery::DeliveryState;
use crate::domain::domain_rules::DomainRule;
use crate::domain::feed::{HoldReason, IngestDecision, PendingReason};
use crate::domain::follower::FollowState;
use crate::domain::id::Id;
use crate::domain::inbox_activity::{InboxLane, InboxState};
use crate::domain::named_enum::UnknownName;
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

/// A column holds a name that no variant of its enum has.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", .columns.join(" or "))]
struct UnknownValue {
    columns: &'static [&'static str],
    error: UnknownName,
}

/// States and kinds are stored by their names, in the columns that are listed. A name that no variant has is an error.
macro_rules! named_columns {
    ($($enum:ty: $columns:expr,)+) => {
        $(
            column!([] $enum => String, |value: &$enum| value.as_str().to_owned(), |name: String| {
                let columns: &'static [&'static str] = &$columns;
                name.parse::<$enum>().map_err(|error| UnknownValue { columns, error }.into())
            });
        )+

        /// The columns that hold a state or a kind, as `table.column`, with the names that they may hold. The CHECK
        /// constraints of the tables allow the same names.
        pub fn named_columns() -> Vec<(&'static str, Vec<&'static str>)> {
            let mut all: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
            $(
                let names: Vec<&'static str> = <$enum>::ALL.iter().map(|variant| variant.as_str()).collect();
                all.extend($columns.map(|column: &'static str| (column, names.clone())));
            )+
            all
        }
    };
}

named_columns! {
    ActivityKind: ["activities.kind", "deliveries.kind"],
    AuthorizationState: ["authorizations.state"],
    BrowseKind: ["browse_index.kind", "browse_terms.kind"],
    CommentState: ["comments.state"],
    DeliveryState: ["deliveries.state", "delivery_totals.state"],
    DomainRule: ["domain_rules.rule"],
    FollowState: ["followers.state"],
    HoldReason: ["feed_entries.hold_reason"],
    InboxLane: ["inbox_activities.lane"],
    InboxState: ["inbox_activities.state"],
    IngestDecision: ["feed_log.decision"],
    PendingReason: ["feed_entries.pending_reason"],
    ReactionEventKind: ["reaction_events.kind"],
    ReactionKind: ["reactions.kind"],
    ReportState: ["reports.state"],
    ReviewState: ["reviews.state"],
    ReviewStatKind: ["review_stats.kind"],
    SignatureScheme: ["hosts.signature_scheme"],
    ToggleState: ["reactions.state", "blockers.state"],
}
