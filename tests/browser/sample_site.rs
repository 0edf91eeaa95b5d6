//! A site after some months: the reviews of the sample feed, some that are hard to lay out, and comments.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::activities::id_of;
use crate::support::config_file::{HOST, quoted};
use crate::support::feed::{Item, NAME as ODD};
use crate::support::page::Page;
use crate::support::remote::{Document, Remote, User, jrd};
use crate::support::settings::Settings;
use crate::support::{Database, Fixture, TestNetwork, eventually};

/// Comments on the review with the most comments.
const THREAD: usize = 200;

/// The comment that is deleted after it got replies.
const DELETED_COMMENT: usize = 15;

/// The screenshots that `screenshots.mjs` takes.
pub const SCREENSHOTS: usize = 6;

/// Reviews of the sample feed, and one that is published from the command line.
const REVIEWS: usize = 11 + 1;

/// Where readers on the scripted server are sent.
const SUBSCRIBE: &str = "http://ostatus.org/schema/1.0/subscribe";

/// The commenters.
const PEOPLE: [(&str, &str); 24] = [
    ("alice", "Alice Tamm"),
    ("benedict", "Ben in the balcony"),
    ("chiara", "Chiara Lodi"),
    ("dmitri", "Dmitri P."),
    ("esperanza", "Esperanza Quill"),
    ("fumiko", "文子 · the one who always stays for the credits, all of them, to the end"),
    ("gwen", "Gwen Abara"),
    ("henriette", "Henriette"),
    ("ismail", "إسماعيل"),
    ("joaquin", "Joaquín Sastre"),
    ("kasia", "Kasia Wrona"),
    ("lars", "Lars-Erik"),
    ("mwangi", "Mwangi K."),
    ("nneka", "Nneka Adeyemi"),
    ("odalys", "Odalys Prat"),
    ("priya", "Priya ✦"),
    ("quentin", "Q."),
    ("ruth", "Ruth Sandberg"),
    ("sigga", "Sigga Jóns"),
    ("takeshi", "takeshi"),
    ("uma", "Uma Devlin"),
    ("valentina", "Valentina Rossi"),
    ("wolf", "Wolf Hagedorn"),
    ("xiomara", "Xiomara Luz"),
];

/// The comment that arrives while someone is reading.
const LATE: &str = "I have just come home from it, and I had to tell somebody.";

/// Their avatars, from the sample feed.
const POSTERS: [&str; 8] =
    ["playtime", "wanda", "cleo", "aftersun", "tokyo-story", "perfect-days", "joker", "beau-travail"];

/// The first comments.
const SAID: [&str; 14] = [
    "The hut of branches is the whole film. Everything else is the walk to it and back.",
    "I would not go that far.",
    "My mother left in the middle and came back for the last word. We did not speak about it until the tram, and then \
     we spoke about nothing else for a week.",
    "Somebody should write about the soup.",
    "She knows from the first minute. That is what the breakfast is about.",
    "I don't think she does, and that is why the breakfast works. Watch her hands: she is only being kind to a guest.",
    "Seen with my daughter, who is eight. She was not surprised by anything and asked whether we could build one too.",
    "Could you?",
    "We could, and it stood until Tuesday.",
    "The music on the lake undid me. I had been so careful until then.",
    "What I like about your reviews is that I never know at the end of them whether I should see the film, only that I \
     shall.",
    "For me it is the corridor of the nursing home, those three goodbyes. I have said them in the wrong order all my life.",
    "Seventy-two minutes! And people say that nothing happens in it.",
    "I went again on Sunday, in the third row, as advised. One does see the bark.",
];

/// A site to look at.
pub struct Site {
    fixture: Fixture,
    other: Remote,
    /// The review with the most comments.
    article: Value,
    comments: usize,
    direction: &'static str,
}

fn demo(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo").join(file)
}

impl Site {
    /// With a thread of 200 comments.
    pub async fn full(database: Database) -> Self {
        Self::with(database, THREAD, "ltr", &hard_to_set()).await
    }

    /// A site for screenshots: without the reviews that are hard to lay out, and with many about one
    /// director.
    pub async fn for_screenshots(database: Database) -> Self {
        Self::with(database, THREAD, "ltr", &of_one_director()).await
    }

    /// With a dozen comments of each type.
    pub async fn with_comments(database: Database) -> Self {
        Self::with(database, 24, "ltr", &hard_to_set()).await
    }

    /// The same with a right-to-left language.
    pub async fn right_to_left(database: Database) -> Self {
        Self::with(database, 24, "rtl", &hard_to_set()).await
    }

    async fn with(database: Database, comments: usize, direction: &'static str, items: &[Item]) -> Self {
        let network = TestNetwork::new();
        let remote = network.remote("remote.test").await;
        let other = network.remote("a-rather-long-name-of-a-server.cinema.test").await;
        remote.serve_feed(items);
        let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
            let path = |file: &str| demo(file).display().to_string();
            let summary = "Odette Larkin has written about films since a projectionist let her stay for the \
                           second showing. She sits in the third row, where the picture is too big to see all \
                           of it.\n\nShe answers letters, corrections and quarrels.";
            settings
                .in_direction(direction)
                .set("critics", "name", &quoted("Odette Larkin"))
                .set("critics", "summary", &quoted(summary))
                .set("critics", "avatar", &quoted(&path("avatar.png")))
                .set("critics", "links", "[{ name = \"The old blog\", url = \"https://example.org/\" }]")
                .feed("demo", &path("feed.xml"), "")
                .feed(ODD, &remote.url("/feed.xml"), "")
        })
        .await;
        fixture.app.poll("demo").await;
        fixture.poll().await;
        fixture.app.command_output(&["publish", &demo("new-review.md").display().to_string()]).await;
        let is_match =
            |article: &Value| article["name"].as_str().is_some_and(|name| name.contains("Petite Maman"));
        let article = fixture.await_article(is_match).await;
        let expected = REVIEWS + items.len();
        eventually("all reviews", || async { (fixture.articles().await.len() == expected).then_some(()) })
            .await;
        let site = Self { fixture, other, article, comments, direction };
        site.add_comments(comments).await;
        site.serve_remote_interaction();
        site
    }

    /// What the scripts need to know about the site, as JSON.
    pub fn script_input(&self) -> Value {
        let page = |article: &Value| article["url"].as_str().expect("a page").to_owned();
        let resolve = self.fixture.network.names.all();
        let resolve: serde_json::Map<_, _> =
            resolve.into_iter().map(|(name, address)| (name, json!(address.port()))).collect();
        json!({
            "origin": format!("https://{HOST}"),
            "authority": self.fixture.network.ca.pem(),
            "resolve": resolve,
            "folder": self.fixture.app.folder().path(),
            "thread": page(&self.article),
            "comments": self.comments,
            "late": LATE,
            "direction": self.direction,
            "article": id_of(&self.article),
            "handle": self.fixture.alice.handle(),
            "critic": format!("critic@{HOST}"),
        })
    }

    /// The commenters; every third has an avatar, every fourth is on a server with a long name.
    fn people(&self) -> Vec<User> {
        let mut people = Vec::new();
        for (number, (name, display_name)) in PEOPLE.iter().enumerate() {
            let server = if number % 4 == 3 { &self.other } else { &self.fixture.remote };
            let user = server.user(name);
            let mut actor = user.actor();
            actor["name"] = json!(display_name);
            if number % 3 == 0 {
                let path = format!("/faces/{name}.png");
                let poster = POSTERS[number / 3 % POSTERS.len()];
                let bytes = std::fs::read(demo(&format!("posters/{poster}.png"))).expect("an image");
                server.serve(&path, Document::new("image/png", bytes));
                actor["icon"] = json!({"type": "Image", "mediaType": "image/png", "url": server.url(&path)});
            }
            user.serve_actor(&actor);
            people.push(user);
        }
        people
    }

    async fn add_comments(&self, comments: usize) {
        let people = self.people();
        let inbox = self.fixture.inbox();
        let mut notes: Vec<Value> = Vec::new();
        for number in 0..comments {
            let user = &people[number * 7 % people.len()];
            // A third are at the top level; one branch is deeper than the page shows.
            let parent = match number {
                40..=52 => &notes[number - 1],
                _ if number % 3 == 0 => &self.article,
                1..=16 => &notes[number - 1],
                _ => &notes[DELETED_COMMENT - 1 + number * 13 % 53 % (number + 1 - DELETED_COMMENT)],
            };
            let mut note = user.reply(id_of(parent), &comment_html(number));
            if number % 17 == 4 {
                note["sensitive"] = json!(true);
                note["summary"] = json!("Speaks of the ending");
                user.publish(&note);
            }
            if number % 29 == 6 {
                note["contentMap"] = json!({"ar": note["content"]});
                user.publish(&note);
            }
            user.deliver(inbox, &user.create(&note)).await;
            if number % 19 == 3 {
                let edited = format!("{}<p>Said better the second time.</p>", comment_html(number));
                user.deliver(inbox, &user.edit(&note, &edited, 60)).await;
            }
            notes.push(note);
        }
        for (number, user) in people.iter().enumerate() {
            user.deliver(inbox, &user.like(id_of(&self.article))).await;
            if number % 3 == 0 {
                user.deliver(inbox, &user.announce(id_of(&self.article))).await;
            }
        }
        let is_complete = |page: &Page| page.comments.len() == comments;
        self.fixture.await_page(&self.article, "the whole thread", is_complete).await;
        self.fixture.settle().await;
        let reply = "I have seen it four times, and I still do not know. Thank you for asking.";
        self.fixture.app.command_output(&["comment", "reply", id_of(&notes[0]), "--text", reply]).await;
        // Someone deletes a comment that has replies.
        let user = &people[DELETED_COMMENT * 7 % people.len()];
        user.deliver(inbox, &user.delete(&notes[DELETED_COMMENT])).await;
        let is_deleted = |page: &Page| page.text.contains("was deleted by its author");
        self.fixture.await_page(&self.article, "the placeholder", is_deleted).await;
    }

    /// Waits until `live.mjs` reports to alice's server that the page is open, then sends a comment by alice, and
    /// deletes it as soon as the script has seen it.
    pub async fn reply_to_readers(&self) {
        let fixture = &self.fixture;
        fixture.remote.await_request("/reader-is-ready").await;
        let note = fixture.comment(&fixture.alice, &self.article, LATE).await;
        fixture.remote.await_request("/comment-was-read").await;
        let delete = json!({"type": "Delete", "actor": fixture.alice.id(), "object": note["id"]});
        fixture.alice.deliver(fixture.inbox(), &delete).await;
    }

    /// Makes alice's server offer remote interaction, with a page for it.
    fn serve_remote_interaction(&self) {
        let remote = &self.fixture.remote;
        let mut webfinger = jrd(&self.fixture.alice.handle(), &self.fixture.alice.id());
        let template = remote.url("/authorize_interaction?uri={uri}");
        webfinger["links"]
            .as_array_mut()
            .expect("links")
            .push(json!({"rel": SUBSCRIBE, "template": template}));
        remote.serve_webfinger(&self.fixture.alice.name, webfinger);
        remote.serve("/favicon.ico", Document::status(204));
        for uri in [id_of(&self.article), &format!("critic@{HOST}")] {
            let uri: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
            let page = "<!doctype html><html lang=\"en\"><title>Remote</title><h1>Continue on your own server</h1></html>";
            let path = format!("/authorize_interaction?uri={uri}");
            remote.serve(&path, Document::new("text/html; charset=utf-8", page));
        }
    }
}

impl Settings<'_> {
    /// A site in English, or one in Arabic with its own messages.
    fn in_direction(self, direction: &str) -> Self {
        if direction == "ltr" {
            return self.set("site", "title", &quoted("Third Row"));
        }
        let looks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/arabic");
        self.set("site", "title", &quoted("الصف الثالث")).set("site", "language", &quoted("ar")).set(
            "looks",
            "folder",
            &quoted(&looks.display().to_string()),
        )
    }
}

/// The HTML of a comment. The first comments read like real ones, the others are hard to lay out.
fn comment_html(number: usize) -> String {
    let text = match number % 9 {
        _ if number < SAID.len() => SAID[number],
        3 => {
            "It is all there, at seventy-two minutes: <a href=\"https://remote.test/@alice/with/a/very/long/address/\
             that/has/no/place/where/it/could/be/broken?really=none\">https://remote.test/@alice/with/a/very/long/\
             address/that/has/no/place/where/it/could/be/broken?really=none</a>"
        }
        5 => "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft, as they say.",
        6 => "شاهدته مرتين هذا الأسبوع. النهاية أجمل مما أتذكر.",
        7 => "<em>Yes.</em>",
        _ => SAID[number % SAID.len()],
    };
    format!("<p>{text}</p>")
}

/// Reviews that are hard to lay out.
fn hard_to_set() -> [Item; 4] {
    let mut long = Item::old_review("Longest");
    long.title = format!(
        "Movie Review: 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft' {}",
        "Takes Its Time, and Then It Takes Yours, ".repeat(4)
    );
    let mut cells = String::new();
    for number in 0..14 {
        write!(cells, "<td>Reel {number} of the long version</td>").expect("text");
    }
    write!(
        long.html,
        "<h2>A table</h2><table><thead><tr><th>One</th></tr></thead><tbody><tr>{cells}</tr></tbody></table>\
         <pre><code>{}</code></pre><p>https://remote.test/{}</p>",
        "cut ".repeat(80),
        "unbroken".repeat(40)
    )
    .expect("text");
    let mut hebrew = Item::old_review("Hebrew");
    "ביקורת: 'הפלישה' — סרט שלא נגמר כשהאור נדלק".clone_into(&mut hebrew.title);
    "<p>שלוש נשים יושבות בחדר ומחכות. הסרט של (Ada Lindqvist) נמשך שעתיים, 1979, ואיש אינו מדבר.</p><blockquote><p>אין \
     לי מה לומר.</p></blockquote><ul><li>ראשון</li><li>שני</li></ul>"
        .clone_into(&mut hebrew.html);
    let mut rich = Item::old_review("Rich");
    rich.html += "<h2>What it says</h2><blockquote><p>We are what we leave out.</p><cite>The director</cite></blockquote>\
         <h3>In <em>three</em> parts</h3><ol><li>One</li><li>Two<ul><li>Two and a half</li></ul></li></ol>\
         <details><summary>The ending</summary><p>The ferry does not come.</p></details>\
         <p>As others said<sup><a href=\"#fn1\" id=\"ref1\">1</a></sup>, it lasts.</p>\
         <iframe width=\"560\" height=\"315\" src=\"https://www.youtube.com/embed/abcdefghijk\" title=\"Trailer\"></iframe>\
         <hr><p id=\"fn1\">They said it well. <a href=\"#ref1\">Back</a></p>";
    let mut bare = Item::old_review("Bare");
    "Untitled thoughts".clone_into(&mut bare.title);
    "<p>No film, no rating, no poster: a note between two screenings.</p>".clone_into(&mut bare.html);
    [long, hebrew, rich, bare]
}

/// Reviews of films by a director whom these tests made up.
fn of_one_director() -> Vec<Item> {
    let films = [
        ("The Night Ferry", "Nobody Waves in 'The Night Ferry'", 2021, "★★★★½", "2022-02-11"),
        ("Salt", "'Salt' and the Patience of Kitchens", 2018, "★★★★", "2019-03-04"),
        ("A Winter Address", "Movie Review: 'A Winter Address'", 2015, "★★★½", "2016-01-20"),
        ("Harbour Lights", "Two Sisters, One Radio: 'Harbour Lights'", 2012, "★★★★★", "2013-05-30"),
        ("North of Here", "'North of Here' Looks the Other Way", 2009, "★★½", "2010-09-17"),
        ("The Third Reel", "A First Film That Hides Its Third Reel", 2006, "★★★★", "2008-11-02"),
    ];
    let review = |(film, title, year, rating, day): (&str, &str, i32, &str, &str)| {
        let mut item = Item::old_review(film);
        title.clone_into(&mut item.title);
        item.published = Some(format!("{day}T10:00:00Z").parse().expect("a moment"));
        item.html = format!(
            "<p><strong>{film}</strong></p><p>Directed by: Ada Lindqvist<br>Written by: Ada Lindqvist and Ben Okoro<br>\
             Starring: Cleo Marsh, Dov Adler<br>Release Date: October 8th, {year}<br>Rating: {rating}</p>\
             <p>The first reel of {film} asks for patience, and the second one pays it back. A ferry, a radio, two \
             sisters who do not speak.</p><p>What the camera leaves out is what one takes home.</p>"
        );
        item
    };
    films.map(review).to_vec()
}
