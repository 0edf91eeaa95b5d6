//! Parses blocklists: Mastodon's CSV export, or one domain per line.

use csv::{ReaderBuilder, StringRecord};
use thiserror::Error;

/// The maximum size of a list in bytes.
pub const MAX_BYTES: usize = 8_000_000;

/// The maximum number of rows of a list.
const MAX_ROWS: usize = 200_000;

/// The maximum number of errors that are shown. Further errors are only counted.
const MAX_SHOWN_ERRORS: usize = 20;

/// How a server is blocked (Mastodon's severities).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlocklistSeverity {
    /// Nothing is exchanged with the server.
    Suspend,
    /// Posts by its accounts are hidden from public timelines.
    Silence,
    /// There is no restriction.
    Noop,
}

/// A server on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlocklistEntry {
    /// The line number, from 1.
    pub line: usize,
    /// The domain as it is spelled in the list.
    pub domain: String,
    /// How the server is to be blocked.
    pub severity: BlocklistSeverity,
    /// The public comment.
    pub comment: Option<String>,
}

impl BlocklistEntry {
    /// Whether parts of the domain were replaced by asterisks (`ex***le.com`).
    pub fn is_obfuscated(&self) -> bool {
        self.domain.contains('*')
    }
}

/// The errors of an invalid list, one for each invalid line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub struct BlocklistErrors(Vec<String>);

impl BlocklistErrors {
    /// Formats errors with their line numbers.
    pub fn from_lines(errors: Vec<(usize, String)>) -> Self {
        let more = errors.len().saturating_sub(MAX_SHOWN_ERRORS);
        let shown = errors.into_iter().take(MAX_SHOWN_ERRORS);
        let mut lines: Vec<String> = shown.map(|(line, error)| format!("line {line}: {error}")).collect();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        Self(lines)
    }

    fn from_line(line: usize, error: &str) -> Self {
        Self::from_lines(vec![(line, error.to_owned())])
    }
}

/// Parses a list.
///
/// # Errors
/// Fails if any line is invalid; no part of the list should be used then.
pub fn parse(bytes: &[u8]) -> Result<Vec<BlocklistEntry>, BlocklistErrors> {
    if bytes.len() > MAX_BYTES {
        return Err(BlocklistErrors::from_line(1, "the file is too large"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        BlocklistErrors::from_line(valid.split(|byte| *byte == b'\n').count(), "not UTF-8")
    })?;
    let rows = parse_rows(text.trim_start_matches('\u{FEFF}'))?;
    let columns = rows.first().and_then(|(_, row)| Columns::from_header(row));
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for (line, row) in rows.iter().skip(usize::from(columns.is_some())) {
        if row.get(0).is_some_and(|field| field.trim_start().starts_with('#')) {
            continue;
        }
        match parse_entry(*line, row, columns.as_ref()) {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push((*line, error)),
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(BlocklistErrors::from_lines(errors)) }
}

/// The positions of the relevant columns.
struct Columns {
    count: usize,
    domain: usize,
    severity: Option<usize>,
    comment: Option<usize>,
}

impl Columns {
    /// Returns `None` if the row is not a header. Mastodon puts `#` in front of the names, others do not.
    fn from_header(row: &StringRecord) -> Option<Self> {
        let names: Vec<String> =
            row.iter().map(|name| name.trim().trim_start_matches('#').trim().to_ascii_lowercase()).collect();
        let position = |wanted: &str| names.iter().position(|name| name == wanted);
        Some(Self {
            count: names.len(),
            domain: position("domain")?,
            severity: position("severity"),
            comment: position("public_comment"),
        })
    }
}

fn parse_entry(line: usize, row: &StringRecord, columns: Option<&Columns>) -> Result<BlocklistEntry, String> {
    let Some(columns) = columns else {
        if row.len() > 1 {
            return Err("expected one domain per line, since the first line does not name columns".to_owned());
        }
        let domain = strip_wildcard(row.get(0).unwrap_or_default());
        return Ok(BlocklistEntry { line, domain, severity: BlocklistSeverity::Suspend, comment: None });
    };
    if row.len() != columns.count {
        return Err(format!("expected {} fields, as in the first line; found {}", columns.count, row.len()));
    }
    let field = |column: Option<usize>| column.and_then(|column| row.get(column)).unwrap_or_default().trim();
    let severity = match field(columns.severity).to_ascii_lowercase().as_str() {
        "suspend" | "" => BlocklistSeverity::Suspend,
        "silence" => BlocklistSeverity::Silence,
        "noop" => BlocklistSeverity::Noop,
        other => return Err(format!("unknown severity {other:?}; expected suspend, silence or noop")),
    };
    let comment = Some(field(columns.comment).to_owned()).filter(|comment| !comment.is_empty());
    Ok(BlocklistEntry { line, domain: strip_wildcard(field(Some(columns.domain))), severity, comment })
}

/// Removes a leading `*.`, since rules apply to subdomains anyway.
fn strip_wildcard(domain: &str) -> String {
    let domain = domain.trim();
    domain.strip_prefix("*.").unwrap_or(domain).to_owned()
}

/// Returns the rows that are not blank, with their line numbers.
fn parse_rows(text: &str) -> Result<Vec<(usize, StringRecord)>, BlocklistErrors> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    loop {
        let start = reader.position().clone();
        let mut row = StringRecord::new();
        // The text is valid UTF-8 in memory, and rows may have any length, so this cannot fail.
        if !reader.read_record(&mut row).unwrap_or(false) {
            return Ok(rows);
        }
        // The csv crate counts the blank lines before a row as part of it.
        let raw = raw_row(text, start.byte(), reader.position().byte());
        let blank = raw.len() - raw.trim_start_matches(['\r', '\n']).len();
        let line = usize::try_from(start.line()).unwrap_or(0) + raw[..blank].matches('\n').count();
        // The crate also accepts an unclosed quotation mark and takes the rest of the file for one field.
        if raw.matches('"').count() % 2 == 1 {
            return Err(BlocklistErrors::from_line(line, "a closing quotation mark is missing"));
        }
        if rows.len() >= MAX_ROWS {
            return Err(BlocklistErrors::from_line(line, "the list has more than 200,000 rows"));
        }
        if row.iter().any(|field| !field.trim().is_empty()) {
            rows.push((line, row));
        }
    }
}

/// Returns the character between the fields. Spreadsheets write a semicolon where the comma is a decimal separator.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let names_columns = |delimiter: char| {
        first.contains(delimiter)
            && first.split(delimiter).any(|name| name.trim_matches(['#', '"', ' ']) == "domain")
    };
    if names_columns(';') {
        b';'
    } else if names_columns('\t') {
        b'\t'
    } else {
        b','
    }
}

fn raw_row(text: &str, start: u64, end: u64) -> &str {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| text.get(start..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spreadsheets_may_separate_fields_by_semicolons_or_tabs() {
        let rows = [("a.example", BlocklistSeverity::Silence), ("b.example", BlocklistSeverity::Suspend)];
        for delimiter in [";", "\t", ","] {
            let list = "#domain,severity\na.example,silence\n\"b.example\",suspend\n".replace(',', delimiter);
            let entries = parse(list.as_bytes()).expect("a list");
            let found: Vec<_> = entries.iter().map(|entry| (entry.domain.as_str(), entry.severity)).collect();
            assert_eq!(found, rows, "{delimiter:?}");
        }
    }

    fn read(text: &str) -> Vec<(usize, String, BlocklistSeverity)> {
        let listed = parse(text.as_bytes()).unwrap();
        listed.into_iter().map(|row| (row.line, row.domain, row.severity)).collect()
    }

    #[test]
    fn an_export_by_mastodon_is_parsed() {
        let text = "\u{FEFF}#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n\
            bad.example,suspend,True,False,\"spam, \"\"and\"\"\nworse\",False\r\n\
            loud.example,silence,false,false,,false\r\n\r\nex***le.com,noop,false,false,,true\r\n";
        assert_eq!(
            read(text),
            [
                (2, "bad.example".to_owned(), BlocklistSeverity::Suspend),
                (4, "loud.example".to_owned(), BlocklistSeverity::Silence),
                (6, "ex***le.com".to_owned(), BlocklistSeverity::Noop),
            ]
        );
        let listed = parse(text.as_bytes()).unwrap();
        assert_eq!(listed[0].comment.as_deref(), Some("spam, \"and\"\nworse"));
        assert!(listed[2].is_obfuscated() && !listed[1].is_obfuscated());
    }

    #[test]
    fn any_order_of_columns_and_plain_lists_are_parsed() {
        assert_eq!(
            read("severity,domain\nsilence,a.example"),
            [(2, "a.example".to_owned(), BlocklistSeverity::Silence)]
        );
        assert_eq!(read("domain\n*.a.example"), [(2, "a.example".to_owned(), BlocklistSeverity::Suspend)]);
        assert_eq!(
            read("# ours\na.example\r\n\n b.example \n"),
            [
                (2, "a.example".to_owned(), BlocklistSeverity::Suspend),
                (4, "b.example".to_owned(), BlocklistSeverity::Suspend)
            ]
        );
        assert_eq!(read(""), []);
    }

    #[test]
    fn an_error_contains_its_line_number() {
        let errors = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            errors("#domain,#severity\na.example\nb.example,soon\nc.example,noop"),
            "line 2: expected 2 fields, as in the first line; found 1\nline 3: unknown severity \"soon\"; expected suspend, silence or noop"
        );
        assert_eq!(errors("a.example\n\"b.example\n"), "line 2: a closing quotation mark is missing");
        assert_eq!(
            errors("domain,public_comment\na.example,say \"x\"\n\nb.example,its\" end"),
            "line 4: a closing quotation mark is missing"
        );
        assert!(errors("a.example,suspend").starts_with("line 1: expected one domain per line"));
        assert_eq!(parse(b"a.example\n\xff").unwrap_err().to_string(), "line 2: not UTF-8");
        let many = "a,b\n".repeat(30);
        assert!(errors(&many).ends_with("and 10 more"), "{}", errors(&many));
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "[a-z.,\"\n\r#*]{0,80}") {
            let _ = parse(text.as_bytes());
        }
    }
}
