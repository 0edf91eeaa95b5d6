//! A list of servers that others block: Mastodon's CSV, or one domain a line.

use thiserror::Error;

/// A larger file is no list.
pub const MAX_BYTES: usize = 8_000_000;

/// A list has no more lines than this.
const MOST_ROWS: usize = 200_000;

/// As many faults are named; the rest is counted.
const MOST_FAULTS: usize = 20;

/// What a list wants for a server (Mastodon's severities).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlocklistSeverity {
    /// Nothing is exchanged with it.
    Suspend,
    /// What its people write is not shown unasked.
    Silence,
    /// Nothing.
    Noop,
}

/// A server on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlocklistEntry {
    /// The line on which it stands, from 1.
    pub line: usize,
    /// Its domain, as it is written.
    pub domain: String,
    /// What the list wants.
    pub severity: BlocklistSeverity,
    /// What the list says about it.
    pub comment: Option<String>,
}

impl BlocklistEntry {
    /// Whether its name was made unreadable (`ex***le.com`).
    pub fn is_obfuscated(&self) -> bool {
        self.domain.contains('*')
    }
}

/// Why a list cannot be read: every line that is wrong, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub struct BlocklistErrors(Vec<String>);

impl BlocklistErrors {
    /// The faults of these lines.
    pub fn from_lines(faults: Vec<(usize, String)>) -> Self {
        let more = faults.len().saturating_sub(MOST_FAULTS);
        let mut lines: Vec<String> =
            faults.into_iter().take(MOST_FAULTS).map(|(line, what)| format!("line {line}: {what}")).collect();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        Self(lines)
    }
}

/// Reads a list.
///
/// # Errors
/// Where any of its lines cannot be read.
pub fn parse(bytes: &[u8]) -> Result<Vec<BlocklistEntry>, BlocklistErrors> {
    let fault = |line: usize, what: &str| BlocklistErrors::from_lines(vec![(line, what.to_owned())]);
    if bytes.len() > MAX_BYTES {
        return Err(fault(1, "the file is too large"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        fault(before.split(|byte| *byte == b'\n').count(), "not UTF-8")
    })?;
    let rows = rows(text.trim_start_matches('\u{FEFF}'))
        .map_err(|line| fault(line, "a quotation mark is missing"))?;
    let columns = rows.first().and_then(|(_, fields)| Columns::read(fields));
    let mut listed = Vec::new();
    let mut faults = Vec::new();
    for (line, fields) in rows.iter().skip(usize::from(columns.is_some())) {
        if fields.first().is_some_and(|field| field.trim_start().starts_with('#')) {
            continue;
        }
        match read_row(*line, fields, columns.as_ref()) {
            Ok(row) => listed.push(row),
            Err(what) => faults.push((*line, what)),
        }
    }
    if faults.is_empty() { Ok(listed) } else { Err(BlocklistErrors::from_lines(faults)) }
}

/// Where the columns are that are read.
struct Columns {
    count: usize,
    domain: usize,
    severity: Option<usize>,
    comment: Option<usize>,
}

impl Columns {
    /// None where the row is no header. Mastodon writes the names with `#` before them, others without.
    fn read(fields: &[String]) -> Option<Self> {
        let names: Vec<String> = fields
            .iter()
            .map(|name| name.trim().trim_start_matches('#').trim().to_ascii_lowercase())
            .collect();
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        Some(Self {
            count: names.len(),
            domain: place("domain")?,
            severity: place("severity"),
            comment: place("public_comment"),
        })
    }
}

fn read_row(line: usize, fields: &[String], columns: Option<&Columns>) -> Result<BlocklistEntry, String> {
    let Some(columns) = columns else {
        let [domain] = fields else {
            return Err("more than a domain, and the first line has no names of columns".to_owned());
        };
        return Ok(BlocklistEntry {
            line,
            domain: bare(domain),
            severity: BlocklistSeverity::Suspend,
            comment: None,
        });
    };
    if fields.len() != columns.count {
        return Err(format!("the first line names {} fields, this one has {}", columns.count, fields.len()));
    }
    let field =
        |place: Option<usize>| place.and_then(|place| fields.get(place)).map_or("", |field| field.trim());
    let severity = match field(columns.severity).to_ascii_lowercase().as_str() {
        "suspend" | "" => BlocklistSeverity::Suspend,
        "silence" => BlocklistSeverity::Silence,
        "noop" => BlocklistSeverity::Noop,
        other => return Err(format!("the severity {other:?} is none of suspend, silence, noop")),
    };
    let comment = Some(field(columns.comment).to_owned()).filter(|comment| !comment.is_empty());
    Ok(BlocklistEntry { line, domain: bare(field(Some(columns.domain))), severity, comment })
}

/// A rule holds for subdomains anyway.
fn bare(domain: &str) -> String {
    let domain = domain.trim();
    domain.strip_prefix("*.").unwrap_or(domain).to_owned()
}

/// The rows with the line on which each begins (RFC 4180); empty lines are none. The line of a quotation mark that
/// is never closed, or that stands where none can.
fn rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, usize> {
    let mut rows = Vec::new();
    let (mut fields, mut field): (Vec<String>, String) = (Vec::new(), String::new());
    let (mut line, mut begun) = (1, 1);
    let (mut quoted, mut was_quoted) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            '"' => return Err(line),
            ',' if !quoted => {
                fields.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                end_row(&mut rows, begun, &mut fields, &mut field);
                was_quoted = false;
                line += 1;
                begun = line;
            }
            c => {
                line += usize::from(c == '\n');
                field.push(c);
            }
        }
        if rows.len() > MOST_ROWS {
            return Err(line);
        }
    }
    if quoted {
        return Err(begun);
    }
    end_row(&mut rows, begun, &mut fields, &mut field);
    Ok(rows)
}

fn end_row(rows: &mut Vec<(usize, Vec<String>)>, line: usize, fields: &mut Vec<String>, field: &mut String) {
    fields.push(std::mem::take(field));
    let row = std::mem::take(fields);
    if row.iter().any(|field| !field.trim().is_empty()) {
        rows.push((line, row));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(usize, String, BlocklistSeverity)> {
        let listed = parse(text.as_bytes()).unwrap();
        listed.into_iter().map(|row| (row.line, row.domain, row.severity)).collect()
    }

    #[test]
    fn the_export_of_mastodon_is_read() {
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
    fn so_are_other_orders_of_columns_and_plain_lists() {
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
    fn a_line_that_is_wrong_is_named() {
        let faults = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            faults("#domain,#severity\na.example\nb.example,soon\nc.example,noop"),
            "line 2: the first line names 2 fields, this one has 1\nline 3: the severity \"soon\" is none of suspend, silence, noop"
        );
        assert_eq!(faults("a.example\n\"b.example\n"), "line 2: a quotation mark is missing");
        assert!(faults("a.example,suspend").starts_with("line 1: more than a domain"));
        assert_eq!(parse(b"a.example\n\xff").unwrap_err().to_string(), "line 2: not UTF-8");
        let many = "a,b\n".repeat(30);
        assert!(faults(&many).ends_with("and 10 more"), "{}", faults(&many));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z.,\"\n\r#*]{0,80}") {
            let _ = parse(text.as_bytes());
        }
    }
}
