//! Somebody who reads here is led to their own server, to follow, reply, like or boost from there. Their server is
//! asked once, and only what it says itself is where they are led.

use std::time::Duration;

use url::Url;

use super::{App, find};
use crate::federation::intents::{self, Wish};
use crate::federation::vocab::address::Rules;
use crate::federation::webfinger::{self, Handle, Resource};

/// Nobody waits longer for the answer of their own server.
const LONGEST: Duration = Duration::from_secs(10);

/// Why somebody is not led home. Said to them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What they typed is no handle.
    #[error("This is not a handle. A handle looks like @you@your.server.")]
    NotAHandle,
    /// Their server cannot be reached.
    #[error("{0} does not answer. Is it written correctly?")]
    Unreachable(String),
    /// Their server does not know them.
    #[error("{0} knows nobody of that name. Is it written correctly?")]
    Unknown(String),
    /// Their server has no page for it.
    #[error("{0} does not say where to do this. Copy the address below into its search box instead.")]
    NoWay(String),
}

/// The page of the reader's own server for what they wish to do with the `object`; `acct` is the handle of its author.
pub async fn way_home(app: &App, typed: &str, wish: Wish, object: &Url, acct: &str) -> Result<Url, Refused> {
    let reader = reader(typed, app.rules).ok_or(Refused::NotAHandle)?;
    let host = reader.host.clone();
    if host == app.handle_domain() || host == app.origin.authority() {
        return Err(Refused::NoWay(host));
    }
    let answer = match tokio::time::timeout(LONGEST, find::jrd(app, &reader)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::info!(%host, error = error.to_string(), "a reader's server not reached");
            return Err(Refused::Unreachable(host));
        }
        Err(_) => return Err(Refused::Unreachable(host)),
    };
    match answer.status.as_u16() {
        200..=299 => {}
        400..=499 => return Err(Refused::Unknown(host)),
        _ => return Err(Refused::Unreachable(host)),
    }
    intents::way_home(&answer.body, &reader, wish, object, acct, app.rules).ok_or(Refused::NoWay(host))
}

/// The server that is asked for the page.
pub fn host_of(typed: &str, rules: Rules) -> Option<String> {
    reader(typed, rules).map(|reader| reader.host)
}

/// Who reads: `@user@host` in any spelling, or the address of a page like `https://host/@user`.
fn reader(typed: &str, rules: Rules) -> Option<Handle> {
    match webfinger::parse_resource(typed, rules)? {
        Resource::Account(handle) => Some(handle),
        Resource::Address(page) => {
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
        let read = |typed: &str| reader(typed, Rules::STRICT).map(|handle| handle.to_string());
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
}
