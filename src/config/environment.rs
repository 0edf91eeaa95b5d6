//! Environment variables that override config keys: `MARQUEE_SERVER__LISTEN` sets `server.listen`.

/// Prefixes of environment variables that are not config keys.
const NOT_KEY_PREFIXES: [&str; 2] = ["MARQUEE_LOG", "MARQUEE_TEST_"];

/// Returns the key that a variable sets: `server.listen` for `MARQUEE_SERVER__LISTEN`.
pub(super) fn key_of_variable(name: &str) -> Option<String> {
    if NOT_KEY_PREFIXES.iter().any(|n| name.starts_with(n)) {
        return None;
    }
    Some(name.strip_prefix("MARQUEE_")?.to_ascii_lowercase().replace("__", "."))
}
