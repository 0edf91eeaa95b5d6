//! The log of commands: lines on the standard error, filtered by `MARQUEE_LOG`.

use std::io::IsTerminal;

pub(super) fn init_logging(default: &str) {
    use tracing_subscriber::EnvFilter;

    let filter = EnvFilter::try_from_env("MARQUEE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
