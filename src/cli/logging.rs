//! The log of commands: lines on the standard error, filtered by `MARQUEE_LOG`.
//!
//! Text of strangers in it is shortened and escaped where it is quoted (`Untrusted`). As a second guard, whatever a line
//! quotes, no field can break the line or steer a terminal, and no line is longer than [`MAX_LINE_BYTES`]. Lines that
//! repeat are summed up ([`RepeatedLines`]).

use std::fmt::{self, Debug};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use tracing::field::Field;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::repeated_lines::{LogBudget, OWNER_FIELD, RepeatedLines};
use crate::domain::untrusted::Untrusted;

/// Bytes of a line. What is longer is cut and says how long it was.
const MAX_LINE_BYTES: usize = 2048;

/// Characters of a field or message.
const MAX_FIELD_CHARACTERS: usize = 1000;

/// What ends colours on a terminal.
const RESET: &str = "\u{1b}[0m";

pub(super) fn init_logging(default: &str) {
    let filter = EnvFilter::try_from_env("MARQUEE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let is_terminal = io::stderr().is_terminal();
    let budget = Arc::new(LogBudget::default());
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(is_terminal)
        .fmt_fields(debug_fn(write_field).delimited(" "))
        .with_writer(LineWriters { budget: Arc::clone(&budget), is_terminal });
    tracing_subscriber::registry().with(filter).with(RepeatedLines::start(budget)).with(lines).init();
}

/// Writes a field of a line, or its message.
fn write_field(out: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        OWNER_FIELD => return Ok(()),
        name => write!(out, "{name}=")?,
    }
    write!(out, "{}", Untrusted::up_to(MAX_FIELD_CHARACTERS, &format_args!("{value:?}")))
}

/// Writes lines to the standard error.
struct LineWriters {
    budget: Arc<LogBudget>,
    is_terminal: bool,
}

impl<'a> MakeWriter<'a> for LineWriters {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter { budget: None, is_terminal: self.is_terminal }
    }

    fn make_writer_for(&'a self, line: &Metadata<'_>) -> LineWriter<'a> {
        // The other levels are off unless the operator wants to see everything.
        let budget = (*line.level() <= Level::INFO).then_some(&*self.budget);
        LineWriter { budget, is_terminal: self.is_terminal }
    }
}

/// Writes one line.
struct LineWriter<'a> {
    budget: Option<&'a LogBudget>,
    is_terminal: bool,
}

impl Write for LineWriter<'_> {
    /// Takes a whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = match cut(line, MAX_LINE_BYTES) {
            None => {
                io::stderr().write_all(line)?;
                line.len()
            }
            Some(start) => {
                let reset = if self.is_terminal { RESET } else { "" };
                let mut short = start.to_vec();
                writeln!(short, "{reset}… ({} bytes)", line.len())?;
                io::stderr().write_all(&short)?;
                short.len()
            }
        };
        if let Some(budget) = self.budget {
            budget.charge(written);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The start of a line that is longer than that, whole characters only.
fn cut(line: &[u8], max: usize) -> Option<&[u8]> {
    let is_start = |at: &usize| line[*at] & 0b1100_0000 != 0b1000_0000;
    (line.len() > max).then(|| &line[..(0..=max).rev().find(is_start).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(cut(b"abc\n", 4), None);
        assert_eq!(cut(b"abcd\n", 4), Some(&b"abcd"[..]));
        assert_eq!(cut("abcé\n".as_bytes(), 4), Some(&b"abc"[..]));
        assert_eq!(cut("🎬🎬\n".as_bytes(), 7), Some("🎬".as_bytes()));
    }
}
