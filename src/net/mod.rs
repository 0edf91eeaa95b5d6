//! The only way out: every request that this server makes to another passes here.
//!
//! An address that somebody else chose may point at our own network. [`guard`] decides what may be
//! reached, on the URL and again on the address that is really connected to; [`client`] bounds time,
//! size and redirects; `posts` is its way to send.

mod apub_adapter;
pub mod client;
mod delivery_client;
mod error;
pub mod guard;
pub mod media_type;
mod resolver;
#[cfg(test)]
mod tests;

pub use error::NetError;
