//! Which entries of a feed are reviews: public posts by the critic, and nothing else.

use crate::both_databases;
use crate::support::db_control::DbControl;
use crate::support::feed::{Item, NAME as FEED, PATH, atom, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    a_backup_of_blogger_has_posts_and_much_that_is_none,
    an_export_of_wordpress_has_posts_and_much_that_is_none,
    a_live_feed_of_blogger_is_an_ordinary_feed,
    drafts_and_comments_in_a_feed_are_no_reviews,
    items_of_json_that_say_they_are_not_public_are_no_reviews,
    a_paid_post_is_left_out_unless_its_teaser_is_wanted,
    a_teaser_is_the_same_when_it_is_read_again,
    posts_behind_a_password_are_left_out,
    a_story_for_members_of_medium_is_left_out,
    a_feed_of_several_authors_waits_until_one_is_chosen,
    another_single_author_is_not_the_critic,
    authors_without_names_are_told_apart_by_their_addresses,
    labels_choose_entries,
);

async fn fixture(database: Database, document: Document, more: &str) -> Fixture {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve_feed(&[]);
        settings.feed(FEED, &remote.url(PATH), more)
    })
    .await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.serve(PATH, document);
    fixture.poll().await;
    fixture.settle().await;
    fixture
}

fn xml(text: impl Into<Vec<u8>>) -> Document {
    Document::new("application/xml; charset=utf-8", text)
}

async fn titles(fixture: &Fixture) -> Vec<String> {
    let mut titles: Vec<String> = fixture
        .articles()
        .await
        .iter()
        .map(|article| article["name"].as_str().expect("a name").to_owned())
        .collect();
    titles.sort();
    titles
}

fn sent(fixture: &Fixture) -> usize {
    fixture.remote.distinct_activities("Create").len()
}

/// The lines of the log that say why something was left out.
async fn skipped(fixture: &Fixture) -> Vec<String> {
    let log = fixture.app.feed_log().await;
    log.into_iter().filter(|line| line.contains(" skipped ")).collect()
}

fn blogger_entry(kind: &str, number: u8, title: &str, more: &str) -> String {
    let now = crate::support::now();
    format!(
        "<entry><id>tag:blogger.com,1999:blog-7.{kind}-{number}</id><published>{now}</published><updated>{now}</updated>\
         <category scheme='http://schemas.google.com/g/2005#kind' \
         term='http://schemas.google.com/blogger/2008/kind#{kind}'/><title type='text'>{title}</title>\
         <content type='html'>&lt;p&gt;{title}: a postman rows to an island.&lt;/p&gt;</content>\
         <author><name>Odette</name></author>{more}</entry>"
    )
}

async fn a_backup_of_blogger_has_posts_and_much_that_is_none(database: Database) {
    let link = "<link rel='alternate' type='text/html' href='https://blog.example/2008/03/letter.html'/>";
    let draft = "<app:control xmlns:app='http://purl.org/atom/app#'><app:draft>yes</app:draft></app:control>";
    let reply = "<thr:in-reply-to href='https://blog.example/2008/03/letter.html' ref='x' type='text/html'/>";
    let entries = [
        blogger_entry("template", 1, "Template", ""),
        blogger_entry("settings", 2, "Name of the blog", ""),
        blogger_entry("settings", 3, "Who may comment", ""),
        blogger_entry("post", 4, "Letter to nobody", link),
        blogger_entry("post", 5, "What my editor is like", draft),
        blogger_entry("comment", 6, "Lovely", reply),
        blogger_entry("page", 7, "About me", link),
    ];
    let backup = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:thr='http://purl.org/syndication/thread/1.0'>\
         <id>tag:blogger.com,1999:blog-7.archive</id><title>Blog</title>{}</feed>",
        entries.concat()
    );
    let fixture = fixture(database, xml(backup), "").await;
    assert_eq!(titles(&fixture).await, ["Letter to nobody"]);
    assert_eq!(sent(&fixture), 0, "what comes from a backup goes to nobody, however new it is");
    let lines = skipped(&fixture).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("1 draft, 1 comment, 1 page, 3 templates or settings"), "{lines:?}");

    // Google Takeout has another form, and the author has a type of its own.
    let entry = |kind: &str, status: &str, title: &str, more: &str| {
        let now = crate::support::now();
        format!(
            "<entry><id>tag:blogger.com,1999:blog-8.post-{title}</id><blogger:type>{kind}</blogger:type>\
             <blogger:status>{status}</blogger:status><author><name>Odette</name><blogger:type>BLOGGER</blogger:type>\
             </author><title>{title}</title><content type='html'>A postman named {title} rows.</content>\
             <published>{now}</published><blogger:filename>/2020/01/x.html</blogger:filename>{more}</entry>"
        )
    };
    let entries = [
        entry("POST", "LIVE", "Ferry", "<blogger:trashed/>"),
        entry("POST", "DRAFT", "Oar", ""),
        entry("POST", "HIDDEN", "Quay", ""),
        entry("POST", "LIVE", "Sunk", "<blogger:trashed>2020-02-02T00:00:00Z</blogger:trashed>"),
        entry("COMMENT", "LIVE", "Nice", ""),
    ];
    let takeout = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:blogger='http://schemas.google.com/blogger/2018'>\
         <title>Blog</title>{}</feed>",
        entries.concat()
    );
    fixture.remote.serve(PATH, xml(takeout));
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(titles(&fixture).await, ["Ferry", "Letter to nobody"]);
    assert_eq!(sent(&fixture), 0);
}

async fn an_export_of_wordpress_has_posts_and_much_that_is_none(database: Database) {
    let item = |number: u8, title: &str, kind: &str, status: &str, password: &str| {
        let date = crate::support::signature::http_date(crate::support::now());
        format!(
            "<item><title>{title}</title><link>https://crit.example/?p={number}</link><pubDate>{date}</pubDate>\
             <dc:creator><![CDATA[odette]]></dc:creator><guid isPermaLink=\"false\">https://crit.example/?p={number}</guid>\
             <content:encoded><![CDATA[<p>{title}: the ferry leaves without her.</p>]]></content:encoded>\
             <e:post_type><![CDATA[{kind}]]></e:post_type><e:status><![CDATA[{status}]]></e:status>\
             <e:post_password><![CDATA[{password}]]></e:post_password></item>"
        )
    };
    let items = [
        item(1, "Ferry", "post", "publish", ""),
        item(2, "Unfinished", "post", "draft", ""),
        item(3, "Tomorrow", "post", "future", ""),
        item(4, "Diary", "post", "private", ""),
        item(5, "For friends", "post", "publish", "sesame"),
        item(6, "Bin", "post", "trash", ""),
        item(7, "Imprint", "page", "publish", ""),
        item(8, "poster.jpg", "attachment", "inherit", ""),
        item(9, "Home", "nav_menu_item", "publish", ""),
        item(10, "Odd", "post", "syndicated", ""),
        // What says nothing about itself is not public.
        "<item><title>Silent</title><link>https://crit.example/?p=11</link><description>Not yet.</description></item>"
            .to_owned(),
    ];
    // The prefix is another than the usual one.
    let export = format!(
        "<rss version=\"2.0\" xmlns:e=\"http://wordpress.org/export/1.2/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Blog</title>\
         <e:wxr_version>1.2</e:wxr_version>{}</channel></rss>",
        items.concat()
    );
    let fixture = fixture(database, xml(export), "").await;
    assert_eq!(titles(&fixture).await, ["Ferry"]);
    assert_eq!(sent(&fixture), 0);
    let lines = skipped(&fixture).await;
    let counts = "1 draft, 1 scheduled post, 1 private post, 1 post with a password, 1 deleted post, \
                  2 entries of unknown status, 1 page, 1 attachment, 1 entry of another kind";
    assert!(lines.len() == 1 && lines[0].contains(counts), "{lines:?}");
}

async fn a_live_feed_of_blogger_is_an_ordinary_feed(database: Database) {
    let live = atom(&[Item::review("Ferry")]).replacen(
        "<feed ",
        "<feed xmlns:blogger='http://schemas.google.com/blogger/2008' xmlns:thr='http://purl.org/syndication/thread/1.0' ",
        1,
    );
    let live = live.replacen(
        "</entry>",
        "<category scheme='http://www.blogger.com/atom/ns#' term='Drama'/><thr:total>3</thr:total></entry>",
        1,
    );
    let fixture = fixture(database, xml(live), "").await;
    assert_eq!(sent(&fixture), 1);
    assert_eq!(skipped(&fixture).await, Vec::<String>::new());
}

async fn drafts_and_comments_in_a_feed_are_no_reviews(database: Database) {
    let comments = |items: &[Item]| rss(items).replace("</link><guid", "#comment-12</link><guid");
    let fixture = fixture(database, xml(comments(&[Item::review("Ferry"), Item::review("Oar")])), "").await;
    assert_eq!(titles(&fixture).await, Vec::<String>::new());
    assert!(skipped(&fixture).await[0].contains("2 comments"));
    let draft = "<app:control xmlns:app='http://www.w3.org/2007/app'><app:draft>yes</app:draft></app:control></entry>";
    let drafts = atom(&[Item::review("Quay"), Item::review("Ferry")]).replacen("</entry>", draft, 1);
    fixture.remote.serve(PATH, xml(drafts));
    fixture.poll().await;
    fixture.settle().await;
    // The namespace may be that of the element, without a prefix.
    let draft = "<control xmlns='http://www.w3.org/2007/app'><draft>yes</draft></control></entry>";
    fixture.remote.serve(PATH, xml(atom(&[Item::review("Pier")]).replacen("</entry>", draft, 1)));
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(titles(&fixture).await.len(), 1);
    assert_eq!(sent(&fixture), 1);
}

async fn items_of_json_that_say_they_are_not_public_are_no_reviews(database: Database) {
    let now = crate::support::now().to_string();
    let item = |title: &str, more: serde_json::Value| {
        let mut item = serde_json::json!({
            "id": title, "url": format!("https://crit.example/{title}"), "title": title, "date_published": now,
            "content_html": format!("<p>{title}: the ferry leaves without her.</p>"),
        });
        item.as_object_mut().expect("an item").extend(more.as_object().expect("members").clone());
        item
    };
    let items = [
        item(
            "Ferry",
            serde_json::json!({"published": true, "_meta": {"draft": false, "status": "published"}}),
        ),
        item("Oar", serde_json::json!({"private": true})),
        item("Quay", serde_json::json!({"published": false})),
        item("Rope", serde_json::json!({"_meta": {"draft": true}})),
        item("Sail", serde_json::json!({"_microblog": {"post_status": "draft"}})),
        item("Tide", serde_json::json!({"_blog": {"status": "embargoed"}})),
    ];
    let feed =
        serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": "Row", "items": items});
    let document = Document::new("application/feed+json", feed.to_string());
    let fixture = fixture(database, document, "").await;
    assert_eq!(titles(&fixture).await, ["Ferry"]);
    assert_eq!(sent(&fixture), 1);
    let lines = skipped(&fixture).await;
    let counts = "3 drafts, 1 private post, 1 entry of unknown status";
    assert!(lines.len() == 1 && lines[0].contains(counts), "{lines:?}");
}

async fn a_paid_post_is_left_out_unless_its_teaser_is_wanted(database: Database) {
    let mut paid = Item::review("Ferry");
    paid.html.extend(["<p><a href=\"", &paid.link, "\">Read more</a></p>"]);
    let feed = rss(&[paid, Item::review("Oar")]).replacen(
        "<description>",
        "<generator>Substack</generator><description>",
        1,
    );
    let mut fixture = fixture(database, xml(feed), "").await;
    assert_eq!(titles(&fixture).await.len(), 1);
    let lines = skipped(&fixture).await;
    assert!(lines.len() == 1 && lines[0].contains("paid = \"teaser\""), "{lines:?}");
    fixture.app.redeclare_feeds(|feeds| "paid = \"teaser\"".clone_into(&mut feeds[0].more));
    fixture.app.restart().await;
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), 2);
    let teaser = fixture.await_article(|article| article["name"].to_string().contains("Ferry")).await;
    let content = teaser["content"].to_string();
    assert!(content.contains("The rest of this review is for paying readers."), "{content}");
    assert!(!content.contains("Read more"), "{content}");
}

async fn a_teaser_is_the_same_when_it_is_read_again(database: Database) {
    let feed = |text: &str| {
        let mut paid = Item::review("Ferry");
        paid.html.extend([text, "<p><a href=\"", &paid.link, "\">Read more</a></p>"]);
        let generator = "<generator>Substack</generator><description>";
        xml(rss(&[paid]).replacen("<description>", generator, 1))
    };
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve_feed(&[]);
        settings.feed(FEED, &remote.url(PATH), "paid = \"teaser\"")
    })
    .await;
    fixture.follow(&fixture.alice).await;
    let updates = || {
        let updates = fixture.remote.distinct_activities("Update");
        updates.iter().filter(|update| update["object"]["type"] == "Article").count()
    };
    let poll = async |document: Document| {
        fixture.remote.serve(PATH, document);
        fixture.poll().await;
        fixture.settle().await;
    };
    poll(feed("")).await;
    let article = fixture.await_article(|article| article["name"].to_string().contains("Ferry")).await;
    // Another version of Marquee reads it.
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update feed_entries set content_hash = 'of another version'").await;
    db.execute("update feeds set parser_version = 'another'").await;
    poll(feed("")).await;
    assert_eq!((sent(&fixture), updates()), (1, 0));
    // A change that was kept back has the note, too.
    db.execute("update reviews set corrected_fields = '[\"body\"]'").await;
    poll(feed("<p>And one more thought about the quay.</p>")).await;
    assert_eq!(updates(), 0);
    let slug = article["url"].as_str().and_then(|page| page.rsplit('/').next()).expect("a slug");
    fixture.app.command_output(&["feed", "accept", slug]).await;
    for _ in 0..2 {
        poll(feed("<p>And one more thought about the quay.</p>")).await;
        assert_eq!(updates(), 1);
    }
    let content = fixture.article(&article).await["content"].to_string();
    assert!(
        content.contains("thought about the quay") && content.contains("for paying readers"),
        "{content}"
    );
    assert!(!content.contains("Read more"), "{content}");
}

/// A feed whose items have these authors.
fn by(items: &[(Item, &str)]) -> String {
    let mut feed = rss(&items.iter().map(|(item, _)| item.clone()).collect::<Vec<_>>());
    for (item, author) in items {
        let guid = format!("{}</guid>", item.id);
        feed = feed.replacen(&guid, &format!("{guid}<dc:creator>{author}</dc:creator>"), 1);
    }
    feed
}

async fn a_feed_of_several_authors_waits_until_one_is_chosen(database: Database) {
    let mut ferry = Item::review("Ferry");
    let alone = by(&[(ferry.clone(), "Odette Larkin")]);
    let mut fixture = fixture(database, xml(alone), "").await;
    assert_eq!(sent(&fixture), 1);
    // A guest comes. What is known goes on; what is new waits.
    ferry.html.push_str("<p>And one more thought about the quay.</p>");
    let undated = |film| Item { published: None, ..Item::review(film) };
    let items = [
        (Item::review("Oar"), "Odette Larkin"),
        (Item::review("Guest"), "Ben Okoro"),
        (Item::review("Both"), "Ben Okoro and Odette Larkin"),
        (ferry, "Odette Larkin"),
        (undated("Old"), "odette larkin"),
    ];
    fixture.remote.serve(PATH, xml(by(&items)));
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!((sent(&fixture), titles(&fixture).await.len()), (1, 1));
    assert_eq!(fixture.remote.distinct_activities("Update").len(), 1);
    let lines = skipped(&fixture).await;
    assert!(
        lines.len() == 1 && lines[0].contains("(Odette Larkin: 4, Ben Okoro: 2; before: odette larkin)"),
        "{lines:?}"
    );

    fixture.app.redeclare_feeds(|feeds| "authors = [\"ODETTE LARKIN\"]".clone_into(&mut feeds[0].more));
    fixture.app.restart().await;
    fixture.poll().await;
    fixture.settle().await;
    let titles = titles(&fixture).await;
    assert!(!titles.iter().any(|title| title.contains("Guest")), "{titles:?}");
    assert_eq!((sent(&fixture), titles.len()), (3, 4), "{titles:?}");
    let lines = skipped(&fixture).await;
    assert!(
        lines.iter().any(|line| line.contains("not by the authors of this feed: Ben Okoro: 1")),
        "{lines:?}"
    );
}

async fn another_single_author_is_not_the_critic(database: Database) {
    let own =
        |films: &[&str]| films.iter().map(|film| (Item::review(film), "Odette Larkin")).collect::<Vec<_>>();
    let mut fixture = fixture(database, xml(by(&own(&["Alpha"]))), "").await;
    assert_eq!(sent(&fixture), 1);
    let serve = async |fixture: &Fixture, items: &[(Item, &str)]| {
        fixture.remote.serve(PATH, xml(by(items)));
        fixture.poll().await;
        fixture.settle().await;
    };
    // A guest writes all that the feed has, alone and then with another one.
    for guest in ["Ben Okoro", "Ben Okoro and Cleo Marsh"] {
        serve(&fixture, &[(Item::review("Oar"), guest), (Item::review("Quay"), guest)]).await;
        assert_eq!((sent(&fixture), titles(&fixture).await.len()), (1, 1), "{guest}");
    }
    let lines = skipped(&fixture).await;
    let line = "several authors (Ben Okoro: 2; before: odette larkin)";
    assert!(lines.iter().any(|found| found.contains(line)), "{lines:?}");
    // The critic is back, once with the guest.
    serve(&fixture, &own(&["Beta", "Alpha"])).await;
    serve(&fixture, &[(Item::review("Gamma"), "Odette Larkin & Ben Okoro")]).await;
    assert_eq!(sent(&fixture), 3);
    serve(
        &fixture,
        &[(Item::review("Oar"), "Ben Okoro"), (Item::review("Gamma"), "Odette Larkin & Ben Okoro")],
    )
    .await;
    assert_eq!(sent(&fixture), 3, "an entry of both does not make the guest the critic");
    // The critic takes another name, which entries that are known have, too.
    let renamed = [(Item::review("Delta"), "O. Larkin"), (Item::review("Beta"), "O. Larkin")];
    serve(&fixture, &renamed).await;
    assert_eq!(sent(&fixture), 4);
    // Another feed has other authors.
    fixture.remote.serve("/other.xml", xml(by(&[(Item::review("Zeta"), "Cleo Marsh")])));
    let url = fixture.remote.url("/other.xml");
    fixture.app.redeclare_feeds(|feeds| feeds[0].url = url);
    fixture.app.restart().await;
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), 5);
}

async fn posts_behind_a_password_are_left_out(database: Database) {
    let with = |film: &str, title: &str, html: &str| Item {
        title: title.to_owned(),
        html: html.to_owned(),
        ..Item::review(film)
    };
    let form = "<form action=\"https://remote.test/wp-login.php?action=postpass\" class=\"post-password-form\" method=\"post\">\
        <p>To see it, give its password.</p><input name=\"post_password\" type=\"password\"></form>";
    let typecho = "<form class=\"protected\" action=\"/quay\" method=\"post\"><p class=\"word\">密码</p>\
        <p><input type=\"password\" class=\"text\" name=\"protectPassword\"></p></form>";
    let items = [
        Item::review("Ferry"),
        with("Oar", "Protected: Oar", form),
        with("Quay", "Quay", typecho),
        with(
            "Salt",
            "Geschützt: Salz",
            "<p>Es gibt keine Kurzfassung, da dies ein geschützter Beitrag ist.</p>",
        ),
        with("Rope", "Rope", "There is no excerpt because this is a protected post."),
    ];
    let fixture = fixture(database, xml(rss(&items)), "").await;
    let titles = titles(&fixture).await;
    assert!(titles.len() == 1 && titles[0].contains("Ferry"), "{titles:?}");
    assert_eq!(sent(&fixture), 1);
    let lines = skipped(&fixture).await;
    assert!(lines.len() == 1 && lines[0].contains("4 posts with a password"), "{lines:?}");
}

async fn a_story_for_members_of_medium_is_left_out(database: Database) {
    let date = crate::support::signature::http_date(crate::support::now());
    let item = |id: &str, link: &str, text: &str| {
        format!(
            "<item><title>The {id} leaves</title><link>https://medium.com/p/{id}</link><guid>https://medium.com/p/{id}</guid>\
             <pubDate>{date}</pubDate><description><![CDATA[<div class=\"medium-feed-item\"><p class=\"medium-feed-snippet\">\
             The {id} leaves without her\u{2026}</p>{link}</div>]]></description>{text}</item>"
        )
    };
    let more = "<p class=\"medium-feed-link\"><a href=\"https://medium.com/p/ferry\">Continue reading on Medium »</a></p>";
    let text = "<c:encoded xmlns:c=\"http://purl.org/rss/1.0/modules/content/\">\
        <![CDATA[<p>The boat leaves without her, and it sinks.</p>]]></c:encoded>";
    let feed = format!(
        "<rss version=\"2.0\"><channel><title>Third Row</title><generator>Medium</generator>{}{}</channel></rss>",
        item("ferry", more, ""),
        item("boat", "", text)
    );
    let fixture = fixture(database, xml(feed), "").await;
    assert_eq!(titles(&fixture).await, ["The boat leaves"]);
    let lines = skipped(&fixture).await;
    assert!(lines.len() == 1 && lines[0].contains("only its beginning is public"), "{lines:?}");
}

async fn authors_without_names_are_told_apart_by_their_addresses(database: Database) {
    let items = [
        (Item::review("Oar"), "odette@crit.example"),
        (Item::review("Quay"), "odette@crit.example"),
        (Item::review("Guest"), "guest@crit.example"),
    ];
    let feed = by(&items).replace("dc:creator", "author");
    let mut fixture = fixture(database, xml(feed), "").await;
    assert_eq!((sent(&fixture), titles(&fixture).await.len()), (0, 0));
    let lines = skipped(&fixture).await;
    assert!(
        lines.len() == 1 && lines[0].contains("(odette@crit.example: 2, guest@crit.example: 1)"),
        "{lines:?}"
    );
    fixture.app.redeclare_feeds(|feeds| "authors = [\"Odette@crit.example\"]".clone_into(&mut feeds[0].more));
    fixture.app.restart().await;
    fixture.poll().await;
    fixture.settle().await;
    let titles = titles(&fixture).await;
    assert!(titles.len() == 2 && !titles.iter().any(|title| title.contains("Guest")), "{titles:?}");
}

async fn labels_choose_entries(database: Database) {
    let items = ["Ferry", "Oar", "Quay", "Salt"].map(Item::review);
    let mut feed = rss(&items);
    for (item, labels) in items.iter().zip([&["Reviews"][..], &["reviews", "Sponsored"], &["News"], &[]]) {
        let guid = format!("{}</guid>", item.id);
        let labels: Vec<String> =
            labels.iter().map(|label| format!("<category>{label}</category>")).collect();
        let labels = labels.concat();
        feed = feed.replacen(&guid, &format!("{guid}{labels}"), 1);
    }
    let fixture = fixture(database, xml(feed), "only = [\"REVIEWS\"]\nexcept = [\"sponsored\"]").await;
    let titles = titles(&fixture).await;
    assert!(titles.len() == 1 && titles[0].contains("Ferry"), "{titles:?}");
    assert_eq!(sent(&fixture), 1);
    // The log says so once, and a check says it, too.
    let line =
        "3 entries (1 with a label of except, 2 without a label of only); the first is “Movie Review: 'Oar'";
    fixture.poll().await;
    let lines = skipped(&fixture).await;
    assert!(lines.len() == 1 && lines[0].contains(line), "{lines:?}");
    let checked = fixture.app.command_output(&["feed", "check", FEED, "--json"]).await;
    assert!(checked.contains(line), "{checked}");
}
