use proptest::prelude::*;

use super::super::{EntryFacts, sanitize_entry_body};
use super::*;

fn sanitize(html: &str, is_export: bool) -> String {
    let base = "https://crit.example/a".parse().unwrap();
    let facts = EntryFacts { title: "A", has_summary: false };
    sanitize_entry_body(&expand(html, is_export), &base, facts).0
}

/// The body of a text in an export.
fn body(html: &str) -> String {
    sanitize(html, true)
}

const FIGURE: &str = "<figure><img src=\"https://crit.example/b.jpg\" alt=\"\"><figcaption>A boat. Photo: <em>Per</em></figcaption></figure>";

#[test]
fn line_breaks_of_an_export_are_paragraphs_and_breaks() {
    for (html, expected) in [
        ("One\ntwo <em>three</em>.\r\n\r\n\nFour.", "<p>One<br>\ntwo <em>three</em>.</p><p>Four.</p>"),
        (
            "One.\n\n<p style=\"text-align: center\">Two.</p>\n\nThree.\n\nFour.",
            "<p>One.</p><p>Two.</p><p>Three.</p><p>Four.</p>",
        ),
        (
            "<h2>A</h2>\nOne.\n\n<blockquote>Two.\n\nThree.</blockquote>\nFour.",
            "<h2>A</h2><p>One.</p><blockquote><p>Two.</p><p>Three.</p></blockquote><p>Four.</p>",
        ),
        ("<ul>\n\t<li>One</li>\n\t<li>Two\n</li>\n</ul>", "<ul><li>One</li><li>Two</li></ul>"),
        ("<pre>One\n\ntwo</pre>", "<pre>One\n\ntwo</pre>"),
        ("One<br />\ntwo", "<p>One<br>\ntwo</p>"),
        (
            "<!-- wp:paragraph -->\n<p>One\ntwo</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:paragraph -->\n<p>Three</p>\n<!-- /wp:paragraph -->",
            "<p>One\ntwo</p><p>Three</p>",
        ),
    ] {
        assert_eq!(body(html), expected, "{html}");
    }
}

#[test]
fn blank_lines_separate_paragraphs_of_a_feed_only_in_text_without_any() {
    assert_eq!(sanitize("One\ntwo.\n\nThree.", false), "<p>One\ntwo.</p><p>Three.</p>");
    for html in ["<p>One\n\ntwo</p>", "One<BR>two\n\nthree", "<pre>One\n\ntwo</pre>", "One\ntwo", "One\n\n"] {
        assert_eq!(expand(html, false), html);
    }
}

#[test]
fn a_caption_shortcode_becomes_a_figure() {
    for html in [
        "[caption id=\"attachment_5\" align=\"alignnone\" width=\"300\"]<a href=\"/b.jpg\"><img src=\"/b.jpg\" /></a> A boat. Photo: <em>Per</em>[/caption]",
        "[caption width=\"300\"]<img src=\"/b.jpg\"> A boat. Photo: <em>Per</em>[/caption]",
        "[caption width=\"300\" caption=\"A boat. Photo: &lt;em&gt;Per&lt;/em&gt;\"]<img src=\"/b.jpg\">[/caption]",
        "<p>[caption width=\"300\" caption=\"A boat. Photo: <em>Per</em>\"]<img src=\"/b.jpg\">[/caption]</p>",
        "[wp_caption width='300']<img src=\"/b.jpg\">A boat. Photo: <em>Per</em>[/wp_caption]",
    ] {
        assert_eq!(body(html), FIGURE, "{html}");
        assert_eq!(sanitize(html, false), FIGURE, "{html}");
    }
    assert_eq!(
        body("One.\n\n[caption width=\"3\"]<img src=/b.jpg>\nA boat. Photo: <em>Per</em>[/caption]\n\nTwo."),
        format!("<p>One.</p>{FIGURE}<p>Two.</p>")
    );
}

#[test]
fn shortcodes_are_not_text() {
    for html in [
        "One.\n\n[gallery ids=\"729,732,731\"]\n\nTwo.",
        "One.\n\n[gallery]\n\nTwo.",
        "One.\n\n[gallery columns=3 link=file]\n\nTwo.",
        "[vc_row][vc_column width=\"1/2\"][vc_column_text]One.[/vc_column_text][/vc_column][/vc_row]\n\nTwo.",
        "[et_pb_section bb_built=\"1\"]One.\n\nTwo.[/et_pb_section]",
        "One.\n\n[jetpack-related-posts]\n\nTwo.",
        "One.\n\n[contact-form-7 id=\"3\" title=\"Write\"]\n\nTwo.",
        "One.\n\n[polldaddy poll=123456]\n\nTwo.",
        "[dropcap style=\u{201D}big\u{201D}]One.[/dropcap]\n\nTwo.",
        "One.\n\n[ad_slot]\n\nTwo.",
    ] {
        assert_eq!(body(html), "<p>One.</p><p>Two.</p>", "{html}");
    }
}

#[test]
fn other_brackets_are_text() {
    for text in [
        "He goes [sic] home [1] and [laughs], [\u{2026}] she [as Anna] stays [caption].",
        "[Spoilers ahead] [Rating: PG-13] [video] [audio] [/rant] [gallery of the year's best] [it's]",
        "[Ed: see above] [a_] [embed this] [rating] [2001] [X/Y] [citation needed]",
    ] {
        assert_eq!(body(text), format!("<p>{text}</p>"));
    }
    assert_eq!(
        body("Write [[gallery]] or <code>[gallery]</code>."),
        "<p>Write [gallery] or <code>[gallery]</code>.</p>"
    );
}

#[test]
fn videos_become_links() {
    let trailer = "<p><a href=\"https://www.youtube.com/watch?v=abcdefghij0\" rel=\"noopener noreferrer\">▶ youtube.com</a></p>";
    for html in [
        "[youtube=http://www.youtube.com/watch?v=abcdefghij0&amp;w=640]",
        "[youtube https://youtu.be/abcdefghij0]",
        "[youtube]abcdefghij0[/youtube]",
        "[youtube id=\"abcdefghij0\" width=\"600\"]",
        "[embed width=\"600\"]https://www.youtube.com/watch?v=abcdefghij0[/embed]",
        "https://www.youtube.com/watch?v=abcdefghij0",
        "<!-- wp:embed --><figure class=\"wp-block-embed\"><div class=\"wp-block-embed__wrapper\">\nhttps://youtu.be/abcdefghij0\n</div></figure><!-- /wp:embed -->",
    ] {
        assert!(
            body(&format!("One.\n\n{html}\n\nTwo.")).contains(trailer.trim_start_matches("<p>")),
            "{html}: {}",
            body(html)
        );
    }
    assert!(body("[vimeo 76979871]").contains("https://vimeo.com/76979871"));
    let link = "<p><a href=\"https://soundcloud.com/a/b\" rel=\"noopener noreferrer\">https://soundcloud.com/a/b</a></p>";
    assert_eq!(body("[soundcloud url=\"https://soundcloud.com/a/b\" width=\"100%\"]"), link);
}

#[test]
fn ratings_and_spoilers_in_shortcodes_are_kept() {
    for (html, text) in [
        ("[rating:3.5]", "3.5/5"),
        ("[Rating:3/4]", "3/4"),
        ("[xrr rating=7/10]", "7/10"),
        ("[usr 3.5]", "3.5/5"),
        ("[usr 7 max=10]", "7/10"),
        ("[star rating=\"85\" type=\"percent\"]", "85%"),
    ] {
        assert_eq!(body(html), format!("<p>{text}</p>"), "{html}");
    }
    assert_eq!(
        body("One.\n\n[spoiler title=\"The end\"]They die.[/spoiler]\n\nTwo."),
        "<p>One.</p><details><summary>The end</summary><p>They die.</p></details><p>Two.</p>"
    );
}

proptest! {
    #[test]
    fn no_text_causes_a_panic(parts in proptest::collection::vec(prop_oneof![
        Just("[caption"), Just(" a=\"b"), Just("]"), Just("[/caption]"), Just("<img"), Just(">"), Just("</a>"), Just("\n"), Just("é"), Just("caption=\""),
        Just("<"), Just("["), Just("[spoiler]"), Just("[/spoiler]"), Just("[rating:"), Just("3"), Just("/"), Just("[youtube="), Just("\u{201D}"), Just("<pre>"), Just("http://youtu.be/a"),
    ], 0..20), is_export in any::<bool>()) {
        sanitize(&parts.concat(), is_export);
    }

    #[test]
    fn text_without_brackets_and_line_breaks_stays(text in "[a-z <>/=.é]{0,60}") {
        let expanded = expand(&text, false);
        prop_assert_eq!(expanded.as_ref(), text.as_str());
    }
}
