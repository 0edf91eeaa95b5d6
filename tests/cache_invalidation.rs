//! Which changes invalidate cached pages, and which do not: invisible ones, and those that only the critic sees.

use serde_json::Value;

use crate::both_databases;
use crate::support::config_file::{quoted, url};
use crate::support::db_control::DbControl;
use crate::support::feed::markdown;
use crate::support::http::HTML;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    an_unpublished_review_invalidates_no_page,
    a_changed_critic_name_appears_on_the_pages_that_show_it,
);

fn page_of(article: &Value) -> &str {
    article["url"].as_str().expect("a page")
}

async fn read(fixture: &Fixture, address: &str) -> String {
    let response = fixture.network.client.get(address, HTML).await;
    assert_eq!(response.status, 200, "{address}");
    response.body
}

/// How often something has been rendered.
fn renderings(fixture: &Fixture, kind: &str, name: &str) -> usize {
    let line = format!("rendered kind={kind} name={name:?}");
    fixture.app.log().iter().filter(|logged| logged.contains(&line)).count()
}

async fn an_unpublished_review_invalidates_no_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let (page, home) = (page_of(&article), url("/"));
    let slug = page.rsplit('/').next().expect("a slug");
    for address in [page, &home] {
        read(&fixture, address).await;
    }
    let scheduled =
        |body: &str| markdown("Soon", "Soon", body).replacen("---\n", "---\npublished: 2199-01-01\n", 1);
    let file = fixture.app.write("scheduled.md", &scheduled("It has not left."));
    fixture.app.command_output(&["publish", &file]).await;
    let file = fixture.app.write("scheduled.md", &scheduled("It has not left yet."));
    fixture.app.command_output(&["revise", "soon-2021", &file]).await;
    let mut db = DbControl::connect(&fixture.app).await;
    // These columns are not shown on any page.
    db.execute("update reviews set canonical_key = 'else', source_updated_at = 1, feed_id = null").await;
    for address in [page, &home, &url("/browse")] {
        read(&fixture, address).await;
    }
    eventually("the last page", || async { (renderings(&fixture, "List", "/browse") == 1).then_some(()) })
        .await;
    assert_eq!((renderings(&fixture, "Page", slug), renderings(&fixture, "List", "/")), (1, 1));
    // As soon as the review is public, both pages show it.
    db.execute("update reviews set released_at = 0 where state = 'scheduled'").await;
    for address in [page, &home] {
        eventually("the scheduled review", || async {
            read(&fixture, address).await.contains("/reviews/soon-2021").then_some(())
        })
        .await;
    }
}

async fn a_changed_critic_name_appears_on_the_pages_that_show_it(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    // The same table name on the other database.
    fixture.app.reconfigure("[critics]", "handle", &quoted("second"));
    fixture.app.reconfigure("[critics]", "name", &quoted("The Second Row"));
    let file = fixture.app.write("other.md", &markdown("Six Again", "The Night Ferry", "It leaves again."));
    fixture.app.command_output(&["publish", "--critic", "second", &file]).await;
    let page = read(&fixture, page_of(&article)).await;
    assert!(page.contains("The Second Row"), "the page lists the other review");
    fixture.app.reconfigure("[critics]", "name", &quoted("The Balcony"));
    // Every command reads the config.
    fixture.app.command_output(&["report", "list"]).await;
    eventually("the new name", || async {
        read(&fixture, page_of(&article)).await.contains("The Balcony").then_some(())
    })
    .await;
}
