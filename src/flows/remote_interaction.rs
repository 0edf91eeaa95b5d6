//! Somebody who reads here is led to their own server, to follow, reply, like or boost from there. Their server is
//! asked once, and only what it says itself is where they are led.

use std::time::Duration;

use url::Url;

use super::{App, lookup};
use crate::federation::intents::{self, Intent};
use crate::federation::nodeinfo;
use crate::federation::vocab::url_rules::{UrlRules, canonical_host, same_origin};
use crate::federation::webfinger::{self, Handle, WebFingerResource};
use crate::net::client::GetRequest;

/// Nobody waits longer for the answer of their own server.
const LONGEST: Duration = Duration::from_secs(10);

/// What NodeInfo tells is never longer.
const MOST_NODEINFO: usize = 64 * 1024;

/// Why somebody is not led home. Said to them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteInteractionError {
    /// What they typed is neither a handle nor a server.
    #[error("This is not a handle, nor a server. A handle looks like @you@your.server.")]
    NotAHandle,
    /// Their server cannot be reached.
    #[error("{0} does not answer. Is it written correctly?")]
    Unreachable(String),
    /// Their server does not know them.
    #[error("{0} knows nobody of that name. Is it written correctly?")]
    Unknown(String),
    /// Their server has no page for it.
    #[error("{0} does not say where to do this. Copy the address below into its search box instead.")]
    NoInteractionPage(String),
}

/// The page of the reader's own server for what they wish to do with the `object`; `acct` is the handle of its author.
pub async fn remote_interaction_url(
    app: &App,
    typed: &str,
    wish: Intent,
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
            let asked = tokio::time::timeout(LONGEST, software(app, &host)).await;
            let Ok(Ok((root, software))) = asked else {
                return Err(RemoteInteractionError::Unreachable(host));
            };
            let page =
                software.and_then(|name| intents::known_interaction_url(&name, &root, wish, object, acct));
            return page.ok_or(RemoteInteractionError::NoInteractionPage(host));
        }
    };
    let answer = match tokio::time::timeout(LONGEST, lookup::fetch_jrd(app, &reader)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::info!(%host, error = error.to_string(), "a reader's server not reached");
            return Err(RemoteInteractionError::Unreachable(host));
        }
        Err(_) => return Err(RemoteInteractionError::Unreachable(host)),
    };
    match answer.status.as_u16() {
        200..=299 => {}
        400..=499 => return Err(RemoteInteractionError::Unknown(host)),
        _ => return Err(RemoteInteractionError::Unreachable(host)),
    }
    intents::remote_interaction_url(&answer.body, &reader, wish, object, acct, app.rules)
        .ok_or(RemoteInteractionError::NoInteractionPage(host))
}

/// The root of a server and the name of its software; none where it does not say, or says that it is elsewhere.
async fn software(app: &App, host: &str) -> anyhow::Result<(Url, Option<String>)> {
    let scheme = if app.origin.is_localhost() { "http" } else { "https" };
    let root = Url::parse(&format!("{scheme}://{host}/"))?;
    let discovery = root.join("/.well-known/nodeinfo")?;
    let found = app.http.get(GetRequest::new(&discovery, "application/json", MOST_NODEINFO)).await?;
    let document = nodeinfo::parse_discovery(&found.body, app.rules).filter(|_| found.status.is_success());
    let Some(document) = document.filter(|document| same_origin(document, &root)) else {
        return Ok((root, None));
    };
    let told = app.http.get(GetRequest::new(&document, "application/json", MOST_NODEINFO)).await?;
    let name = nodeinfo::parse_software_name(&told.body).filter(|_| told.status.is_success());
    Ok((root, name))
}

/// The server that is asked for the page.
pub fn home_host(typed: &str, rules: UrlRules) -> Option<String> {
    home(typed, rules).map(|home| home.host().to_owned())
}

/// Where somebody is at home, as far as they say.
#[derive(Debug, PartialEq, Eq)]
enum Home {
    /// Who they are.
    Account(Handle),
    /// Their server alone.
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

/// A handle or the address of a profile; or the name or the address of a server.
fn home(typed: &str, rules: UrlRules) -> Option<Home> {
    if let Some(handle) = reader(typed, rules) {
        return Some(Home::Account(handle));
    }
    let typed = typed.trim();
    let bare =
        ["https://", "http://", "@"].iter().find_map(|prefix| typed.strip_prefix(prefix)).unwrap_or(typed);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    // A single word is somebody's name, not a server's.
    let is_server = bare.contains('.') || bare.contains(':');
    canonical_host(bare, rules).filter(|_| is_server).map(Home::Server)
}

/// Who reads: `@user@host` in any spelling, or the address of a page like `https://host/@user`.
fn reader(typed: &str, rules: UrlRules) -> Option<Handle> {
    match webfinger::parse_resource(typed, rules)? {
        WebFingerResource::Account(handle) => Some(handle),
        WebFingerResource::Address(page) => {
            let user = page.path().strip_prefix("/@").or_else(|| page.path().strip_prefix("/users/"))?;
            let host = page.origin().ascii_serialization();
            let (_, host) = host.split_once("://")?;
            // `/@user@other.server` is somebody's page on a server that is not their own.
            let handle = if user.contains('@') { user.to_owned() } else { format!("{user}@{host}") };
            Handle::parse(&handle, rules)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_who_they_are_in_many_ways() {
        let read = |typed: &str| reader(typed, UrlRules::STRICT).map(|handle| handle.to_string());
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
