//! Pure types and rules of the product: no IO, no clock, no SQL.

pub mod activity;
pub mod comment;
pub mod critic;
pub mod delivery;
pub mod entry;
pub mod face;
pub mod feed;
pub mod film;
pub mod hash;
pub mod id;
pub mod looks;
pub mod moderation;
pub mod origin;
pub mod rating;
pub mod review;
pub mod search;
pub mod shelf;
pub mod signing;
pub mod site;
pub mod text;
pub mod time;
