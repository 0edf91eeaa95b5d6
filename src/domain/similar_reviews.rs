//! Recognizes an entry that is probably the same review as another one, and is therefore held for the critic.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::body_text::visible_text;
use super::content_hash::fold_letters;
use super::review::ReviewContent;

/// Whether two entries may be the same review: the same film with a similar headline, or a similar text that is not about
/// another film. Critics repeat themselves in notes about the films of a series.
pub fn is_similar(a: &ReviewContent, b: &ReviewContent) -> bool {
    (is_same_film(a, b) && are_titles_similar(&a.title, &b.title))
        || (!is_other_film(a, b) && are_texts_similar(&a.body, &b.body))
}

/// Whether two entries are certainly versions of one review, even if headline, id and URL differ.
pub fn is_version(a: &ReviewContent, b: &ReviewContent) -> bool {
    !is_other_film(a, b) && is_same_text(&a.body, &b.body)
}

/// Whether two entries have the same text, although they name different films: the name may have been mended. Critics repeat
/// short notes about the films of a series, so that the text must be long, or the names must differ by a letter or two.
pub fn is_version_about_another_film(a: &ReviewContent, b: &ReviewContent) -> bool {
    is_same_text(&a.body, &b.body)
        && (words_of(&a.body).len() >= MIN_UNIQUE_WORDS || is_misspelt(&a.film.title, &b.film.title))
}

/// Whether two names differ in spelling alone. Sequels differ by a number.
pub(super) fn is_misspelt(a: &str, b: &str) -> bool {
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    digits(a) == digits(b)
        && strsim::normalized_damerau_levenshtein(&fold_letters(a), &fold_letters(b)) >= 0.8
}

/// Whether both name a film, and not the same one. A title that was mended has some of its words still.
fn is_other_film(a: &ReviewContent, b: &ReviewContent) -> bool {
    let are_named = !a.film.title.is_empty() && !b.film.title.is_empty();
    are_named && !are_titles_similar(&a.film.title, &b.film.title)
}

fn is_same_film(a: &ReviewContent, b: &ReviewContent) -> bool {
    let (one, other) = (fold_letters(&a.film.title), fold_letters(&b.film.title));
    let years = a.film.year.zip(b.film.year).is_none_or(|(x, y)| x == y);
    !one.is_empty() && one == other && years
}

/// Whether the titles share at least half of all their words.
pub(super) fn are_titles_similar(a: &str, b: &str) -> bool {
    let (a, b) = (folded_words(a), folded_words(b));
    let (a, b): (HashSet<_>, HashSet<_>) = (a.into_iter().collect(), b.into_iter().collect());
    let both = a.intersection(&b).count();
    let either = a.union(&b).count();
    either > 0 && both * 2 >= either
}

/// Only this many words of a text are compared.
const MAX_COMPARED_WORDS: usize = 20_000;
/// Texts with fewer shingles than this may be similar by chance.
const MIN_SHINGLES: usize = 20;
/// Texts with this many words are written once.
const MIN_UNIQUE_WORDS: usize = 100;
/// The hashes of a fingerprint.
const MIN_HASHES: usize = 16;

/// Whether the texts share at least 60 percent of their shingles, which are runs of four words.
fn are_texts_similar(a: &str, b: &str) -> bool {
    let shingles = |html: &str| -> HashSet<u64> { shingles(&words_of(html)).collect() };
    let (a, b) = (shingles(a), shingles(b));
    if a.len().min(b.len()) < MIN_SHINGLES {
        return false;
    }
    let both = a.intersection(&b).count();
    both * 10 >= (a.len() + b.len() - both) * 6
}

/// Whether two bodies are versions of one text: nine tenths of the words of the shorter one are in the longer one, which has
/// at most two fifths more.
pub(super) fn is_same_text(a: &str, b: &str) -> bool {
    let (a, b) = (words_of(a), words_of(b));
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if shorter.len() < MIN_SHINGLES || shorter.len() * 7 < longer.len() * 5 {
        return false;
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in &longer {
        *counts.entry(word).or_default() += 1;
    }
    let shared = shorter.iter().filter(|word| {
        let count = counts.get_mut(word.as_str()).filter(|count| **count > 0);
        count.is_some_and(|count| {
            *count -= 1;
            true
        })
    });
    shared.count() * 10 >= shorter.len() * 9
}

/// Returns the fingerprint of a text, by which similar texts are found without comparing each with each (Broder, "On the
/// resemblance and containment of documents", 1997). Two texts share each hash with the probability with which they share a
/// shingle. Of a text of which a tenth of the words were changed, hardly any share none; those that share most are compared.
/// Empty if the text is too short to be compared.
pub fn fingerprint(body: &str) -> Vec<i64> {
    let mut min = [u64::MAX; MIN_HASHES];
    let mut count = 0;
    for shingle in shingles(&words_of(body)) {
        count += 1;
        for (least, seed) in min.iter_mut().zip(1_u64..) {
            *least = (*least).min(mix(shingle ^ mix(seed)));
        }
    }
    if count < MIN_SHINGLES {
        return Vec::new();
    }
    let mut hashes: Vec<i64> =
        min.iter().zip(0..).map(|(least, number): (_, u64)| mix(number ^ least).cast_signed()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Mixes the bits of a number (the finalizer of `SplitMix64`).
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The words of a body that are compared.
fn words_of(body: &str) -> Vec<String> {
    let mut words = folded_words(&visible_text(body));
    words.truncate(MAX_COMPARED_WORDS);
    words
}

/// The hashes of all runs of four words. They are stored, and therefore the same in each version of Rust.
fn shingles(words: &[String]) -> impl Iterator<Item = u64> + '_ {
    words.windows(4).map(|run| {
        let mut hasher = SipHasher13::new();
        for word in run {
            hasher.write(word.as_bytes());
            hasher.write_u8(0);
        }
        hasher.finish()
    })
}

fn folded_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(fold_letters).filter(|w| !w.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::content_hash::tests::{content, prose};
    use super::*;

    #[test]
    fn reviews_are_similar_if_their_texts_are_or_their_film_and_headline() {
        let one = content("Anora Is Among the Best of 2024", "Anora", &prose(1));
        let retitled = content("'Anora' is Among the Year's Best", "Anora", &prose(2));
        let elsewhere = content("Something else", "", &format!("{} and more", prose(1)));
        let again = content("Second thoughts on a favourite", "Anora", &prose(3));
        let remake = {
            let mut d = content("Anora Is Among the Best of 2024", "Anora", &prose(4));
            d.film.year = Some(1999);
            d
        };
        let dated = {
            let mut d = one.clone();
            d.film.year = Some(2024);
            d
        };
        assert!(is_similar(&one, &retitled));
        assert!(is_similar(&one, &elsewhere));
        assert!(!is_similar(&one, &again));
        assert!(!is_similar(&dated, &remake));
        assert!(!is_similar(&content("x", "", ""), &content("x", "", "")), "there is nothing to compare");
        let sequel = content("Something else", "Tangerine", &one.body);
        assert!(!is_similar(&one, &sequel) && !is_version(&one, &sequel), "it is about another film");
        let note = one.body.split_inclusive(' ').take(40).collect::<String>();
        let about = |film: &str, body: &str| content(&format!("{film} at the Harbour"), film, body);
        for (film, other, body, is_version) in [
            ("Anora", "Anroa", note.as_str(), true),
            ("Anora", "Tangerine", note.as_str(), false),
            ("Scream 2", "Scream 3", note.as_str(), false),
            ("Anora", "Tangerine", one.body.as_str(), true),
            ("Anora", "Anroa", again.body.as_str(), true),
        ] {
            let (one, other) = (about(film, body), about(other, &format!("{body} and more")));
            assert_eq!(is_version_about_another_film(&one, &other), is_version, "{film} {body}");
        }
        assert!(!is_version_about_another_film(&one, &again));
        let mended = content("The lamp", "The Lamp That Did Not Light", &one.body);
        assert!(is_version(
            &content("'The Lamp That Did Not Lite' is out", "The Lamp That Did Not Lite", &one.body),
            &mended
        ));
    }

    #[test]
    fn a_text_that_was_mended_is_the_same_text() {
        let words: Vec<String> = prose(1).split(' ').map(str::to_owned).collect();
        let mut mended = words.clone();
        for (at, word) in mended.iter_mut().enumerate().filter(|(at, _)| at % 12 == 0) {
            *word = format!("other{at}");
        }
        let text = words.join(" ");
        assert!(is_same_text(&text, &mended.join(" ")), "eleven of twelve words are the same");
        assert!(is_same_text(&text, &format!("<p>{text}</p><p>One more sentence, and nothing else.</p>")));
        assert!(!is_same_text(&text, &format!("{text} {text}")), "it is twice as long");
        assert!(!is_same_text(&text, &prose(2)));
        assert!(!is_same_text("A short text", "A short text"), "it may be the same by chance");
    }

    /// A text of 200 words out of 5,000.
    fn text(seed: u64) -> Vec<String> {
        (0..200).map(|n| format!("w{}", mix(seed * 1_000 + n) % 5_000)).collect()
    }

    fn shared_hashes(a: &[String], b: &[String]) -> usize {
        let (a, b) = (fingerprint(&a.join(" ")), fingerprint(&b.join(" ")));
        assert!(a.len() == MIN_HASHES && b.len() == MIN_HASHES, "{a:?} {b:?}");
        a.iter().filter(|hash| b.contains(hash)).count()
    }

    #[test]
    fn texts_of_which_a_tenth_was_changed_share_hashes_and_others_do_not() {
        let mut missed = [0, 0, 0];
        let mut strangers = 0;
        for seed in 0..1_000 {
            let words = text(seed);
            let change = |is_changed: &dyn Fn(u64) -> bool| -> Vec<String> {
                let words = words.iter().zip(0..);
                words
                    .map(|(word, at)| if is_changed(at) { format!("new{at}") } else { word.clone() })
                    .collect()
            };
            // Every tenth word, each word with a chance of a tenth, and a tenth at the end.
            let edits = [
                change(&|at| at % 10 == seed % 10),
                change(&|at| mix(seed << 32 | at).is_multiple_of(10)),
                change(&|at| at >= 180),
            ];
            for (missed, edited) in missed.iter_mut().zip(edits) {
                *missed += usize::from(shared_hashes(&words, &edited) == 0);
            }
            strangers += usize::from(shared_hashes(&words, &text(seed + 10_000)) > 0);
        }
        println!("missed of 1,000: {missed:?}; strangers that share a hash: {strangers}");
        assert!(missed.iter().all(|missed| *missed < 10), "{missed:?}");
        assert!(strangers < 10, "{strangers}");
    }

    #[test]
    fn reviews_with_the_same_paragraph_about_their_author_rank_below_a_version() {
        let bio: Vec<String> = (0..40).map(|n| format!("bio{n}")).collect();
        let review = |seed: u64| -> Vec<String> { text(seed).into_iter().chain(bio.clone()).collect() };
        let one = review(1);
        let mended: Vec<String> = one
            .iter()
            .zip(0..)
            .map(|(word, at)| if at % 12 == 0 { format!("new{at}") } else { word.clone() })
            .collect();
        let most = (2..500).map(|seed| shared_hashes(&one, &review(seed))).max();
        assert!(most < Some(shared_hashes(&one, &mended)), "{most:?}");
    }

    #[test]
    fn stored_fingerprints_stay_valid() {
        assert!(fingerprint("<p>A short text.</p>").is_empty());
        assert_eq!(
            fingerprint(&text(1).join(" "))[0],
            -7_813_430_266_231_619_005,
            "another value needs a migration such as 0017, which has the stored ones computed again"
        );
    }
}
