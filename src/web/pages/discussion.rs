//! The parts of a review's page that change while it is open: numbers, facepile and comments. The page contains exactly
//! the HTML that the discussion endpoint returns, and its entity tag, with which the script polls for changes.

use minijinja::Value;
use serde::Serialize;

use super::comments::{CommentView, FaceView, flatten};
use super::links::url_path;
use super::safe_html::safe_html;
use super::{Pages, Site};
use crate::domain::comment_thread::{ThreadNode, ThreadOrder};
use crate::domain::facepile::Facepile;
use crate::domain::hash::sha256_hex;
use crate::domain::review::Review;

/// Up to this many threads, no sort order is offered.
const MIN_THREADS_TO_SORT: usize = 2;

/// The numbers of views, likes, boosts, comments, and servers reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReviewCounts {
    /// Views, as last published.
    pub reads: u64,
    /// Likes.
    pub likes: u64,
    /// Boosts.
    pub boosts: u64,
    /// Visible comments.
    pub comments: u64,
    /// Servers reached, as last published.
    pub hosts: u64,
}

/// What others said and did about a review.
#[derive(Debug, Clone, Copy)]
pub struct Discussion<'a> {
    /// The review.
    pub review: &'a Review,
    /// The comments, sorted by `order`.
    pub comments: &'a [ThreadNode],
    /// The number of comments left out: the newest, or the oldest if the newest come first.
    pub left_out: u64,
    /// The sort order.
    pub order: ThreadOrder,
    /// The numbers to show.
    pub counts: ReviewCounts,
    /// The actors who like or boost the review.
    pub faces: &'a Facepile,
}

/// The rendered parts.
#[derive(Debug, Serialize)]
pub(super) struct DiscussionView {
    /// The path of the discussion endpoint.
    href: String,
    tag: String,
    is_empty: bool,
    counts: ReviewCounts,
    numbers: Value,
    faces: Value,
    thread: Value,
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
    is_from_the_end: bool,
    /// A link to the page that shows them.
    other_end: String,
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

/// The path of the review's page, or of a `part` of it, with that sort order.
fn address(site: &Site, review: &Review, part: &str, order: ThreadOrder) -> String {
    let page = url_path(&site.origin.review_page(review));
    match order {
        ThreadOrder::Oldest => format!("{page}{part}"),
        _ => format!("{page}{part}?sort={}", order.as_str()),
    }
}

/// The sort orders offered; none if there is little to sort.
pub(super) fn orders(site: &Site, discussion: &Discussion<'_>) -> Vec<OrderLink> {
    if discussion.comments.len() <= MIN_THREADS_TO_SORT {
        return Vec::new();
    }
    let link = |order: ThreadOrder| OrderLink {
        name: order.as_str(),
        href: comments_link(site, discussion.review, order),
        is_current: order == discussion.order,
    };
    ThreadOrder::ALL.into_iter().map(link).collect()
}

/// A link to the comments on the review's page in that order.
fn comments_link(site: &Site, review: &Review, order: ThreadOrder) -> String {
    format!("{}#comments", address(site, review, "", order))
}

fn numbers(site: &Site, discussion: &Discussion<'_>) -> NumbersView {
    let is_from_the_end = discussion.order == ThreadOrder::Newest;
    let other_end = if is_from_the_end { ThreadOrder::Oldest } else { ThreadOrder::Newest };
    NumbersView {
        counts: discussion.counts,
        left_out: discussion.left_out,
        is_from_the_end,
        other_end: comments_link(site, discussion.review, other_end),
    }
}

impl Pages {
    pub(super) fn discussion_view(&self, discussion: &Discussion<'_>) -> anyhow::Result<DiscussionView> {
        let site = &self.site;
        let shown = discussion.faces.shown.iter().map(|face| FaceView::new(site, face)).collect();
        let numbers = self.render("numbers.html", numbers(site, discussion))?;
        let faces =
            self.render("faces.html", FacesView { shown, others: discussion.faces.other_reactions })?;
        let thread =
            self.render("thread.html", ThreadView { comments: flatten(site, discussion.comments) })?;
        let mut tag = sha256_hex([&*numbers, &faces, &thread].concat().as_bytes());
        tag.truncate(32);
        Ok(DiscussionView {
            href: address(site, discussion.review, "/comments", discussion.order),
            tag: format!("W/\"{tag}\""),
            is_empty: discussion.comments.is_empty(),
            counts: discussion.counts,
            numbers: safe_html(&numbers),
            faces: safe_html(&faces),
            thread: safe_html(&thread),
        })
    }

    /// Renders the discussion on its own. Also returns its entity tag (RFC 9110 section 8.8.3), which the page
    /// contains, too.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn discussion(&self, discussion: &Discussion<'_>) -> anyhow::Result<(String, String)> {
        let view = self.discussion_view(discussion)?;
        Ok((format!("{}{}{}", view.numbers, view.faces, view.thread), view.tag))
    }
}
