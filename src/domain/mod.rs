//! The types and rules of the product.
//!
//! Everything here is pure: no module does IO, reads the clock or knows SQL.

pub mod access_level;
pub mod activity;
pub mod body_text;
pub mod browse_index;
pub mod canonical_url;
pub mod client_network;
pub mod comment;
pub mod comment_thread;
pub mod content_hash;
pub mod critic;
pub mod delivery;
pub mod delivery_retry;
pub mod domain_rules;
pub mod facepile;
pub mod feed;
pub mod feed_entry;
pub mod feed_selection;
pub mod film;
pub mod follower;
pub mod hash;
pub mod html_escape;
pub mod id;
pub mod inbox_activity;
pub mod local_year;
pub mod looks;
pub mod moderation_policy;
pub mod named_enum;
pub mod origin;
pub mod quote_authorization;
pub mod rating;
pub mod reaction;
pub mod reading_time;
pub mod release_date;
pub mod report;
pub mod review;
pub mod review_stats;
pub mod sanitize_text;
pub mod search;
pub mod signature_scheme;
pub mod similar_reviews;
pub mod site;
pub mod slug;
pub mod time;
pub mod tracking_parameters;
