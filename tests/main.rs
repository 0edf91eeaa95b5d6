//! The integration tests. Each one starts Marquee as its own process, talks to it over HTTP and the command line, and
//! runs on both databases. The name of a test is the sentence that it proves. `support` is the test harness: it runs
//! Marquee, scripted remote servers and PostgreSQL.
#![allow(
    unreachable_pub,
    reason = "everything in a test binary is unreachable from outside; `pub` marks what a module offers"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test's helper panics when the test fails"
)]

mod account_moves;
mod activity_log;
mod activity_order;
mod architecture;
mod architecture_document;
mod archive;
mod attacks;
mod authority;
mod authorized_fetch;
mod avatars;
mod blocks;
mod browse_and_search;
mod browse_index;
mod browser;
mod budget_soak;
mod budgets;
mod cache_invalidation;
mod collections;
mod comment_budgets;
mod comment_edits;
mod config;
mod connections;
mod crash_recovery;
mod critic_replies;
mod dead_hosts;
mod delivery;
mod discovery;
mod discussion;
mod disk_full;
mod end_to_end;
mod erasure;
mod errors;
// Needs the feature `failpoints`, which `tests/run` enables: the process kills itself at each failpoint.
#[cfg(feature = "failpoints")]
mod failpoints;
mod feed_authors;
mod feed_bodies;
mod feed_changes;
mod feed_check;
mod feed_credits;
mod feed_dates;
mod feed_forms;
mod feed_identity;
mod feed_kept_changes;
mod feed_languages;
mod feed_likeness;
mod feed_moves;
mod feed_page_faults;
mod feed_pages;
mod feed_positions;
mod feed_selection;
mod feed_withdrawn;
mod feeds;
mod first_start;
mod harness;
mod inbound_activities;
mod inbox_overload;
mod insights;
mod key_rotation;
mod keys;
mod large_server;
mod log_fields;
mod log_limits;
mod looks;
mod moderation;
mod origin;
mod out_of_order;
mod outgoing_signatures;
mod page_cache;
mod page_metadata;
mod peers;
mod pending_images;
mod picture_replies;
mod preview;
mod private_files;
mod publish;
mod quotes;
mod random_activities;
mod random_budgets;
mod random_kills;
mod random_polls;
mod readiness;
mod remote_interaction;
mod request_budgets;
mod request_log;
mod request_urls;
mod review_command;
mod review_images;
mod schema;
mod schema_version;
mod signatures;
mod ssrf;
mod structured_data;
mod support;
mod syndication;
mod terminal_output;
mod threads;
mod triggers;
mod untrusted_content;
mod upgrade;
mod upgrade_concurrency;
