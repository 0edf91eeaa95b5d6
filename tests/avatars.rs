//! Avatars of commenters are served from this site and deleted with their accounts.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::config_file::url;
use crate::support::page::Page;
use crate::support::remote::{Document, User};
use crate::support::{Database, Fixture, eventually};

both_databases!(
    a_commenters_avatar_is_served_from_this_site,
    f4_an_avatar_that_is_not_a_small_image_is_left_out_and_fetched_once,
    a_new_avatar_replaces_the_old_one,
    an_avatar_is_deleted_with_its_account_unless_another_has_the_same,
    avatars_of_followers_are_not_fetched,
    comments_of_actors_who_opted_out_are_hidden_from_search_engines,
);

/// A PNG that differs for each seed: bytes after its end are ignored.
fn image(seed: &str) -> Vec<u8> {
    [include_bytes!("../config/demo/avatar.png"), seed.as_bytes()].concat()
}

/// Serves bytes as the user's avatar at a path of its own, and lists it in the actor.
fn serve_avatar(fixture: &Fixture, user: &User, path: &str, media_type: &str, bytes: Vec<u8>) {
    fixture.remote.serve(path, Document::new(media_type, bytes));
    let mut actor = user.actor();
    actor["icon"] = json!({"type": "Image", "mediaType": media_type, "url": fixture.remote.url(path)});
    user.serve_actor(&actor);
}

/// The URLs of the avatars next to comments.
fn avatars(page: &Page) -> Vec<String> {
    let value = |attributes: &[(String, String)], key: &str| {
        attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let images = page.elements.iter().filter(|(name, _)| name == "img");
    let discs = images.filter(|(_, attributes)| value(attributes, "class").starts_with("disc "));
    discs.map(|(_, attributes)| value(attributes, "src")).collect()
}

async fn await_avatars(fixture: &Fixture, article: &Value, count: usize) -> Vec<String> {
    avatars(
        &fixture
            .await_page(article, "avatars next to the comments", |page| avatars(page).len() == count)
            .await,
    )
}

/// Waits until a file under `/media/` no longer exists.
async fn await_gone(fixture: &Fixture, path: &str) {
    eventually("the image to be deleted", || async {
        (fixture.network.client.get(&url(path), "image/*").await.status == 404).then_some(())
    })
    .await;
}

async fn a_commenters_avatar_is_served_from_this_site(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    serve_avatar(&fixture, &fixture.alice, "/faces/alice.png", "image/png", image("alice"));
    fixture.comment(&fixture.alice, &article, "With a face").await;
    let avatar = await_avatars(&fixture, &article, 1).await.remove(0);
    assert!(avatar.starts_with("/media/"), "no request to another server: {avatar}");
    assert!(std::path::Path::new(&avatar).extension().is_some_and(|extension| extension == "png"));
    let response = fixture.network.client.get(&url(&avatar), "image/*").await;
    assert_eq!((response.status, response.header("content-type")), (200, "image/png"));
    assert_eq!(response.header("x-content-type-options"), "nosniff");
    // A second comment and another lookup of the actor cause no second request.
    fixture.comment(&fixture.alice, &article, "And again").await;
    await_avatars(&fixture, &article, 2).await;
    fixture.settle().await;
    assert_eq!(fixture.remote.requests_for("/faces/alice.png"), 1);
}

async fn f4_an_avatar_that_is_not_a_small_image_is_left_out_and_fetched_once(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let large = [image("large"), vec![0; 600 * 1024]].concat();
    let mut wide = image("wide");
    // The width is in the first four bytes of the header.
    wide[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    let bad = [
        ("svg", "image/png", svg),
        ("page", "image/png", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("large", "image/png", large),
        ("wide", "image/png", wide),
        ("empty", "image/png", Vec::new()),
    ];
    for (name, media_type, bytes) in bad.clone() {
        let user = fixture.remote.user(name);
        serve_avatar(&fixture, &user, &format!("/faces/{name}"), media_type, bytes);
        fixture.comment(&user, &article, &format!("I am {name}")).await;
    }
    serve_avatar(&fixture, &fixture.alice, "/faces/alice.png", "image/png", image("alice"));
    fixture.comment(&fixture.alice, &article, "The last one").await;
    await_avatars(&fixture, &article, 1).await;
    eventually("all of them to be requested", || async {
        let is_requested =
            |(name, ..): &(&str, &str, Vec<u8>)| fixture.remote.requests_for(&format!("/faces/{name}")) > 0;
        bad.iter().all(is_requested).then_some(())
    })
    .await;
    fixture.settle().await;
    for (name, ..) in &bad {
        assert_eq!(fixture.remote.requests_for(&format!("/faces/{name}")), 1, "{name}");
    }
    let page = fixture.page(&article).await;
    assert_eq!(avatars(&page).len(), 1, "the other users have initials");
    assert!(page.attribute("src").all(|src| src.starts_with('/')));
}

async fn a_new_avatar_replaces_the_old_one(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    serve_avatar(&fixture, alice, "/faces/old.png", "image/png", image("old"));
    fixture.comment(alice, &article, "I grow older").await;
    let old = await_avatars(&fixture, &article, 1).await.remove(0);
    serve_avatar(&fixture, alice, "/faces/new.png", "image/png", image("new"));
    let mut actor = alice.actor();
    actor["icon"] = json!({"type": "Image", "url": fixture.remote.url("/faces/new.png")});
    alice.deliver(fixture.inbox(), &alice.activity("Update", &actor)).await;
    fixture
        .await_page(&article, "the new avatar", |page| avatars(page).iter().any(|avatar| *avatar != old))
        .await;
    await_gone(&fixture, &old).await;
    // Finally, no avatar.
    alice.serve_actor(&alice.actor());
    alice.deliver(fixture.inbox(), &alice.activity("Update", &alice.actor())).await;
    await_avatars(&fixture, &article, 0).await;
}

async fn an_avatar_is_deleted_with_its_account_unless_another_has_the_same(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    for user in [&fixture.alice, &bob] {
        serve_avatar(&fixture, user, &format!("/faces/{}", user.name), "image/png", image("twins"));
        fixture.comment(user, &article, &format!("I am {}", user.name)).await;
    }
    let both = await_avatars(&fixture, &article, 2).await;
    assert_eq!(both[0], both[1], "the same content is stored once");
    let leave = |user: &User| user.activity("Delete", &json!(user.id()));
    fixture.alice.deliver(fixture.shared_inbox(), &leave(&fixture.alice)).await;
    await_avatars(&fixture, &article, 1).await;
    fixture.settle().await;
    assert_eq!(fixture.network.client.get(&url(&both[0]), "image/*").await.status, 200, "bob still has it");
    bob.deliver(fixture.shared_inbox(), &leave(&bob)).await;
    await_gone(&fixture, &both[0]).await;
    let name = both[0].rsplit('/').next().expect("a name");
    eventually("the file to be deleted", || async {
        (!fixture.app.folder().file(&format!("media/{name}")).exists()).then_some(())
    })
    .await;
}

async fn avatars_of_followers_are_not_fetched(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let carol = fixture.remote.user("carol");
    serve_avatar(&fixture, &carol, "/faces/carol.png", "image/png", image("carol"));
    fixture.follow(&carol).await;
    serve_avatar(&fixture, &fixture.alice, "/faces/alice.png", "image/png", image("alice"));
    fixture.comment(&fixture.alice, &article, "Here I am").await;
    await_avatars(&fixture, &article, 1).await;
    assert_eq!(fixture.remote.requests_for("/faces/carol.png"), 0);
    assert_eq!(fixture.remote.requests_for("/faces/alice.png"), 1);
}

async fn comments_of_actors_who_opted_out_are_hidden_from_search_engines(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let shy = fixture.remote.user("shy");
    let mut actor = shy.actor();
    actor["indexable"] = json!(false);
    shy.serve_actor(&actor);
    fixture.comment(&fixture.alice, &article, "Anyone may find this").await;
    let hidden = |page: &Page| page.attribute("data-nosnippet").count();
    assert_eq!(hidden(&fixture.page(&article).await), 0);
    fixture.comment(&shy, &article, "Only who reads here").await;
    assert_eq!(hidden(&fixture.page(&article).await), 1);
}
