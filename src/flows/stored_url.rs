//! Parses URLs that the database holds as text.

use anyhow::Context as _;
use url::Url;

use crate::domain::untrusted::Untrusted;

/// Parses a URL that is stored in that column.
///
/// # Errors
/// If it is not a URL; the error names the column and the text.
pub(super) fn parse_stored_url(column: &'static str, text: &str) -> anyhow::Result<Url> {
    Url::parse(text)
        .with_context(|| format!("{column} holds {:?}, which is not a URL", Untrusted::new(&text)))
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
