//! Threads of comments: builds the tree of replies, breaks cycles of parents, and sorts it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::comment::CommentVisibility;
use super::comment_outline::CommentOutline;
use super::id::CommentId;
use super::named_enum::named_enum;

/// A comment and the replies below it, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadNode {
    /// The comment.
    pub comment: CommentOutline,
    /// The direct replies, each with its own replies.
    pub replies: Vec<ThreadNode>,
}

/// Builds the tree of a thread. The order of the input does not matter: comments are sorted by when they were received, since
/// the date that a comment states is its author's word. A comment whose parent is not
/// among the input becomes a root, and so does every comment in a cycle of parents.
pub fn build_thread(comments: Vec<CommentOutline>) -> Vec<ThreadNode> {
    let mut comments = comments;
    comments.sort_by_key(|c| (c.received, c.id));
    let parent_of: HashMap<CommentId, CommentId> =
        comments.iter().filter_map(|c| c.parent.map(|p| (c.id, p))).collect();
    let present: HashSet<CommentId> = comments.iter().map(|c| c.id).collect();
    let in_cycle = find_cycles(&parent_of);

    let mut order = Vec::with_capacity(comments.len());
    let mut children: BTreeMap<CommentId, Vec<CommentId>> = BTreeMap::new();
    let mut roots = Vec::new();
    for comment in &comments {
        match comment.parent.filter(|p| present.contains(p) && !in_cycle.contains(&comment.id)) {
            Some(parent) => children.entry(parent).or_default().push(comment.id),
            None => roots.push(comment.id),
        }
    }
    // Deepest first, without recursion: a hostile thread may be thousands of replies deep.
    let mut open = roots.clone();
    while let Some(id) = open.pop() {
        order.push(id);
        open.extend(children.get(&id).into_iter().flatten());
    }
    let mut by_id: HashMap<CommentId, CommentOutline> = comments.into_iter().map(|c| (c.id, c)).collect();
    let mut built: HashMap<CommentId, ThreadNode> = HashMap::new();
    for id in order.into_iter().rev() {
        let replies = children.remove(&id).unwrap_or_default();
        let replies = replies.into_iter().filter_map(|c| built.remove(&c)).collect();
        if let Some(comment) = by_id.remove(&id) {
            built.insert(id, ThreadNode { comment, replies });
        }
    }
    roots.into_iter().filter_map(|id| built.remove(&id)).collect()
}

/// The order of the comments that reply to the review itself. Replies to comments are always sorted by age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThreadOrder {
    /// Oldest first.
    #[default]
    Oldest,
    /// Newest first.
    Newest,
    /// Most replies first.
    MostReplies,
}

named_enum!(ThreadOrder, "order of comments", {
    Oldest => "oldest",
    Newest => "newest",
    MostReplies => "answered",
});

/// Sorts threads, which must come oldest first, into the given order.
pub fn sort_threads(threads: &mut [ThreadNode], order: ThreadOrder) {
    match order {
        ThreadOrder::Oldest => {}
        ThreadOrder::Newest => threads.reverse(),
        ThreadOrder::MostReplies => {
            threads.sort_by_cached_key(|node| std::cmp::Reverse(count_visible_replies(node)));
        }
    }
}

/// Counts the visible comments below a node, without recursion.
fn count_visible_replies(node: &ThreadNode) -> usize {
    let (mut found, mut open) = (0, vec![node]);
    while let Some(node) = open.pop() {
        let shown = node.replies.iter().filter(|reply| reply.comment.visibility == CommentVisibility::Shown);
        found += shown.count();
        open.extend(&node.replies);
    }
    found
}

/// Finds the comments whose chain of parents leads back to themselves. No part of a chain is walked twice,
/// since a hostile thread may be one long chain.
fn find_cycles(parent_of: &HashMap<CommentId, CommentId>) -> HashSet<CommentId> {
    let mut in_cycle = HashSet::new();
    let mut walked_by: HashMap<CommentId, CommentId> = HashMap::new();
    for &start in parent_of.keys() {
        let mut at = start;
        while !walked_by.contains_key(&at) {
            walked_by.insert(at, start);
            let Some(&next) = parent_of.get(&at) else { break };
            at = next;
        }
        // The walk has come back to its own path, so the rest of the chain is a cycle.
        let mut around = at;
        while walked_by.get(&around) == Some(&start)
            && parent_of.contains_key(&around)
            && in_cycle.insert(around)
        {
            let Some(&next) = parent_of.get(&around) else { break };
            around = next;
        }
    }
    in_cycle
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::Timestamp;

    fn comment(n: i64, parent: Option<CommentId>) -> CommentOutline {
        CommentOutline {
            id: CommentId::new(Timestamp::from_millis(n)),
            parent,
            received: Timestamp::from_millis(n),
            author: format!("https://m.example/{n}"),
            host: "m.example".to_owned(),
            is_critic: false,
            visibility: CommentVisibility::Shown,
            bytes: 1,
        }
    }

    #[test]
    fn replies_are_placed_below_their_parents_in_any_input_order() {
        let first = comment(1, None);
        let reply = comment(2, Some(first.id));
        let deeper = comment(3, Some(reply.id));
        let second = comment(4, None);
        let all = [first, reply, deeper, second];
        let expected = build_thread(all.to_vec());
        assert_eq!(expected.len(), 2);
        assert_eq!(expected[0].replies[0].replies[0].comment, all[2]);
        let mut reversed = all.to_vec();
        reversed.reverse();
        assert_eq!(build_thread(reversed), expected);
    }

    #[test]
    fn a_cycle_of_replies_loses_no_comment() {
        let mut a = comment(1, None);
        let b = comment(2, Some(a.id));
        a.parent = Some(b.id);
        let tree = build_thread(vec![a, b]);
        assert_eq!(tree.len(), 2, "both become roots");
    }

    #[test]
    fn threads_are_sorted_as_requested() {
        let (first, second, third) = (comment(1, None), comment(2, None), comment(3, None));
        let (reply, deeper) = (comment(4, Some(second.id)), comment(6, Some(third.id)));
        let deepest = comment(7, Some(deeper.id));
        let threads = build_thread(vec![first, second, third, reply, deeper, deepest]);
        let in_order = |order| {
            let mut threads = threads.clone();
            sort_threads(&mut threads, order);
            threads.iter().map(|node| node.comment.received.millis()).collect::<Vec<_>>()
        };
        assert_eq!(in_order(ThreadOrder::Oldest), [1, 2, 3]);
        assert_eq!(in_order(ThreadOrder::Newest), [3, 2, 1]);
        assert_eq!(in_order(ThreadOrder::MostReplies), [3, 2, 1]);
        assert_eq!("answered".parse(), Ok(ThreadOrder::MostReplies));
    }

    /// Lists each comment with the comment above it.
    fn pairs(
        threads: &[ThreadNode],
        above: Option<CommentId>,
        into: &mut Vec<(CommentId, Option<CommentId>)>,
    ) {
        for node in threads {
            into.push((node.comment.id, above));
            pairs(&node.replies, Some(node.comment.id), into);
        }
    }

    proptest! {
        #[test]
        fn the_tree_does_not_depend_on_the_order_of_the_input(
            (parents, order) in (1..40_usize).prop_flat_map(|size| {
                let parents = proptest::collection::vec(proptest::option::weighted(0.8, 0..size + 2), size);
                (parents, Just((0..size).collect::<Vec<_>>()).prop_shuffle())
            })
        ) {
            let ids: Vec<CommentId> =
                (0..parents.len() + 2).map(|n| CommentId::new(Timestamp::from_millis(n.try_into().unwrap()))).collect();
            let all: Vec<CommentOutline> = parents
                .iter()
                .enumerate()
                .map(|(n, parent)| CommentOutline {
                    id: ids[n],
                    ..comment(i64::try_from(n).unwrap() / 2, parent.map(|parent| ids[parent]))
                })
                .collect();
            let tree = build_thread(all.clone());
            let shuffled = order.iter().map(|n| all[*n].clone()).collect();
            prop_assert_eq!(&build_thread(shuffled), &tree);
            let mut found = Vec::new();
            pairs(&tree, None, &mut found);
            prop_assert_eq!(found.len(), all.len(), "no comment is lost");
            for (id, above) in found {
                let original = all.iter().find(|comment| comment.id == id).unwrap();
                prop_assert!(above.is_none() || above == original.parent);
            }
        }
    }
}
