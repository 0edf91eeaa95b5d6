//! Replies that are shown as comments.

use std::collections::{BTreeMap, HashMap, HashSet};

use url::Url;

use super::id::{CommentId, CriticId, ReviewId};
use super::time::Timestamp;

/// A public reply to a review, or to another reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its id here; its anchor on the page.
    pub id: CommentId,
    /// The review in whose thread it stands.
    pub review: ReviewId,
    /// Its id on the fediverse.
    pub uri: Url,
    /// The page where it can be read at home.
    pub url: Url,
    /// Who wrote it.
    pub author: Author,
    /// The comment that it answers; none where it answers the review.
    pub parent: Option<CommentId>,
    /// What it says, as safe HTML; empty where only its place is held.
    pub content: String,
    /// Its content warning, plain text.
    pub warning: Option<String>,
    /// BCP 47 tag of its language.
    pub language: Option<String>,
    /// When its author wrote it.
    pub published: Timestamp,
    /// When its author last changed it.
    pub edited: Option<Timestamp>,
    /// What readers see of it.
    pub visibility: CommentVisibility,
}

/// What readers see of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentVisibility {
    /// All of it.
    Shown,
    /// That its author deleted it: only a placeholder holds its place in the thread.
    Deleted,
    /// That the critic hid it: a placeholder, too.
    Hidden,
    /// That the critic took its words away for good.
    Removed,
    /// That it is not shown, for now: it waits for the critic, or its author blocks the critic.
    Withheld,
}

/// The author of a comment, as shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The actor's id.
    pub uri: Url,
    /// The actor's page.
    pub url: Url,
    /// The name shown, plain text.
    pub name: String,
    /// `@user@host`, only where WebFinger leads from it to the actor and back.
    pub handle: Option<String>,
    /// The picture's name under `/media/`, once it is here.
    pub avatar: Option<String>,
    /// Whether what the actor says may be found by searching, or be repeated in a feed (FEP-5feb).
    pub indexable: bool,
    /// The handle (its user part) of the critic of this site who it is.
    pub critic: Option<String>,
}

/// The answer of a critic of this site in a thread, as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriticReply {
    /// Its id; also the last segment of its Note's id.
    pub id: CommentId,
    /// Who wrote it.
    pub critic: CriticId,
    /// The review in whose thread it stands.
    pub review: ReviewId,
    /// Where people read it: its place on the page of the review.
    pub url: Url,
    /// What it answers.
    pub in_reply_to: Url,
    /// What it says, as safe HTML.
    pub content: String,
    /// BCP 47 tag of its language.
    pub language: Option<String>,
    /// When it was written.
    pub published: Timestamp,
    /// When it was last changed.
    pub edited: Option<Timestamp>,
    /// Whom it speaks to.
    pub mentions: Vec<Mention>,
}

/// Somebody of another server whom an answer speaks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The actor's id.
    pub actor: Url,
    /// The actor's page.
    pub url: Url,
    /// `@user@host`, where it is confirmed.
    pub handle: Option<String>,
    /// Whether the text itself names it; if not, its name is put ahead of the text.
    pub in_text: bool,
}

/// Where a comment stands on the page of its review.
pub fn comment_anchor(id: CommentId) -> String {
    format!("comment-{id}")
}

/// The comment that an anchor leads to.
pub fn parse_comment_anchor(fragment: &str) -> Option<CommentId> {
    fragment.strip_prefix("comment-")?.parse().ok()
}

/// A comment and the replies to it, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadNode {
    /// The comment.
    pub comment: Comment,
    /// The replies to it.
    pub replies: Vec<ThreadNode>,
}

/// Hangs comments where they belong. The order in which they come does not matter; one whose parent
/// is not among them stands at the top, and so does one that would close a circle.
pub fn build_thread(comments: Vec<Comment>) -> Vec<ThreadNode> {
    let mut comments = comments;
    comments.sort_by_key(|c| (c.published, c.id));
    let parent_of: HashMap<CommentId, CommentId> =
        comments.iter().filter_map(|c| c.parent.map(|p| (c.id, p))).collect();
    let present: HashSet<CommentId> = comments.iter().map(|c| c.id).collect();
    let circular = circular(&parent_of);

    let mut order = Vec::with_capacity(comments.len());
    let mut children: BTreeMap<CommentId, Vec<CommentId>> = BTreeMap::new();
    let mut roots = Vec::new();
    for comment in &comments {
        match comment.parent.filter(|p| present.contains(p) && !circular.contains(&comment.id)) {
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
    let mut by_id: HashMap<CommentId, Comment> = comments.into_iter().map(|c| (c.id, c)).collect();
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

/// In which order the comments that answer the review itself stand. Answers to comments stand as they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThreadOrder {
    /// As they came.
    #[default]
    Oldest,
    /// The last ones first.
    Newest,
    /// Those that were answered most first.
    MostReplies,
}

impl ThreadOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Oldest, Self::Newest, Self::MostReplies];

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "oldest",
            Self::Newest => "newest",
            Self::MostReplies => "answered",
        }
    }

    /// What [`ThreadOrder::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }
}

/// Puts branches, the oldest first, into another order.
pub fn sort_threads(branches: &mut [ThreadNode], order: ThreadOrder) {
    match order {
        ThreadOrder::Oldest => {}
        ThreadOrder::Newest => branches.reverse(),
        ThreadOrder::MostReplies => branches.sort_by_cached_key(|branch| std::cmp::Reverse(answers(branch))),
    }
}

/// How many comments that are shown hang under one, without recursion.
fn answers(branch: &ThreadNode) -> usize {
    let (mut found, mut open) = (0, vec![branch]);
    while let Some(branch) = open.pop() {
        let shown =
            branch.replies.iter().filter(|reply| reply.comment.visibility == CommentVisibility::Shown);
        found += shown.count();
        open.extend(&branch.replies);
    }
    found
}

/// Those whose chain of parents leads back to themselves. No stretch is walked twice, since a hostile thread may
/// be one long chain.
fn circular(parent_of: &HashMap<CommentId, CommentId>) -> HashSet<CommentId> {
    let mut circular = HashSet::new();
    let mut walked_by: HashMap<CommentId, CommentId> = HashMap::new();
    for &start in parent_of.keys() {
        let mut at = start;
        while !walked_by.contains_key(&at) {
            walked_by.insert(at, start);
            let Some(&next) = parent_of.get(&at) else { break };
            at = next;
        }
        // This walk met itself: from here on once more around is the circle.
        let mut around = at;
        while walked_by.get(&around) == Some(&start)
            && parent_of.contains_key(&around)
            && circular.insert(around)
        {
            let Some(&next) = parent_of.get(&around) else { break };
            around = next;
        }
    }
    circular
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn comment(n: i64, parent: Option<CommentId>) -> Comment {
        let url: Url = format!("https://m.example/{n}").parse().unwrap();
        Comment {
            id: CommentId::new(Timestamp::from_millis(n)),
            review: ReviewId::new(Timestamp::from_millis(0)),
            uri: url.clone(),
            url: url.clone(),
            author: Author {
                uri: url.clone(),
                url,
                name: String::new(),
                handle: None,
                avatar: None,
                critic: None,
                indexable: true,
            },
            parent,
            content: String::new(),
            warning: None,
            language: None,
            published: Timestamp::from_millis(n),
            edited: None,
            visibility: CommentVisibility::Shown,
        }
    }

    #[test]
    fn replies_hang_under_what_they_answer_in_whatever_order_they_come() {
        let first = comment(1, None);
        let answer = comment(2, Some(first.id));
        let deeper = comment(3, Some(answer.id));
        let second = comment(4, None);
        let all = [first, answer, deeper, second];
        let expected = build_thread(all.to_vec());
        assert_eq!(expected.len(), 2);
        assert_eq!(expected[0].replies[0].replies[0].comment, all[2]);
        let mut reversed = all.to_vec();
        reversed.reverse();
        assert_eq!(build_thread(reversed), expected);
    }

    #[test]
    fn a_circle_of_replies_loses_nobody() {
        let mut a = comment(1, None);
        let b = comment(2, Some(a.id));
        a.parent = Some(b.id);
        let tree = build_thread(vec![a, b]);
        assert_eq!(tree.len(), 2, "both stand at the top");
    }

    #[test]
    fn threads_stand_in_the_order_that_is_asked_for() {
        let (first, second, third) = (comment(1, None), comment(2, None), comment(3, None));
        let (answer, deeper) = (comment(4, Some(second.id)), comment(6, Some(third.id)));
        let deepest = comment(7, Some(deeper.id));
        let branches = build_thread(vec![first, second, third, answer, deeper, deepest]);
        let in_order = |order| {
            let mut branches = branches.clone();
            sort_threads(&mut branches, order);
            branches.iter().map(|branch| branch.comment.published.millis()).collect::<Vec<_>>()
        };
        assert_eq!(in_order(ThreadOrder::Oldest), [1, 2, 3]);
        assert_eq!(in_order(ThreadOrder::Newest), [3, 2, 1]);
        assert_eq!(in_order(ThreadOrder::MostReplies), [3, 2, 1]);
        assert_eq!(ThreadOrder::parse("answered"), Some(ThreadOrder::MostReplies));
        assert_eq!(ThreadOrder::parse("Answered"), None);
    }

    /// Who hangs under whom.
    fn pairs(
        branches: &[ThreadNode],
        above: Option<CommentId>,
        into: &mut Vec<(CommentId, Option<CommentId>)>,
    ) {
        for branch in branches {
            into.push((branch.comment.id, above));
            pairs(&branch.replies, Some(branch.comment.id), into);
        }
    }

    proptest! {
        /// Any shape, also with circles and parents that are not there, in any order.
        #[test]
        fn the_tree_does_not_depend_on_the_order(
            (parents, order) in (1..40_usize).prop_flat_map(|size| {
                let parents = proptest::collection::vec(proptest::option::weighted(0.8, 0..size + 2), size);
                (parents, Just((0..size).collect::<Vec<_>>()).prop_shuffle())
            })
        ) {
            let ids: Vec<CommentId> =
                (0..parents.len() + 2).map(|n| CommentId::new(Timestamp::from_millis(n.try_into().unwrap()))).collect();
            let all: Vec<Comment> = parents
                .iter()
                .enumerate()
                .map(|(n, parent)| Comment {
                    id: ids[n],
                    ..comment(i64::try_from(n).unwrap() / 2, parent.map(|parent| ids[parent]))
                })
                .collect();
            let tree = build_thread(all.clone());
            let shuffled = order.iter().map(|n| all[*n].clone()).collect();
            prop_assert_eq!(&build_thread(shuffled), &tree);
            let mut found = Vec::new();
            pairs(&tree, None, &mut found);
            prop_assert_eq!(found.len(), all.len(), "nobody is lost");
            for (id, above) in found {
                let itself = all.iter().find(|comment| comment.id == id).unwrap();
                prop_assert!(above.is_none() || above == itself.parent);
            }
        }
    }
}
