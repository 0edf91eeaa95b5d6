//! Renders the parts of a review's page that change while it is open: numbers, facepile and comments. The page contains
//! the same HTML as the discussion endpoint returns, and its entity tag, with which the script polls for changes.

use minijinja::Value;
use serde::Serialize;

use super::comments::{CommentView, FaceView, flatten};
use super::conversation::{Conversation, page_path};
use super::pager::Pager;
use super::safe_html::safe_html;
use super::{Pages, Site};
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::facepile::Facepile;
use crate::domain::hash::sha256_hex;
use crate::domain::review::Review;

/// Sort orders are offered if there are more threads than this.
const MAX_UNSORTED_THREADS: usize = 2;

/// The numbers of views, likes, boosts, comments, and servers reached. The field of the views is named `reads` in
/// templates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReviewCounts {
    /// Views, as last published.
    #[serde(rename = "reads")]
    pub views: u64,
    /// Likes.
    pub likes: u64,
    /// Boosts.
    pub boosts: u64,
    /// Visible comments.
    pub comments: u64,
    /// Servers reached, as last published.
    pub hosts: u64,
}

/// The comments on a review, the reactions to it, and its numbers.
#[derive(Debug, Clone, Copy)]
pub struct Discussion<'a> {
    /// The comments.
    pub conversation: Conversation<'a>,
    /// The number of comments left out: the newest, or the oldest if the newest come first.
    pub left_out: u64,
    /// The numbers to show.
    pub counts: ReviewCounts,
    /// The actors who like or boost the review.
    pub faces: &'a Facepile,
}

/// The rendered parts, for the template of the page.
#[derive(Debug, Serialize)]
pub(super) struct DiscussionView {
    /// The path of the discussion endpoint.
    href: String,
    tag: String,
    is_empty: bool,
    counts: ReviewCounts,
    numbers: Value,
    faces: Value,
    /// The comments, and the links to other pages.
    thread: Value,
    /// Whether this is not the first page of the conversation.
    is_later_page: bool,
}

/// A link to another sort order.
#[derive(Debug, Serialize)]
pub(super) struct OrderLink {
    name: &'static str,
    href: String,
    is_current: bool,
}

#[derive(Serialize)]
struct NumbersView {
    #[serde(flatten)]
    counts: ReviewCounts,
    left_out: u64,
    /// Whether the comments left out are the oldest.
    #[serde(rename = "is_from_the_end")]
    are_oldest_left_out: bool,
    /// A link to the page that shows them.
    #[serde(rename = "other_end")]
    left_out_href: String,
}

#[derive(Serialize)]
struct FacesView {
    shown: Vec<FaceView>,
    others: u64,
}

#[derive(Serialize)]
struct ThreadView {
    comments: Vec<CommentView>,
}

#[derive(Serialize)]
struct PagerView {
    pager: Pager,
}

/// The sort orders offered; none if there is little to sort.
pub(super) fn order_links(site: &Site, discussion: &Discussion<'_>) -> Vec<OrderLink> {
    if discussion.conversation.layout.threads <= MAX_UNSORTED_THREADS {
        return Vec::new();
    }
    let link = |order: ThreadOrder| OrderLink {
        name: order.as_str(),
        href: comments_link(site, discussion.conversation.review, order, 1),
        is_current: order == discussion.conversation.order,
    };
    ThreadOrder::ALL.into_iter().map(link).collect()
}

/// A link to the comments on the review's page in that order.
fn comments_link(site: &Site, review: &Review, order: ThreadOrder, page: u32) -> String {
    format!("{}#comments", page_path(site, review, "", order, page))
}

fn numbers_view(site: &Site, discussion: &Discussion<'_>) -> NumbersView {
    let are_oldest_left_out = discussion.conversation.order == ThreadOrder::Newest;
    let opposite_order = if are_oldest_left_out { ThreadOrder::Oldest } else { ThreadOrder::Newest };
    NumbersView {
        counts: discussion.counts,
        left_out: discussion.left_out,
        are_oldest_left_out,
        left_out_href: comments_link(site, discussion.conversation.review, opposite_order, 1),
    }
}

impl Pages {
    pub(super) fn discussion_view(&self, discussion: &Discussion<'_>) -> anyhow::Result<DiscussionView> {
        let site = &self.site;
        let shown = discussion.faces.shown.iter().map(|face| FaceView::new(site, face)).collect();
        let numbers = self.render("numbers.html", numbers_view(site, discussion))?;
        let faces =
            self.render("faces.html", FacesView { shown, others: discussion.faces.other_reactions })?;
        let mut thread =
            self.render("thread.html", ThreadView { comments: flatten(site, &discussion.conversation) })?;
        let last = u32::try_from(discussion.conversation.layout.pages.len()).unwrap_or(u32::MAX);
        let link =
            |page| comments_link(site, discussion.conversation.review, discussion.conversation.order, page);
        let pager = Pager::with_hrefs(discussion.conversation.page, last, link);
        // A part of the thread, so that a custom template of an older version has it, too.
        thread.push_str(&self.render("comments-pager.html", PagerView { pager })?);
        let mut tag = sha256_hex([&*numbers, &faces, &thread].concat().as_bytes());
        tag.truncate(32);
        Ok(DiscussionView {
            href: page_path(
                site,
                discussion.conversation.review,
                "/comments",
                discussion.conversation.order,
                discussion.conversation.page,
            ),
            tag: format!("W/\"{tag}\""),
            is_empty: discussion.conversation.layout.shown == 0,
            is_later_page: discussion.conversation.page > 1,
            counts: discussion.counts,
            numbers: safe_html(&numbers),
            faces: safe_html(&faces),
            thread: safe_html(&thread),
        })
    }

    /// Renders the discussion without its page. Also returns its entity tag (RFC 9110 section 8.8.3), which the page
    /// contains as well.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn discussion(&self, discussion: &Discussion<'_>) -> anyhow::Result<(String, String)> {
        let view = self.discussion_view(discussion)?;
        Ok((format!("{}{}{}", view.numbers, view.faces, view.thread), view.tag))
    }
}
