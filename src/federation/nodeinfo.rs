//! NodeInfo: describes this server's software and usage, and identifies the software of other servers (FEP-f1d5;
//! nodeinfo.diaspora.software).

use serde_json::{Value, json};
use url::Url;

use super::vocab::json_document::{JsonDocument, first_string, values};
use super::vocab::url_rules::UrlRules;
use crate::domain::origin::Origin;

/// The paths under which the documents are served, by version.
pub const SCHEMA_PATHS: [(NodeInfoVersion, &str); 2] =
    [(NodeInfoVersion::V20, "/nodeinfo/2.0"), (NodeInfoVersion::V21, "/nodeinfo/2.1")];

/// The link relation from a site to its instance actor (FEP-2677).
const REL_INSTANCE_ACTOR: &str = "https://www.w3.org/ns/activitystreams#Application";

/// Returns the URL of a server's NodeInfo document from its `/.well-known/nodeinfo`.
pub fn parse_discovery(discovery: &[u8], rules: UrlRules) -> Option<Url> {
    let document = JsonDocument::from_slice(discovery).ok()?;
    let links = values(document.value(), "links").iter().take(16);
    let is_schema = |link: &&Value| {
        first_string(link, "rel")
            .is_some_and(|rel| rel.starts_with("http://nodeinfo.diaspora.software/ns/schema/2."))
    };
    links.filter(is_schema).find_map(|link| rules.parse_id(first_string(link, "href")?))
}

/// Returns the name of a server's software, in lower case, from its NodeInfo document.
pub fn parse_software_name(document: &[u8]) -> Option<String> {
    let document = JsonDocument::from_slice(document).ok()?;
    Some(first_string(document.value().get("software")?, "name")?.to_lowercase())
}

/// A version of the NodeInfo schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeInfoVersion {
    /// 2.0, which most clients read.
    V20,
    /// 2.1, which adds the repository.
    V21,
}

impl NodeInfoVersion {
    /// The version number, as in paths and in the document.
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

/// The software of this server.
#[derive(Debug, Clone, Copy)]
pub struct NodeInfoSoftware<'a> {
    /// The version.
    pub version: &'a str,
    /// The URL of the source code, if it is known.
    pub repository: Option<&'a str>,
}

/// The usage statistics of the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeInfoUsage {
    /// The number of critics.
    pub critics: u64,
    /// The critics who published or replied within 30 days.
    pub active_month: u64,
    /// The critics who published or replied within 180 days.
    pub active_half_year: u64,
    /// The number of public reviews.
    pub reviews: u64,
    /// The number of comments by local critics. Remote comments are not counted.
    pub local_comments: u64,
}

/// Returns the document of `/.well-known/nodeinfo`, which also links to the instance actor (FEP-2677).
pub fn discovery_document(origin: &Origin) -> Value {
    let documents =
        SCHEMA_PATHS.map(|(version, path)| json!({"rel": version.schema(), "href": origin.url(path)}));
    let mut links = documents.to_vec();
    links.push(json!({"rel": REL_INSTANCE_ACTOR, "href": origin.instance_actor()}));
    json!({"links": links})
}

/// Returns the NodeInfo document. `name` is the site's title.
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
    fn discovery_links_to_both_versions_and_the_instance_actor() {
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
    fn only_version_2_1_contains_the_repository() {
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
