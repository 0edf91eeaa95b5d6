//! The output of commands.

use std::io::{ErrorKind, IsTerminal, Write};

/// Characters per line of what is wrapped.
pub(super) const LINE_WIDTH: usize = 79;
/// Characters before what follows the first line of an entry of a list.
const LIST_INDENT: usize = 4;

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

/// Prints a line of a list. On a terminal it is wrapped; elsewhere it stays whole, for `grep` and scripts.
///
/// # Errors
/// As [`print_line`].
pub(super) fn print_list_line(line: &str) -> anyhow::Result<()> {
    if !std::io::stdout().is_terminal() {
        return print_line(line);
    }
    let text = line.trim_start_matches(' ');
    let mut indent = line.len() - text.len();
    for part in wrap(text, LINE_WIDTH - LIST_INDENT - indent) {
        print_line(&format!("{:indent$}{part}", ""))?;
        indent = line.len() - text.len() + LIST_INDENT;
    }
    Ok(())
}

/// Wraps a text at that many characters; longer words get a line of their own. Within a line, spaces stay as they are.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ if word.is_empty() => {}
            _ => lines.push(word.to_owned()),
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}
