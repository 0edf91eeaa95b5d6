//! The output of commands.

use std::io::Write;

/// Prints a line; unlike `println!`, returns an error if the pipe is closed.
pub(super) fn print_line(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
