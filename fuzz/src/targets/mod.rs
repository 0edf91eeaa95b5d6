//! What others send, a module each.

pub mod comment;
pub mod inbox;
pub mod message_signature;
pub mod signature;
pub mod webfinger;
