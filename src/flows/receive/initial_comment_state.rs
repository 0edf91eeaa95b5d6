//! The state of a new comment: shown, held for the critic, hidden if its author is blocked, or withheld while its author
//! blocks the critic.

use url::Url;

use crate::domain::access_level::AccessLevel;
use crate::domain::comment::CommentState;
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::moderation_policy::FirstCommentPolicy;
use crate::flows::App;
use crate::store::{Result, Tx, access_levels, actors, blockers, comments};

/// Returns the state of a new comment by an actor on a review by a critic. An actor who has written unusually much there is
/// held, even a trusted one.
pub(super) async fn initial_comment_state(
    app: &App,
    tx: &mut Tx,
    review: ReviewId,
    critic: CriticId,
    actor: &Url,
) -> Result<CommentState> {
    let mut state = state_by_policy(app, tx, actor).await?;
    let most = app.budgets.limits.comments_by_author;
    if state == CommentState::Shown
        && comments::count_by_author(tx, review, actor, most).await? >= u64::from(most)
    {
        state = CommentState::Held;
    }
    if state == CommentState::Shown && blockers::is_blocking(tx, critic, actor).await? {
        return Ok(CommentState::Withheld);
    }
    Ok(state)
}

/// The state under the current policy. Comments of a trusted actor are shown even if its server is silenced.
async fn state_by_policy(app: &App, tx: &mut Tx, actor: &Url) -> Result<CommentState> {
    let level = access_levels::for_actor_in_tx(tx, actor, &app.policy).await?;
    if level == AccessLevel::Blocked {
        return Ok(CommentState::Hidden);
    }
    if actors::is_trusted(tx, actor).await? {
        return Ok(CommentState::Shown);
    }
    let is_held = level != AccessLevel::Open || app.policy.first_comments == FirstCommentPolicy::Held;
    Ok(if is_held { CommentState::Held } else { CommentState::Shown })
}
