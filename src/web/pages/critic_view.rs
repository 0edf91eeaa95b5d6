//! Renders a critic, with avatar and links.

use serde::Serialize;

use super::links::{ExternalLink, url_path};
use super::{Site, plain_text};
use crate::domain::critic::Critic;

/// A critic, as shown beside a review and on the profile.
#[derive(Debug, Serialize)]
pub(super) struct CriticView {
    pub(super) name: String,
    handle: String,
    actor: String,
    pub(super) href: String,
    pub(super) url: String,
    avatar: Option<String>,
    about: Vec<String>,
    links: Vec<NamedLink>,
    support: Vec<NamedLink>,
}

/// A link of a critic's profile.
#[derive(Debug, Serialize)]
struct NamedLink {
    name: String,
    href: String,
}

impl CriticView {
    pub(super) fn new(site: &Site, critic: &Critic) -> Self {
        let profile = &critic.profile;
        let url = site.origin.profile_page(&profile.handle);
        let links = profile.links.iter().filter_map(|link| {
            let external = ExternalLink::new(&link.url)?;
            let name = Some(plain_text::name(&link.name)).filter(|name| !name.is_empty());
            Some(NamedLink { name: name.unwrap_or(external.host), href: external.href })
        });
        let is_for = |handle: &Option<String>| handle.as_ref().is_none_or(|handle| *handle == profile.handle);
        let support = site.about.support.iter().filter(|link| is_for(&link.critic)).map(|link| NamedLink {
            name: link
                .name
                .as_deref()
                .map_or_else(|| site.messages.get(link.kind.message_id()), plain_text::name),
            href: link.url.to_string(),
        });
        Self {
            support: support.collect(),
            name: critic_name(critic),
            handle: format!("@{}@{}", profile.handle, site.handle_domain),
            actor: site.origin.actor(critic.id).into(),
            href: url_path(&url),
            url: url.into(),
            avatar: critic.avatar.as_ref().map(|(name, _)| url_path(&site.origin.media_url_by_name(name))),
            about: plain_text::paragraphs(&profile.summary),
            links: links.collect(),
        }
    }
}

/// A critic's name, or the handle if there is none.
pub(super) fn critic_name(critic: &Critic) -> String {
    let name = plain_text::name(&critic.profile.name);
    if name.is_empty() { critic.profile.handle.clone() } else { name }
}
