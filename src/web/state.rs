//! The state shared by all handlers.

use std::sync::Arc;

use ipnet::IpNet;

use super::missing_files::MissingFiles;
use super::page_cache::PageCache;
use super::pages::Pages;
use super::share_card::ShareCards;
use super::work_queue::SearchQueue;
use crate::flows::App;
use crate::flows::view_counts::ViewCounts;

/// What every handler gets. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebState {
    /// The application.
    pub app: App,
    /// Renders pages.
    pub pages: Arc<Pages>,
    /// Cached renderings.
    pub cache: Arc<PageCache>,
    /// Share cards of reviews without a poster.
    pub share_cards: Arc<ShareCards>,
    /// Limits concurrent searches.
    pub search_queue: Arc<SearchQueue>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Image files that were found missing.
    pub missing_files: Arc<MissingFiles>,
    /// Views that are not stored yet.
    pub view_counts: Arc<ViewCounts>,
}
