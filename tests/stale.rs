//! What makes a page that is kept stale, and what does not: what only the critic, or nobody, sees.

use serde_json::Value;

use crate::both_databases;
use crate::support::app::{quoted, url};
use crate::support::feed::markdown;
use crate::support::hand::Hand;
use crate::support::http::HTML;
use crate::support::{Database, Stage, eventually};

both_databases!(
    a_review_that_nobody_sees_makes_no_page_stale,
    a_critic_s_name_is_new_beside_the_reviews_of_others,
);

fn page_of(article: &Value) -> &str {
    article["url"].as_str().expect("a page")
}

async fn read(stage: &Stage, address: &str) -> String {
    let answer = stage.world.client.get(address, HTML).await;
    assert_eq!(answer.status, 200, "{address}");
    answer.body
}

/// How often something was rendered so far.
fn renderings(stage: &Stage, kind: &str, name: &str) -> usize {
    let line = format!("rendered kind={kind} name={name:?}");
    stage.app.log().iter().filter(|known| known.contains(&line)).count()
}

async fn a_review_that_nobody_sees_makes_no_page_stale(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let (page, home) = (page_of(&article), url("/"));
    let slug = page.rsplit('/').next().expect("a slug");
    for address in [page, &home] {
        read(&stage, address).await;
    }
    let ahead =
        |body: &str| markdown("Soon", "Soon", body).replacen("---\n", "---\npublished: 2999-01-01\n", 1);
    let file = stage.app.write("ahead.md", &ahead("It has not left."));
    stage.app.command_output(&["publish", &file]).await;
    let file = stage.app.write("ahead.md", &ahead("It has not left yet."));
    stage.app.command_output(&["revise", "soon-2021", &file]).await;
    let mut hand = Hand::on(&stage.app).await;
    // What only we compare.
    hand.execute("update reviews set canonical_key = 'else', source_updated_at = 1, feed_id = null").await;
    for address in [page, &home, &url("/browse")] {
        read(&stage, address).await;
    }
    eventually("the last page", || async { (renderings(&stage, "List", "/browse") == 1).then_some(()) })
        .await;
    assert_eq!((renderings(&stage, "Page", slug), renderings(&stage, "List", "/")), (1, 1));
    // Once everyone sees it, it stands on both.
    hand.execute("update reviews set released_at = 0 where state = 'scheduled'").await;
    for address in [page, &home] {
        eventually("the review whose hour has come", || async {
            read(&stage, address).await.contains("/reviews/soon-2021").then_some(())
        })
        .await;
    }
}

async fn a_critic_s_name_is_new_beside_the_reviews_of_others(database: Database) {
    let mut stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    // Another table of the same name.
    stage.app.reconfigure("[critics]", "handle", &quoted("second"));
    stage.app.reconfigure("[critics]", "name", &quoted("The Second Row"));
    let file = stage.app.write("other.md", &markdown("Six Again", "The Night Ferry", "It leaves again."));
    stage.app.command_output(&["publish", "--critic", "second", &file]).await;
    let page = read(&stage, page_of(&article)).await;
    assert!(page.contains("The Second Row"), "the other review stands beside it");
    stage.app.reconfigure("[critics]", "name", &quoted("The Balcony"));
    // Each command reads the config.
    stage.app.command_output(&["report", "list"]).await;
    eventually("the new name", || async {
        read(&stage, page_of(&article)).await.contains("The Balcony").then_some(())
    })
    .await;
}
