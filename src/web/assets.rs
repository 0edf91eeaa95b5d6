//! The style sheet, the script, the icon and the files in the looks folder. All of them are read once, at start.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::domain::hash::sha256_hex;
use crate::domain::looks::{Looks, Palette};

/// A static file, served at `/assets/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The file name, which is the last segment of its path.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// The media type.
    pub content_type: &'static str,
    /// A short hash of the content, used in the URL and as the entity tag.
    pub version: String,
}

/// All assets of the site.
#[derive(Debug, Clone)]
pub struct Assets(Vec<Asset>);

const STYLE: &str = "style.css";

/// A file in the looks folder that is appended to the built-in style sheet.
const CUSTOM_STYLE: &str = "own.css";

const BUILT_IN: [(&str, &[u8]); 3] = [
    (STYLE, include_bytes!("assets/style.css")),
    ("site.js", include_bytes!("assets/site.js")),
    ("icon.svg", include_bytes!("assets/icon.svg")),
];

/// Media types of the files in the looks folder that are served, by extension.
const MEDIA_TYPES: [(&str, &str); 11] = [
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("woff", "font/woff"),
];

/// How large a file in the looks folder may be.
const MAX_ASSET_BYTES: u64 = 4 * 1024 * 1024;

impl Assets {
    /// Loads the built-in files and those of the looks folder. A file there replaces the built-in one of the same name.
    /// The colours and fonts of the looks, and `own.css`, are appended to the style sheet.
    ///
    /// # Errors
    /// If a file cannot be read or is larger than 4 MiB.
    pub fn load(looks: &Looks) -> anyhow::Result<Self> {
        let mut all: Vec<Asset> = Vec::new();
        for (name, bytes) in BUILT_IN {
            all.extend(build_asset(name, bytes.to_vec()));
        }
        let mut custom_style = None;
        if let Some(folder) = &looks.folder {
            for (name, bytes) in read_custom_files(folder)? {
                if name == CUSTOM_STYLE {
                    custom_style = Some(bytes);
                    continue;
                }
                all.retain(|asset| asset.name != name);
                all.extend(build_asset(&name, bytes));
            }
        }
        if let Some(style) = all.iter_mut().find(|asset| asset.name == STYLE) {
            style.bytes.extend(theme_css(looks).into_bytes());
            style.bytes.extend(custom_style.into_iter().flatten());
            style.version = version(&style.bytes);
        }
        Ok(Self(all))
    }

    /// Finds an asset by name: what follows `/assets/` in its path, without the query.
    pub fn find(&self, name: &str) -> Option<&Asset> {
        self.0.iter().find(|asset| asset.name == name)
    }

    /// The path of an asset with its version, which may be cached forever: `/assets/style.css?v=…`.
    pub fn href(&self, name: &str) -> Option<String> {
        let asset = self.find(name)?;
        Some(format!("/assets/{name}?v={}", asset.version))
    }
}

/// Returns `None` for an extension that is not served.
fn build_asset(name: &str, bytes: Vec<u8>) -> Option<Asset> {
    let (_, ending) = name.rsplit_once('.')?;
    let (_, content_type) = MEDIA_TYPES.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known))?;
    Some(Asset { name: name.to_owned(), version: version(&bytes), bytes, content_type })
}

/// Reads all files of a folder that may be served; hidden files are skipped.
fn read_custom_files(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let listed = std::fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    for file in listed {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.starts_with('.') || !path.is_file() || build_asset(&name, Vec::new()).is_none() {
            continue;
        }
        let size = std::fs::metadata(&path)?.len();
        anyhow::ensure!(size <= MAX_ASSET_BYTES, "{} is larger than 4 MiB", path.display());
        files.push((
            name,
            std::fs::read(&path).with_context(|| format!("could not read {}", path.display()))?,
        ));
    }
    files.sort();
    Ok(files)
}

/// The colours and fonts of the looks as CSS. Print keeps the built-in ones.
fn theme_css(looks: &Looks) -> String {
    let mut light = String::new();
    for (name, colour) in looks.light.custom_colours() {
        push_declaration(&mut light, name, colour.as_str());
    }
    for (name, fonts) in [("serif", &looks.serif), ("sans", &looks.sans)] {
        if let Some(fonts) = fonts {
            push_declaration(&mut light, name, fonts.as_str());
        }
    }
    // Colours that are set for light mode must not leak into dark mode.
    let mut dark = String::new();
    for (name, _) in Palette::DEFAULT_DARK {
        if looks.light.custom_colours().chain(looks.dark.custom_colours()).any(|(custom, _)| custom == name) {
            push_declaration(&mut dark, name, &looks.dark.resolve(name, &Palette::DEFAULT_DARK));
        }
    }
    let mut css = String::new();
    for (media, declarations) in [("screen", light), ("screen and (prefers-color-scheme: dark)", dark)] {
        if !declarations.is_empty() {
            let _ = write!(css, "\n@media {media} {{ :root {{{declarations} }} }}\n");
        }
    }
    css
}

fn push_declaration(css: &mut String, name: &str, value: &str) {
    let _ = write!(css, " --{name}: {value};");
}

/// The first 64 bits of the content's SHA-256, in hexadecimal.
fn version(bytes: &[u8]) -> String {
    let mut hash = sha256_hex(bytes);
    hash.truncate(16);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::looks::{Colour, FontStack};

    fn style(looks: &Looks) -> String {
        String::from_utf8(Assets::load(looks).unwrap().find(STYLE).unwrap().bytes.clone()).unwrap()
    }

    #[test]
    fn a_file_of_the_same_name_replaces_a_built_in_one() {
        let folder = std::env::temp_dir().join(format!("marquee-assets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in [
            ("style.css", "body { color: plum }"),
            ("own.css", "p { }"),
            ("a.woff2", "font"),
            ("b.html", "no"),
        ] {
            std::fs::write(folder.join(name), content).unwrap();
        }
        let looks = Looks { folder: Some(folder.clone()), ..Looks::default() };
        let (built_in, custom) = (Assets::load(&Looks::default()).unwrap(), Assets::load(&looks).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(custom.find("style.css").unwrap().bytes, b"body { color: plum }p { }");
        assert_eq!(built_in.find("icon.svg"), custom.find("icon.svg"));
        assert_ne!(built_in.href("style.css"), custom.href("style.css"), "caches must fetch it again");
        assert_eq!(custom.find("a.woff2").unwrap().content_type, "font/woff2");
        for name in ["../Cargo.toml", "b.html", "own.css"] {
            assert_eq!(custom.find(name), None);
        }
    }

    #[test]
    fn custom_colours_and_fonts_follow_the_built_in_ones() {
        let colour = |text: &str| Colour::try_from(text.to_owned()).ok();
        let looks = Looks {
            light: Palette { link: colour("#004080"), ..Palette::default() },
            dark: Palette { gold: colour("#ffee00"), ..Palette::default() },
            serif: FontStack::try_from("Literata, serif".to_owned()).ok(),
            ..Looks::default()
        };
        let css = style(&looks);
        let own = css.strip_prefix(&style(&Looks::default())).unwrap();
        assert!(own.contains("{ :root { --link: #004080; --serif: \"Literata\", serif; } }"), "{own}");
        // Dark mode keeps its own link colour instead of that of light mode.
        assert!(own.contains("dark) { :root { --link: #eeb36b; --gold: #ffee00; } }"), "{own}");
    }

    #[test]
    fn the_built_in_colours_are_those_of_the_style_sheet() {
        let css = style(&Looks::default());
        let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
        for (name, colour) in Palette::DEFAULT_LIGHT {
            assert!(light.contains(&format!("--{name}: {colour};")), "{name}");
        }
        for (name, colour) in Palette::DEFAULT_DARK {
            assert!(dark.contains(&format!("--{name}: {colour};")), "{name}");
        }
    }

    #[test]
    fn the_script_is_small_and_contacts_no_other_site() {
        let assets = Assets::load(&Looks::default()).unwrap();
        let script = String::from_utf8(assets.find("site.js").unwrap().bytes.clone()).unwrap();
        assert!(script.len() < 10 * 1024, "{} bytes", script.len());
        for forbidden in ["http:", "https:", "import", "eval(", "innerHTML", "document.cookie"] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_style_sheet_loads_nothing_from_other_sites() {
        let style = style(&Looks::default());
        for forbidden in ["@import", "url(", "http:"] {
            assert!(!style.contains(forbidden), "{forbidden}");
        }
        // Selectors match on external URLs; nothing else may contain one.
        for (at, _) in style.match_indices("https:") {
            assert!(style[..at].ends_with("[href^=\""), "{}", &style[at..at + 30]);
        }
    }
}
