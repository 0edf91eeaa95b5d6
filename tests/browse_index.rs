//! The browse index is written only when something has changed, and only by commands that write.

use crate::both_databases;
use crate::support::config_file::url;
use crate::support::db_control::DbControl;
use crate::support::feed::markdown;
use crate::support::http::HTML;
use crate::support::{Database, Fixture};

both_databases!(an_unchanged_review_is_not_indexed_again, commands_that_only_read_write_nothing,);

async fn an_unchanged_review_is_not_indexed_again(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.publish("The Night Ferry").await;
    let revise = async |body: &str| {
        let text = markdown("The Night Ferry", "The Night Ferry", body);
        let file = fixture.app.write("review.md", &text);
        fixture.app.command_output(&["revise", "the-night-ferry-2021", &file]).await;
    };
    revise("The ferry leaves at *six*, and **nobody** waves.").await;
    let written = async || {
        let sqlite = "select sum(length(block)) from search_index_data";
        fixture.app.number(sqlite, "select cast(cast(xmin as text) as bigint) from search_index").await
    };
    let before = written().await;
    let mut db = DbControl::connect(&fixture.app).await;
    if database == Database::Postgres {
        db.execute("begin; select pg_advisory_xact_lock(hashtextextended('shelves', 0))").await;
    }
    // The text has not changed, so the command does not wait for the index.
    revise("The ferry leaves at six, and nobody *waves*.").await;
    assert_eq!(written().await, before);
    if database == Database::Postgres {
        db.unblock_writes().await;
    }
    revise("The ferry leaves at six, and my aunt waves.").await;
    assert_ne!(written().await, before);
    let response = fixture.network.client.get(&url("/search?q=aunt"), HTML).await;
    assert!(response.body.contains("/reviews/the-night-ferry-2021"), "{}", response.body);
    // Nothing remains of a retracted review.
    fixture.app.command_output(&["retract", "the-night-ferry-2021"]).await;
    let indexed = "select count(*) from search_documents";
    assert_eq!(fixture.app.number(indexed, "select count(*) from search_index").await, 0);
}

async fn commands_that_only_read_write_nothing(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.publish("The Night Ferry").await;
    fixture.app.terminate().await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update reviews set browse_indexed = 0; delete from settings where key = 'origin'").await;
    let written = async || {
        let query = "select (select count(*) from settings where key = 'origin')
            + (select count(*) from reviews where browse_indexed = 1)";
        fixture.app.number(query, query).await
    };
    for command in
        [&["insights"][..], &["follower", "list"], &["comment", "list"], &["block", "list"], &["feed", "log"]]
    {
        fixture.app.command_output(command).await;
        assert_eq!(written().await, 0, "{command:?}");
    }
    fixture.app.command_output(&["report", "list"]).await;
    assert_eq!(written().await, 2, "a command that writes updates the index");
}
