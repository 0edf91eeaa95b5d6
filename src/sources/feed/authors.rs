//! The names of the authors of an entry.

use super::members::Members;
use crate::sources::html;

/// The maximum number of authors of one entry, and of characters of each name.
const MAX_AUTHORS: usize = 10;
const MAX_NAME_CHARS: usize = 100;

/// Returns the names that an entry gives: those of the most exact member that it has. Atom's `source` names those of the feed
/// that it was taken from (RFC 4287 section 4.2.11).
pub(super) fn of_entry(members: &Members) -> Vec<String> {
    first_named(members, &["dc:creator", "author/name", "author", "itunes:author", "source/author/name"])
}

/// Returns the names that a feed gives for all its entries.
pub(super) fn of_feed(members: &Members) -> Vec<String> {
    first_named(members, &["author/name", "dc:creator", "itunes:author", "managingEditor"])
}

fn first_named(members: &Members, paths: &[&str]) -> Vec<String> {
    let named = paths.iter().map(|path| author_names(members.all(path).filter_map(person)));
    named.into_iter().find(|names| !names.is_empty()).unwrap_or_default()
}

/// Returns the name in a text such as `mail@crit.example (Odette Larkin)`, the form of RSS 2.0. An address alone is no name, and
/// neither is the markup of other elements.
fn person(text: &str) -> Option<String> {
    let name = match text.split_once('(') {
        Some((before, rest)) if before.contains('@') => rest.trim_end().trim_end_matches(')'),
        _ => text,
    };
    (!name.contains(['@', '<'])).then(|| name.to_owned())
}

/// Returns names one by one, without those that come twice.
pub(super) fn author_names(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for text in texts.take(MAX_AUTHORS) {
        for name in text.replace(" and ", ",").replace('&', ",").split(',') {
            let name = html::single_line_text(name, MAX_NAME_CHARS);
            if !name.is_empty() && !names.contains(&name) && names.len() < MAX_AUTHORS {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_authors_are_read_in_all_their_forms() {
        for (path, text, names) in [
            ("dc:creator", "<![CDATA[Odette Larkin]]>", vec!["Odette Larkin"]),
            ("dc:creator", "Odette Larkin &amp; Ben Okoro", vec!["Odette Larkin", "Ben Okoro"]),
            ("author", "odette@crit.example (Odette Larkin)", vec!["Odette Larkin"]),
            ("author", "odette@crit.example", vec![]),
            ("author", "<name>Odette</name><email>o@crit.example</email>", vec![]),
            ("author/name", " Odette\n Larkin ", vec!["Odette Larkin"]),
            ("itunes:author", "Odette, Ben and Odette", vec!["Odette", "Ben"]),
            ("source/author/name", "Ben", vec!["Ben"]),
        ] {
            let mut members = Members::default();
            members.add(path, &format!("<m>{text}</m>"));
            assert_eq!(of_entry(&members), names, "{text}");
        }
        let mut members = Members::default();
        for (path, text) in [("itunes:author", "The Show"), ("dc:creator", "Odette"), ("dc:creator", "Ben")] {
            members.add(path, &format!("<m>{text}</m>"));
        }
        assert_eq!(of_entry(&members), ["Odette", "Ben"]);
    }
}
