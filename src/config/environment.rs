//! Environment variables that override config keys: `MARQUEE_SERVER__LISTEN` sets `server.listen`.

use figment::value::{Dict, Value};

/// Prefixes of environment variables that are not config keys.
const NOT_KEY_PREFIXES: [&str; 2] = ["MARQUEE_LOG", "MARQUEE_TEST_"];

/// The config keys that variables set, and their values.
pub(super) struct Overrides(Vec<(String, String)>);

impl Overrides {
    /// Takes the variables that name config keys.
    pub(super) fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = variables.into_iter().filter_map(|(name, value)| Some((config_key(&name)?, value)));
        Self(named.collect())
    }

    /// The keys and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// Whether no variable names a config key.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes what the variables override from the values of a config file.
    pub(super) fn remove_from(&self, values: &mut Dict) {
        for (key, _) in self.iter() {
            remove(values, key);
        }
    }
}

/// Whether a variable sets a config key.
pub(super) fn is_config_variable(name: &str) -> bool {
    config_key(name).is_some()
}

/// Returns the key that a variable sets: `server.listen` for `MARQUEE_SERVER__LISTEN`.
fn config_key(name: &str) -> Option<String> {
    if NOT_KEY_PREFIXES.iter().any(|n| name.starts_with(n)) {
        return None;
    }
    Some(name.strip_prefix("MARQUEE_")?.to_ascii_lowercase().replace("__", "."))
}

fn remove(values: &mut Dict, key: &str) {
    match key.split_once('.') {
        Some((section, rest)) => {
            if let Some(Value::Dict(_, values)) = values.get_mut(section) {
                remove(values, rest);
            }
        }
        None => {
            values.remove(key);
        }
    }
}
