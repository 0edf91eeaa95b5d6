//! Opens the database and the shared state, and runs the server and the worker.

mod config_sync;
mod pinned_origin;
mod private_files;
mod site_copy;
mod system_clock;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use ipnet::IpNet;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::private_files::{make_new_files_private, restrict_existing_files};
pub use self::site_copy::{SiteCopy, open_copy};
pub use self::system_clock::SystemClock;

use self::config_sync::apply_config;
use self::pinned_origin::{ORIGIN_SETTING, ensure_origin, pin_origin};
use crate::config::Config;
use crate::domain::looks::{Looks, Palette};
use crate::domain::time::Clock;
use crate::federation::vocab::url_rules::UrlRules;
use crate::flows::apub::ApubConfig;
use crate::flows::budget::Budgets;
use crate::flows::budget::kept_bytes::DatabaseDisk;
use crate::flows::image_hosts::ImageHosts;
use crate::flows::receive::intake::{self, Intake};
use crate::flows::signing_keys::{KeyOwner, SigningKeyCache};
use crate::flows::view_counts::{self, ViewCounts};
use crate::flows::write_probe::{self, WriteProbe};
use crate::flows::{App, AppParts, Wake, authenticate};
use crate::net::http_client::{Client, ClientPolicy};
use crate::store::{Access, Db, OpenError, index_backfill, settings};
use crate::web::connections::{self, ConnectionLimits};
use crate::web::fast_path::FastPath;
use crate::web::page_cache::PageCache;
use crate::web::pages::{Messages, Pages, Site};
use crate::web::state::WebState;
use crate::worker;

/// How long shutdown waits for running jobs. Jobs that are dropped then are run again, since each is leased.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Web server and worker.
    All,
    /// Only the web server.
    Web,
    /// Only the worker.
    Worker,
}

/// Opens a site that exists, upgrades its database, and brings the critics and feeds of the config into the database.
pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let app = open_with(config, clock, Access::Existing).await?;
    prepare(&app, config).await?;
    Ok(app)
}

/// The same; makes the site if there is none.
pub async fn open_or_create(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let app = open_with(config, clock, Access::Write).await?;
    prepare(&app, config).await?;
    Ok(app)
}

/// Opens the database of a site for the server, or makes it. The server calls [`prepare`] once it listens: a start that fails
/// must not fix anything that can never change.
pub async fn open_for_server(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let app = open_with(config, clock, Access::Write).await?;
    load_pages(&app).context("config: looks")?;
    Ok(app)
}

/// Brings the critics and feeds of the config into the database, and stores the origin at the first start.
pub async fn prepare(app: &App, config: &Config) -> anyhow::Result<()> {
    index_backfill::index_missing(&app.db).await?;
    app.ensure_key(KeyOwner::Instance).await?;
    apply_config(app, config).await?;
    pin_origin(app).await
}

/// Opens a site that exists, and writes nothing.
pub async fn open_read_only(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    open_with(config, clock, Access::Read).await
}

/// Whether there is a site: a database with a schema.
pub async fn exists(config: &Config) -> anyhow::Result<bool> {
    let Some(db) = open_existing(config).await? else { return Ok(false) };
    db.close().await;
    Ok(true)
}

/// Opens the database of a site for reading; `None` if there is none yet.
async fn open_existing(config: &Config) -> anyhow::Result<Option<Db>> {
    match Db::open(&config.database_url, Access::Read).await {
        Err(OpenError::NoSite) => Ok(None),
        opened => Ok(Some(check_opened(config, opened).await?)),
    }
}

async fn open_database(config: &Config, access: Access) -> anyhow::Result<Db> {
    check_opened(config, Db::open(&config.database_url, access).await).await
}

/// Describes why a database was not opened, or checks that it has the origin of the config.
async fn check_opened(config: &Config, opened: Result<Db, OpenError>) -> anyhow::Result<Db> {
    let db = match opened {
        Ok(db) => db,
        Err(OpenError::NoSite) => {
            let location = config.database_location();
            bail!("there is no site at {location}: run `marquee serve` to create it");
        }
        Err(error) => {
            let key = config.database_key();
            return Err(error).with_context(|| format!("config: {key}: could not open the database"));
        }
    };
    ensure_origin(&config.server.origin, settings::get(&db, ORIGIN_SETTING).await?.as_deref())?;
    Ok(db)
}

async fn open_with(config: &Config, clock: Arc<dyn Clock>, access: Access) -> anyhow::Result<App> {
    let policy = policy(config)?;
    // The system's certificates are in hundreds of files, which are read while the database is opened.
    let http = tokio::task::spawn_blocking(move || Client::new(policy));
    let db = open_database(config, access).await?;
    Ok(assemble(config, clock, http.await??, db, media_store(config, access)?))
}

/// Opens the folder of the images, and creates it unless the process only reads.
fn media_store(config: &Config, access: Access) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let media = config.media_dir();
    if access != Access::Read {
        std::fs::create_dir_all(&media)
            .with_context(|| format!("config: data_dir: could not create {}", media.display()))?;
    } else if !media.exists() {
        return Ok(Arc::new(InMemory::new()));
    }
    let opened = LocalFileSystem::new_with_prefix(&media);
    let opened = opened.with_context(|| format!("config: data_dir: could not open {}", media.display()))?;
    Ok(Arc::new(opened.with_fsync(true)))
}

/// Makes the shared state of its parts.
fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    http: Client,
    db: Db,
    media_store: Arc<dyn ObjectStore>,
) -> App {
    let local_disk = config.database_url.starts_with("sqlite:").then(|| config.data_dir.clone());
    App::new(AppParts {
        http,
        db,
        clock,
        site: config.site.clone(),
        origin: config.server.origin.clone(),
        rules: rules(config),
        handle_domain: config.server.handle_domain.clone(),
        policy: config.policy.clone(),
        budgets: Budgets::new(config.budgets.clone(), DatabaseDisk::new(local_disk)),
        media_store,
        image_hosts: ImageHosts::default(),
        config_dir: config.base_dir.clone(),
        wake: Wake::default(),
        signing_keys: SigningKeyCache::default(),
        key_fetches: authenticate::KeyFetchCache::default(),
        remote_keys: authenticate::RemoteKeyCache::default(),
        intake: Intake::default(),
        apub: ApubConfig::default(),
        write_probe: WriteProbe::default(),
    })
}

fn policy(config: &Config) -> anyhow::Result<ClientPolicy> {
    let federation = &config.federation;
    let extra_ca = match &federation.extra_ca_file {
        Some(path) => {
            let pem = std::fs::read(path);
            Some(pem.with_context(|| format!("config: federation.extra_ca_file: {}", path.display()))?)
        }
        None => None,
    };
    Ok(ClientPolicy {
        user_agent: format!("Marquee/{} (+{})", env!("CARGO_PKG_VERSION"), config.server.origin),
        allow_networks: federation.allow_networks.clone(),
        resolve: federation.resolve.clone().into_iter().collect::<HashMap<_, _>>(),
        extra_ca,
        plain_http: config.server.origin.is_localhost(),
    })
}

fn rules(config: &Config) -> UrlRules {
    match (config.server.origin.is_localhost(), config.federation.allow_networks.is_empty()) {
        (true, _) => UrlRules::LOCALHOST,
        (false, true) => UrlRules::STRICT,
        (false, false) => UrlRules::PRIVATE_NETWORK,
    }
}

/// Warns about colours that many readers cannot tell apart.
fn warn_about_low_contrast(looks: &Looks) {
    let schemes =
        [("light", &looks.light, &Palette::DEFAULT_LIGHT), ("dark", &looks.dark, &Palette::DEFAULT_DARK)];
    for (scheme, palette, built_in) in schemes {
        for (text, ground, contrast) in palette.low_contrast_pairs(built_in) {
            tracing::warn!(
                "config: looks.{scheme}: {text} on {ground} has a contrast ratio of {contrast:.1}; text needs at least 4.5"
            );
        }
    }
}

/// Loads the templates, messages and looks of the site.
fn load_pages(app: &App) -> anyhow::Result<Pages> {
    Pages::new(Site {
        about: app.site.clone(),
        origin: app.origin.clone(),
        handle_domain: app.handle_domain().to_owned(),
        messages: Messages::load(&app.site.language, app.site.looks.folder.as_deref())?.into(),
    })
}

/// What the web server needs beside the site.
#[derive(Debug)]
pub struct WebListener {
    /// Where it listens.
    pub listener: TcpListener,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// How many files the process may have open, connections included.
    pub open_files: u64,
}

/// Runs the web server if there is a listener, and the worker if `works`, until `shutdown` resolves; then waits for the
/// running jobs.
pub async fn run(
    app: App,
    listener: Option<WebListener>,
    works: bool,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    if works {
        tasks.spawn(worker::run(app.clone(), stopped.clone()));
    }
    if let Some(WebListener { listener, trusted_proxies, open_files }) = listener {
        warn_about_low_contrast(&app.site.looks);
        let pages = load_pages(&app)?;
        let views = Arc::<ViewCounts>::default();
        let state = WebState {
            app: app.clone(),
            pages: Arc::new(pages),
            cache: PageCache::new(app.db.commits()).into(),
            share_cards: Arc::default(),
            search_queue: Arc::default(),
            trusted_proxies: trusted_proxies.into(),
            missing_files: Arc::default(),
            view_counts: Arc::clone(&views),
        };
        let proxies = Arc::clone(&state.trusted_proxies);
        let site = FastPath::new(state);
        let limits = ConnectionLimits::from(&app.budgets.limits).within_open_files(open_files);
        let mut stopped = stopped;
        tasks.spawn(intake::write_all(app.clone()));
        tasks.spawn(probe_writes(app.clone(), stopped.clone()));
        tasks.spawn(count_views(app.clone(), Arc::clone(&views), stopped.clone()));
        let served = app.clone();
        tasks.spawn(async move {
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            connections::serve(listener, site, proxies, limits, until).await;
            // Nothing more arrives; activities that wait are stored.
            served.intake.close();
            view_counts::flush(&served, &views).await;
            Ok(())
        });
    }
    let ended = tokio::select! {
        () = shutdown => {
            tracing::info!("shutting down; finishing in-flight work");
            Ok(())
        }
        Some(ended) = tasks.join_next() => match ended {
            Ok(Ok(())) => Err(anyhow!("a background task exited unexpectedly")),
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(panic.into()),
        },
    };
    stop.send_replace(true);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("some jobs did not finish in time; they will run again on the next start");
    }
    app.db.close().await;
    ended
}

async fn probe_writes(app: App, stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
    write_probe::probe_all(app, stopped).await;
    Ok(())
}

async fn count_views(app: App, views: Arc<ViewCounts>, stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
    view_counts::flush_all(app, views, stopped).await;
    Ok(())
}
