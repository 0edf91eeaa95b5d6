//! Posts of which a feed has only the free beginning, since the rest is for members or payers.

use crate::sources::html;
use crate::sources::review_content::{ReviewParts, SourceText};

/// Classes of the boxes that stand in place of the rest, in Ghost and in plugins of WordPress.
const PAYWALL_CLASSES: [&str; 7] = [
    "gh-post-upgrade-cta",
    "pmpro_content_message",
    "patreon-locked-content-message",
    "jetpack-subscribe-paywall",
    "mepr-unauthorized-message",
    "rcp-restricted-content-message",
    "wc-memberships-content-restricted",
];
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
    let Some(SourceText::Html(body)) = &mut parts.body else {
        return wrote("Ghost") && parts.summary.is_some();
    };
    if let Some(at) = paywall_start(body) {
        body.truncate(at);
        return true;
    }
    let is_substack = wrote("Substack")
        || link.is_some_and(|link| link.host_str().is_some_and(|host| host.ends_with(".substack.com")));
    if is_substack
        && let Some(at) = body.rfind("<a ")
        && let Some((_, tail)) = body.split_at_checked(at)
        && html::plain_text(tail).trim().to_lowercase() == READ_MORE
        && link.is_none_or(|link| tail.contains(link.path()))
    {
        body.truncate(at);
        return true;
    }
    // Ghost gives posts for members an empty body in its feed.
    wrote("Ghost") && html::plain_text(body).trim().is_empty()
}

/// Returns where the element with the class of a paywall begins.
fn paywall_start(body: &str) -> Option<usize> {
    PAYWALL_CLASSES.iter().find_map(|class| {
        let at = body.find(class)?;
        let tag = body.get(..at)?.rfind('<')?;
        // A class in a text is none.
        body.get(tag..at).filter(|tag| !tag.contains('>') && tag.contains("class=")).map(|_| tag)
    })
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
        for class in PAYWALL_CLASSES {
            let marked = format!("<p>A ferry.</p><div class=\"box {class}\"><p>For members.</p></div>");
            assert_eq!(teaser(&marked, None), (true, "<p>A ferry.</p>".to_owned()), "{class}");
            assert!(!teaser(&format!("<p>The class {class}.</p>"), None).0, "{class}");
        }
    }
}
