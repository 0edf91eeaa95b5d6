//! The config section `support`: links by which readers can support the critics.

use super::ConfigError;
use super::site::check_web_url;
use crate::domain::critic::CriticProfile;
use crate::domain::site::{SupportKind, SupportLink};

pub(super) fn check_support(
    support: Vec<SupportLink>,
    critics: &[CriticProfile],
) -> Result<Vec<SupportLink>, ConfigError> {
    for (index, link) in support.iter().enumerate() {
        let key = |name: &str| format!("support.{index}.{name}");
        check_web_url(&key("url"), link.url.as_str())?;
        if link.kind == SupportKind::Other && link.name.as_ref().is_none_or(|name| name.trim().is_empty()) {
            return Err(ConfigError::new(key("name"), "must be set if the kind is \"other\""));
        }
        if let Some(handle) = &link.critic
            && !critics.iter().any(|critic| critic.handle == *handle)
        {
            return Err(ConfigError::new(key("critic"), format!("no critic has the handle {handle:?}")));
        }
    }
    Ok(support)
}
