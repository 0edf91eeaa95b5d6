//! NodeInfo: what kind of server this is, and how large (FEP-f1d5; nodeinfo.diaspora.software).

use serde_json::{Value, json};

use crate::domain::origin::Origin;

/// Where discovery points. Served under exactly these paths.
pub const PATHS: [(Version, &str); 2] = [(Version::V20, "/nodeinfo/2.0"), (Version::V21, "/nodeinfo/2.1")];

/// A version of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2.0, the one that most read.
    V20,
    /// 2.1, which adds the repository.
    V21,
}

impl Version {
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
pub struct Software<'a> {
    /// Its version.
    pub version: &'a str,
    /// Where its source is, if that is known.
    pub repository: Option<&'a str>,
}

/// How much there is on the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Critics.
    pub critics: u64,
    /// Reviews that everyone may read.
    pub reviews: u64,
    /// Comments by people of this site. Those that came from elsewhere are not counted.
    pub local_comments: u64,
}

/// `/.well-known/nodeinfo`
pub fn discovery(origin: &Origin) -> Value {
    let links = PATHS.map(|(version, path)| json!({"rel": version.schema(), "href": origin.url(path)}));
    json!({"links": links})
}

/// The document itself.
pub fn document(version: Version, software: Software<'_>, usage: Usage) -> Value {
    let mut about = json!({"name": "marquee", "version": software.version});
    if let (Version::V21, Some(repository)) = (version, software.repository) {
        about["repository"] = json!(repository);
    }
    json!({
        "version": version.as_str(),
        "software": about,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": false,
        "usage": {
            "users": {"total": usage.critics},
            "localPosts": usage.reviews,
            "localComments": usage.local_comments,
        },
        "metadata": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_leads_to_both_versions() {
        let origin = Origin::parse("https://crit.example").unwrap();
        assert_eq!(
            discovery(&origin),
            json!({"links": [
                {
                    "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
                    "href": "https://crit.example/nodeinfo/2.0",
                },
                {
                    "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
                    "href": "https://crit.example/nodeinfo/2.1",
                },
            ]})
        );
    }

    #[test]
    fn the_repository_stands_only_where_the_schema_has_it() {
        let software = Software { version: "0.1.0", repository: Some("https://code.example/marquee") };
        let usage = Usage { critics: 1, reviews: 25, local_comments: 0 };
        assert_eq!(
            document(Version::V20, software, usage),
            json!({
                "version": "2.0",
                "software": {"name": "marquee", "version": "0.1.0"},
                "protocols": ["activitypub"],
                "services": {"inbound": [], "outbound": []},
                "openRegistrations": false,
                "usage": {"users": {"total": 1}, "localPosts": 25, "localComments": 0},
                "metadata": {},
            })
        );
        let newer = document(Version::V21, software, usage);
        assert_eq!(newer["software"]["repository"], "https://code.example/marquee");
        let unknown = Software { version: "0.1.0", repository: None };
        assert!(document(Version::V21, unknown, usage)["software"].get("repository").is_none());
    }
}
