//! What handlers share.

use std::sync::Arc;

use ipnet::IpNet;

use super::cache::Cache;
use super::card::Cards;
use super::limit::Limit;
use super::pages::Pages;
use super::queue::Searches;
use crate::flows::App;
use crate::flows::readers::Reads;

/// Handed to every handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebState {
    /// The product.
    pub app: App,
    /// Renders pages.
    pub pages: Arc<Pages>,
    /// What was rendered and did not change since.
    pub cache: Arc<Cache>,
    /// The pictures of reviews that were drawn lately.
    pub cards: Arc<Cards>,
    /// Those who search.
    pub searches: Arc<Searches>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How often a client may have us ask others.
    pub limit: Arc<Limit>,
    /// Reads that are not written yet.
    pub reads: Arc<Reads>,
}
