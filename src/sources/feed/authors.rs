//! The names of the authors of an entry, or their addresses, which tell them apart as well.

use super::members::Members;
use crate::sources::html;

/// The maximum number of authors of one entry, and of characters of each name.
const MAX_AUTHORS: usize = 10;
const MAX_NAME_CHARS: usize = 100;

/// Returns the names that an entry gives: those of the most exact member that it has. Atom's `source` names those of the feed
/// that it was taken from (RFC 4287 section 4.2.11). If it gives no name, its authors are called by their addresses.
pub(super) fn of_entry(members: &Members) -> Vec<String> {
    let paths = ["dc:creator", "author/name", "author", "itunes:author", "source/author/name"];
    let names = first_found(members, &paths, name);
    let by_address =
        || first_found(members, &["dc:creator", "author/email", "author", "author/uri"], address);
    if names.is_empty() { by_address() } else { names }
}

/// Returns the names that a feed gives for all its entries, or else the addresses of its authors.
pub(super) fn of_feed(members: &Members) -> Vec<String> {
    let names = first_found(members, &["author/name", "dc:creator", "itunes:author", "managingEditor"], name);
    let by_address =
        || first_found(members, &["author/email", "dc:creator", "managingEditor", "author/uri"], address);
    if names.is_empty() { by_address() } else { names }
}

fn first_found(members: &Members, paths: &[&str], read: fn(&str) -> Option<String>) -> Vec<String> {
    let found = paths.iter().map(|path| author_names(members.all(path).filter_map(read)));
    found.into_iter().find(|names| !names.is_empty()).unwrap_or_default()
}

/// Returns the name in a text such as `mail@crit.example (Odette Larkin)`, the form of RSS 2.0, or
/// `Odette Larkin <mail@crit.example>`. The markup of other elements has none.
fn name(text: &str) -> Option<String> {
    let name = match text.split_once(['(', '<']) {
        Some((before, rest)) if before.contains('@') => rest.trim_end().trim_end_matches([')', '>']),
        Some((before, rest)) if rest.contains('@') => before,
        _ => text,
    };
    (!name.contains(['@', '<']) && !is_uri(name)).then(|| name.to_owned())
}

/// Returns the first e-mail address in a text, or the text if it is a URL.
fn address(text: &str) -> Option<String> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | ',' | ';');
    let email = || text.split(is_end).find(|word| word.contains('@'));
    let found = Some(text.trim()).filter(|text| is_uri(text)).or_else(email)?;
    Some(found.trim_start_matches("mailto:").to_owned())
}

fn is_uri(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("https://") || text.starts_with("http://")
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
            ("author", "Odette Larkin &lt;odette@crit.example&gt;", vec!["Odette Larkin"]),
            ("author", "odette@crit.example", vec!["odette@crit.example"]),
            ("author", "odette@crit.example ()", vec!["odette@crit.example"]),
            ("dc:creator", "mailto:ben@crit.example", vec!["ben@crit.example"]),
            ("author/email", "ben@crit.example", vec!["ben@crit.example"]),
            ("author/uri", "https://crit.example/ben", vec!["https://crit.example/ben"]),
            ("author", "<name>Odette</name><email>o@crit.example</email>", vec!["o@crit.example"]),
            ("author", "<role>Critic</role>", vec![]),
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
        let mut members = Members::default();
        for (path, text) in [("author", "ben@crit.example"), ("itunes:author", "Ben")] {
            members.add(path, &format!("<m>{text}</m>"));
        }
        assert_eq!(of_entry(&members), ["Ben"], "a name is more exact than an address");
    }
}
