//! Bytes of somebody's format become entries, and entries become drafts of reviews. Everything here is
//! pure: no network, no clock, no database; whatever the bytes are, it ends in linear time with a draft or
//! with an error of one line. Texts come out bounded, without control characters; HTML comes out safe.

pub mod blocklist;
pub mod credits;
pub mod critic_reply;
pub mod feed;
pub mod html;
pub mod markdown;
pub mod review_content;

/// What this thread has spent of a processor: how busy the machine is does not matter to it.
#[cfg(test)]
fn spent() -> std::time::Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock").into()
}
