//! The tests: each speaks HTTP to a Marquee that runs as its own process, on both databases, and is
//! named as a sentence. `support` is the rig: the app, the scripted fediverse around it, and PostgreSQL.
#![allow(
    unreachable_pub,
    reason = "everything in a test binary is unreachable from outside; `pub` marks what a module offers"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test's helper panics when the test fails"
)]

mod activities;
mod addresses;
mod answers;
mod archive;
mod attacks;
mod authority;
mod avatars;
mod blocks;
mod browser;
// With the feature `failpoints`, as `tests/run` has it: it kills the process from within.
#[cfg(feature = "failpoints")]
mod chaos;
mod collections;
mod config;
mod conversation;
mod course;
mod crash;
mod dead;
mod delivery;
mod discovery;
mod feeds;
mod figures;
mod flood;
mod full;
mod house;
mod insights;
mod interact;
mod keys;
mod kills;
mod looks;
mod machines;
mod moderation;
mod moves;
mod order;
mod origin;
mod pages;
mod peers;
mod preview;
mod publish;
mod quotes;
mod receiving;
mod rendering;
mod requests;
mod rig;
mod rotation;
mod secure_mode;
mod sending;
mod shapes;
mod shelves;
mod signatures;
mod stale;
mod support;
mod syndication;
mod threads;
