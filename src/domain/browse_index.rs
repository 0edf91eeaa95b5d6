//! The shelves of the archive, and which of them a review stands on.

use unicode_normalization::UnicodeNormalization as _;

use super::film::Film;
use super::id::CriticId;
use super::review::{Review, slug};

/// What the reviews of a shelf have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowseKind {
    /// That they are public.
    All,
    /// Their critic.
    Critic,
    /// Their film.
    Film,
    /// Somebody who made their films, or plays in them.
    Person,
    /// A tag.
    Tag,
    /// The rating that their critic gave.
    Rating,
}

impl BrowseKind {
    /// The name under which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Critic => "critic",
            Self::Film => "film",
            Self::Person => "person",
            Self::Tag => "tag",
            Self::Rating => "rating",
        }
    }
}

/// What somebody did in a film, each a bit of [`BrowseEntry::roles`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditRole {
    /// Directed it.
    Director = 1,
    /// Wrote it.
    Writer = 2,
    /// Stars in it.
    Star = 4,
}

impl CreditRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Director, Self::Writer, Self::Star];

    /// The bit that stands for it.
    pub const fn bit(self) -> i64 {
        self as i64
    }

    /// Its name in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Director => "director",
            Self::Writer => "writer",
            Self::Star => "star",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A review's place on a shelf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrowseEntry {
    /// The kind of the shelf, by its name.
    pub kind: &'static str,
    /// The last part of the shelf's address.
    pub slug: String,
    /// What the review calls it.
    pub name: String,
    /// Where the shelf stands among those of its kind.
    pub sort: String,
    /// What a person did, as bits of [`CreditRole`]; 0 on other shelves.
    pub roles: i64,
}

/// The longest slug, less the year that may follow.
const LONGEST: usize = 74;

/// What the shelf of a name is called in addresses; empty where the name has neither letter nor digit, and no shelf.
/// Names that differ in case, accents or punctuation share one.
pub fn browse_slug(name: &str) -> String {
    let composed: String = name.nfc().collect();
    slug(&composed)
}

/// The year of a film's release.
pub fn release_year(film: &Film) -> Option<i16> {
    film.year.or_else(|| film.release_date.map(jiff::civil::Date::year))
}

/// The slug of a film's shelf: its title and year, so that a remake has one of its own. None where the title is not
/// known.
pub fn film_slug(film: &Film) -> Option<String> {
    let title: String = browse_slug(&film.title).chars().take(LONGEST).collect();
    let title = title.trim_end_matches('-');
    if title.is_empty() {
        return None;
    }
    Some(release_year(film).map_or_else(|| title.to_owned(), |year| format!("{title}-{year}")))
}

/// The shelf of all reviews.
pub const ALL_REVIEWS_SLUG: &str = "";

/// The shelf of a critic.
pub fn critic_slug(critic: CriticId) -> String {
    critic.to_string()
}

/// Every shelf that a review stands on, in order; none where it is not public.
pub fn browse_entries(review: &Review) -> Vec<BrowseEntry> {
    if !review.state.is_public() {
        return Vec::new();
    }
    let place = |kind: BrowseKind, slug: String, name: String, sort: String| BrowseEntry {
        kind: kind.as_str(),
        slug,
        name,
        sort,
        roles: 0,
    };
    let draft = &review.content;
    let mut places = vec![
        place(BrowseKind::All, ALL_REVIEWS_SLUG.to_owned(), String::new(), String::new()),
        place(BrowseKind::Critic, critic_slug(review.critic), String::new(), String::new()),
    ];
    if let Some(slug) = film_slug(&draft.film) {
        let year = release_year(&draft.film).map(|year| format!(" ({year})")).unwrap_or_default();
        let sort = sort_of_title(&slug);
        places.push(place(BrowseKind::Film, slug, format!("{}{year}", draft.film.title), sort));
    }
    for tag in &draft.tags {
        let slug = browse_slug(tag);
        places.push(place(BrowseKind::Tag, slug.clone(), tag.clone(), slug));
    }
    if let Some(rating) = &draft.rating {
        let sort = format!("{:04}", 1000 - rating.rank());
        places.push(place(BrowseKind::Rating, rating.slug(), rating.to_canonical(), sort));
    }
    places.extend(people(&draft.film));
    places.retain(|place| !place.slug.is_empty() || place.kind == BrowseKind::All.as_str());
    places.sort();
    places.dedup_by(|one, other| one.kind == other.kind && one.slug == other.slug);
    places
}

/// Who made the film, each once with all that they did.
fn people(film: &Film) -> Vec<BrowseEntry> {
    let mut people: Vec<BrowseEntry> = Vec::new();
    let named = [
        (CreditRole::Director, &film.directors),
        (CreditRole::Writer, &film.writers),
        (CreditRole::Star, &film.stars),
    ];
    for (role, names) in named {
        for name in names {
            let slug = browse_slug(name);
            if let Some(known) = people.iter_mut().find(|known| known.slug == slug) {
                known.roles |= role.bit();
                continue;
            }
            let sort = sort_of_name(name);
            let kind = BrowseKind::Person.as_str();
            people.push(BrowseEntry { kind, slug, name: name.clone(), sort, roles: role.bit() });
        }
    }
    people
}

/// Titles stand where their first word leads that is no article.
fn sort_of_title(slug: &str) -> String {
    let rest = ["the-", "a-", "an-"].iter().find_map(|article| slug.strip_prefix(article));
    rest.unwrap_or(slug).to_owned()
}

/// What may follow a family name.
const SUFFIXES: [&str; 6] = ["jr", "sr", "ii", "iii", "iv", "phd"];

/// What begins a family name of several words: Robert De Niro stands under D.
const PARTICLES: [&str; 19] = [
    "al", "ben", "bin", "da", "de", "del", "della", "der", "di", "dos", "du", "el", "la", "le", "st", "ten",
    "ter", "van", "von",
];

/// People stand by their family name, as in any book of films.
fn sort_of_name(name: &str) -> String {
    let mut parts: Vec<String> =
        name.split_whitespace().map(browse_slug).filter(|part| !part.is_empty()).collect();
    let is = |part: Option<&String>, list: &[&str]| part.is_some_and(|part| list.contains(&part.as_str()));
    let suffix = if parts.len() > 2 && is(parts.last(), &SUFFIXES) { parts.pop() } else { None };
    let mut family = parts.pop().unwrap_or_default();
    while parts.len() > 1 && is(parts.last(), &PARTICLES) {
        family = format!("{} {family}", parts.pop().unwrap_or_default());
    }
    [family, parts.join(" "), suffix.unwrap_or_default()].join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(title: &str, year: Option<i16>) -> Film {
        Film { title: title.to_owned(), year, ..Film::default() }
    }

    #[test]
    fn a_film_is_known_by_title_and_year() {
        let slug = |title, year| film_slug(&film(title, year)).unwrap_or_default();
        assert_eq!(slug("Solaris", Some(1972)), "solaris-1972");
        assert_eq!(slug("SOLARIS", Some(1972)), "solaris-1972");
        assert_eq!(slug("Solaris", Some(2002)), "solaris-2002");
        assert_eq!(slug("Cleo de 5 à 7", None), "cleo-de-5-a-7");
        assert_eq!(slug(&"Long ".repeat(90), Some(1999)), format!("{}-1999", "long-".repeat(14) + "long"));
        assert_eq!(film_slug(&film("…", Some(1999))), None);
        let mut dated = film("Solaris", None);
        dated.release_date = Some(jiff::civil::date(1972, 3, 20));
        assert_eq!(film_slug(&dated).as_deref(), Some("solaris-1972"));
    }

    #[test]
    fn a_person_stands_once_with_all_that_they_did() {
        let mut film = film("Anora", Some(2024));
        film.directors = vec!["Sean Baker".into()];
        film.writers = vec!["Sean  Baker".into(), "…".into()];
        film.stars = vec!["SEAN BAKER".into(), "Agne\u{300}s Varda".into()];
        let people = people(&film);
        let found: Vec<(&str, i64)> = people.iter().map(|p| (p.slug.as_str(), p.roles)).collect();
        assert_eq!(found, [("sean-baker", 7), ("", 2), ("agnes-varda", 4)]);
        assert_eq!(browse_slug("Agnès Varda"), "agnes-varda");
    }

    #[test]
    fn names_stand_where_one_looks_for_them() {
        assert_eq!(sort_of_name("Andrei Tarkovsky"), "tarkovsky andrei");
        assert_eq!(sort_of_name("Robert Downey Jr."), "downey robert jr");
        assert_eq!(sort_of_name("Robert De Niro"), "de niro robert");
        assert_eq!(sort_of_name("Sergio del Valle de la Torre"), "de la torre sergio del valle");
        assert_eq!(sort_of_name("Celia Rowlson-Hall"), "rowlson-hall celia");
        assert_eq!(sort_of_name("Van Morrison"), "morrison van");
        assert_eq!(sort_of_name("Madonna"), "madonna");
        assert_eq!(sort_of_title("the-third-man-1949"), "third-man-1949");
        assert_eq!(sort_of_title("a-serious-man-2009"), "serious-man-2009");
        assert_eq!(sort_of_title("there-will-be-blood-2007"), "there-will-be-blood-2007");
    }
}
