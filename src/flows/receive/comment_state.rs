//! The state that a new comment gets: whether it is shown, or waits for the critic.

use url::Url;

use crate::domain::comment::CommentState;
use crate::domain::moderation::{AccessLevel, FirstCommentPolicy};
use crate::flows::App;
use crate::store::{Result, Tx, access_levels, actors};

/// The state that a new comment of an actor gets under the current policy. A trusted actor is shown even if its server
/// is silenced.
pub(super) async fn initial_comment_state(app: &App, tx: &mut Tx, actor: &Url) -> Result<CommentState> {
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
