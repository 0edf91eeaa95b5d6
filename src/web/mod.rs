//! What the site says over HTTP. Reads `store` for pages, changes state only through `flows`.

pub mod assets;
pub mod cache;
pub mod card;
mod client;
mod error;
mod fedi;
pub mod front;
mod head;
mod health;
pub mod limit;
mod negotiate;
mod page_query;
pub mod pages;
pub mod queue;
mod read;
mod reading;
mod rendering;
pub mod router;
pub mod state;
mod templates;
mod words;
