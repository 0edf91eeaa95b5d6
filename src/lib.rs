//! Marquee gives a film critic a home of their own on the fediverse.
//!
//! Imports point down only:
//! `main, cli → app → web, worker → flows → store, federation, sources → net → domain`;
//! `config` knows only `domain`. `web` reads `store` for pages and changes state only through `flows`.

#[macro_use]
mod failpoint;

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod federation;
pub mod flows;
pub mod net;
pub mod sources;
pub mod store;
pub mod web;
pub mod worker;
