//! NodeInfo: what kind of server this is, and how large (FEP-f1d5; nodeinfo.diaspora.software).

use serde_json::{Value, json};
use url::Url;

use super::vocab::json_document::{JsonDocument, first_string, values};
use super::vocab::url_rules::UrlRules;
use crate::domain::origin::Origin;

/// Where discovery points. Served under exactly these paths.
pub const SCHEMA_PATHS: [(NodeInfoVersion, &str); 2] =
    [(NodeInfoVersion::V20, "/nodeinfo/2.0"), (NodeInfoVersion::V21, "/nodeinfo/2.1")];

/// The relation of a site to its own actor (FEP-2677).
const APPLICATION: &str = "https://www.w3.org/ns/activitystreams#Application";

/// Where a server's own document is, as its discovery tells it.
pub fn parse_discovery(discovery: &[u8], rules: UrlRules) -> Option<Url> {
    let document = JsonDocument::from_slice(discovery).ok()?;
    let links = values(document.value(), "links").iter().take(16);
    let is_schema = |link: &&Value| {
        first_string(link, "rel")
            .is_some_and(|rel| rel.starts_with("http://nodeinfo.diaspora.software/ns/schema/2."))
    };
    links.filter(is_schema).find_map(|link| rules.parse_id(first_string(link, "href")?))
}

/// The name of a server's software, as its document tells it.
pub fn parse_software_name(document: &[u8]) -> Option<String> {
    let document = JsonDocument::from_slice(document).ok()?;
    Some(first_string(document.value().get("software")?, "name")?.to_lowercase())
}

/// A version of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeInfoVersion {
    /// 2.0, the one that most read.
    V20,
    /// 2.1, which adds the repository.
    V21,
}

impl NodeInfoVersion {
    /// Its number, as in paths and in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V20 => "2.0",
            Self::V21 => "2.1",
        }
    }

    fn schema(self) -> String {
        format!("http://nodeinfo.diaspora.software/ns/schema/{}", self.as_str())
    }

    /// The content type of the document.
    pub fn content_type(self) -> String {
        format!("application/json; profile=\"{}#\"", self.schema())
    }
}

/// The software that answers.
#[derive(Debug, Clone, Copy)]
pub struct NodeInfoSoftware<'a> {
    /// Its version.
    pub version: &'a str,
    /// Where its source is, if that is known.
    pub repository: Option<&'a str>,
}

/// How much there is on the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeInfoUsage {
    /// Critics.
    pub critics: u64,
    /// Those who published or answered within 30 days.
    pub active_month: u64,
    /// Those who did within 180 days.
    pub active_half_year: u64,
    /// Reviews that everyone may read.
    pub reviews: u64,
    /// Comments by people of this site. Those that came from elsewhere are not counted.
    pub local_comments: u64,
}

/// `/.well-known/nodeinfo`, which leads to the site's own actor, too (FEP-2677).
pub fn discovery_document(origin: &Origin) -> Value {
    let documents =
        SCHEMA_PATHS.map(|(version, path)| json!({"rel": version.schema(), "href": origin.url(path)}));
    let mut links = documents.to_vec();
    links.push(json!({"rel": APPLICATION, "href": origin.instance_actor()}));
    json!({"links": links})
}

/// The document itself. `name` is the site's title.
pub fn nodeinfo_document(
    version: NodeInfoVersion,
    software: NodeInfoSoftware<'_>,
    name: &str,
    usage: NodeInfoUsage,
) -> Value {
    let mut about = json!({"name": "marquee", "version": software.version});
    if let (NodeInfoVersion::V21, Some(repository)) = (version, software.repository) {
        about["repository"] = json!(repository);
    }
    json!({
        "version": version.as_str(),
        "software": about,
        "protocols": ["activitypub"],
        "services": {"inbound": ["atom1.0", "rss2.0"], "outbound": []},
        "openRegistrations": false,
        "usage": {
            "users": {
                "total": usage.critics,
                "activeMonth": usage.active_month,
                "activeHalfyear": usage.active_half_year,
            },
            "localPosts": usage.reviews,
            "localComments": usage.local_comments,
        },
        "metadata": {"nodeName": name},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_leads_to_both_versions() {
        let origin = Origin::parse("https://crit.example").unwrap();
        assert_eq!(
            discovery_document(&origin),
            json!({"links": [
                {
                    "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
                    "href": "https://crit.example/nodeinfo/2.0",
                },
                {
                    "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
                    "href": "https://crit.example/nodeinfo/2.1",
                },
                {
                    "rel": "https://www.w3.org/ns/activitystreams#Application",
                    "href": "https://crit.example/ap/actor",
                },
            ]})
        );
    }

    #[test]
    fn the_repository_stands_only_where_the_schema_has_it() {
        let software =
            NodeInfoSoftware { version: "0.1.0", repository: Some("https://code.example/marquee") };
        let usage = NodeInfoUsage {
            critics: 2,
            active_month: 0,
            active_half_year: 1,
            reviews: 25,
            local_comments: 7,
        };
        assert_eq!(
            nodeinfo_document(NodeInfoVersion::V20, software, "Third Row", usage),
            json!({
                "version": "2.0",
                "software": {"name": "marquee", "version": "0.1.0"},
                "protocols": ["activitypub"],
                "services": {"inbound": ["atom1.0", "rss2.0"], "outbound": []},
                "openRegistrations": false,
                "usage": {
                    "users": {"total": 2, "activeMonth": 0, "activeHalfyear": 1},
                    "localPosts": 25,
                    "localComments": 7,
                },
                "metadata": {"nodeName": "Third Row"},
            })
        );
        let newer = nodeinfo_document(NodeInfoVersion::V21, software, "Third Row", usage);
        assert_eq!(newer["software"]["repository"], "https://code.example/marquee");
        let unknown = NodeInfoSoftware { version: "0.1.0", repository: None };
        assert!(
            nodeinfo_document(NodeInfoVersion::V21, unknown, "", usage)["software"]
                .get("repository")
                .is_none()
        );
    }
}
