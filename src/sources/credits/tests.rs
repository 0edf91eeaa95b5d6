mod corpus;

use super::*;
use jiff::civil::date;
use proptest::prelude::*;

const PROSE: &str = "<p>A lift stops between two floors, and so does a marriage. It was directed by a man who knows both.</p>";

fn anora(block: &str) -> Credits {
    let base = "https://crit.example/a".parse().unwrap();
    extract(
        "Movie Review: 'Anora' is a Riot",
        &html::sanitize_review_body(&format!("{block}{PROSE}"), &base),
        None,
    )
}

#[test]
fn credits_are_extracted_from_all_common_layouts() {
    let paragraphs = "<p>Anora</p><p>Directed by Sean Baker</p><p>Written by Sean Baker</p><p>Starring Mikey Madison, Mark Eydelshteyn</p>\
        <p>Release Date October 8th, 2024</p><p>Published October 18th, 2024</p>";
    let breaks = "<p><b>Anora</b><br>Directed by: Sean Baker<br><em>Written by</em> Sean Baker<br>Starring: Mikey Madison and Mark Eydelshteyn<br>\
        Released: 8 October 2024<br>Published: 2024-10-18</p>";
    let strong = "<p><strong>Anora (2024)<br>Directed by:&nbsp;Sean Baker<br>Written by: Sean Baker<br>Starring: Mikey Madison &amp; Mark Eydelshteyn<br>\
        Release Date: Oct. 8, 2024<br>Published: October 18, 2024</strong></p>";
    let list = "<h3>Anora</h3><ul><li><b>Director:</b> Sean Baker</li><li>Writer: Sean Baker</li><li>Cast: Mikey Madison, Mark Eydelshteyn</li>\
        <li>Released: 2024-10-08</li><li>Published October 18th, 2024</li></ul>";
    let table = "<p>Anora</p><table><tr><td>Directed by</td><td>Sean Baker</td></tr><tr><th>Written by:</th><td>Sean Baker</td></tr>\
        <tr><td>Starring</td><td>Mikey Madison<br>Mark Eydelshteyn</td></tr><tr><td>Release date</td><td>October 8, 2024</td></tr><tr><td>Published</td><td>10/18/2024</td></tr></table>";
    let boxes = "<div><div>Anora</div><div>Directed by Sean Baker</div><div>Written by Sean Baker</div><div>Starring Mikey Madison, Mark Eydelshteyn</div>\
        <div>Release Date October 8th, 2024</div><div>Published October 18th, 2024</div></div>";
    let terms = "<h2>Anora</h2><dl><dt>Directed by<dd>Sean Baker<dt>Written by<dd>Sean Baker<dt>Starring<dd>Mikey Madison<dd>Mark Eydelshteyn\
        <dt>Released<dd>October 8, 2024<dt>Published<dd>October 18, 2024</dl>";
    for block in [paragraphs, breaks, strong, list, table, boxes, terms] {
        let credits = anora(block);
        assert_eq!(credits.body, PROSE, "{block}");
        let film = credits.film;
        assert_eq!(
            (film.title.as_str(), film.year, film.release_date),
            ("Anora", Some(2024), Some(date(2024, 10, 8).into())),
            "{block}"
        );
        assert_eq!(
            (film.directors, film.writers),
            (vec!["Sean Baker".to_owned()], vec!["Sean Baker".to_owned()]),
            "{block}"
        );
        assert_eq!(film.stars, ["Mikey Madison", "Mark Eydelshteyn"], "{block}");
        assert_eq!(credits.published, Some(date(2024, 10, 18)), "{block}");
    }
}

#[test]
fn ratings_are_extracted_at_the_top_and_at_the_end() {
    for line in ["★★★½", "Rating: ★★★½", "<b>Rating</b> ★★★½"] {
        let top = anora(&format!("<p>{line}</p>"));
        assert_eq!(
            (top.rating.as_ref().map(Rating::as_str), top.body.as_str()),
            (Some("★★★½"), PROSE),
            "{line}"
        );
        let end = extract("'Anora'", &format!("{PROSE}<p>{line}</p>"), None);
        assert_eq!(
            (end.rating.as_ref().map(Rating::as_str), end.body.as_str()),
            (Some("★★★½"), PROSE),
            "{line}"
        );
    }
    assert_eq!(anora("<p>Grade: B+</p>").rating, Rating::parse("B+"));
    assert_eq!(anora("<p>A</p>").rating, None);
}

#[test]
fn prose_is_not_mistaken_for_credits() {
    for prose in [
        "<p>Directed by Sean Baker, this film is a delight.</p>",
        "<p>Starring in your own life is hard, says this film.</p>",
        "<p>Released in 1979 to little fanfare, it grew.</p>",
        "<p>Published authors rarely get films this kind.</p>",
        "<p>Written by hand, shot by heart</p>",
        "<p>Rating films is silly.</p>",
        "<p>Director: that is what he wants to be, and so he lies.</p>",
    ] {
        let credits = extract("A delight", &format!("{prose}{PROSE}<p>Directed by Sean Baker</p>"), None);
        assert_eq!(credits.body, format!("{prose}{PROSE}<p>Directed by Sean Baker</p>"));
        assert_eq!(credits.film, Film::default(), "{prose}");
    }
}

#[test]
fn lines_without_a_field_stay_in_the_body() {
    let credits = anora(
        "<p>By A. Critic</p><p>Anora</p><p>Directed by Sean Baker<br>Running time: 139 minutes<br>Released: October 2024<br>A tale begins, and goes on.</p>",
    );
    assert_eq!(credits.film.title, "Anora");
    assert_eq!(credits.film.year, Some(2024));
    assert_eq!(
        credits.body,
        format!(
            "<p>By A. Critic</p><p>Running time: 139 minutes<br>Released: October 2024<br>A tale begins, and goes on.</p>{PROSE}"
        )
    );
}

#[test]
fn only_an_unambiguous_title_is_used() {
    let block = |line: &str| format!("<p>{line}</p><p>Directed by Sean Baker</p>{PROSE}");
    let title = |headline: &str, line: &str| extract(headline, &block(line), None).film.title;
    assert_eq!(title("A riot in Brighton", "Anora"), "Anora");
    assert_eq!(title("'Anora' is a riot", "A tale of a city"), "Anora");
    assert_eq!(title("A riot in Brighton", "A tale of one city"), "");
    assert_eq!(title("A riot in Brighton", "By Sean Critic"), "");
    assert_eq!(extract("'Elevated Horror' needs to end", PROSE, None).film.title, "");
    assert_eq!(extract("Stalker (1979)", PROSE, None).film.year, Some(1979));
}

#[test]
fn credits_go_on_over_lines_without_a_field() {
    for line in [
        "Country: Norway",
        "Certificate: 15",
        "Music: Per Lund",
        "Best watched with: a friend",
        "118 min | Drama",
        "Nils Holm, Ada Berg",
    ] {
        let credits = anora(&format!(
            "<p>Directed by: Sean Baker</p><p>{line}</p><p>Starring: Nora Ek, Jon Vale</p><p>Rating: 4/5</p>"
        ));
        assert_eq!(credits.film.stars, ["Nora Ek", "Jon Vale"], "{line}");
        assert_eq!(credits.rating, Rating::parse("4/5"), "{line}");
        assert_eq!(credits.body, format!("<p>{line}</p>{PROSE}"), "{line}");
    }
    let credits = anora(&format!("<p>Directed by: Sean Baker</p>{PROSE}<p>Starring: Nora Ek, Jon Vale</p>"));
    assert_eq!(credits.film.stars, Vec::<String>::new());
}

#[test]
fn a_line_can_say_that_there_is_nobody() {
    for nobody in [
        "N/A",
        "TBA",
        "unknown",
        "k.A.",
        "Inconnu",
        "sin datos",
        "onbekend",
        "okänd",
        "brak danych",
        "不明",
        "미정",
    ] {
        let credits = anora(&format!("<p>Directed by: Sean Baker</p><p>Written by: {nobody}</p>"));
        assert_eq!((credits.film.writers, credits.body), (Vec::new(), PROSE.to_owned()), "{nobody}");
    }
}

#[test]
fn full_width_colons_separate_labels() {
    let block = "<p>監督：ブラント</p><p>出演：エク、ヴァーレ</p><p>★★★★☆</p>";
    let credits = extract("誰にも届かない手紙", &format!("{block}{PROSE}"), Some("ja"));
    assert_eq!(credits.film.title, "誰にも届かない手紙");
    assert_eq!(
        (credits.film.directors, credits.film.stars),
        (vec!["ブラント".to_owned()], vec!["エク".to_owned(), "ヴァーレ".to_owned()])
    );
    assert_eq!(credits.rating, Rating::parse("★★★★☆"));
}

#[test]
fn a_rating_may_be_the_last_line() {
    for (line, rating) in [
        ("Overall: 7/10", "7/10"),
        ("Final Score: 7.5/10", "7.5/10"),
        ("Stars: 3.5", "3.5 stars"),
        ("Rating: 4/5 (recommended)", "4/5"),
        ("★★★⯪☆", "★★★⯪☆"),
        ("4 of 5 stars", "4 of 5 stars"),
        ("Rating: **½ (out of ****)", "★★½ out of ★★★★"),
        ("4/5 \u{2013} Recommended", "4/5"),
        ("Verdict: Thumbs up", "Thumbs up"),
        ("I give it three and a half stars out of four.", "three and a half stars out of four"),
    ] {
        for after in [
            "",
            "<h3>Share this:</h3><ul><li>Click to share on X</li></ul><p>The post A appeared first on B.</p>",
        ] {
            let credits = extract("'Anora'", &format!("{PROSE}<p>{line}</p>{after}"), None);
            assert_eq!(credits.rating.as_ref().map(Rating::as_str), Some(rating), "{line}");
        }
    }
    for line in
        ["Rating: PG-13", "Rated R", "98 min.", "***", "IMDb rating: 7.1/10", "Sound: 4/5", "Rating: 4"]
    {
        assert_eq!(extract("'Anora'", &format!("{PROSE}<p>{line}</p>"), None).rating, None, "{line}");
    }
}

#[test]
fn what_is_said_of_two_films_is_recorded_but_not_used() {
    let block = "<p>Directed by A. Bell</p><p>Starring Nora Ek, Jon Vale</p>";
    let other = "<p>Directed by C. Dale</p><p>Starring Ida Roos, Per Lund</p>";
    let credits = extract("Two from the sea", &format!("{block}{PROSE}{other}{PROSE}"), None);
    assert_eq!(credits.film, Film::default());
    assert_eq!(credits.body, format!("{block}{PROSE}{other}{PROSE}"));
    let unsure = |evidence: &CreditEvidence| evidence.certainty == CreditCertainty::Unsure;
    assert!(credits.evidence.len() >= 4 && credits.evidence.iter().all(unsure));
}

#[test]
fn values_know_where_they_were_read() {
    let credits = extract("Review: Anora", &format!("<p>Directed by Sean Baker</p>{PROSE}<p>★★★½</p>"), None);
    let found = |field| {
        credits.evidence.iter().find(|evidence| evidence.field == field).map(|e| (e.origin, e.certainty))
    };
    assert_eq!(found(CreditField::Directors), Some((CreditOrigin::Block, CreditCertainty::Stated)));
    assert_eq!(found(CreditField::Title), Some((CreditOrigin::Headline, CreditCertainty::Implied)));
    assert_eq!(found(CreditField::Rating), Some((CreditOrigin::LastLine, CreditCertainty::Stated)));
}

proptest! {
    #[test]
    fn no_body_causes_a_panic(title in ".{0,40}", parts in proptest::collection::vec(prop_oneof![
        Just("<p>"), Just("</p>"), Just("<br>"), Just("Directed by "), Just("Sean Baker"), Just("<ul><li>"), Just("</ul>"), Just("Anora"), Just("(1979)"),
        Just("<table><tr><td>"), Just("<td>"), Just("Rating: "), Just("★★"), Just("<dl><dt>"), Just("<dd>"), Just("<strong>"), Just("Released "), Just("1979"), Just("'"), Just("é"), Just(", and "),
    ], 0..20)) {
        let base = "https://crit.example/a".parse().unwrap();
        let body = html::sanitize_review_body(&parts.concat(), &base);
        let once = extract(&title, &body, None);
        prop_assert_eq!(html::sanitize_review_body(&once.body, &base), once.body);
    }
}

#[test]
fn what_looks_like_a_credit_and_is_none_is_not_read() {
    let read = |block: &str| {
        let credits = extract("Review: Anora", &format!("<p>{block}</p>{PROSE}"), Some("en"));
        assert_eq!(credits.film.title, "Anora", "{block}");
        credits
    };
    // The parts of a disc that are rated, and what is said about a print.
    for line in [
        "Film: 4/5. Disc: 2/5. Extras: 1/5.",
        "Film: 4 out of 5, Disc: 3 out of 5",
        "Film: Excellent. Sound: good.",
        "Movie: 8. Video: 9.",
        "Film: 16mm, colour, 90 min",
        "Film: Drama, 2024",
        "Film: see below",
        "Movie: Now in theaters",
    ] {
        read(line);
    }
    // Other people than those who directed, wrote or played.
    for line in [
        "Assistant Director: Zoe Way",
        "Art Director: Zoe Way",
        "Second Unit Director: Zoe Way",
        "Written by Jane Reviewer",
    ] {
        let film = read(line).film;
        assert!(film.directors.is_empty() && film.writers.is_empty(), "{line}");
    }
    let film = read("Director: Sean Baker<br>Writer: Same<br>Rollen: Ani - Nora Ek; Vanya - Jon Vale").film;
    assert_eq!(
        (film.directors, film.writers, film.stars),
        (vec!["Sean Baker".to_owned()], Vec::new(), Vec::new())
    );
    // A legend, and a widget for votes.
    for line in ["★★★★★ = masterpiece, ★ = avoid", "★★★+ (3.5)", "☆☆☆☆☆"] {
        assert_eq!(read(line).rating, None, "{line}");
    }
    // What the critic rates beside the film.
    assert_eq!(read("Gore score: 4/5").rating, None);
    // Ratings of several films.
    let list = "<p>1. Salt</p><p>⭐ 4/5</p><p>2. Oars</p><p>⭐ 2/5</p>";
    assert_eq!(extract("Films of the week", list, Some("en")).rating, None);
}

#[test]
fn labels_and_names_are_read_in_more_forms() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (block, directors, writers, stars) in [
        ("Director/Writer: Greta Lund", &["Greta Lund"][..], &["Greta Lund"][..], &[][..]),
        (
            "Director: Ada G. Lund &amp; co.<br>Writer: Edward T. Lowe Jr.",
            &["Ada G. Lund"],
            &["Edward T. Lowe Jr."],
            &[],
        ),
        (
            "<b>Director</b> Ada Lund · <b>Screenplay</b> Per Holm · <b>Year</b> 2017",
            &["Ada Lund"],
            &["Per Holm"],
            &[],
        ),
        (
            "Credits: Written and directed by Ada Lund. A Focus Features release.",
            &["Ada Lund"],
            &["Ada Lund"],
            &[],
        ),
        (
            "DK 2016, 111 min., von Thea Lund mit Nora Ek, Jon Vale",
            &["Thea Lund"],
            &[],
            &["Nora Ek", "Jon Vale"],
        ),
        (
            "★★★½ D: Ada Lund. Nora Ek, Jon Vale, Ida Roos.",
            &["Ada Lund"],
            &[],
            &["Nora Ek", "Jon Vale", "Ida Roos"],
        ),
        (
            "regie: Ada Lund | cast: Nora Ek, Jochum ten Haaf",
            &["Ada Lund"],
            &[],
            &["Nora Ek", "Jochum ten Haaf"],
        ),
        (
            "Directed by Ada Lund; written by Per Holm; released by RKO Pictures.",
            &["Ada Lund"],
            &["Per Holm"],
            &[],
        ),
    ] {
        let film = extract("Review: Anora", &format!("<p>{block}</p>{PROSE}"), None).film;
        assert_eq!(
            (film.directors, film.writers, film.stars),
            (names(directors), names(writers), names(stars)),
            "{block}"
        );
    }
}

#[test]
fn a_title_is_read_with_its_director_and_year() {
    for (headline, body) in [
        ("Stalker (Andrei Tarkovsky, 1979)", ""),
        ("Stalker (1979, dir. Andrei Tarkovsky)", ""),
        ("What the desert keeps", "<p><b>Stalker</b> (Andrei Tarkovsky, 1979)</p>"),
    ] {
        let film = extract(headline, &format!("{body}{PROSE}"), Some("en")).film;
        let read = (film.title.as_str(), film.year, film.directors);
        assert_eq!(read, ("Stalker", Some(1979), vec!["Andrei Tarkovsky".to_owned()]), "{headline}");
    }
    // Another film in the text is not the one of the headline.
    let also = format!("{PROSE}<p>Solaris (Andrei Tarkovsky, 1972)</p>");
    assert_eq!(extract("Review: Stalker", &also, Some("en")).film.title, "Stalker");
    // A company or a country is no director, and two films are none.
    for headline in
        ["Stalker (Paramount Pictures, 1979)", "Stalker (Kino Lorber, 1979)", "Stalker (South Korea, 1979)"]
    {
        assert!(extract(headline, PROSE, Some("en")).film.directors.is_empty(), "{headline}");
    }
    let two = "<p>Stalker (Andrei Tarkovsky, 1979)</p><p>Salt (Ada Lund, 1981)</p>";
    assert_eq!(extract("Two from the zone", two, Some("en")).film, Film::default());
}

#[test]
fn news_has_no_credits() {
    let block = "<p>Directed by Sean Baker</p><p>Starring Nora Ek, Jon Vale</p>";
    for headline in [
        "First trailer for \u{2018}Anora\u{2019} lands",
        "Watch the teaser of 'Anora'",
        "Interview: the makers of 'Anora'",
    ] {
        assert_eq!(
            extract(headline, &format!("{block}{PROSE}"), Some("en")).film,
            Film::default(),
            "{headline}"
        );
    }
}

#[test]
fn words_of_a_headline_are_compared_as_a_whole() {
    for headline in ["Aladdin Review", "Tropic Thunder review", "The Interview (2014) ★★★"] {
        let credits = extract(headline, &format!("<p>Directed by Sean Baker</p>{PROSE}"), Some("en"));
        assert_eq!(credits.film.directors, ["Sean Baker"], "{headline}");
    }
    let credits = extract("The Year in Review", &format!("<p>Directed by Sean Baker</p>{PROSE}"), Some("en"));
    assert_eq!(credits.film, Film::default());
}

#[test]
fn a_line_above_the_credits_that_is_no_title_is_not_the_film() {
    for line in ["Sundance Film Festival", "Screenplay Celine Song", "Director Celine Song"] {
        let block =
            format!("<p>{line}</p><p>Directed by: Celine Song</p><p>Starring: Greta Lee, Teo Yoo</p>");
        let film = extract("Past Lives", &format!("{block}{PROSE}"), Some("en")).film;
        assert_eq!(film.title, "Past Lives", "{line}");
    }
}
