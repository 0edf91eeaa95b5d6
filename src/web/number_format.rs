//! Formats whole numbers by the rules of the site's language (CLDR): `12,345` in English, `12.345` in German,
//! `12 345` in French.

use fluent_bundle::FluentValue;
use icu_decimal::input::Decimal;
use icu_decimal::options::DecimalFormatterOptions;
use icu_decimal::{DecimalFormatter, DecimalFormatterPreferences};
use icu_locale_core::Locale;
use intl_memoizer::Memoizable;
use intl_memoizer::concurrent::IntlLangMemoizer;
use unic_langid::LanguageIdentifier;

/// The formatter of Fluent messages. Years are passed as text, so they are not grouped.
pub(super) fn format_number(value: &FluentValue<'_>, memoizer: &IntlLangMemoizer) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    let number: Decimal = number.as_string().parse().ok()?;
    memoizer
        .with_try_get::<NumberFormatter, _, _>((), |formatter| formatter.0.format(&number).to_string())
        .ok()
}

/// Created once for the language of the bundle.
struct NumberFormatter(DecimalFormatter);

impl Memoizable for NumberFormatter {
    type Args = ();
    type Error = anyhow::Error;

    fn construct(language: LanguageIdentifier, (): ()) -> anyhow::Result<Self> {
        let locale: Locale = language.to_string().parse()?;
        let preferences = DecimalFormatterPreferences::from(&locale);
        Ok(Self(DecimalFormatter::try_new(preferences, DecimalFormatterOptions::default())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_the_rules_of_the_language() {
        for (language, number, expected) in [
            ("en", 1_204, "1,204"),
            ("en-GB", 12_345, "12,345"),
            ("en-IN", 1_234_567, "12,34,567"),
            ("de", 12_345, "12.345"),
            ("de-AT", 12_345, "12\u{a0}345"),
            ("fr", 12_345, "12\u{202f}345"),
            ("es", 1_204, "1204"),
            ("es", 12_345, "12.345"),
            ("pt-BR", 1_204, "1.204"),
            ("hi", 1_234_567, "12,34,567"),
            ("ar-EG", 12_345, "١٢٬٣٤٥"),
            ("fa", 12_345, "۱۲٬۳۴۵"),
            ("de", 0, "0"),
            ("de", 999, "999"),
        ] {
            let memoizer = IntlLangMemoizer::new(language.parse().unwrap());
            let formatted = format_number(&FluentValue::from(number), &memoizer);
            assert_eq!(formatted.as_deref(), Some(expected), "{number} in {language}");
        }
        assert_eq!(format_number(&"2026".into(), &IntlLangMemoizer::new("en".parse().unwrap())), None);
    }
}
