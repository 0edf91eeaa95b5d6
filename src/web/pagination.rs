//! The `page` parameter of lists.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The highest page number.
const MAX_PAGE: u32 = 100_000;

/// The query `?page=N`. Pages are counted from one; anything else is a bad request.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    #[serde(default, deserialize_with = "number")]
    page: Option<u32>,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.parse::<u32>().ok().filter(|number| (1..=MAX_PAGE).contains(number));
    number.map(Some).ok_or_else(|| D::Error::custom("page must be a positive number"))
}

impl PageQuery {
    /// The page number, if one was requested.
    pub(super) fn requested(&self) -> Option<u32> {
        self.page
    }

    /// The page number; the first page by default.
    pub(super) fn number(&self) -> u32 {
        self.requested().unwrap_or(1)
    }

    /// The number of items before this page.
    pub(super) fn offset(&self, page_size: u32) -> u32 {
        (self.number() - 1).saturating_mul(page_size)
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use axum::http::Uri;

    use super::*;

    fn parse(query: &str) -> Option<(Option<u32>, u32, u32)> {
        let uri: Uri = format!("/reviews{query}").parse().unwrap();
        let Query(query) = Query::<PageQuery>::try_from_uri(&uri).ok()?;
        Some((query.requested(), query.number(), query.offset(30)))
    }

    #[test]
    fn pages_are_counted_from_one() {
        assert_eq!(parse(""), Some((None, 1, 0)));
        assert_eq!(parse("?other=x"), Some((None, 1, 0)));
        assert_eq!(parse("?page=1"), Some((Some(1), 1, 0)));
        assert_eq!(parse("?page=3"), Some((Some(3), 3, 60)));
        assert_eq!(parse("?page=100000"), Some((Some(MAX_PAGE), MAX_PAGE, (MAX_PAGE - 1) * 30)));
        for wrong in ["0", "-1", "1.5", "x", "", "100001", "99999999999999999999", "%00"] {
            assert_eq!(parse(&format!("?page={wrong}")), None, "{wrong}");
        }
    }
}
