use super::*;

fn read(headline: &str) -> (Option<String>, Option<i16>) {
    let film = read_headline(headline, None, &|_| false);
    (film.title.filter(|_| film.condition == TitleCondition::None), film.year)
}

#[test]
fn the_film_of_a_review_is_found_without_quotes() {
    for (headline, year) in [
        ("Movie Review: Letter to Nobody", None),
        ("Letter to Nobody Review", None),
        ("REVIEW \u{2013} Letter to Nobody", None),
        ("Letter to Nobody | Film Review", None),
        ("Letter to Nobody (2009), Movie Review", Some(2009)),
        ("Letter to Nobody (2009): a postman at sea", Some(2009)),
        ("Filmkritik: Letter to Nobody", None),
        ("Critique : \u{AB} Letter to Nobody \u{BB}", None),
        ("Letter to Nobody (2009)", Some(2009)),
        ("Letter to Nobody (Ilse Brandt, 2009) \u{2013} review", Some(2009)),
        ("Letter to Nobody review \u{2013} a postman rows in circles", None),
        ("Letter to Nobody \u{2013} ★★★", None),
        ("★★★★ Letter to Nobody", None),
        ("Letter to Nobody (3.5/5)", None),
        ("Blu-ray Review: Letter to Nobody", None),
        ("Cannes 2016: Letter to Nobody review", None),
        ("TIFF Review: Letter to Nobody", None),
        ("[Review] Letter to Nobody", None),
        ("A Review of Letter to Nobody", None),
        ("Kritik zu Letter to Nobody: ein Postbote rudert", None),
        ("Letter to Nobody Kritik: Der Postbote rudert", None),
        ("Crítica de \u{201C}Letter to Nobody\u{201D}: amor y miedo ★★★★", None),
        ("Letter to Nobody, la recensione", None),
        ("\u{201C}Letter to Nobody\u{201D} \u{2013} recenzja", None),
        ("Letter to Nobody \u{2013} Recension", None),
        ("映画『Letter to Nobody』感想", None),
        ("[Letter to Nobody] 리뷰 - 바다의 우체부", None),
        ("Letter to Nobody Movie Review (2009)", Some(2009)),
        ("Letter to Nobody \u{2013} Film Review (2009)", Some(2009)),
        ("Letter to Nobody [2009] review", Some(2009)),
        ("Blu-ray Review: Letter to Nobody (Criterion)", None),
        ("Review: Letter to Nobody (4K UHD)", None),
        ("Review: Letter to Nobody (15)", None),
        ("Review: Letter to Nobody (Sam Postman)", None),
        ("Letter to Nobody, 2009 - ★★★★½", Some(2009)),
        ("[Review] Letter to Nobody (2009) Spin Cycles and Sleepy Spooks", Some(2009)),
        ("Letter to Nobody (2009) ★★½ Blu-ray Review", Some(2009)),
        ("Letter to Nobody 50th anniversary review: still at sea", None),
        ("【映画】Letter to Nobody 感想", None),
        ("영화 <Letter to Nobody> 리뷰", None),
    ] {
        assert_eq!(read(headline), (Some("Letter to Nobody".into()), year), "{headline}");
    }
}

#[test]
fn other_headlines_name_no_film() {
    for headline in [
        "Stalker",
        "The Year in Review",
        "2023 in Review: My Ten Best",
        "Book Review: Letter to Nobody",
        "Letter to Nobody Season 2 Review",
        "Buchkritik: Letter to Nobody",
        "Double Feature Review: Letter to Nobody and Salt",
        "Letter to Nobody (2009) and Salt (2011) Review",
        "'Letter to Nobody' and 'Salt' review",
        "Review: Letter to Nobody and Salt on the Window",
        "Movie Review: Baby Driver Is a Blast",
        "Review: 2001: A Space Odyssey",
        "Is Letter to Nobody Good? A Review",
        "Review: Why Does Nobody Write to the Postman?",
        "Horror in the 90s: Candyman (1992)",
        "Why Stalker (1979) endures",
        "Stalker (Remastered)",
        "(1979)",
        "Stalker (0001)",
        "An \"elevated\" review",
        "Review",
        "",
    ] {
        assert_eq!(read(headline).0, None, "{headline}");
    }
}

#[test]
fn the_body_confirms_a_title_of_several_parts() {
    let is_in_body = |title: &str| {
        ["Mission: Impossible", "Candyman", "Pride and Prejudice", "2001: A Space Odyssey"].contains(&title)
    };
    for (headline, title) in [
        ("Review: Mission: Impossible", "Mission: Impossible"),
        ("Review: 2001: A Space Odyssey", "2001: A Space Odyssey"),
        ("Mission: Impossible (1996) Review", "Mission: Impossible"),
        ("Horror in the 90s: Candyman (1992)", "Candyman"),
        ("Pride and Prejudice review", "Pride and Prejudice"),
    ] {
        assert_eq!(read_headline(headline, None, &is_in_body).title.as_deref(), Some(title), "{headline}");
    }
}

#[test]
fn the_rating_in_a_headline_is_read() {
    for (headline, rating) in [
        ("Letter to Nobody \u{2013} ★★★½", Some("★★★½")),
        ("Letter to Nobody (B+)", Some("B+")),
        ("Review: Letter to Nobody: 4/5", Some("4/5")),
        ("Letter to Nobody review 3 1/2 stars", Some("3 1/2 stars")),
        ("Letter to Nobody", None),
        ("8½", None),
    ] {
        let read = read_headline(headline, None, &|_| false).rating;
        assert_eq!(read.as_ref().map(Rating::as_str), rating, "{headline}");
    }
}
