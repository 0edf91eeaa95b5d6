//! The disk is full, really: what cannot be written is refused, what is there is shown, and all goes on once there is
//! room. (A PostgreSQL server has a disk of its own, which is not Marquee's; `flood` has what comes of it.)

use crate::support::app::quoted;
use crate::support::disk::Disk;
use crate::support::feed::markdown;
use crate::support::remote::Scripted;
use crate::support::shapes::id_of;
use crate::support::{Database, Stage, World, eventually};

/// Room for a site, and soon full.
const SIZE: u32 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j3_with_its_disk_full_it_shows_what_it_has_and_takes_the_rest_once_there_is_room() {
    let disk = Disk::new(SIZE);
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let other = world.remote("other.test").await;
    let folder = disk.path().display().to_string();
    // Everything lies there: the database and the pictures.
    let mut stage = Stage::in_world(world, remote, Database::Sqlite, |_, settings| {
        let settings = settings.set("", "data_dir", &quoted(&folder)).within(disk.command());
        settings.set("database", "url", &quoted(&format!("sqlite://{folder}/marquee.sqlite")))
    })
    .await;
    stage.follow(&stage.alice).await;
    let bo = other.user("bo");
    bo.deliver(stage.inbox(), &bo.follow(stage.actor())).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept").await;
    // Something waits to be sent when it happens.
    other.script([Scripted::Status(503)]);
    let article = stage.publish("The Night Ferry").await;
    other.await_refusals(1).await;
    stage.comment(&stage.alice, &article, "Before the flood").await;

    disk.fill();
    let note = stage.alice.reply(id_of(&article), "<p>In the flood</p>");
    let create = stage.alice.create(&note);
    let answer = eventually("a refusal", || async {
        let answer = stage.alice.send(stage.inbox(), &create).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    let page = stage.page(&article).await;
    assert!(page.comment("Before the flood").is_some() && page.comment("In the flood").is_none());
    assert_eq!(stage.app.get_page("/").await.status, 200);
    stage.world.client.document(id_of(&article)).await;
    it_says_so_to_who_publishes(&stage, true).await;

    disk.free();
    it_says_so_to_who_publishes(&stage, false).await;
    stage
        .remote
        .await_activity("what is published now", |a| {
            a["type"] == "Create"
                && a["object"]["name"].as_str().is_some_and(|name| name.contains("High Water"))
        })
        .await;
    stage.alice.deliver(stage.inbox(), &create).await;
    stage.await_page(&article, "the comment", |page| page.comment("In the flood").is_some()).await;
    // What waited for a server that failed goes out as soon as that is heard of.
    bo.deliver(stage.inbox(), &bo.like(id_of(&article))).await;
    other.await_activity("the Create", |a| a["type"] == "Create" && a["object"]["id"] == article["id"]).await;
    stage.app.restart().await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.len(), 2, "{}", page.text);
}

/// A review is published, or it is said what to do.
async fn it_says_so_to_who_publishes(stage: &Stage, is_full: bool) {
    let file = stage.app.write("high.md", &markdown("High Water", "High Water", "It rises."));
    let output = stage.app.cli(&["publish", &file]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), !is_full, "{said}");
    if is_full {
        assert!(said.contains("is full: free some space there"), "{said}");
        assert!(said.contains(stage.app.data_dir().as_str()), "it says where: {said}");
    }
}
