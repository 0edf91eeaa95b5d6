//! The disk is full: writes fail, pages are still shown, and everything continues as soon as there is space. (A
//! PostgreSQL server has its own disk; `inbox_overload` covers that case.)

use crate::support::activities::id_of;
use crate::support::config_file::quoted;
use crate::support::feed::markdown;
use crate::support::remote::ScriptedResponse;
use crate::support::small_disk::SmallDisk;
use crate::support::{Database, Fixture, TestNetwork, eventually};

/// In mebibytes: enough for a site, and quickly filled.
const SIZE: u32 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j3_with_a_full_disk_pages_stay_readable_and_writes_succeed_later() {
    let disk = SmallDisk::new(SIZE);
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let other = network.remote("other.test").await;
    let folder = disk.path().display().to_string();
    // The database and the media are on this disk.
    let mut fixture = Fixture::in_network(network, remote, Database::Sqlite, |_, settings| {
        let settings = settings.set("", "data_dir", &quoted(&folder)).wrap_with(disk.command());
        settings.set("database", "url", &quoted(&format!("sqlite://{folder}/marquee.sqlite")))
    })
    .await;
    fixture.follow(&fixture.alice).await;
    let bo = other.user("bo");
    bo.deliver(fixture.inbox(), &bo.follow(fixture.actor())).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept").await;
    // A delivery is pending when the disk fills up.
    other.script([ScriptedResponse::Status(503)]);
    let article = fixture.publish("The Night Ferry").await;
    other.await_rejections(1).await;
    fixture.comment(&fixture.alice, &article, "Before the flood").await;

    disk.fill();
    let note = fixture.alice.reply(id_of(&article), "<p>In the flood</p>");
    let create = fixture.alice.create(&note);
    let response = eventually("a response that is not 202", || async {
        let response = fixture.alice.send(fixture.inbox(), &create).await;
        (response.status != 202).then_some(response)
    })
    .await;
    assert_eq!(response.status, 503, "{}", response.body);
    assert!(response.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    let page = fixture.page(&article).await;
    assert!(page.comment("Before the flood").is_some() && page.comment("In the flood").is_none());
    assert_eq!(fixture.app.get_page("/").await.status, 200);
    fixture.network.client.document(id_of(&article)).await;
    publishing_fails_with_a_message(&fixture, true).await;

    disk.free();
    publishing_fails_with_a_message(&fixture, false).await;
    fixture
        .remote
        .await_activity("the new review", |a| {
            a["type"] == "Create"
                && a["object"]["name"].as_str().is_some_and(|name| name.contains("High Water"))
        })
        .await;
    fixture.alice.deliver(fixture.inbox(), &create).await;
    fixture.await_page(&article, "the comment", |page| page.comment("In the flood").is_some()).await;
    // Deliveries to a failed server are sent as soon as that server sends something.
    bo.deliver(fixture.inbox(), &bo.like(id_of(&article))).await;
    other.await_activity("the Create", |a| a["type"] == "Create" && a["object"]["id"] == article["id"]).await;
    fixture.app.restart().await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.len(), 2, "{}", page.text);
}

/// Publishing fails with a message that says what to do.
async fn publishing_fails_with_a_message(fixture: &Fixture, is_full: bool) {
    let file = fixture.app.write("high.md", &markdown("High Water", "High Water", "It rises."));
    let output = fixture.app.cli(&["publish", &file]).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), !is_full, "{stderr}");
    if is_full {
        assert!(stderr.contains("is full: free some space"), "{stderr}");
        assert!(stderr.contains(fixture.app.data_dir().as_str()), "the error names the folder: {stderr}");
    }
}
