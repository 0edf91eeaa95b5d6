//! Reads the front matter of a Markdown file: YAML between `---` lines, or TOML between `+++` lines.
//!
//! YAML turns `1917`, `007`, `No` and `12:30` into numbers and booleans, which critics do not mean. So values are kept as
//! they are written, and whoever uses them decides what they are. This needs the text of each scalar, which deserializers
//! do not give; the events of the YAML parser and the positions of the TOML parser do.

mod quoting;
mod toml;
mod yaml;

pub(super) use quoting::quote;

/// The maximum size of a front matter in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// How deep lists and tables may be nested.
const MAX_DEPTH: usize = 8;
/// How many values a front matter may have.
const MAX_VALUES: usize = 5_000;

/// The format of a front matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml,
    Toml,
}

/// A front matter and the text that follows it.
#[derive(Debug)]
pub(super) struct FrontMatter<'a> {
    format: Format,
    source: &'a str,
    /// Its keys with their values, in the order of the file.
    pub(super) fields: Vec<FrontMatterField>,
    /// The text after the front matter.
    pub(super) body: &'a str,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrontMatterField {
    /// The key as it is written.
    pub(super) key: String,
    /// The line in the file, from 1.
    pub(super) line: usize,
    /// The value.
    pub(super) value: FrontMatterValue,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FrontMatterValue {
    /// An empty value, `~` or `null`.
    Nothing,
    /// The text of a string, number, boolean or date, as it is written.
    Text(String),
    /// A list.
    List(Vec<FrontMatterValue>),
    /// A table.
    Table(Vec<FrontMatterField>),
}

/// Why there is no front matter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrontMatterError {
    /// The file does not begin with `---` or `+++`.
    #[error("the file has no front matter: begin it with the lines `---`, `title: …` and `---`")]
    Missing,
    /// The second `---` or `+++` is missing.
    #[error("the front matter is not closed: add a `{0}` line after it")]
    Unclosed(&'static str),
    /// The front matter is not valid YAML or TOML.
    #[error("line {line} of the file: the front matter is not valid {format}: {what}")]
    Invalid {
        /// The line in the file, from 1.
        line: usize,
        /// `YAML` or `TOML`.
        format: &'static str,
        /// What is wrong, and how to correct it if that is known.
        what: String,
    },
    /// A key is given twice.
    #[error("line {line} of the file: `{key}` is given twice")]
    Twice {
        /// The line of the second one.
        line: usize,
        /// The key.
        key: String,
    },
}

/// What is wrong in a line.
struct SyntaxError {
    /// The line within the front matter, from 1.
    line: usize,
    what: String,
}

impl<'a> FrontMatter<'a> {
    /// Reads the front matter of a file.
    ///
    /// # Errors
    /// See [`FrontMatterError`].
    pub(super) fn parse(file: &'a str) -> Result<Self, FrontMatterError> {
        let text = file.trim_start_matches('\u{FEFF}');
        let first = text.split_inclusive('\n').next().unwrap_or_default();
        let (format, fence) = match first.trim_end() {
            "---" => (Format::Yaml, "---"),
            "+++" => (Format::Toml, "+++"),
            _ => return Err(FrontMatterError::Missing),
        };
        let rest = text.get(first.len()..).unwrap_or_default();
        let (source, body) = split_at_fence(rest, fence).ok_or(FrontMatterError::Unclosed(fence))?;
        let fields = match format {
            Format::Yaml => yaml::parse(source),
            Format::Toml => toml::parse(source),
        };
        let fields = fields.map_err(|error| {
            let fixed =
                (format == Format::Yaml).then(|| quoting::find_unquoted(source, error.line)).flatten();
            let (line, what) = match fixed {
                Some((line, fixed)) => (line, quoting::advice(&fixed)),
                None => (error.line, error.what),
            };
            let format = if format == Format::Yaml { "YAML" } else { "TOML" };
            // The first fence precedes the front matter.
            FrontMatterError::Invalid { line: line + 1, format, what }
        })?;
        let mut seen = std::collections::HashSet::new();
        if let Some(field) = fields.iter().find(|field| !seen.insert(&field.key)) {
            return Err(FrontMatterError::Twice { line: field.line, key: field.key.clone() });
        }
        Ok(Self { format, source, fields, body })
    }

    /// Returns the advice to put the value in a line of the file into quotes, with the corrected line, if that turns it
    /// into text.
    pub(super) fn quoting_advice(&self, line: usize) -> Option<String> {
        let source = self.source.lines().nth(line.checked_sub(2)?)?;
        (self.format == Format::Yaml).then_some(())?;
        quoting::quoted_lines(source).into_iter().next().map(|fixed| quoting::advice(&fixed))
    }
}

/// Splits a text at the line that ends the front matter.
fn split_at_fence<'a>(text: &'a str, fence: &str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        // YAML may also end with `...`, which Jekyll and Pandoc accept.
        if line.trim_end() == fence || (fence == "---" && line.trim_end() == "...") {
            return Some((text.get(..at)?, text.get(at + line.len()..)?));
        }
        at += line.len();
        if at > MAX_BYTES {
            break;
        }
    }
    None
}
