//! What handlers share.

use std::sync::Arc;

use ipnet::IpNet;

use super::cache::RenderingCache;
use super::limit::LookupLimiter;
use super::pages::Pages;
use super::share_card::ShareCards;
use super::work_queue::SearchQueue;
use crate::flows::App;
use crate::flows::view_counts::ViewCounts;

/// Handed to every handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebState {
    /// The product.
    pub app: App,
    /// Renders pages.
    pub pages: Arc<Pages>,
    /// What was rendered and did not change since.
    pub cache: Arc<RenderingCache>,
    /// The pictures of reviews that were drawn lately.
    pub share_cards: Arc<ShareCards>,
    /// Those who search.
    pub search_queue: Arc<SearchQueue>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How often a client may have us ask others.
    pub lookup_limiter: Arc<LookupLimiter>,
    /// Reads that are not written yet.
    pub view_counts: Arc<ViewCounts>,
}
