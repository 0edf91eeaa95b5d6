//! Lays out the conversation below a review: which comments are shown, in which order, on which page, and which of them
//! are folded.
//!
//! Whoever writes much must not push the others aside. Where there is not room for all, domains take turns, and so do the
//! authors of a domain. What one author writes beyond a share is folded, and as soon as there are several pages, it
//! follows after the comments of everyone else.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::comment_outline::CommentOutline;
use super::comment_thread::{ThreadNode, ThreadOrder, build_thread, sort_threads};
use super::id::CommentId;
use super::owner::registrable_domain;

/// The number of comments of one author that are not folded, if there are others. In a long conversation it is a tenth
/// of the comments.
const MIN_SHARE: usize = 20;

/// The part of a page that the comments of one author may take before they are folded.
const AUTHOR_PART: usize = 16;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub struct LayoutLimits {
    /// Comments on all pages together.
    pub comments: usize,
    /// Bytes of HTML on one page.
    pub bytes_per_page: usize,
}

/// A comment at its place on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedComment {
    /// Its id.
    pub id: CommentId,
    /// How many comments there are above it in its thread.
    pub depth: usize,
    /// The comment that it replies to, if that is on one of the pages.
    pub parent: Option<CommentId>,
    /// Whether readers see it only after they ask for it.
    pub is_folded: bool,
}

/// A conversation on its pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationLayout {
    /// The comments of each page in reading order. There is at least one page.
    pub pages: Vec<Vec<PlacedComment>>,
    /// The page of each comment, counted from one.
    pub page_of: HashMap<CommentId, u32>,
    /// The number of threads.
    pub threads: usize,
    /// The number of comments that are shown on all pages.
    pub shown: usize,
}

impl ConversationLayout {
    /// The comments on a page, counted from one; none if there is no such page.
    pub fn page(&self, number: u32) -> &[PlacedComment] {
        let index = usize::try_from(number).unwrap_or_default().checked_sub(1);
        index.and_then(|index| self.pages.get(index)).map_or(&[], Vec::as_slice)
    }
}

/// Lays out the comments of a review. A comment that is not shown must be among them only as a placeholder, and is left
/// out if no comment below it is shown.
pub fn lay_out(
    comments: Vec<CommentOutline>,
    order: ThreadOrder,
    limits: LayoutLimits,
) -> ConversationLayout {
    let by_age = |c: &CommentOutline| (c.received, c.id);
    let (mut shown, placeholders): (Vec<_>, Vec<_>) =
        comments.into_iter().partition(CommentOutline::is_shown);
    if order == ThreadOrder::Newest {
        shown.sort_by_key(|c| Reverse(by_age(c)));
    } else {
        shown.sort_by_key(by_age);
    }
    let shown = take_turns(shown, limits.comments);
    let shares = Shares::new(&shown, limits);
    let bytes: usize = shown.iter().map(|c| c.bytes).sum();
    let is_behind = |c: &CommentOutline| bytes > limits.bytes_per_page && shares.is_behind(c);
    let (behind, front): (Vec<_>, Vec<_>) = shown.iter().cloned().partition(is_behind);
    let mut placeholders: HashMap<CommentId, CommentOutline> =
        placeholders.into_iter().map(|c| (c.id, c)).collect();
    let mut layout = ConversationLayout { shown: shown.len(), ..ConversationLayout::default() };
    let mut pages =
        Pages { limit: limits.bytes_per_page, left: limits.bytes_per_page, filled: vec![Vec::new()] };
    for part in [front, behind] {
        let mut threads = build_thread(with_placeholders(part, &mut placeholders));
        sort_threads(&mut threads, order);
        layout.threads += threads.len();
        for (depth, comment) in reading_order(&threads) {
            pages.push(comment, depth, shares.folded.contains(&comment.id));
        }
    }
    layout.pages = pages.filled;
    for (number, page) in (1..).zip(&layout.pages) {
        layout.page_of.extend(page.iter().map(|placed| (placed.id, number)));
    }
    for placed in layout.pages.iter_mut().flatten() {
        placed.parent = placed.parent.filter(|parent| layout.page_of.contains_key(parent));
    }
    layout
}

/// Keeps `limit` comments: domains take turns, and so do the authors of a domain. Who comes first in the list is first in
/// each round.
fn take_turns(comments: Vec<CommentOutline>, limit: usize) -> Vec<CommentOutline> {
    if comments.len() <= limit {
        return comments;
    }
    let mut of_author: HashMap<&str, usize> = HashMap::new();
    let mut by_domain: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (at, comment) in comments.iter().enumerate() {
        let round = of_author.entry(&comment.author).or_default();
        by_domain.entry(registrable_domain(&comment.host)).or_default().push((*round, at));
        *round += 1;
    }
    let mut turns: Vec<(usize, usize)> = Vec::with_capacity(comments.len());
    for mut of_domain in by_domain.into_values() {
        of_domain.sort_unstable();
        turns.extend(of_domain.into_iter().enumerate().map(|(turn, (_, at))| (turn, at)));
    }
    turns.sort_unstable();
    let kept: HashSet<usize> = turns.into_iter().take(limit).map(|(_, at)| at).collect();
    let kept = |at: &usize| kept.contains(at);
    comments.into_iter().enumerate().filter(|(at, _)| kept(at)).map(|(_, comment)| comment).collect()
}

/// Who has used up a share.
struct Shares {
    /// Comments beyond the share of their author.
    folded: HashSet<CommentId>,
    /// Comments beyond the share of their domain in the first page.
    crowded: HashSet<CommentId>,
}

impl Shares {
    /// Counts comments, of which the first of each author are within the share. An author who is alone needs none, nor does
    /// a domain.
    fn new(shown: &[CommentOutline], limits: LayoutLimits) -> Self {
        let mut shares = Self { folded: HashSet::new(), crowded: HashSet::new() };
        let most = MIN_SHARE.max(shown.len() / 10);
        let mut of_author: HashMap<&str, (usize, usize)> = HashMap::new();
        for comment in shown {
            let (count, bytes) = of_author.entry(&comment.author).or_default();
            *count += 1;
            *bytes += comment.bytes;
            // The first comment is shown, however long it is.
            if !comment.is_critic
                && (*count > most || (*count > 1 && *bytes > limits.bytes_per_page / AUTHOR_PART))
            {
                shares.folded.insert(comment.id);
            }
        }
        if of_author.len() == 1 {
            shares.folded.clear();
        }
        shares.divide_first_page(shown, limits.bytes_per_page);
        shares
    }

    /// Divides the first page among the domains: what one does not need, the others have.
    fn divide_first_page(&mut self, shown: &[CommentOutline], page: usize) {
        let counted = || {
            let counted = shown.iter().filter(|c| !self.folded.contains(&c.id));
            counted.map(|c| (c, registrable_domain(&c.host)))
        };
        let mut of_domain: HashMap<&str, usize> = HashMap::new();
        for (comment, domain) in counted() {
            *of_domain.entry(domain).or_default() += comment.bytes;
        }
        if of_domain.len() == 1 {
            return;
        }
        let mut needs: Vec<usize> = of_domain.values().copied().collect();
        needs.sort_unstable();
        let (mut left, mut share) = (page, page);
        for (at, need) in needs.iter().enumerate() {
            share = left / (needs.len() - at);
            left = left.saturating_sub(*need);
            if *need > share {
                break;
            }
            share = page;
        }
        let mut used: HashMap<&str, usize> = HashMap::new();
        let mut crowded = HashSet::new();
        for (comment, domain) in counted() {
            let used = used.entry(domain).or_default();
            let is_first = *used == 0;
            *used += comment.bytes;
            if *used > share && !is_first {
                crowded.insert(comment.id);
            }
        }
        self.crowded = crowded;
    }

    /// Whether a comment comes after those of everyone else if one page is not enough.
    fn is_behind(&self, comment: &CommentOutline) -> bool {
        self.folded.contains(&comment.id) || self.crowded.contains(&comment.id)
    }
}

/// Adds the placeholders above comments, each to the first part that needs it.
fn with_placeholders(
    mut part: Vec<CommentOutline>,
    placeholders: &mut HashMap<CommentId, CommentOutline>,
) -> Vec<CommentOutline> {
    let mut next = 0;
    while let Some(comment) = part.get(next) {
        next += 1;
        if let Some(above) = comment.parent.and_then(|parent| placeholders.remove(&parent)) {
            part.push(above);
        }
    }
    part
}

/// The comments in reading order, each with its depth, without recursion.
fn reading_order(threads: &[ThreadNode]) -> impl Iterator<Item = (usize, &CommentOutline)> {
    let mut open = vec![threads.iter()];
    std::iter::from_fn(move || {
        loop {
            let Some(node) = open.last_mut()?.next() else {
                open.pop();
                continue;
            };
            open.push(node.replies.iter());
            return Some((open.len() - 2, &node.comment));
        }
    })
}

/// Pages that are being filled.
struct Pages {
    limit: usize,
    left: usize,
    filled: Vec<Vec<PlacedComment>>,
}

impl Pages {
    fn push(&mut self, comment: &CommentOutline, depth: usize, is_folded: bool) {
        if comment.bytes > self.left && self.filled.last().is_some_and(|page| !page.is_empty()) {
            self.filled.push(Vec::new());
            self.left = self.limit;
        }
        self.left = self.left.saturating_sub(comment.bytes);
        let placed = PlacedComment { id: comment.id, depth, parent: comment.parent, is_folded };
        if let Some(page) = self.filled.last_mut() {
            page.push(placed);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::comment::CommentVisibility;
    use crate::domain::time::Timestamp;

    const LIMITS: LayoutLimits = LayoutLimits { comments: 2_000, bytes_per_page: 1_000_000 };

    /// A comment of 1,000 bytes by an author on a host, received at that time.
    fn by(host: &str, author: i64, time: i64) -> CommentOutline {
        CommentOutline {
            id: CommentId::new(Timestamp::from_millis(time)),
            parent: None,
            received: Timestamp::from_millis(time),
            author: format!("https://{host}/{author}"),
            host: host.to_owned(),
            is_critic: false,
            visibility: CommentVisibility::Shown,
            bytes: 1_000,
        }
    }

    fn page_of(layout: &ConversationLayout, comment: &CommentOutline) -> Option<u32> {
        layout.page_of.get(&comment.id).copied()
    }

    #[test]
    fn a_comment_of_another_is_on_the_first_page_of_any_flood() {
        let flood = |comments: std::ops::Range<i64>, comment: fn(i64) -> CommentOutline| {
            comments.map(comment).collect::<Vec<_>>()
        };
        let floods = [
            ("one author", flood(0..3_000, |n| by("flood.example", 0, n))),
            ("an author for each comment", flood(0..3_000, |n| by("flood.example", n, n))),
            ("a host for each comment", flood(0..3_000, |n| by(&format!("h{n}.flood.example"), 0, n))),
            (
                "long comments",
                flood(0..300, |n| CommentOutline { bytes: 18_000, ..by("flood.example", n % 9, n) }),
            ),
            ("ten domains", flood(0..3_000, |n| by(&format!("flood{}.example", n % 10), n % 30, n))),
        ];
        for (name, flood) in floods {
            for order in ThreadOrder::ALL {
                let time = if order == ThreadOrder::Newest { 0 } else { 9_999 };
                let honest = by("honest.example", 0, time);
                let mut all = flood.clone();
                all.push(honest.clone());
                let layout = lay_out(all, order, LIMITS);
                assert_eq!(page_of(&layout, &honest), Some(1), "{name}, {order:?}");
                let placed = layout.pages.concat();
                assert!(placed.iter().all(|c| c.id != honest.id || !c.is_folded), "{name}");
                assert!(layout.shown <= LIMITS.comments);
            }
        }
    }

    #[test]
    fn what_one_author_writes_beyond_a_share_is_folded() {
        let folded = |comments: Vec<CommentOutline>| {
            let layout = lay_out(comments, ThreadOrder::Oldest, LIMITS);
            assert_eq!(layout.pages.len(), 1);
            layout.pages[0].iter().filter(|placed| placed.is_folded).count()
        };
        let mut comments: Vec<_> = (0..50).map(|n| by("m.example", 0, n)).collect();
        assert_eq!(folded(comments.clone()), 0, "there are no others");
        comments.push(by("m.example", 1, 60));
        assert_eq!(folded(comments.clone()), 30);
        // The author may be one of a large server, of which everyone writes little.
        comments = (0..500).map(|n| by("m.example", n, n)).collect();
        comments.push(by("n.example", 1, 600));
        assert_eq!(folded(comments), 0);
        let long = |n| CommentOutline { bytes: 30_000, ..by("m.example", 0, n) };
        assert_eq!(folded(vec![long(1), long(2), long(3), long(4), by("n.example", 0, 5)]), 2);
    }

    #[test]
    fn a_placeholder_stands_on_the_page_of_the_first_comment_below_it() {
        let gone = CommentOutline { visibility: CommentVisibility::Deleted, ..by("m.example", 0, 1) };
        let reply = CommentOutline { parent: Some(gone.id), ..by("m.example", 1, 2) };
        let unneeded = CommentOutline { visibility: CommentVisibility::Hidden, ..by("m.example", 0, 3) };
        let layout = lay_out(vec![reply.clone(), unneeded, gone.clone()], ThreadOrder::Oldest, LIMITS);
        let placed: Vec<_> = layout.pages[0].iter().map(|c| (c.id, c.depth, c.parent)).collect();
        assert_eq!(placed, [(gone.id, 0, None), (reply.id, 1, Some(gone.id))]);
    }

    proptest! {
        #[test]
        fn each_comment_is_placed_once_on_a_page_that_is_not_too_large(
            drawn in proptest::collection::vec((0..5_i64, 0..60_usize, 1..400_usize, any::<bool>()), 0..60),
            order in prop_oneof![Just(ThreadOrder::Oldest), Just(ThreadOrder::Newest), Just(ThreadOrder::MostReplies)],
            limit in 1..80_usize,
        ) {
            let mut comments: Vec<CommentOutline> = Vec::new();
            for (number, (author, parent, bytes, is_shown)) in (0..).zip(drawn) {
                let mut comment = by(&format!("h{}.example", author % 3), author, number);
                comment.bytes = bytes;
                comment.parent = comments.get(parent).map(|parent| parent.id);
                if !is_shown {
                    comment.visibility = CommentVisibility::Deleted;
                }
                comments.push(comment);
            }
            let limits = LayoutLimits { comments: limit, bytes_per_page: 1_000 };
            let layout = lay_out(comments.clone(), order, limits);
            let placed: Vec<_> = layout.pages.iter().flatten().collect();
            let ids: HashSet<_> = placed.iter().map(|placed| placed.id).collect();
            prop_assert_eq!(ids.len(), placed.len(), "no comment is placed twice");
            let of = |id| comments.iter().find(|c| c.id == id).unwrap();
            let shown = placed.iter().filter(|placed| of(placed.id).is_shown()).count();
            let all = comments.iter().filter(|c| c.is_shown()).count();
            prop_assert_eq!((shown, layout.shown), (all.min(limit), all.min(limit)));
            for page in &layout.pages {
                let bytes: usize = page.iter().map(|placed| of(placed.id).bytes).sum();
                prop_assert!(bytes <= limits.bytes_per_page || page.len() == 1);
                prop_assert!(!page.is_empty() || layout.pages.len() == 1);
            }
            for placed in placed {
                prop_assert!(placed.parent.is_none() || placed.parent == of(placed.id).parent);
                prop_assert!(placed.parent.is_none_or(|parent| ids.contains(&parent)));
            }
        }
    }
}
