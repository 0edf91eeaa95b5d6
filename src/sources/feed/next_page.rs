//! Finds the next, older page of a feed: by its links (RFC 5005, `next_url` of JSON Feed), by its OpenSearch numbers, or by
//! the parameter that WordPress takes.

use url::Url;

/// The relations of the IANA registry may be written as URLs (RFC 4287 section 4.2.7.2).
const IANA_RELATIONS: &str = "http://www.iana.org/assignments/relation/";

/// What a document says about the other pages of its feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageHints {
    /// The next page of a paged feed.
    pub next: Option<String>,
    /// The previous archive of an archived feed.
    pub prev_archive: Option<String>,
    /// Whether the document says that it is the whole feed (`fh:complete`).
    pub is_complete: bool,
    /// The number of all entries (`openSearch:totalResults`).
    pub total: Option<u64>,
    /// The number of the first entry of this page, from 1 (`openSearch:startIndex`).
    pub start: Option<u64>,
    /// The size of a page (`openSearch:itemsPerPage`).
    pub page_size: Option<u64>,
    /// The software that generated the feed.
    pub generator: Option<String>,
}

/// The next page of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextPage {
    /// This is the last page, as far as the document says.
    None,
    /// It is at this URL, which has the origin of this page.
    At(Url),
    /// It is on another server.
    Elsewhere(Url),
}

impl PageHints {
    /// Notes a `<link>` of the feed.
    pub(super) fn add_link(&mut self, relation: Option<&str>, href: Option<&str>) {
        let relation = relation.unwrap_or_default().trim();
        let relation = relation.strip_prefix(IANA_RELATIONS).unwrap_or(relation);
        let href = href.map(str::trim).filter(|href| !href.is_empty()).map(str::to_owned);
        if relation.eq_ignore_ascii_case("next") {
            self.next = self.next.take().or(href);
        } else if relation.eq_ignore_ascii_case("prev-archive") {
            self.prev_archive = self.prev_archive.take().or(href);
        }
    }

    /// Notes the text of an element of the feed; returns whether the element is about nothing but pages.
    pub(super) fn add_element(&mut self, local_name: &str, text: &str) -> bool {
        match local_name {
            "totalResults" => self.total = text.parse().ok(),
            "startIndex" => self.start = text.parse().ok(),
            "itemsPerPage" => self.page_size = text.parse().ok(),
            "generator" => {
                self.generator = Some(text.to_owned());
                return false;
            }
            _ => return false,
        }
        true
    }

    fn is_of(&self, generator: &str) -> bool {
        self.generator.as_ref().is_some_and(|name| name.to_ascii_lowercase().contains(generator))
    }

    /// Returns the page after this one, which was fetched from `url` and has so many entries.
    pub(super) fn next_page(&self, url: &Url, entries: usize) -> NextPage {
        if let Some(next) = self.next.as_ref().and_then(|href| url.join(href).ok()) {
            return same_origin(next, url);
        }
        if self.is_complete {
            return NextPage::None;
        }
        if let Some(archive) = self.prev_archive.as_ref().and_then(|href| url.join(href).ok()) {
            return same_origin(archive, url);
        }
        if entries == 0 || !matches!(url.scheme(), "https" | "http") {
            return NextPage::None;
        }
        if self.total.is_some() && (self.is_of("blogger") || parameter(url, "start-index").is_some()) {
            return self.next_by_numbers(url, entries);
        }
        if self.is_of("wordpress") {
            let page = parameter(url, "paged").unwrap_or(1).saturating_add(1);
            return NextPage::At(with_parameters(url, &[("paged", page)]));
        }
        NextPage::None
    }

    /// The next page of a Blogger feed that has no link to it.
    fn next_by_numbers(&self, url: &Url, entries: usize) -> NextPage {
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        let size = self.page_size.filter(|size| *size > 0).unwrap_or(entries);
        let start = self.start.unwrap_or(1).saturating_add(size);
        if self.total.is_some_and(|total| start > total) {
            return NextPage::None;
        }
        NextPage::At(with_parameters(url, &[("start-index", start), ("max-results", size)]))
    }
}

/// Whether a page at this URL may be one that the feed does not have: feeds of WordPress do not say how many they have.
pub fn is_guessed(url: &Url) -> bool {
    parameter(url, "paged").is_some()
}

/// A next page must have the origin of this one. Blogs of Blogger link to the same page at `www.blogger.com`, with a number
/// that works at their own address, too. A link without TLS leads to the same server with it.
fn same_origin(mut next: Url, url: &Url) -> NextPage {
    if next.scheme() == "http" && next.port().is_none() && url.scheme() == "https" {
        let _ = next.set_scheme("https");
    }
    next.set_fragment(None);
    if next.origin() == url.origin() && url.origin().is_tuple() {
        return NextPage::At(next);
    }
    match (parameter(&next, "start-index"), parameter(&next, "max-results")) {
        (Some(start), Some(size)) if url.origin().is_tuple() => {
            NextPage::At(with_parameters(url, &[("start-index", start), ("max-results", size)]))
        }
        _ => NextPage::Elsewhere(next),
    }
}

fn parameter(url: &Url, name: &str) -> Option<u64> {
    url.query_pairs().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
}

/// Returns the URL with these parameters, instead of others of those names.
fn with_parameters(url: &Url, parameters: &[(&str, u64)]) -> Url {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| parameters.iter().all(|(name, _)| key != name))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let mut next = url.clone();
    next.set_fragment(None);
    next.query_pairs_mut()
        .clear()
        .extend_pairs(kept)
        .extend_pairs(parameters.iter().map(|(name, value)| (*name, value.to_string())));
    next
}

#[cfg(test)]
mod tests;
