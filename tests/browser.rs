//! Every page is checked in a real browser, and every document with other parsers. See tests/browser/README.md.

mod program;
mod sample_site;

use crate::both_databases;
use crate::support::Database;
use program::{node, python};
use sample_site::Site;

both_databases!(feeds_sitemaps_and_metadata_are_valid_for_other_parsers);

/// Pages, feeds and sitemaps, found by a crawler and read by other parsers.
async fn feeds_sitemaps_and_metadata_are_valid_for_other_parsers(database: Database) {
    let site = Site::full(database).await;
    let report = node("documents.mjs", &site).await;
    assert!(report["pages"].as_u64() >= Some(40), "{report}");
    assert!(report["feeds"].as_u64() >= Some(9), "{report}");
    assert!(report["linked"].as_u64() >= Some(18), "{report}");
    let report = python("documents.py", &site).await;
    assert!(report["entries"].as_u64() >= Some(100), "{report}");
    assert!(report["reviews"].as_u64() >= Some(16), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_laid_out_correctly_at_any_width_in_light_and_dark() {
    let site = Site::full(Database::Sqlite).await;
    let report = node("looks.mjs", &site).await;
    assert!(report["pages"].as_u64() >= Some(20), "{report}");
    assert_eq!(report["audits"].as_u64(), report["pages"].as_u64().map(|pages| pages * 4), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_to_left_site_is_laid_out_correctly() {
    let site = Site::right_to_left(Database::Postgres).await;
    let report = node("looks.mjs", &site).await;
    assert!(report["pages"].as_u64() >= Some(8), "{report}");
    assert_eq!(report["audits"].as_u64(), report["pages"].as_u64().map(|pages| pages * 4), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_reachable_by_keyboard_with_visible_focus() {
    let site = Site::with_comments(Database::Postgres).await;
    let report = node("keys.mjs", &site).await;
    assert!(report["pages"].as_u64() >= Some(6) && report["stops"].as_u64() >= Some(100), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_replies_and_follows_from_their_server_with_and_without_script() {
    let site = Site::with_comments(Database::Postgres).await;
    let report = node("dialogs.mjs", &site).await;
    assert_eq!(report["passed"], 10, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_works_with_and_without_script() {
    let site = Site::with_comments(Database::Postgres).await;
    let report = node("search.mjs", &site).await;
    assert_eq!(report["passed"], 9, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_updates_add_comments_without_moving_the_page() {
    let site = Site::with_comments(Database::Sqlite).await;
    let (report, ()) = tokio::join!(node("live.mjs", &site), site.reply_to_readers());
    assert_eq!(report["passed"], 5, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_site_works_without_script() {
    let site = Site::with_comments(Database::Sqlite).await;
    let report = node("plain.mjs", &site).await;
    assert!(report["pages"].as_u64() >= Some(40) && report["unfolded"].as_u64() >= Some(2), "{report}");
}

/// `tests/browser/screenshots` saves these screenshots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn screenshots_for_the_docs_can_be_taken() {
    let site = Site::for_screenshots(Database::Sqlite).await;
    let report = node("screenshots.mjs", &site).await;
    assert_eq!(report["screenshots"], sample_site::SCREENSHOTS, "{report}");
}
