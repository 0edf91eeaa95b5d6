//! The style sheet and the icon: built into the binary, replaceable by a file of the same name.

use std::path::Path;

use anyhow::Context as _;

use crate::domain::hash::sha256_hex;

/// A file that pages refer to, at `/assets/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its name, the last part of its path.
    pub name: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub content_type: &'static str,
    /// The entity tag of its content, with its quotes (RFC 9110 section 8.8.3).
    pub etag: String,
}

/// All of them, read once at start.
#[derive(Debug, Clone)]
pub struct Assets(Vec<Asset>);

const BUILT_IN: [(&str, &str, &[u8]); 2] = [
    ("style.css", "text/css; charset=utf-8", include_bytes!("assets/style.css")),
    ("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
];

impl Assets {
    /// The built-in files, each replaced by the file of the same name in `overrides` where there is one.
    ///
    /// # Errors
    /// Where a file that is there cannot be read.
    pub fn load(overrides: Option<&Path>) -> anyhow::Result<Self> {
        let mut all = Vec::with_capacity(BUILT_IN.len());
        for (name, content_type, built_in) in BUILT_IN {
            let replacement = overrides.map(|folder| folder.join(name)).filter(|p| p.is_file());
            let bytes = match replacement {
                Some(path) => {
                    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?
                }
                None => built_in.to_vec(),
            };
            all.push(Asset { name, etag: format!("\"{}\"", short_hash(&bytes)), bytes, content_type });
        }
        Ok(Self(all))
    }

    /// The asset of that name: what follows `/assets/` in its address, without the query.
    pub fn find(&self, name: &str) -> Option<&Asset> {
        self.0.iter().find(|asset| asset.name == name)
    }

    /// The path of an asset with the hash of its content, so that it may be cached for as long as one
    /// likes: `/assets/style.css?v=…`. None where there is no such asset.
    pub fn href(&self, name: &str) -> Option<String> {
        let asset = self.find(name)?;
        Some(format!("/assets/{name}?v={}", asset.etag.trim_matches('"')))
    }
}

/// The first 64 bits of the content's SHA-256, in hexadecimal.
fn short_hash(bytes: &[u8]) -> String {
    let mut hash = sha256_hex(bytes);
    hash.truncate(16);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_same_name_replaces_a_built_in_one() {
        let folder = std::env::temp_dir().join(format!("marquee-assets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("style.css"), "body { color: plum }").unwrap();
        let (ours, theirs) = (Assets::load(None).unwrap(), Assets::load(Some(&folder)).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(theirs.find("style.css").unwrap().bytes, b"body { color: plum }");
        assert_eq!(ours.find("icon.svg"), theirs.find("icon.svg"));
        assert_ne!(ours.href("style.css"), theirs.href("style.css"), "caches must notice");
        assert_eq!(ours.find("../Cargo.toml"), None);
    }

    #[test]
    fn the_style_sheet_asks_nobody_else_for_anything() {
        let assets = Assets::load(None).unwrap();
        let style = String::from_utf8(assets.find("style.css").unwrap().bytes.clone()).unwrap();
        for forbidden in ["@import", "url(", "http:", "https:", "//"] {
            assert!(!style.contains(forbidden), "{forbidden}");
        }
    }
}
