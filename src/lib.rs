//! Marquee gives a film critic a home of their own on the fediverse.
//!
//! Imports point down only:
//! `main, cli → app → web, worker → flows → store, federation, sources → net → domain`;
//! `config` knows only `domain`. `web` reads `store` for pages and changes state only through `flows`.

/// A place at which the process dies as if by `kill -9`, where a test wants it to: with the feature `failpoints`, and
/// `FAILPOINTS=NAME=return` in the environment. Without the feature there is nothing.
macro_rules! fail_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

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
