//! Posts of a live feed that need a password. Their entries are public: they have the headline, and a form or a sentence in
//! place of the text.

use crate::domain::content_hash::fold_letters;
use crate::sources::review_content::{ReviewParts, SourceText};

/// What tags have of which one is enough: the forms of WordPress and of its themes, any field for a password (Typecho, FC2), and
/// the texts that plugins of Hexo and Hugo encrypt.
const TAG_MARKS: [&str; 8] = [
    "post-password-form",
    "action=postpass",
    "post_password",
    "type=\"password\"",
    "type='password'",
    "type=password",
    "hexo-blog-encrypt",
    "hugo-encryptor-container",
];
/// The elements that have them.
const MARKED_ELEMENTS: [&str; 3] = ["form", "input", "div"];

/// How WordPress begins the headlines of such posts, and what it says in place of an excerpt, in some of its languages.
/// Translations of the sentence change; that of the headline hardly does.
const SENTENCES: [(&str, &str); 34] = [
    ("Protected", "There is no excerpt because this is a protected post."),
    ("Beskyttet", "Der er intet uddrag, da dette er et beskyttet indlæg."),
    ("Beskyttet", "Det finnes ikke utdrag siden innlegget er beskyttet."),
    ("Beveiligd", "Er is geen samenvatting omdat dit bericht is beveiligd."),
    ("Chráněno", "Stručný obsah příspěvku zde není uveden, protože je tento příspěvek chráněn heslem."),
    ("Diproteksi", "Tidak ada kutipan karena ini adalah tulisan yang dilindungi kata sandi."),
    ("Geschützt", "Es gibt keine Kurzfassung, da dies ein geschützter Beitrag ist."),
    ("Geschützt", "Es gibt keinen Textauszug, da dies ein geschützter Beitrag ist."),
    ("Korumalı", "Burada alıntı yok çünkü bu yazı korumalı."),
    ("Lösenordsskyddad", "Det finns inget utdrag eftersom det här är ett skyddat inlägg."),
    ("Skyddad", "Det finns inget utdrag eftersom detta är ett skyddat inlägg."),
    ("Parolat", "Nu există un rezumat, acesta este un articol protejat."),
    ("Protegido", "No hay extracto porque es una entrada protegida."),
    ("Protegido", "No hay extracto porque es un artículo protegido."),
    ("Protegido", "Não existe excerto porque se trata de um artigo protegido."),
    ("Protegido", "Não há Resumo por ser um post protegido."),
    ("Protegit", "No hi ha extracte perquè és una entrada protegida."),
    ("Protetto", "Non è disponibile alcun riassunto in quanto si tratta di un articolo protetto."),
    ("Protégé", "Il n’y pas d’extrait, car cet article est protégé."),
    ("Suojattu", "Otetta ei näytetä, koska artikkeli on suojattu."),
    ("Védett", "Nincs kivonat, mert ez egy védett tartalmú bejegyzés."),
    ("Zabezpieczony", "Brak wypisu, ponieważ wpis jest zabezpieczony hasłem."),
    ("Zaštićeno", "Nema izvatka jer je objava zaštićena."),
    ("Πρoστατευμένο", "Δεν υπάρχει απόσπασμα διότι το άρθρο είναι ιδιωτικό."),
    ("Защищено", "Цитаты нет, потому что запись защищена."),
    ("Захищено", "Цитата відсутня, оскільки це приватна публікація."),
    ("מוגן", "זהו פוסט מוגן ואין לו תקציר."),
    ("محمي", "لا يوجد مختصر لأن هذه التدوينة محمية بكلمة مرور."),
    ("ป้องกัน", "ไม่มีคำตัดทอนเพราะว่านี่เป็นเรื่องที่ถูกป้องกัน"),
    ("保護中", "この投稿はパスワードで保護されているため抜粋文はありません。"),
    ("密码保护", "无法提供摘要。这是一篇受保护的文章。"),
    ("受保護", "受保護的文章不會有摘要。"),
    ("受保護的文章", "受保護的文章不會產生摘要。"),
    ("잠긴 글", "잠긴 글에는 요약문이 없습니다."),
];
/// The most characters of a text that may be such a sentence.
const MAX_SENTENCE_CHARS: usize = 150;

/// Whether an entry has a form or a sentence in place of the text that a password protects.
pub(super) fn is_protected(parts: &ReviewParts) -> bool {
    let texts = || [&parts.body, &parts.summary].into_iter().flatten().filter(|text| !text.is_blank());
    if texts().any(|text| matches!(text, SourceText::Html(html) if has_form(html))) {
        return true;
    }
    let Some(text) = texts().next() else { return false };
    let (SourceText::Html(source) | SourceText::Plain(source)) = text;
    // Most texts are longer by far.
    if source.len() > 10 * MAX_SENTENCE_CHARS {
        return false;
    }
    let text = text.plain();
    let text = text.trim();
    if text.chars().count() > MAX_SENTENCE_CHARS {
        return false;
    }
    let title = parts.title.as_ref().map(SourceText::plain).unwrap_or_default();
    let prefix = title.split_once([':', '：']).map(|(prefix, _)| prefix.trim());
    let letters = fold_letters(text);
    SENTENCES
        .iter()
        .any(|(protected, sentence)| prefix == Some(protected) || letters == fold_letters(sentence))
}

/// How WordPress begins the headlines of private posts, in some of its languages. Only a feed that was fetched with a login has
/// them.
const PRIVATE: [&str; 17] = [
    "Private",
    "Privat",
    "Privado",
    "Privato",
    "Privé",
    "Prywatne",
    "Yksityinen",
    "Soukromé",
    "Özel",
    "Личное",
    "Приватно",
    "Magánjellegű",
    "Privata",
    "非公開",
    "비공개",
    "私密",
    "私密文章",
];

/// Whether an entry of WordPress is a private post, by its headline.
pub(super) fn is_private(parts: &ReviewParts) -> bool {
    let title = parts.title.as_ref().map(SourceText::plain).unwrap_or_default();
    title.split_once([':', '：']).is_some_and(|(prefix, _)| PRIVATE.contains(&prefix.trim()))
}

fn has_form(html: &str) -> bool {
    html.split('<').skip(1).any(|part| {
        let tag = part.split('>').next().unwrap_or_default();
        let is_element =
            |name: &&str| tag.get(..name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name));
        MARKED_ELEMENTS.iter().any(is_element) && {
            let tag = tag.to_ascii_lowercase();
            TAG_MARKS.iter().any(|mark| tag.contains(mark))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(title: &str, body: Option<&str>, summary: Option<&str>) -> bool {
        let html = |text: &str| SourceText::Html(text.to_owned());
        is_protected(&ReviewParts {
            title: Some(html(title)),
            body: body.map(html),
            summary: summary.map(html),
            ..ReviewParts::default()
        })
    }

    #[test]
    fn a_form_for_a_password_stands_in_place_of_the_text() {
        for form in [
            "<form action=\"https://crit.example/wp-login.php?action=postpass\" class=\"post-password-form\" method=\"post\">\
             <p>Bitte Passwort eingeben:</p></form>",
            "<p>Ask me for it.</p><FORM ACTION='/wp-login.php?action=postpass' method=post><input name=pw></FORM>",
            "<div class=\"pass\"><input size=\"20\" name=\"post_password\" id=\"pwbox-7\"></div>",
            "<form class=\"protected\" method=\"post\"><input type=\"password\" class=\"text\" name=\"protectPassword\"></form>",
            "<form method='POST'><input type='password' name='pass'></form>",
            "<div class=\"hbe hbe-container\" id=\"hexo-blog-encrypt\" data-wpm=\"x\"></div>",
            "<div class=\"hugo-encryptor-container\"><div>U2FsdGVkX1</div></div>",
        ] {
            assert!(protected("The Ferry", Some(form), None), "{form}");
            assert!(protected("The Ferry", None, Some(form)), "{form}");
        }
        for text in [
            "<p>The heist needs a password: post-password-form.</p>",
            "<pre>&lt;input type=\"password\"&gt;</pre>",
            "<form action=\"/search\"><input type=\"text\" name=\"s\"></form><p>The ferry leaves.</p>",
            "<p class=\"password\">The ferry leaves.</p>",
            "",
        ] {
            assert!(!protected("The Ferry", Some(text), Some("A ferry leaves")), "{text}");
        }
    }

    #[test]
    fn a_sentence_stands_in_place_of_the_excerpt() {
        for (prefix, sentence) in SENTENCES {
            let paragraph = format!("<p>{sentence}</p>\n");
            assert!(protected("The Ferry", None, Some(&paragraph)), "{sentence}");
            assert!(protected(&format!("{prefix}: The Ferry"), None, Some("Another wording.")), "{prefix}");
        }
        assert!(protected("Protégé\u{a0}: La Traversée", Some("Pas d’extrait."), None));
        assert!(protected("密码保护：渡船", Some("没有摘要。"), None));
        let long = format!("<p>{}</p>", "Nobody is protected in this film. ".repeat(9));
        assert!(!protected("Protected: The Last Bodyguard", Some(&long), None), "a film has that name");
        let quoted = format!("<p>There is no excerpt because this is a protected post. {long}</p>");
        assert!(!protected("The Ferry", Some(&quoted), None));
        assert!(!protected("Review: The Ferry", Some("It leaves."), None));
    }
}
