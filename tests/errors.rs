//! A bug is answered with 500, an unavailable database with 503.

use crate::both_databases;
use crate::page_cache::send_request;
use crate::support::config_file::quoted;
use crate::support::db_control::DbControl;
use crate::support::http::{AS2, HTML};
use crate::support::temp_dir::TempDir;
use crate::support::{Database, Fixture, eventually};

both_databases!(a_bug_is_500_and_an_unavailable_database_503);

async fn a_bug_is_500_and_an_unavailable_database_503(database: Database) {
    let folder = TempDir::new();
    folder.write("search.html", "{{ page.nothing }}");
    let looks = quoted(&folder.path().display().to_string());
    let fixture = Fixture::with(database, |_, settings| settings.set("looks", "folder", &looks)).await;
    let article = fixture.publish("The Night Ferry").await;
    let page = article["url"].as_str().expect("a page");
    let html = [("accept", HTML)];
    let failed = send_request(&fixture.app, "GET", "/search", &html).await;
    assert_eq!((failed.status, failed.header("retry-after")), (500, ""));
    assert!(failed.decoded().contains("went wrong"), "{}", failed.decoded());
    let is_failure = |line: &str| line.contains("request failed") && line.contains("search.html");
    fixture.app.await_log("the failed request in the log", is_failure).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("alter table inbox_activities rename to missing").await;
    let like = fixture.alice.like(article["id"].as_str().expect("an id"));
    assert_eq!(fixture.alice.send(fixture.inbox(), &like).await.status, 500);
    let id = like["id"].as_str().expect("an id");
    let is_failure = |line: &str| line.contains("request failed") && line.contains(id);
    fixture.app.await_log("the activity that failed", is_failure).await;
    db.execute("alter table missing rename to inbox_activities").await;
    if database == Database::Postgres {
        assert_eq!(send_request(&fixture.app, "GET", page, &html).await.status, 200);
        db.make_unavailable().await;
        for accept in [HTML, AS2] {
            let unavailable = send_request(&fixture.app, "GET", page, &[("accept", accept)]).await;
            assert_eq!((unavailable.status, unavailable.header("retry-after")), (503, "60"), "{accept}");
        }
        db.make_available().await;
        eventually("the page", || async {
            (send_request(&fixture.app, "GET", page, &html).await.status == 200).then_some(())
        })
        .await;
    }
}
