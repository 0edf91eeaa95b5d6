//! The browse index: the pages of critics, films, people, tags and ratings that list a review.

use unicode_normalization::UnicodeNormalization as _;

use super::film::Film;
use super::id::CriticId;
use super::named_enum::named_enum;
use super::release_date::ReleaseDate;
use super::review::Review;
use super::slug::slug;

/// The kind of a browse page: what its reviews have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BrowseKind {
    /// All public reviews.
    All,
    /// The reviews by a critic.
    Critic,
    /// The reviews of a film.
    Film,
    /// The reviews of films that a person directed, wrote or stars in.
    Person,
    /// The reviews with a rating.
    Rating,
    /// The reviews with a tag.
    Tag,
}

named_enum!(BrowseKind, "kind of page", {
    All => "all",
    Critic => "critic",
    Film => "film",
    Person => "person",
    Rating => "rating",
    Tag => "tag",
});

/// A person's role in a film. Each is a bit of [`BrowseEntry::roles`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditRole {
    /// The person directed the film.
    Director = 1,
    /// The person wrote the film.
    Writer = 2,
    /// The person stars in the film.
    Star = 4,
}

named_enum!(CreditRole, "role", {
    Director => "director",
    Writer => "writer",
    Star => "star",
});

impl CreditRole {
    /// The bit of the role.
    pub const fn bit(self) -> i64 {
        self as i64
    }
}

/// A review's entry in the browse index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrowseEntry {
    /// The kind of the page.
    pub kind: BrowseKind,
    /// The last segment of the page's URL.
    pub slug: String,
    /// The name as the review spells it.
    pub name: String,
    /// The sort key among the pages of its kind.
    pub sort: String,
    /// The person's roles, as bits of [`CreditRole`]; 0 for other kinds.
    pub roles: i64,
}

/// The longest slug of a title, in characters, before the year.
const MAX_TITLE_SLUG_LENGTH: usize = 74;

/// Returns the URL segment of a name. Names that differ only in case, accents or punctuation share one. It is
/// empty if the name has no letters or digits; such a name has no page.
pub fn browse_slug(name: &str) -> String {
    let composed: String = name.nfc().collect();
    slug(&composed)
}

/// Returns the year of a film's release.
pub fn release_year(film: &Film) -> Option<i16> {
    film.year.or_else(|| film.release_date.map(ReleaseDate::year))
}

/// Returns the slug of a film, made of its title and year so that a remake has its own. Returns `None` if the
/// title is unknown.
pub fn film_slug(film: &Film) -> Option<String> {
    let title: String = browse_slug(&film.title).chars().take(MAX_TITLE_SLUG_LENGTH).collect();
    let title = title.trim_end_matches('-');
    if title.is_empty() {
        return None;
    }
    Some(release_year(film).map_or_else(|| title.to_owned(), |year| format!("{title}-{year}")))
}

/// The slug of the page that lists all reviews.
pub const ALL_REVIEWS_SLUG: &str = "";

/// Returns the slug of a critic's page.
pub fn critic_slug(critic: CriticId) -> String {
    critic.to_string()
}

/// Returns the entries of a review, sorted. There are none unless the review is public.
pub fn browse_entries(review: &Review) -> Vec<BrowseEntry> {
    if !review.state.is_public() {
        return Vec::new();
    }
    let entry = |kind: BrowseKind, slug: String, name: String, sort: String| BrowseEntry {
        kind,
        slug,
        name,
        sort,
        roles: 0,
    };
    let content = &review.content;
    let mut entries = vec![
        entry(BrowseKind::All, ALL_REVIEWS_SLUG.to_owned(), String::new(), String::new()),
        entry(BrowseKind::Critic, critic_slug(review.critic), String::new(), String::new()),
    ];
    if let Some(slug) = film_slug(&content.film) {
        let year = release_year(&content.film).map(|year| format!(" ({year})")).unwrap_or_default();
        let sort = title_sort_key(&slug);
        entries.push(entry(BrowseKind::Film, slug, format!("{}{year}", content.film.title), sort));
    }
    for tag in &content.tags {
        let slug = browse_slug(tag);
        entries.push(entry(BrowseKind::Tag, slug.clone(), tag.clone(), slug));
    }
    if let Some(rating) = &content.rating {
        let sort = format!("{:04}", 1000 - rating.rank());
        entries.push(entry(BrowseKind::Rating, rating.slug(), rating.to_canonical(), sort));
    }
    entries.extend(people_entries(&content.film));
    entries.retain(|entry| !entry.slug.is_empty() || entry.kind == BrowseKind::All);
    entries.sort();
    entries.dedup_by(|one, other| one.kind == other.kind && one.slug == other.slug);
    entries
}

/// Returns the film's people, each once with all their roles.
fn people_entries(film: &Film) -> Vec<BrowseEntry> {
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
            let sort = name_sort_key(name);
            let kind = BrowseKind::Person;
            people.push(BrowseEntry { kind, slug, name: name.clone(), sort, roles: role.bit() });
        }
    }
    people
}

/// Titles are sorted without a leading article.
fn title_sort_key(slug: &str) -> String {
    let rest = ["the-", "a-", "an-"].iter().find_map(|article| slug.strip_prefix(article));
    rest.unwrap_or(slug).to_owned()
}

/// Suffixes that may follow a family name.
const SUFFIXES: [&str; 6] = ["jr", "sr", "ii", "iii", "iv", "phd"];

/// Particles that begin a family name: Robert De Niro is sorted under D.
const PARTICLES: [&str; 19] = [
    "al", "ben", "bin", "da", "de", "del", "della", "der", "di", "dos", "du", "el", "la", "le", "st", "ten",
    "ter", "van", "von",
];

/// People are sorted by family name.
fn name_sort_key(name: &str) -> String {
    let mut parts: Vec<String> =
        name.split_whitespace().map(browse_slug).filter(|part| !part.is_empty()).collect();
    let is_in = |part: Option<&String>, list: &[&str]| part.is_some_and(|part| list.contains(&part.as_str()));
    let suffix = if parts.len() > 2 && is_in(parts.last(), &SUFFIXES) { parts.pop() } else { None };
    let mut family = parts.pop().unwrap_or_default();
    while parts.len() > 1 && is_in(parts.last(), &PARTICLES) {
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
    fn a_film_slug_consists_of_title_and_year() {
        let slug = |title, year| film_slug(&film(title, year)).unwrap_or_default();
        assert_eq!(slug("Solaris", Some(1972)), "solaris-1972");
        assert_eq!(slug("SOLARIS", Some(1972)), "solaris-1972");
        assert_eq!(slug("Solaris", Some(2002)), "solaris-2002");
        assert_eq!(slug("Cleo de 5 à 7", None), "cleo-de-5-a-7");
        assert_eq!(slug(&"Long ".repeat(90), Some(1999)), format!("{}-1999", "long-".repeat(14) + "long"));
        assert_eq!(film_slug(&film("…", Some(1999))), None);
        let mut dated = film("Solaris", None);
        dated.release_date = Some(jiff::civil::date(1972, 3, 20).into());
        assert_eq!(film_slug(&dated).as_deref(), Some("solaris-1972"));
    }

    #[test]
    fn a_person_has_one_entry_with_all_roles() {
        let mut film = film("Anora", Some(2024));
        film.directors = vec!["Sean Baker".into()];
        film.writers = vec!["Sean  Baker".into(), "…".into()];
        film.stars = vec!["SEAN BAKER".into(), "Agne\u{300}s Varda".into()];
        let people = people_entries(&film);
        let found: Vec<(&str, i64)> = people.iter().map(|p| (p.slug.as_str(), p.roles)).collect();
        assert_eq!(found, [("sean-baker", 7), ("", 2), ("agnes-varda", 4)]);
        assert_eq!(browse_slug("Agnès Varda"), "agnes-varda");
    }

    #[test]
    fn names_are_sorted_as_readers_expect() {
        assert_eq!(name_sort_key("Andrei Tarkovsky"), "tarkovsky andrei");
        assert_eq!(name_sort_key("Robert Downey Jr."), "downey robert jr");
        assert_eq!(name_sort_key("Robert De Niro"), "de niro robert");
        assert_eq!(name_sort_key("Sergio del Valle de la Torre"), "de la torre sergio del valle");
        assert_eq!(name_sort_key("Celia Rowlson-Hall"), "rowlson-hall celia");
        assert_eq!(name_sort_key("Van Morrison"), "morrison van");
        assert_eq!(name_sort_key("Madonna"), "madonna");
        assert_eq!(title_sort_key("the-third-man-1949"), "third-man-1949");
        assert_eq!(title_sort_key("a-serious-man-2009"), "serious-man-2009");
        assert_eq!(title_sort_key("there-will-be-blood-2007"), "there-will-be-blood-2007");
    }
}
