//! The product's verbs; each reads top to bottom. Whatever must survive is a row before anyone is told that
//! it happened, and every job can be done twice.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use activitypub_federation::config::{Data, FederationConfig};
use tokio::sync::{OnceCell, watch};

use crate::domain::moderation::ModerationPolicy;
use crate::domain::origin::Origin;
use crate::domain::site::Site;
use crate::domain::time::Clock;
use crate::federation::vocab::url_rules::UrlRules;
use crate::net;
use crate::store::Db;

pub mod authenticate;
pub mod avatar;
pub mod block;
pub mod critic_reply;
pub mod deliver;
pub mod facepile;
pub mod follow_requests;
pub mod gate;
pub mod ingest;
pub mod keys;
mod lease;
pub mod lookup;
pub mod media;
pub mod moderate;
pub mod preview;
pub mod profile;
pub mod publish;
pub mod quote;
pub mod receive;
pub mod remote_interaction;
pub mod resolve;
pub mod retract;
pub mod review_media;
pub mod revise;
pub mod view_counts;

/// What every flow works with. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// The parts of an [`App`].
pub struct AppParts {
    /// The database.
    pub db: Db,
    /// The only way out.
    pub http: net::client::Client,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The site as its readers see it.
    pub site: Site,
    /// The site's own addresses.
    pub origin: Origin,
    /// Which addresses count as ids of others.
    pub rules: UrlRules,
    /// The domain of the critics' handles where it differs from the origin's host.
    pub handle_domain: Option<String>,
    /// Who may do what here.
    pub policy: ModerationPolicy,
    /// The folder of pictures.
    pub media_store: Arc<dyn object_store::ObjectStore>,
    /// The folder that paths in the config are relative to.
    pub config_dir: PathBuf,
    /// Tells the worker that there is work.
    pub wake: Wake,
    /// Our keys, parsed once.
    pub signing_keys: keys::SigningKeyCache,
    /// What was lately found at the ids of others' keys.
    pub key_fetches: authenticate::KeyFetchCache,
    /// The keys of others that were used lately, parsed once.
    pub remote_keys: authenticate::RemoteKeyCache,
    /// How much comes in at a time.
    pub gate: gate::Gate,
    /// What is accepted and waits to be written.
    pub intake: receive::intake::Intake,
    /// The library's view of the site. It holds the app that holds it: both live as long as the process.
    pub apub_config: OnceCell<FederationConfig<App>>,
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The domain of the critics' handles.
    pub fn handle_domain(&self) -> &str {
        self.handle_domain.as_deref().unwrap_or_else(|| self.origin.authority())
    }

    /// The library, for fetching what others have: at most 20 requests a use.
    pub async fn apub_data(&self) -> anyhow::Result<Data<Self>> {
        let config = self.0.apub_config.get_or_try_init(async || self.federation_config().await).await?;
        Ok(config.to_request_data())
    }

    async fn federation_config(&self) -> anyhow::Result<FederationConfig<Self>> {
        let config = FederationConfig::builder()
            .domain(self.origin.authority())
            .app_data(self.clone())
            .client(self.http.activitypub_client(Some(Arc::new(keys::InstanceSigner(self.clone())))))
            .http_fetch_limit(20)
            // Its debug mode drops its own guard, which resolves names a second time, away from the
            // connection. Ours decides on the connected address and has no such mode.
            .debug(true)
            .build()
            .await?;
        Ok(config)
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.origin)
    }
}

/// Tells whoever waits that something was written.
#[derive(Debug)]
pub struct Wake(watch::Sender<()>);

impl Default for Wake {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Wake {
    /// There is work.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// Somebody who waits for work.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}
