//! Parses URLs that the database holds as text.

use anyhow::Context as _;
use url::Url;

/// Parses a URL that is stored in that column.
///
/// # Errors
/// If it is not a URL; the error names the column and the text.
pub(super) fn parse_stored_url(column: &'static str, text: &str) -> anyhow::Result<Url> {
    Url::parse(text).with_context(|| format!("{column} holds {text:?}, which is not a URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_says_where_the_text_is_stored() {
        assert!(parse_stored_url("comments.actor", "https://m.example/users/a").is_ok());
        let error = parse_stored_url("comments.actor", "nobody").unwrap_err();
        assert_eq!(error.to_string(), "comments.actor holds \"nobody\", which is not a URL");
    }
}
