//! Which page of a list is asked for.

use serde::Deserialize;

/// Nobody turns so many pages; beyond it counts as it.
const LAST: u32 = 100_000;

/// `?page=N`, counted from one.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    page: Option<u32>,
}

impl PageQuery {
    /// The number of the page, where one is asked for.
    pub(super) fn asked(&self) -> Option<u32> {
        self.page.map(|number| number.clamp(1, LAST))
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
    use super::*;

    #[test]
    fn pages_are_counted_from_one() {
        let place = |page| {
            let query = PageQuery { page };
            (query.asked(), query.number(), query.offset(30))
        };
        assert_eq!(place(None), (None, 1, 0));
        assert_eq!(place(Some(0)), (Some(1), 1, 0));
        assert_eq!(place(Some(3)), (Some(3), 3, 60));
        assert_eq!(place(Some(u32::MAX)), (Some(LAST), LAST, (LAST - 1) * 30));
    }
}
