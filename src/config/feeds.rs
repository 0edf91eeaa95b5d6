//! The config section `feeds`: URLs, poll intervals and the date since which entries are published.

use std::collections::HashSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::critic::CriticProfile;
use crate::domain::feed_selection::{FeedSelection, IncludedKind, PaidPosts};
use crate::domain::time::Timestamp;

/// A feed that the config file manages.
#[derive(Debug, Clone)]
pub struct FeedConfig {
    /// The name. It identifies the feed, so the URL can change.
    pub name: String,
    /// An `https://` URL, or the path of a local file.
    pub url: String,
    /// The handle of the critic whose reviews the feed carries.
    pub critic: String,
    /// How often the feed is polled.
    pub interval: Duration,
    /// Entries dated before this time are archived. `None` means the day the feed is added.
    pub publish_since: Option<Timestamp>,
    /// The most reviews that one poll may publish.
    pub max_publish_per_poll: u32,
    /// Which entries are reviews.
    pub selection: FeedSelection,
    /// The `User-Agent` of requests for the feed, instead of Marquee's own.
    pub user_agent: Option<String>,
    /// The pause between requests for its pages.
    pub page_interval: Duration,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeed {
    name: String,
    url: String,
    critic: String,
    #[serde(default)]
    interval: Option<String>,
    #[serde(default)]
    publish_since: Option<RawMoment>,
    #[serde(default)]
    max_publish_per_poll: Option<u32>,
    #[serde(default)]
    authors: Vec<String>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    include: Vec<IncludedKind>,
    #[serde(default)]
    paid: PaidPosts,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    page_interval: Option<String>,
}

/// A moment as the config file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be a date such as 2026-01-31, or an RFC 3339 timestamp")]
enum RawMoment {
    Text(String),
    /// A date or time of TOML, which is not in quotes. The parser passes it on as a map with this key.
    Toml {
        #[serde(rename = "$__toml_private_datetime")]
        text: String,
    },
}

impl RawMoment {
    fn text(&self) -> &str {
        let (Self::Text(text) | Self::Toml { text }) = self;
        text
    }
}

impl RawFeed {
    /// A feed that is named like its URL, with the defaults of all other settings.
    pub(super) fn new(url: &str, critic: &str) -> Self {
        Self {
            name: url.to_owned(),
            url: url.to_owned(),
            critic: critic.to_owned(),
            interval: None,
            publish_since: None,
            max_publish_per_poll: None,
            authors: Vec::new(),
            only: Vec::new(),
            except: Vec::new(),
            include: Vec::new(),
            paid: PaidPosts::default(),
            columns: Vec::new(),
            user_agent: None,
            page_interval: None,
        }
    }
}

pub(super) fn check_feeds(
    feeds: Vec<RawFeed>,
    critics: &[CriticProfile],
    timezone: &TimeZone,
) -> Result<Vec<FeedConfig>, ConfigError> {
    let mut seen = HashSet::new();
    let mut checked = Vec::with_capacity(feeds.len());
    for (index, feed) in feeds.into_iter().enumerate() {
        let key = |name: &str| format!("feeds.{index}.{name}");
        if feed.name.trim().is_empty() || !seen.insert(feed.name.clone()) {
            let problem = format!("{:?} must be unique and not empty", feed.name);
            return Err(ConfigError::new(key("name"), problem));
        }
        if !critics.iter().any(|c| c.handle == feed.critic) {
            return Err(ConfigError::new(
                key("critic"),
                format!("no critic has the handle {:?}", feed.critic),
            ));
        }
        let is_local = !feed.url.contains("://") && !feed.url.is_empty();
        if !is_local && !feed.url.starts_with("https://") {
            return Err(ConfigError::new(key("url"), "must be an https:// URL or the path of a local file"));
        }
        checked.push(FeedConfig {
            interval: check_interval(feed.interval.as_deref(), &key("interval"))?,
            publish_since: check_since(
                feed.publish_since.as_ref().map(RawMoment::text),
                timezone,
                &key("publish_since"),
            )?,
            max_publish_per_poll: feed.max_publish_per_poll.unwrap_or(5),
            selection: FeedSelection {
                authors: check_names(feed.authors, &key("authors"))?,
                only: check_names(feed.only, &key("only"))?,
                except: check_names(feed.except, &key("except"))?,
                include: feed.include,
                paid: feed.paid,
                columns: check_names(feed.columns, &key("columns"))?,
            },
            user_agent: check_user_agent(feed.user_agent, &key("user_agent"))?,
            page_interval: check_page_interval(feed.page_interval.as_deref(), &key("page_interval"))?,
            name: feed.name,
            url: feed.url,
            critic: feed.critic,
        });
    }
    Ok(checked)
}

/// Checks the names of authors, labels or columns.
fn check_names(names: Vec<String>, key: &str) -> Result<Vec<String>, ConfigError> {
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(ConfigError::new(key, "must be a list of names that are not empty"));
    }
    Ok(names)
}

fn check_user_agent(name: Option<String>, key: &str) -> Result<Option<String>, ConfigError> {
    let is_valid = |name: &str| {
        (1..=200).contains(&name.len()) && name.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    match name {
        Some(name) if !is_valid(&name) => {
            Err(ConfigError::new(key, "must be 1 to 200 letters, digits, spaces and signs of ASCII"))
        }
        name => Ok(name),
    }
}

fn check_page_interval(text: Option<&str>, key: &str) -> Result<Duration, ConfigError> {
    let interval = text.unwrap_or("1s").parse().ok().and_then(|d: jiff::SignedDuration| d.try_into().ok());
    interval
        .filter(|interval| *interval <= Duration::from_hours(1))
        .ok_or_else(|| ConfigError::new(key, "must be a duration from 0s to 1h, such as 1s"))
}

fn check_interval(text: Option<&str>, key: &str) -> Result<Duration, ConfigError> {
    let wrong = || ConfigError::new(key, "must be a duration from 1s to 30d, such as 15m");
    let text = text.unwrap_or("15m");
    // Jiff keeps days out of absolute durations; here a day is 24 hours.
    let hours = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok())
        .map(|days| format!("{}h", days * 24));
    let interval: jiff::SignedDuration = hours.as_deref().unwrap_or(text).parse().map_err(|_| wrong())?;
    let interval = Duration::try_from(interval).map_err(|_| wrong())?;
    let allowed = Duration::from_secs(1)..=Duration::from_hours(30 * 24);
    if allowed.contains(&interval) { Ok(interval) } else { Err(wrong()) }
}

/// Parses a timestamp, or a date, which begins at midnight, or a time without a zone. These are in the site's time zone.
fn check_since(text: Option<&str>, timezone: &TimeZone, key: &str) -> Result<Option<Timestamp>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    let time = || jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%S%.f", text).ok();
    let day = || text.parse().ok().map(|day: jiff::civil::Date| day.at(0, 0, 0, 0));
    let local = || time().or_else(day)?.to_zoned(timezone.clone()).ok();
    let moment = Timestamp::parse_rfc3339(text)
        .or_else(|| local().map(|zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond())));
    moment
        .map(Some)
        .ok_or_else(|| ConfigError::new(key, "must be a date such as 2026-01-31, or an RFC 3339 timestamp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_a_header_and_a_pause_may_be_none() {
        let agent = |name: &str| check_user_agent(Some(name.to_owned()), "user_agent").ok().flatten();
        assert_eq!(agent("Mozilla/5.0 (compatible)").as_deref(), Some("Mozilla/5.0 (compatible)"));
        for wrong in ["", "a\r\nb", "Zürich", &"a".repeat(201)] {
            assert_eq!(agent(wrong), None, "{wrong:?}");
        }
        let pause = |text| check_page_interval(text, "page_interval").ok();
        assert_eq!(pause(None), Some(Duration::from_secs(1)));
        assert_eq!(pause(Some("0s")), Some(Duration::ZERO));
        assert_eq!(pause(Some("500ms")), Some(Duration::from_millis(500)));
        for wrong in ["-1s", "2h", "soon"] {
            assert_eq!(pause(Some(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_at_the_midnight_of_the_site() {
        let since = |text, zone| {
            let timezone = TimeZone::get(zone).unwrap();
            check_since(Some(text), &timezone, "publish_since").unwrap().map(|moment| moment.to_string())
        };
        assert_eq!(since("2026-01-31", "UTC").as_deref(), Some("2026-01-31T00:00:00Z"));
        assert_eq!(since("2026-01-31", "Europe/Berlin").as_deref(), Some("2026-01-30T23:00:00Z"));
        assert_eq!(since("2026-07-01", "America/New_York").as_deref(), Some("2026-07-01T04:00:00Z"));
        assert_eq!(since("2026-01-31T12:00:00Z", "Europe/Berlin").as_deref(), Some("2026-01-31T12:00:00Z"));
        assert_eq!(since("2026-01-31T12:00:00", "Europe/Berlin").as_deref(), Some("2026-01-31T11:00:00Z"));
        assert!(check_since(Some("soon"), &TimeZone::UTC, "publish_since").is_err());
    }
}
