use proptest::prelude::*;
use url::Url;

use super::EntryFacts;
use crate::sources::html::{sanitize_entry_body, sanitize_review_body};

const TITLE: &str = "Letter to Nobody (2009) – Review";

fn base() -> Url {
    "https://crit.example/2019/letter?source=rss-aa------2".parse().unwrap()
}

fn plain_base() -> Url {
    "https://crit.example/2019/letter".parse().unwrap()
}

fn stripped_at(html: &str, base: &Url) -> (String, Option<String>) {
    sanitize_entry_body(html, base, EntryFacts { title: TITLE, has_summary: false })
}

fn stripped(html: &str) -> String {
    stripped_at(html, &plain_base()).0
}

/// Asserts that nothing but the critic's paragraphs remains of them and this platform text.
fn assert_platform(html: &str) {
    let critic = "<p>A postman rows.</p><p>There is a dog.</p>";
    assert_eq!(stripped(&format!("{critic}{html}")), critic, "{html}");
    assert_eq!(stripped(&format!("{html}{critic}")), critic, "before: {html}");
}

/// Asserts that the sanitized text is the same with and without the platform's.
fn assert_critic(html: &str) {
    let html = format!("<p>One.</p>{html}");
    assert_eq!(stripped(&html), sanitize_review_body(&html, &plain_base()), "{html}");
}

#[test]
fn what_has_no_letters_above_a_footer_is_the_critics() {
    let footer = format!(
        "<p>The post <a href='https://crit.example/2019/letter'>{TITLE}</a> appeared first on \
         <a href='https://crit.example/'>Crit</a>.</p>"
    );
    let widget = "<div class='sharedaddy'><h3>Share this:</h3><ul><li><a href='https://x.test/share'>X</a></li></ul></div>";
    for line in ["★★★★", "***½", "♥", "8/10", "* * *", "👍"] {
        let text = format!("<p>A postman rows.</p><p>{line}</p>");
        for platform in [footer.as_str(), widget] {
            assert_eq!(stripped(&format!("{text}{platform}")), text, "{line}");
        }
    }
}

#[test]
fn a_footer_that_links_back_is_not_the_critics_in_any_language() {
    let entry = format!("<a href='https://crit.example/2019/letter/?utm_source=rss'>{TITLE}</a>");
    for (before, middle) in [
        ("The post", "appeared first on"),
        ("Der Beitrag", "erschien zuerst auf"),
        ("L’article", "est apparu en premier sur"),
        ("La entrada", "se publicó primero en"),
        ("L'articolo", "proviene da"),
        ("O post", "apareceu primeiro em"),
        ("Het bericht", "verscheen eerst op"),
        ("Inlägget", "dök först upp på"),
        ("投稿", "は"),
        ("Zápis", "se poprvé objevil na"),
    ] {
        assert_platform(&format!(
            "<p>{before} {entry} {middle} <a href='https://crit.example'>Third Row</a>.</p>"
        ));
        assert_platform(&format!("<p><em>{before} {entry} {middle} <a href='/'>Third Row</a></em></p>"));
    }
}

#[test]
fn a_footer_without_links_names_the_headline() {
    for text in [
        format!("The post {TITLE} appeared first on Third Row."),
        format!("Der Beitrag {TITLE} erschien zuerst auf Third Row."),
        format!("L'articolo {TITLE} sembra essere il primo su Third Row."),
        format!("投稿 {TITLE} は 三列目 に最初に表示されました。"),
        format!("Artykuł {TITLE} pochodzi z serwisu Third Row."),
    ] {
        assert_platform(&format!("<p>{text}</p>"));
        let summary = format!("A postman rows. {text}");
        assert_eq!(super::strip_from_text(&summary, TITLE), "A postman rows.", "{text}");
    }
    let own = "The post of the second postman appeared first on the stage.";
    assert_critic(&format!("<p>{own}</p>"));
    assert_eq!(super::strip_from_text(own, TITLE), own);
}

#[test]
fn share_buttons_are_recognized_by_class_or_target() {
    for html in [
        "<div class='sharedaddy sd-sharing-enabled'><h3 class=sd-title>Share this:</h3><ul><li class=share-x><a href='https://crit.example/2019/letter/?share=x'><span>Click to share on X</span></a></li></ul></div>",
        "<h3>Share this:</h3><ul><li><a href='https://crit.example/2019/letter/?share=twitter&amp;nb=1'>Click to share on Twitter (Opens in new window)</a></li><li><a href='mailto:?subject=x'>Click to email a link to a friend</a></li></ul>",
        "<p>Teilen mit:</p><ul><li><a href='/2019/letter/?share=jetpack-whatsapp'>Klicken, um auf WhatsApp zu teilen (Wird in neuem Fenster geöffnet)</a></li></ul>",
        "<h3>Like this:</h3><p>Like Loading...</p>",
        "<div id=jp-post-flair><div class='sd-block sd-like'>x</div></div>",
        "<div class='addtoany_share_save_container addtoany_content_bottom'><div class='a2a_kit a2a_kit_size_32'><a href='https://www.addtoany.com/add_to/facebook?linkurl=x'>Facebook</a></div></div>",
        "<p>Share: <a href='https://www.facebook.com/sharer/sharer.php?u=x'>Facebook</a> | <a href='https://twitter.com/intent/tweet?url=x'>Twitter</a> <a href='https://bsky.app/intent/compose?text=x'>Bluesky</a></p>",
        "<div id=jp-relatedposts class=jp-relatedposts><h3><em>Related</em></h3></div>",
        "<div class='yarpp yarpp-related'><h3>Related posts:</h3><ol><li><a href=/a>A</a></li></ol></div>",
        "<h3>Discover more from Third Row</h3><p>Subscribe to get the latest posts sent to your email.</p><div class='wp-block-jetpack-subscriptions__supports-newline'><p>Type your email…</p></div>",
        "<p>Advertisements</p>",
        "<aside class='wp-block-jetpack-subscriptions'><p>Discover more from Third Row</p></aside>",
    ] {
        assert_platform(html);
    }
    for html in [
        "<p>Share this with a friend who rows.</p>",
        "<p>I argued about it with <a href='https://twitter.com/ana/status/1'>Ana</a>; <a href='https://x.com/intent/tweet?text=x'>tell me</a> what you think.</p>",
        "<h3>Related</h3><p>Two other films about letters.</p>",
        "<p><a href='mailto:me@crit.example?subject=Letters'>Write to me</a></p>",
        "<p><a href='https://crit.example/2018/other?share=1'>An older review</a></p>",
        "<div class=related>A cousin of the postman.</div>",
    ] {
        assert_critic(html);
    }
}

#[test]
fn flares_and_footers_of_feed_services_are_removed() {
    for html in [
        "<div class=feedflare><a href='http://feeds.feedburner.com/~ff/x?a=1'><img src='http://feeds.feedburner.com/~ff/x?d=1'></a></div>",
        "<p><a href='http://feeds.feedburner.com/~ff/x?a=1'><img src='http://feeds.feedburner.com/~ff/x?d=1' alt=Digg></a></p>",
        "<img src='http://feeds.feedburner.com/~r/x/~4/abc' height=1 width=1 alt=''>",
        "<div class=blogger-post-footer><img width='1' height='1' src='https://blogger.googleusercontent.com/tracker/1-2?l=x' alt=''></div>",
        "<img src='https://example.net/open.gif?id=7' width=1 height=1 alt=pixel>",
        "<p>[[ This is a content summary only. Visit my website for full links, other content, and more! ]]</p>",
    ] {
        assert_platform(html);
    }
}

#[test]
fn the_frame_of_a_medium_story_is_removed() {
    let footer = "<img src='https://medium.com/_/stat?event=post.clientViewed&amp;postId=1' width=1 height=1 alt=''><hr><p><a href='https://medium.com/p/1'>Letter</a> was originally published in <a href='https://medium.com/third-row'>Third Row</a> on Medium, where people are continuing the conversation by highlighting and responding to this story.</p>";
    let story = format!(
        "<h3>{TITLE}</h3><h4>A postman and his island</h4><figure><img src='https://cdn-images-1.medium.com/max/1024/1*a.jpeg'><figcaption>Photo: Per</figcaption></figure><p>He rows.</p>{footer}"
    );
    let (body, subtitle) = stripped_at(&story, &plain_base());
    let image = "https://cdn-images-1.medium.com/max/1024/1*a.jpeg";
    assert_eq!(
        body,
        format!(
            "<figure><img src=\"{image}\" alt=\"\"><figcaption>Photo: Per</figcaption></figure><p>He rows.</p>"
        )
    );
    assert_eq!(subtitle.as_deref(), Some("A postman and his island"));
    let (body, _) = stripped_at(
        &format!(
            "<h3>{TITLE}</h3><p>He rows.</p><p><em>Originally published at </em><a href='https://crit.example/x'><em>crit.example</em></a><em> on May 1, 2019.</em></p>"
        ),
        &base(),
    );
    assert_eq!(body, "<p>He rows.</p>");
    // Elsewhere, a heading may be the title of the film above its credits.
    assert_critic(&format!("<h3>{TITLE}</h3><p>Directed by: Nora Ek</p>"));
    assert_critic("<p>Originally published at <a href='https://other.example/'>Other</a>.</p>");
}

#[test]
fn buttons_of_newsletters_are_removed_and_the_critics_stay() {
    for html in [
        "<p class=button-wrapper><a class='button primary' href='https://row.substack.com/subscribe?'><span>Subscribe now</span></a></p>",
        "<p class=button-wrapper><a class='button primary' href='https://row.substack.com/p/letter/comments'><span>Leave a comment</span></a></p>",
        "<p class=button-wrapper><a class='button primary' href='https://row.substack.com/p/letter?utm_source=substack&amp;action=share'><span>Share</span></a></p>",
        "<p class=button-wrapper><a class=button href='%%checkout_url%%'>Subscribe</a></p>",
        "<div class=subscription-widget-wrap-editor><div class='subscription-widget show-subscribe'><div class=preamble><p class=cta-caption>Thanks for reading Row! Subscribe for free to receive new posts and support my work.</p></div><form><input type=email><input type=submit value=Subscribe></form></div></div>",
        "<p>Thanks for reading Third Row! Subscribe for free to receive new posts and support my work.</p>",
        "<p>Third Row is a reader-supported publication. To receive new posts and support my work, consider becoming a free or paid subscriber.</p>",
        "<div class=captioned-button-wrap><div class=preamble><p>Thanks for reading Row! This post is public so feel free to share it.</p></div></div>",
        "<div class='kg-card kg-signup-card'><h2>Third Row</h2><p>No spam.</p></div>",
    ] {
        assert_platform(html);
    }
    for html in [
        "<p class=button-wrapper><a class='button primary' href='https://cinema.example/tickets'><span>Tickets</span></a></p>",
        "<p>Thanks for reading, and see it on a large screen.</p>",
        "<p><a href='https://row.substack.com/subscribe'>Subscribe</a></p>",
        "<div class='kg-card kg-button-card'><a href=/tickets class=kg-btn>Tickets</a></div>",
    ] {
        assert_critic(html);
    }
}

#[test]
fn a_bookmark_card_becomes_a_link_with_its_caption() {
    let card = "<p>One.</p><figure class='kg-card kg-bookmark-card'><a class=kg-bookmark-container href='https://film.example/x'><div class=kg-bookmark-content><div class=kg-bookmark-title>The interview</div><div class=kg-bookmark-description>Long.</div><div class=kg-bookmark-metadata><img class=kg-bookmark-icon src=i.png><span class=kg-bookmark-author>Film</span></div></div><div class=kg-bookmark-thumbnail><img src=t.png></div></a><figcaption>Worth an hour</figcaption></figure>";
    assert_eq!(
        stripped(card),
        "<p>One.</p><p><a href=\"https://film.example/x\" rel=\"noopener noreferrer\">The interview</a><br>Worth an hour</p>"
    );
}

#[test]
fn a_text_that_would_vanish_stays() {
    for html in [
        "<div class=sharedaddy><p>Only this.</p></div>",
        "<p>Thanks for reading Third Row! Subscribe for free to receive new posts and support my work.</p>",
    ] {
        assert!(!stripped(html).is_empty(), "{html}");
    }
}

proptest! {
    #[test]
    fn the_critics_paragraphs_survive_any_platform_text(parts in proptest::collection::vec(prop_oneof![
        Just("<div class=sharedaddy>x</div>"), Just("<h3>Share this:</h3>"), Just("<hr>"), Just("<p>Like Loading...</p>"),
        Just("<ul><li><a href='https://x.com/intent/tweet'>X</a></li></ul>"), Just("<img src=//a.example/p width=1 height=1>"),
        Just("<p>The post Letter to Nobody (2009) – Review appeared first on Third Row.</p>"), Just("<div>"), Just("</div>"),
        Just("<h3>Letter to Nobody (2009) – Review</h3>"), Just("<img src='https://medium.com/_/stat'>"),
    ], 0..8), at in 0_usize..9) {
        let mut parts = parts;
        parts.insert(at.min(parts.len()), "<p>A postman rows to an island.</p>");
        let html = parts.concat();
        let body = stripped(&html);
        prop_assert!(body.contains("<p>A postman rows to an island.</p>"), "{}", body);
        prop_assert_eq!(sanitize_review_body(&body, &plain_base()), body.clone());
    }
}
