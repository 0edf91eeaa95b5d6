//! The collections of the critic and of a review, as other servers page through them.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::await_total_items;
use crate::steps;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::config_file::url;
use crate::support::http::AS2;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    collections_are_complete_and_paged,
    an_article_has_its_totals_and_its_interaction_policy,
    a_follower_list_can_be_hidden,
    a_site_can_require_approval_of_followers,
);

async fn collections_are_complete_and_paged(database: Database) {
    let fixture = Fixture::new(database).await;
    let older = fixture.publish("The Night Ferry").await;
    let newer = fixture.publish("The Day Ferry").await;
    steps!(&fixture, &older, &newer; featured_lists_reviews_by_their_ids);
    steps!(&fixture, &older; an_invalid_page_number_is_rejected);
    steps!(&fixture, &newer; a_private_reply_is_in_no_collection);
    steps!(&fixture, &older; every_public_reply_is_listed_page_by_page);
    steps!(&fixture; followers_are_paged_and_counted);
}

/// Sends public replies by one user, and returns their ids.
async fn reply_often(fixture: &Fixture, to: &str, count: usize) -> Vec<String> {
    let notes: Vec<Value> =
        (0..count).map(|n| fixture.alice.reply(to, &format!("<p>Reply {n}</p>"))).collect();
    for chunk in notes.chunks(16) {
        join_all(chunk.iter().map(async |note| {
            fixture.alice.deliver(fixture.shared_inbox(), &fixture.alice.create(note)).await;
        }))
        .await;
    }
    notes.iter().map(|note| id_of(note).to_owned()).collect()
}

/// Reads all items of a collection as other servers do, from `first` along `next`. Returns them with the number of
/// pages.
async fn read_all(fixture: &Fixture, address: &str, member: &str) -> (Vec<Value>, usize) {
    let client = &fixture.network.client;
    let collection = client.document(address).await;
    let mut page = client.document(id_of(&collection["first"])).await;
    let (mut items, mut pages) = (Vec::new(), 1);
    loop {
        assert_eq!(page["partOf"], address);
        items.extend(page[member].as_array().expect("items").clone());
        match &page["next"] {
            Value::Null => break,
            next => page = client.document(id_of(next)).await,
        }
        pages += 1;
    }
    assert_eq!(collection["totalItems"].as_u64().expect("a total"), items.len() as u64, "{address}");
    (items, pages)
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

fn texts(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item.as_str().expect("an id as a string").to_owned()).collect()
}

async fn every_public_reply_is_listed_page_by_page(fixture: &Fixture, article: &Value) {
    let first = reply_often(fixture, id_of(article), 1).await;
    await_total_items(fixture, article, "replies", 1).await;
    let context = article["context"].as_str().expect("a context");
    let thread = fixture.network.client.document(context).await;
    assert_eq!(thread["type"], "OrderedCollection");
    assert_eq!(thread["orderedItems"], json!([id_of(article), first[0]]), "the root, then the oldest");
    // Deleting a reply restores the count.
    let deleted = fixture.comment(&fixture.alice, article, "Regretted").await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&deleted)).await;
    await_total_items(fixture, article, "replies", 1).await;

    let mut expected = reply_often(fixture, &first[0], 105).await;
    await_total_items(fixture, article, "replies", 106).await;
    expected.extend(first);
    let replies = id_of(&article["replies"]).to_owned();
    let (items, pages) = read_all(fixture, &replies, "items").await;
    assert_eq!(sorted(texts(&items)), sorted(expected.clone()), "each reply is listed once, at any depth");
    assert_eq!(pages, 6);
    let (items, pages) = read_all(fixture, context, "orderedItems").await;
    assert_eq!(pages, 2, "the collection is too long for one page");
    assert_eq!(items[0], id_of(article), "the root comes first");
    assert_eq!(sorted(texts(&items[1..])), sorted(expected));
}

async fn a_private_reply_is_in_no_collection(fixture: &Fixture, article: &Value) {
    let quiet = fixture.alice.reply_to_followers(id_of(article), "<p>Between us</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&quiet)).await;
    let public = fixture.comment(&fixture.alice, article, "For everyone").await;
    fixture.settle().await;
    let (items, _) = read_all(fixture, id_of(&article["replies"]), "items").await;
    assert_eq!(items, [json!(id_of(&public))]);
    let context = fixture.network.client.document(article["context"].as_str().expect("a context")).await;
    assert_eq!(context["orderedItems"], json!([id_of(article), id_of(&public)]));
}

async fn followers_are_paged_and_counted(fixture: &Fixture) {
    let users: Vec<_> = (0..23).map(|n| fixture.remote.user(&format!("viewer{n}"))).collect();
    join_all(users.iter().map(|user| fixture.follow(user))).await;
    let followers = fixture.critic["followers"].as_str().expect("followers");
    let (items, pages) = read_all(fixture, followers, "orderedItems").await;
    assert_eq!(pages, 2);
    let expected = users.iter().map(crate::support::remote::User::id).collect();
    assert_eq!(sorted(texts(&items)), sorted(expected));
}

async fn a_follower_list_can_be_hidden(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("critics", "hide_followers", "true")).await;
    fixture.follow(&fixture.alice).await;
    let followers = fixture.critic["followers"].as_str().expect("followers");
    let collection = fixture.network.client.document(followers).await;
    assert_eq!(collection["totalItems"], 1, "the number is public");
    for member in ["first", "orderedItems", "items", "last"] {
        assert!(collection.get(member).is_none(), "the followers are not public: {collection}");
    }
    for page in ["?page=1", "?page=2"] {
        let response = fixture.network.client.get(&format!("{followers}{page}"), AS2).await;
        assert_eq!(response.status, 404, "{page}");
        assert!(!response.body.contains("alice"));
    }
    // The followers still get what the critic publishes.
    fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", |activity| activity["type"] == "Create").await;
}

async fn featured_lists_reviews_by_their_ids(fixture: &Fixture, older: &Value, newer: &Value) {
    let featured =
        fixture.network.client.document(fixture.critic["featured"].as_str().expect("featured")).await;
    assert_eq!(featured["orderedItems"], json!([id_of(newer), id_of(older)]));
    let following =
        fixture.network.client.document(fixture.critic["following"].as_str().expect("following")).await;
    assert_eq!(following["totalItems"], 0);
    let (creates, _) =
        read_all(fixture, fixture.critic["outbox"].as_str().expect("an outbox"), "orderedItems").await;
    assert_eq!(creates.iter().filter(|item| item["type"] == "Create").count(), 2);
}

async fn an_article_has_its_totals_and_its_interaction_policy(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    let policy = json!({"canQuote": {"automaticApproval": [PUBLIC]}});
    let create = fixture.remote.await_activity("the Create", |activity| activity["type"] == "Create").await;
    assert_eq!(create["object"]["interactionPolicy"], policy);
    for part in ["replies", "likes", "shares"] {
        assert_eq!(create["object"][part]["totalItems"], 0, "{part}");
    }
    let term = |name: &str| create["@context"][1][name]["@id"].clone();
    assert_eq!(create["@context"][1]["gts"], "https://gotosocial.org/ns#");
    assert_eq!(term("interactionPolicy"), "gts:interactionPolicy");
    assert_eq!(term("canQuote"), "gts:canQuote");
    assert_eq!(term("automaticApproval"), "gts:automaticApproval");

    fixture.comment(&fixture.alice, &article, "One of each").await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.announce(id_of(&article))).await;
    await_total_items(&fixture, &article, "likes", 1).await;
    await_total_items(&fixture, &article, "shares", 1).await;
    let text = crate::support::feed::markdown("The Night Ferry", "The Night Ferry", "It left at seven.");
    let file = fixture.app.write("revised.md", &text);
    let slug = article["url"].as_str().and_then(|page| page.rsplit('/').next()).expect("a slug");
    fixture.app.command_output(&["revise", slug, &file]).await;
    let update = fixture.remote.await_activity("the Update", |activity| activity["type"] == "Update").await;
    assert_eq!(update["object"]["interactionPolicy"], policy);
    for part in ["replies", "likes", "shares"] {
        assert_eq!(update["object"][part]["totalItems"], 1, "{part}");
        let served = fixture.network.client.document(id_of(&update["object"][part])).await;
        assert_eq!(served["totalItems"], 1, "{part}");
        assert_eq!(served.get("first").is_some(), part == "replies", "only replies are listed");
    }
}

async fn an_invalid_page_number_is_rejected(fixture: &Fixture, article: &Value) {
    let client = &fixture.network.client;
    let part = |name: &str| fixture.critic[name].as_str().expect("a collection").to_owned();
    let collections = [
        part("outbox"),
        part("followers"),
        id_of(&article["replies"]).to_owned(),
        article["context"].as_str().expect("a context").to_owned(),
    ];
    for collection in &collections {
        for page in ["0", "-1", "x", "1.5", "", "4294967296", "9223372036854775808", "%00", "1;drop"] {
            let response = client.get(&format!("{collection}?page={page}"), AS2).await;
            assert_eq!(response.status, 400, "{collection}?page={page}");
        }
        for page in ["7", "100000"] {
            let document = client.document(&format!("{collection}?page={page}")).await;
            let items = document.get("orderedItems").or(document.get("items")).expect("items");
            assert_eq!(items, &json!([]), "pages beyond the last one are empty");
            assert!(document.get("next").is_none());
        }
    }
    for path in ["/reviews?page=-1", "/@critic?page=99999999999", "/tags/ferries?page=x"] {
        assert_eq!(fixture.app.get_page(path).await.status, 400, "{path}");
    }
    let _ = eventually("the site to be healthy", || async {
        Some(client.get(&url("/health/ready"), "*/*").await).filter(|response| response.status == 200)
    })
    .await;
}

async fn a_site_can_require_approval_of_followers(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "approve_followers", "true")).await;
    assert_eq!(fixture.critic["manuallyApprovesFollowers"], true);
    assert_eq!(fixture.critic["discoverable"], true);
    assert_eq!(fixture.critic["indexable"], true);
}
