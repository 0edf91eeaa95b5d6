//! What Marquee does: one module for each operation, and [`App`], which they share. Anything that must survive a crash
//! is committed before it is acknowledged, and every job can be repeated safely.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::moderation_policy::ModerationPolicy;
use crate::domain::origin::Origin;
use crate::domain::site::Site;
use crate::domain::time::Clock;
use crate::federation::vocab::url_rules::UrlRules;
use crate::net;
use crate::store::Db;

pub mod apub;
pub mod authenticate;
pub mod block;
pub mod blocklist_import;
pub mod budget;
pub mod critic_avatar;
pub mod critic_reply;
pub mod deliver;
mod erasure;
pub mod error;
pub mod facepile;
pub mod fan_out;
pub mod follow_requests;
pub mod group_commit;
pub mod image_hosts;
pub mod ingest;
pub mod key_rotation;
mod lease;
mod local_file;
pub mod lookup;
pub mod media_file;
pub mod moderate;
pub mod move_account;
pub mod pending_images;
pub mod preview;
pub mod profile;
pub mod publish;
pub mod quote_revocation;
pub mod receive;
pub mod release;
pub mod remote_avatar;
pub mod remote_interaction;
pub mod resolve;
pub mod retract;
pub mod review_media;
pub mod revise;
pub mod signing_keys;
mod stored_url;
pub mod view_counts;
mod webfinger;
pub mod write_probe;

/// The state that all operations share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// The parts of an [`App`].
pub struct AppParts {
    /// The database.
    pub db: Db,
    /// The HTTP client; all outgoing requests use it.
    pub http: net::http_client::Client,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The site's title, language and looks.
    pub site: Site,
    /// The origin of the site's own URLs.
    pub origin: Origin,
    /// Which URLs are accepted as ids of other servers.
    pub rules: UrlRules,
    /// The domain of the critics' handles, if it differs from the origin's host.
    pub handle_domain: Option<String>,
    /// The moderation policy.
    pub policy: ModerationPolicy,
    /// The budgets of strangers.
    pub budgets: budget::Budgets,
    /// The store of image files.
    pub media_store: Arc<dyn object_store::ObjectStore>,
    /// The hosts that images of reviews are fetched from.
    pub image_hosts: image_hosts::ImageHosts,
    /// The folder of the config file, which its paths are relative to.
    pub config_dir: PathBuf,
    /// Wakes the worker.
    pub wake: Wake,
    /// The cache of the site's own signing keys.
    pub signing_keys: signing_keys::SigningKeyCache,
    /// The cache of fetched key documents.
    pub key_fetches: authenticate::KeyFetchCache,
    /// The cache of remote actors' keys.
    pub remote_keys: authenticate::RemoteKeyCache,
    /// Verified activities that wait to be stored.
    pub intake: receive::intake::Intake,
    /// The configuration of `activitypub_federation`.
    pub apub: apub::ApubConfig,
    /// Whether the site can store anything.
    pub write_probe: write_probe::WriteProbe,
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

impl App {
    /// Makes the shared state of its parts.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The domain of the critics' handles.
    pub fn handle_domain(&self) -> &str {
        self.handle_domain.as_deref().unwrap_or_else(|| self.origin.authority())
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.origin)
    }
}

/// Wakes the tasks that wait for work.
#[derive(Debug)]
pub struct Wake(watch::Sender<()>);

impl Default for Wake {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Wake {
    /// Wakes all of them.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// Returns a receiver that changes when there may be work.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}
