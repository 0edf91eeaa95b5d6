use super::*;
use crate::domain::origin::Origin;
use crate::sources::html;
use proptest::prelude::*;

fn base() -> Url {
    "https://crit.example/2024/anora".parse().unwrap()
}

fn body(html: &str) -> String {
    sanitize_review_body(html, &base())
}

#[test]
fn an_embedded_trailer_becomes_a_link() {
    let frame = "One <iframe src='https://www.youtube.com/embed/abc?x' title='A &quot;trailer&quot; <b>'>x</iframe> two";
    let linked = "<p>One </p><p><a href=\"https://www.youtube.com/watch?v=abc\" rel=\"noopener noreferrer\">\
                  ▶ A &quot;trailer&quot; &lt;b&gt;</a></p><p> two</p>";
    assert_eq!(body(frame), linked);
    assert_eq!(body(linked), linked);
    assert!(body("<p><iframe src=//player.vimeo.com/video/7></iframe></p>").contains(">▶ vimeo.com</a>"));
    assert_eq!(body("One<iframe src=//ads.example/x></iframe>"), "<p>One</p>");
}

#[test]
fn containers_and_line_breaks_become_paragraphs() {
    assert_eq!(
        body("<div class=x><div>One</div><div><br></div><div>Two <b>three</b></div></div>"),
        "<p>One</p><p>Two <strong>three</strong></p>"
    );
    assert_eq!(body("One<br><br>\n<i>Two</i><br>three<br>"), "<p>One</p><p><em>Two</em><br>three</p>");
    assert_eq!(body("<p>&nbsp;</p><p><span>A</span></p><p><br></p>"), "<p>A</p>");
}

#[test]
fn headings_start_below_the_headline() {
    assert_eq!(body("<h1>A</h1><h3>B</h3>"), "<h2>A</h2><h4>B</h4>");
    assert_eq!(body("<h4>A</h4><h5>B</h5>"), "<h2>A</h2><h3>B</h3>");
    assert_eq!(body("<h4><div><h2>A</h2></div></h4><h5>B</h5>"), "<h2>A</h2><h3>B</h3>");
}

#[test]
fn links_are_made_absolute_or_removed() {
    assert_eq!(
        body("<a href='../b?x=1&amp;y=2'>b</a>"),
        "<p><a href=\"https://crit.example/b?x=1&amp;y=2\" rel=\"noopener noreferrer\">b</a></p>"
    );
    for bad in [
        "javascript:alert(1)",
        "&#14;javascript:alert(1)",
        "java\nscript:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://u:p@x/",
    ] {
        assert_eq!(body(&format!("<a href=\"{bad}\">b</a>")), "<p>b</p>", "{bad}");
    }
}

#[test]
fn footnotes_keep_their_ids_and_other_ids_are_removed() {
    let html = "<p id=desk>A<sup><a href='#1' id=r1>1</a></sup></p><div class=f id=1><p>B <a href='https://crit.example/2024/anora#r1'>back</a></p></div>";
    assert_eq!(
        body(html),
        "<p>A<sup><a href=\"#note-1\" id=\"note-r1\">1</a></sup></p><div id=\"note-1\"><p>B <a href=\"#note-r1\">back</a></p></div>"
    );
}

#[test]
fn an_id_is_removed_with_the_last_link_to_it() {
    let html = "<div id=x><h2><a href='#x'>A</a><hr>B</h2></div>";
    assert_eq!(body(html), "<h2>A B</h2>");
}

#[test]
fn a_picture_that_moves_behind_the_same_one_is_dropped() {
    let figure = "<figure><img src=\"https://crit.example/2024/a.jpg\" alt=\"\"></figure>";
    for (html, expected) in [
        ("<img src=a.jpg><h2>One<img src=a.jpg></h2>", format!("{figure}<h2>One</h2>")),
        (
            "<img src=a.jpg><blockquote><h2>One<img src=a.jpg></h2></blockquote>",
            format!("{figure}<blockquote><h2>One</h2></blockquote>"),
        ),
        (
            "<ul><li><img src=a.jpg></li></ul><blockquote><h3>One<img src=a.jpg></h3>Two</blockquote>",
            format!("<ul><li>{figure}</li></ul><blockquote><h2>One</h2><p>Two</p></blockquote>"),
        ),
    ] {
        assert_eq!(body(html), expected, "{html}");
        assert_eq!(body(&body(html)), expected, "{html}");
    }
}

#[test]
fn plain_text_is_the_visible_text() {
    assert_eq!(
        html::plain_text("<p>A &amp;amp; <b>b</b>c</p><ul><li>d<li>e</ul><style>x</style>"),
        "A &amp; bc\nd\ne"
    );
    assert_eq!(html::plain_text("Review <script>alert(1)</script>of &lt;b&gt;"), "Review of <b>");
    assert_eq!(html::from_plain("a < b\nc\n\n\nd"), "<p>a &lt; b<br>c</p><p>d</p>");
    assert_eq!(html::teaser("<h2>No</h2><p>One <em>film</em>.</p><p>Two.</p>"), "One film. Two.");
}

#[test]
fn twice_the_depth_takes_about_twice_the_time() {
    let cost = |html: &str| {
        let one = || {
            let start = crate::sources::cpu_time();
            let facts = EntryFacts { title: "A", has_summary: false };
            let (body, _) = sanitize_entry_body(html, &base(), facts);
            crate::sources::credits::extract("A", &body, None);
            html::sanitize_comment(html, &Origin::parse("https://crit.example").unwrap());
            crate::sources::cpu_time().saturating_sub(start)
        };
        (0..2).map(|_| one()).min().unwrap()
    };
    for part in [
        "<img srcset='a.jpg 1w'>",
        "<noscript><img src=a>",
        "<picture><source srcset=a>",
        "<div class=sharedaddy>",
        "<p><a href=//x.com/intent/tweet>Tweet</a>",
        "<ul><li>The post <a href=/>x</a> appeared first on",
        "<div>",
        "<b><p>",
        "<table>x",
        "<a href=x>",
        "<ul><li>",
        "<script",
        "</p>",
        "<!--",
        "&amp",
        "<font color=1>",
        "<blockquote>",
        "<li>",
        "<b>",
        "<a href=#x id=x>y</a>",
        "<i id=x><br>",
        "<p>Directed by A B</p>",
        "x<br>",
        "<td>",
        "<img src=a>",
        "<a href=//b.example/c>a.example",
    ] {
        let small = cost(&part.repeat(6_000 / part.len()));
        let large = cost(&part.repeat(24_000 / part.len()));
        let bound = small.as_secs_f64() * 4.0 * 1.8 + 0.05;
        assert!(large.as_secs_f64() < bound, "{part}: {small:?}, {large:?}");
    }
}

proptest! {
    #[test]
    fn sanitizing_a_body_is_idempotent(parts in proptest::collection::vec(prop_oneof![
        Just("<p>"), Just("</p>"), Just("<a href='b'>"), Just("<a href='#x'>"), Just("<i id=x>"), Just("<div id=x>"),
        Just("</a>"), Just("<br>"), Just("<em>"), Just("</em>"), Just("<div>"), Just("</div>"), Just("<ul><li>"), Just("</ul>"), Just("<pre>\n\n"),
        Just("<h2>"), Just("<h4>"), Just(" "), Just("x & y < z"), Just("<span>"), Just("<table><td>"), Just("</table>"), Just("&nbsp;"),
        Just("<blockquote>"), Just("</blockquote>"), Just("<code>"), Just("&lt;script&gt;"), Just("\""), Just("<figure>"), Just("<figcaption>"),
        Just("<img src=a.jpg>"), Just("<img src=b.jpg alt='A &amp; &quot;b'>"), Just("<a href='//vimeo.com/7'><img src=a.jpg>▶ "), Just("</figcaption>"), Just("</figure>"),
        Just("<img srcset='c.jpg 1w, d.jpg 2w'>"), Just("<noscript>"), Just("</noscript>"), Just("<picture><source srcset=e.jpg>"), Just("</picture>"), Just("<img width=9 src=f.jpg alt=F>"), Just("<a href='g.jpg?utm_source=a'>"),
        Just("<div class=wp-caption>"), Just("<p class=wp-caption-text>"), Just("<table class=tr-caption-container><td class=tr-caption>"), Just("<hr>"), Just("<dl><dt>"), Just("<dd>"), Just("<details><summary>"), Just("<iframe src=//player.vimeo.com/video/7></iframe>"), Just("<tr>"), Just("<svg>"), Just("<caption>"), Just("<u>"),
    ], 0..16)) {
        let once = body(&parts.concat());
        prop_assert_eq!(body(&once), once.clone());
        let cleaner = &super::super::CLEANER;
        prop_assert_eq!(tree::write(&tree::parse(&cleaner.clean(&once).to_string())), tree::write(&tree::parse(&once.replace(" rel=\"noopener noreferrer\"", ""))));
    }

    #[test]
    fn a_repeated_picture_is_dropped_at_once(parts in proptest::collection::vec(prop_oneof![
        Just("<img src=a.jpg>"), Just("<img src=a.jpg>"), Just("x"), Just("<h2>"), Just("</h2>"), Just("<figure>"), Just("</figure>"), Just("<figcaption>"), Just("</figcaption>"),
        Just("<blockquote>"), Just("</blockquote>"), Just("<ul><li>"), Just("</ul>"), Just("<details><summary>"), Just("</summary>"), Just("<table><td>"), Just("</table>"), Just("<caption>"),
        Just("<a href='//vimeo.com/7'><img src=a.jpg>▶ "), Just("<div class=wp-caption>"), Just("<p class=wp-caption-text>"), Just("</div>"), Just("<b>"), Just("</b>"), Just("<p>"), Just("<dl><dt>"),
    ], 2..14)) {
        let once = body(&parts.concat());
        prop_assert_eq!(body(&once), once);
    }

    #[test]
    fn no_text_causes_a_panic(text in ".{0,200}", tags in "[<>/a-z =\"'&#;!-]{0,200}") {
        body(&text);
        body(&tags);
        html::plain_text(&tags);
        html::first_image(&body(&tags));
    }
}
