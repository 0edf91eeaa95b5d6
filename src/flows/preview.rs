//! What a reader on Mastodon sees of a review, read from the Article that is sent.
//!
//! Mastodon shows an Article as its name, its summary and a link, and not its content; up to four pictures; where
//! there is none, the card of the page that the link leads to; hashtags in a bar of their own.

use anyhow::{Context, bail};
use serde_json::Value;

use super::App;
use super::publish::{critic_for_review, normalize_content, preferred_slug};
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{Review, ReviewContent, ReviewState};
use crate::domain::text::single_line;
use crate::federation::vocab::article;

/// What is shown, from above to below. All of it is plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The critic's name.
    pub name: String,
    /// The critic's handle, with both `@`.
    pub handle: String,
    /// The moment that the post has.
    pub published: String,
    /// The heading.
    pub title: String,
    /// The text below it.
    pub summary: String,
    /// Where the link leads.
    pub link: String,
    /// The language that the reader's filters go by.
    pub language: Option<String>,
    /// Hashtags, with `#`.
    pub hashtags: Vec<String>,
    /// What stands below the text.
    pub attachment: PreviewAttachment,
    /// Who gets to see it.
    pub audience: PreviewAudience,
}

/// What stands below the text of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviewAttachment {
    /// The poster, with its description.
    Poster(String),
    /// The card of the page: the site, the title, the description, with a picture that is drawn.
    Card {
        /// What the site is called.
        site: String,
        /// The title of the page.
        title: String,
        /// What the page says of itself; may be empty.
        description: String,
    },
}

/// Who sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewAudience {
    /// It went to those who follow.
    Followers,
    /// It went to nobody: it is found by who looks for its address, or for the critic.
    Unlisted,
    /// It is not out.
    Unpublished,
}

/// What is seen of a review.
///
/// # Errors
/// Where it was retracted: nothing is seen of it.
pub async fn preview_review(app: &App, review: &Review) -> anyhow::Result<Preview> {
    if review.state == ReviewState::Retracted {
        bail!("it was retracted: Mastodon shows nothing of it");
    }
    let critic = critic_for_review(app, review).await?;
    preview(app, &critic, review, review.poster.is_some())
}

/// What will be seen of a draft that is not published, if it is published now.
///
/// # Errors
/// Never, of a draft that `sources` made.
pub fn preview_content(app: &App, critic: &Critic, draft: ReviewContent) -> anyhow::Result<Preview> {
    let draft = normalize_content(app, draft);
    let now = app.clock.now();
    let has_poster = draft.poster.is_some();
    let review = Review {
        id: ReviewId::new(now),
        critic: critic.id,
        create_activity: ActivityId::new(now),
        slug: preferred_slug(&draft),
        state: ReviewState::Held,
        poster: None,
        feed: None,
        original_date: draft.published.unwrap_or(now),
        released_at: draft.published.filter(|published| *published > now).unwrap_or(now),
        revised_at: None,
        retracted_at: None,
        content: draft,
    };
    preview(app, critic, &review, has_poster)
}

fn preview(app: &App, critic: &Critic, review: &Review, has_poster: bool) -> anyhow::Result<Preview> {
    let sent = article::article(&app.origin, critic, review, article::InteractionCounts::default());
    let text = |key: &str| single_line(sent[key].as_str().unwrap_or_default());
    let title = text("name");
    let tags = sent["tag"].as_array().into_iter().flatten();
    let is_hashtag = |tag: &&Value| tag["type"] == "Hashtag";
    let hashtags = tags.filter(is_hashtag).filter_map(|tag| tag["name"].as_str());
    let languages = sent["contentMap"].as_object();
    let shown = if has_poster {
        let told = review.content.poster.as_ref().and_then(|poster| poster.alt.clone());
        let alt = sent["attachment"][0]["name"].as_str().map(str::to_owned);
        PreviewAttachment::Poster(
            alt.or(told).unwrap_or_else(|| format!("Poster of {}", review.content.film.title)),
        )
    } else {
        let draft = &review.content;
        let description = Some(&draft.teaser).filter(|teaser| !teaser.is_empty());
        let description = description.or(draft.subtitle.as_ref());
        PreviewAttachment::Card {
            site: single_line(&app.site.title),
            title: title.clone(),
            description: description.map(|text| single_line(text)).unwrap_or_default(),
        }
    };
    Ok(Preview {
        name: single_line(&critic.profile.name),
        handle: format!("@{}@{}", critic.profile.handle, app.handle_domain()),
        published: sent["published"].as_str().context("an Article has a date")?.to_owned(),
        summary: text("summary"),
        link: text("url"),
        language: languages.and_then(|map| map.keys().next().cloned()),
        hashtags: hashtags.map(str::to_owned).collect(),
        audience: match review.state {
            ReviewState::Published => PreviewAudience::Followers,
            ReviewState::Archive => PreviewAudience::Unlisted,
            ReviewState::Held | ReviewState::Scheduled | ReviewState::Retracted => {
                PreviewAudience::Unpublished
            }
        },
        title,
        attachment: shown,
    })
}
