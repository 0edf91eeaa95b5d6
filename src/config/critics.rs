//! The config section `critics`.

use std::collections::HashSet;

use super::ConfigError;
use super::server::is_domain;
use crate::domain::critic::{CriticProfile, is_valid_handle};

pub(super) fn check_critics(critics: Vec<CriticProfile>) -> Result<Vec<CriticProfile>, ConfigError> {
    let mut seen = HashSet::new();
    for (index, critic) in critics.iter().enumerate() {
        let key = format!("critics.{index}.handle");
        if !is_valid_handle(&critic.handle) {
            return Err(ConfigError::new(key, "must be 1 to 30 letters, digits or underscores"));
        }
        if !seen.insert(critic.handle.to_ascii_lowercase()) {
            return Err(ConfigError::new(key, "another critic already has this handle"));
        }
        if critic.name.trim().is_empty() {
            return Err(ConfigError::new(format!("critics.{index}.name"), "must not be empty"));
        }
        if let Some(wrong) = critic.attribution_domains.iter().find(|domain| !is_domain(domain)) {
            let problem = format!("{wrong:?} must be a domain name in lower case, without a port");
            return Err(ConfigError::new(format!("critics.{index}.attribution_domains"), problem));
        }
    }
    Ok(critics)
}
