//! Previews a review as Mastodon shows it, from the Article that is sent.
//!
//! Mastodon shows the name, the summary and the link of an Article, but not its content. It shows up to four images or,
//! without any, the preview card of the linked page, and hashtags in a bar of their own.

use anyhow::{Context, bail};
use serde_json::Value;

use super::App;
use super::publish::{critic_for_review, normalize_content, preferred_slug};
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{Review, ReviewContent, ReviewState};
use crate::domain::sanitize_text::single_line;
use crate::federation::vocab::article;

/// The parts of the post, from top to bottom. All of them are plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The display name of the critic.
    pub name: String,
    /// The critic's handle, with both `@`.
    pub handle: String,
    /// The date of the post.
    pub published: String,
    /// The heading.
    pub title: String,
    /// The text below the heading.
    pub summary: String,
    /// The target of the link.
    pub link: String,
    /// The language of the post, which readers can filter by.
    pub language: Option<String>,
    /// Hashtags, with `#`.
    pub hashtags: Vec<String>,
    /// What is shown below the text.
    pub attachment: PreviewAttachment,
    /// Who sees the post.
    pub audience: PreviewAudience,
}

/// What is shown below the text of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviewAttachment {
    /// The poster, with this description.
    Poster(String),
    /// The preview card of the page, with a drawn image.
    Card {
        /// The name of the site.
        site: String,
        /// The title of the page.
        title: String,
        /// The description of the page; may be empty.
        description: String,
    },
}

/// Who sees a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewAudience {
    /// The followers: it was delivered to them.
    Followers,
    /// Readers who open its URL or the critic's profile: it was delivered to nobody.
    Unlisted,
    /// Nobody: it is not published.
    Unpublished,
}

/// Previews a stored review.
///
/// # Errors
/// If it was retracted.
pub async fn preview_review(app: &App, review: &Review) -> anyhow::Result<Preview> {
    if review.state == ReviewState::Retracted {
        bail!("the review was retracted, so Mastodon does not show it");
    }
    let critic = critic_for_review(app, review).await?;
    preview(app, &critic, review, review.poster.is_some())
}

/// Previews content as if it was published now.
///
/// # Errors
/// Never, for content that `sources` made.
pub fn preview_content(app: &App, critic: &Critic, content: ReviewContent) -> anyhow::Result<Preview> {
    let content = normalize_content(app, content);
    let now = app.clock.now();
    let has_poster = content.poster.is_some();
    let id = ReviewId::new(now);
    let preferred = preferred_slug(&content);
    let review = Review {
        id,
        critic: critic.id,
        create_activity: ActivityId::new(now),
        // Without letters for one, the address has the id.
        slug: if preferred.is_empty() { id.to_string().to_lowercase() } else { preferred },
        state: ReviewState::Held,
        poster: None,
        feed: None,
        original_date: content.published.unwrap_or(now),
        released_at: content.published.filter(|published| *published > now).unwrap_or(now),
        revised_at: None,
        corrected: Vec::new(),
        retracted_at: None,
        content,
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
        let declared = review.content.poster.as_ref().and_then(|poster| poster.alt.clone());
        let alt = sent["attachment"][0]["name"].as_str().map(str::to_owned);
        PreviewAttachment::Poster(
            alt.or(declared).unwrap_or_else(|| format!("Poster of {}", review.content.film.title)),
        )
    } else {
        let content = &review.content;
        let description = Some(&content.teaser).filter(|teaser| !teaser.is_empty());
        let description = description.or(content.subtitle.as_ref());
        PreviewAttachment::Card {
            site: single_line(&app.site.title),
            title: title.clone(),
            description: description.map(|text| single_line(text)).unwrap_or_default(),
        }
    };
    Ok(Preview {
        name: single_line(&critic.profile.name),
        handle: format!("@{}@{}", critic.profile.handle, app.handle_domain()),
        published: sent["published"].as_str().context("the Article has no date")?.to_owned(),
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
