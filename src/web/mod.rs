//! What the site says over HTTP. Reads `store` for pages, changes state only through `flows`.

pub mod assets;
mod client;
mod error;
mod fedi;
mod health;
pub mod limit;
mod negotiate;
mod page_query;
pub mod pages;
mod read;
pub mod router;
pub mod state;
mod templates;
