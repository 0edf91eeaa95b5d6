//! Full text: the words of a review, those that a reader asks for, and the excerpt that shows them.
//!
//! Both databases are given the same words, made here, and nothing else: no text of a reader's ever reaches the query
//! language of either. A word of three letters is that word; a longer one is also the beginning of longer ones, so that
//! `ferr` finds ferries in any language.

use std::collections::BTreeSet;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

use super::browse_index;
use super::feed_entry::visible_text;
use super::hash::sha256_hex;
use super::id::CriticId;
use super::rating::Rating;
use super::review::Review;
use super::time::Timestamp;

/// The longest word, in bytes: no word is longer, but a row of letters can be.
const LONGEST_WORD: usize = 60;

/// Words that are looked for at once.
pub const MAX_QUERY_WORDS: usize = 10;

/// The longest query, in characters.
pub const MAX_QUERY_LENGTH: usize = 200;

/// From how many characters on a word is also the beginning of others.
const SHORTEST_BEGINNING: usize = 4;

/// What is indexed of a text, in bytes of words. No review is so long; PostgreSQL would refuse it.
const MOST_BYTES: usize = 500_000;

/// A word that is looked for, in the form in which words are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchTerm(String);

impl SearchTerm {
    /// Letters and digits, nothing else.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether words that begin with it are meant, too.
    pub fn is_prefix(&self) -> bool {
        self.0.chars().count() >= SHORTEST_BEGINNING
    }

    fn fits(&self, word: &str) -> bool {
        if self.is_prefix() { word.starts_with(&self.0) } else { word == self.0 }
    }
}

/// The words of a query, the first [`MAX_QUERY_WORDS`] of them, each once.
pub fn parse_query(query: &str) -> Vec<SearchTerm> {
    let mut wanted: Vec<SearchTerm> = Vec::new();
    for (_, word) in tokenize(query) {
        let word = SearchTerm(word);
        if wanted.len() < MAX_QUERY_WORDS && !wanted.contains(&word) {
            wanted.push(word);
        }
    }
    wanted
}

/// What the index has of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDocument {
    /// The words of its headline, its film, those who made it, and its tags.
    pub head: BTreeSet<String>,
    /// The words of its text.
    pub body: BTreeSet<String>,
    /// What it can be filtered by.
    pub filters: BTreeSet<String>,
}

impl SearchDocument {
    /// Differs where anything that is indexed does, or the place of the review among others.
    pub fn hash(&self, original_date: Timestamp) -> String {
        // No word has a line break in it, and none is empty.
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

/// The words of a public review.
pub fn index_review(review: &Review) -> SearchDocument {
    let draft = &review.content;
    let film = &draft.film;
    let year = browse_index::release_year(film).map(|year| year.to_string());
    let lines = [Some(&draft.title), draft.subtitle.as_ref(), Some(&film.title), year.as_ref()];
    let head = lines.into_iter().flatten().chain(&film.directors).chain(&film.writers);
    let head = head.chain(&film.stars).chain(&draft.tags).flat_map(|line| tokenize(line));
    let text = visible_text(&draft.body);
    let mut room = MOST_BYTES;
    let body = tokenize(&text).map(|(_, word)| word).take_while(|word| {
        room = room.saturating_sub(word.len());
        room > 0
    });
    let mut marks: BTreeSet<String> = browse_index::browse_entries(review)
        .iter()
        .filter(|place| !place.slug.is_empty())
        .map(|place| mark(place.kind, &place.slug))
        .collect();
    let rank = draft.rating.as_ref().map(Rating::rank);
    // Who asks for three stars means four, too.
    marks.extend(
        (0..=step(rank.unwrap_or(0))).filter(|_| rank.is_some()).map(|step| format!("{AT_LEAST}{step}")),
    );
    marks.insert(PUBLIC_FILTER.to_owned());
    SearchDocument { head: head.map(|(_, word)| word).collect(), body: body.collect(), filters: marks }
}

/// The mark of all reviews.
pub const PUBLIC_FILTER: &str = "public";

/// Which of twenty steps, each a quarter of a star, is next to a rank.
const fn step(rank: u16) -> u16 {
    (rank + 25) / 50
}

const AT_LEAST: &str = "atleast";

/// The mark of reviews whose rating has that rank ([`Rating::rank`]) or a higher one.
pub fn min_rating_filter(rank: u16) -> String {
    format!("{AT_LEAST}{}", step(rank))
}

/// The mark of reviews with a tag, by its slug.
pub fn tag_filter(slug: &str) -> String {
    mark(browse_index::BrowseKind::Tag.as_str(), slug)
}

/// The mark of reviews of films by or with somebody, by the person's slug.
pub fn person_filter(slug: &str) -> String {
    mark(browse_index::BrowseKind::Person.as_str(), slug)
}

/// The mark of a critic's reviews.
pub fn critic_filter(critic: CriticId) -> String {
    mark(browse_index::BrowseKind::Critic.as_str(), &browse_index::critic_slug(critic))
}

/// Short, and of letters and digits alone.
fn mark(kind: &str, slug: &str) -> String {
    let hash = sha256_hex(slug.as_bytes());
    format!("{kind}{}", hash.get(..20).unwrap_or(&hash))
}

/// The words of a text, where each stands, and how it is compared: lower case, Latin letters without accents,
/// apostrophes left out. Where a script puts no space between words, each of its characters is one.
pub fn tokenize(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = rest.find(|(_, c)| c.is_alphanumeric())?;
            let mut end = start + first.len_utf8();
            let mut word = String::new();
            fold(first, &mut word);
            if !stands_alone(first) {
                while let Some((at, c)) = rest.next_if(|(_, c)| continues(*c)) {
                    // Where it ends is no apostrophe: that one closes what it stands in.
                    end = if is_apostrophe(c) { end } else { at + c.len_utf8() };
                    fold(c, &mut word);
                }
            }
            let cut = word.floor_char_boundary(LONGEST_WORD);
            word.truncate(cut);
            if !word.is_empty() {
                return Some((start..end, word));
            }
        }
    })
}

/// Whether a character goes on with the word before it.
fn continues(c: char) -> bool {
    let is_letter = c.is_alphanumeric() && !stands_alone(c);
    is_letter || is_apostrophe(c) || unicode_normalization::char::is_combining_mark(c)
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{ad}')
}

/// Characters of scripts without spaces.
const fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Adds a character as it is compared.
fn fold(c: char, word: &mut String) {
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
        // An accent that stands beside its Latin letter goes; marks of other scripts are part of the word.
        if !word.ends_with(|last: char| last.is_ascii()) {
            word.push(c);
        }
    } else {
        word.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
    }
}

/// A part of a text that is shown: one of the words that were looked for, or what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptSpan {
    /// As it stands in the text.
    pub text: String,
    /// Whether it was looked for.
    pub is_match: bool,
}

/// How much of a text an excerpt shows, in bytes.
const EXCERPT: usize = 260;

/// The part of a review's text with the most of these words, and where they are in it; none where it has none of them.
/// What the review folds away is not shown.
pub fn excerpt(html: &str, wanted: &[SearchTerm]) -> Option<Vec<ExcerptSpan>> {
    let text = unfolded(html).split_whitespace().collect::<Vec<_>>().join(" ");
    let hits = hits(&text, wanted);
    let best = (0..hits.len()).map(|first| (within(&hits, first), first));
    // The most different words; the first such place.
    let (_, first) = best.max_by_key(|(different, first)| (*different, usize::MAX - first))?;
    let (start, end) = window(&text, &hits[first].0);
    let inside = hits.iter().filter(|(place, _)| place.start >= start && place.end <= end);
    let mut pieces = pieces(&text, start..end, inside.map(|(place, _)| place.clone()));
    if start > 0 {
        pieces.insert(0, ExcerptSpan { text: "… ".to_owned(), is_match: false });
    }
    if end < text.len() {
        pieces.push(ExcerptSpan { text: " …".to_owned(), is_match: false });
    }
    Some(pieces)
}

/// A line with the words that were looked for.
pub fn highlight(line: &str, wanted: &[SearchTerm]) -> Vec<ExcerptSpan> {
    let hits = hits(line, wanted);
    pieces(line, 0..line.len(), hits.into_iter().map(|(place, _)| place))
}

/// The text without what stands in `<details>`: it opens when a reader wants it to.
fn unfolded(html: &str) -> String {
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

/// Where a text has words that are wanted, and which.
fn hits(text: &str, wanted: &[SearchTerm]) -> Vec<(Range<usize>, usize)> {
    let hit = |(place, word): (Range<usize>, String)| {
        wanted.iter().position(|wanted| wanted.fits(&word)).map(|which| (place, which))
    };
    tokenize(text).filter_map(hit).collect()
}

/// How many different words an excerpt would show that leads up to a hit.
fn within(hits: &[(Range<usize>, usize)], first: usize) -> usize {
    let end = hits[first].0.start + EXCERPT * 3 / 4;
    let inside = hits[first..].iter().take_while(|(place, _)| place.end <= end);
    inside.map(|(_, which)| which).collect::<BTreeSet<_>>().len()
}

/// An excerpt around a place: from a space to a space.
fn window(text: &str, hit: &Range<usize>) -> (usize, usize) {
    let start = match text.floor_char_boundary(hit.start.saturating_sub(EXCERPT / 4)) {
        0 => 0,
        from => text[from..hit.start].find(' ').map_or(hit.start, |space| from + space + 1),
    };
    let to = text.floor_char_boundary(text.len().min(start + EXCERPT)).max(hit.end);
    if to == text.len() {
        return (start, to);
    }
    (start, text[..to].rfind(' ').filter(|end| *end >= hit.end).unwrap_or(to))
}

fn pieces(text: &str, part: Range<usize>, hits: impl Iterator<Item = Range<usize>>) -> Vec<ExcerptSpan> {
    let mut pieces = Vec::new();
    let mut at = part.start;
    let mut push = |range: Range<usize>, is_hit| {
        if !range.is_empty() {
            pieces.push(ExcerptSpan { text: text[range].to_owned(), is_match: is_hit });
        }
    };
    for hit in hits {
        push(at..hit.start, false);
        at = hit.end;
        push(hit, true);
    }
    push(at..part.end, false);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Vec<String> {
        tokenize(text).map(|(_, word)| word).collect()
    }

    fn shown(pieces: &[ExcerptSpan]) -> String {
        pieces.iter().map(|p| if p.is_match { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn words_are_compared_without_case_and_accents() {
        assert_eq!(folded("Agnès VARDA's “Cléo”, 5–7"), ["agnes", "vardas", "cleo", "5", "7"]);
        assert_eq!(folded("Agne\u{300}s Łódź Straße Øst"), ["agnes", "lodz", "strasse", "ost"]);
        assert_eq!(folded("Сталкер й"), ["сталкер", "й"]);
        assert_eq!(folded("東京物語"), ["東", "京", "物", "語"]);
        assert_eq!(folded("\"\" * NEAR( -- ^ ' OR :"), ["near", "or"]);
        assert_eq!(folded(&"a".repeat(5000))[0].len(), LONGEST_WORD);
    }

    #[test]
    fn a_query_is_so_many_words() {
        let words: Vec<String> =
            parse_query("the The FERRY the").iter().map(|w| w.as_str().to_owned()).collect();
        assert_eq!(words, ["the", "ferry"]);
        let many: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
        assert_eq!(parse_query(&many.join(" ")).len(), MAX_QUERY_WORDS);
        assert!(parse_query("the")[0].fits("the") && !parse_query("the")[0].fits("there"));
        assert!(parse_query("ferr")[0].fits("ferries"));
    }

    #[test]
    fn an_excerpt_shows_where_the_words_are() {
        let html = format!(
            "<p>{}The <em>ferry</em> leaves &amp; nobody waves at the ferries.</p><details><summary>End</summary>\
             <details><p>a</p></details><p>The sisters drown.</p></details><p>{}</p>",
            "Rain falls on it. ".repeat(30),
            "Then it is dark. ".repeat(30)
        );
        let found =
            excerpt(&html, &parse_query("ferry wave")).map(|pieces| shown(&pieces)).unwrap_or_default();
        assert!(found.contains("The [ferry] leaves & nobody [waves] at the"), "{found}");
        assert!(found.starts_with("… ") && found.ends_with(" …") && found.len() < 2 * EXCERPT, "{found}");
        assert_eq!(excerpt(&html, &parse_query("drown")), None, "what is folded away is not told");
        assert_eq!(excerpt(&html, &[]), None);
        assert_eq!(
            shown(&highlight("'Cléo' & the Ferry's", &parse_query("cleo ferrys"))),
            "'[Cléo]' & the [Ferry's]"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,400}", query in "\\PC{0,40}") {
            let wanted = parse_query(&query);
            if let Some(pieces) = excerpt(&text, &wanted) {
                prop_assert!(pieces.iter().any(|piece| piece.is_match));
            }
            let whole: String = highlight(&text, &wanted).iter().map(|p| p.text.as_str()).collect();
            prop_assert_eq!(whole, text);
        }

        #[test]
        fn a_word_has_nothing_that_a_database_could_read(text in "\\PC{0,60}") {
            for word in parse_query(&text) {
                prop_assert!(!word.as_str().contains(['\'', '"', '*', '\\', ':', ' ', '\0']), "{:?}", word);
            }
        }
    }
}
