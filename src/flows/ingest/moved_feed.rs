//! Recognizes a known feed after a redirect to another host. A domain that was sold, or a service that has ended, redirects to
//! feeds of others, whose entries must not go to the followers of the critic.

use anyhow::bail;
use url::Url;

use super::identify::{candidates, first_known};
use super::reused_ids::{EarlierIds, forget_reused_ids};
use crate::domain::feed::Feed;
use crate::flows::App;
use crate::sources::feed::FeedDocument;
use crate::store::feed_entries;

/// Checks that a document is of the feed: it comes from the host that was asked or that the config names, or it has an entry that
/// is known, or no entry of the feed is known yet. `requested` is the URL that was asked, `url` the one after redirects.
///
/// # Errors
/// If it may be another feed. The message says what to do if it is not.
pub(super) async fn ensure_same_feed(
    app: &App,
    feed: &Feed,
    requested: &Url,
    url: &Url,
    document: &FeedDocument,
) -> anyhow::Result<()> {
    // A feed that is always redirected is where it was read before.
    let known_urls = [Some(&feed.url), feed.read_url.as_ref()].into_iter().flatten();
    let is_known_host =
        known_urls.filter_map(|url| Url::parse(url).ok()).any(|known| host(&known) == host(url));
    let is_expected = host(url) == host(requested) || is_known_host;
    if is_expected || document.entries.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    if !feed_entries::exists(&mut tx, feed.id).await? {
        return Ok(());
    }
    let (mut candidates, mut document_ids) = candidates(document.clone());
    let ids = &mut EarlierIds::default();
    forget_reused_ids(&mut tx, feed, &mut candidates, &mut document_ids, ids).await?;
    if first_known(&mut tx, feed, &document_ids, &candidates).await?.is_none() {
        bail!(
            "{requested} redirects to {url}, which has none of the entries that are known of this feed, so that nothing is \
             imported; if the feed has moved there, set url = \"{url}\" in the config"
        );
    }
    Ok(())
}

/// The host of a URL; the same with and without `www`.
fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}
