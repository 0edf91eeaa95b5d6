//! How the XML of feeds is read, and what its errors mean.

use quick_xml::Reader;
use quick_xml::errors::{Error as XmlError, SyntaxError};

use super::{FeedError, excerpt};

/// Reads a document from this position, forgiving what spoils only one entry.
pub(super) fn reader_from(xml: &str, start: usize) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(xml.get(start..).unwrap_or_default());
    reader.config_mut().expand_empty_elements = true;
    // feed-rs decides whether an entry with a bare `&` is valid.
    reader.config_mut().allow_dangling_amp = true;
    // Tags that do not match spoil one entry.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader
}

/// Converts a syntax error of the document.
pub(super) fn xml_error(error: &XmlError) -> FeedError {
    match error {
        // For example `<!ENTITY`.
        XmlError::Syntax(SyntaxError::InvalidBangMarkup) => FeedError::Dtd,
        XmlError::Syntax(error) => FeedError::Truncated(
            match error {
                SyntaxError::UnclosedComment => "<!--",
                SyntaxError::UnclosedCData => "<![CDATA[",
                SyntaxError::UnclosedDoctype => "<!DOCTYPE",
                SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl => "<?",
                _ => "<",
            }
            .to_owned(),
        ),
        other => FeedError::Malformed(excerpt(&other.to_string())),
    }
}

/// Returns the beginning of a tag, comment or section, for an error message.
pub(super) fn name_opening(markup: &str) -> String {
    let known = ["<![CDATA[", "<!--", "<?"].into_iter().find(|known| markup.starts_with(known));
    let word = || markup.split([' ', '\n', '>']).next().unwrap_or_default();
    known.unwrap_or_else(word).chars().take(40).collect()
}
