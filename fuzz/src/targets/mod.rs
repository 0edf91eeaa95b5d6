//! The fuzz targets, one in each module. Each parses one kind of untrusted input.

pub mod comment;
pub mod inbox;
pub mod message_signature;
pub mod signature;
pub mod webfinger;
