//! What strangers write is bounded where it is stored and where it is shown, and nobody is pushed off a page.

use reqwest::Method;
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::config_file::url;
use crate::support::db_control::DbControl;
use crate::support::http::{HTML, Response};
use crate::support::page::Page;
use crate::support::remote::User;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    h15_markup_does_not_multiply_what_is_stored_and_shown,
    a_long_comment_has_a_page_of_its_own,
    a_comment_that_is_not_shown_has_no_page,
    a_long_conversation_continues_on_further_pages,
    comments_that_an_older_version_stored_are_bounded,
    h15_a_flood_with_old_dates_pushes_nobody_off_the_page,
    h15_stored_floods_push_nobody_off_the_page,
    h15_many_comments_of_one_author_are_held,
    many_authors_of_one_server_are_not_held,
    h15_placeholders_are_bounded,
);

/// One page of comments, and the rest of the review's page.
const MAX_PAGE_BYTES: usize = 1024 * 1024 + 64 * 1024;

async fn with_budgets(database: Database, budgets: &[(&str, &str)]) -> Fixture {
    Fixture::with(database, |_, settings| {
        budgets.iter().fold(settings, |settings, (key, value)| settings.set("budgets", key, value))
    })
    .await
}

async fn get(fixture: &Fixture, address: &str) -> Response {
    fixture.network.client.get(address, HTML).await
}

fn page_url(article: &Value) -> &str {
    article["url"].as_str().expect("a page")
}

/// The addresses that elements with this relation or class lead to.
fn links(html: &str, selector: &str) -> Vec<String> {
    let document = scraper::Html::parse_document(html);
    let selector = scraper::Selector::parse(selector).expect("a selector");
    document.select(&selector).filter_map(|link| link.attr("href")).map(str::to_owned).collect()
}

/// All pages of a conversation, found by their links.
async fn all_pages(fixture: &Fixture, article: &Value) -> Vec<Response> {
    let mut pages = vec![get(fixture, page_url(article)).await];
    loop {
        let last = pages.last().expect("a page");
        assert_eq!(last.status, 200);
        assert!(last.body.len() <= MAX_PAGE_BYTES, "{} bytes", last.body.len());
        let Some(next) = links(&last.body, ".conversation .pager a[rel=next]").pop() else { return pages };
        assert!(next.ends_with("#comments"), "{next}");
        pages.push(get(fixture, &url(next.trim_end_matches("#comments"))).await);
    }
}

/// A reply with any HTML, which is repeated to 100 kB.
async fn send_repeated(fixture: &Fixture, user: &User, article: &Value, name: &str, part: &str) {
    let html = format!("<p>{name}</p>{}", part.repeat(99_900 / part.len()));
    let note = user.reply(id_of(article), &html);
    user.deliver(fixture.inbox(), &user.create(&note)).await;
}

/// Copies the first comment `$COUNT` times. The copies are received after it.
fn copies(count: usize, columns: &[(&str, &str)]) -> String {
    let value = |name: &str, default: &'static str| {
        columns.iter().find(|(column, _)| *column == name).map_or(default, |(_, value)| value).to_owned()
    };
    format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count})
         insert into comments (id, review_id, uri, url, actor, parent_uri, content, state, published_at, signed_at,
            created_at)
         select substr(c.id, 1, 22) || substr(cast(10000 + i as text), 2), c.review_id, c.uri || i, c.url || i,
            {actor}, {parent}, {content}, {state}, {published}, c.signed_at, c.created_at + i
         from (select * from comments order by created_at, id limit 1) c, n",
        actor = value("actor", "c.actor"),
        parent = value("parent", "c.parent_uri"),
        content = value("content", "c.content"),
        state = value("state", "c.state"),
        published = value("published", "c.published_at"),
    )
}

async fn h15_markup_does_not_multiply_what_is_stored_and_shown(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let nested = "<b>".repeat(37) + &"<p>x".repeat(49) + &"</b>".repeat(37);
    let shapes = [
        ("Nested", nested.as_str()),
        ("Mixed", "<i><s><code><p>x<p>y<p>z<ul><li>v<li>w</ul></code></s></i>"),
        ("Linked", "<a href='https://a.example/'><p>b.example<p>c.example</a>"),
        ("Escaped", "&&&<"),
        ("Headed", "<h1><h2><b><div>x</div><div>y</div></b></h2></h1>"),
    ];
    for (name, part) in shapes {
        send_repeated(&fixture, &fixture.alice, &article, name, part).await;
    }
    let are_shown = |page: &Page| shapes.iter().all(|(name, _)| page.comment(name).is_some());
    fixture.await_page(&article, "all of them", are_shown).await;
    let mut db = DbControl::connect(&fixture.app).await;
    let longest = "select max(octet_length(content)) from comments";
    let stored = fixture.app.number(longest, "select max(octet_length(content))::bigint from comments").await;
    assert!((1..=128 * 1024).contains(&stored), "{stored} bytes are stored");
    let pages = all_pages(&fixture, &article).await;
    assert_eq!(pages.len(), 1);
    assert!(pages[0].body.len() < 5 * 18_000 + 64_000, "{} bytes", pages[0].body.len());
    assert_eq!(links(&pages[0].body, ".read-on a").len(), 5);
    db.execute(&copies(40, &[])).await;
    let pages = all_pages(&fixture, &article).await;
    let bytes: usize = pages.iter().map(|page| page.body.len()).sum();
    assert!(bytes < 45 * 18_000 + pages.len() * 64_000, "{bytes} bytes");
}

async fn a_long_comment_has_a_page_of_its_own(database: Database) {
    let fixture = with_budgets(database, &[("comment_bytes_shown", "1000")]).await;
    let article = fixture.publish("The Night Ferry").await;
    let paragraphs: Vec<String> = (0..100).map(|n| format!("<p>Paragraph {n} of many & more</p>")).collect();
    let paragraphs = paragraphs.concat();
    let note = fixture.alice.reply(id_of(&article), &format!("{paragraphs}<p>The end</p>"));
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    let page =
        fixture.await_page(&article, "the comment", |page| page.comment("Paragraph 0").is_some()).await;
    assert!(page.comment("Paragraph 9 of many & more").is_some() && !page.text.contains("Paragraph 60"));
    assert!(page.text.contains("Read on") && !page.text.contains("The end"), "{}", page.text);
    let anchor = &page.comments[0].anchor;
    let whole = links(&get(&fixture, page_url(&article)).await.body, ".read-on a").pop().expect("a link");
    let path = page_url(&article).strip_prefix(&url("")).expect("a page of this site");
    assert_eq!(whole, format!("{path}/comments/{}", anchor.trim_start_matches("comment-")));
    let response = get(&fixture, &url(&whole)).await;
    assert_eq!((response.status, response.header("x-robots-tag")), (200, "noindex"));
    let own = Page::parse(&response.body);
    assert!(own.text.contains("Paragraph 60") && own.text.contains("The end"), "{}", own.text);
    let title = format!("Comment by {}", fixture.alice.display_name());
    assert!(own.text.contains(&title), "{}", own.text);
    assert_eq!(links(&response.body, ".back a"), [format!("{path}#{anchor}")]);
    // An edit is shown there as well, and a short comment has no such link.
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.edit(&note, "<p>Never mind</p>", 60)).await;
    fixture.await_page(&article, "the edit", |page| !page.text.contains("Read on")).await;
    assert!(get(&fixture, &url(&whole)).await.body.contains("Never mind"));
}

async fn a_comment_that_is_not_shown_has_no_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let other = fixture.publish("The Day Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Now you see me").await;
    let id = fixture.page(&article).await.comments[0].anchor.trim_start_matches("comment-").to_owned();
    let address = format!("{}/comments/{id}", page_url(&article));
    assert_eq!(get(&fixture, &address).await.status, 200);
    let client = &fixture.network.client;
    let accept = [("accept".to_owned(), HTML.to_owned())];
    let head = client.send(Method::HEAD, &address, &accept, Vec::new()).await.expect("a response");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for wrong in ["nothing", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "%C3%A4"] {
        let address = format!("{}/comments/{wrong}", page_url(&article));
        assert_eq!(get(&fixture, &address).await.status, 404, "{address}");
    }
    assert_eq!(get(&fixture, &format!("{}/comments/{id}", page_url(&other))).await.status, 404);
    let mut db = DbControl::connect(&fixture.app).await;
    for (state, status) in
        [("hidden", 404), ("held", 404), ("withheld", 404), ("removed", 410), ("shown", 200)]
    {
        db.execute(&format!("update comments set state = '{state}'")).await;
        eventually(state, || async { (get(&fixture, &address).await.status == status).then_some(()) }).await;
    }
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    fixture.await_page(&article, "the deletion", |page| page.comments.is_empty()).await;
    assert_eq!(get(&fixture, &address).await.status, 410);
}

async fn a_long_conversation_continues_on_further_pages(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "Before all others").await;
    let mut db = DbControl::connect(&fixture.app).await;
    let long = format!("'<p>Remark ' || i || '.</p><p>{}</p>'", "word ".repeat(19_800));
    // Half of them reply to the first.
    let parent = "case when i > 100 then c.uri else c.parent_uri end";
    db.execute(&copies(200, &[("content", &long), ("parent", parent)])).await;
    let pages = all_pages(&fixture, &article).await;
    assert!((3..=6).contains(&pages.len()), "{} pages", pages.len());
    let parsed: Vec<Page> = pages.iter().map(|page| Page::parse(&page.body)).collect();
    let mut anchors: Vec<&str> =
        parsed.iter().flat_map(|page| &page.comments).map(|comment| comment.anchor.as_str()).collect();
    assert_eq!(anchors.len(), 201);
    anchors.sort_unstable();
    anchors.dedup();
    assert_eq!(anchors.len(), 201, "each comment is on one page");
    for (number, page) in (1..).zip(&pages) {
        let canonical = links(&page.body, "link[rel=canonical]");
        assert_eq!(canonical, [page_url(&article)]);
        assert_eq!(page.header("x-robots-tag") == "noindex", number > 1);
        assert_eq!(links(&page.body, ".conversation .pager a[rel=prev]").len(), usize::from(number > 1));
        // An open page polls its own part of the conversation.
        let live = parsed[number - 1].attribute("data-live-href").next().expect("an address").to_owned();
        let tag = parsed[number - 1].attribute("data-live-tag").next().expect("a tag").to_owned();
        assert_eq!(live.ends_with(&format!("?comments={number}")), number > 1, "{live}");
        assert_eq!(get(&fixture, &url(&live)).await.header("etag"), tag);
    }
    let address = page_url(&article);
    for (wrong, status) in [("99", 404), ("0", 400), ("x", 400), ("-1", 400), ("", 400)] {
        assert_eq!(get(&fixture, &format!("{address}?comments={wrong}")).await.status, status, "{wrong}");
    }
    assert_eq!(get(&fixture, &format!("{address}?comments=1")).await.status, 200);
    let newest = get(&fixture, &format!("{address}?sort=newest")).await;
    let next = links(&newest.body, ".conversation .pager a[rel=next]").pop().expect("another page");
    assert!(next.ends_with("?sort=newest&comments=2#comments"), "{next}");
    assert_links_lead_to_the_right_page(&fixture, address, &pages, &parsed).await;
}

async fn assert_links_lead_to_the_right_page(
    fixture: &Fixture,
    address: &str,
    pages: &[Response],
    parsed: &[Page],
) {
    let first = &parsed[0].comments[0];
    let near = parsed[0].comment("Remark 101.").expect("the first reply");
    assert_eq!(parsed[0].parent_of(near).map(|parent| &parent.anchor), Some(&first.anchor));
    let path = address.strip_prefix(&url("")).expect("a page of this site");
    assert_eq!(links(&pages[1].body, ".answers a").first(), Some(&format!("{path}#{}", first.anchor)));
    // The page of a comment leads back to the page of the conversation that it is on.
    let far = parsed[1].comment("Remark 200.").expect("the last reply");
    let own = format!("{address}/comments/{}", far.anchor.trim_start_matches("comment-"));
    let back = links(&get(fixture, &own).await.body, ".back a");
    assert_eq!(back, [format!("{path}?comments=2#{}", far.anchor)]);
}

async fn comments_that_an_older_version_stored_are_bounded(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "Small").await;
    let mut db = DbControl::connect(&fixture.app).await;
    let paragraph = format!("<p>{}x{}</p>", "<strong>".repeat(37), "</strong>".repeat(37));
    let large = format!("'<p>Large ' || i || '.</p>{}'", paragraph.repeat(1_500));
    db.execute(&copies(10, &[("content", &large)])).await;
    let pages = all_pages(&fixture, &article).await;
    assert_eq!(pages.len(), 1);
    assert!(pages[0].body.len() < 10 * 18_000 + 64_000, "{}", pages[0].body.len());
    let whole = links(&pages[0].body, ".read-on a").pop().expect("a link");
    let whole = get(&fixture, &url(&whole)).await;
    assert!((100_000..200_000).contains(&whole.body.len()), "{}", whole.body.len());
}

/// Whether the page shows this comment without a click.
fn is_unfolded(html: &str, text: &str) -> bool {
    let document = scraper::Html::parse_document(html);
    let selector = scraper::Selector::parse(".comment").expect("a selector");
    let comment = document
        .select(&selector)
        .find(|comment| comment.text().collect::<String>().contains(text))
        .unwrap_or_else(|| panic!("{text} is on the page"));
    let is_fold = |class: &str| class.split(' ').any(|class| class == "fold");
    !comment.ancestors().filter_map(scraper::ElementRef::wrap).any(|e| e.attr("class").is_some_and(is_fold))
}

async fn h15_a_flood_with_old_dates_pushes_nobody_off_the_page(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| {
        settings.set("budgets", "comments_by_author", "30")
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    let early = second.user("bob");
    fixture.comment(&early, &article, "Honest and early").await;
    for number in 0..40 {
        let mut note = fixture.alice.reply(id_of(&article), &format!("<p>Flood {number}.</p>"));
        note["published"] = json!(format!("2020-01-01T00:00:{:02}Z", 59 - number));
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    }
    fixture.settle().await;
    fixture.comment(&second.user("carol"), &article, "Honest and late").await;
    let held = "select count(*) from comments where state = 'held'";
    assert_eq!(fixture.app.number(held, held).await, 10);
    let response = get(&fixture, page_url(&article)).await;
    let page = Page::parse(&response.body);
    assert_eq!(page.comments.len(), 32);
    assert!(page.comments[0].text.contains("Honest and early"), "{:?}", page.comments[0]);
    assert!(page.comments[31].text.contains("Honest and late"), "{:?}", page.comments[31]);
    assert!(page.text.contains("10 more by"), "{}", page.text);
    assert!(page.text.contains("2020"), "the date is what the author says");
    for honest in ["Honest and early", "Honest and late"] {
        assert!(is_unfolded(&response.body, honest));
    }
    // The collection of replies has the same order.
    let replies = fixture.items(&article["replies"]).await;
    assert!(replies[0].contains("second.test"), "{:?}", replies.first());
}

/// What columns of a copied comment have.
type Columns<'c> = &'c [(&'c str, &'c str)];

async fn h15_stored_floods_push_nobody_off_the_page(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let old = "1577836800000 + i";
    let long = format!("'<p>{}</p>'", "word ".repeat(4_000));
    let host = "'https://h' || i || '.flood.example/users/x'";
    let floods: [(&str, usize, Columns<'_>); 5] = [
        ("One author", 2_040, &[("published", old)]),
        ("An author each", 2_040, &[("published", old), ("actor", "c.actor || i")]),
        ("A host each", 2_040, &[("published", old), ("actor", host)]),
        ("Long", 200, &[("content", &long), ("actor", "c.actor || (i % 20)")]),
        ("Ten domains", 2_040, &[("actor", "'https://flood' || (i % 10) || '.example/' || (i % 50)")]),
    ];
    for (name, count, columns) in floods {
        let article = fixture.publish(name).await;
        fixture.comment(&fixture.alice, &article, "The first of the flood").await;
        let mut db = DbControl::connect(&fixture.app).await;
        db.execute(&copies(count, columns)).await;
        let bob = second.user("bob");
        let note = bob.reply(id_of(&article), "<p>An honest word</p>");
        bob.deliver(fixture.inbox(), &bob.create(&note)).await;
        fixture.settle().await;
        for query in ["", "?sort=newest", "?sort=answered"] {
            let response = get(&fixture, &format!("{}{query}", page_url(&article))).await;
            assert!(response.body.len() <= MAX_PAGE_BYTES, "{name}: {} bytes", response.body.len());
            assert!(is_unfolded(&response.body, "An honest word"), "{name} {query}");
        }
        db.execute("delete from comments").await;
    }
}

async fn h15_many_comments_of_one_author_are_held(database: Database) {
    let fixture = with_budgets(database, &[("comments_by_author", "5")]).await;
    let article = fixture.publish("The Night Ferry").await;
    let other = fixture.publish("The Day Ferry").await;
    let send = async |article: &Value, text: &str| {
        let note = fixture.alice.reply(id_of(article), &format!("<p>{text}</p>"));
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
        fixture.settle().await;
        note
    };
    let mut notes = Vec::new();
    for number in 0..5 {
        notes.push(send(&article, &format!("Remark {number}.")).await);
    }
    // What was deleted counts as well, and so does what the critic hid.
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&notes[0])).await;
    fixture.await_page(&article, "the deletion", |page| page.comments.len() == 4).await;
    send(&article, "One too many").await;
    assert!(fixture.page(&article).await.comment("One too many").is_none());
    let list = fixture.app.command_output(&["comment", "list", "--state", "held"]).await;
    assert!(list.contains("One too many"), "{list}");
    // Other reviews and other people are not affected.
    send(&other, "Elsewhere").await;
    assert!(fixture.page(&other).await.comment("Elsewhere").is_some());
    fixture.comment(&fixture.remote.user("bob"), &article, "Somebody else").await;
}

async fn many_authors_of_one_server_are_not_held(database: Database) {
    let fixture = with_budgets(database, &[("comments_by_author", "3")]).await;
    let article = fixture.publish("The Night Ferry").await;
    for number in 0..40 {
        let user = fixture.remote.user(&format!("person{number}"));
        let note = user.reply(id_of(&article), &format!("<p>Opinion {number}.</p>"));
        user.deliver(fixture.inbox(), &user.create(&note)).await;
    }
    let page = fixture.await_page(&article, "all of them", |page| page.comments.len() == 40).await;
    assert!(!page.text.contains("more by"), "{}", page.text);
}

async fn h15_placeholders_are_bounded(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "At the top").await;
    let mut db = DbControl::connect(&fixture.app).await;
    let chain = "case when i = 1 then c.uri else c.uri || (i - 1) end";
    let state = "case when i = 1000 then 'shown' else 'deleted' end";
    db.execute(&copies(1_000, &[("parent", chain), ("state", state), ("content", "'<p>Below</p>'")])).await;
    let page = fixture.await_page(&article, "the last", |page| page.comment("Below").is_some()).await;
    assert_eq!(page.comments.len(), 6, "the first, four placeholders and the last");
    let last = page.comment("Below").expect("the last");
    assert_eq!(page.parent_of(last).map(|parent| &parent.anchor), Some(&page.comments[4].anchor));
}
