//! Renders a comment on a page of its own, which shows all of it, however long it is.

use serde::Serialize;

use super::comments::{CommentView, comment_content, comment_view};
use super::conversation::page_path;
use super::review_card::review_title;
use super::{Pages, plain_text};
use crate::domain::comment::{Comment, comment_anchor};
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::review::Review;
use crate::sources::html::{MAX_SANITIZED_COMMENT_BYTES, shorten_comment};

/// Input of the page of a comment.
#[derive(Debug, Clone, Copy)]
pub struct CommentPage<'a> {
    /// The review.
    pub review: &'a Review,
    /// The comment, which must be visible.
    pub comment: &'a Comment,
    /// The page of the conversation that it is on, if it is on one.
    pub page: Option<u32>,
}

#[derive(Serialize)]
struct CommentPageView {
    author: String,
    review: String,
    language: Option<String>,
    review_href: String,
    /// A link to its place in the conversation.
    place: String,
    /// The comment, for the template of the conversation.
    comments: [CommentView; 1],
}

impl Pages {
    /// Renders the page of a comment.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn comment(&self, page: &CommentPage<'_>) -> anyhow::Result<String> {
        let CommentPage { review, comment, page } = *page;
        let site = &self.site;
        // Older versions stored comments that are longer.
        let shortened = shorten_comment(&comment.content, MAX_SANITIZED_COMMENT_BYTES);
        let content = comment_content(site, shortened.as_deref().unwrap_or(&comment.content));
        let view = comment_view(site, comment, 0, None, content);
        let path = |page| page_path(site, review, "", ThreadOrder::Oldest, page);
        let place = match page {
            Some(page) => format!("{}#{}", path(page), comment_anchor(comment.id)),
            None => format!("{}#comments", path(1)),
        };
        let view = CommentPageView {
            author: view.author.name.clone(),
            review: plain_text::text(&review_title(site, review)),
            language: review.content.language.clone(),
            review_href: path(1),
            place,
            comments: [view],
        };
        self.render("comment.html", view)
    }
}
