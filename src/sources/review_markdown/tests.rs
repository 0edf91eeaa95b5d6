//! Tests of reviews in Markdown.

use super::*;
use crate::domain::review::Poster;
use proptest::prelude::*;

fn base() -> Url {
    "file:///reviews/anora.md".parse().unwrap()
}

pub(super) fn read_with(text: &str, rating_scale: Option<u8>) -> Result<MarkdownReview, MarkdownError> {
    parse(text, &MarkdownContext { base: &base(), zone: &TimeZone::UTC, rating_scale })
}

pub(super) fn read(text: &str) -> Result<ReviewContent, MarkdownError> {
    Ok(read_with(text, None)?.content)
}

/// Reads a review whose front matter is YAML.
pub(super) fn read_yaml(front: &str) -> Result<ReviewContent, MarkdownError> {
    read(&format!("---\n{front}\n---\nText."))
}

#[test]
fn every_key_of_the_front_matter_is_parsed() {
    let content = read(
        "---\ntitle: \"A bet in Brighton: Anora\"\nsubtitle: Nobody sleeps\nfilm: Anora\nyear: 2024\ndirectors: Sean Baker\n\
         writers: [Sean Baker]\nstarring:\n  - Mikey Madison\n  - Robert Downey, Jr.\nrelease_date: 2024-10-18\nrating: ★★★★½\n\
         tags: drama, Comedy, drama\nlanguage: en-us\nposter: img/anora.jpg\nposter_alt: A woman laughs\npublished: 2024-10-18T09:30:00+02:00\n---\n\
         # First\n\nIt *begins* with ~~a~~ bet[^1].\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]: A small one.\n",
    )
    .unwrap();
    assert_eq!(content.title, "A bet in Brighton: Anora");
    assert_eq!((content.film.title.as_str(), content.film.year), ("Anora", Some(2024)));
    assert_eq!(content.film.directors, content.film.writers);
    assert_eq!(content.film.stars, ["Mikey Madison", "Robert Downey, Jr."]);
    assert_eq!(content.rating, Rating::parse("★★★★½"));
    assert_eq!(content.tags, ["drama", "Comedy"]);
    assert_eq!(content.language.as_deref(), Some("en-US"));
    assert_eq!(content.poster.as_ref().unwrap().url.as_str(), "file:///reviews/img/anora.jpg");
    assert_eq!(content.published.unwrap().to_string(), "2024-10-18T07:30:00Z");
    assert_eq!(
        content.body,
        "<h2>First</h2><p>It <em>begins</em> with <del>a</del> bet<sup id=\"note-to-1\"><a href=\"#note-1\">1</a></sup>.</p>\
         <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>\
         <div id=\"note-1\"><p><sup>1</sup> A small one. <a href=\"#note-to-1\">↩</a></p></div>"
    );
}

#[test]
fn a_teaser_contains_no_footnote_numbers_trailers_or_spoilers() {
    let content = read(
        "---\ntitle: A\n---\nThey talk, *once*[^1].\n\n<iframe src=\"https://www.youtube.com/embed/abc\"></iframe>\n\n\
         <details><summary>The end</summary>\n\nAll die.\n\n</details>\n\nIt is night.\n\n[^1]: Twice.\n",
    );
    assert_eq!(content.unwrap().teaser, "They talk, once. It is night.");
}

#[test]
fn a_footnote_links_back_to_its_first_reference() {
    let content = read("---\ntitle: A\n---\nOne[^n]. Two[^n].\n\n[^n]: Yes.\n\n    *No.*\n").unwrap();
    assert_eq!(
        content.body,
        "<p>One<sup id=\"note-to-n\"><a href=\"#note-n\">1</a></sup>. Two<sup><a href=\"#note-n\">1</a></sup>.</p>\
         <div id=\"note-n\"><p><sup>1</sup> Yes.</p><p><em>No.</em> <a href=\"#note-to-n\">↩</a></p></div>"
    );
}

#[test]
fn a_number_can_be_a_title() {
    let content = read(
        "---\ntitle: 1917\nfilm: 2046\nyear: 2004\npublished: 2024-10-18\nrating: 4/5\n---\nTwo trains.",
    )
    .unwrap();
    assert_eq!((content.title.as_str(), content.film.title.as_str()), ("1917", "2046"));
    assert_eq!(content.published.unwrap().to_string(), "2024-10-18T00:00:00Z");
}

#[test]
fn an_error_contains_the_key_and_what_is_expected() {
    let error = |front: &str| read_yaml(&format!("title: A\n{front}")).unwrap_err().to_string();
    assert!(read("---\ntitle: A\n---\n \n").unwrap_err().to_string().starts_with("the file has no text"));
    for (front, expected) in [
        (
            "titel: B",
            "line 3 of the file: unknown key `titel`, did you mean `title`?; valid keys are title, subtitle,",
        ),
        (
            "realease_date: 2019",
            "line 3 of the file: unknown key `realease_date`, did you mean `release_date`?",
        ),
        ("staring: [B]", "line 3 of the file: unknown key `staring`, did you mean `starring`?"),
        ("qqqqqqqq: B", "line 3 of the file: unknown key `qqqqqqqq`; valid keys"),
        ("film: B\ntitle: C", "line 4 of the file: `title` is given twice"),
        ("year: soon", "line 3 of the file: `year`: expected a year such as 1979"),
        ("year: 1066", "line 3 of the file: `year`: expected a year such as 1979"),
        ("subtitle: [a, b]", "line 3 of the file: `subtitle`: expected text"),
        ("directors:\n  born: x", "line 3 of the file: `directors`: expected a list"),
        ("rating: good", "line 3 of the file: `rating`: expected a rating"),
        ("rating: 4", "line 3 of the file: `rating`: out of how many? Write `4/5` or `4/10`"),
        ("published: soon", "line 3 of the file: `published`: expected a date"),
        ("date: 2024", "line 3 of the file: `date`: expected a date"),
        (
            "release_date: soon",
            "line 3 of the file: `release_date`: expected a date such as 2024-10-18, 2024-10 or 2024",
        ),
        ("release_date: 2019-13", "line 3 of the file: `release_date`: expected"),
        ("language: Klingon", "line 3 of the file: `language`"),
        ("canonical_url: javascript:x", "line 3 of the file: `canonical_url`: expected a URL"),
        ("tags: [a", "line 3 of the file: the front matter is not valid YAML: unclosed bracket"),
    ] {
        let error = error(front);
        assert!(error.starts_with(expected), "{front:?}: {error}");
    }
    for poster in ["../a.jpg", "/etc/passwd", "javascript:x", "file:///etc/passwd"] {
        assert!(
            error(&format!("poster: {poster}")).contains("write the URL of the image (https://…)"),
            "{poster}"
        );
    }
    assert_eq!(read("A"), Err(FrontMatterError::Missing.into()));
    assert_eq!(read("---\ntitle: A\n"), Err(FrontMatterError::Unclosed("---").into()));
    assert_eq!(read("+++\ntitle = 'A'\n---\n"), Err(FrontMatterError::Unclosed("+++").into()));
    assert_eq!(read("---\nfilm: A\n---\n"), Err(MarkdownError::NoTitle));
    assert_eq!(read("---\n---\n"), Err(MarkdownError::NoTitle));
}

#[test]
fn times_without_a_zone_are_in_the_zone_of_the_site() {
    let zone = TimeZone::get("Europe/Vienna").unwrap();
    let settings = MarkdownContext { base: &base(), zone: &zone, rating_scale: None };
    for (text, meaning) in [
        ("2027-01-01", "2026-12-31T23:00:00Z"),
        ("2027-01-01 10:00", "2027-01-01T09:00:00Z"),
        ("2027-07-01T10:00:30", "2027-07-01T08:00:30Z"),
        ("2027-07-01T10:00:30-03:00", "2027-07-01T13:00:30Z"),
        ("2027-07-01 10:00:30 +0200", "2027-07-01T08:00:30Z"),
        ("2013/7/13 20:46:25", "2013-07-13T18:46:25Z"),
    ] {
        let file = format!("---\ntitle: A\ndate: {text}\n---\nB");
        let content = parse(&file, &settings).unwrap_or_else(|error| panic!("{text}: {error}")).content;
        assert_eq!(content.published.map(|at| at.to_string()).as_deref(), Some(meaning), "{text}");
    }
}

#[test]
fn numbers_and_booleans_are_texts_as_they_are_written() {
    for text in [
        "1917",
        "007",
        "1.0",
        "1e3",
        "0x1F",
        "0o17",
        "1_000",
        "12:30:45",
        "No",
        "Yes",
        "On",
        "off",
        "true",
        "False",
        "Y",
        "2012-01-01",
        "2001-01-01T00:00:00Z",
        ".inf",
        "+1",
        "-1",
        "Null",
        "3%",
        "<<x",
        "=",
        "C'mon C'mon",
        "A: B".replace(": ", ":").as_str(),
    ] {
        let content = read_yaml(&format!(
            "title: {text}\nfilm: {text}\ntags: [{text}, a]\ndirectors: [{text}]\nstarring:\n- {text}\nwriters: {text}"
        ));
        let content = content.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((content.title.as_str(), content.film.title.as_str()), (text, text));
        assert_eq!(content.tags, [text, "a"]);
        let film = content.film;
        assert_eq!([film.directors, film.stars, film.writers], [[text], [text], [text]], "{text}");
    }
}

#[test]
fn empty_values_are_missing_ones() {
    for empty in ["", "~", "null", "\"\"", "[]"] {
        let content = read_yaml(&format!("title: A\ntags: {empty}\nstarring: {empty}")).unwrap();
        assert!(content.tags.is_empty() && content.film.stars.is_empty(), "{empty}");
    }
    let content = read_yaml("title: A\nsubtitle:\nrating: ~\nyear: null\npublished:\nposter: ''").unwrap();
    assert_eq!(content, ReviewContent { title: "A".into(), ..read_yaml("title: A").unwrap() });
}

#[test]
fn a_value_that_yaml_does_not_read_as_text_is_corrected_with_quotes() {
    for (line, fixed) in [
        ("film: 2001: A Space Odyssey", "film: \"2001: A Space Odyssey\""),
        ("film: [REC]", "film: \"[REC]\""),
        ("film: [REC] 2", "film: \"[REC] 2\""),
        ("film: {Proof}", "film: \"{Proof}\""),
        ("film: #Alive", "film: \"#Alive\""),
        ("subtitle: Movie #1", "subtitle: \"Movie #1\""),
        ("film: *batteries not included", "film: \"*batteries not included\""),
        ("film: !Women Art Revolution", "film: \"!Women Art Revolution\""),
        ("film: &Juliet", "film: \"&Juliet\""),
        ("film: @Suicide Room", "film: \"@Suicide Room\""),
        ("film: %", "film: \"%\""),
        ("subtitle: \"Anora\" and its bet", "subtitle: '\"Anora\" and its bet'"),
        ("film: 'Don't Look Now'", "film: \"Don't Look Now\""),
        ("film: \"Wuthering Heights", "film: '\"Wuthering Heights'"),
        ("rating: *** 1/2", "rating: \"*** 1/2\""),
        ("tags: [2001: A Space Odyssey, drama]", "tags: [\"2001: A Space Odyssey\", \"drama\"]"),
        ("tags: [#horror, #drama]", "tags: [\"#horror\", \"#drama\"]"),
        ("tags:\n  - #horror", "- \"#horror\""),
        ("starring:\n  - Ana: a star", "- \"Ana: a star\""),
    ] {
        let error = read_yaml(&format!("title: A\nyear: 1968\n{line}\nlanguage: en"));
        let error = match error {
            Err(error) => error.to_string(),
            Ok(content) => panic!("{line}: {content:?}"),
        };
        assert!(error.contains(&format!("put the value into quotes: `{fixed}`")), "{line}: {error}");
        let number = 3 + line.lines().count();
        assert!(
            error.starts_with(&format!("line {number} of the file")) || line.contains('\n'),
            "{line}: {error}"
        );
        let whole = if let Some((key, _)) = line.split_once('\n') {
            format!("{key}\n  {fixed}")
        } else {
            fixed.to_owned()
        };
        let corrected = read_yaml(&format!("title: A\nyear: 1968\n{whole}\nlanguage: en"));
        assert!(corrected.is_ok(), "{whole}: {corrected:?}");
    }
    for comments in ["film: B # a note\nyear: 1968 #", "film: B\nsubtitle:\n#rating: x\n\nyear: 1968\n#end"] {
        assert_eq!(read_yaml(&format!("title: A\n{comments}")).unwrap().film.year, Some(1968), "{comments}");
    }
}

#[test]
fn a_date_of_release_keeps_its_precision() {
    for (text, year) in [("2019", 2019), ("2019-05", 2019), ("2019-05-03", 2019)] {
        let film = read_yaml(&format!("title: A\nrelease_date: {text}")).unwrap().film;
        assert_eq!((film.release_date.unwrap().to_string().as_str(), film.year), (text, Some(year)));
    }
}

#[test]
fn a_bare_rating_is_on_the_scale_of_the_site() {
    for (scale, text, rating) in [
        (5, "4", "4/5"),
        (10, "8.5", "8.5/10"),
        (100, "87", "87/100"),
        (4, "3½", "3½"),
        (5, "8/10", "8/10"),
        (5, "B+", "B+"),
        (5, "***", "★★★"),
    ] {
        let file = format!("---\ntitle: A\nrating: \"{text}\"\n---\nB");
        match read_with(&file, Some(scale)) {
            Ok(read) => assert_eq!(read.content.rating.unwrap().as_str(), rating, "{text}"),
            Err(error) => assert_eq!((text, error.to_string().contains("expected a rating")), ("3½", true)),
        }
    }
    let error = read_with("---\ntitle: A\nrating: 9\n---\nB", Some(5)).unwrap_err().to_string();
    assert!(error.contains("`rating`: expected a rating"), "{error}");
}

#[test]
fn files_of_other_programs_are_understood() {
    let hugo = "+++\ntitle = \"The Bet: Anora\"\ndate = 2024-10-18T09:30:00+02:00\nlastmod = 2024-10-19\ndraft = false\n\
        description = 'Nobody sleeps.'\nimages = [\"https://x.example/a.jpg\", \"b.jpg\"]\ncategories = [\"Reviews\", 2024]\n\
        tags = [\"drama\"]\nweight = 10\nslug = \"anora\"\naliases = [\"/old/\"]\n\n[params]\nfilm = \"Anora\"\nyear = 2024\n\
        directors = [\"Sean Baker\"]\nrating = \"4/5\"\nsomething_else = true\n[[params.links]]\nname = 'x'\n+++\nText.\n";
    let jekyll = "---\nlayout: post\ntitle:  \"The Bet: Anora\"\ndate:   2024-10-18 09:30:00 +0200\nlast_modified_at: 2024-10-19\n\
        categories: [Reviews, 2024]\ntags: drama\nexcerpt: Nobody sleeps.\nimage:\n  path: https://x.example/a.jpg\n  alt: A bet\n\
        film: Anora\nyear: 2024\ndirector: Sean Baker\nrating: 4/5\npermalink: /reviews/:title/\npublished: true\nauthor: jo\n---\nText.\n";
    let zola = "+++\ntitle = \"The Bet: Anora\"\ndescription = \"Nobody sleeps.\"\ndate = 2024-10-18T07:30:00Z\nupdated = 2024-10-19\n\
        [taxonomies]\ncategories = [\"Reviews\", \"2024\"]\ntags = [\"drama\"]\ndirectors = [\"Sean Baker\"]\n\
        [extra]\nfilm = \"Anora\"\nyear = 2024\nrating = \"4/5\"\ncover = { image = \"https://x.example/a.jpg\", alt = \"A bet\" }\n+++\nText.\n";
    let eleventy = "---\ntitle: \"The Bet: Anora\"\ndescription: Nobody sleeps.\ndate: 2024-10-18T07:30:00.000Z\nmodified: 2024-10-19\n\
        layout: layouts/review.njk\ntags:\n  - Reviews\n  - 2024\n  - drama\ncover: https://x.example/a.jpg\n\
        eleventyNavigation:\n  key: Anora\nmovieTitle: Anora\nreleaseYear: 2024\ncast: []\ndirectors: Sean Baker\nrating: 4/5\n\
        eleventyExcludeFromCollections: false\n...\nText.\n";
    for (file, has_alt) in [(hugo, false), (jekyll, true), (zola, true), (eleventy, false)] {
        let read = read_with(file, None).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(read.not_public, None, "{file}");
        let content = read.content;
        assert_eq!(
            (content.title.as_str(), content.subtitle.as_deref()),
            ("The Bet: Anora", Some("Nobody sleeps."))
        );
        assert_eq!(content.published.unwrap().to_string(), "2024-10-18T07:30:00Z", "{file}");
        assert_eq!(content.updated.unwrap().to_string(), "2024-10-19T00:00:00Z", "{file}");
        let mut tags = content.tags.clone();
        tags.sort();
        assert_eq!(tags, ["2024", "Reviews", "drama"], "{file}");
        let poster = content.poster.unwrap();
        assert_eq!(
            (poster.url.as_str(), poster.alt.is_some()),
            ("https://x.example/a.jpg", has_alt),
            "{file}"
        );
        let film = content.film;
        assert_eq!((film.title.as_str(), film.year), ("Anora", Some(2024)), "{file}");
        assert_eq!(film.directors, ["Sean Baker"], "{file}");
        assert_eq!(content.rating.unwrap().as_str(), "4/5", "{file}");
        assert_eq!(content.body, "<p>Text.</p>");
    }
}

#[test]
fn toml_values_are_as_they_are_written() {
    let front =
        "title = \"1917\"\ntags = [2001, 1.0, true, 1979-05-27, \"a\"]\nyear = 1_979\nrelease_date = 1979-05";
    let error = read(&format!("+++\n{front}\n+++\nA")).unwrap_err().to_string();
    assert!(error.starts_with("line 5 of the file: the front matter is not valid TOML"), "{error}");
    let content =
        read("+++\ntitle = 'A'\ntags = [2001, 1.0, true, 1979-05-27, \"a\"]\nrelease_date = 1979\n+++\nA")
            .unwrap();
    assert_eq!(content.tags, ["2001", "1.0", "true", "1979-05-27", "a"]);
    let error = read("+++\ntitle = 'A'\n\nrating = 4\n+++\nA").unwrap_err().to_string();
    assert!(error.starts_with("line 4 of the file: `rating`: out of how many?"), "{error}");
}

#[test]
fn a_draft_is_not_public_and_says_where() {
    for line in [
        "draft: true",
        "draft: yes",
        "draft: maybe",
        "published: false",
        "published: No",
        "status: draft",
        "status: private",
        "visibility: members",
        "eleventyExcludeFromCollections: true",
        "permalink: false",
        "hidden: true",
        "private: true",
        "password: x",
        "render: false",
        "expiryDate: 2020-01-01",
        "draft: [a]",
    ] {
        let read = read_with(&format!("---\ntitle: A\n{line}\n---\nB"), None).unwrap();
        let reason = read.not_public.unwrap_or_else(|| panic!("{line}"));
        assert!(reason.ends_with("in line 3"), "{line}: {reason}");
    }
    for line in [
        "draft: false",
        "draft:",
        "published: true",
        "published: 2024-10-18",
        "status: published",
        "visibility: public",
        "eleventyExcludeFromCollections: false",
        "permalink: /a/",
        "hidden: no",
        "password:",
        "password: ''",
    ] {
        let read = read_with(&format!("---\ntitle: A\n{line}\n---\nB"), None).unwrap();
        assert_eq!(read.not_public, None, "{line}");
    }
    let zola = read_with("+++\ntitle = 'A'\n[extra]\nDraft = true\n+++\nB", None).unwrap();
    assert_eq!(zola.not_public.as_deref(), Some("`Draft: true` in line 4"));
}

#[test]
fn a_film_can_be_identified() {
    for (line, identity) in [
        ("film_url: https://www.themoviedb.org/movie/1398", Some("https://www.themoviedb.org/movie/1398")),
        ("tmdb_id: \"1398\"", Some("https://www.themoviedb.org/movie/1398")),
        ("imdb_id: tt0079944", Some("https://www.imdb.com/title/tt0079944/")),
        ("tmdb_id: x/../y", None),
    ] {
        let film = read_yaml(&format!("title: A\n{line}")).unwrap().film;
        assert_eq!(film.identity.as_ref().map(Url::as_str), identity, "{line}");
    }
}

#[test]
fn html_in_markdown_is_sanitized() {
    let content =
        read("---\ntitle: <b>A</b>\n---\n<script>x</script>\n\n[a](javascript:alert(1)) <p onclick=x>b")
            .unwrap();
    assert_eq!(content.title, "<b>A</b>", "a title is plain text");
    assert_eq!(content.body, "<p>a</p><p>b</p>");
}

proptest! {
    #[test]
    fn a_text_in_quotes_is_read_as_it_was(text in "\\PC{1,40}") {
        let text = html::single_line_text(&text, 40);
        prop_assume!(!text.is_empty());
        let content = read_yaml(&format!("title: {}\nfilm: A", super::super::front_matter::quote(&text)));
        prop_assert_eq!(content.unwrap().title, text);
    }

    #[test]
    fn no_text_causes_a_panic(front in "[a-z: \\[\\]{}&*!|>'\"\n-]{0,60}", body in ".{0,80}") {
        let _ = read(&format!("---\ntitle: A\n{front}\n---\n{body}"));
        let _ = read(&format!("+++\ntitle = 'A'\n{front}\n+++\n{body}"));
        let _ = read(&body);
    }

    #[test]
    fn a_review_that_is_written_is_read_as_it_was(
        title in "\\PC{1,60}", names in proptest::collection::vec("[\\PC]{1,30}", 0..4), blocks in proptest::collection::vec(any_block(), 1..8),
        release_date in proptest::option::of("20[0-2][0-9](-0[1-9](-1[0-9])?)?"), rating in proptest::option::of("[1-5]/5|[A-D][+-]?|★{1,5}½?"),
    ) {
        let body = html::sanitize_review_body(&blocks.concat(), &base());
        let title = html::single_line_text(&title, 60);
        prop_assume!(!title.is_empty() && !body.is_empty());
        let names: Vec<String> =
            names.iter().map(|name| html::single_line_text(name, 30)).filter(|name| !name.is_empty()).collect();
        let release_date: Option<ReleaseDate> = release_date.map(|text| text.parse().unwrap());
        let tags: Vec<_> = names.iter().cloned().map(review_content::SourceText::Plain).collect();
        let content = ReviewContent {
            recording: None,
            has_spoilers: false,
            subtitle: names.first().cloned(),
            film: Film {
                title: title.clone(), year: release_date.map(ReleaseDate::year), directors: names.clone(), writers: Vec::new(),
                stars: names.clone(), release_date, identity: Url::parse("https://www.themoviedb.org/movie/1").ok(),
            },
            title, teaser: html::teaser(&body), body: body.clone(),
            rating: rating.and_then(|text| Rating::parse(&text)),
            tags: review_content::normalize_tags(&tags),
            language: Some("pt-BR".into()),
            canonical_url: Url::parse("https://example.org/a?b=1#c").ok(),
            published: Some(Timestamp::from_millis(1_700_000_000_000)),
            updated: None,
            poster: Some(Poster { url: "https://example.org/p.jpg".parse().unwrap(), alt: names.first().cloned() }),
        };
        let written = write(&content, None);
        let read = read(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        prop_assert!(is_same_body(&read.body, &body), "{}\n{}\n{}", read.body, body, written);
        prop_assert_eq!(ReviewContent { body, teaser: content.teaser.clone(), ..read }, content);
    }
}

/// A block as editors write them, with text that could be taken for Markdown.
fn any_block() -> impl Strategy<Value = String> {
    let text = "[a-z0-9 *_`#<>\\[\\]()&;.!|~\\\\\n+=:-]{0,24}";
    let escaped = text.prop_map(|text| crate::domain::html_escape::escape(&text));
    let inline = (escaped, 0..8_usize).prop_map(|(text, kind)| match kind {
        0 => format!("<em>{text}</em>"),
        1 => format!("<strong>{text}</strong>"),
        2 => format!("<a href=\"https://example.org/?a=(b)&amp;c=_d_\">{text}</a>"),
        3 => format!("<code>{text}</code>"),
        4 => format!("<br>{text}"),
        5 => format!("<sup>{text}</sup>"),
        _ => text,
    });
    let line = proptest::collection::vec(inline, 1..4).prop_map(|parts| parts.concat());
    (line, 0..10_usize).prop_map(|(line, kind)| match kind {
        0 => format!("<h2>{line}</h2>"),
        1 => format!("<h3>{line}</h3>"),
        2 => format!("<ul><li>{line}</li><li>{line}</li></ul>"),
        3 => format!("<ol><li>{line}</li></ol>"),
        4 => format!("<blockquote><p>{line}</p><p>{line}</p></blockquote>"),
        5 => format!("<pre>{line}</pre>"),
        6 => format!("<figure><img src=\"https://example.org/a.png\" alt=\"x\"><figcaption>{line}</figcaption></figure>"),
        7 => "<hr>".to_owned(),
        _ => format!("<p>{line}</p>"),
    })
}

#[test]
fn most_of_a_body_is_written_as_markdown() {
    let body = "<h2>One</h2><p>A <em>film</em> by <strong>nobody</strong>, <a href=\"https://example.org/\" rel=\"noopener noreferrer\">see</a>.</p>\
        <ul><li>First</li><li>Second</li></ul><blockquote><p>Quoted.</p></blockquote><p>1. No list</p><pre>a\n\nb</pre>";
    let content = ReviewContent { title: "No".into(), body: body.into(), ..ReviewContent::default() };
    assert_eq!(
        write(&content, None),
        "---\ntitle: \"No\"\n---\n\n## One\n\nA *film* by **nobody**, [see](https://example.org/).\n\n- First\n- Second\n\n> Quoted.\n\n\
         1\\. No list\n\n<pre>a&#10;&#10;b</pre>\n"
    );
}

#[test]
fn the_caption_of_the_poster_stays() {
    let read_again = read(
        "---\ntitle: A\nposter: https://example.org/p.jpg\n---\n![A door](https://example.org/q.jpg)\n\n\
         <figure><img src=\"https://example.org/p.jpg\"><figcaption>A <em>still</em> by B</figcaption></figure>\n\nText.",
    );
    let content = read_again.unwrap();
    assert!(
        content.body.starts_with("<figure><figcaption>A <em>still</em> by B</figcaption></figure>"),
        "{}",
        content.body
    );
    assert_eq!(read(&write(&content, None)).unwrap(), content);
}
