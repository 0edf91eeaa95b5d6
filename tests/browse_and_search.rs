//! Browse pages and search: they show all public reviews, and nothing else.

use std::collections::BTreeSet;

use scraper::{Html, Selector};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::config_file::url;
use crate::support::feed::Item;
use crate::support::http::{HTML, Response};
use crate::support::{Database, Fixture};

both_databases!(
    browse_pages_list_their_reviews_and_reviews_link_to_browse_pages,
    the_browse_overviews_link_to_every_browse_page,
    spellings_of_a_title_are_one_film_and_a_remake_is_another,
    a_search_finds_the_reviews_that_have_every_word,
    a_search_marks_its_matches_and_escapes_everything_else,
    filters_narrow_a_search,
    g1_no_query_breaks_the_search,
    a_retracted_review_is_not_listed_or_found,
    a_revised_review_is_found_by_its_new_words_on_its_new_pages,
    long_lists_and_long_search_results_have_pages,
    a_person_has_feeds,
    a_review_links_to_others_of_its_film_and_its_director,
    reviews_from_before_the_browse_index_are_indexed,
);

/// A review that a test publishes from a Markdown file.
struct TestReview<'a> {
    title: &'a str,
    film: &'a str,
    year: u16,
    people: &'a str,
    rating: &'a str,
    tags: &'a str,
    body: &'a str,
}

const FERRY: TestReview<'_> = TestReview {
    title: "Six in the Morning",
    film: "The Night Ferry",
    year: 2021,
    people: "directors: [\"Agnès Lindqvist\"]\nwriters: [\"Agnès Lindqvist\", \"Ben Okoro\"]\nstarring: [\"Cleo Marsh\"]",
    rating: "★★★★½",
    tags: "[\"Ferries\", \"Slow cinema\"]",
    body: "The ferry leaves at six, and nobody waves. A schoolteacher keeps a radio under the bench.",
};

const SMOKE: TestReview<'_> = TestReview {
    title: "Salt & <Smoke>",
    film: "Salt and Smoke",
    year: 1968,
    people: "directors: [\"Dov Adler\"]\nstarring: [\"Agnès Lindqvist\"]",
    rating: "★★",
    tags: "[\"Slow cinema\"]",
    body: "Two cooks quarrel over a radio. It ends as it begins, with 1 < 2 & a ferry that is only heard.",
};

const DEPOT: TestReview<'_> = TestReview {
    title: "Nobody Home",
    film: "Depot",
    year: 1999,
    people: "directors: [\"Xia 東京\"]",
    rating: "B+",
    tags: "[]",
    body: "An empty building, filmed with patience: 東京物語 comes to mind.",
};

impl TestReview<'_> {
    fn markdown(&self) -> String {
        let Self { title, film, year, people, rating, tags, body } = self;
        format!(
            "---\ntitle: {title:?}\nfilm: {film:?}\nyear: {year}\n{people}\nrating: {rating:?}\ntags: {tags}\n---\n\n{body}\n"
        )
    }

    /// Publishes the review, and returns the path of its page.
    async fn publish(&self, fixture: &Fixture) -> String {
        let file = fixture.app.write("review.md", &self.markdown());
        let output = fixture.app.command_output(&["publish", &file]).await;
        let page = output.split_whitespace().find_map(|word| word.strip_prefix(&url("")));
        page.unwrap_or_else(|| panic!("no URL in {output:?}")).to_owned()
    }
}

async fn get(fixture: &Fixture, path: &str) -> Response {
    fixture.network.client.get(&url(path), HTML).await
}

async fn page(fixture: &Fixture, path: &str) -> Html {
    let response = get(fixture, path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    Html::parse_document(&response.body)
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).expect("a selector");
    let text = |element: scraper::ElementRef<'_>| element.text().collect::<Vec<_>>().concat();
    page.select(&selector)
        .map(|element| text(element).split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn links(page: &Html) -> BTreeSet<String> {
    let selector = Selector::parse("main a[href]").expect("a selector");
    page.select(&selector).filter_map(|link| link.attr("href")).map(str::to_owned).collect()
}

/// The titles of the reviews on a browse page.
async fn titles_on(fixture: &Fixture, path: &str) -> Vec<String> {
    texts(&page(fixture, path).await, ".ledger-title, .card-title")
}

/// The titles of the search results.
async fn search_titles(fixture: &Fixture, query: &str) -> Vec<String> {
    texts(&page(fixture, &format!("/search?{query}")).await, ".hit h3")
}

async fn browse_pages_list_their_reviews_and_reviews_link_to_browse_pages(database: Database) {
    let fixture = Fixture::new(database).await;
    let ferry = FERRY.publish(&fixture).await;
    SMOKE.publish(&fixture).await;
    DEPOT.publish(&fixture).await;
    let (one, two, three) = ("Six in the Morning", "Salt & <Smoke>", "Nobody Home");
    let year = crate::support::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let year_path = format!("/years/{year}");
    for (path, titles) in [
        ("/reviews", vec![three, two, one]),
        ("/films/the-night-ferry-2021", vec![one]),
        ("/people/agnes-lindqvist", vec![two, one]),
        ("/people/agnes-lindqvist?as=director", vec![one]),
        ("/people/agnes-lindqvist?as=writer", vec![one]),
        ("/people/agnes-lindqvist?as=star", vec![two]),
        ("/people/ben-okoro", vec![one]),
        ("/people/xia-%E6%9D%B1%E4%BA%AC", vec![three]),
        ("/tags/slow-cinema", vec![two, one]),
        ("/tags/ferries", vec![one]),
        ("/ratings/4.5", vec![one]),
        ("/ratings/b-plus", vec![three]),
        (&year_path, vec![three, two, one]),
    ] {
        assert_eq!(titles_on(&fixture, path).await, titles, "{path}");
    }
    for path in [
        "/films/nothing",
        "/people/nobody",
        "/people/ben-okoro?as=director",
        "/people/ben-okoro?as=king",
        "/tags/nothing",
        "/years/1971",
        "/years/0",
        "/years/99999",
        "/years/next",
        "/ratings/3",
        "/ratings/x",
        "/films?letter=q",
        "/films?letter=no",
        "/people/ben-okoro?page=2",
    ] {
        assert_eq!(get(&fixture, path).await.status, 404, "{path}");
    }
    let review_links = links(&page(&fixture, &ferry).await);
    let paths = ["/films/the-night-ferry-2021", "/people/agnes-lindqvist", "/people/cleo-marsh"];
    for path in paths.iter().chain(&["/tags/ferries"]) {
        assert!(review_links.contains(*path), "{path}: {review_links:?}");
    }
}

async fn the_browse_overviews_link_to_every_browse_page(database: Database) {
    let fixture = Fixture::new(database).await;
    for review in [FERRY, SMOKE, DEPOT] {
        review.publish(&fixture).await;
    }
    let year = crate::support::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let year_path = format!("/years/{year}");
    let browse = links(&page(&fixture, "/browse").await);
    for path in [
        &year_path,
        "/ratings/4.5",
        "/ratings/2",
        "/ratings/b-plus",
        "/people/agnes-lindqvist",
        "/tags/ferries",
    ] {
        assert!(browse.contains(path), "{path}: {browse:?}");
    }
    // Films are sorted without their article, people by the last part of their name.
    assert_eq!(
        texts(&page(&fixture, "/films").await, ".ways a"),
        ["Depot (1999)", "The Night Ferry (2021)", "Salt and Smoke (1968)"]
    );
    assert_eq!(texts(&page(&fixture, "/people?letter=l").await, ".ways a"), ["Agnès Lindqvist"]);
    assert_eq!(texts(&page(&fixture, "/people").await, ".letters a"), ["A", "L", "M", "O", "東"]);
}

async fn spellings_of_a_title_are_one_film_and_a_remake_is_another(database: Database) {
    let fixture = Fixture::new(database).await;
    FERRY.publish(&fixture).await;
    TestReview { title: "Again", film: "THE NIGHT FERRY", ..FERRY }.publish(&fixture).await;
    TestReview { title: "A Remake", year: 2024, ..FERRY }.publish(&fixture).await;
    assert_eq!(titles_on(&fixture, "/films/the-night-ferry-2021").await, ["Again", "Six in the Morning"]);
    assert_eq!(titles_on(&fixture, "/films/the-night-ferry-2024").await, ["A Remake"]);
    assert_eq!(texts(&page(&fixture, "/films").await, ".ways a").len(), 2);
}

async fn a_search_finds_the_reviews_that_have_every_word(database: Database) {
    let fixture = Fixture::new(database).await;
    for review in [FERRY, SMOKE, DEPOT] {
        review.publish(&fixture).await;
    }
    let (one, two, three) = ("Six in the Morning", "Salt & <Smoke>", "Nobody Home");
    for (query, titles) in [
        ("schoolteacher", vec![one]),
        ("schoolt", vec![one]),
        ("RADIO", vec![two, one]),
        ("radio+bench", vec![one]),
        ("radio+building", vec![]),
        // A match in the title comes before a newer review.
        ("ferry", vec![one, two]),
        ("ferr%C3%ADes", vec![one]),
        ("agnes", vec![two, one]),
        ("AGN%C3%88S+quarrel", vec![two]),
        ("1968", vec![two]),
        ("slow+cinema", vec![two, one]),
        ("%E6%9D%B1%E4%BA%AC", vec![three]),
        ("%E7%89%A9%E8%AA%9E", vec![three]),
        ("it", vec![two]),
        ("nosuchword", vec![]),
    ] {
        assert_eq!(search_titles(&fixture, &format!("q={query}")).await, titles, "{query}");
    }
    let description = get(&fixture, "/opensearch.xml").await;
    assert!(description.header("content-type").starts_with("application/opensearchdescription+xml"));
    let template = format!("template=\"{}\"", url("/search?q={searchTerms}"));
    assert!(description.body.contains(&template), "{}", description.body);
    let home = get(&fixture, "/").await.body;
    assert!(home.contains("href=\"/opensearch.xml\"") && home.contains("role=\"search\""), "{home}");
}

async fn a_search_marks_its_matches_and_escapes_everything_else(database: Database) {
    let fixture = Fixture::new(database).await;
    SMOKE.publish(&fixture).await;
    let page = page(&fixture, "/search?q=smoke+begins").await;
    assert_eq!(texts(&page, ".hit h3"), ["Salt & <Smoke>"]);
    assert_eq!(texts(&page, ".hit h3 mark"), ["Smoke"]);
    assert_eq!(texts(&page, ".excerpt mark"), ["begins"]);
    assert!(texts(&page, ".excerpt")[0].contains("with 1 < 2 & a ferry"));
    // The query is shown as text.
    let path = "/search?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E+%3Cmark%3E&tag=%3Cb%3E";
    let response = get(&fixture, path).await;
    assert_eq!(response.status, 200);
    assert!(!response.body.contains("<script>") && !response.body.contains("<b>"), "{}", response.body);
}

async fn filters_narrow_a_search(database: Database) {
    let fixture = Fixture::new(database).await;
    for review in [FERRY, SMOKE, DEPOT] {
        review.publish(&fixture).await;
    }
    let year = crate::support::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let (one, two, three) = ("Six in the Morning", "Salt & <Smoke>", "Nobody Home");
    for (query, titles) in [
        ("q=radio&tag=Ferries", vec![one]),
        ("q=radio&tag=%23slow+cinema", vec![two, one]),
        ("q=radio&rating=3", vec![one]),
        ("q=radio&rating=2", vec![two, one]),
        ("q=&rating=b-plus", vec![three, one]),
        ("q=radio&person=agnes+lindqvist", vec![two, one]),
        ("q=&person=Ben+Okoro", vec![one]),
        ("q=&person=Okoro", vec![one]),
        ("q=&person=Zelda+Okoro", vec![]),
        ("q=&person=...", vec![]),
        ("q=&tag=nothing", vec![]),
        ("critic=critic&q=radio&tag=ferries&rating=4.5", vec![one]),
    ] {
        assert_eq!(search_titles(&fixture, query).await, titles, "{query}");
    }
    assert_eq!(search_titles(&fixture, &format!("q=&year={year}")).await, [three, two, one]);
    assert!(search_titles(&fixture, "q=radio&year=1999").await.is_empty());
    for invalid in ["year=soon", "year=0", "rating=11", "critic=nobody", "q=a&page=0", "q=a&q=b"] {
        assert_eq!(get(&fixture, &format!("/search?{invalid}")).await.status, 400, "{invalid}");
    }
}

async fn g1_no_query_breaks_the_search(database: Database) {
    let fixture = Fixture::new(database).await;
    FERRY.publish(&fixture).await;
    for query in [
        "",
        "%22",
        "%22%22",
        "*",
        "ferry*",
        "%22ferry",
        "NEAR",
        "NEAR(ferry+six)",
        "NOT",
        "ferry+AND",
        "OR+OR",
        "-",
        "^ferry",
        "body%3Aferry",
        "head+%3A+ferry",
        "%7Bhead%7D",
        "(",
        "))",
        "'",
        "''%3A*",
        "%5C",
        "ferry'%3A*A",
        "%3B+drop+table+search",
        "%25",
        "_",
        "%FF%FE",
        "%ED%A0%80",
        "%E2%80%AE",
        "%F0%9F%8E%AC",
        "a",
        "%26%7C!",
        "%3C-%3E",
    ] {
        let response = get(&fixture, &format!("/search?q={query}")).await;
        assert_eq!(response.status, 200, "{query}: {}", response.body);
        assert!(response.header("content-type").starts_with("text/html"), "{query}");
    }
    for query in ["ferry*", "%22ferry", "^ferry", "ferry'%3A*A"] {
        let titles = search_titles(&fixture, &format!("q={query}")).await;
        let is_found = titles == ["Six in the Morning"];
        // The last one contains a second word, `A`.
        assert!(is_found || (titles.is_empty() && query.ends_with('A')), "{query}: {titles:?}");
    }
    for field in ["q", "tag", "person", "critic"] {
        let long = get(&fixture, &format!("/search?{field}={}", "ferry+".repeat(1_700))).await;
        assert_eq!(long.status, 400, "{field}");
        assert!(long.body.contains("search is too long"), "{}", long.body);
    }
    let many: Vec<String> = (0..45).map(|n| format!("w{n}")).collect();
    assert_eq!(get(&fixture, &format!("/search?q={}", many.join("+"))).await.status, 200);
    let bare = page(&fixture, "/search?q=%22%22").await;
    assert_eq!(texts(&bare, "[role=alert]"), ["Enter at least one word."]);
    assert_eq!(get(&fixture, "/search?q=ferry&page=2").await.status, 404);
}

async fn a_retracted_review_is_not_listed_or_found(database: Database) {
    let fixture = Fixture::new(database).await;
    let ferry = FERRY.publish(&fixture).await;
    SMOKE.publish(&fixture).await;
    assert_eq!(search_titles(&fixture, "q=radio").await.len(), 2);
    fixture.app.command_output(&["retract", &url(&ferry)]).await;
    assert_eq!(search_titles(&fixture, "q=radio").await, ["Salt & <Smoke>"]);
    assert_eq!(search_titles(&fixture, "q=&rating=1").await, ["Salt & <Smoke>"]);
    for path in ["/films/the-night-ferry-2021", "/people/ben-okoro", "/tags/ferries", "/ratings/4.5"] {
        assert_eq!(get(&fixture, path).await.status, 404, "{path}");
    }
    assert_eq!(titles_on(&fixture, "/people/agnes-lindqvist").await, ["Salt & <Smoke>"]);
    assert_eq!(titles_on(&fixture, "/reviews").await, ["Salt & <Smoke>"]);
    assert!(!links(&page(&fixture, "/browse").await).contains("/ratings/4.5"));
    // A scheduled review is not listed yet.
    let scheduled =
        SMOKE.markdown().replace("---\ntitle: \"Salt", "---\npublished: 2199-01-01\ntitle: \"Soon");
    let file = fixture.app.write("scheduled.md", &scheduled.replace("quarrel", "elope"));
    fixture.app.command_output(&["publish", &file]).await;
    assert!(search_titles(&fixture, "q=elope").await.is_empty());
    assert_eq!(titles_on(&fixture, "/films/salt-and-smoke-1968").await, ["Salt & <Smoke>"]);
}

async fn a_revised_review_is_found_by_its_new_words_on_its_new_pages(database: Database) {
    let fixture = Fixture::new(database).await;
    let address = FERRY.publish(&fixture).await;
    let revised = TestReview {
        film: "The Day Ferry",
        people: "directors: [\"Dov Adler\"]",
        rating: "3/5",
        tags: "[\"Daylight\"]",
        body: "It leaves at noon, and the lighthouse answers.",
        ..FERRY
    };
    let file = fixture.app.write("review.md", &revised.markdown());
    fixture.app.command_output(&["revise", &url(&address), &file]).await;
    assert_eq!(search_titles(&fixture, "q=lighthouse").await, ["Six in the Morning"]);
    assert!(search_titles(&fixture, "q=schoolteacher").await.is_empty());
    assert!(search_titles(&fixture, "q=leaves&tag=ferries").await.is_empty());
    for (new, old) in [
        ("/films/the-day-ferry-2021", "/films/the-night-ferry-2021"),
        ("/people/dov-adler", "/people/agnes-lindqvist"),
        ("/tags/daylight", "/tags/ferries"),
        ("/ratings/3", "/ratings/4.5"),
    ] {
        assert_eq!(titles_on(&fixture, new).await, ["Six in the Morning"], "{new}");
        assert_eq!(get(&fixture, old).await.status, 404, "{old}");
    }
}

async fn long_lists_and_long_search_results_have_pages(database: Database) {
    let items: Vec<Item> = (0..65).map(|number| Item::old_review(&format!("Reel Number {number}"))).collect();
    let fixture = fixture_with_feed(database, &items, "").await;
    for (list_path, page_size) in [
        ("/reviews?", 30),
        ("/people/ada-lindqvist?as=writer&", 30),
        ("/years/2019?", 30),
        ("/search?q=patience&", 20),
    ] {
        let mut seen = BTreeSet::new();
        let pages = 65_usize.div_ceil(page_size);
        for number in 1..=pages {
            let page = page(&fixture, &format!("{list_path}page={number}")).await;
            let titles = texts(&page, ".ledger-title, .hit h3");
            assert_eq!(titles.len(), page_size.min(65 - page_size * (number - 1)), "{list_path}{number}");
            seen.extend(titles);
            let next = page.select(&Selector::parse("a[rel=next]").expect("a selector")).next();
            let next = next.and_then(|next| next.attr("href")).filter(|href| !href.contains("/years/2"));
            let expected = (number < pages).then(|| format!("{list_path}page={}", number + 1));
            if !list_path.starts_with("/years") {
                assert_eq!(next, expected.as_deref());
            }
        }
        assert_eq!(seen.len(), 65, "{list_path}: each review once");
        for beyond in [pages + 1, 99_999] {
            assert_eq!(
                get(&fixture, &format!("{list_path}page={beyond}")).await.status,
                404,
                "{list_path}{beyond}"
            );
        }
    }
    let first = page(&fixture, "/search?q=patience").await;
    assert_eq!(texts(&first, ".findings h2"), ["65 reviews found"]);
}

async fn a_person_has_feeds(database: Database) {
    let fixture = Fixture::new(database).await;
    FERRY.publish(&fixture).await;
    SMOKE.publish(&fixture).await;
    let listed = get(&fixture, "/people/agnes-lindqvist").await.body;
    for (file, kind) in [("feed.xml", "rss"), ("atom.xml", "atom"), ("feed.json", "feed")] {
        let path = format!("/people/agnes-lindqvist/{file}");
        assert!(listed.contains(&format!("href=\"{path}\"")), "{listed}");
        let response = get(&fixture, &path).await;
        assert!(response.header("content-type").starts_with(&format!("application/{kind}+")), "{path}");
        let feed = feed_rs::parser::parse(response.body.as_bytes()).expect("a feed");
        let titles: Vec<String> =
            feed.entries.into_iter().filter_map(|e| e.title.map(|t| t.content)).collect();
        assert_eq!(titles, ["Salt & <Smoke>", "Six in the Morning"], "{path}");
        assert!(feed.title.is_some_and(|title| title.content.contains("Agnès Lindqvist")));
        assert_eq!(get(&fixture, &format!("/people/nobody/{file}")).await.status, 404);
    }
}

async fn a_review_links_to_others_of_its_film_and_its_director(database: Database) {
    let fixture = Fixture::new(database).await;
    let first = FERRY.publish(&fixture).await;
    assert!(texts(&page(&fixture, &first).await, ".more-like-it a").is_empty());
    let second = TestReview { title: "Again", body: "It is still dark.", ..FERRY }.publish(&fixture).await;
    let other = TestReview { title: "Elsewhere", film: "Harbour", body: "All lamps are out.", ..FERRY };
    let other = other.publish(&fixture).await;
    let first_links = links(&page(&fixture, &first).await);
    assert!(first_links.contains(&second) && first_links.contains(&other), "{first_links:?}");
    let headings = texts(&page(&fixture, &first).await, ".more-like-it h2");
    assert_eq!(headings, ["More on this film", "More films by Agnès Lindqvist"]);
    fixture.app.command_output(&["retract", &url(&second)]).await;
    assert_eq!(texts(&page(&fixture, &first).await, ".more-like-it h2"), ["More films by Agnès Lindqvist"]);
}

async fn reviews_from_before_the_browse_index_are_indexed(database: Database) {
    let mut fixture = Fixture::new(database).await;
    FERRY.publish(&fixture).await;
    let retracted = SMOKE.publish(&fixture).await;
    fixture.app.command_output(&["retract", &url(&retracted)]).await;
    fixture.app.terminate().await;
    // The state of the tables right after the migration.
    let address = fixture.app.database_url();
    let statements =
        "delete from browse_index; delete from browse_terms; update reviews set browse_indexed = 0;";
    if database == Database::Sqlite {
        let mut connection = SqliteConnection::connect(&address).await.expect("the database");
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("an empty browse index");
        let words = "delete from search_index where rowid in (select doc_id from search_documents); delete from search_documents;";
        sqlx::raw_sql(words).execute(&mut connection).await.expect("an empty search index");
    } else {
        let mut connection = PgConnection::connect(&address).await.expect("the database");
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("an empty browse index");
        sqlx::raw_sql("delete from search_index")
            .execute(&mut connection)
            .await
            .expect("an empty search index");
    }
    fixture.app.start().await;
    assert_eq!(titles_on(&fixture, "/reviews").await, ["Six in the Morning"]);
    assert_eq!(titles_on(&fixture, "/people/agnes-lindqvist").await, ["Six in the Morning"]);
    assert_eq!(search_titles(&fixture, "q=radio").await, ["Six in the Morning"]);
    assert_eq!(texts(&page(&fixture, "/browse").await, ".list-head .facts"), ["1 review"]);
}
