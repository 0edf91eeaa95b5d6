//! Full-text search: the words and filters that are indexed, the terms of a query, and excerpts of results.
//!
//! Both databases index the same words, which this module makes. A reader's text never reaches the query
//! language of either database. A term of up to three characters matches whole words; a longer term matches
//! prefixes, so that `ferr` finds `ferries` in any language.

use std::collections::BTreeSet;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

use super::body_text::visible_text;
use super::browse_index;
use super::hash::sha256_hex;
use super::id::CriticId;
use super::rating::Rating;
use super::review::Review;
use super::time::Timestamp;

/// The longest word, in bytes. Longer runs of letters are truncated.
const MAX_WORD_BYTES: usize = 60;

/// The most terms of a query.
pub const MAX_QUERY_WORDS: usize = 10;

/// The longest query, in characters.
pub const MAX_QUERY_LENGTH: usize = 200;

/// A term of at least this many characters also matches longer words.
const MIN_PREFIX_LENGTH: usize = 4;

/// The most bytes of words indexed per review. No real review is that long, and PostgreSQL would reject it.
const MAX_INDEXED_BYTES: usize = 500_000;

/// A term of a query, normalized as [`tokenize`] does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchTerm(String);

impl SearchTerm {
    /// The term, which consists of letters and digits only.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the term also matches words that start with it.
    pub fn is_prefix(&self) -> bool {
        self.0.chars().count() >= MIN_PREFIX_LENGTH
    }

    fn matches(&self, word: &str) -> bool {
        if self.is_prefix() { word.starts_with(&self.0) } else { word == self.0 }
    }
}

/// Parses a query into its first [`MAX_QUERY_WORDS`] distinct terms.
pub fn parse_query(query: &str) -> Vec<SearchTerm> {
    let mut terms: Vec<SearchTerm> = Vec::new();
    for (_, word) in tokenize(query) {
        let word = SearchTerm(word);
        if terms.len() < MAX_QUERY_WORDS && !terms.contains(&word) {
            terms.push(word);
        }
    }
    terms
}

/// The data that is indexed for a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDocument {
    /// The words of the headline, the film, its credits and the tags.
    pub head: BTreeSet<String>,
    /// The words of the body.
    pub body: BTreeSet<String>,
    /// The filter tokens by which the review can be found.
    pub filters: BTreeSet<String>,
}

impl SearchDocument {
    /// Returns a hash that changes if the indexed data or the date by which results are sorted changes.
    pub fn hash(&self, original_date: Timestamp) -> String {
        // No word is empty or contains a line break.
        let mut text = original_date.millis().to_string();
        for words in [&self.head, &self.body, &self.filters] {
            text.push('\n');
            for word in words {
                text.push('\n');
                text.push_str(word);
            }
        }
        sha256_hex(text.as_bytes())
    }
}

/// Returns the data to index for a public review.
pub fn index_review(review: &Review) -> SearchDocument {
    let content = &review.content;
    let film = &content.film;
    let year = browse_index::release_year(film).map(|year| year.to_string());
    let lines = [Some(&content.title), content.subtitle.as_ref(), Some(&film.title), year.as_ref()];
    let head = lines.into_iter().flatten().chain(&film.directors).chain(&film.writers);
    let head = head.chain(&film.stars).chain(&content.tags).flat_map(|line| tokenize(line));
    let text = visible_text(&content.body);
    let mut remaining = MAX_INDEXED_BYTES;
    let body = tokenize(&text).map(|(_, word)| word).take_while(|word| {
        remaining = remaining.saturating_sub(word.len());
        remaining > 0
    });
    let mut filters: BTreeSet<String> = browse_index::browse_entries(review)
        .iter()
        .filter(|entry| !entry.slug.is_empty())
        .map(|entry| filter_token(entry.kind.as_str(), &entry.slug))
        .collect();
    let rank = content.rating.as_ref().map(Rating::rank);
    // A filter for at least three stars also finds four stars, so there is a token for each step up to the rating.
    filters.extend(
        (0..=rank_step(rank.unwrap_or(0)))
            .filter(|_| rank.is_some())
            .map(|step| format!("{MIN_RATING_PREFIX}{step}")),
    );
    filters.insert(PUBLIC_FILTER.to_owned());
    SearchDocument { head: head.map(|(_, word)| word).collect(), body: body.collect(), filters }
}

/// The filter token of all public reviews.
pub const PUBLIC_FILTER: &str = "public";

/// Rounds a rank to one of twenty steps, each a quarter of a star.
const fn rank_step(rank: u16) -> u16 {
    (rank + 25) / 50
}

const MIN_RATING_PREFIX: &str = "atleast";

/// The filter token of reviews whose rating has at least this rank ([`Rating::rank`]).
pub fn min_rating_filter(rank: u16) -> String {
    format!("{MIN_RATING_PREFIX}{}", rank_step(rank))
}

/// The filter token of reviews with a tag, given its slug.
pub fn tag_filter(slug: &str) -> String {
    filter_token(browse_index::BrowseKind::Tag.as_str(), slug)
}

/// The filter token of reviews of a person's films, given the person's slug.
pub fn person_filter(slug: &str) -> String {
    filter_token(browse_index::BrowseKind::Person.as_str(), slug)
}

/// The filter token of a critic's reviews.
pub fn critic_filter(critic: CriticId) -> String {
    filter_token(browse_index::BrowseKind::Critic.as_str(), &browse_index::critic_slug(critic))
}

/// Makes a short filter token that consists of letters and digits only.
fn filter_token(kind: &str, slug: &str) -> String {
    let hash = sha256_hex(slug.as_bytes());
    format!("{kind}{}", hash.get(..20).unwrap_or(&hash))
}

/// Splits a text into words, each with its range and its normalized form: lower case, Latin letters without
/// accents, no apostrophes. In scripts without spaces between words, each character is a word.
pub fn tokenize(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = rest.find(|(_, c)| c.is_alphanumeric())?;
            let mut end = start + first.len_utf8();
            let mut word = String::new();
            push_normalized(first, &mut word);
            if !is_single_character_word(first) {
                while let Some((at, c)) = rest.next_if(|(_, c)| continues_word(*c)) {
                    // An apostrophe at the end of a word is a closing quotation mark.
                    end = if is_apostrophe(c) { end } else { at + c.len_utf8() };
                    push_normalized(c, &mut word);
                }
            }
            let cut = word.floor_char_boundary(MAX_WORD_BYTES);
            word.truncate(cut);
            if !word.is_empty() {
                return Some((start..end, word));
            }
        }
    })
}

/// Whether the character continues a word.
fn continues_word(c: char) -> bool {
    let is_letter = c.is_alphanumeric() && !is_single_character_word(c);
    is_letter || is_apostrophe(c) || unicode_normalization::char::is_combining_mark(c)
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{ad}')
}

/// Whether the character belongs to a script without spaces.
const fn is_single_character_word(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Appends the normalized form of a character.
fn push_normalized(c: char, word: &mut String) {
    if c.is_ascii_alphanumeric() {
        word.push(c.to_ascii_lowercase());
        return;
    }
    if is_apostrophe(c) {
        return;
    }
    let spelled = match c {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' => "d",
        'ı' => "i",
        _ => "",
    };
    if !spelled.is_empty() {
        word.push_str(spelled);
        return;
    }
    let first = c.nfd().next().unwrap_or(c);
    if first.is_ascii_alphanumeric() {
        word.push(first.to_ascii_lowercase());
    } else if unicode_normalization::char::is_combining_mark(c) {
        // Combining accents on Latin letters are dropped; marks of other scripts are part of the word.
        if !word.ends_with(|last: char| last.is_ascii()) {
            word.push(c);
        }
    } else {
        word.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
    }
}

/// A span of an excerpt: a match, or the text between two matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptSpan {
    /// The original text.
    pub text: String,
    /// Whether it matches a term.
    pub is_match: bool,
}

/// The length of an excerpt, in bytes.
const EXCERPT_BYTES: usize = 260;

/// Returns the part of a review's body with the most distinct terms, or `None` if no term matches. Text in
/// `<details>` is not shown, since it may contain spoilers.
pub fn excerpt(html: &str, terms: &[SearchTerm]) -> Option<Vec<ExcerptSpan>> {
    let text = text_outside_details(html).split_whitespace().collect::<Vec<_>>().join(" ");
    let matches = find_matches(&text, terms);
    let best = (0..matches.len()).map(|first| (count_distinct_terms(&matches, first), first));
    // The most distinct terms win, and of those the first.
    let (_, first) = best.max_by_key(|(different, first)| (*different, usize::MAX - first))?;
    let (start, end) = excerpt_range(&text, &matches[first].0);
    let inside = matches.iter().filter(|(range, _)| range.start >= start && range.end <= end);
    let mut spans = split_spans(&text, start..end, inside.map(|(range, _)| range.clone()));
    if start > 0 {
        spans.insert(0, ExcerptSpan { text: "… ".to_owned(), is_match: false });
    }
    if end < text.len() {
        spans.push(ExcerptSpan { text: " …".to_owned(), is_match: false });
    }
    Some(spans)
}

/// Splits a line into matches and the text between them.
pub fn highlight(line: &str, terms: &[SearchTerm]) -> Vec<ExcerptSpan> {
    let matches = find_matches(line, terms);
    split_spans(line, 0..line.len(), matches.into_iter().map(|(range, _)| range))
}

/// Returns the visible text outside `<details>`.
fn text_outside_details(html: &str) -> String {
    let mut open = String::new();
    let (mut rest, mut depth) = (html, 0_u32);
    loop {
        let begins = rest.find("<details").unwrap_or(rest.len());
        let ends = rest.find("</details>").unwrap_or(rest.len());
        let at = begins.min(ends);
        if depth == 0 {
            open.push_str(&rest[..at]);
        }
        if at == rest.len() {
            return visible_text(&open);
        }
        let is_end = ends < begins;
        depth = if is_end { depth.saturating_sub(1) } else { depth + 1 };
        rest = rest[at..].find('>').map_or("", |end| &rest[at + end + 1..]);
    }
}

/// Returns the ranges of all matches, each with the index of its term.
fn find_matches(text: &str, terms: &[SearchTerm]) -> Vec<(Range<usize>, usize)> {
    let found = |(range, word): (Range<usize>, String)| {
        terms.iter().position(|term| term.matches(&word)).map(|term| (range, term))
    };
    tokenize(text).filter_map(found).collect()
}

/// Counts the distinct terms in an excerpt that begins near the match `first`.
fn count_distinct_terms(matches: &[(Range<usize>, usize)], first: usize) -> usize {
    let end = matches[first].0.start + EXCERPT_BYTES * 3 / 4;
    let inside = matches[first..].iter().take_while(|(range, _)| range.end <= end);
    inside.map(|(_, term)| term).collect::<BTreeSet<_>>().len()
}

/// Returns the range of an excerpt around a match, from space to space.
fn excerpt_range(text: &str, found: &Range<usize>) -> (usize, usize) {
    let start = match text.floor_char_boundary(found.start.saturating_sub(EXCERPT_BYTES / 4)) {
        0 => 0,
        from => text[from..found.start].find(' ').map_or(found.start, |space| from + space + 1),
    };
    let to = text.floor_char_boundary(text.len().min(start + EXCERPT_BYTES)).max(found.end);
    if to == text.len() {
        return (start, to);
    }
    (start, text[..to].rfind(' ').filter(|end| *end >= found.end).unwrap_or(to))
}

fn split_spans(
    text: &str,
    part: Range<usize>,
    matches: impl Iterator<Item = Range<usize>>,
) -> Vec<ExcerptSpan> {
    let mut spans = Vec::new();
    let mut at = part.start;
    let mut push = |range: Range<usize>, is_match| {
        if !range.is_empty() {
            spans.push(ExcerptSpan { text: text[range].to_owned(), is_match });
        }
    };
    for found in matches {
        push(at..found.start, false);
        at = found.end;
        push(found, true);
    }
    push(at..part.end, false);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Vec<String> {
        tokenize(text).map(|(_, word)| word).collect()
    }

    fn marked_up(spans: &[ExcerptSpan]) -> String {
        spans.iter().map(|p| if p.is_match { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn words_are_compared_without_case_and_accents() {
        assert_eq!(folded("Agnès VARDA's “Cléo”, 5–7"), ["agnes", "vardas", "cleo", "5", "7"]);
        assert_eq!(folded("Agne\u{300}s Łódź Straße Øst"), ["agnes", "lodz", "strasse", "ost"]);
        assert_eq!(folded("Сталкер й"), ["сталкер", "й"]);
        assert_eq!(folded("東京物語"), ["東", "京", "物", "語"]);
        assert_eq!(folded("\"\" * NEAR( -- ^ ' OR :"), ["near", "or"]);
        assert_eq!(folded(&"a".repeat(5000))[0].len(), MAX_WORD_BYTES);
    }

    #[test]
    fn a_query_is_parsed_into_distinct_terms() {
        let words: Vec<String> =
            parse_query("the The FERRY the").iter().map(|w| w.as_str().to_owned()).collect();
        assert_eq!(words, ["the", "ferry"]);
        let many: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
        assert_eq!(parse_query(&many.join(" ")).len(), MAX_QUERY_WORDS);
        assert!(parse_query("the")[0].matches("the") && !parse_query("the")[0].matches("there"));
        assert!(parse_query("ferr")[0].matches("ferries"));
    }

    #[test]
    fn an_excerpt_shows_the_matches() {
        let html = format!(
            "<p>{}The <em>ferry</em> leaves &amp; nobody waves at the ferries.</p><details><summary>End</summary>\
             <details><p>a</p></details><p>The sisters drown.</p></details><p>{}</p>",
            "Rain falls on it. ".repeat(30),
            "Then it is dark. ".repeat(30)
        );
        let found =
            excerpt(&html, &parse_query("ferry wave")).map(|spans| marked_up(&spans)).unwrap_or_default();
        assert!(found.contains("The [ferry] leaves & nobody [waves] at the"), "{found}");
        assert!(
            found.starts_with("… ") && found.ends_with(" …") && found.len() < 2 * EXCERPT_BYTES,
            "{found}"
        );
        assert_eq!(excerpt(&html, &parse_query("drown")), None, "collapsed text is not in the excerpt");
        assert_eq!(excerpt(&html, &[]), None);
        assert_eq!(
            marked_up(&highlight("'Cléo' & the Ferry's", &parse_query("cleo ferrys"))),
            "'[Cléo]' & the [Ferry's]"
        );
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "\\PC{0,400}", query in "\\PC{0,40}") {
            let terms = parse_query(&query);
            if let Some(spans) = excerpt(&text, &terms) {
                prop_assert!(spans.iter().any(|piece| piece.is_match));
            }
            let whole: String = highlight(&text, &terms).iter().map(|p| p.text.as_str()).collect();
            prop_assert_eq!(whole, text);
        }

        #[test]
        fn a_term_contains_no_query_syntax_of_a_database(text in "\\PC{0,60}") {
            for word in parse_query(&text) {
                prop_assert!(!word.as_str().contains(['\'', '"', '*', '\\', ':', ' ', '\0']), "{:?}", word);
            }
        }
    }
}
