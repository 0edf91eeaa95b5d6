//! Feeds in all common forms, written for these tests.

use std::fmt::Write as _;

use super::*;
use crate::domain::rating::Rating;
use crate::domain::review::ReviewContent;
use proptest::prelude::*;

pub(super) fn parse_as(bytes: &[u8], charset: Option<&str>) -> Result<FeedDocument, FeedError> {
    let (base, columns) = (base(), HeadlineColumns::default());
    parse(FeedSource { bytes, base: &base, charset, zone: &TimeZone::UTC, columns: &columns })
}

fn parse_bytes(bytes: &[u8]) -> Result<FeedDocument, FeedError> {
    parse_as(bytes, None)
}

fn base() -> Url {
    "https://crit.example/feed.xml".parse().unwrap()
}

pub(super) fn read(text: &str) -> FeedDocument {
    parse_bytes(text.as_bytes()).unwrap()
}

fn parse_error(text: &str) -> FeedError {
    parse_bytes(text.as_bytes()).unwrap_err()
}

fn rss(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
         xmlns:media=\"http://search.yahoo.com/mrss/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <channel><title>Last &amp;amp; Row</title><link>https://crit.example/</link><language>en-us</language>{items}</channel></rss>"
    )
}

const REVIEW: &str = "<item><title>Movie Review: 'Anora' is a Riot</title><link>https://crit.example/anora?utm_source=rss</link>\
    <guid isPermaLink=\"false\">tag:crit.example,2024:7</guid><pubDate>Fri, 18 Oct 2024 09:30:00 GMT</pubDate>\
    <dc:creator>Sean \u{201C}joe@crit.example\u{201D}</dc:creator><category>Drama</category><category>drama</category><category><![CDATA[R&amp;B]]></category>\
    <description>Brighton Beach never rested so little</description>\
    <content:encoded><![CDATA[<p><img src=\"http://i.example/a.jpg\" alt=\"A woman laughs\"></p><p>Anora</p><p>Directed by Sean Baker</p>\
    <p>Rating: ★★★★½</p><p>The night begins with a bet. It ends with <a href=\"/b\">a door</a>.</p><script>x</script>]]></content:encoded></item>";

#[test]
fn a_review_in_rss_is_parsed() {
    let document = read(&rss(REVIEW));
    assert_eq!(document.title.as_deref(), Some("Last & Row"));
    assert_eq!(document.skipped, []);
    let FeedEntry { guid, content, .. } = document.entries.first().unwrap();
    assert_eq!(guid.as_deref(), Some("tag:crit.example,2024:7"));
    assert_eq!(content.title, "Movie Review: 'Anora' is a Riot");
    assert_eq!(content.subtitle.as_deref(), Some("Brighton Beach never rested so little"));
    assert_eq!(content.film.title, "Anora");
    assert_eq!(content.film.directors, ["Sean Baker"]);
    assert_eq!(content.rating, Rating::parse("★★★★½"));
    assert_eq!(
        content.body,
        "<p>The night begins with a bet. It ends with <a href=\"https://crit.example/b\" rel=\"noopener noreferrer\">a door</a>.</p>"
    );
    assert_eq!(content.teaser, "The night begins with a bet. It ends with a door.");
    assert_eq!(content.tags, ["Drama", "R&B"]);
    assert_eq!(content.language.as_deref(), Some("en-US"));
    assert_eq!(content.published.unwrap().to_string(), "2024-10-18T09:30:00Z");
    assert_eq!(content.updated, None);
    let poster = content.poster.as_ref().unwrap();
    assert_eq!(
        (poster.url.as_str(), poster.alt.as_deref()),
        ("https://i.example/a.jpg", Some("A woman laughs"))
    );
}

#[test]
fn a_review_in_atom_is_parsed() {
    let document = read(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en'><title type='html'>Row &amp;lt;3</title><entry xml:lang='de-at'>\
         <id> urn:x:1 </id><title type='text'>Is &lt;b&gt; bold?</title><link rel='self' href='/atom/1'/><link rel='alternate' type='text/html' href='/1'/>\
         <updated>2024-10-20T00:00:00Z</updated><published>2024-10-18T09:30:00+02:00</published>\
         <category scheme='http://schemas.google.com/g/2005#kind' term='x#post'/><category term='d' label='Drama'/><summary>A night out.</summary>\
         <media:thumbnail xmlns:media='http://search.yahoo.com/mrss/' url='https://i.example/t.jpg' width='200'/>\
         <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>One<br/>two &amp; <em>three</em></p></div></content></entry></feed>",
    );
    let FeedEntry { guid, content, .. } = document.entries.first().unwrap();
    assert_eq!(document.title.as_deref(), Some("Row <3"));
    assert_eq!(guid.as_deref(), Some("urn:x:1"));
    assert_eq!(content.title, "Is <b> bold?");
    assert_eq!(content.body, "<p>One<br>two &amp; <em>three</em></p>");
    assert_eq!(content.canonical_url.as_ref().unwrap().as_str(), "https://crit.example/1");
    assert_eq!(content.subtitle.as_deref(), Some("A night out."));
    assert_eq!(content.language.as_deref(), Some("de-AT"));
    assert_eq!(content.tags, ["Drama"]);
    assert_eq!(content.published.unwrap().to_string(), "2024-10-18T07:30:00Z");
    assert_eq!(content.updated.unwrap().to_string(), "2024-10-20T00:00:00Z");
    assert_eq!(content.poster.as_ref().unwrap().url.as_str(), "https://i.example/t.jpg");
}

#[test]
fn a_review_in_json_is_parsed() {
    let document = read(
        r#"{"version":"https://jsonfeed.org/version/1.1","title":"Row","language":"fr","items":[
            {"id":7,"url":"/7","title":"<Stalker> (1979)","content_html":"<p>A room.</p>","summary":"Three men walk","image":"i/p.jpg","tags":["SF"],
             "date_published":"2024-10-18T09:30:00Z","date_modified":"soon"},
            5, {"id":"x"}, {"content_text":"Less <is> more.\n\nTruly."}]}"#,
    );
    assert_eq!(document.skipped.len(), 2);
    let content = &document.entries.first().unwrap().content;
    assert_eq!(document.entries.first().unwrap().guid.as_deref(), Some("7"));
    assert_eq!((content.title.as_str(), content.film.year), ("<Stalker> (1979)", Some(1979)));
    assert_eq!(content.poster.as_ref().unwrap().url.as_str(), "https://crit.example/i/p.jpg");
    assert_eq!((content.language.as_deref(), content.updated), (Some("fr"), None));
    let short = document.entries.get(1).unwrap();
    assert_eq!((short.guid.as_deref(), short.content.title.as_str()), (None, "Less <is> more. Truly."));
    assert_eq!(short.content.body, "<p>Less &lt;is&gt; more.</p><p>Truly.</p>");
}

#[test]
fn old_versions_of_rss_are_parsed() {
    let old = "<!DOCTYPE rss PUBLIC \"-//Netscape Communications//DTD RSS 0.91//EN\" \"http://x.example/rss.dtd\">\
        <rss version=\"0.91\"><channel><title>T</title><item><title>A</title><link>https://crit.example/a</link></item></channel></rss>";
    assert_eq!(read(old).entries.len(), 1);
    let unversioned = "<rss><channel><item><title>A</title><content:encoded>&lt;p&gt;B&lt;/p&gt;</content:encoded></item></channel></rss>";
    assert_eq!(read(unversioned).entries.first().unwrap().content.body, "<p>B</p>");
    let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel><title>T</title></channel>\
        <item rdf:about='https://crit.example/a'><title>A</title><link>https://crit.example/a</link></item></rdf:RDF>";
    let document = read(rdf);
    assert_eq!(document.title.as_deref(), Some("T"));
    assert_eq!(document.entries.first().unwrap().guid.as_deref(), Some("https://crit.example/a"));
}

#[test]
fn missing_fields_stay_empty() {
    let document =
        read(&rss("<item><title>A</title><pubDate>yesterday</pubDate></item><item><title>B</title></item>"));
    for entry in &document.entries {
        assert_eq!(entry.guid, None);
        assert_eq!(
            entry.content,
            ReviewContent {
                title: entry.content.title.clone(),
                language: Some("en-US".into()),
                ..ReviewContent::default()
            }
        );
    }
    let guid = |attribute: &str| {
        let item = format!("<item><title>A</title><guid{attribute}>https://crit.example/g</guid></item>");
        read(&rss(&item)).entries.first().unwrap().content.canonical_url.clone()
    };
    assert_eq!(guid("").unwrap().as_str(), "https://crit.example/g");
    assert_eq!(guid(" isPermaLink='false'"), None);
}

#[test]
fn an_atom_entry_with_only_updated_was_published_then() {
    let document = read(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><title>A</title><updated>2024-10-20T00:00:00Z</updated></entry></feed>",
    );
    let content = &document.entries.first().unwrap().content;
    assert_eq!(
        (content.published.unwrap().to_string().as_str(), content.updated),
        ("2024-10-20T00:00:00Z", None)
    );
}

#[test]
fn a_bad_entry_does_not_affect_others() {
    let bad = "<entry><title type='image/png'>x</title></entry>";
    let document = read(&format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A</title></entry>{bad}<entry/><entry><title>B</title></entry></feed>"
    ));
    let titles: Vec<_> = document.entries.iter().map(|e| e.content.title.as_str()).collect();
    assert_eq!(titles, ["A", "B"]);
    assert_eq!(document.skipped.len(), 2);
    assert_eq!(document.skipped.first().unwrap().0, "x");
}

#[test]
fn encodings_are_detected() {
    let item = rss("<item><title>Caf\u{e9} \u{2013} ok</title></item>");
    let title = |bytes: &[u8]| parse_bytes(bytes).unwrap().entries.first().unwrap().content.title.clone();
    let declared = item.replace("UTF-8", "windows-1252");
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&declared);
    assert_eq!(title(&latin), "Caf\u{e9} \u{2013} ok");
    let sixteen: Vec<u8> =
        item.replace("UTF-8", "UTF-16").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(title(&sixteen), "Caf\u{e9} \u{2013} ok");
    assert_eq!(title(format!("\u{FEFF}  {item}").as_bytes()), "Caf\u{e9} \u{2013} ok");
}

#[test]
fn other_documents_are_rejected_with_a_reason() {
    assert_eq!(parse_error(" \n"), FeedError::Empty);
    assert_eq!(parse_error("hello"), FeedError::NotAFeed);
    assert_eq!(parse_error("<opml/>"), FeedError::NotAFeed);
    assert_eq!(parse_error("{\"version\":\"1\"}"), FeedError::NotAFeed);
    assert_eq!(parse_error("<!doctype html><html><head>"), FeedError::Html);
    assert_eq!(parse_error("<html><body>Just a moment"), FeedError::Html);
    let whole = rss(REVIEW);
    let half = whole.get(..whole.len() / 2).unwrap_or_default();
    assert!(matches!(parse_error(half), FeedError::Truncated(_)));
    assert!(matches!(
        parse_error("{\"version\":\"https://jsonfeed.org/version/1\",\"items\":["),
        FeedError::Truncated(_)
    ));
    assert_eq!(
        parse_bytes(&vec![b' '; MAX_DOCUMENT_BYTES + 1]),
        Err(FeedError::TooLarge(MAX_DOCUMENT_BYTES))
    );
    assert!(!parse_error(half).to_string().contains('\n'));
}

#[test]
fn what_is_no_post_does_not_count_towards_the_entries_of_a_backup() {
    let of_kind = |kind: &str| {
        format!("<w:post_type xmlns:w='http://wordpress.org/export/1.2/'>{kind}</w:post_type></item>")
    };
    let attachment = format!("<item><title>a.jpg</title>{}", of_kind("attachment"));
    let status = "<w:status xmlns:w='http://wordpress.org/export/1.2/'>publish</w:status>";
    let post = REVIEW.replace("</item>", &format!("{status}{}", of_kind("post")));
    let document = read(&rss(&(attachment.repeat(MAX_ENTRIES + 1) + &post)));
    assert_eq!((document.entries.len(), document.skipped.len()), (1, 0));
    assert_eq!(document.excluded.len(), MAX_ENTRIES + 1);
}

#[test]
fn documents_that_would_exhaust_a_parser_are_rejected() {
    let laughs = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><rss version='2.0'><channel><title>&b;</title></channel></rss>";
    assert_eq!(parse_error(laughs), FeedError::Dtd);
    assert_eq!(parse_error("<!ENTITY x SYSTEM 'file:///etc/passwd'><rss/>"), FeedError::Dtd);
    let sixteen: Vec<u8> = laughs.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(parse_bytes(&sixteen), Err(FeedError::Dtd));
    let attributes = (0..80_000).fold(String::new(), |mut all, n| {
        let _ = write!(all, " a{n}=''");
        all
    });
    assert!(matches!(parse_error(&format!("<rss{attributes}/>")), FeedError::Malformed(_)));
    assert_eq!(parse_error(&rss(&"<a>".repeat(100_000))), FeedError::TooNested);
    let many = (0..100).fold(String::new(), |mut all, n| {
        let _ = write!(all, " xmlns:n{n}='x'");
        all
    });
    assert_eq!(parse_error(&format!("<rss{many}/>")), FeedError::TooNested);
    for (items, limit) in
        [(MAX_ENTRIES + 1, MAX_ENTRIES), (MAX_ITEMS + 1, MAX_ITEMS), (300_000, MAX_FILE_ITEMS)]
    {
        assert_eq!(parse_error(&rss(&"<item/>".repeat(items))), FeedError::TooManyEntries(limit));
    }
    assert!(matches!(parse_error(&"[".repeat(100_000)), FeedError::NotAFeed));
    let deep = format!("{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":{}", "[".repeat(100_000));
    assert!(matches!(parse_error(&deep), FeedError::Malformed(_)));
}

#[test]
fn shared_ids_and_urls_are_reported() {
    let item = "<item><title>A</title><guid isPermaLink='false'>same</guid><link>https://crit.example/x/</link></item>";
    let other = item.replace("x/", "x?utm_source=a").replace("<title>A", "<title>B");
    let document = read(&rss(&format!("{item}{other}<item><title>C</title><guid>c</guid></item>")));
    assert_eq!(document.shared_guids, HashSet::from(["same".to_owned()]));
    assert_eq!(document.shared_urls, HashSet::from(["crit.example/x".to_owned()]));
}

#[test]
fn titles_are_plain_text() {
    let item = "<item><title>&lt;script&gt;alert(1)&lt;/script&gt;A &amp;lt;b&amp;gt; \u{202E}B&#8217;s&nbsp;C</title></item>";
    assert_eq!(read(&rss(item)).entries.first().unwrap().content.title, "A <b> B\u{2019}s C");
}

#[test]
fn twice_the_feed_takes_about_twice_the_time() {
    let cost = |n: usize| {
        // The same entry twice would be one.
        let numbered = |number: usize| REVIEW.replacen("<title>", &format!("<title>{number} "), 1);
        let text = rss(&(0..n).map(numbered).collect::<String>());
        let start = crate::sources::cpu_time();
        assert_eq!(parse_bytes(text.as_bytes()).unwrap().entries.len(), n);
        crate::sources::cpu_time().as_secs_f64() - start.as_secs_f64()
    };
    let small = cost(50);
    assert!(cost(200) < small * 4.0 * 2.0 + 0.1);
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), start in prop_oneof![Just(""), Just("<rss>"), Just("{"), Just("<?xml encoding='utf-16'?>")]) {
        let all = [start.as_bytes(), &bytes].concat();
        let _ = parse_bytes(&all);
    }

    #[test]
    fn no_insertion_causes_a_panic(at in 0_usize..1_500, with in "[<>/!&;a-z\"'= \\[\\]é-]{0,6}") {
        let mut text = rss(REVIEW);
        let at = text.floor_char_boundary(at);
        text.insert_str(at, &with);
        let _ = parse_bytes(text.as_bytes());
    }
}

/// The bodies, so that an entry has a text.
const PROSE: &str = "<description>A postman rows to an island where nobody writes letters.</description>";

fn item(members: &str) -> String {
    format!("<item><title>T</title><link>https://crit.example/1</link>{PROSE}{members}</item>")
}

fn channel(root: &str, items: &str) -> FeedDocument {
    let text = format!("<rss version=\"2.0\"{root}><channel><title>Third Row</title>{items}</channel></rss>");
    parse_bytes(text.as_bytes()).unwrap()
}

#[test]
fn a_default_namespace_of_rss_is_ignored() {
    let document = channel(" xmlns=\"http://backend.userland.com/rss2\"", &item(""));
    assert_eq!((document.entries.len(), document.skipped), (1, Vec::new()));
    let link = document.entries.first().unwrap().content.canonical_url.as_ref().unwrap();
    assert_eq!(link.as_str(), "https://crit.example/1");
}

#[test]
fn a_bare_ampersand_is_mended() {
    let items = "<item><title>Salt & Vinegar</title><link>https://crit.example/?p=7&lang=en</link>\
                 <description>It's &nbsp;good &rsquo; & cheap. &#xD83D;&#xDE00;</description></item>";
    let document = channel("", items);
    let entry = document.entries.first().unwrap();
    assert_eq!(entry.content.title, "Salt & Vinegar");
    assert_eq!(entry.content.canonical_url.as_ref().unwrap().as_str(), "https://crit.example/?p=7&lang=en");
    assert!(
        entry.content.body.contains("& cheap") || entry.content.body.contains("&amp; cheap"),
        "{}",
        entry.content.body
    );
}

#[test]
fn an_unknown_type_of_text_is_read_as_html() {
    for kind in ["CDATA", "escaped", ""] {
        let text = format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>T</title><entry><title>Letter</title><id>urn:1</id>\
             <link href=\"https://crit.example/1\"/><content type=\"{kind}\"><![CDATA[<p>A postman <b>rows</b>.</p>]]></content>\
             </entry></feed>"
        );
        let document = parse_bytes(text.as_bytes()).unwrap();
        assert_eq!(document.skipped, Vec::new(), "{kind}");
        assert_eq!(
            document.entries.first().unwrap().content.body,
            "<p>A postman <strong>rows</strong>.</p>",
            "{kind}"
        );
    }
}

#[test]
fn the_type_of_an_enclosure_is_compared_without_case_and_may_say_nothing() {
    for (attributes, has_poster) in [
        ("url='https://i.example/P1.JPG' type='IMAGE/JPEG'", true),
        ("url='https://i.example/p2.jpg' type='application/octet-stream'", true),
        ("url='https://i.example/p2.jpg' type='binary/octet-stream'", true),
        ("url='https://i.example/p3.mp3' type='audio/mpeg'", false),
        ("url='https://i.example/p4.jpg' type='audio/mpeg'", false),
        ("url='https://i.example/p5' type='application/octet-stream'", false),
    ] {
        let document = channel("", &item(&format!("<enclosure {attributes} length='1'/>")));
        assert_eq!(document.entries.first().unwrap().content.poster.is_some(), has_poster, "{attributes}");
    }
}

#[test]
fn each_format_may_hold_its_dates_in_elements_of_another() {
    let day = |members: &str| {
        let document = channel(" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"", &item(members));
        document.entries.first().unwrap().content.published.map(|at| at.to_string())
    };
    let expected = Some("2018-02-03T10:00:00Z".to_owned());
    for members in [
        "<pubDate>Sat, 03 Feb 2018 10:00:00 GMT</pubDate>",
        "<PubDate><![CDATA[ 2018-02-03T10:00:00Z ]]></PubDate>",
        "<dc:date>2018-02-03T10:00:00Z</dc:date>",
        "<published>2018-02-03T10:00:00Z</published>",
        "<updated>2018-02-03T10:00:00Z</updated>",
        "<issued>2018-02-03T10:00:00Z</issued><modified>2020-02-03T10:00:00Z</modified>",
        "<modified>2018-02-03T10:00:00Z</modified>",
    ] {
        assert_eq!(day(members), expected, "{members}");
    }
    assert_eq!(day("<pubDate>soon</pubDate><updated>2018-02-03T10:00:00Z</updated>"), None);
    assert_eq!(day(""), None);
}

#[test]
fn a_date_without_a_zone_is_in_the_zone_of_the_other_dates() {
    let read = |dates: &[&str]| -> Vec<(String, bool)> {
        let items: Vec<String> =
            dates.iter().map(|date| item(&format!("<pubDate>{date}</pubDate>"))).collect();
        let document = channel("", &items.concat());
        let date =
            |entry: &FeedEntry| (entry.content.published.unwrap().to_string(), entry.date_note.is_some());
        document.entries.iter().map(date).collect()
    };
    let with_zone = "Sat, 03 Feb 2018 10:00:00 +0200";
    let without = "Sat, 03 Feb 2018 10:00:00";
    let (utc, east) = ("2018-02-03T10:00:00Z".to_owned(), "2018-02-03T08:00:00Z".to_owned());
    assert_eq!(read(&[without]), [(utc.clone(), true)]);
    assert_eq!(read(&[with_zone, without]), [(east.clone(), false), (east.clone(), true)]);
    let mixed = read(&[with_zone, without, "Sat, 03 Feb 2018 10:00:00 GMT"]);
    assert_eq!(mixed, [(east, false), (utc.clone(), true), (utc, false)]);
}

#[test]
fn tags_that_do_not_match_spoil_only_their_entry() {
    for (broken, reason) in [
        ("<description><p>A <b>postman.</p></description>", "<b> is closed by </p>"),
        ("<description>A postman.</p></description>", "unmatched </p>"),
        ("<description>A postman <br> rows.</description>", "<br> is closed by </description>"),
        ("<description>A postman.", "<description> is closed by </item>"),
        ("</nothing>", "unmatched </nothing>"),
    ] {
        let good = |name: &str| format!("<item><title>{name}</title>{PROSE}</item>");
        let items =
            format!("{}<item><title>Broken &amp; bad</title>{broken}</item>{}", good("First"), good("Third"));
        let document = channel("", &items);
        let titles: Vec<_> = document.entries.iter().map(|entry| entry.content.title.as_str()).collect();
        assert_eq!(titles, ["First", "Third"], "{broken}");
        assert_eq!(document.skipped, [("Broken & bad".to_owned(), reason.to_owned())], "{broken}");
    }
}

proptest! {
    #[test]
    fn the_loss_of_an_entry_takes_no_other_with_it(part in "(</?[a-z]{1,4}>|[a-z &;]{0,5}){0,12}") {
        let good = |name: &str| format!("<item><title>{name}</title>{PROSE}</item>");
        let broken = format!("<item><title>Broken</title><description>{part}</description></item>");
        let document = channel("", &format!("{}{broken}{}", good("First"), good("Third")));
        let titles: Vec<_> = document.entries.iter().map(|entry| entry.content.title.as_str()).collect();
        prop_assert!(titles.contains(&"First") && titles.contains(&"Third"), "{:?} {:?}", titles, document.skipped);
        prop_assert_eq!(document.entries.len() + document.skipped.len(), 3);
    }
}

#[test]
fn an_entry_can_be_parsed_again_from_its_source() {
    let item = "<item><title>A &amp; B</title><link>/a</link><guid isPermaLink=\"false\">1</guid>\
        <pubDate>Mon, 04 Mar 2019 10:00:00 GMT</pubDate><description>&lt;p>Text</description>\
        <category>Horror</category></item>";
    let other = item.replace(">1<", ">2<").replace("/a<", "/b<");
    let rss2 = format!(
        "<rss version=\"2.0\"><channel><title>T</title>{item}{other}<language>de</language></channel></rss>"
    );
    let rss1 = format!(
        "<?xml version=\"1.0\"?><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns=\"http://purl.org/rss/1.0/\"><channel><title>T</title></channel>{}{}</rdf:RDF>",
        item.replace("<item>", "<item rdf:about=\"urn:1\">"),
        other
    );
    let entry = "<entry xml:lang=\"fr\"><title>A</title><link href=\"a\"/><id>1</id><updated>2019-03-04T10:00:00Z</updated>\
        <content type=\"html\">&lt;p>Text</content></entry>";
    let atom = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"https://x.example/y/\">{entry}{entry}</feed>"
    );
    let single = entry.replace("<entry ", "<entry xmlns=\"http://www.w3.org/2005/Atom\" ");
    let json = "{\"version\": \"https://jsonfeed.org/version/1\", \"language\": \"sv\", \"items\": [\
        {\"id\": 7, \"url\": \"/a\", \"title\": \"A\", \"content_html\": \"<p>T\", \"date_published\": \"2019-03-04\"}, {\"id\": \"8\", \"title\": \"B\"}]}";
    for feed in [rss2, rss1, atom, single, json.to_owned()] {
        let document = read(&feed);
        assert!(!document.entries.is_empty() && document.skipped.is_empty(), "{document:?}");
        for entry in &document.entries {
            let EntrySource::Document(source) = &entry.source else { panic!("{entry:?}") };
            assert_eq!(read(source).entries, std::slice::from_ref(entry), "{source}");
        }
    }
    let large = read(&rss(&format!(
        "<item><title>A</title><description>{}</description></item>",
        "x ".repeat(300_000)
    )));
    assert!(matches!(&large.entries[0].source, EntrySource::Hash(hash) if hash.len() == 64));
}

#[test]
fn a_long_start_tag_is_not_repeated_for_each_entry() {
    let feed = format!(
        "<rss version=\"2.0\" a=\"{}\"><channel>{}</channel></rss>",
        "x".repeat(20_000),
        "<item/>".repeat(5_000)
    );
    assert_eq!(
        parse_error(&feed).to_string(),
        "the feed is not well-formed: the start tag of <rss> is too long"
    );
}
