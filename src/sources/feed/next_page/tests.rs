//! Table tests of the next page.

use url::Url;

use super::{NextPage, PageHints};
use crate::sources::credits::HeadlineColumns;
use crate::sources::feed::{FeedSource, parse};

fn next_of(document: &str, url: &str) -> String {
    let base = Url::parse(url).unwrap();
    let zone = jiff::tz::TimeZone::UTC;
    let source = FeedSource {
        bytes: document.as_bytes(),
        base: &base,
        charset: None,
        zone: &zone,
        columns: &HeadlineColumns::default(),
    };
    match parse(source).unwrap().next_page(&base) {
        NextPage::None => "none".to_owned(),
        NextPage::At(url) => url.to_string(),
        NextPage::Elsewhere(url) => format!("elsewhere: {url}"),
    }
}

fn rss(channel: &str) -> String {
    format!(
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:openSearch=\"http://a9.com/-/spec/opensearchrss/1.0/\"><channel><title>T</title>{channel}\
         <item><title>A</title><link>https://b.example/a</link></item></channel></rss>"
    )
}

fn atom(head: &str) -> String {
    format!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:openSearch='http://a9.com/-/spec/opensearch/1.1/' \
         xmlns:fh='http://purl.org/syndication/history/1.0'>{head}<entry><id>1</id><title>A</title></entry></feed>"
    )
}

#[test]
fn each_way_to_name_a_next_page_is_understood() {
    const FEED: &str = "https://b.example/feed";
    let numbers = |total, start, size| {
        format!(
            "<openSearch:totalResults>{total}</openSearch:totalResults><openSearch:startIndex>{start}\
             </openSearch:startIndex><openSearch:itemsPerPage>{size}</openSearch:itemsPerPage>"
        )
    };
    let blogger = "<generator version='7.00' uri='http://www.blogger.com'>Blogger</generator>";
    let wordpress = "<generator>https://wordpress.org/?v=6.4.2</generator>";
    let link = |rel, href| format!("<link rel='{rel}' href='{href}'/>");
    let cases = [
        (rss(""), FEED, "none"),
        (rss("<atom:link rel=\"next\" href=\"/feed?page=2\"/>"), FEED, "https://b.example/feed?page=2"),
        (rss("<atom:link rel=\"self\" href=\"/feed\"/>"), FEED, "none"),
        (atom(&link("next", "?p=2&amp;x=1")), FEED, "https://b.example/feed?p=2&x=1"),
        (atom(&link("next", "http://b.example/2")), FEED, "https://b.example/2"),
        (atom(&link("next", "http://b.example:81/2")), FEED, "elsewhere: http://b.example:81/2"),
        (atom(&link("next", "https://other.example/2")), FEED, "elsewhere: https://other.example/2"),
        (atom(&link("http://www.iana.org/assignments/relation/next", "/2")), FEED, "https://b.example/2"),
        (atom(&link("prev-archive", "/2025/11")), FEED, "https://b.example/2025/11"),
        (atom(&(link("prev-archive", "/a") + &link("next", "/b"))), FEED, "https://b.example/b"),
        (atom(&format!("<fh:complete/>{}", link("prev-archive", "/a"))), FEED, "none"),
        (atom(&(wordpress.to_owned() + "<fh:complete/>")), FEED, "none"),
        (
            atom(&link(
                "next",
                "http://www.blogger.com/feeds/12/posts/default?start-index=26&amp;max-results=25",
            )),
            "https://b.example/feeds/posts/default?alt=atom",
            "https://b.example/feeds/posts/default?alt=atom&start-index=26&max-results=25",
        ),
        (
            atom(&(blogger.to_owned() + &numbers(2400, 26, 25))),
            "https://b.example/feeds/posts/default?start-index=26",
            "https://b.example/feeds/posts/default?start-index=51&max-results=25",
        ),
        (atom(&(blogger.to_owned() + &numbers(50, 26, 25))), FEED, "none"),
        (atom(&numbers(2400, 1, 25)), FEED, "none"),
        (rss(wordpress), "https://b.example/feed/", "https://b.example/feed/?paged=2"),
        (rss(wordpress), "https://b.example/?feed=rss2&paged=9", "https://b.example/?feed=rss2&paged=10"),
        (rss(wordpress), "file:///var/feed.xml", "none"),
        (rss(wordpress).replace("<item>", "<image>").replace("</item>", "</image>"), FEED, "none"),
        (
            r#"{"version": "https://jsonfeed.org/version/1.1", "next_url": "https://b.example/2.json",
                "items": []}"#
                .to_owned(),
            FEED,
            "https://b.example/2.json",
        ),
    ];
    for (document, url, next) in cases {
        assert_eq!(next_of(&document, url), next, "{document}");
    }
}

proptest::proptest! {
    #[test]
    fn a_next_page_is_never_on_another_server(href in ".{0,80}", rel in "next|prev-archive|NEXT") {
        let url = Url::parse("https://b.example/feed").unwrap();
        let mut hints = PageHints::default();
        hints.add_link(Some(&rel), Some(&href));
        if let NextPage::At(next) = hints.next_page(&url, 1) {
            proptest::prop_assert_eq!(next.origin(), url.origin());
        }
    }
}
