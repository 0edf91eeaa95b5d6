//! The output of commands.

use std::io::{ErrorKind, Write};

/// The reader of the output has closed it, as `head` does once it has enough.
#[derive(Debug, thiserror::Error)]
#[error("the output was closed")]
pub(super) struct OutputClosed;

/// Prints a line.
///
/// # Errors
/// [`OutputClosed`] if nobody reads the output any more; unlike `println!`, it does not panic.
pub(super) fn print_line(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(OutputClosed.into()),
        written => Ok(written?),
    }
}

/// Wraps a text at that many characters; longer words get a line of their own.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
