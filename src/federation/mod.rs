//! The protocol: what is on the wire and what it means. No policy, no store, no IO, no clock.

pub mod intents;
pub mod keys;
pub mod multikey;
pub mod nodeinfo;
pub mod signature;
pub mod vocab;
pub mod webfinger;
