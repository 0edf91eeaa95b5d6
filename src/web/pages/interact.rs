//! Renders the page that a reader gets when they could not be sent to their own server: what went wrong, and what to do
//! instead.

use serde::Serialize;
use url::Url;

use super::critic_view::CriticView;
use super::{Messages, Pages, plain_text};
use crate::domain::critic::Critic;
use crate::federation::activity_intents::Intent;
use crate::flows::remote_interaction::RemoteInteractionError;

/// Input of the page at `/interact`.
#[derive(Debug, Clone, Copy)]
pub struct InteractPage<'a> {
    /// The critic that the action is about.
    pub critic: &'a Critic,
    /// The action.
    pub intent: Intent,
    /// The object of the action.
    pub object: &'a Url,
    /// What the reader typed.
    pub handle: &'a str,
    /// Why it failed.
    pub error: &'a RemoteInteractionError,
}

#[derive(Debug, Serialize)]
struct InteractPageView {
    critic: CriticView,
    is_follow: bool,
    object: String,
    copy: String,
    handle: String,
    problem: String,
}

impl Pages {
    /// Renders the page.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn interact(&self, page: &InteractPage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let is_follow = page.intent == Intent::Follow;
        let handle = format!("@{}@{}", page.critic.profile.handle, site.handle_domain);
        let view = InteractPageView {
            critic: CriticView::new(site, page.critic),
            is_follow,
            object: page.object.to_string(),
            copy: if is_follow { handle } else { page.object.to_string() },
            handle: plain_text::text(page.handle),
            problem: problem(&site.messages, page.error),
        };
        self.render("interact.html", view)
    }
}

fn problem(messages: &Messages, error: &RemoteInteractionError) -> String {
    let (key, host) = match error {
        RemoteInteractionError::NotAHandle => return messages.get("not-a-handle"),
        RemoteInteractionError::Unreachable(host) => ("server-does-not-answer", host),
        RemoteInteractionError::Unknown(host) => ("server-knows-nobody", host),
        RemoteInteractionError::NoInteractionPage(host) => ("server-names-no-page", host),
    };
    messages.format(key, [("host", plain_text::text(host).into())])
}
