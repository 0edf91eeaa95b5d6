//! The protocols of the fediverse: ActivityPub documents, HTTP signatures, WebFinger and NodeInfo.
//!
//! Modules here read and write bytes and documents. They decide no policy, access no store, do no IO and
//! read no clock.

pub mod intents;
pub mod keys;
pub mod multikey;
pub mod nodeinfo;
pub mod published_keys;
pub mod signature;
pub mod vocab;
pub mod webfinger;
