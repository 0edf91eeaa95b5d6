//! Which page of a list is asked for.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Nobody turns so many pages.
const LAST: u32 = 100_000;

/// `?page=N`, counted from one. Any other page is a request that cannot be read.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    #[serde(default, deserialize_with = "number")]
    page: Option<u32>,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.parse::<u32>().ok().filter(|number| (1..=LAST).contains(number));
    number.map(Some).ok_or_else(|| D::Error::custom("a page is a number from 1"))
}

impl PageQuery {
    /// The number of the page, where one is asked for.
    pub(super) fn asked(&self) -> Option<u32> {
        self.page
    }

    /// The number of the page; the first where none is asked for.
    pub(super) fn number(&self) -> u32 {
        self.asked().unwrap_or(1)
    }

    /// How many items stand before the page where `a_page` stand on each.
    pub(super) fn offset(&self, a_page: u32) -> u32 {
        (self.number() - 1).saturating_mul(a_page)
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use axum::http::Uri;

    use super::*;

    fn place(query: &str) -> Option<(Option<u32>, u32, u32)> {
        let uri: Uri = format!("/reviews{query}").parse().unwrap();
        let Query(query) = Query::<PageQuery>::try_from_uri(&uri).ok()?;
        Some((query.asked(), query.number(), query.offset(30)))
    }

    #[test]
    fn pages_are_counted_from_one() {
        assert_eq!(place(""), Some((None, 1, 0)));
        assert_eq!(place("?other=x"), Some((None, 1, 0)));
        assert_eq!(place("?page=1"), Some((Some(1), 1, 0)));
        assert_eq!(place("?page=3"), Some((Some(3), 3, 60)));
        assert_eq!(place("?page=100000"), Some((Some(LAST), LAST, (LAST - 1) * 30)));
        for wrong in ["0", "-1", "1.5", "x", "", "100001", "99999999999999999999", "%00"] {
            assert_eq!(place(&format!("?page={wrong}")), None, "{wrong}");
        }
    }
}
