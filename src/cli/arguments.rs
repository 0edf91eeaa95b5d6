//! The critics and reviews that arguments name.

use anyhow::{Context, bail};

use crate::domain::critic::Critic;
use crate::domain::review::Review;
use crate::flows::App;
use crate::store::{critics, reviews};

pub(super) async fn select_critic(app: &App, handle: Option<&str>) -> anyhow::Result<Critic> {
    if let Some(handle) = handle {
        let handle = handle.trim_start_matches('@');
        return critics::find_by_handle(&app.db, handle)
            .await?
            .with_context(|| format!("no critic with the handle {handle}: check [[critics]] in the config"));
    }
    let mut all = critics::list_all(&app.db).await?;
    match all.len() {
        0 => bail!("no critics configured: add [[critics]] to the config"),
        1 => Ok(all.remove(0)),
        _ => {
            let handles: Vec<&str> = all.iter().map(|critic| critic.profile.handle.as_str()).collect();
            bail!("the site has several critics; select one with --critic: {}", handles.join(", "))
        }
    }
}

/// The review that an argument refers to.
pub(super) async fn require_review(app: &App, argument: &str) -> anyhow::Result<Review> {
    find_review(app, argument)
        .await?
        .with_context(|| format!("no review found for {argument:?}: use its id, slug or URL"))
}

pub(super) async fn find_review(app: &App, argument: &str) -> anyhow::Result<Option<Review>> {
    let last = argument.trim_end_matches('/').rsplit('/').next().unwrap_or(argument);
    Ok(match last.parse() {
        Ok(id) => reviews::find(&app.db, id).await?,
        Err(_) => reviews::find_by_slug(&app.db, last).await?,
    })
}
