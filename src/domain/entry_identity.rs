//! Tells whether an entry that has the id or the link of a known one is that entry. Some feeds number their entries by position,
//! give each one the address of the blog as id, or link to a page that several reviews share.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::body_text::visible_text;
use super::content_hash::fold_letters;
use super::review::{ContentField, Review, ReviewContent};
use super::similar_reviews::{are_titles_similar, is_misspelt, is_same_text};

/// What an entry is that has the id or the link of the entry of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryIdentity {
    /// The entry of that review.
    Same,
    /// Perhaps another review: it must not replace this one.
    Unclear,
    /// Another review. The id or link that both have identifies neither.
    Other,
}

/// How far two values agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Equal,
    Similar,
    Different,
}

/// Letters of the runs that two texts are compared by. Texts in Japanese or Chinese have no words to compare.
const RUN_LETTERS: usize = 10;
/// Only this many letters of a text are compared.
const MAX_COMPARED_LETTERS: usize = 100_000;

impl EntryIdentity {
    /// Compares a review with an entry that has the id or the link of its entry. `has_other_id` says that the other one of the
    /// two is not the same.
    ///
    /// A critic rewrites a text or a headline, and a blog changes its ids or links, but not all of that together with the date.
    pub fn find(review: &Review, new: &ReviewContent, has_other_id: bool) -> Self {
        use Likeness::{Different, Equal, Similar};
        let old = &review.content;
        let is_corrected = |field| review.corrected.contains(&field);
        let text = match text_likeness(&old.body, &new.body) {
            Different if is_corrected(ContentField::Body) => Similar,
            text => text,
        };
        let name = match name_likeness(old, new) {
            Different if is_corrected(ContentField::Title) || is_corrected(ContentField::Film) => Similar,
            name => name,
        };
        let dates = old.published.zip(new.published);
        let has_other_date = !is_corrected(ContentField::Published)
            && dates.is_some_and(|(old, new)| old.truncate_to_second() != new.truncate_to_second());
        match (text, name) {
            (Equal, Different) | (Different, Similar) if has_other_date && has_other_id => Self::Other,
            // A long signature is in all texts.
            (Equal, Different) if has_other_date && !is_same_text(&old.body, &new.body) => Self::Unclear,
            (Equal, _) => Self::Same,
            (Different, Different) if has_other_date || dates.is_none() && has_other_id => Self::Other,
            (Different, Different) => Self::Unclear,
            (Different, Equal) if has_other_date && has_other_id && !is_same_title(old, new) => Self::Other,
            (_, Equal) if has_other_date && has_other_id => Self::Unclear,
            // Some blogs have the same headline above each review.
            (Different, Equal) if dates.is_none() && !names_films(old, new) => Self::Unclear,
            // A critic reviews a film once more; who rewrites a text keeps its date.
            (Different, Equal) if has_other_date => Self::Unclear,
            (_, Equal) => Self::Same,
            (Different, Similar) if dates.is_none() => Self::Unclear,
            _ if has_other_date || has_other_id => Self::Unclear,
            _ => Self::Same,
        }
    }
}

/// Whether both name a film.
fn names_films(a: &ReviewContent, b: &ReviewContent) -> bool {
    !a.film.title.is_empty() && !b.film.title.is_empty()
}

fn is_same_title(a: &ReviewContent, b: &ReviewContent) -> bool {
    fold_letters(&a.title) == fold_letters(&b.title)
}

/// Compares the films, or the headlines if not both name a film: some blogs have the same headline above each review.
fn name_likeness(a: &ReviewContent, b: &ReviewContent) -> Likeness {
    let (a, b) = match (a.film.title.as_str(), b.film.title.as_str()) {
        ("", _) | (_, "") => (a.title.as_str(), b.title.as_str()),
        films => films,
    };
    if fold_letters(a) == fold_letters(b) {
        Likeness::Equal
    } else if are_titles_similar(a, b) || is_misspelt(a, b) {
        Likeness::Similar
    } else {
        Likeness::Different
    }
}

/// Compares two texts by how much of the shorter one is in the longer one. Without a text there is nothing that differs.
fn text_likeness(a: &str, b: &str) -> Likeness {
    if is_same_text(a, b) {
        return Likeness::Equal;
    }
    let (a, b) = (runs(a), runs(b));
    let shorter = a.len().min(b.len());
    if shorter == 0 {
        return Likeness::Similar;
    }
    let both = a.intersection(&b).count();
    if both * 3 >= shorter * 2 {
        Likeness::Equal
    } else if both * 4 >= shorter {
        Likeness::Similar
    } else {
        Likeness::Different
    }
}

/// The hashes of all runs of letters of a body.
fn runs(body: &str) -> HashSet<u64> {
    let text = fold_letters(&visible_text(body));
    let letters: Vec<char> = text.chars().take(MAX_COMPARED_LETTERS).collect();
    let hash = |run: &[char]| {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        hasher.finish()
    };
    letters.windows(RUN_LETTERS.min(letters.len().max(1))).map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::super::content_hash::tests::{content, prose};
    use super::super::id::{ActivityId, CriticId, ReviewId};
    use super::super::review::ReviewState;
    use super::super::time::Timestamp;
    use super::*;

    fn review(content: ReviewContent, corrected: &[ContentField]) -> Review {
        let now = Timestamp::from_millis(5_000);
        Review {
            id: ReviewId::new(now),
            critic: CriticId::new(now),
            create_activity: ActivityId::new(now),
            slug: "a".into(),
            state: ReviewState::Published,
            content,
            poster: None,
            feed: None,
            corrected: corrected.to_vec(),
            original_date: now,
            released_at: now,
            revised_at: None,
            retracted_at: None,
        }
    }

    /// A review of a day.
    fn on(day: i64, title: &str, film: &str, body: &str) -> ReviewContent {
        let published = Some(Timestamp::from_millis(day * 86_400_000));
        ReviewContent { published, ..content(title, film, body) }
    }

    #[test]
    fn an_entry_is_another_one_if_its_names_its_text_and_its_date_are_others() {
        use EntryIdentity::{Other, Same, Unclear};
        let (one, two) = (prose(1), prose(2));
        let half = format!("{} {}", &one[..one.len() / 2], &two[two.len() / 2..]);
        let longer = format!("{one} {two}");
        let old = review(on(1, "A Ferry at Dusk", "Anora", &one), &[]);
        // Title, film, text and day of the new entry; what it is with the other id, and what without.
        for (title, film, body, day, with_id, without_id) in [
            ("A Ferry at Dusk", "Anora", one.as_str(), 1, Same, Same),
            ("A Ferry at Dawn", "Anora", one.as_str(), 2, Same, Same),
            ("What the Lamp Saw", "", one.as_str(), 1, Same, Same),
            ("A Ferry at Dusk", "Anora", two.as_str(), 1, Same, Same),
            ("A Ferry at Dusk", "Anora", two.as_str(), 2, Unclear, Unclear),
            ("The Second Visit", "Anora", two.as_str(), 2, Unclear, Other),
            ("What the Lamp Saw", "Tangerine", two.as_str(), 2, Other, Other),
            ("A Ferry at Dusk", "Tangerine", two.as_str(), 2, Other, Other),
            ("What the Lamp Saw", "Tangerine", two.as_str(), 1, Unclear, Unclear),
            ("What the Lamp Saw", "Tangerine", half.as_str(), 2, Unclear, Unclear),
            ("What the Lamp Saw", "Tangerine", half.as_str(), 1, Same, Unclear),
            ("What the Lamp Saw", "Tangerine", one.as_str(), 2, Same, Other),
            ("What the Lamp Saw", "Tangerine", "", 2, Unclear, Unclear),
            ("A Ferry at Dusk", "Anora", &longer, 2, Same, Same),
            ("A Ferry at Dusk", "Anora 2", two.as_str(), 2, Unclear, Other),
        ] {
            let new = on(day, title, film, body);
            let found = [false, true].map(|has_other_id| EntryIdentity::find(&old, &new, has_other_id));
            assert_eq!(found, [with_id, without_id], "{title} {film} {day} {}", &body[..body.len().min(20)]);
        }
    }

    #[test]
    fn without_dates_another_id_must_differ_too() {
        let old = review(content("A Ferry at Dusk", "Anora", &prose(1)), &[]);
        let new = content("What the Lamp Saw", "Tangerine", &prose(2));
        assert_eq!(EntryIdentity::find(&old, &new, true), EntryIdentity::Other);
        assert_eq!(EntryIdentity::find(&old, &new, false), EntryIdentity::Unclear);
        let find = |old, title: &str, film: &str, body: &str| {
            EntryIdentity::find(&review(old, &[]), &content(title, film, body), false)
        };
        let film = || content("A Ferry at Dusk", "Anora", &prose(1));
        assert_eq!(find(film(), "What the Lamp Saw", "Anora 2", &prose(2)), EntryIdentity::Unclear);
        assert_eq!(find(film(), "A Ferry at Dusk", "Anora", &prose(2)), EntryIdentity::Same);
        let week = || content("Film of the Week", "", &prose(1));
        assert_eq!(find(week(), "Film of the Week", "", &prose(2)), EntryIdentity::Unclear);
        assert_eq!(
            find(week(), "Film of the Week", "", &format!("{} {}", prose(1), prose(2))),
            EntryIdentity::Same
        );
    }

    #[test]
    fn texts_without_spaces_are_compared() {
        let old =
            review(on(1, "東京物語", "東京物語", "尾道に住む老夫婦が東京で暮らす子どもたちを訪ねる。"), &[]);
        let other = on(2, "七人の侍", "七人の侍", "野武士に襲われる村の百姓たちが侍を雇って戦う。");
        assert_eq!(EntryIdentity::find(&old, &other, false), EntryIdentity::Other);
        let longer =
            on(2, "七人の侍", "七人の侍", "尾道に住む老夫婦が東京で暮らす子どもたちを訪ねる。静かだ。");
        assert_eq!(EntryIdentity::find(&old, &longer, false), EntryIdentity::Unclear);
    }

    #[test]
    fn what_the_critic_corrected_proves_nothing() {
        let old = on(1, "A Ferry at Dusk", "Anora", &prose(1));
        let new = on(2, "What the Lamp Saw", "Tangerine", &prose(2));
        for field in [ContentField::Title, ContentField::Film, ContentField::Body, ContentField::Published] {
            let old = review(old.clone(), &[field]);
            assert_eq!(EntryIdentity::find(&old, &new, false), EntryIdentity::Unclear, "{field:?}");
        }
    }
}
