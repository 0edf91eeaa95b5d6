//! Marquee is a fediverse server for film critics.
//!
//! `docs/ARCHITECTURE.md` describes what each module does, how data flows through the modules, and which rules apply
//! everywhere. In short, imports point down only:
//!
//! ```text
//! main → cli → app → web, worker → flows → store, federation, sources → net → domain
//! ```
//!
//! `config` imports only `domain`. `web` reads `store` to render pages and changes state only through `flows`.

/// Aborts the process here, as `kill -9` would, if the feature `failpoints` is enabled and the environment contains
/// `FAILPOINTS=NAME=return`. Without the feature, it expands to nothing.
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
