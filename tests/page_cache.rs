//! The cache of pages and documents: a rendering is served until its content changes.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::app::App;
use crate::support::config_file::{HOST, url};
use crate::support::feed::markdown;
use crate::support::http::{AS2, HTML};
use crate::support::signature::SignatureScheme;
use crate::support::signed_request::UnsignedRequest;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    an_unchanged_page_is_not_sent_again,
    each_visible_change_invalidates_the_page,
    an_invisible_change_does_not_invalidate_the_page,
    a_body_has_the_encoding_that_the_client_prefers,
    a_head_request_gets_the_headers_of_the_page,
    an_error_has_the_media_type_of_its_url,
    a_retracted_review_is_gone_even_if_it_was_cached,
    changes_of_another_process_are_visible,
    counts_of_closed_connections_are_added_up,
    a_stale_page_is_rendered_once_for_a_hundred_readers,
    g9_documents_that_need_a_signature_are_not_cached_for_others,
);

/// A response that is not decoded.
#[derive(Debug)]
pub struct RawResponse {
    pub status: u16,
    head: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl RawResponse {
    pub fn header(&self, name: &str) -> &str {
        self.head.get(name).map_or("", String::as_str)
    }

    fn etag(&self) -> &str {
        let etag = self.header("etag");
        assert!(etag.starts_with('"') && etag.len() > 2, "a strong tag: {etag}");
        etag
    }

    /// The decoded body.
    pub fn decoded(&self) -> String {
        let mut text = String::new();
        match self.header("content-encoding") {
            "" => return String::from_utf8(self.body.clone()).expect("text"),
            "gzip" => flate2::read::GzDecoder::new(&self.body[..]).read_to_string(&mut text),
            "br" => brotli::Decompressor::new(&self.body[..], 4096).read_to_string(&mut text),
            other => panic!("unrequested encoding: {other}"),
        }
        .expect("a complete body");
        text
    }
}

/// Sends a request with exactly these headers, without decoding the response.
pub async fn send_request(app: &App, method: &str, address: &str, headers: &[(&str, &str)]) -> RawResponse {
    let path = address.strip_prefix(&url("")).unwrap_or(address);
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n");
    request.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    let mut stream = TcpStream::connect(app.backend()).await.expect("Marquee listens");
    stream.write_all(format!("{request}\r\n").as_bytes()).await.expect("the request");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("a response");
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the head");
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let (status, fields) = head.split_once("\r\n").expect("a status line");
    let fields = fields.split("\r\n").filter_map(|line| line.split_once(": "));
    RawResponse {
        status: status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status"),
        head: fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: response[end + 4..].to_vec(),
    }
}

fn page_of(article: &Value) -> &str {
    article["url"].as_str().expect("a page")
}

fn slug_of(article: &Value) -> &str {
    page_of(article).rsplit('/').next().expect("a slug")
}

/// The current `ETag`.
async fn etag(fixture: &Fixture, address: &str, accept: &str) -> String {
    let response = send_request(&fixture.app, "GET", address, &[("accept", accept)]).await;
    assert_eq!(response.status, 200, "{address}");
    response.etag().to_owned()
}

async fn an_unchanged_page_is_not_sent_again(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let home = url("/");
    let profile = url("/@critic");
    for (address, accept) in [
        (page_of(&article), HTML),
        (page_of(&article), AS2),
        (id_of(&article), AS2),
        (&*home, HTML),
        (&*profile, HTML),
    ] {
        let get = async |headers: &[(&str, &str)]| {
            let accepted = [("accept", accept)];
            send_request(&fixture.app, "GET", address, &[&accepted, headers].concat()).await
        };
        let full = get(&[]).await;
        assert_eq!((full.status, full.header("cache-control")), (200, "no-cache"), "{address}");
        assert_eq!(full.header("vary"), "Accept, Accept-Encoding");
        let tag = full.etag();
        let compressed = get(&[("accept-encoding", "gzip")]).await;
        assert_ne!(compressed.etag(), tag, "each encoding has its own tag");
        for known in
            [tag, &format!("W/{tag}"), "*", &format!("\"x\", W/\"y,z\", {tag}"), &format!("\"x\",{tag}")]
        {
            let response = get(&[("if-none-match", known)]).await;
            assert_eq!((response.status, response.body.len()), (304, 0), "{address} {known}");
            for name in ["etag", "vary", "cache-control", "content-security-policy", "link"] {
                assert_eq!(response.header(name), full.header(name), "{name}");
            }
            assert_eq!(response.header("content-type"), "", "a 304 has no content type");
        }
        for other in ["\"x\"", compressed.etag(), tag.trim_matches('"'), "", "\"", "W/*"] {
            let future = "Fri, 31 Dec 2100 23:59:59 GMT";
            let response = get(&[("if-none-match", other), ("if-modified-since", future)]).await;
            assert_eq!(response.status, 200, "If-None-Match: {other:?} overrides the date");
        }
        let dated = eventually("a Last-Modified header", || async {
            Some(get(&[]).await).filter(|response| !response.header("last-modified").is_empty())
        })
        .await;
        let date = dated.header("last-modified");
        assert_eq!(get(&[("if-modified-since", date)]).await.status, 304, "{address}");
        for old in ["Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", ""] {
            assert_eq!(get(&[("if-modified-since", old)]).await.status, 200, "{old:?}");
        }
    }
}

async fn each_visible_change_invalidates_the_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let (page, id, inbox) = (page_of(&article), id_of(&article), fixture.inbox());
    let cli = async |args: &[&str]| {
        fixture.app.command_output(args).await;
    };
    let bob = fixture.remote.user("bob");
    // Comments of known actors are shown at once, without any fetch.
    fixture.follow(&fixture.alice).await;
    let mut last = etag(&fixture, page, HTML).await;
    // Each change must become visible; changes by commands at once.
    let mut changed = async |what: &str, at_once: bool| {
        let now = if at_once {
            etag(&fixture, page, HTML).await
        } else {
            let last = &last;
            eventually(what, || async { Some(etag(&fixture, page, HTML).await).filter(|now| now != last) })
                .await
        };
        assert_ne!(now, last, "{what}");
        last = now;
    };
    let note = bob.reply(id, "<p>Nobody ever waves</p>");
    bob.deliver(inbox, &bob.create(&note)).await;
    changed("a comment", false).await;
    bob.deliver(inbox, &bob.edit(&note, "<p>My aunt waves</p>", 60)).await;
    changed("an edit", false).await;
    let like = fixture.alice.like(id);
    fixture.alice.deliver(inbox, &like).await;
    changed("a like", false).await;
    let document = etag(&fixture, id, AS2).await;
    fixture.alice.deliver(inbox, &fixture.alice.undo(&like)).await;
    changed("the undo of a like", false).await;
    assert_ne!(etag(&fixture, id, AS2).await, document, "the document has changed as well");
    fixture.alice.deliver(inbox, &fixture.alice.announce(id)).await;
    changed("a boost", false).await;
    let mut renamed = bob.actor();
    renamed["name"] = json!("Bob the Boatman");
    bob.serve_actor(&renamed);
    bob.deliver(inbox, &bob.activity("Update", &renamed)).await;
    changed("a new name of a commenter", false).await;
    assert!(fixture.page(&article).await.text.contains("Bob the Boatman"));
    cli(&["comment", "reply", id_of(&note), "--text", "Mine does, too"]).await;
    changed("a reply by the critic", true).await;
    cli(&["comment", "hide", id_of(&note)]).await;
    changed("hiding a comment", true).await;
    cli(&["block", "account", &format!("@alice@{}", fixture.remote.host())]).await;
    changed("blocking an actor who boosted", true).await;
    let file =
        fixture.app.write("other.md", &markdown("The Day Ferry", "The Day Ferry", "It leaves at noon."));
    cli(&["publish", &file]).await;
    changed("a new adjacent review", true).await;
    let file =
        fixture.app.write("review.md", &markdown("The Last Ferry", "The Night Ferry", "It never left."));
    cli(&["revise", slug_of(&article), &file]).await;
    changed("a revision", true).await;
    assert!(fixture.page(&article).await.text.contains("It never left."));
}

async fn an_invisible_change_does_not_invalidate_the_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let renderings = async |marker: &str| {
        // This page is requested last, so it is the last one rendered.
        let file = fixture.app.write("marker.md", &markdown(marker, marker, marker));
        let printed = fixture.app.command_output(&["publish", &file]).await;
        let page = printed.split_whitespace().find(|word| word.starts_with("https://")).expect("a URL");
        assert_eq!(send_request(&fixture.app, "GET", page, &[("accept", HTML)]).await.status, 200);
        rendered(&fixture.app, slug_of(&article), page.rsplit('/').next().expect("a slug")).await
    };
    etag(&fixture, page_of(&article), AS2).await;
    etag(&fixture, page_of(&article), HTML).await;
    let before = renderings("A Marker").await;
    // Publishing the marker changed the adjacent review.
    etag(&fixture, page_of(&article), HTML).await;
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    fixture.app.command_output(&["follower", "list"]).await;
    fixture.app.command_output(&["block", "domain", "elsewhere.test"]).await;
    for _ in 0..3 {
        etag(&fixture, page_of(&article), HTML).await;
    }
    assert_eq!(renderings("Another Marker").await, before + 1);
}

/// How often the page of a review was rendered. Waits until the page of `last`, which was requested last, is in the
/// log.
async fn rendered(app: &App, slug: &str, last: &str) -> usize {
    let count = |slug: &str| {
        let is_match =
            |line: &&String| line.contains("rendered kind=Page") && line.contains(&format!("name={slug:?}"));
        app.log().iter().filter(is_match).count()
    };
    eventually("the last page", || async { (count(last) > 0).then_some(()) }).await;
    count(slug)
}

async fn a_body_has_the_encoding_that_the_client_prefers(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    for (accept, address) in [(HTML, page_of(&article)), (AS2, page_of(&article)), (AS2, id_of(&article))] {
        let plain = send_request(&fixture.app, "GET", address, &[("accept", accept)]).await;
        assert_eq!(plain.header("content-encoding"), "");
        assert!(plain.decoded().contains("Ferry"));
        let mut tags = vec![plain.etag().to_owned()];
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("br;q=0.2, gzip;q=0.9", "gzip"),
            ("br;q=0, *;q=0.1", "gzip"),
            ("identity, gzip;q=0.5", ""),
            ("deflate", ""),
            ("gzip;q=0", ""),
        ] {
            let headers = [("accept", accept), ("accept-encoding", accepted)];
            let response = send_request(&fixture.app, "GET", address, &headers).await;
            assert_eq!((response.status, response.header("content-encoding")), (200, expected), "{accepted}");
            assert_eq!(response.decoded(), plain.decoded(), "{accepted}");
            assert_eq!(response.header("content-type"), plain.header("content-type"));
            assert_eq!(response.header("content-length"), response.body.len().to_string());
            assert!(expected.is_empty() || response.body.len() < plain.body.len(), "{accepted}");
            let again =
                [("if-none-match", response.etag()), ("accept", accept), ("accept-encoding", accepted)];
            assert_eq!(send_request(&fixture.app, "GET", address, &again).await.status, 304);
            tags.push(response.etag().to_owned());
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 3, "one tag for each encoding");
    }
}

async fn a_head_request_gets_the_headers_of_the_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    for (accept, address) in [(HTML, page_of(&article)), (AS2, id_of(&article))] {
        for encoding in ["identity", "gzip", "br"] {
            let headers = [("accept", accept), ("accept-encoding", encoding)];
            let mut full = send_request(&fixture.app, "GET", address, &headers).await;
            let mut head = send_request(&fixture.app, "HEAD", address, &headers).await;
            assert_eq!((head.status, head.body.len()), (200, 0));
            for response in [&mut full, &mut head] {
                response.head.remove("date");
                response.head.remove("last-modified");
            }
            assert_eq!(head.head, full.head);
            let known = [("if-none-match", full.etag()), ("accept", accept), ("accept-encoding", encoding)];
            assert_eq!(send_request(&fixture.app, "HEAD", address, &known).await.status, 304);
        }
    }
}

async fn an_error_has_the_media_type_of_its_url(database: Database) {
    let fixture = Fixture::new(database).await;
    let (page, document) = ("text/html; charset=utf-8", "application/json");
    for (path, accept, media_type) in [
        ("/reviews/nothing", "*/*", page),
        ("/reviews/nothing", HTML, page),
        ("/reviews/nothing", AS2, document),
        ("/no/such/place", "*/*", page),
        ("/ap/article/nothing", "*/*", document),
        ("/ap/article/nothing", HTML, page),
        ("/.well-known/nothing", "*/*", document),
    ] {
        let response = send_request(&fixture.app, "GET", &url(path), &[("accept", accept)]).await;
        assert_eq!((response.status, response.header("content-type")), (404, media_type), "{path} {accept}");
    }
    for (method, path, status) in [
        ("GET", "/reviews?page=minus%20one", 400),
        ("GET", "/reviews?page=%FF", 400),
        ("GET", "/reviews/%FF", 400),
        ("GET", "/reviews/%00", 400),
        ("DELETE", "/reviews", 405),
    ] {
        let response = send_request(&fixture.app, method, &url(path), &[("accept", HTML)]).await;
        assert_eq!((response.status, response.header("content-type")), (status, page), "{path}");
        assert!(response.decoded().contains("Invalid request"), "{}", response.decoded());
        assert!(!response.header("content-security-policy").is_empty(), "{path}");
    }
}

async fn a_retracted_review_is_gone_even_if_it_was_cached(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let representations = [(page_of(&article), HTML), (page_of(&article), AS2), (id_of(&article), AS2)];
    let mut tags = Vec::new();
    for (address, accept) in representations {
        tags.push(etag(&fixture, address, accept).await);
    }
    fixture.app.command_output(&["retract", slug_of(&article)]).await;
    for ((address, accept), tag) in representations.into_iter().zip(&tags) {
        for known in [tag, "*"] {
            let headers = [("accept", accept), ("if-none-match", known), ("accept-encoding", "gzip")];
            let response = send_request(&fixture.app, "GET", address, &headers).await;
            assert_eq!(response.status, 410, "{address}");
            assert!(!response.decoded().contains("nobody waves"), "{}", response.decoded());
        }
    }
    for path in ["/", "/@critic"] {
        let response = send_request(&fixture.app, "GET", path, &[("accept", HTML)]).await;
        assert!(!response.decoded().contains("The Night Ferry"), "{path}");
    }
}

async fn changes_of_another_process_are_visible(database: Database) {
    let mut fixture = Fixture::with(database, |_, settings| settings.role("web")).await;
    let worker = fixture.app.spawn_command(&["serve", "--role", "worker"]);
    let article = fixture.publish("The Night Ferry").await;
    let before = etag(&fixture, page_of(&article), HTML).await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let with_comment = etag(&fixture, page_of(&article), HTML).await;
    assert_ne!(with_comment, before);
    for text in ["one", "two", "three"] {
        fixture.app.command_output(&["comment", "reply", id_of(&note), "--text", text]).await;
        assert!(fixture.page(&article).await.comment(text).is_some(), "{text} is shown at once");
    }
    fixture.app.command_output(&["comment", "hide", id_of(&note)]).await;
    assert!(!fixture.page(&article).await.text.contains("Who waves"), "the comment disappears at once");
    // Each command reads the config file; the running server shows what the command stored.
    fixture.app.reconfigure("critics", "name", "\"Somebody Else\"");
    fixture.app.command_output(&["comment", "reply", id_of(&article), "--text", "four"]).await;
    for address in [page_of(&article), &url("/"), &url("/@critic")] {
        let response = send_request(&fixture.app, "GET", address, &[("accept", HTML)]).await;
        assert!(response.decoded().contains("Somebody Else"), "{address}");
    }
    let document = send_request(&fixture.app, "GET", id_of(&article), &[("accept", AS2)]).await;
    assert_eq!(document.status, 200);
    drop(worker);
}

async fn counts_of_closed_connections_are_added_up(database: Database) {
    let fixture = Fixture::with(database, |_, settings| settings.role("web")).await;
    let file = fixture.app.write("review.md", &markdown("The Night Ferry", "The Night Ferry", "It leaves."));
    let printed = fixture.app.command_output(&["publish", &file]).await;
    let page = printed.split_whitespace().find(|word| word.starts_with("https://")).expect("a URL");
    let id = send_request(&fixture.app, "GET", page, &[("accept", AS2)]).await.decoded();
    let id =
        serde_json::from_str::<Value>(&id).expect("an Article")["id"].as_str().expect("an id").to_owned();
    for text in ["one", "two"] {
        fixture.app.command_output(&["comment", "reply", &id, "--text", text]).await;
    }
    let sum = async || {
        let query = "select cast(sum(version) as bigint) from page_versions";
        fixture.app.number(query, query).await
    };
    let count_closed = async || {
        let sqlite = "select count(*) from page_versions where writer <> 0";
        let postgres = "select count(*) from page_versions v
            where writer <> 0 and not exists (select 1 from pg_stat_activity a where a.pid = v.writer)";
        fixture.app.number(sqlite, postgres).await
    };
    eventually("the commands' connections to end", || async {
        (database == Database::Sqlite || count_closed().await > 0).then_some(())
    })
    .await;
    let (before, tag) = (sum().await, etag(&fixture, page, HTML).await);
    let worker = fixture.app.spawn_command(&["serve", "--role", "worker"]);
    eventually("their counts to be added up", || async { (count_closed().await == 0).then_some(()) }).await;
    assert_eq!((sum().await, etag(&fixture, page, HTML).await), (before, tag), "the sum has not changed");
    fixture.app.command_output(&["comment", "reply", &id, "--text", "three"]).await;
    assert!(send_request(&fixture.app, "GET", page, &[("accept", HTML)]).await.decoded().contains("three"));
    drop(worker);
}

async fn a_stale_page_is_rendered_once_for_a_hundred_readers(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.publish("The Day Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    fixture.settle().await;
    let page = page_of(&article);
    let old_tag = etag(&fixture, page, HTML).await;
    let first = send_request(&fixture.app, "GET", "/reviews/the-day-ferry-2021", &[("accept", HTML)]).await;
    assert_eq!(first.status, 200);
    let before = rendered(&fixture.app, slug_of(&article), "the-day-ferry-2021").await;
    fixture.app.command_output(&["comment", "hide", id_of(&note)]).await;
    let readers = (0..100).map(|_| send_request(&fixture.app, "GET", page, &[("accept", HTML)]));
    let responses = futures_util::future::join_all(readers).await;
    for response in &responses {
        assert_eq!(response.status, 200);
        assert_eq!(response.etag(), responses[0].etag(), "all readers get the same page");
        assert!(!response.decoded().contains("Who waves"), "no reader gets the old page");
    }
    assert_ne!(responses[0].etag(), old_tag);
    let file = fixture.app.write("last.md", &markdown("The Last Ferry", "The Last Ferry", "Gone."));
    fixture.app.command_output(&["publish", &file]).await;
    let last = send_request(&fixture.app, "GET", "/reviews/the-last-ferry-2021", &[("accept", HTML)]).await;
    assert_eq!(last.status, 200);
    assert_eq!(rendered(&fixture.app, slug_of(&article), "the-last-ferry-2021").await, before + 1);
}

async fn g9_documents_that_need_a_signature_are_not_cached_for_others(database: Database) {
    let secure =
        Fixture::with(database, |_, settings| settings.set("federation", "authorized_fetch", "true"));
    let fixture = secure.await;
    let file =
        fixture.app.write("review.md", &markdown("The Night Ferry", "The Night Ferry", "It leaves at six."));
    let printed = fixture.app.command_output(&["publish", &file]).await;
    let page = printed.split_whitespace().find(|word| word.starts_with("https://")).expect("a URL");
    let signed = fixture.alice.fetch(SignatureScheme::Cavage, page).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
    let article = signed.json();
    for address in [page, id_of(&article)] {
        let signed_get = || {
            UnsignedRequest::fetch(
                SignatureScheme::Rfc9421,
                &fixture.alice.key(),
                &fixture.alice.key_id(),
                address,
            )
            .sign()
        };
        let response = signed_get().fetch(&fixture.network.client).await;
        assert_eq!((response.status, response.header("cache-control")), (200, "private, no-store"));
        let tag = response.header("etag").to_owned();
        // An unauthenticated client learns nothing, not even that the document has not changed.
        for (name, value) in [("if-none-match", &*tag), ("if-none-match", "*"), ("accept-encoding", "br")] {
            let unsigned =
                send_request(&fixture.app, "GET", address, &[("accept", AS2), (name, value)]).await;
            assert_eq!(unsigned.status, 401, "{address} {name}: {value}");
            assert_eq!(unsigned.header("etag"), "");
            assert_eq!(unsigned.header("cache-control"), "private, no-store");
            assert!(!unsigned.decoded().contains("leaves at six"));
        }
        let mut again = signed_get();
        again.add("if-none-match", &tag);
        let response = again.fetch(&fixture.network.client).await;
        assert_eq!((response.status, response.header("cache-control")), (304, "private, no-store"));
        let vary = "Accept, Accept-Encoding, Signature, Signature-Input";
        assert_eq!(response.header("vary"), vary);
    }
    let public = send_request(&fixture.app, "GET", page, &[("accept", HTML)]).await;
    assert_eq!((public.status, public.header("cache-control")), (200, "no-cache"));
    assert!(public.header("content-type").starts_with("text/html"));
}
