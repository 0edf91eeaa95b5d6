use super::*;
use proptest::prelude::*;

#[test]
fn the_critics_own_form_is_kept_and_parsed() {
    for (text, shown, scale, ten) in [
        ("★★★½", "★★★½", RatingScale::Stars(7), Some(7)),
        ("★★★☆☆", "★★★☆☆", RatingScale::Stars(6), Some(6)),
        ("Rating: ★★★ 1/2", "★★★ 1/2", RatingScale::Stars(7), Some(7)),
        ("★★★½ out of 4", "★★★½ out of 4", RatingScale::Points(350, 400), Some(9)),
        ("3.5/5", "3.5/5", RatingScale::Stars(7), Some(7)),
        ("(3,5 / 5)", "3,5 / 5", RatingScale::Stars(7), Some(7)),
        ("3½ stars", "3½ stars", RatingScale::Stars(7), Some(7)),
        ("Three and a half stars", "Three and a half stars", RatingScale::Stars(7), Some(7)),
        ("3.5 out of 5", "3.5 out of 5", RatingScale::Stars(7), Some(7)),
        ("½/5", "½/5", RatingScale::Stars(1), Some(1)),
        ("8/10", "8/10", RatingScale::Points(800, 1000), Some(8)),
        ("Score: 87/100", "87/100", RatingScale::Points(8700, 10_000), Some(9)),
        ("Rating: 3.7/5", "3.7/5", RatingScale::Points(370, 500), Some(7)),
        ("Grade:  B+", "B+", RatingScale::Letter, None),
        ("grade - A", "A", RatingScale::Letter, None),
        ("0/5", "0/5", RatingScale::Stars(0), None),
        ("Rating: ***½", "★★★½", RatingScale::Stars(7), Some(7)),
    ] {
        let rating = Rating::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((rating.as_str(), rating.scale(), rating.out_of_ten()), (shown, scale, ten), "{text}");
        assert_eq!(Rating::parse(rating.as_str()), Some(rating), "{text}");
    }
}

#[test]
fn ratings_are_parsed_in_the_forms_that_critics_use() {
    use RatingScale::{Points, Stars, Thumb};
    for (text, shown, scale) in [
        ("Overall: 7/10", "7/10", Points(700, 1000)),
        ("Final Score: 7.5/10", "7.5/10", Points(750, 1000)),
        ("Rating: 4/5 (recommended)", "4/5", Stars(8)),
        ("4/5 \u{2013} Recommended", "4/5", Stars(8)),
        ("Rating: 4 out of 5.", "4 out of 5", Stars(8)),
        ("★★★⯪☆", "★★★⯪☆", Stars(7)),
        ("⭐⭐⭐½", "⭐⭐⭐½", Stars(7)),
        ("✭✭✭✩✩", "✭✭✭✩✩", Stars(6)),
        ("★ ★ ★ ☆", "★ ★ ★ ☆", Points(300, 400)),
        ("4 of 5 stars", "4 of 5 stars", Stars(8)),
        ("Rating: 4 of 5", "★★★★", Stars(8)),
        ("**½ (out of ****)", "★★½ out of ★★★★", Points(250, 400)),
        ("***1/2", "★★★1/2", Stars(7)),
        ("*** 1/2 out of ****", "★★★ 1/2 out of ★★★★", Points(350, 400)),
        ("★★★★☆ (4/5)", "★★★★☆ 4/5", Stars(8)),
        ("Three and a half stars out of four", "Three and a half stars out of four", Points(350, 400)),
        ("three out of five stars", "three out of five stars", Stars(6)),
        ("dreieinhalb von fünf Sternen", "dreieinhalb von fünf Sternen", Stars(7)),
        ("Trois étoiles et demie sur cinq", "Trois étoiles et demie sur cinq", Stars(7)),
        ("tre stelle e mezzo su cinque", "tre stelle e mezzo su cinque", Stars(7)),
        ("tres estrellas y media", "tres estrellas y media", Stars(7)),
        ("três estrelas e meia de cinco", "três estrelas e meia de cinco", Stars(7)),
        ("drieënhalve ster", "drieënhalve ster", Stars(7)),
        ("tre och en halv stjärna av fem", "tre och en halv stjärna av fem", Stars(7)),
        ("4 ud af 6 stjerner", "4 ud af 6 stjerner", Points(400, 600)),
        ("trzy i pół gwiazdki", "trzy i pół gwiazdki", Stars(7)),
        ("8,5 von 10 Punkten", "8,5 von 10 Punkten", Points(850, 1000)),
        ("☆4.5点", "☆4.5点", Stars(9)),
        ("星4つ", "星4つ", Stars(8)),
        ("５点満点中４点", "5点満点中4点", Stars(8)),
        ("별 세 개", "별 세 개", Stars(6)),
        ("85 %", "85 %", Points(8500, 10_000)),
        ("Two thumbs up!", "Two thumbs up", Thumb(true)),
        ("👎", "👎", Thumb(false)),
    ] {
        let rating = Rating::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((rating.as_str(), rating.scale()), (shown, scale), "{text}");
        assert_eq!(Rating::parse(rating.as_str()), Some(rating), "{text}");
    }
    for text in [
        "***",
        "* * *",
        "4 of 5",
        "☆☆☆",
        "Rating: 4",
        "NC-17",
        "Rated R",
        "98 min.",
        "1/2",
        "Part 3/4",
        "★★★ of the sky",
    ] {
        assert_eq!(Rating::parse(text), None, "{text}");
    }
    assert_eq!(Rating::parse_labelled("***").map(|rating| rating.scale()), Some(Stars(6)));
    assert_eq!(Rating::parse_labelled("A").map(|rating| rating.scale()), Some(RatingScale::Letter));
}

#[test]
fn other_texts_are_not_ratings() {
    for text in [
        "",
        "R",
        "Rating: PG-13",
        "Rating: R",
        "***",
        "6/5",
        "24/7",
        "9/11",
        "A film",
        "Grade:",
        "stars",
        "3.5/5 and worth it",
        "★ is born",
        "2001",
        "5 stars out of 4",
    ] {
        assert_eq!(Rating::parse(text), None, "{text}");
    }
}

#[test]
fn ratings_have_a_rank_and_a_slug() {
    let parsed = |text: &str| {
        let rating = Rating::parse(text).unwrap_or_else(|| panic!("{text}"));
        let canonical = Rating::parse_labelled(&rating.to_canonical());
        assert_eq!(canonical.map(|r| r.slug()), Some(rating.slug()), "{text}");
        assert_eq!(
            Rating::from_slug(&rating.slug()).map(|r| r.to_canonical()),
            Some(rating.to_canonical()),
            "{text}"
        );
        (rating.slug(), rating.to_canonical(), rating.rank())
    };
    for (text, key, plain, rank) in [
        ("Rating: ★★★ 1/2", "3.5", "★★★½", 700),
        ("3.5/5", "3.5", "★★★½", 700),
        ("★★★★★", "5", "★★★★★", 1000),
        ("½/5", "0.5", "½", 100),
        ("0/5", "0", "☆☆☆☆☆", 0),
        ("8/10", "8-of-10", "8/10", 800),
        ("3.7/5", "3.7-of-5", "3.7/5", 740),
        ("Grade: B+", "b-plus", "B+", 785),
        ("A\u{2212}", "a-minus", "A-", 857),
        ("F", "f", "F", 71),
        ("Thumbs up", "thumbs-up", "👍", 800),
    ] {
        assert_eq!(parsed(text), (key.to_owned(), plain.to_owned(), rank), "{text}");
    }
    for wrong in ["", "4.50", "6", "B+", "x", "8/10", "\u{0}"] {
        assert_eq!(Rating::from_slug(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_parsed_rating_is_parsed_again(text in "(Rating: |Grade: |\\()?[★☆½0-9A-F/.,+ %*a-z()-]{0,12}") {
        if let Some(rating) = Rating::parse(&text) {
            prop_assert_eq!(Rating::parse(rating.as_str()), Some(rating));
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in ".{0,60}") {
        let _ = Rating::parse(&text);
    }
}
