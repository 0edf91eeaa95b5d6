//! What changes on the page of a review while it is open: numbers, faces and comments. The page holds the very pieces
//! that the conversation is sent as by itself, and the tag by which a browser asks whether there is anything new.

use minijinja::Value;
use serde::Serialize;

use super::comments::{CommentView, FaceView, flatten};
use super::views::{path, safe_html};
use super::{Pages, Site};
use crate::domain::comment::{ThreadNode, ThreadOrder};
use crate::domain::facepile::Facepile;
use crate::domain::hash::sha256_hex;
use crate::domain::review::Review;

/// Threads among which nobody needs an order.
const MIN_THREADS_TO_SORT: usize = 2;

/// How many people read, liked, boosted and commented on a review, and on how many servers it was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReviewCounts {
    /// Reads, as they were lately.
    pub reads: u64,
    /// Likes.
    pub likes: u64,
    /// Boosts.
    pub boosts: u64,
    /// Comments that are shown and not deleted.
    pub comments: u64,
    /// Servers, as they were lately.
    pub hosts: u64,
}

/// What others say and do about a review.
#[derive(Debug, Clone, Copy)]
pub struct Discussion<'a> {
    /// The review.
    pub review: &'a Review,
    /// Its comments, in their order.
    pub comments: &'a [ThreadNode],
    /// How many there are beyond those: the newest, or the oldest where the newest come first.
    pub left_out: u64,
    /// That order.
    pub order: ThreadOrder,
    /// How many people did something with it.
    pub counts: ReviewCounts,
    /// Those who like and boost.
    pub faces: &'a Facepile,
}

/// The finished pieces.
#[derive(Debug, Serialize)]
pub(super) struct DiscussionView {
    /// Where they are by themselves.
    href: String,
    tag: String,
    is_empty: bool,
    counts: ReviewCounts,
    numbers: Value,
    faces: Value,
    thread: Value,
}

/// Another order.
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
    /// Whether those that are left out are the oldest.
    is_from_the_end: bool,
    /// Where they are.
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

/// The page of a review, or its conversation (`part`), in that order.
fn address(site: &Site, review: &Review, part: &str, order: ThreadOrder) -> String {
    let page = path(&site.origin.review_page(review));
    match order {
        ThreadOrder::Oldest => format!("{page}{part}"),
        _ => format!("{page}{part}?sort={}", order.as_str()),
    }
}

/// The orders to choose from; none where there is nothing to order.
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

/// The comments in that order, on the page of the review.
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

    /// The conversation by itself, and its entity tag (RFC 9110 section 8.8.3), which stands on the page, too.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn discussion(&self, discussion: &Discussion<'_>) -> anyhow::Result<(String, String)> {
        let view = self.discussion_view(discussion)?;
        Ok((format!("{}{}{}", view.numbers, view.faces, view.thread), view.tag))
    }
}
