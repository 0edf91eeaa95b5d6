//! Sentences of platforms that have no structure. Each was found in public feeds.

use crate::domain::content_hash::fold_letters;

/// How a footer begins, and what it says between the headline and the name of the site: WordPress and Yoast in the
/// languages of their translations. A footer with links is recognized in any language.
const FOOTERS: [(&str, &str); 33] = [
    ("The post ", " appeared first on "),
    ("This post ", " appeared first on "),
    ("Der Beitrag ", " erschien zuerst auf "),
    ("Der Artikel ", " erschien zuerst auf "),
    ("L’article ", " est apparu en premier sur "),
    ("L'article ", " est apparu en premier sur "),
    ("Cet article ", " est apparu en premier sur "),
    ("La entrada ", " se publicó primero en "),
    ("La entrada ", " aparece primero en "),
    ("El artículo ", " apareció primero en "),
    ("El cargo ", " apareció primero en "),
    ("L'articolo ", " proviene da "),
    ("L’articolo ", " proviene da "),
    ("L'articolo ", " sembra essere il primo su "),
    ("L’articolo ", " sembra essere il primo su "),
    ("O post ", " apareceu primeiro em "),
    ("O conteúdo ", " aparece primeiro em "),
    ("O artigo ", " aparece primeiro em "),
    ("Het bericht ", " verscheen eerst op "),
    ("Inlägget ", " dök först upp på "),
    ("Indlægget ", " blev først udgivet på "),
    ("Indlægget ", " blev vist første gang den "),
    ("Innlegget ", " dukket først opp på "),
    ("Artikkeli ", " julkaistiin ensimmäisen kerran "),
    ("Artykuł ", " pochodzi z serwisu "),
    ("Příspěvek ", " pochází z "),
    ("Articolul ", " apare prima dată în "),
    ("Сообщение ", " появились сначала на "),
    ("Запис ", " спершу з'явився на "),
    ("投稿 ", " に最初に表示されました"),
    ("帖子", "最先出现在"),
    ("", " 게시물이 "),
    ("", " yazısı ilk önce "),
];

/// The letters of labels above share buttons, likes and related posts.
const LABELS: [&str; 42] = [
    "",
    "share",
    "sharethis",
    "shareon",
    "sharethispost",
    "sharethisreview",
    "sharevia",
    "tweet",
    "likethis",
    "related",
    "relatedposts",
    "spreadtheword",
    "teilen",
    "teilenmit",
    "teileniesmit",
    "diesteilen",
    "gefälltmir",
    "ähnlichebeiträge",
    "partager",
    "partagercetarticle",
    "partagez",
    "jaimeça",
    "articlessimilaires",
    "compartir",
    "compartelo",
    "compártelo",
    "comparteesto",
    "megustaesto",
    "relacionado",
    "compartilhar",
    "compartilheisso",
    "curtirisso",
    "condividi",
    "condividisu",
    "mipiace",
    "correlati",
    "delen",
    "deldette",
    "dela",
    "udostępnij",
    "共有",
    "공유하기",
];

/// Lines that are placeholders of scripts, or notices, in lower case.
const LINES: [&str; 11] = [
    "like loading...",
    "like loading…",
    "gefällt mir wird geladen …",
    "j’aime chargement…",
    "[[ this is a content summary only. visit my website for full links, other content, and more! ]]",
    "this post is public so feel free to share it.",
    "subscribe to get the latest posts sent to your email.",
    "advertisement",
    "advertisements",
    "report this ad",
    "powered by wpematico",
];

/// Whether a text is a footer by its words alone.
pub(super) fn is_footer(text: &str) -> bool {
    FOOTERS.iter().any(|(start, middle)| text.starts_with(start) && text.contains(middle))
}

/// Whether a text is empty or a label above share buttons, likes or a subscribe widget.
pub(super) fn is_label(text: &str) -> bool {
    text.len() < 100
        && (LABELS.contains(&fold_letters(text).as_str()) || text.starts_with("Discover more from "))
}

/// Whether a line is a notice or an appeal of its platform.
pub(super) fn is_platform_line(text: &str) -> bool {
    let has = |part: &str| text.contains(part);
    let is_medium = has(" was originally published in ")
        && has("on Medium, where people are continuing the conversation");
    let is_thanks = text.starts_with("Thanks for reading ")
        && (has("Subscribe for free to receive new posts")
            || has("This post is public so feel free to share it"));
    let is_appeal = has("is a reader-supported publication. To receive new posts and support");
    is_medium || is_thanks || is_appeal || (text.len() < 100 && LINES.contains(&text.to_lowercase().as_str()))
}

/// Whether a line is the notice that Medium writes below a text that it imported.
pub(super) fn is_import_notice(text: &str) -> bool {
    text.starts_with("Originally published at ") && text.len() < 300
}

/// Returns a text without the footer at its end, if that names the headline.
pub(in crate::sources) fn strip_from_text<'a>(text: &'a str, title: &str) -> &'a str {
    let title = fold_letters(title);
    let named = |start: &str, middle: &str| {
        let (before, _) = text.rsplit_once(middle)?;
        let at = if start.is_empty() { 0 } else { before.rfind(start)? };
        let headline = fold_letters(before.get(at + start.len()..)?);
        let is_same = !headline.is_empty() && (title.contains(&headline) || headline.contains(&title));
        is_same.then(|| text.get(..at)).flatten()
    };
    let rest = FOOTERS
        .iter()
        .filter(|(start, _)| !start.is_empty())
        .find_map(|(start, middle)| named(start, middle));
    rest.unwrap_or(text).trim_end()
}
