//! Customization of the site's appearance: colours, fonts, `<meta>` tags, and a folder of overrides.
//!
//! Each value is validated when it is parsed, so that no value can inject CSS or HTML.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The settings that override the built-in appearance.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// A folder whose files replace built-in templates, styles and messages, or are served in addition.
    pub folder: Option<PathBuf>,
    /// Colours of the light theme.
    pub light: Palette,
    /// Colours of the dark theme.
    pub dark: Palette,
    /// The font of bodies and headlines.
    pub serif: Option<FontStack>,
    /// The font of everything else.
    pub sans: Option<FontStack>,
    /// `<meta>` tags for the head of each page.
    pub meta: Vec<MetaTag>,
}

/// A `<meta>` tag for the head of each page, such as a search engine's proof of ownership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaTag {
    /// The `name` attribute.
    pub name: String,
    /// The `content` attribute.
    pub content: String,
}

/// The colours of a theme, by their purpose. `None` means the built-in colour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Palette {
    /// The page's background.
    pub paper: Option<Colour>,
    /// The background of boxes.
    pub sheet: Option<Colour>,
    /// Borders and rules.
    pub line: Option<Colour>,
    /// Text.
    pub ink: Option<Colour>,
    /// Secondary text.
    pub soft: Option<Colour>,
    /// Links and buttons.
    pub link: Option<Colour>,
    /// Filled stars and ornaments.
    pub gold: Option<Colour>,
    /// Empty stars.
    pub unlit: Option<Colour>,
}

impl Palette {
    /// The built-in colours of the light theme, the same as in the style sheet.
    pub const DEFAULT_LIGHT: [(&'static str, &'static str); 8] = [
        ("paper", "#faf7f1"),
        ("sheet", "#f2ece1"),
        ("line", "#ddd4c4"),
        ("ink", "#231f1a"),
        ("soft", "#655c50"),
        ("link", "#8c2f1d"),
        ("gold", "#935a06"),
        ("unlit", "#d5cab8"),
    ];
    /// The built-in colours of the dark theme.
    pub const DEFAULT_DARK: [(&'static str, &'static str); 8] = [
        ("paper", "#13110f"),
        ("sheet", "#1d1a16"),
        ("line", "#36302a"),
        ("ink", "#e4dccf"),
        ("soft", "#a79c8c"),
        ("link", "#eeb36b"),
        ("gold", "#f0b860"),
        ("unlit", "#4a4238"),
    ];

    /// The colours that are set, with their names.
    pub fn custom_colours(&self) -> impl Iterator<Item = (&'static str, &Colour)> {
        let all = [
            ("paper", &self.paper),
            ("sheet", &self.sheet),
            ("line", &self.line),
            ("ink", &self.ink),
            ("soft", &self.soft),
            ("link", &self.link),
            ("gold", &self.gold),
            ("unlit", &self.unlit),
        ];
        all.into_iter().filter_map(|(name, colour)| Some((name, colour.as_ref()?)))
    }

    /// Returns the colour of that name, or the one in `built_in` if it is not set.
    pub fn resolve(&self, name: &str, built_in: &[(&str, &str); 8]) -> String {
        let own = self.custom_colours().find(|(set, _)| *set == name).map(|(_, colour)| colour.0.clone());
        let built_in = || built_in.iter().find(|(known, _)| *known == name).map(|(_, colour)| *colour);
        own.unwrap_or_else(|| built_in().unwrap_or("#000000").to_owned())
    }

    /// Returns the pairs of text and background colours that are hard to read, with their contrast. The
    /// minimum is 4.5 (WCAG 2.2, success criterion 1.4.3).
    pub fn low_contrast_pairs(&self, built_in: &[(&str, &str); 8]) -> Vec<(&'static str, &'static str, f64)> {
        let grounds = ["paper", "sheet"].into_iter();
        let pairs = grounds.flat_map(|ground| ["ink", "soft", "link"].map(|text| (text, ground)));
        let own = |name: &str| self.custom_colours().any(|(set, _)| set == name);
        pairs
            .filter(|(text, ground)| own(text) || own(ground))
            .map(|(text, ground)| {
                (text, ground, contrast(&self.resolve(text, built_in), &self.resolve(ground, built_in)))
            })
            .filter(|(_, _, contrast)| *contrast < 4.5)
            .collect()
    }
}

/// An opaque colour, such as `#8c2f1d`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(String);

impl Colour {
    /// The colour in CSS syntax.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.0
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && digits.len() == 6 {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(format!("{text:?} is not a colour such as #8c2f1d"))
    }
}

/// A list of font families in order of preference, such as `"Source Serif 4", Georgia, serif`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FontStack(String);

impl FontStack {
    /// The value of the CSS property `font-family`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<FontStack> for String {
    fn from(fonts: FontStack) -> Self {
        fonts.0
    }
}

impl TryFrom<String> for FontStack {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a list of fonts such as \"Source Serif 4\", Georgia, serif");
        let mut names = Vec::new();
        for name in text.split(',') {
            let name = name.trim().trim_matches(['"', '\'']).trim();
            let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            if name.is_empty() || name.len() > 80 || !name.chars().all(fits) {
                return Err(wrong());
            }
            let generic = ["serif", "sans-serif", "monospace", "system-ui", "ui-serif", "ui-sans-serif"];
            names.push(if generic.contains(&name) { name.to_owned() } else { format!("\"{name}\"") });
        }
        Ok(Self(names.join(", ")))
    }
}

/// Returns the contrast ratio of two colours, from 1 to 21 (WCAG 2.2).
fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let byte = colour.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
        let value = f64::from(byte) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hex_colours_of_six_digits_are_accepted() {
        let colour = |text: &str| Colour::try_from(text.to_owned());
        assert_eq!(colour("#8C2f1D").unwrap().as_str(), "#8c2f1d");
        for text in ["", "red", "#fff", "#8c2f1", "#8c2f1d;}", "#8c2f1d0", "8c2f1dd", "#ääü"] {
            assert!(colour(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_names_are_accepted_as_fonts() {
        let fonts = |text: &str| FontStack::try_from(text.to_owned());
        assert_eq!(
            fonts("Source Serif 4, 'Georgia',serif").unwrap().as_str(),
            "\"Source Serif 4\", \"Georgia\", serif"
        );
        for text in ["", "a,,b", "a;b", "url(x)", "a\"} body { display: none", "a\\22"] {
            assert!(fonts(text).is_err(), "{text}");
        }
    }

    #[test]
    fn low_contrast_is_detected() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
        let palette = Palette { soft: Colour::try_from("#cccccc".to_owned()).ok(), ..Palette::default() };
        let faint = palette.low_contrast_pairs(&Palette::DEFAULT_LIGHT);
        assert_eq!(
            faint.iter().map(|(text, ground, _)| (*text, *ground)).collect::<Vec<_>>(),
            [("soft", "paper"), ("soft", "sheet")]
        );
        assert!(palette.low_contrast_pairs(&Palette::DEFAULT_DARK).is_empty());
    }
}
