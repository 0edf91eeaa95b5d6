//! Parsers of foreign formats: feeds, Markdown files, blocklists, HTML and credits.
//!
//! These modules are pure: they use no network, clock or database. For any input, they return a result or an error of one
//! line in linear time. Texts in the result are bounded and free of control characters, and HTML is safe.

pub mod blocklist;
pub mod credits;
pub mod dates;
pub mod feed;
mod front_matter;
pub mod html;
pub mod language;
pub mod reply_markdown;
pub mod review_content;
pub mod review_markdown;
mod spoilers;

/// The CPU time of this thread, which does not depend on how busy the machine is.
#[cfg(test)]
fn cpu_time() -> std::time::Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock").into()
}
