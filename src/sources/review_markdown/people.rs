//! The people and texts that front matter lists.

use super::MarkdownError;
use super::fields::{FieldValue, ReviewField, ReviewFields};
use crate::sources::front_matter::{FrontMatterField, FrontMatterValue};
use crate::sources::{credits, html};

/// The maximum number of names in one list.
const MAX_NAMES: usize = 40;
/// The maximum length of a name in characters.
const MAX_NAME_CHARS: usize = 100;

/// Returns the texts of a list, or the parts of comma-separated text.
pub(super) fn texts(fields: &ReviewFields<'_>, found: FieldValue<'_>) -> Result<Vec<String>, MarkdownError> {
    let mut texts: Vec<String> = Vec::new();
    match found.value {
        FrontMatterValue::Text(text) => {
            for part in text.split(',').map(str::trim) {
                match texts.last_mut() {
                    // `Robert Downey, Jr.` is one name.
                    Some(last) if matches!(part, "Jr." | "Sr." | "Jr" | "Sr" | "II" | "III") => {
                        last.push_str(", ");
                        last.push_str(part);
                    }
                    _ => texts.push(part.to_owned()),
                }
            }
        }
        value => {
            let items =
                if let FrontMatterValue::List(items) = value { items } else { std::slice::from_ref(value) };
            for item in items {
                match item {
                    FrontMatterValue::Text(text) => texts.push(text.clone()),
                    FrontMatterValue::Nothing => {}
                    FrontMatterValue::Table(parts) if name_in(parts).is_some() => {
                        texts.extend(name_in(parts).map(str::to_owned));
                    }
                    FrontMatterValue::Table(_) | FrontMatterValue::List(_) => {
                        return Err(fields.not_text(found, "expected a list, or comma-separated text"));
                    }
                }
            }
        }
    }
    let clean = texts.iter().map(|text| html::single_line_text(text, MAX_NAME_CHARS));
    Ok(clean.filter(|text| !text.is_empty()).take(MAX_NAMES).collect())
}

/// Returns the name in a table that describes a person: `- name: Mikey Madison`, perhaps with a role.
fn name_in(parts: &[FrontMatterField]) -> Option<&str> {
    let part = parts.iter().find(|part| part.key.eq_ignore_ascii_case("name"))?;
    if let FrontMatterValue::Text(name) = &part.value { Some(name) } else { None }
}

/// Returns the names of people. A text is split like the credits in a feed: `Joel Coen & Ethan Coen` are two.
pub(super) fn people(fields: &ReviewFields<'_>, field: ReviewField) -> Result<Vec<String>, MarkdownError> {
    let Some(found) = fields.get(field) else { return Ok(Vec::new()) };
    if let FrontMatterValue::Text(text) = found.value
        && let Some(names) = credits::names_of_people(text, field == ReviewField::Starring)
    {
        return Ok(names.iter().map(|name| html::single_line_text(name, MAX_NAME_CHARS)).collect());
    }
    texts(fields, found)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read_yaml;

    #[test]
    fn names_of_people_are_split_like_credits() {
        for (value, names) in [
            ("Joel Coen & Ethan Coen", vec!["Joel Coen", "Ethan Coen"]),
            ("Joel Coen and Ethan Coen", vec!["Joel Coen", "Ethan Coen"]),
            ("Joel and Ethan Coen", vec!["Joel and Ethan Coen"]),
            ("Anna Boden, Ryan Fleck und Sean Baker", vec!["Anna Boden", "Ryan Fleck", "Sean Baker"]),
            ("Robert Downey, Jr.", vec!["Robert Downey, Jr."]),
            ("[Joel Coen & Ethan Coen]", vec!["Joel Coen & Ethan Coen"]),
            ("3%, x", vec!["3%", "x"]),
            ("{name: Sean Baker}", vec!["Sean Baker"]),
            ("\n  - name: Sean Baker\n    role: x\n  - Mikey Madison", vec!["Sean Baker", "Mikey Madison"]),
        ] {
            let film = read_yaml(&format!("title: A\ndirector: {value}\nwriters: {value}")).unwrap().film;
            assert_eq!(
                (&film.directors, &film.writers),
                (&names.iter().map(|n| (*n).to_owned()).collect(), &film.directors),
                "{value}"
            );
        }
        let cast = read_yaml("title: A\ncast: Zendaya and Josh O'Connor").unwrap().film.stars;
        assert_eq!(cast, ["Zendaya", "Josh O'Connor"]);
    }
}
