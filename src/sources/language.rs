//! Notices that a text is plainly in another language than its source declares, as with a blog whose settings were never
//! changed. Readers filter posts by language, and browsers hyphenate by it.

use whatlang::Lang;

use super::html;

/// The fewest letters of a text whose language is looked for.
const MIN_LETTERS: usize = 300;
/// The most characters of a text that are looked at.
const MAX_CHARS: usize = 1_000;
/// The least confidence, of at most 1.
const MIN_CONFIDENCE: f64 = 0.95;

/// Languages that the detector knows, by their codes of ISO 639-1.
const KNOWN: [(Lang, &str); 43] = [
    (Lang::Eng, "en"),
    (Lang::Rus, "ru"),
    (Lang::Cmn, "zh"),
    (Lang::Spa, "es"),
    (Lang::Por, "pt"),
    (Lang::Ita, "it"),
    (Lang::Ben, "bn"),
    (Lang::Fra, "fr"),
    (Lang::Deu, "de"),
    (Lang::Ukr, "uk"),
    (Lang::Kat, "ka"),
    (Lang::Ara, "ar"),
    (Lang::Hin, "hi"),
    (Lang::Jpn, "ja"),
    (Lang::Heb, "he"),
    (Lang::Pol, "pl"),
    (Lang::Kor, "ko"),
    (Lang::Nob, "nb"),
    (Lang::Dan, "da"),
    (Lang::Swe, "sv"),
    (Lang::Fin, "fi"),
    (Lang::Tur, "tr"),
    (Lang::Nld, "nl"),
    (Lang::Hun, "hu"),
    (Lang::Ces, "cs"),
    (Lang::Ell, "el"),
    (Lang::Bul, "bg"),
    (Lang::Bel, "be"),
    (Lang::Ron, "ro"),
    (Lang::Slv, "sl"),
    (Lang::Hrv, "hr"),
    (Lang::Srp, "sr"),
    (Lang::Mkd, "mk"),
    (Lang::Lit, "lt"),
    (Lang::Lav, "lv"),
    (Lang::Est, "et"),
    (Lang::Tam, "ta"),
    (Lang::Vie, "vi"),
    (Lang::Tha, "th"),
    (Lang::Tel, "te"),
    (Lang::Pes, "fa"),
    (Lang::Slk, "sk"),
    (Lang::Cat, "ca"),
];

/// Languages that are so similar that one is taken for the other, with some that the detector does not know.
const SIMILAR: [&[&str]; 6] = [
    &["nb", "no", "nn", "da", "sv"],
    &["hr", "sr", "bs", "sl", "sh"],
    &["es", "pt", "ca", "gl", "ast", "oc", "it"],
    &["cs", "sk"],
    &["ru", "uk", "be", "bg", "mk", "sr"],
    &["nl", "af", "fy"],
];

/// Returns the language of a body, as a BCP 47 tag, if that is plainly another one than `declared`. A text that is short,
/// in a mix of languages, or in one that is much like the declared one is never plain.
pub fn plainly_other_language(body: &str, declared: &str) -> Option<&'static str> {
    let declared = declared.split('-').next().unwrap_or_default();
    let is_known =
        KNOWN.iter().any(|(_, code)| *code == declared) || SIMILAR.iter().any(|all| all.contains(&declared));
    // A language that the detector does not know is always taken for another.
    is_known.then_some(())?;
    let text: String = html::text_of(&html::parse(body)).chars().take(MAX_CHARS).collect();
    if text.chars().filter(|c| c.is_alphabetic()).count() < MIN_LETTERS {
        return None;
    }
    let found =
        whatlang::detect(&text).filter(|info| info.is_reliable() && info.confidence() >= MIN_CONFIDENCE)?;
    let (_, code) = KNOWN.iter().find(|(lang, _)| *lang == found.lang())?;
    let is_similar = SIMILAR.iter().any(|all| all.contains(code) && all.contains(&declared));
    (*code != declared && !is_similar).then_some(*code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GERMAN: &str = "<p>Der Film beginnt mit einer langen Fahrt durch die Stadt, und niemand sagt ein Wort. Erst als der Regen \
        aufhört, spricht die Mutter, und was sie sagt, verändert alles, was wir bis dahin gesehen haben.</p><p>Es ist ein Werk, das Geduld \
        verlangt und sie belohnt. Die Kamera bleibt bei den Gesichtern, auch wenn das Haus schon leer ist, und am Ende weiß man nicht, \
        wer hier eigentlich gegangen ist und wer geblieben.</p>";
    const ENGLISH: &str = "<p>The film begins with a long drive through the city, and nobody says a word. Only when the rain stops does the \
        mother speak, and what she says changes everything that we have seen so far.</p><p>It is a work that asks for patience and \
        rewards it. The camera stays with the faces even when the house is empty, and in the end one does not know who has left. That it is also funny, in a quiet way, one \
        notices only on the way home, and then one wants to see it again.</p>";
    const DANISH: &str = "<p>Filmen begynder med en lang køretur gennem byen, og ingen siger et ord. Først da regnen holder op, taler moderen, \
        og det, hun siger, ændrer alt, hvad vi har set indtil nu.</p><p>Det er et værk, der kræver tålmodighed og belønner den. Kameraet \
        bliver hos ansigterne, også når huset allerede er tomt, og til sidst ved man ikke, hvem der egentlig er gået herfra. Den er også morsom på en \
        stille måde, som man først lægger mærke til på vejen hjem.</p>";

    #[test]
    fn only_a_long_text_that_is_plainly_in_another_language_is_noticed() {
        for (body, declared, found) in [
            (GERMAN, "en", Some("de")),
            (GERMAN, "en-US", Some("de")),
            (GERMAN, "de", None),
            (GERMAN, "de-AT", None),
            (ENGLISH, "de", Some("en")),
            (ENGLISH, "en-GB", None),
            (DANISH, "en", Some("da")),
            (DANISH, "nn", None),
            (DANISH, "sv", None),
            (GERMAN, "gsw", None),
            (GERMAN, "tlh", None),
            ("<p>Der Film beginnt mit einer langen Fahrt.</p>", "en", None),
            ("", "en", None),
        ] {
            assert_eq!(plainly_other_language(body, declared), found, "{declared}: {body}");
        }
        let mixed = format!("{GERMAN}{ENGLISH}");
        assert!(plainly_other_language(&mixed, "fr").is_none_or(|found| found == "de" || found == "en"));
    }
}
