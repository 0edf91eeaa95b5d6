//! The discussion of a review: the facepile, the sort orders, and live updates of an open page.

use reqwest::Method;
use scraper::{Html, Selector};
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::config_file::url;
use crate::support::db_control::DbControl;
use crate::support::http::{HTML, Response};
use crate::support::page::Page;
use crate::support::remote::{Document, User};
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    likes_and_boosts_show_their_actors_until_they_are_undone,
    an_actor_who_opted_out_is_counted_but_not_shown,
    a_silenced_actor_is_not_shown_unless_allowed,
    an_actor_with_held_comments_is_not_shown,
    an_actor_displaced_from_one_facepile_stays_in_another,
    a_review_card_counts_comments_like_the_page,
    comments_are_sorted_as_requested,
    a_discussion_that_is_too_long_for_a_page_can_be_read_from_both_ends,
    an_open_page_polls_the_discussion_and_gets_304_if_nothing_changed,
);

/// The titles of the actors in the facepile, in order.
fn facepile_titles(page: &Page) -> Vec<String> {
    let titles = page.elements.iter().filter(|(_, attributes)| {
        attributes.iter().any(|(key, _)| key == "title")
            && attributes.iter().any(|(key, _)| key == "aria-label")
    });
    let title = |attributes: &[(String, String)]| {
        attributes.iter().find(|(key, _)| key == "title").map(|(_, value)| value.clone()).unwrap_or_default()
    };
    titles.map(|(_, attributes)| title(attributes)).collect()
}

/// The URLs of the avatars in the facepile.
fn facepile_avatars(page: &Page) -> Vec<&str> {
    let value = |attributes: &'_ [(String, String)], name: &str| {
        attributes
            .iter()
            .position(|(key, _)| key == name)
            .map(|at| attributes[at].1.clone())
            .unwrap_or_default()
    };
    let images = page
        .elements
        .iter()
        .filter(|(name, attributes)| name == "img" && value(attributes, "class") == "face disc");
    images
        .filter_map(|(_, attributes)| {
            attributes.iter().find(|(key, _)| key == "src").map(|(_, value)| value.as_str())
        })
        .collect()
}

/// Serves an avatar for the user, and lists it in the actor.
fn serve_avatar(fixture: &Fixture, user: &User) {
    let path = format!("/faces/{}.png", user.name);
    let image = [include_bytes!("../config/demo/avatar.png"), user.name.as_bytes()].concat();
    fixture.remote.serve(&path, Document::new("image/png", image));
    let mut actor = user.actor();
    actor["icon"] = json!({"type": "Image", "mediaType": "image/png", "url": fixture.remote.url(&path)});
    user.serve_actor(&actor);
}

/// Sets a flag of the actor, such as `discoverable`, to false.
fn opt_out(user: &User, key: &str) {
    let mut actor = user.actor();
    actor[key] = json!(false);
    user.serve_actor(&actor);
}

/// Returns the value of an attribute that occurs once on the page.
fn attribute(page: &Page, name: &str) -> String {
    page.attribute(name).next().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

async fn get(fixture: &Fixture, address: &str, headers: &[(&str, &str)]) -> Response {
    let mut all = vec![("accept".to_owned(), HTML.to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fixture.network.client.send(Method::GET, address, &all, Vec::new()).await.expect("a response")
}

async fn likes_and_boosts_show_their_actors_until_they_are_undone(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    serve_avatar(&fixture, &fixture.alice);
    let (like, boost) = (fixture.alice.like(id_of(&article)), bob.announce(id_of(&article)));
    fixture.alice.deliver(fixture.inbox(), &like).await;
    bob.deliver(fixture.inbox(), &boost).await;
    bob.deliver(fixture.inbox(), &bob.like(id_of(&article))).await;
    let is_complete = |page: &Page| {
        let counts = page.text.contains("2 likes") && page.text.contains("1 boost");
        counts && facepile_titles(page).len() == 2 && facepile_avatars(page).len() == 1
    };
    let page = fixture.await_page(&article, "all reactions, and an avatar", is_complete).await;
    let titles = facepile_titles(&page).join("; ");
    let (alice, bob_name) = (fixture.alice.display_name(), bob.display_name());
    assert!(titles.contains(&format!("{alice} (@alice@remote.test) liked this")), "{titles}");
    assert!(titles.contains(&format!("{bob_name} (@bob@remote.test) liked and boosted this")), "{titles}");
    assert!(facepile_avatars(&page)[0].starts_with("/media/"), "avatars are served from this site");
    let avatar = url(facepile_avatars(&page)[0]);
    assert_eq!(fixture.network.client.get(&avatar, "image/*").await.status, 200);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.undo(&like)).await;
    let page = fixture
        .await_page(&article, "alice to disappear", |page| {
            facepile_titles(page).len() == 1 && page.text.contains("1 like")
        })
        .await;
    assert!(facepile_avatars(&page).is_empty(), "{}", page.text);
    bob.deliver(fixture.inbox(), &bob.undo(&boost)).await;
    fixture
        .await_page(&article, "the boost to disappear", |page| {
            facepile_titles(page)[0].ends_with("liked this")
        })
        .await;
}

async fn an_actor_who_opted_out_is_counted_but_not_shown(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let (shy, hidden, carol) =
        (fixture.remote.user("shy"), fixture.remote.user("hidden"), fixture.remote.user("carol"));
    opt_out(&shy, "discoverable");
    opt_out(&hidden, "indexable");
    for user in [&shy, &hidden, &fixture.alice, &carol] {
        user.deliver(fixture.inbox(), &user.like(id_of(&article))).await;
    }
    let is_complete = |page: &Page| page.text.contains("4 likes") && facepile_titles(page).len() == 2;
    let page = fixture.await_page(&article, "four likes and two actors", is_complete).await;
    assert!(page.text.contains("+ 2 more"), "{}", page.text);
    // An account that blocks the critic is counted but not shown; one that the critic blocks is neither
    // counted nor shown.
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.activity("Block", &json!(fixture.actor()))).await;
    let page = fixture.await_page(&article, "one actor", |page| facepile_titles(page).len() == 1).await;
    assert!(page.text.contains("4 likes") && page.text.contains("+ 3 more"), "{}", page.text);
    fixture.app.command_output(&["block", "account", &carol.id()]).await;
    let page = fixture.await_page(&article, "no actor", |page| facepile_titles(page).is_empty()).await;
    assert!(page.text.contains("3 likes"), "{}", page.text);
    assert_eq!(fixture.article(&article).await["likes"]["totalItems"], 3);
}

async fn a_silenced_actor_is_not_shown_unless_allowed(database: Database) {
    let network = TestNetwork::new();
    let (remote, deep) = (network.remote("remote.test").await, network.remote("deep.remote.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    for user in [&fixture.alice, &deep.user("dave")] {
        user.deliver(fixture.inbox(), &user.like(id_of(&article))).await;
    }
    let await_shown = async |what: &str, count: usize| {
        fixture.await_page(&article, what, |page| facepile_titles(page).len() == count).await;
    };
    let block = async |args: &[&str]| fixture.app.command_output(&[&["block"], args].concat()).await;
    await_shown("both actors", 2).await;
    block(&["domain", "remote.test", "--silence"]).await;
    await_shown("no actor of the silenced server", 0).await;
    block(&["allow", "deep.remote.test"]).await;
    await_shown("the actor of the allowed subdomain", 1).await;
    block(&["remove", "deep.remote.test"]).await;
    await_shown("no actor again", 0).await;
    block(&["remove", "remote.test"]).await;
    await_shown("both actors again", 2).await;
}

async fn an_actor_with_held_comments_is_not_shown(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "first_comments", "\"held\"")).await;
    let (liked, commented) =
        (fixture.publish("The Night Ferry").await, fixture.publish("The Empty Hall").await);
    // The actor of a follower is already known.
    fixture.follow(&fixture.alice).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&liked))).await;
    fixture.await_page(&liked, "the like", |page| page.text.contains("1 like")).await;
    fixture.settle().await;
    assert_eq!(facepile_titles(&fixture.page(&liked).await), Vec::<String>::new());
    let note = fixture.alice.reply(id_of(&commented), "<p>May I come in</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    eventually("the comment to be held", || async {
        let listed = fixture.app.command_output(&["comment", "list", "--state", "held"]).await;
        listed.contains("May I come in").then_some(())
    })
    .await;
    fixture.app.command_output(&["comment", "approve", id_of(&note)]).await;
    fixture.await_page(&liked, "the approved actor", |page| facepile_titles(page).len() == 1).await;
}

/// Inserts likes that are newer than all others, by actors whose server does not exist.
async fn insert_likes(db: &mut DbControl, article: &Value, name: &str, count: usize) {
    let review = id_of(article).rsplit('/').next().expect("an id");
    db.execute(&format!(
        "insert into reactions (review_id, actor, kind, state, signed_at)
         with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {count})
         select '{review}', 'https://127.0.0.2/{name}/' || n, 'like', 'on', 9000000000000 + n from numbers"
    ))
    .await;
}

async fn an_actor_displaced_from_one_facepile_stays_in_another(database: Database) {
    let fixture = Fixture::new(database).await;
    let (loud, quiet) = (fixture.publish("The Night Ferry").await, fixture.publish("The Empty Hall").await);
    let (bob, carol) = (fixture.remote.user("bob"), fixture.remote.user("carol"));
    for user in [&fixture.alice, &bob, &carol] {
        serve_avatar(&fixture, user);
    }
    let like = |user: &User, article: &Value| user.like(id_of(article));
    let alice_like = like(&fixture.alice, &quiet);
    fixture.alice.deliver(fixture.inbox(), &alice_like).await;
    for user in [&fixture.alice, &bob] {
        user.deliver(fixture.inbox(), &like(user, &loud)).await;
    }
    let await_avatars = async |article: &Value, count: usize| {
        let page = fixture
            .await_page(article, &format!("{count} avatars"), |page| facepile_avatars(page).len() == count)
            .await;
        facepile_avatars(&page).into_iter().map(url).collect::<Vec<_>>()
    };
    let exists = async |avatar: &str| fixture.network.client.get(avatar, "image/*").await.status == 200;
    let await_deleted = async |avatar: &str| {
        eventually("an avatar to be deleted", || async { (!exists(avatar).await).then_some(()) }).await;
    };
    let alice_avatar = await_avatars(&quiet, 1).await.remove(0);
    let bob_avatar =
        await_avatars(&loud, 2).await.into_iter().find(|avatar| *avatar != alice_avatar).expect("an avatar");
    // Newer likes displace both from this facepile. Alice stays in the facepile of the other review.
    let mut db = DbControl::connect(&fixture.app).await;
    insert_likes(&mut db, &loud, "first", 150).await;
    await_deleted(&bob_avatar).await;
    fixture.settle().await;
    assert!(exists(&alice_avatar).await);
    await_avatars(&quiet, 1).await;
    // The newer likes are removed, so the others are among the latest again.
    db.execute("update reactions set state = 'off' where actor like 'https://127.0.0.2/%'").await;
    await_avatars(&loud, 2).await;
    assert!(exists(&bob_avatar).await);
    // More newer likes than the facepile ever considers displace someone.
    carol.deliver(fixture.inbox(), &like(&carol, &loud)).await;
    let three = await_avatars(&loud, 3).await;
    insert_likes(&mut db, &loud, "second", 500).await;
    let carol_avatar =
        three.iter().find(|avatar| **avatar != alice_avatar && **avatar != bob_avatar).expect("an avatar");
    await_deleted(carol_avatar).await;
    // An undone like is not shown.
    assert!(exists(&alice_avatar).await);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.undo(&alice_like)).await;
    await_deleted(&alice_avatar).await;
}

async fn a_review_card_counts_comments_like_the_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "One").await;
    // Counts that another connection wrote.
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute(
        "insert into review_stats (review_id, kind, writer, total)
         select distinct review_id, kind, -1, 2 from review_stats where kind = 'comment'",
    )
    .await;
    fixture.comment(&fixture.alice, &article, "Two").await;
    assert!(fixture.page(&article).await.text.contains("4 comments"));
    for path in ["/", "/films/the-night-ferry-2021"] {
        let page = Page::parse(&get(&fixture, &url(path), &[]).await.body);
        assert!(page.text.contains("4 comments"), "{path}: {}", page.text);
    }
}

fn order(page: &Page) -> Vec<&str> {
    let labels = ["First", "Second", "Third", "Answer"];
    let label = |text: &str| labels.into_iter().find(|label| text.contains(&format!("{label} thought")));
    page.comments.iter().filter_map(|comment| label(&comment.text)).collect()
}

async fn comments_are_sorted_as_requested(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut notes = Vec::new();
    for text in ["First thought", "Second thought", "Third thought"] {
        notes.push(fixture.comment(&fixture.alice, &article, text).await);
    }
    fixture.comment_under(&fixture.alice, &article, &notes[1], "Answer thought").await;
    let page = article["url"].as_str().expect("a page");
    for (sort, expected) in [
        ("", ["First", "Second", "Answer", "Third"]),
        ("?sort=oldest", ["First", "Second", "Answer", "Third"]),
        ("?sort=newest", ["Third", "Second", "Answer", "First"]),
        ("?sort=answered", ["Second", "Answer", "First", "Third"]),
    ] {
        let response = get(&fixture, &format!("{page}{sort}"), &[]).await;
        assert_eq!(response.status, 200, "{sort}");
        let shown = Page::parse(&response.body);
        assert_eq!(order(&shown), expected, "{sort}");
        assert!(response.body.contains(&format!("<link rel=\"canonical\" href=\"{page}\">")), "{sort}");
        let href = attribute(&shown, "data-live-href");
        let part = get(&fixture, &url(&href), &[]).await;
        assert_eq!(order(&Page::parse(&part.body)), expected, "{href}");
    }
    let links: Vec<String> = fixture.page(&article).await.attribute("href").map(str::to_owned).collect();
    assert!(links.iter().any(|link| link.ends_with("?sort=answered#comments")), "{links:?}");
    for wrong in ["?sort=best", "?sort=", "?sort=%ff"] {
        for address in [format!("{page}{wrong}"), format!("{page}/comments{wrong}")] {
            assert_eq!(get(&fixture, &address, &[]).await.status, 400, "{address}");
        }
    }
}

/// Copies the existing comment 2,003 times, each received after the one before.
const MORE: &str = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 2003)
     insert into comments (id, review_id, uri, url, actor, parent_uri, content, state, published_at, signed_at, created_at)
     select substr(c.id, 1, 22) || substr(cast(10000 + i as text), 2), c.review_id, c.uri || i, c.url || i, c.actor,
        case when i = 2003 then c.uri else c.parent_uri end, '<p>Remark ' || i || '.</p>', c.state,
        c.published_at + 1000 * i, c.signed_at, c.created_at + i from comments c, n";

async fn a_discussion_that_is_too_long_for_a_page_can_be_read_from_both_ends(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "Before all others").await;
    DbControl::connect(&fixture.app).await.execute(MORE).await;
    let page = article["url"].as_str().expect("a page");
    let (newest, oldest) = ("4 newer comments are not on this page", "4 older comments are not on this page");
    for (sort, first, last, left_out, note, opposite) in [
        ("", "Before all others", "Remark 1999.", "Remark 2000.", newest, "newest"),
        ("sort=answered", "Before all others", "Remark 1999.", "Remark 2000.", newest, "newest"),
        ("sort=newest", "Remark 2003.", "Remark 4.", "Remark 3.", oldest, ""),
    ] {
        let mut comments = Vec::new();
        for number in 1..=9 {
            let response = get(&fixture, &format!("{page}?{sort}&comments={number}"), &[]).await;
            if response.status == 404 {
                break;
            }
            let shown = Page::parse(&response.body);
            assert!(shown.text.contains("2,004 comments") && shown.text.contains(note), "{sort}");
            let path = page.strip_prefix(&url("")).expect("a page of this site");
            let query = if opposite.is_empty() { String::new() } else { format!("?sort={opposite}") };
            let document = Html::parse_document(&response.body);
            let links = Selector::parse("[data-live=numbers] a").expect("a selector");
            let links: Vec<_> = document.select(&links).filter_map(|link| link.attr("href")).collect();
            assert_eq!(links, [format!("{path}{query}#comments")], "{sort}");
            // The live update contains the same.
            let part = get(&fixture, &url(&attribute(&shown, "data-live-href")), &[]).await;
            assert_eq!(part.header("etag"), attribute(&shown, "data-live-tag"), "{sort}");
            assert!(part.body.contains(note), "{sort}");
            comments.extend(shown.comments);
        }
        assert_eq!(comments.len(), 2_000, "{sort}");
        let ends = [comments.first(), comments.last()].map(|end| end.expect("a comment"));
        assert!(ends[0].text.contains(first) && ends[1].text.contains(last), "{sort}: {ends:?}");
        assert!(!comments.iter().any(|comment| comment.text.contains(left_out)), "{sort}");
    }
    // A reply to a comment that is left out has no parent on the page.
    let shown = Page::parse(&get(&fixture, &format!("{page}?sort=newest"), &[]).await.body);
    let reply = shown.comment("Remark 2003.").expect("the last one");
    assert!(shown.parent_of(reply).is_none());
}

async fn an_open_page_polls_the_discussion_and_gets_304_if_nothing_changed(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "Before").await;
    let page = fixture.page(&article).await;
    let (address, tag) = (url(&attribute(&page, "data-live-href")), attribute(&page, "data-live-tag"));
    for encoding in ["identity", "gzip", "br"] {
        let headers = [("if-none-match", tag.as_str()), ("accept-encoding", encoding)];
        let response = get(&fixture, &address, &headers).await;
        assert_eq!((response.status, response.body.as_str()), (304, ""), "{encoding}");
        assert_eq!(response.header("etag"), tag);
    }
    fixture.comment(&fixture.alice, &article, "Meanwhile").await;
    let response = get(&fixture, &address, &[("if-none-match", &tag)]).await;
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").starts_with("text/html"));
    assert_eq!(response.header("x-robots-tag"), "noindex");
    let part = Page::parse(&response.body);
    assert!(part.comment("Before").is_some() && part.comment("Meanwhile").is_some(), "{}", response.body);
    assert!(
        part.text.contains("2 comments")
            && !response.body.contains("<html")
            && !response.body.contains("<form")
    );
    let page = fixture.page(&article).await;
    assert_eq!(response.header("etag"), attribute(&page, "data-live-tag"), "the page contains the same tag");
    // There is no discussion of unknown and retracted reviews.
    let nothing = get(&fixture, &url("/reviews/nothing/comments"), &[]).await;
    assert_eq!(nothing.status, 404);
    let slug = article["url"].as_str().and_then(|page| page.rsplit('/').next()).expect("a slug");
    fixture.app.command_output(&["retract", slug]).await;
    assert_eq!(get(&fixture, &address, &[("if-none-match", &tag)]).await.status, 410);
}

/// A comment of random words, which compress less well than a repeated sentence.
fn random_text(number: usize) -> String {
    let words = [
        "ferry",
        "rain",
        "usher",
        "reel",
        "night",
        "window",
        "harbour",
        "silence",
        "camera",
        "actress",
        "light",
        "projector",
        "leaves",
        "without",
        "never",
        "slowly",
        "remembers",
        "between",
        "against",
        "wanders",
    ];
    let mut state = number as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[usize::try_from(state >> 33).expect("small") % words.len()]
    };
    let text: Vec<&str> = (0..30).map(|_| next()).collect();
    format!("Remark {number}: {}.", text.join(" "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_long_discussion_is_small() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let article = fixture.publish("The Night Ferry").await;
    let people: Vec<User> = (0..40).map(|number| fixture.remote.user(&format!("person{number}"))).collect();
    for user in &people {
        serve_avatar(&fixture, user);
        user.deliver(fixture.inbox(), &user.like(id_of(&article))).await;
    }
    let mut notes: Vec<Value> = Vec::new();
    for number in 0..200 {
        let user = &people[number % people.len()];
        let parent = if number % 3 == 0 { &article } else { &notes[number / 2] };
        let note = user.reply(id_of(parent), &format!("<p>{}</p>", random_text(number)));
        user.deliver(fixture.inbox(), &user.create(&note)).await;
        notes.push(note);
    }
    let is_complete = |page: &Page| page.comments.len() == 200 && facepile_avatars(page).len() == 24;
    let page = fixture.await_page(&article, "all comments and avatars", is_complete).await;
    assert!(page.text.contains("+ 16 more"), "{}", page.text);
    let address = article["url"].as_str().expect("a page");
    let response = get(&fixture, address, &[("accept-encoding", "br")]).await;
    assert_eq!(response.header("content-encoding"), "br");
    let bytes: usize = response.header("content-length").parse().expect("a length");
    assert!(bytes < 60 * 1024, "{bytes} bytes");
    let policy = response.header("content-security-policy");
    assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self';"), "{policy}");
    // Images have a size, so that the page does not move while they load.
    for (_, attributes) in page.elements.iter().filter(|(name, _)| name == "img") {
        let has = |wanted: &str| attributes.iter().any(|(key, _)| key == wanted);
        assert!(has("width") && has("height") && has("alt"), "{attributes:?}");
    }
}
