//! Every page in a real browser, and every document in other parsers. See tests/browser/README.md.

mod program;
mod sample_site;

use crate::both_databases;
use crate::support::Database;
use program::{node, python};
use sample_site::Site;

both_databases!(feeds_sitemaps_and_metadata_are_valid_for_other_parsers);

/// Pages, feeds and sitemaps, found by a crawler and read by other parsers.
async fn feeds_sitemaps_and_metadata_are_valid_for_other_parsers(database: Database) {
    let site = Site::filled(database).await;
    let found = node("documents.mjs", &site).await;
    assert!(found["pages"].as_u64() >= Some(40), "{found}");
    assert!(found["feeds"].as_u64() >= Some(9), "{found}");
    assert!(found["linked"].as_u64() >= Some(18), "{found}");
    let read = python("documents.py", &site).await;
    assert!(read["entries"].as_u64() >= Some(100), "{read}");
    assert!(read["reviews"].as_u64() >= Some(16), "{read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_laid_out_correctly_at_any_width_in_light_and_dark() {
    let site = Site::filled(Database::Sqlite).await;
    let seen = node("looks.mjs", &site).await;
    assert!(seen["pages"].as_u64() >= Some(20), "{seen}");
    assert_eq!(seen["audits"].as_u64(), seen["pages"].as_u64().map(|pages| pages * 4), "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_to_left_site_is_laid_out_correctly() {
    let site = Site::from_right_to_left(Database::Postgres).await;
    let seen = node("looks.mjs", &site).await;
    assert!(seen["pages"].as_u64() >= Some(8), "{seen}");
    assert_eq!(seen["audits"].as_u64(), seen["pages"].as_u64().map(|pages| pages * 4), "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_reachable_by_keyboard_with_visible_focus() {
    let site = Site::talked_about(Database::Postgres).await;
    let seen = node("keys.mjs", &site).await;
    assert!(seen["pages"].as_u64() >= Some(6) && seen["stops"].as_u64() >= Some(100), "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_replies_and_follows_from_their_server_with_and_without_script() {
    let site = Site::talked_about(Database::Postgres).await;
    let seen = node("dialogs.mjs", &site).await;
    assert_eq!(seen["walked"], 10, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_works_with_and_without_script() {
    let site = Site::talked_about(Database::Postgres).await;
    let seen = node("search.mjs", &site).await;
    assert_eq!(seen["walked"], 9, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_updates_add_comments_without_moving_the_page() {
    let site = Site::talked_about(Database::Sqlite).await;
    let (seen, ()) = tokio::join!(node("live.mjs", &site), site.answer_who_reads());
    assert_eq!(seen["walked"], 5, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_site_works_without_script() {
    let site = Site::talked_about(Database::Sqlite).await;
    let seen = node("plain.mjs", &site).await;
    assert!(seen["pages"].as_u64() >= Some(40) && seen["unfolded"].as_u64() >= Some(2), "{seen}");
}

/// `tests/browser/screenshots` saves these pictures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn screenshots_for_the_docs_can_be_taken() {
    let site = Site::shown(Database::Sqlite).await;
    let taken = node("pictures.mjs", &site).await;
    assert_eq!(taken["pictures"], sample_site::PICTURES, "{taken}");
}
