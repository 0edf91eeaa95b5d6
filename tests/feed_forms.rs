//! Feeds in the forms that browsers and feed readers forgive: charsets, namespaces, and markup that is not well-formed. An entry
//! that cannot be read is named in the log, and no other is lost with it.

use serde_json::Value;

use crate::both_databases;
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(feeds_are_read_in_the_forms_that_readers_forgive);

/// A feed, the titles of the reviews that it gives, and the entry that the log names as skipped.
struct Form {
    media_type: &'static str,
    document: Vec<u8>,
    titles: &'static [&'static str],
    skipped: Option<&'static str>,
}

fn form(
    media_type: &'static str,
    document: impl Into<Vec<u8>>,
    titles: &'static [&'static str],
    skipped: Option<&'static str>,
) -> Form {
    Form { media_type, document: document.into(), titles, skipped }
}

/// An item with a text of its own.
fn item(title: &str, more: &str) -> String {
    let text = format!("{title} rows to an island where nobody writes, and {title} rows back. ").repeat(3);
    format!("<item><title>{title}</title>{more}<description>{text}</description></item>")
}

fn rss(root: &str, items: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\"?><rss {root}><channel><title>Row</title>{}</channel></rss>",
        items.concat()
    )
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a character of ISO 8859-1")).collect()
}

const RSS: &str = "application/rss+xml";
const ATOM: &str = "application/atom+xml";
const ATOM_1_0: &str = "xmlns=\"http://www.w3.org/2005/Atom\"";
const ATOM_0_3: &str = "version=\"0.3\" xmlns=\"http://purl.org/atom/ns#\"";

/// Charsets: by bytes that are UTF-8, by the header, by the declaration, and by a guess.
fn charsets() -> Vec<Form> {
    let declared = |encoding: &str, title: &str| {
        let feed = rss("version=\"2.0\"", &[item(title, "")]);
        feed.replacen("?>", &format!(" encoding=\"{encoding}\"?>"), 1)
    };
    let header = "application/rss+xml; charset=iso-8859-1";
    let utf_8 = "application/rss+xml; charset=utf-8";
    vec![
        form(utf_8, declared("ISO-8859-1", "Été à la jetée"), &["Été à la jetée"], None),
        form("text/xml; charset=us-ascii", declared("us-ascii", "Přízrak"), &["Přízrak"], None),
        form(header, latin(&declared("UTF-8", "Hôtel de nuit")), &["Hôtel de nuit"], None),
        form(RSS, latin(&declared("ISO-8859-1", "Forêt d'août")), &["Forêt d'août"], None),
        form(RSS, latin(&declared("UTF-8", "Le café fermé")), &["Le café fermé"], None),
    ]
}

fn namespaces_and_types() -> Vec<Form> {
    let of_rss = |root: &str, title: &str| rss(root, &[item(title, "")]);
    let of_atom = |root: &str, title: &str, content: &str| {
        format!(
            "<feed {root}><title>Row</title><entry><title>{title}</title><id>urn:{title}</id>\
             <link rel=\"alternate\" href=\"https://remote.test/{title}\"/>{content}</entry></feed>"
        )
    };
    let escaped = "<content type=\"text/html\" mode=\"escaped\">&lt;p&gt;Salt&lt;/p&gt;</content>";
    let cdata = "<content type=\"CDATA\"><![CDATA[<p>Sea</p>]]></content>";
    let unknown = "<content type=\"escaped\">&lt;p&gt;Fog&lt;/p&gt;</content>";
    let userland = "version=\"2.0\" xmlns=\"http://backend.userland.com/rss2\"";
    let purl = "version=\"0.91\" xmlns=\"http://purl.org/rss/1.0/\"";
    vec![
        form(RSS, of_rss(userland, "Userland"), &["Userland"], None),
        form(RSS, of_rss(purl, "Ninety"), &["Ninety"], None),
        form(RSS, of_rss("xmlns=\"https://remote.test/own\"", "Own"), &["Own"], None),
        form(ATOM, of_atom(ATOM_0_3, "Third", escaped), &["Third"], None),
        form(ATOM, of_atom(ATOM_1_0, "Cdata", cdata), &["Cdata"], None),
        form(ATOM, of_atom(ATOM_1_0, "Unknown", unknown), &["Unknown"], None),
    ]
}

/// References and markup that are not well-formed, in the second of three entries.
fn markup() -> Vec<Form> {
    let between = |first: &str, second: &str, last: &str| {
        rss("version=\"2.0\"", &[item(first, ""), second.to_owned(), item(last, "")])
    };
    let described = |title: &str, description: &str| {
        format!("<item><title>{title}</title><description>{description}</description></item>")
    };
    let link = "<link>https://remote.test/?p=7&lang=en</link>";
    let salt = between("Before", &item("Salt & Vinegar", link), "After");
    let smile = between("Morning", &item("R&D &#xD83D;&#xDE00; &#X41;", ""), "Evening");
    let plain = between("East", &described("Plain", "<p>Oars <b>creak</b>.</p>"), "West");
    let bold = between("First", &described("Bold", "<p>Some <b>bold</p>"), "Last");
    let section = between("Up", &described("Section", "<![CDATA[<p>Open"), "Down");
    let quote = between("Left", &described("Quote", "<a href=\"x>Open</a>"), "Right");
    let whole = between("North", &described("Cut", "Open"), "South");
    let cut = whole.split("Open").next().unwrap_or_default();
    let less = between("Hill", &described("Heart <3", "1 < 2, but <b>3</b> > 2"), "Dale");
    let unclosed = between("Dew", &item("Open", "").replacen("</title>", "<link>/x</link>", 1), "Fog");
    vec![
        form(RSS, less, &["Hill", "Heart <3", "Dale"], None),
        form(RSS, unclosed, &["Dew", "Fog"], Some("Open")),
        form(RSS, salt, &["Before", "Salt & Vinegar", "After"], None),
        form(RSS, smile, &["Morning", "R&D 😀 A", "Evening"], None),
        form(RSS, plain, &["East", "Plain", "West"], None),
        form(RSS, bold, &["First", "Last"], Some("Bold")),
        form(RSS, section, &["Up", "Down"], Some("Section")),
        form(RSS, quote, &["Left", "Right"], Some("Quote")),
        form(RSS, cut, &["North"], Some("Cut")),
    ]
}

/// Entries whose end tag is missing, or that are within another.
fn entries_in_entries() -> Vec<Form> {
    let unclosed = |title: &str| item(title, "").replace("</item>", "");
    let missing = rss("version=\"2.0\"", &[item("Inlet", ""), unclosed("Outlet"), item("Delta", "")]);
    let last = rss("version=\"2.0\"", &[item("Spring", ""), unclosed("Autumn")]);
    let within = item("Outer", &item("Inner", ""));
    let nested = rss("version=\"2.0\"", &[item("Dawn", ""), within, item("Dusk", "")]);
    let cut = "<item><title>Torn</title><description>A letter".to_owned();
    let text = rss("version=\"2.0\"", &[item("Ebb", ""), cut, item("Flood", "")]);
    vec![
        form(RSS, missing, &["Inlet", "Outlet", "Delta"], None),
        form(RSS, last, &["Spring", "Autumn"], None),
        form(RSS, nested, &["Dawn", "Inner", "Dusk"], Some("Outer")),
        form(RSS, text, &["Ebb", "Flood"], Some("Torn")),
    ]
}

/// One entry that no parser should read, and what hosters, plugins and templates put around a feed.
fn junk() -> Vec<Form> {
    let three = |first: &str, second: &str, third: &str| {
        rss("version=\"2.0\"", &[item(first, ""), second.to_owned(), item(third, "")])
    };
    let one = |title: &str| rss("version=\"2.0\"", &[item(title, "")]);
    let deep = three("Fir", &item("Deep", &"<div>".repeat(400)), "Oak");
    let wide = item("Wide", "").replacen("<item", &format!("<item{}", " a=\"1\"".repeat(300)), 1);
    let warning =
        "<br />\n<b>Warning</b>: Undefined variable in <b>/www/feed.php</b> on line <b>3</b><br />\n";
    let latin = "<!DOCTYPE rss [<!ENTITY % HTMLlat1 PUBLIC \"-//W3C//ENTITIES Latin 1 for XHTML//EN\" \
                 \"https://remote.test/xhtml-lat1.ent\"> %HTMLlat1;]><rss";
    let json = "{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [\
                {\"id\": \"1\", \"title\": \"Raw\", \"content_text\": \"A line\n\tand another, it\\'s all,\"},]}";
    vec![
        form(RSS, deep, &["Fir", "Oak"], Some("Deep")),
        form(RSS, three("Elm", &wide, "Ash"), &["Elm", "Ash"], Some("Wide")),
        form(RSS, one("Script") + "<script src=\"x.js\"></script>", &["Script"], None),
        form(RSS, one("Tail") + "\n<!-- 0.3 s -->\nsome text", &["Tail"], None),
        form("text/html", format!("{warning}{}", one("Warned")), &["Warned"], None),
        form(RSS, format!("\n\n<!-- cached -->{}", one("Cached")), &["Cached"], None),
        form(RSS, one("Subset").replacen("<rss", latin, 1), &["Subset"], None),
        form("application/feed+json", json, &["Raw"], None),
    ]
}

async fn feeds_are_read_in_the_forms_that_readers_forgive(database: Database) {
    let forms: Vec<Form> = [charsets(), namespaces_and_types(), markup(), entries_in_entries(), junk()]
        .into_iter()
        .flatten()
        .collect();
    let fixture = Fixture::with(database, |remote, mut settings| {
        for (number, form) in forms.iter().enumerate() {
            let path = format!("/feed{number}");
            remote.serve(&path, Document::new(form.media_type, form.document.clone()));
            settings = settings.feed(&format!("feed{number}"), &remote.url(&path), "");
        }
        settings
    })
    .await;
    fixture.app.command_output(&["feed", "poll"]).await;
    let list = fixture.app.command_output(&["review", "list", "--json", "--lines", "1000"]).await;
    let reviews: Value = serde_json::from_str(&list).expect("JSON");
    let log = fixture.app.feed_log().await;
    for (number, form) in forms.iter().enumerate() {
        let feed = format!("feed{number}");
        let of_feed =
            reviews.as_array().expect("a list").iter().filter(|review| review["feed"] == feed.as_str());
        let mut titles: Vec<&str> = of_feed.filter_map(|review| review["title"].as_str()).collect();
        titles.sort_unstable();
        let mut expected = form.titles.to_vec();
        expected.sort_unstable();
        assert_eq!(titles, expected, "{}: {log:#?}", String::from_utf8_lossy(&form.document));
        let skipped: Vec<&String> =
            log.iter().filter(|line| line.contains(&format!(" {feed} skipped "))).collect();
        assert_eq!(skipped.len(), usize::from(form.skipped.is_some()), "{skipped:?}");
        if let Some(name) = form.skipped {
            assert!(skipped[0].contains(&format!("“{name}”")), "{skipped:?}");
        }
    }
}
