//! Parsers of everything that comes from outside: feeds, Markdown files, block lists, HTML and credits.
//!
//! All of it is pure: no network, no clock and no database. Whatever the input is, parsing ends in linear time with a
//! result or with an error of one line. Texts come out bounded and without control characters, HTML comes out safe.

pub mod blocklist;
pub mod credits;
pub mod feed;
pub mod html;
pub mod reply_markdown;
pub mod review_content;
pub mod review_markdown;

/// The CPU time of this thread, which does not depend on how busy the machine is.
#[cfg(test)]
fn cpu_time() -> std::time::Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock").into()
}
