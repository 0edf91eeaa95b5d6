//! What people see whose own server could not be asked: why, and what to do instead.

use serde::Serialize;
use url::Url;

use super::view::CriticView;
use super::{Pages, Words, plain};
use crate::domain::critic::Critic;
use crate::federation::intents::Wish;
use crate::flows::interact::Refused;

/// What the page shows. Lies at `/interact`.
#[derive(Debug, Clone, Copy)]
pub struct InteractPage<'a> {
    /// The critic whom the wish is about.
    pub critic: &'a Critic,
    /// What the reader wants to do.
    pub wish: Wish,
    /// With what.
    pub object: &'a Url,
    /// What the reader typed.
    pub handle: &'a str,
    /// Why it did not lead anywhere.
    pub problem: &'a Refused,
}

#[derive(Debug, Serialize)]
struct View {
    critic: CriticView,
    is_follow: bool,
    object: String,
    copy: String,
    handle: String,
    problem: String,
}

impl Pages {
    /// The page of a reader whose own server could not be asked.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn interact(&self, page: &InteractPage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let is_follow = page.wish == Wish::Follow;
        let handle = format!("@{}@{}", page.critic.profile.handle, site.handle_domain);
        let view = View {
            critic: CriticView::new(site, page.critic),
            is_follow,
            object: page.object.to_string(),
            copy: if is_follow { handle } else { page.object.to_string() },
            handle: plain::text(page.handle),
            problem: problem(&site.words, page.problem),
        };
        self.render("interact.html", view)
    }
}

fn problem(words: &Words, refused: &Refused) -> String {
    let (key, host) = match refused {
        Refused::NotAHandle => return words.say("not-a-handle"),
        Refused::Unreachable(host) => ("server-does-not-answer", host),
        Refused::Unknown(host) => ("server-knows-nobody", host),
        Refused::NoWay(host) => ("server-names-no-page", host),
    };
    words.say_with(key, [("host", plain::text(host).into())])
}
