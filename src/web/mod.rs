//! The HTTP interface: pages, ActivityPub documents and inboxes. It reads `store`, and changes state only through
//! `flows`.

mod activitypub;
pub mod assets;
mod client_address;
mod conditional;
pub mod connections;
mod content_negotiation;
mod encoding;
mod error;
mod error_pages;
pub mod fast_path;
mod handlers;
mod health;
mod messages;
mod missing_files;
mod number_format;
pub mod page_cache;
pub mod pages;
mod pagination;
mod rendering;
mod request_log;
mod request_target;
mod response_headers;
mod route;
mod router;
pub mod share_card;
mod single_flight;
pub mod state;
mod templates;
mod view_filter;
pub mod work_queue;
