//! What `marquee insights` shows the critic about readers: numbers only.

use reqwest::Method;
use serde_json::Value;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::app::App;
use crate::support::db_control::DbControl;
use crate::support::http::HTML;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    reads_are_counted_and_survive_a_restart,
    insights_show_everything_that_readers_do,
    an_unreadable_setting_is_reported,
);

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Requests a page with additional headers.
async fn send_request(fixture: &Fixture, method: Method, address: &str, more: &[(&str, &str)]) -> u16 {
    let mut all = vec![("accept".to_owned(), HTML.to_owned())];
    all.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let response = fixture.network.client.send(method, address, &all, Vec::new()).await.expect("a response");
    response.status
}

async fn read(fixture: &Fixture, address: &str) {
    assert_eq!(send_request(fixture, Method::GET, address, &[("user-agent", FIREFOX)]).await, 200);
}

fn slug(article: &Value) -> &str {
    article["url"].as_str().and_then(|page| page.rsplit('/').next()).expect("a page")
}

async fn insights(app: &App, args: &[&str]) -> Value {
    let args = [&["insights", "--json"], args].concat();
    serde_json::from_str(&app.command_output(&args).await).expect("JSON")
}

async fn await_totals(app: &App, args: &[&str], kind: &str, expected: u64) -> Value {
    eventually(&format!("{expected} {kind}"), || async {
        Some(insights(app, args).await).filter(|report| report["totals"][kind] == expected)
    })
    .await
}

async fn reads_are_counted_and_survive_a_restart(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let page = article["url"].as_str().expect("a page").to_owned();
    for _ in 0..3 {
        read(&fixture, &page).await;
    }
    read(&fixture, &format!("{page}?sort=newest")).await;
    // These requests are not counted.
    let firefox = ("user-agent", FIREFOX);
    let tag = fixture.network.client.get(&page, HTML).await.header("etag").to_owned();
    send_request(&fixture, Method::HEAD, &page, &[firefox]).await;
    send_request(&fixture, Method::GET, &format!("{page}/comments"), &[firefox]).await;
    send_request(
        &fixture,
        Method::GET,
        &page,
        &[("user-agent", "Mastodon/4.5.0 (http.rb/5.3.1; +https://m.test/) Bot")],
    )
    .await;
    send_request(&fixture, Method::GET, &page, &[firefox, ("sec-purpose", "prefetch")]).await;
    assert_eq!(send_request(&fixture, Method::GET, &page, &[firefox, ("if-none-match", &tag)]).await, 304);
    fixture.app.restart().await;
    let report = insights(&fixture.app, &[slug(&article)]).await;
    assert_eq!(report["totals"]["reads"], 4, "{report}");
    read(&fixture, &page).await;
    let report = await_totals(&fixture.app, &[slug(&article)], "reads", 5).await;
    let days: u64 =
        report["days"].as_array().expect("days").iter().filter_map(|day| day["reads"].as_u64()).sum();
    assert_eq!(days, 5, "each view is counted on its day: {report}");
    // The page shows the count as soon as it is rendered again.
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
    let shown = fixture.await_page(&article, "the like", |page| page.text.contains("1 like")).await;
    assert!(shown.text.contains("5 reads"), "{}", shown.text);
    let text = fixture.app.command_output(&["insights", slug(&article)]).await;
    assert!(text.contains("reads 5  likes 1  boosts 0  replies 0"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_several_web_processes_add_up() {
    let fixture = Fixture::new(Database::Postgres).await;
    let article = fixture.publish("The Night Ferry").await;
    let page = article["url"].as_str().expect("a page");
    let _other = fixture.app.start_second_web().await;
    for _ in 0..10 {
        read(&fixture, page).await;
    }
    await_totals(&fixture.app, &[slug(&article)], "reads", 10).await;
}

async fn insights_show_everything_that_readers_do(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let third = network.remote("third.test").await;
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    fixture.follow(&fixture.alice).await;
    let carol = third.user("carol");
    fixture.follow_from(&third, &carol).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.publish("The Empty Hall").await;
    let bob = second.user("bob");
    let like = bob.like(id_of(&article));
    bob.deliver(fixture.inbox(), &like).await;
    bob.deliver(fixture.inbox(), &bob.announce(id_of(&article))).await;
    fixture.comment(&fixture.alice, &article, "I was there").await;
    // Servers that received the review, and servers from which someone reacted.
    let report = await_totals(&fixture.app, &[slug(&article)], "servers", 3).await;
    let totals = &report["totals"];
    assert_eq!(
        (&totals["likes"], &totals["boosts"], &totals["replies"]),
        (&1.into(), &1.into(), &1.into()),
        "{report}"
    );
    let critic_report = insights(&fixture.app, &["--critic", "critic"]).await;
    assert_eq!(critic_report["followers"], 2, "{critic_report}");
    assert_eq!(critic_report["totals"]["likes"], 1);
    assert_eq!(critic_report["reviews"].as_array().map(Vec::len), Some(2));
    let today = critic_report["days"].as_array().and_then(|days| days.last()).expect("a day");
    assert_eq!(today["followers"], 2, "{critic_report}");
    bob.deliver(fixture.inbox(), &bob.undo(&like)).await;
    let shown = fixture.await_page(&article, "the undo", |page| !page.text.contains("1 like")).await;
    assert!(shown.text.contains("seen on 3 servers"), "{}", shown.text);
    let table = fixture.app.command_output(&["insights"]).await;
    assert!(table.contains("followers 2") && table.contains("The Night Ferry"), "{table}");
    assert!(table.contains("likes 0  boosts 1  replies 1  servers 3"), "{table}");
    assert!(!fixture.app.cli(&["insights", "--critic", "nobody"]).await.status.success());
    assert!(!fixture.app.cli(&["insights", "nothing"]).await.status.success());
}

async fn an_unreadable_setting_is_reported(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.app.terminate().await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute(
        "insert into settings (key, value) values ('delivery_cursor', 'soon')
         on conflict (key) do update set value = excluded.value",
    )
    .await;
    fixture.app.start().await;
    fixture.app.await_log("the error in the log", |line| line.contains("settings.delivery_cursor")).await;
    let query = "select count(*) from settings where key = 'delivery_cursor' and value = 'soon'";
    assert_eq!(fixture.app.number(query, query).await, 1, "the setting is not overwritten");
}
