//! All outbound connections. Every request to another server passes through this module.
//!
//! A URL that somebody else chose may point into our own network. [`ssrf_guard`] therefore checks each URL, and again
//! each address that is connected to. [`http_client`] bounds time, size and redirects; `delivery_client` sends deliveries
//! for it; `apub_adapter` lets `activitypub_federation` fetch through it.

pub mod apub_adapter;
mod connection;
mod connection_pool;
mod delivery_client;
mod error;
mod happy_eyeballs;
pub mod http_client;
pub mod media_type;
mod redirects;
pub mod request_budget;
mod resolver;
pub mod response;
pub mod retry_after;
pub mod signed_fetch;
pub mod ssrf_guard;
#[cfg(test)]
mod tests;
mod timeouts;
mod tls;

pub use error::NetError;
