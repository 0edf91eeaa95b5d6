//! The HTTP interface: pages, ActivityPub documents and inboxes. It reads `store`, and changes state only through
//! `flows`.

mod activitypub;
pub mod assets;
pub mod cache;
mod client_address;
mod content_negotiation;
mod error;
mod error_pages;
pub mod fast_path;
mod handlers;
mod health;
pub mod limit;
mod messages;
mod number_format;
mod page_query;
pub mod pages;
mod rendering;
mod request_log;
mod response_headers;
mod route;
mod router;
pub mod share_card;
mod single_flight;
pub mod state;
mod templates;
mod view_filter;
pub mod work_queue;
