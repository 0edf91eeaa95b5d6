//! Deleted words are in no file of an SQLite database any more: neither in the pages that are free now, nor in the write-ahead
//! log. (What PostgreSQL keeps is its administrator's.)

use serde_json::{Value, json};

use crate::support::activities::id_of;
use crate::support::remote::{Document, User};
use crate::support::signature::target_of;
use crate::support::{Database, Fixture, eventually};

/// Words that are found nowhere else. They are in a text that needs several pages of the database.
fn words(name: &str) -> String {
    format!("unrepeatable-{name}-words")
}

fn long_text(name: &str) -> String {
    format!("{} ", words(name)).repeat(400)
}

/// The files of the database that contain these words.
fn files_with(fixture: &Fixture, words: &str) -> Vec<String> {
    let url = fixture.app.database_url();
    let file = url.strip_prefix("sqlite://").expect("SQLite");
    let all = ["", "-wal", "-shm"].map(|suffix| format!("{file}{suffix}"));
    let contains = |path: &String| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    all.into_iter().filter(contains).collect()
}

async fn await_erasure(fixture: &Fixture, words: &str) {
    eventually(&format!("{words} to be erased"), || async {
        files_with(fixture, words).is_empty().then_some(())
    })
    .await;
}

/// A comment whose words are in a file of the database.
async fn comment(fixture: &Fixture, user: &User, article: &Value, name: &str) -> Value {
    let note = user.reply(id_of(article), &format!("<p>{}</p>", long_text(name)));
    user.deliver(fixture.inbox(), &user.create(&note)).await;
    fixture.await_page(article, "the comment", |page| page.comment(&words(name)).is_some()).await;
    assert!(!files_with(fixture, &words(name)).is_empty(), "{name}");
    note
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_words_are_in_no_file() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let article = fixture.publish("The Night Ferry").await;
    let (alice, bob) = (&fixture.alice, fixture.remote.user("bob"));
    // Comments of another person are between them, and stay.
    comment(&fixture, &bob, &article, "kept").await;
    for case in ["deleted", "narrowed", "tombstone", "edited", "removed", "account"] {
        let note = comment(&fixture, alice, &article, case).await;
        comment(&fixture, &bob, &article, &format!("beside-{case}")).await;
        match case {
            "deleted" => alice.deliver(fixture.inbox(), &alice.delete(&note)).await,
            "narrowed" => {
                let mut update = alice.edit(&note, &format!("<p>{}</p>", long_text("private")), 60);
                for key in ["to", "cc"] {
                    update["object"][key] = json!([format!("{}/followers", alice.id())]);
                }
                alice.deliver(fixture.inbox(), &update).await;
            }
            "tombstone" => {
                let tombstone = json!({"id": id_of(&note), "type": "Tombstone"});
                alice.deliver(fixture.inbox(), &alice.activity("Update", &tombstone)).await;
            }
            "edited" => {
                alice.deliver(fixture.inbox(), &alice.edit(&note, "<p>Other words</p>", 60)).await;
                fixture.await_page(&article, "the edit", |page| page.comment("Other words").is_some()).await;
                alice.deliver(fixture.inbox(), &alice.delete(&note)).await;
            }
            "removed" => {
                fixture.app.command_output(&["comment", "delete", id_of(&note)]).await;
            }
            _ => {
                fixture.remote.serve(&target_of(&alice.id()), Document::status(410));
                alice.deliver(fixture.inbox(), &alice.activity("Delete", &json!(alice.id()))).await;
            }
        }
        await_erasure(&fixture, &words(case)).await;
        await_erasure(&fixture, &words("private")).await;
        assert!(!files_with(&fixture, &words(&format!("beside-{case}"))).is_empty());
    }
    assert!(!files_with(&fixture, &words("kept")).is_empty());
    await_erasure(&fixture, &alice.display_name()).await;
}

/// The activity waits for its parent when its author deletes everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_are_applied_after_their_deletion_are_in_no_file() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let article = fixture.publish("The Night Ferry").await;
    let (alice, bob) = (&fixture.alice, fixture.remote.user("bob"));
    let parent = bob.reply(id_of(&article), "<p>The parent</p>");
    fixture.remote.serve(&target_of(id_of(&parent)), Document::status(503));
    let note = alice.reply(id_of(&parent), &format!("<p>{}</p>", long_text("late")));
    alice.deliver(fixture.inbox(), &alice.create(&note)).await;
    fixture.app.await_log("the deferred reply", |line| line.contains("waiting for the parent post")).await;
    alice.deliver(fixture.inbox(), &alice.delete(&note)).await;
    fixture.settle().await;
    bob.deliver(fixture.inbox(), &bob.create(&parent)).await;
    await_erasure(&fixture, &words("late")).await;
}

/// Nobody else empties the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_erase_words_while_no_server_runs() {
    let mut fixture = Fixture::new(Database::Sqlite).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = comment(&fixture, &fixture.alice, &article, "remote").await;
    let text = fixture.app.write("reply.md", &long_text("own"));
    fixture.app.command_output(&["comment", "reply", id_of(&note), &text]).await;
    let listed = fixture.app.command_output(&["comment", "list"]).await;
    let reply = listed.split_whitespace().next().expect("an id").to_owned();
    fixture.app.terminate().await;
    for (id, name) in [(id_of(&note), "remote"), (&reply, "own")] {
        assert!(!files_with(&fixture, &words(name)).is_empty(), "{name}");
        fixture.app.command_output(&["comment", "delete", id]).await;
        assert_eq!(files_with(&fixture, &words(name)), Vec::<String>::new(), "{name}");
    }
}

/// As an older version of Marquee left it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vacuum_erases_what_was_deleted_before() {
    let mut fixture = Fixture::new(Database::Sqlite).await;
    let article = fixture.publish("The Night Ferry").await;
    comment(&fixture, &fixture.alice, &article, "old").await;
    fixture.app.terminate().await;
    let mut sql = crate::support::own_database::Sql::connect(&fixture.app.database_url()).await;
    sql.execute(
        "pragma secure_delete = off; update comments set content = ''; update inbox_activities set body = ''",
    )
    .await;
    assert!(!files_with(&fixture, &words("old")).is_empty(), "free pages have it");
    sql.execute("vacuum; pragma wal_checkpoint(truncate)").await;
    assert_eq!(files_with(&fixture, &words("old")), Vec::<String>::new());
}
