//! The protocols of the fediverse: ActivityPub documents, HTTP signatures, WebFinger and NodeInfo.
//!
//! Modules here read and write bytes and documents. They decide no policy, access no store, do no IO and
//! read no clock.

pub mod activity_intents;
pub mod multikey;
pub mod nodeinfo;
mod pem;
pub mod public_key;
pub mod published_keys;
pub mod signature;
pub mod signing_key;
pub mod vocab;
pub mod webfinger;
