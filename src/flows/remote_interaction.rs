//! Remote interaction: sends readers to their own server, to follow, reply, like or boost there. The server is queried
//! once, and readers are only sent to pages that it names itself.

use std::time::Duration;

use url::Url;

use super::App;
use super::webfinger::fetch_jrd;
use crate::domain::untrusted::Untrusted;
use crate::federation::activity_intents::{self, Intent};
use crate::federation::nodeinfo;
use crate::federation::vocab::url_rules::{UrlRules, canonical_host, same_origin};
use crate::federation::webfinger::{self, Handle, WebFingerResource};
use crate::net::http_client::GetRequest;

/// Time for the reader's server to respond.
const HOME_SERVER_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a NodeInfo document.
const MAX_NODEINFO_BYTES: usize = 64 * 1024;

/// Why a reader cannot be sent to their server. The text is shown to them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteInteractionError {
    /// The input is neither a handle nor a server.
    #[error("That is neither a handle nor a server. A handle looks like @you@your.server.")]
    NotAHandle,
    /// The server cannot be reached.
    #[error("{0} does not respond. Check the spelling, or try again later.")]
    Unreachable(String),
    /// The server does not know the account.
    #[error("No such account on {0}. Check the spelling.")]
    Unknown(String),
    /// The server names no page for it.
    #[error("{0} does not support this. Paste the address below into its search box instead.")]
    NoInteractionPage(String),
}

/// The page of the reader's own server for an interaction with `object`, whose author has the handle `acct`.
pub async fn remote_interaction_url(
    app: &App,
    typed: &str,
    intent: Intent,
    object: &Url,
    acct: &str,
) -> Result<Url, RemoteInteractionError> {
    let home = home(typed, app.rules).ok_or(RemoteInteractionError::NotAHandle)?;
    let host = home.host().to_owned();
    if host == app.handle_domain() || host == app.origin.authority() {
        return Err(RemoteInteractionError::NoInteractionPage(host));
    }
    let reader = match home {
        Home::Account(reader) => reader,
        Home::Server(host) => {
            let software_response =
                tokio::time::timeout(HOME_SERVER_TIMEOUT, fetch_software(app, &host)).await;
            let Ok(Ok((root, software))) = software_response else {
                return Err(RemoteInteractionError::Unreachable(host));
            };
            let page = software
                .and_then(|name| activity_intents::known_interaction_url(&name, &root, intent, object, acct));
            return page.ok_or(RemoteInteractionError::NoInteractionPage(host));
        }
    };
    let response = match tokio::time::timeout(HOME_SERVER_TIMEOUT, fetch_jrd(app, &reader)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::info!(host = %Untrusted::new(&host), error = ?Untrusted::chain(&error), "could not reach the reader's server");
            return Err(RemoteInteractionError::Unreachable(host));
        }
        Err(_) => return Err(RemoteInteractionError::Unreachable(host)),
    };
    match response.status.as_u16() {
        200..=299 => {}
        400..=499 => return Err(RemoteInteractionError::Unknown(host)),
        _ => return Err(RemoteInteractionError::Unreachable(host)),
    }
    activity_intents::remote_interaction_url(&response.body, &reader, intent, object, acct, app.rules)
        .ok_or(RemoteInteractionError::NoInteractionPage(host))
}

/// The root URL of a server and the name of its software; `None` if it does not say, or names another server.
async fn fetch_software(app: &App, host: &str) -> anyhow::Result<(Url, Option<String>)> {
    let scheme = if app.origin.is_localhost() { "http" } else { "https" };
    let root = Url::parse(&format!("{scheme}://{host}/"))?;
    let discovery = root.join("/.well-known/nodeinfo")?;
    let found = app.http.get(GetRequest::new(&discovery, "application/json", MAX_NODEINFO_BYTES)).await?;
    let document = nodeinfo::parse_discovery(&found.body, app.rules).filter(|_| found.status.is_success());
    let Some(document) = document.filter(|document| same_origin(document, &root)) else {
        return Ok((root, None));
    };
    let response = app.http.get(GetRequest::new(&document, "application/json", MAX_NODEINFO_BYTES)).await?;
    let name = nodeinfo::parse_software_name(&response.body).filter(|_| response.status.is_success());
    Ok((root, name))
}

/// The server that the input names.
pub fn home_host(typed: &str, rules: UrlRules) -> Option<String> {
    home(typed, rules).map(|home| home.host().to_owned())
}

/// The reader's home, as far as the input names it.
#[derive(Debug, PartialEq, Eq)]
enum Home {
    /// Their account.
    Account(Handle),
    /// Only their server.
    Server(String),
}

impl Home {
    fn host(&self) -> &str {
        match self {
            Self::Account(handle) => &handle.host,
            Self::Server(host) => host,
        }
    }
}

/// Parses a handle, the URL of a profile, or the name or URL of a server.
fn home(typed: &str, rules: UrlRules) -> Option<Home> {
    if let Some(handle) = parse_account(typed, rules) {
        return Some(Home::Account(handle));
    }
    let typed = typed.trim();
    let bare =
        ["https://", "http://", "@"].iter().find_map(|prefix| typed.strip_prefix(prefix)).unwrap_or(typed);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    // A single word is a user name, not a server.
    let is_server = bare.contains('.') || bare.contains(':');
    canonical_host(bare, rules).filter(|_| is_server).map(Home::Server)
}

/// Parses an account: `@user@host` in any spelling, or the URL of a page like `https://host/@user`.
fn parse_account(typed: &str, rules: UrlRules) -> Option<Handle> {
    match webfinger::parse_resource(typed, rules)? {
        WebFingerResource::Account(handle) => Some(handle),
        WebFingerResource::Url(page) => {
            let user = page.path().strip_prefix("/@").or_else(|| page.path().strip_prefix("/users/"))?;
            let host = page.origin().ascii_serialization();
            let (_, host) = host.split_once("://")?;
            // `/@user@other.server` is a page about the account of another server.
            let handle = if user.contains('@') { user.to_owned() } else { format!("{user}@{host}") };
            Handle::parse(&handle, rules)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_in_many_spellings() {
        let read = |typed: &str| parse_account(typed, UrlRules::STRICT).map(|handle| handle.to_string());
        for typed in [
            "@me@m.example",
            "me@m.example",
            " ME@M.example. ",
            "acct:me@m.example",
            "https://m.example/@me",
            "https://other.example/@me@m.example",
            "https://m.example/users/me",
        ] {
            assert_eq!(read(typed).map(|h| h.to_lowercase()).as_deref(), Some("me@m.example"), "{typed}");
        }
        for typed in
            ["", "me", "@me", "m.example", "https://m.example/", "me@127.0.0.1", "me@m.example/x", "me@@x"]
        {
            assert_eq!(read(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_server_alone_is_enough() {
        let at = |typed: &str| home(typed, UrlRules::STRICT);
        let server = Some(Home::Server("m.example".to_owned()));
        for typed in ["m.example", " M.Example ", "https://m.example", "https://m.example/", "@m.example"] {
            assert_eq!(at(typed), server, "{typed}");
        }
        assert!(matches!(at("me@m.example"), Some(Home::Account(_))));
        for typed in
            ["", "me", "@me", "127.0.0.1", "https://[::1]/", "m.example/x", "me@m.example/x", "a b.example"]
        {
            assert_eq!(at(typed), None, "{typed}");
        }
    }
}
