//! Tests of rendered pages, which are parsed as a browser parses them.

use std::collections::HashMap;
use std::sync::LazyLock;

use scraper::{Html, Selector};
use url::Url;

use super::rating_view::RatingView;
use super::*;
use crate::domain::comment::{Author, Comment, CommentVisibility};
use crate::domain::comment_layout::{ConversationLayout, PlacedComment};
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::critic::{Critic, CriticProfile, ProfileLink};
use crate::domain::facepile::Facepile;
use crate::domain::film::Film;
use crate::domain::id::{CommentId, CriticId, MediaId, ReviewId};
use crate::domain::rating::RatingScale;
use crate::domain::review::{Media, Poster, Review, ReviewContent, ReviewState};
use crate::domain::time::Timestamp;

fn pages() -> Pages {
    let site = Site {
        about: crate::domain::site::Site::new(
            "Night Seats",
            "en",
            jiff::tz::TimeZone::get("Europe/Vienna").unwrap(),
        ),
        origin: Origin::parse("https://crit.example").unwrap(),
        handle_domain: "crit.example".to_owned(),
        messages: Messages::load("en", None).unwrap().into(),
    };
    Pages::new(site).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn critic() -> Critic {
    Critic {
        id: CriticId::new(at("2026-01-01T00:00:00Z")),
        profile: CriticProfile {
            handle: "critic".to_owned(),
            name: "Ada Nightingale".to_owned(),
            summary: "Sits in the third row.\n\nStays for the credits.".to_owned(),
            avatar: None,
            links: vec![ProfileLink {
                name: "Ada elsewhere".to_owned(),
                url: url("https://social.example/@ada"),
            }],
            also_known_as: Vec::new(),
            attribution_domains: Vec::new(),
            hide_followers: false,
        },
        avatar: Some(("face.png".to_owned(), "image/png".to_owned())),
        moved_to: None,
        created_at: at("2026-01-01T00:00:00Z"),
    }
}

fn review(critic: &Critic) -> Review {
    Review {
        id: ReviewId::new(at("2026-03-01T22:30:00Z")),
        create_activity: crate::domain::id::ActivityId::new(crate::domain::time::Timestamp::from_millis(1)),
        critic: critic.id,
        slug: "a-room-in-the-zone".to_owned(),
        state: ReviewState::Published,
        content: ReviewContent {
            title: "A Room in the Zone".to_owned(),
            subtitle: Some("Three men walk, and the grass watches.".to_owned()),
            body: "<p>It rains <em>indoors</em>.</p>".to_owned(),
            teaser: "Three men and a wish.".to_owned(),
            film: Film {
                title: "Stalker".to_owned(),
                year: Some(1979),
                directors: vec!["Andrei Tarkovsky".to_owned()],
                writers: vec!["Arkady Strugatsky".to_owned(), "Boris Strugatsky".to_owned()],
                stars: vec!["Alisa Freindlich".to_owned()],
                release_date: Some(jiff::civil::date(1979, 5, 25).into()),
                identity: Some(url("https://www.themoviedb.org/movie/1398")),
            },
            tags: vec!["Soviet cinema".to_owned(), "…".to_owned()],
            language: Some("en-GB".to_owned()),
            canonical_url: Some(url("https://example.org/reviews/stalker")),
            poster: Some(Poster {
                url: url("https://example.org/p.png"),
                alt: Some("A doorway in the rain".to_owned()),
            }),
            ..ReviewContent::default()
        },
        poster: Some(Media {
            id: MediaId::new(at("2026-03-01T22:30:00Z")),
            name: "abc.png".to_owned(),
            media_type: "image/png".to_owned(),
            width: 600,
            height: 900,
            source: "https://example.org/p.png".to_owned(),
        }),
        feed: None,
        original_date: at("2026-03-01T23:30:00Z"),
        released_at: at("2026-03-01T23:30:00Z"),
        revised_at: Some(at("2026-03-05T10:00:00Z")),
        corrected: Vec::new(),
        retracted_at: None,
    }
}

fn comment(review: &Review, minute: u32, content: &str) -> Comment {
    let published = at(&format!("2026-03-02T08:{minute:02}:00Z"));
    Comment {
        id: CommentId::new(published),
        review: review.id,
        uri: url("https://social.example/users/bo/statuses/1"),
        url: url("https://social.example/@bo/1"),
        author: Author {
            uri: url("https://social.example/users/bo"),
            url: url("https://social.example/@bo"),
            name: "Bo".to_owned(),
            handle: Some("@bo@social.example".to_owned()),
            avatar: None,
            critic: None,
            indexable: true,
        },
        parent: None,
        content: content.to_owned(),
        warning: None,
        language: None,
        published,
        edited: None,
        visibility: CommentVisibility::Shown,
    }
}

/// The places of comments, each with the position of the one that it replies to. They come in reading order.
struct Thread {
    layout: ConversationLayout,
    comments: HashMap<CommentId, Comment>,
}

static NO_COMMENTS: LazyLock<Thread> = LazyLock::new(|| Thread::new(Vec::new()));

impl Thread {
    fn new(listed: Vec<(Comment, Option<usize>)>) -> Self {
        let mut placed: Vec<PlacedComment> = Vec::new();
        for (comment, parent) in &listed {
            let above = parent.map(|parent| placed[parent].clone());
            let depth = above.as_ref().map_or(0, |above| above.depth + 1);
            let parent = above.map(|above| above.id);
            placed.push(PlacedComment { id: comment.id, depth, parent, is_folded: false });
        }
        let layout = ConversationLayout {
            page_of: placed.iter().map(|placed| (placed.id, 1)).collect(),
            threads: placed.iter().filter(|placed| placed.depth == 0).count(),
            shown: placed.len(),
            pages: vec![placed],
        };
        Self { layout, comments: listed.into_iter().map(|(comment, _)| (comment.id, comment)).collect() }
    }
}

fn page<'a>(critic: &'a Critic, review: &'a Review, thread: &'a Thread) -> ReviewPage<'a> {
    static NO_REACTIONS: Facepile = Facepile { shown: Vec::new(), other_reactions: 0 };
    let conversation = Conversation {
        review,
        order: ThreadOrder::Oldest,
        layout: &thread.layout,
        page: 1,
        comments: &thread.comments,
        comment_bytes: 16_384,
    };
    let counts = ReviewCounts::default();
    let discussion = Discussion { conversation, left_out: 0, counts, faces: &NO_REACTIONS };
    ReviewPage { critic, review, discussion, newer: None, older: None, related: RelatedReviews::default() }
}

/// The elements that match a selector.
fn all<'a>(html: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

/// The text of the only element that matches a selector, with collapsed white space.
fn text(html: &Html, selector: &str) -> String {
    let found = all(html, selector);
    assert_eq!(found.len(), 1, "{selector}");
    let text: String = found[0].text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn attr(html: &Html, selector: &str, name: &str) -> String {
    let found = all(html, selector);
    assert_eq!(found.len(), 1, "{selector}");
    found[0].attr(name).unwrap_or_default().to_owned()
}

/// Checks what holds for every page, whatever its content: nothing runs, nothing is loaded from other sites, ids are
/// unique, headings are nested. Returns the parsed page.
fn assert_inert(html: &str) -> Html {
    let page = Html::parse_document(html);
    let active_elements = "script:not([type='application/ld+json'], [src^='/assets/site.js?']), style, iframe, object, embed, base, \
                  svg, math";
    assert!(all(&page, active_elements).is_empty());
    for form in all(&page, "form") {
        let allowed = [("/interact", "post"), ("/search", "get")];
        let form = (form.attr("action").unwrap_or_default(), form.attr("method").unwrap_or_default());
        assert!(allowed.contains(&form), "{form:?}");
    }
    assert!(all(&page, "[formaction]").is_empty());
    for element in all(&page, "*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on") && name != "style" && name != "srcdoc", "{name}");
            if matches!(name, "href" | "src") {
                let safe = ["https://", "http://", "/", "#"].iter().any(|s| value.starts_with(s));
                assert!(safe && !value.starts_with("//"), "{name}={value}");
            }
            if name == "src" {
                assert!(value.starts_with('/'), "{value} is loaded from another site");
            }
        }
    }
    let mut ids: Vec<&str> = all(&page, "[id]").iter().filter_map(|e| e.value().id()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are unique");
    let mut last = 0;
    for heading in all(&page, "h1, h2, h3, h4, h5, h6") {
        let level: u32 = heading.value().name()[1..].parse().unwrap();
        assert!(level <= last + 1, "h{level} after h{last}");
        last = level;
    }
    for landmark in ["main", "header.site-head", "footer.site-foot", "a.skip", "h1"] {
        assert_eq!(all(&page, landmark).len(), 1, "{landmark}");
    }
    page
}

#[test]
fn a_review_page_shows_all_that_is_known_about_the_review() {
    let critic = critic();
    let review = review(&critic);
    let base = page(&critic, &review, &NO_COMMENTS);
    let counts = ReviewCounts { likes: 1, boosts: 3, views: 1204, hosts: 214, ..ReviewCounts::default() };
    let html = pages()
        .review(&ReviewPage {
            discussion: Discussion { counts, ..base.discussion },
            older: Some(AdjacentReview { slug: "früher", title: "Before" }),
            ..base
        })
        .unwrap();
    let html = assert_inert(&html);
    assert_eq!(text(&html, "h1"), "A Room in the Zone");
    assert_eq!(text(&html, ".subtitle"), "Three men walk, and the grass watches.");
    assert_eq!(text(&html, ".byline time.dt-published"), "2 March 2026", "in Vienna");
    assert_eq!(text(&html, ".byline time.dt-updated"), "5 March 2026");
    assert_eq!(
        text(&html, ".credits"),
        "Directed by Andrei Tarkovsky Written by Arkady Strugatsky, Boris Strugatsky \
         Starring Alisa Freindlich Released 25 May 1979"
    );
    assert_eq!(attr(&html, ".poster img", "alt"), "A doorway in the rain");
    assert_eq!(attr(&html, ".poster img", "src"), "/media/abc.png");
    assert_eq!(text(&html, ".body em"), "indoors");
    assert_eq!(text(&html, ".tags"), "Soviet cinema", "a tag without a letter has no page");
    assert_eq!(attr(&html, ".tags a", "href"), "/tags/soviet-cinema");
    assert_eq!(attr(&html, "a.u-syndication", "href"), "https://example.org/reviews/stalker");
    assert_eq!(all(&html, ".critic p[dir=auto]").len(), 2);
    assert_eq!(attr(&html, ".critic a[rel~=me]", "href"), "https://social.example/@ada");
    assert_eq!(text(&html, ".follow .to-copy"), "@critic@crit.example");
    assert_eq!(text(&html, ".numbers"), "1,204 reads 1 like 3 boosts seen on 214 servers");
    assert_eq!(text(&html, ".join h3"), "No comments yet. Be the first to reply.");
    assert_eq!(attr(&html, "a.older", "href"), "/reviews/fr%C3%BCher");
}

#[test]
fn a_review_page_links_to_its_article_and_has_metadata() {
    let critic = critic();
    let review = review(&critic);
    let html = assert_inert(&pages().review(&page(&critic, &review, &NO_COMMENTS)).unwrap());
    let article = format!("https://crit.example/ap/article/{}", review.id);
    assert_eq!(text(&html, ".join .to-copy"), article);
    assert_eq!(attr(&html, "link[rel=alternate][type='application/activity+json']", "href"), article);
    assert_eq!(attr(&html, "link[rel=canonical]", "href"), "https://crit.example/reviews/a-room-in-the-zone");
    assert_eq!(attr(&html, "meta[name=description]", "content"), "Three men and a wish.");
    assert_eq!(attr(&html, "meta[property='og:image']", "content"), "https://crit.example/media/abc.png");
    assert_eq!(attr(&html, "meta[name='fediverse:creator']", "content"), "@critic@crit.example");
}

#[test]
fn a_review_with_little_data_leaves_no_empty_elements() {
    let mut critic = critic();
    critic.avatar = None;
    let mut review = review(&critic);
    review.content = ReviewContent {
        title: "Untitled night".to_owned(),
        body: "<p>Nothing is known.</p>".to_owned(),
        canonical_url: Some(url("https://crit.example/reviews/untitled-night")),
        ..ReviewContent::default()
    };
    review.poster = None;
    review.revised_at = None;
    let html = assert_inert(&pages().review(&page(&critic, &review, &NO_COMMENTS)).unwrap());
    let absent = ".film, .poster, .tags, .elsewhere, .subtitle, .counts, .avatar, .neighbours, .dt-updated, \
                  meta[name=description], meta[property='og:description'], meta[property='article:tag']";
    assert!(all(&html, absent).is_empty());
    let card = attr(&html, "meta[property='og:image']", "content");
    assert!(card.starts_with("https://crit.example/reviews/a-room-in-the-zone/card.png?v="), "{card}");
    assert!(!html.html().contains("none"));
}

#[test]
fn comments_are_threaded_dated_and_linked_to_their_originals() {
    let critic = critic();
    let review = review(&critic);
    let mut edited = comment(&review, 5, "<p>Yes!</p>");
    edited.edited = Some(at("2026-03-02T09:00:00Z"));
    edited.warning = Some("the ending".to_owned());
    edited.author.handle = None;
    let mut deleted = comment(&review, 9, "");
    deleted.visibility = CommentVisibility::Deleted;
    let first = comment(&review, 1, "<p>No <a href=\"https://b.example\">more</a></p>");
    let anchor = format!("comment-{}", first.id);
    let reply = comment(&review, 12, "<p>Pity.</p>");
    let threads = Thread::new(vec![(first, None), (edited, Some(0)), (deleted, None), (reply, Some(2))]);
    let html = assert_inert(&pages().review(&page(&critic, &review, &threads)).unwrap());
    assert_eq!(all(&html, ".thread > li").len(), 4);
    assert_eq!(all(&html, &format!("#{anchor}.depth-0")).len(), 1);
    assert_eq!(attr(&html, ".depth-1:nth-child(2) .answers a", "href"), format!("#{anchor}"));
    assert_eq!(text(&html, ".depth-1:last-child .answers"), "in reply to a deleted comment");
    assert_eq!(text(&html, ".depth-1 details .said"), "Yes!");
    assert_eq!(text(&html, ".depth-1 summary"), "Content warning: the ending");
    assert_eq!(text(&html, ".depth-1 .edited"), "edited 2 March 2026, 10:00");
    assert_eq!(
        text(&html, ".depth-1:nth-child(2) .from"),
        "social.example",
        "an unconfirmed handle is not shown"
    );
    for link in all(&html, ".comment-head a.name, a.at-home") {
        assert_eq!(link.attr("rel"), Some("nofollow ugc noopener"));
    }
    assert_eq!(all(&html, ".gone").len(), 1);
    assert_eq!(text(&html, ".join h3"), "Join the conversation");
}

#[test]
fn a_thread_ten_thousand_deep_is_rendered_flat() {
    let critic = critic();
    let review = review(&critic);
    let at = |number: usize| (comment(&review, 0, "<p>.</p>"), number.checked_sub(1));
    let threads = Thread::new((0..10_000).map(at).collect());
    let html = pages().review(&page(&critic, &review, &threads)).unwrap();
    assert_eq!(html.matches("<li class=\"comment depth-6\"").count(), 9_994);
    assert!(!html.contains("depth-7"));
}

#[test]
fn markup_in_plain_text_stays_text() {
    const EVIL: &str = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x";
    let mut critic = critic();
    critic.profile.name = EVIL.to_owned();
    critic.profile.summary = EVIL.to_owned();
    critic.profile.links[0].name = EVIL.to_owned();
    let mut review = review(&critic);
    review.content.title = EVIL.to_owned();
    review.content.subtitle = Some(EVIL.to_owned());
    review.content.teaser = EVIL.to_owned();
    review.content.tags = vec![EVIL.to_owned()];
    review.content.language = Some(EVIL.to_owned());
    review.content.film.title = EVIL.to_owned();
    review.content.film.directors = vec![EVIL.to_owned()];
    review.content.poster.as_mut().unwrap().alt = Some(EVIL.to_owned());
    let mut reply = comment(&review, 1, "<p>fine</p>");
    reply.author.name = EVIL.to_owned();
    reply.author.handle = Some(EVIL.to_owned());
    reply.warning = Some(EVIL.to_owned());
    reply.language = Some(EVIL.to_owned());
    let threads = Thread::new(vec![(reply, None)]);
    let pages = pages();
    let html = assert_inert(&pages.review(&page(&critic, &review, &threads)).unwrap());
    assert_eq!(text(&html, "h1"), EVIL);
    let critics = [critic.clone()];
    let listed = [ReviewListItem { critic: &critic, review: &review, comments: 1 }];
    assert_lists_are_inert(&pages, &critics, &listed, EVIL);
    assert_inert(&pages.error(404, EVIL).unwrap());
}

fn assert_lists_are_inert(pages: &Pages, critics: &[Critic], listed: &[ReviewListItem<'_>], tag: &str) {
    let home = HomePage { critics, newest: listed, total: 9 };
    assert_inert(&pages.home(&home).unwrap());
    for filter in [ArchiveFilter::All, ArchiveFilter::Tag(tag)] {
        let archive =
            ArchivePage { filter, reviews: listed, total: 9, several_critics: true, page: 2, pages: 3 };
        let html = assert_inert(&pages.archive(&archive).unwrap());
        assert_eq!(all(&html, ".pager a").len(), 2);
    }
    let profile = ProfilePage { critic: &critics[0], reviews: listed, total: 1, page: 1, pages: 1 };
    let html = assert_inert(&pages.profile(&profile).unwrap());
    assert!(
        attr(&html, "link[rel=alternate][type='application/activity+json']", "href").contains("/ap/actor/")
    );
}

#[test]
fn only_http_urls_become_links() {
    let mut critic = critic();
    critic.profile.links[0].url = url("javascript:alert(1)");
    let mut review = review(&critic);
    review.content.film.identity = Some(url("data:text/html,x"));
    review.content.canonical_url = Some(url("javascript:alert(1)"));
    let mut reply = comment(&review, 1, "<p>fine</p>");
    reply.author.url = url("javascript:alert(1)");
    reply.url = url("data:text/html,<script>alert(1)</script>");
    let threads = Thread::new(vec![(reply, None)]);
    let html = pages().review(&page(&critic, &review, &threads)).unwrap();
    assert!(!html.contains("javascript:") && !html.contains("data:"));
    let html = assert_inert(&html);
    assert_eq!(text(&html, ".comment-head .name"), "Bo", "the name is still shown");
}

#[test]
fn names_are_isolated_from_the_text_around_them() {
    let critic = critic();
    let review = review(&critic);
    let mut reply = comment(&review, 1, "<p>fine</p>");
    reply.author.name = format!("\u{202e}evil\u{200b}{}", "\u{301}".repeat(1_000));
    let mut nameless = comment(&review, 2, "<p>fine</p>");
    nameless.author.name = "\u{200b}\u{202e}".to_owned();
    let threads = Thread::new(vec![(reply, None), (nameless, None)]);
    let html = assert_inert(&pages().review(&page(&critic, &review, &threads)).unwrap());
    let names = all(&html, ".comment-head .name bdi");
    let shown: Vec<String> = names.iter().map(|n| n.text().collect()).collect();
    assert!(shown[0].starts_with("evil") && shown[0].chars().count() == 8);
    assert_eq!(shown[1], "@bo@social.example");
}

#[test]
fn stars_are_drawn_and_described() {
    let (critic, pages) = (critic(), pages());
    let review = review(&critic);
    let mut view = pages.review_view(&page(&critic, &review, &NO_COMMENTS)).unwrap();
    view.rating = Some(RatingView::from_parts(&pages.site.messages, "★★★½", RatingScale::Stars(7)));
    let html = assert_inert(&pages.render("review.html", view).unwrap());
    assert_eq!(text(&html, ".verdict .unseen"), "Rating: 3.5 out of 5 stars");
    assert_eq!(all(&html, ".verdict .halves-7").len(), 1);
}

#[test]
fn a_custom_template_replaces_the_built_in_one() {
    let folder = std::env::temp_dir().join(format!("marquee-pages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("error.html"), "{{ page.title }}, alas").unwrap();
    let mut site = pages().site;
    site.about.looks.folder = Some(folder.clone());
    let pages = Pages::new(site.clone()).unwrap();
    assert_eq!(pages.error(404, "<Gone>").unwrap(), "&lt;Gone&gt;, alas");
    std::fs::write(folder.join("home.html"), "{% if %}").unwrap();
    let error = format!("{:#}", Pages::new(site).unwrap_err());
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(error.contains("home.html"), "{error}");
}
