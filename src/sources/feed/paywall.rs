//! Posts of which a feed has only the free beginning, since the rest is for members or payers.

use crate::sources::html;
use crate::sources::review_content::{ReviewParts, SourceText};

/// Classes and ids of the elements that stand in place of the rest: in Ghost, Medium, Steady and Substack, and in plugins of
/// WordPress.
const PAYWALL_NAMES: [&str; 13] = [
    "medium-feed-link",
    "steady_paywall",
    "paywall-jump",
    "leaky_paywall_message",
    "premium-content-logged-out-view",
    "newspack-memberships__gate",
    "gh-post-upgrade-cta",
    "pmpro_content_message",
    "patreon-locked-content-message",
    "jetpack-subscribe-paywall",
    "mepr-unauthorized-message",
    "rcp-restricted-content-message",
    "wc-memberships-content-restricted",
];
/// What Steady's plugins put there before a page is made of the text.
const PAYWALL_MARKS: [&str; 2] = ["___STEADY_PAYWALL___", "<!--steady-paywall-->"];
/// What begins the text of a link at the end of a post on Substack that goes on for payers.
const READ_MORE: &str = "read more";

/// What a review of which only the beginning is public says below it, in the languages of most critics.
const PAID_NOTES: [(&str, &str); 13] = [
    ("en", "The rest of this review is for paying readers."),
    ("da", "Resten af denne tekst er for betalende læsere."),
    ("de", "Der Rest dieses Textes ist für zahlende Leser."),
    ("es", "El resto de este texto es para suscriptores de pago."),
    ("fr", "La suite de ce texte est réservée aux abonnés."),
    ("it", "Il resto di questo testo è riservato agli abbonati."),
    ("ja", "この続きは有料読者限定です。"),
    ("ko", "이 글의 나머지는 유료 독자만 볼 수 있습니다."),
    ("nl", "De rest van deze tekst is voor betalende lezers."),
    ("no", "Resten av denne teksten er for betalende lesere."),
    ("pl", "Dalsza część tego tekstu jest dla płacących czytelników."),
    ("pt", "O restante deste texto é para assinantes."),
    ("sv", "Resten av den här texten är för betalande läsare."),
];

/// Returns what a review of which only the beginning is public says below it, in its language (BCP 47), or else in English.
pub fn paid_note(language: Option<&str>) -> &'static str {
    let language = language.and_then(|tag| tag.split('-').next()).unwrap_or_default();
    let language = if matches!(language, "nb" | "nn") { "no" } else { language };
    let [(_, english), ..] = PAID_NOTES;
    PAID_NOTES.iter().find(|(tag, _)| *tag == language).map_or(english, |(_, note)| note)
}

/// Whether only the beginning of a post is free. The mark that says so is removed from its body.
pub(super) fn remove_paywall(parts: &mut ReviewParts, generator: Option<&str>) -> bool {
    let wrote = |name: &str| generator.is_some_and(|generator| generator.starts_with(name));
    let link = parts.link.as_ref();
    // Medium's feeds have such a beginning as their summary.
    let has_body = parts.body.as_ref().is_some_and(|body| !body.is_blank());
    let text = if has_body { &mut parts.body } else { &mut parts.summary };
    // Posts for members have an empty body in Ghost's feeds, and perhaps a summary.
    let has_words = has_body && text.as_ref().is_some_and(|text| !text.plain().trim().is_empty());
    if wrote("Ghost") && !has_words {
        return has_body || text.is_some();
    }
    let Some(SourceText::Html(text)) = text else { return false };
    if let Some(at) = paywall_start(text) {
        text.truncate(at);
        return true;
    }
    let is_substack = wrote("Substack")
        || link.is_some_and(|link| link.host_str().is_some_and(|host| host.ends_with(".substack.com")));
    if is_substack
        && let Some(at) = text.rfind("<a ")
        && let Some((_, tail)) = text.split_at_checked(at)
        && html::plain_text(tail).trim().to_lowercase() == READ_MORE
        && link.is_none_or(|link| tail.contains(link.path()))
    {
        text.truncate(at);
        return true;
    }
    false
}

/// Returns where the first element with the class or id of a paywall, or another mark of one, begins.
fn paywall_start(html: &str) -> Option<usize> {
    let named = PAYWALL_NAMES.iter().filter_map(|name| {
        html.match_indices(name).find_map(|(at, _)| {
            let tag = html.get(..at)?.rfind('<')?;
            // A name in a text is none.
            let is_in_tag =
                |tag: &&str| !tag.contains('>') && (tag.contains("class=") || tag.contains("id="));
            html.get(tag..at).filter(is_in_tag).map(|_| tag)
        })
    });
    named.chain(PAYWALL_MARKS.iter().filter_map(|mark| html.find(mark))).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_in_the_language_of_the_review() {
        for (language, part) in [
            (Some("de-AT"), "zahlende Leser"),
            (Some("nb"), "betalende lesere"),
            (Some("pt-BR"), "assinantes"),
            (Some("fi"), "paying readers"),
            (None, "paying readers"),
        ] {
            assert!(paid_note(language).contains(part), "{language:?}");
        }
    }

    fn teaser(body: &str, generator: Option<&str>) -> (bool, String) {
        let mut parts = ReviewParts {
            body: Some(SourceText::Html(body.to_owned())),
            summary: Some(SourceText::Html("A ferry".to_owned())),
            link: Some("https://crit.example/p/ferry".parse().unwrap()),
            ..ReviewParts::default()
        };
        let is_teaser = remove_paywall(&mut parts, generator);
        let Some(SourceText::Html(body)) = parts.body else { panic!("no body") };
        (is_teaser, body)
    }

    #[test]
    fn a_post_that_goes_on_for_payers_is_recognized_by_its_mark() {
        let more = "<p>A ferry.</p><p>\n<a href=\"https://crit.example/p/ferry\">\n Read more\n</a>\n</p>";
        assert_eq!(teaser(more, Some("Substack")), (true, "<p>A ferry.</p><p>\n".to_owned()));
        assert!(!teaser(more, Some("WordPress")).0, "an excerpt");
        let other = more.replace("p/ferry", "p/other");
        assert!(!teaser(&other, Some("Substack")).0, "a link to another post");
        assert!(!teaser(&format!("{more}<p>And on.</p>"), Some("Substack")).0);
        assert!(teaser(" <p> </p>", Some("Ghost 5.87")).0);
        assert!(!teaser("<p>A ferry.</p>", Some("Ghost 5.87")).0);
        assert!(!teaser("", None).0);
        for mark in PAYWALL_MARKS {
            let marked = format!("<p>A ferry.</p>{mark}<p>It sinks.</p>");
            assert_eq!(teaser(&marked, None), (true, "<p>A ferry.</p>".to_owned()), "{mark}");
        }
        for class in PAYWALL_NAMES {
            let marked = format!("<p>A ferry.</p><div class=\"box {class}\"><p>For members.</p></div>");
            assert_eq!(teaser(&marked, None), (true, "<p>A ferry.</p>".to_owned()), "{class}");
            let by_id = marked.replace("class=\"box ", "id=\"");
            assert_eq!(teaser(&by_id, None), (true, "<p>A ferry.</p>".to_owned()), "{class}");
            assert!(!teaser(&format!("<p>The class {class}.</p>"), None).0, "{class}");
            let after = format!("<p>The class {class}.</p>{marked}");
            assert_eq!(teaser(&after, None).1, format!("<p>The class {class}.</p><p>A ferry.</p>"));
        }
    }

    #[test]
    fn a_story_for_members_of_medium_has_its_beginning_as_its_summary() {
        let stub = "<div class=\"medium-feed-item\"><p class=\"medium-feed-image\"><img src=\"https://i.example/1.png\"></p>\
            <p class=\"medium-feed-snippet\">A ferry leaves without her\u{2026}</p>\
            <p class=\"medium-feed-link\"><a href=\"https://medium.com/p/1\">Continue reading on Medium »</a></p></div>";
        let mut parts =
            ReviewParts { summary: Some(SourceText::Html(stub.to_owned())), ..ReviewParts::default() };
        assert!(remove_paywall(&mut parts, Some("Medium")));
        let Some(SourceText::Html(text)) = &parts.summary else { panic!("no summary") };
        assert!(text.ends_with("without her\u{2026}</p>"), "{text}");
        // A story for all has its whole text, too.
        parts.summary = Some(SourceText::Html(stub.to_owned()));
        parts.body = Some(SourceText::Html("<p>A ferry leaves without her, and it sinks.</p>".to_owned()));
        assert!(!remove_paywall(&mut parts, Some("Medium")));
    }
}
