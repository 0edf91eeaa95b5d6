//! The pages of the conversation below a review, and the links between them.

use std::collections::HashMap;

use super::Site;
use super::links::url_path;
use crate::domain::comment::{Comment, comment_anchor};
use crate::domain::comment_layout::{ConversationLayout, PlacedComment};
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::id::CommentId;
use crate::domain::review::Review;

/// A page of the conversation below a review.
#[derive(Debug, Clone, Copy)]
pub struct Conversation<'a> {
    /// The review.
    pub review: &'a Review,
    /// The sort order.
    pub order: ThreadOrder,
    /// The places of all comments in that order.
    pub layout: &'a ConversationLayout,
    /// The number of this page, counted from one.
    pub page: u32,
    /// The comments on this page, and those that they reply to. They may be longer than what is shown of them.
    pub comments: &'a HashMap<CommentId, Comment>,
    /// The number of bytes that are shown of a comment.
    pub comment_bytes: usize,
}

impl<'a> Conversation<'a> {
    /// The comments on this page in reading order.
    pub(super) fn placed(&self) -> &'a [PlacedComment] {
        self.layout.page(self.page)
    }

    /// A link to a comment, which may be on another page.
    pub(super) fn link_to(&self, site: &Site, id: CommentId) -> String {
        let anchor = comment_anchor(id);
        match self.layout.page_of.get(&id) {
            Some(page) if *page != self.page => {
                format!("{}#{anchor}", page_path(site, self.review, "", self.order, *page))
            }
            _ => format!("#{anchor}"),
        }
    }
}

/// The query of a page of the conversation in that sort order; empty for the first page in the default order.
pub fn conversation_query(order: ThreadOrder, page: u32) -> String {
    let sort = (order != ThreadOrder::Oldest).then(|| format!("sort={}", order.as_str()));
    let page = (page > 1).then(|| format!("comments={page}"));
    let query: Vec<String> = sort.into_iter().chain(page).collect();
    if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
}

/// The path of the review's page, or of a `part` below it, with that sort order and page of the conversation.
pub(super) fn page_path(site: &Site, review: &Review, part: &str, order: ThreadOrder, page: u32) -> String {
    let path = url_path(&site.origin.review_page(review));
    format!("{path}{part}{}", conversation_query(order, page))
}
