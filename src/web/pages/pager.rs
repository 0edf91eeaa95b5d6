//! Renders the links between the pages of a list.

use serde::Serialize;

/// The pagination links of a list.
#[derive(Debug, Serialize)]
pub(super) struct Pager {
    page: u32,
    pages: u32,
    newer: Option<String>,
    older: Option<String>,
}

impl Pager {
    /// The links on page `page` of `pages`, counted from one, of the list at `path`.
    pub(super) fn new(path: &str, page: u32, pages: u32) -> Self {
        Self::with_hrefs(page, pages, |page| match page {
            1 => path.to_owned(),
            _ => format!("{path}{}page={page}", if path.contains('?') { '&' } else { '?' }),
        })
    }

    /// The links on page `page` of `pages`, counted from one, if the pages have these addresses.
    pub(super) fn with_hrefs(page: u32, pages: u32, href: impl Fn(u32) -> String) -> Self {
        Self {
            page,
            pages,
            newer: (page > 1).then(|| href(page - 1)),
            older: (page < pages).then(|| href(page + 1)),
        }
    }
}
