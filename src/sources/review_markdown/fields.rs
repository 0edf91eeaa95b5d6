//! The fields of a review, by the keys of Marquee and those of other programs that publish Markdown: Hugo, Jekyll,
//! Eleventy, Zola, Hexo, Astro and Pelican.

use super::super::front_matter::{FrontMatter, FrontMatterField, FrontMatterValue};
use super::MarkdownError;

/// What a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ReviewField {
    Title,
    Subtitle,
    Film,
    Year,
    Directors,
    Writers,
    Starring,
    ReleaseDate,
    Rating,
    Tags,
    Language,
    Poster,
    PosterAlt,
    Published,
    Updated,
    CanonicalUrl,
    FilmUrl,
    TmdbId,
    ImdbId,
    Spoilers,
}

/// The keys of each field, without `_` and `-`, in lower case. If a file has several of one field, the first one here
/// counts; tags are collected.
const KEYS: [(ReviewField, &[&str]); 20] = [
    (ReviewField::Title, &["title"]),
    (ReviewField::Subtitle, &["subtitle", "description", "summary", "excerpt", "deck", "tagline"]),
    (ReviewField::Film, &["film", "filmtitle", "movie", "movietitle"]),
    (ReviewField::Year, &["year", "filmyear", "releaseyear"]),
    (ReviewField::Directors, &["directors", "director", "directedby"]),
    (ReviewField::Writers, &["writers", "writer", "writtenby", "screenplay"]),
    (ReviewField::Starring, &["starring", "cast", "actors"]),
    (ReviewField::ReleaseDate, &["releasedate", "released"]),
    (ReviewField::Rating, &["rating", "score", "grade"]),
    (ReviewField::Tags, &["tags", "tag", "categories", "category", "keywords", "genres", "genre"]),
    (ReviewField::Language, &["language", "lang", "locale"]),
    (
        ReviewField::Poster,
        &[
            "poster",
            "cover",
            "coverimage",
            "image",
            "images",
            "featuredimage",
            "featureimage",
            "heroimage",
            "thumbnail",
        ],
    ),
    (ReviewField::PosterAlt, &["posteralt", "coveralt", "imagealt", "alt"]),
    (
        ReviewField::Published,
        &["published", "publishdate", "publishedat", "pubdate", "datepublished", "date"],
    ),
    (
        ReviewField::Updated,
        &["updated", "lastmod", "modified", "lastmodified", "lastmodifiedat", "dateupdated"],
    ),
    (ReviewField::CanonicalUrl, &["canonicalurl", "canonical"]),
    (ReviewField::FilmUrl, &["filmurl"]),
    (ReviewField::TmdbId, &["tmdbid", "tmdb"]),
    (ReviewField::ImdbId, &["imdbid", "imdb"]),
    (ReviewField::Spoilers, &["spoilers", "spoiler", "hasspoilers", "containsspoilers"]),
];

/// Keys of other programs that mean nothing here: where a page lies, how it is laid out and sorted, and what its theme
/// shows. Whatever stands in them is ignored.
const IGNORED: [&str; 68] = [
    "aliases",
    "asset",
    "assets",
    "audio",
    "author",
    "authorprofile",
    "authors",
    "cascade",
    "classes",
    "comment",
    "comments",
    "country",
    "duration",
    "eleventycomputed",
    "eleventynavigation",
    "excerptseparator",
    "featured",
    "guid",
    "header",
    "id",
    "insertanchorlinks",
    "insearchindex",
    "iscjklanguage",
    "keepalive",
    "layout",
    "letterboxdurl",
    "linktitle",
    "linktotitle",
    "markup",
    "math",
    "mathjax",
    "menu",
    "menus",
    "mermaid",
    "metadesc",
    "nav",
    "navorder",
    "outputs",
    "pagination",
    "parent",
    "path",
    "permalink",
    "pin",
    "pinned",
    "readingtime",
    "readtime",
    "redirectfrom",
    "related",
    "resources",
    "rewatch",
    "robots",
    "runtime",
    "series",
    "share",
    "showtoc",
    "sidebar",
    "sitemap",
    "slug",
    "template",
    "templateengineoverride",
    "toc",
    "tocsticky",
    "trailer",
    "translationkey",
    "type",
    "url",
    "watched",
    "weight",
];

/// Values of `layout` and `type` that only other pages of a site have.
const PAGE_KINDS: [&str; 11] = [
    "page", "pages", "static", "about", "home", "archive", "archives", "contact", "redirect", "search", "404",
];

/// Tables whose keys count as if they stood at the top; unknown ones among them belong to the site's theme.
const TABLES: [&str; 4] = ["extra", "params", "taxonomies", "data"];

/// The valid keys of Marquee itself.
pub(super) const OWN_KEYS: [&str; 18] = [
    "title",
    "subtitle",
    "film",
    "year",
    "directors",
    "writers",
    "starring",
    "release_date",
    "rating",
    "tags",
    "language",
    "poster",
    "poster_alt",
    "published",
    "updated",
    "canonical_url",
    "film_url",
    "spoilers",
];

/// A value with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldValue<'a> {
    pub(super) key: &'a str,
    pub(super) line: usize,
    pub(super) value: &'a FrontMatterValue,
}

/// The values of a front matter by field.
#[derive(Debug)]
pub(super) struct ReviewFields<'a> {
    front: &'a FrontMatter<'a>,
    /// Field, the rank of the key among those of the field, and the value.
    found: Vec<(ReviewField, usize, FieldValue<'a>)>,
    /// The line that says that the file is not meant for the public.
    pub(super) not_public: Option<String>,
}

impl<'a> ReviewFields<'a> {
    /// Sorts the keys of a front matter by what they mean.
    ///
    /// # Errors
    /// If one is unknown, or might say that the review is not meant for the public.
    pub(super) fn new(front: &'a FrontMatter<'a>) -> Result<Self, MarkdownError> {
        let mut fields = Self { front, found: Vec::new(), not_public: None };
        for field in &front.fields {
            fields.add(field, true)?;
        }
        fields.found.sort_by_key(|(field, rank, _)| (*field, *rank));
        Ok(fields)
    }

    fn add(&mut self, field: &'a FrontMatterField, is_strict: bool) -> Result<(), MarkdownError> {
        let key = normalize(&field.key);
        if let Some(is_public) = publicity(&key, &field.value) {
            if !is_public {
                let value = match &field.value {
                    FrontMatterValue::Text(text) => format!(": {text}"),
                    _ => String::new(),
                };
                self.not_public.get_or_insert(format!("`{}{value}` in line {}", field.key, field.line));
            }
            return Ok(());
        }
        if let FrontMatterValue::Table(inner) = &field.value
            && TABLES.contains(&key.as_str())
        {
            return inner.iter().try_for_each(|field| self.add(field, false));
        }
        if is_strict
            && matches!(key.as_str(), "layout" | "type")
            && let FrontMatterValue::Text(text) = &field.value
            && PAGE_KINDS.contains(&text.trim().to_lowercase().as_str())
        {
            let (key, text) = (field.key.clone(), text.trim().to_owned());
            return Err(MarkdownError::Page { line: field.line, key, text });
        }
        let known = KEYS.iter().find_map(|(about, keys)| {
            let rank = keys.iter().position(|known| *known == key)?;
            Some((*about, rank))
        });
        match known {
            Some((about, rank)) => {
                let value = FieldValue { key: &field.key, line: field.line, value: &field.value };
                self.found.push((about, rank, value));
                Ok(())
            }
            None if !is_strict || IGNORED.contains(&key.as_str()) => Ok(()),
            None => Err(MarkdownError::UnknownKey {
                line: field.line,
                key: field.key.clone(),
                nearest: nearest_key(&key),
            }),
        }
    }

    /// Returns the values of a field that are not empty, the most important key first.
    pub(super) fn all(&self, field: ReviewField) -> impl Iterator<Item = FieldValue<'a>> {
        let found =
            self.found.iter().filter(move |(about, _, _)| *about == field).map(|(_, _, value)| *value);
        found.filter(|found| *found.value != FrontMatterValue::Nothing)
    }

    /// Returns the value of a field.
    pub(super) fn get(&self, field: ReviewField) -> Option<FieldValue<'a>> {
        self.all(field).next()
    }

    /// Returns the text of a field.
    ///
    /// # Errors
    /// If the value is a list or a table.
    pub(super) fn text(
        &self,
        field: ReviewField,
    ) -> Result<Option<(&'a str, FieldValue<'a>)>, MarkdownError> {
        let Some(found) = self.get(field) else { return Ok(None) };
        match found.value {
            FrontMatterValue::Text(text) => {
                Ok(Some((text.trim(), found)).filter(|(text, _)| !text.is_empty()))
            }
            _ => Err(self.not_text(found, "expected text")),
        }
    }

    /// The error for a value that is a list or a table, but should be text.
    pub(super) fn not_text(&self, found: FieldValue<'a>, expected: &str) -> MarkdownError {
        let advice = self.front.quoting_advice(item_line(found.value).unwrap_or(found.line));
        found.error(&advice.map_or_else(|| expected.to_owned(), |advice| format!("{expected}; {advice}")))
    }
}

impl FieldValue<'_> {
    /// An error about this value.
    pub(super) fn error(&self, what: &str) -> MarkdownError {
        MarkdownError::Value { line: self.line, key: self.key.to_owned(), what: what.to_owned() }
    }
}

/// The line of a table in a list.
fn item_line(value: &FrontMatterValue) -> Option<usize> {
    let FrontMatterValue::List(items) = value else { return None };
    items.iter().find_map(|item| match item {
        FrontMatterValue::Table(fields) => Some(fields.first()?.line),
        _ => None,
    })
}

fn normalize(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Whether a key that decides about it says that the file is for the public; `None` for other keys. What it says in words
/// that are unknown is not public.
fn publicity(key: &str, value: &FrontMatterValue) -> Option<bool> {
    let text = match value {
        FrontMatterValue::Text(text) => text.trim().to_lowercase(),
        _ => String::new(),
    };
    let is_empty = match value {
        FrontMatterValue::Nothing => true,
        // Templates of posts have empty keys.
        FrontMatterValue::Text(_) => text.is_empty(),
        _ => false,
    };
    let no = is_empty || matches!(text.as_str(), "false" | "no" | "off" | "0" | "n");
    let yes = matches!(text.as_str(), "true" | "yes" | "on" | "1" | "y");
    match key {
        "draft"
        | "isdraft"
        | "drafts"
        | "private"
        | "hidden"
        | "unlisted"
        | "headless"
        | "eleventyexcludefromcollections" => Some(no),
        // Hugo also knows a date under this name.
        "published" if !is_empty && (yes || no) => Some(yes),
        "public" | "render" => Some(yes),
        "permalink" if !is_empty && no => Some(false),
        "status" | "visibility" => Some(matches!(text.as_str(), "published" | "publish" | "public")),
        // A page that is encrypted, or that is taken down at some time.
        "password" | "expirydate" | "unpublishdate" | "expires" | "build" => Some(is_empty),
        _ => None,
    }
}

/// Returns the valid key that an unknown one is most like.
fn nearest_key(key: &str) -> Option<&'static str> {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(key, &normalize(known));
    let nearest = OWN_KEYS.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(nearest) >= 0.5).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read_with, read_yaml};

    #[test]
    fn values_that_cannot_be_meant_are_refused_with_the_fix() {
        for (front, expected) in [
            (
                "directors:\n  - [x]",
                "line 3 of the file: `directors`: expected a list, or comma-separated text",
            ),
            ("starring:\n  - role: Ani", "line 3 of the file: `starring`: expected a list"),
            ("type: page", "line 3 of the file: `type: page` says that this is a page and no review"),
            ("layout: Page", "line 3 of the file: `layout: Page` says that this is a page and no review"),
            ("layout: archive", "line 3 of the file: `layout: archive` says"),
            ("rating: -1/5", "line 3 of the file: `rating`: a rating is not below zero: did you mean `1/5`?"),
            (
                "rating: \u{2212}2",
                "line 3 of the file: `rating`: a rating is not below zero: did you mean `2`?",
            ),
            (
                "rating: \"******\"",
                "line 3 of the file: `rating`: 6 out of how many? Write for example `6/10`",
            ),
            (
                "published: 1895-12-28",
                "line 3 of the file: `published`: a review cannot be of 1895, only of 1970 to",
            ),
            ("date: 9999-12-31", "line 3 of the file: `date`: a review cannot be of 9999"),
            (
                "film: Stalker (1979)\nyear: 1980",
                "line 3 of the file: `film`: the film is of 1979 here, but of 1980 in `year`",
            ),
        ] {
            let error = read_yaml(&format!("title: A\n{front}")).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{front:?}: {error}");
        }
        let rows = "---\ntitle: A\nrating: \"******\"\n---\nB";
        assert_eq!(read_with(rows, Some(10)).unwrap().content.rating.unwrap().as_str(), "6/10");
        let error = read_with(rows, Some(5)).unwrap_err().to_string();
        assert!(error.contains("6 out of how many?"), "{error}");
    }

    #[test]
    fn a_year_after_the_film_is_its_year() {
        for (film, more, expected) in [
            ("Stalker (1979)", "", ("Stalker", Some(1979))),
            ("Stalker (1979)", "year: 1979", ("Stalker", Some(1979))),
            ("Stalker (1979)", "release_date: 1980-04", ("Stalker", Some(1979))),
            ("1984 (1984)", "", ("1984", Some(1984))),
            ("(500) Days of Summer", "", ("(500) Days of Summer", None)),
            ("Stalker (Сталкер)", "", ("Stalker (Сталкер)", None)),
            ("Stalker (1066)", "", ("Stalker (1066)", None)),
            ("\"(1979)\"", "", ("(1979)", None)),
            ("Stalker", "year: 1979", ("Stalker", Some(1979))),
        ] {
            let read = read_yaml(&format!("title: A\nfilm: {film}\n{more}")).unwrap().film;
            assert_eq!((read.title.as_str(), read.year), expected, "{film} {more}");
        }
    }

    #[test]
    fn layouts_of_posts_are_none_of_pages() {
        for line in [
            "layout: post",
            "layout: review",
            "type: posts",
            "layout: layouts/page.njk",
            "layout:",
            "type: reviews",
        ] {
            assert!(read_yaml(&format!("title: A\n{line}")).is_ok(), "{line}");
        }
    }
}
