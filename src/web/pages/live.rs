//! What changes on the page of a review while it is open: numbers, faces and comments. The page holds the very pieces
//! that the conversation is sent as by itself, and the tag by which a browser asks whether there is anything new.

use minijinja::Value;
use serde::Serialize;

use super::conversation::{FaceView, Remark, flatten};
use super::view::{path, safe_html};
use super::{Pages, Site};
use crate::domain::comment::{Branch, Order};
use crate::domain::face::Faces;
use crate::domain::hash::sha256_hex;
use crate::domain::review::Review;

/// Threads among which nobody needs an order.
const FEW: usize = 2;

/// How many people read, liked, boosted and commented on a review, and on how many servers it was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
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
pub struct Talk<'a> {
    /// The review.
    pub review: &'a Review,
    /// Its comments, in their order.
    pub comments: &'a [Branch],
    /// How many there are beyond those: the newest, or the oldest where the newest come first.
    pub left_out: u64,
    /// That order.
    pub order: Order,
    /// How many people did something with it.
    pub counts: Counts,
    /// Those who like and boost.
    pub faces: &'a Faces,
}

/// The finished pieces.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    /// Where they are by themselves.
    href: String,
    tag: String,
    is_empty: bool,
    counts: Counts,
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
    counts: Counts,
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
    comments: Vec<Remark>,
}

/// The page of a review, or its conversation (`part`), in that order.
fn address(site: &Site, review: &Review, part: &str, order: Order) -> String {
    let page = path(&site.origin.review_page(review));
    match order {
        Order::Oldest => format!("{page}{part}"),
        _ => format!("{page}{part}?sort={}", order.as_str()),
    }
}

/// The orders to choose from; none where there is nothing to order.
pub(super) fn orders(site: &Site, talk: &Talk<'_>) -> Vec<OrderLink> {
    if talk.comments.len() <= FEW {
        return Vec::new();
    }
    let link = |order: Order| OrderLink {
        name: order.as_str(),
        href: way_to(site, talk.review, order),
        is_current: order == talk.order,
    };
    Order::ALL.into_iter().map(link).collect()
}

/// The comments in that order, on the page of the review.
fn way_to(site: &Site, review: &Review, order: Order) -> String {
    format!("{}#comments", address(site, review, "", order))
}

fn numbers(site: &Site, talk: &Talk<'_>) -> NumbersView {
    let is_from_the_end = talk.order == Order::Newest;
    let other_end = if is_from_the_end { Order::Oldest } else { Order::Newest };
    NumbersView {
        counts: talk.counts,
        left_out: talk.left_out,
        is_from_the_end,
        other_end: way_to(site, talk.review, other_end),
    }
}

impl Pages {
    pub(super) fn live(&self, talk: &Talk<'_>) -> anyhow::Result<Live> {
        let site = &self.site;
        let shown = talk.faces.shown.iter().map(|face| FaceView::new(site, face)).collect();
        let numbers = self.render("numbers.html", numbers(site, talk))?;
        let faces = self.render("faces.html", FacesView { shown, others: talk.faces.others })?;
        let thread = self.render("thread.html", ThreadView { comments: flatten(site, talk.comments) })?;
        let mut tag = sha256_hex([&*numbers, &faces, &thread].concat().as_bytes());
        tag.truncate(32);
        Ok(Live {
            href: address(site, talk.review, "/comments", talk.order),
            tag: format!("W/\"{tag}\""),
            is_empty: talk.comments.is_empty(),
            counts: talk.counts,
            numbers: safe_html(&numbers),
            faces: safe_html(&faces),
            thread: safe_html(&thread),
        })
    }

    /// The conversation by itself, and its entity tag (RFC 9110 section 8.8.3), which stands on the page, too.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn conversation(&self, talk: &Talk<'_>) -> anyhow::Result<(String, String)> {
        let live = self.live(talk)?;
        Ok((format!("{}{}{}", live.numbers, live.faces, live.thread), live.tag))
    }
}
