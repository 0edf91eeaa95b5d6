//! The config section `looks`: the looks folder, fonts and colours.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::looks::{FontStack, Looks, MetaTag, Palette};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLooks {
    folder: Option<String>,
    serif: Option<FontStack>,
    sans: Option<FontStack>,
    light: Palette,
    dark: Palette,
    meta: Vec<MetaTag>,
}

pub(super) fn check_looks(raw: RawLooks, folder: &Path) -> Result<Looks, ConfigError> {
    let own = raw.folder.as_ref().map(|path| folder.join(path));
    if let Some(path) = own.as_ref().filter(|path| !path.is_dir()) {
        return Err(ConfigError::new("looks.folder", format!("folder not found: {}", path.display())));
    }
    for (index, meta) in raw.meta.iter().enumerate() {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if meta.name.is_empty() || !meta.name.chars().all(fits) {
            let problem = format!("{:?} must be a name such as google-site-verification", meta.name);
            return Err(ConfigError::new(format!("looks.meta.{index}.name"), problem));
        }
    }
    let RawLooks { light, dark, serif, sans, meta, .. } = raw;
    Ok(Looks { folder: own, light, dark, serif, sans, meta })
}
