//! Feeds whose own entries name no author, and entries in them that name somebody.

use crate::both_databases;
use crate::feed_pages::{NO_PAUSE, assert_sent, lines, reviews};
use crate::support::feed::{Item, NAME as FEED, PATH, atom, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    a_guest_among_entries_without_an_author_is_left_out,
    a_guest_who_comes_later_is_left_out,
    a_guest_with_a_page_of_their_own_is_left_out,
    a_source_names_the_author_of_an_entry_of_atom,
    the_critic_may_be_named_at_any_time,
    a_feed_may_begin_to_name_its_author,
    a_post_that_is_given_to_a_guest_makes_the_guest_nobody_else,
);

/// Alpha, Beta …, of which those with a name have that author.
fn by(entries: &[(&str, &str)]) -> Document {
    let items: Vec<Item> = entries.iter().map(|(film, _)| Item::review(film)).collect();
    let mut feed = rss(&items);
    for (item, (_, author)) in items.iter().zip(entries).filter(|(_, (_, author))| !author.is_empty()) {
        let guid = format!("{}</guid>", item.id);
        feed = feed.replacen(&guid, &format!("{guid}<dc:creator>{author}</dc:creator>"), 1);
    }
    Document::new("application/rss+xml", feed)
}

async fn fixture(database: Database, document: Document) -> Fixture {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve_feed(&[]);
        settings.feed(FEED, &remote.url(PATH), &format!("max_publish_per_poll = 50\n{NO_PAUSE}"))
    })
    .await;
    fixture.follow(&fixture.alice).await;
    poll(&fixture, document).await;
    fixture
}

async fn poll(fixture: &Fixture, document: Document) {
    fixture.remote.serve(PATH, document);
    fixture.poll().await;
}

async fn a_guest_among_entries_without_an_author_is_left_out(database: Database) {
    let entries = [("Gamma", "Bob Guest"), ("Beta", ""), ("Alpha", "")];
    let mut fixture = fixture(database, by(&entries)).await;
    assert_sent(&fixture, 2).await;
    let advice =
        "Bob Guest: 1; if these are yours, too, set authors = [\"unknown\", \"Bob Guest\"] in the config";
    assert_eq!(lines(&fixture, FEED, advice).await.len(), 1);
    // A second guest changes nothing for the critic, and a poll without a change says nothing again.
    let more = [("Epsilon", "Cleo Marsh"), ("Delta", ""), entries[0], entries[1], entries[2]];
    for _ in 0..2 {
        poll(&fixture, by(&more)).await;
        assert_sent(&fixture, 3).await;
    }
    assert_eq!(lines(&fixture, FEED, "Bob Guest: 1, Cleo Marsh: 1").await.len(), 1);
    // The critic says that Bob Guest is a pen name.
    fixture.app.redeclare_feeds(|feeds| {
        let more = "max_publish_per_poll = 50\nauthors = [\"unknown\", \"Bob Guest\"]";
        more.clone_into(&mut feeds[0].more);
    });
    fixture.app.restart().await;
    poll(&fixture, by(&more)).await;
    assert_sent(&fixture, 4).await;
    assert_eq!(reviews(&fixture).await, 4);
}

async fn a_guest_who_comes_later_is_left_out(database: Database) {
    let fixture = fixture(database, by(&[("Beta", ""), ("Alpha", "")])).await;
    poll(&fixture, by(&[("Gamma", "Bob Guest"), ("Beta", ""), ("Alpha", "")])).await;
    assert_sent(&fixture, 2).await;
    // The old entries leave the feed.
    poll(&fixture, by(&[("Gamma", "Bob Guest")])).await;
    poll(&fixture, by(&[("Delta", "Cleo Marsh"), ("Gamma", "Bob Guest")])).await;
    poll(&fixture, by(&[("Epsilon", ""), ("Delta", "Cleo Marsh")])).await;
    assert_sent(&fixture, 3).await;
    assert_eq!(reviews(&fixture).await, 3);
    // A post of the critic is given to a guest: the review stays, and the guest is no author of the feed.
    poll(&fixture, by(&[("Zeta", "Bob Guest"), ("Epsilon", "Bob Guest"), ("Eta", "")])).await;
    poll(&fixture, by(&[("Theta", "Bob Guest"), ("Epsilon", "Bob Guest"), ("Eta", "")])).await;
    assert_sent(&fixture, 4).await;
    assert_eq!(reviews(&fixture).await, 4);
}

async fn a_guest_with_a_page_of_their_own_is_left_out(database: Database) {
    let with_next = |document: Document, next: &str| {
        let link = format!(
            "<channel><a:link xmlns:a=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"{next}\"/>"
        );
        let text = String::from_utf8(document.body).expect("text").replacen("<channel>", &link, 1);
        Document::new("application/rss+xml", text)
    };
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, with_next(by(&[("Beta", ""), ("Alpha", "")]), "/2"));
        remote.serve("/2", with_next(by(&[("Gamma", "Bob Guest"), ("Delta", "Bob Guest")]), "/3"));
        remote.serve("/3", by(&[("Epsilon", "Cleo Marsh"), ("Zeta", ""), ("Eta", "The Critic")]));
        settings.feed(FEED, &remote.url(PATH), &format!("max_publish_per_poll = 50\n{NO_PAUSE}"))
    })
    .await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 4, "{:?}", fixture.app.feed_log().await);
    assert_eq!(lines(&fixture, FEED, "Bob Guest: 2; if these are yours").await.len(), 1);
    assert_eq!(lines(&fixture, FEED, "pages read: 3").await.len(), 1);
}

async fn a_source_names_the_author_of_an_entry_of_atom(database: Database) {
    let feed = atom(&["Gamma", "Beta", "Alpha"].map(Item::review));
    let source =
        "<source><id>https://bob.example/</id><author><name>Bob Guest</name></author></source></entry>";
    let feed = Document::new("application/atom+xml", feed.replacen("</entry>", source, 1));
    let fixture = fixture(database, feed).await;
    assert_sent(&fixture, 2).await;
    assert_eq!(lines(&fixture, FEED, "Bob Guest: 1; if these are yours").await.len(), 1);
}

async fn the_critic_may_be_named_at_any_time(database: Database) {
    let fixture = fixture(database, by(&[("Beta", "critic"), ("Alpha", "")])).await;
    assert_sent(&fixture, 2).await;
    poll(&fixture, by(&[("Gamma", "@Critic"), ("Beta", "critic"), ("Alpha", "")])).await;
    poll(&fixture, by(&[("Delta", "The  CRITIC"), ("Alpha", "")])).await;
    assert_sent(&fixture, 4).await;
    assert_eq!(lines(&fixture, FEED, "left out").await.len(), 0);
}

async fn a_feed_may_begin_to_name_its_author(database: Database) {
    let fixture = fixture(database, by(&[("Beta", ""), ("Alpha", "")])).await;
    poll(&fixture, by(&[("Gamma", "Odette"), ("Beta", "Odette"), ("Alpha", "Odette")])).await;
    assert_sent(&fixture, 3).await;
    poll(&fixture, by(&[("Delta", "Odette"), ("Gamma", "Odette")])).await;
    assert_sent(&fixture, 4).await;
    poll(&fixture, by(&[("Epsilon", "Bob Guest"), ("Delta", "Odette")])).await;
    assert_sent(&fixture, 4).await;
}

async fn a_post_that_is_given_to_a_guest_makes_the_guest_nobody_else(database: Database) {
    let fixture = fixture(database, by(&[("Beta", "Odette Larkin"), ("Alpha", "Odette Larkin")])).await;
    poll(&fixture, by(&[("Gamma", "Bob Guest"), ("Beta", "Bob Guest")])).await;
    assert_sent(&fixture, 2).await;
    assert_eq!(lines(&fixture, FEED, "several authors (Bob Guest: 2; before: odette larkin)").await.len(), 1);
    // The critic's own name is as good as the one before.
    poll(&fixture, by(&[("Delta", "The Critic")])).await;
    assert_sent(&fixture, 3).await;
    // All posts are by the same author, whose name has changed on the server.
    let names = ["Epsilon", "Delta", "Beta", "Alpha"].map(|film| (film, "Lumière"));
    poll(&fixture, by(&names)).await;
    assert_sent(&fixture, 4).await;
}
