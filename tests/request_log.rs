//! The request log is off by default, has its own target, and contains client addresses only at level `trace`.

use crate::support::config_file::url;
use crate::support::http::{AS2, HTML};
use crate::support::{Database, Fixture};

/// Makes some requests, and returns the lines of the request log.
async fn request_lines(filter: &str) -> Vec<String> {
    let fixture = Fixture::with(Database::Sqlite, |_, settings| settings.env("MARQUEE_LOG", filter)).await;
    let article = fixture.publish("The Night Ferry").await;
    let client = &fixture.network.client;
    let page = article["url"].as_str().expect("a page");
    // The second one comes from the cache.
    for accept in [HTML, HTML, AS2] {
        assert_eq!(client.get(page, accept).await.status, 200);
    }
    assert_eq!(client.get(&url("/nothing/at/all"), HTML).await.status, 404);
    fixture.follow(&fixture.alice).await;
    if filter.contains("request") {
        let is_last = |line: &str| line.contains("method=POST") && line.contains("status=202");
        fixture.app.await_log("the last request", is_last).await;
    }
    fixture.app.log().into_iter().filter(|line| line.contains(" marquee::request: ")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_logged_only_if_the_filter_enables_it() {
    assert_eq!(request_lines("info").await, Vec::<String>::new());
    let lines = request_lines("info,marquee::request=debug").await;
    let has = |parts: &[&str]| lines.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(
        has(&["method=GET", "route=\"/reviews/{slug}\"", "path=\"/reviews/", "status=200"]),
        "{lines:#?}"
    );
    assert!(has(&["method=GET", "route=\"none\"", "path=\"/nothing/at/all\"", "status=404"]), "{lines:#?}");
    assert!(has(&["method=POST", "/inbox\"", "status=202"]), "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("request{id=")), "{lines:#?}");
    assert!(!has(&["client="]), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_addresses_are_logged_only_at_trace_level() {
    let lines = request_lines("info,marquee::request=trace").await;
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("client=127.0.0.1")), "{lines:#?}");
}
