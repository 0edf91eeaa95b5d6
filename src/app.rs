//! Wires the state, and runs the site.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use axum::ServiceExt;
use axum::extract::Request;
use ipnet::IpNet;
use object_store::local::LocalFileSystem;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::{Config, FeedConfig};
use crate::domain::critic::CriticProfile;
use crate::domain::id::CriticId;
use crate::domain::looks::{Looks, Palette};
use crate::domain::origin::Origin;
use crate::domain::time::{Clock, Timestamp};
use crate::federation::vocab::url_rules::UrlRules;
use crate::flows::gate::Gate;
use crate::flows::keys::{KeyOwner, SigningKeyCache};
use crate::flows::receive::intake::{self, Intake};
use crate::flows::view_counts::{self, ViewCounts};
use crate::flows::{App, AppParts, Wake, authenticate, media, profile};
use crate::net::client::{Client, ClientPolicy};
use crate::store::critics;
use crate::store::feeds::{self, ConfiguredFeed};
use crate::store::{Db, browse_index, settings};
use crate::web::fast_path::FastPath;
use crate::web::pages::{Messages, Pages, Site};
use crate::web::router::router;
use crate::web::state::WebState;
use crate::worker;

/// After this long, what still runs is dropped: every job is leased, and is done again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Serves and works.
    All,
    /// Serves.
    Web,
    /// Works.
    Worker,
}

/// The clock on the wall.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// Opens everything that the config names, and brings its critics and feeds into the database.
pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let app = open_read_only(config, clock).await?;
    pin_origin(&app).await?;
    browse_index::index_missing(&app.db).await?;
    app.ensure_key(KeyOwner::Instance).await?;
    manage(&app, config).await?;
    Ok(app)
}

/// Opens everything that the config names, and writes nothing into the database but its tables, where they are not there
/// yet or of an older Marquee.
pub async fn open_read_only(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    let policy = policy(config)?;
    // What the system trusts lies in hundreds of files: they are read while the database is opened.
    let http = tokio::task::spawn_blocking(move || Client::new(policy));
    let db = Db::open(&config.database_url)
        .await
        .context("config: database.url: the database cannot be opened")?;
    ensure_origin(&config.server.origin, settings::get(&db, ORIGIN).await?.as_deref())?;
    let media = config.data_dir.join("media");
    std::fs::create_dir_all(&media)
        .with_context(|| format!("config: data_dir: {} cannot be made", media.display()))?;
    Ok(App::new(AppParts {
        http: http.await??,
        db,
        clock,
        site: config.site.clone(),
        origin: config.server.origin.clone(),
        rules: rules(config),
        handle_domain: config.server.handle_domain.clone(),
        policy: config.policy.clone(),
        media_store: Arc::new(LocalFileSystem::new_with_prefix(&media)?.with_fsync(true)),
        config_dir: config.base_dir.clone(),
        wake: Wake::default(),
        signing_keys: SigningKeyCache::default(),
        key_fetches: authenticate::KeyFetchCache::default(),
        remote_keys: authenticate::RemoteKeyCache::default(),
        gate: Gate::default(),
        intake: Intake::default(),
        apub_config: tokio::sync::OnceCell::new(),
    }))
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

/// The setting that tells the origin.
const ORIGIN: &str = "origin";

/// The origin is part of every id that was ever sent: a site keeps the one that it had at its first start.
async fn pin_origin(app: &App) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    let pinned = settings::get_or_insert(&mut tx, ORIGIN, app.origin.as_str()).await?;
    tx.commit().await?;
    ensure_origin(&app.origin, Some(&pinned))
}

/// It must be that of the database, where that has one already.
fn ensure_origin(origin: &Origin, pinned: Option<&str>) -> anyhow::Result<()> {
    if let Some(pinned) = pinned
        && pinned != origin.as_str()
    {
        bail!(
            "config: server.origin: {origin} is not the origin of this database, which is {pinned}, and every id that was sent says \
             so; set server.origin to {pinned}, or start a new site with another data_dir and database.url"
        );
    }
    Ok(())
}

/// Brings the critics and feeds of the config file into the database.
async fn manage(app: &App, config: &Config) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut ids = HashMap::new();
    for declared in &config.critics {
        let mut tx = app.db.begin().await?;
        let id = critics::upsert_from_config(&mut tx, declared, now).await?;
        tx.commit().await?;
        app.ensure_key(KeyOwner::Critic(id)).await?;
        manage_avatar(app, id, declared).await;
        profile::announce_profile(app, id).await?;
        ids.insert(declared.handle.as_str(), id);
    }
    let midnight = app.site.timezone.to_datetime(now.to_jiff()).date().to_zoned(app.site.timezone.clone())?;
    let today = Timestamp::from_millis(midnight.timestamp().as_millisecond());
    let mut tx = app.db.begin().await?;
    feeds::mark_all_unmanaged(&mut tx).await?;
    for feed in &config.feeds {
        let Some(critic) = ids.get(feed.critic.as_str()) else {
            continue;
        };
        feeds::upsert_from_config(&mut tx, &managed(feed, *critic), today, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn managed(feed: &FeedConfig, critic: CriticId) -> ConfiguredFeed<'_> {
    ConfiguredFeed {
        critic,
        name: &feed.name,
        url: &feed.url,
        interval: feed.interval,
        publish_since: feed.publish_since,
        max_publish_per_poll: feed.max_publish_per_poll,
    }
}

/// A missing avatar stops nobody.
async fn manage_avatar(app: &App, critic: CriticId, profile: &CriticProfile) {
    let taken = async {
        let Some(avatar) = &profile.avatar else {
            let mut tx = app.db.begin().await?;
            critics::clear_avatar(&mut tx, critic).await?;
            return Ok(tx.commit().await?);
        };
        let source = if avatar.starts_with("https://") {
            url::Url::parse(avatar)?
        } else {
            let path = std::fs::canonicalize(app.config_dir.join(avatar))?;
            url::Url::from_file_path(path).ok().context("not a path")?
        };
        let folder = source.to_file_path().ok().and_then(|path| path.parent().map(std::path::Path::to_owned));
        let picture = media::fetch_media(app, &source, folder.as_deref()).await?;
        let mut tx = app.db.begin().await?;
        picture.set_as_avatar(&mut tx, critic, app.clock.now()).await?;
        tx.commit().await?;
        anyhow::Ok(())
    };
    if let Err(error) = taken.await {
        tracing::warn!(handle = profile.handle, error = format!("{error:#}"), "avatar left out");
    }
}

/// Colours are for the critic to choose, and for readers to read.
fn warn_of_faint_colours(looks: &Looks) {
    let schemes =
        [("light", &looks.light, &Palette::DEFAULT_LIGHT), ("dark", &looks.dark, &Palette::DEFAULT_DARK)];
    for (scheme, palette, built_in) in schemes {
        for (text, ground, contrast) in palette.low_contrast_pairs(built_in) {
            tracing::warn!(
                "looks.{scheme}: {text} on {ground} has a contrast of {contrast:.1}, and many need 4.5 to read it"
            );
        }
    }
}

/// The pages of the site, in its words and looks.
fn pages_of(app: &App) -> anyhow::Result<Pages> {
    Pages::new(Site {
        about: app.site.clone(),
        origin: app.origin.clone(),
        handle_domain: app.handle_domain().to_owned(),
        messages: Messages::load(&app.site.language, app.site.looks.folder.as_deref())?.into(),
    })
}

/// Serves where there is a listener, works where it is to, until `shutdown` resolves; then drains.
pub async fn run(
    app: App,
    listener: Option<(TcpListener, &[IpNet])>,
    works: bool,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    if works {
        tasks.spawn(worker::run(app.clone(), stopped.clone()));
    }
    if let Some((listener, trusted_proxies)) = listener {
        warn_of_faint_colours(&app.site.looks);
        let pages = pages_of(&app)?;
        let reads = Arc::<ViewCounts>::default();
        let state = WebState {
            app: app.clone(),
            pages: Arc::new(pages),
            cache: Arc::default(),
            share_cards: Arc::default(),
            search_queue: Arc::default(),
            trusted_proxies: trusted_proxies.into(),
            lookup_limiter: Arc::default(),
            view_counts: Arc::clone(&reads),
        };
        let service = FastPath::new(&state, router(state.clone()));
        let service = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(service);
        let mut stopped = stopped;
        tasks.spawn(intake::write_all(app.clone()));
        tasks.spawn(count_reads(app.clone(), Arc::clone(&reads), stopped.clone()));
        let served = app.clone();
        tasks.spawn(async move {
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let ended = axum::serve(listener, service).with_graceful_shutdown(until).await;
            // What still waits is written; nothing more comes.
            served.intake.close();
            view_counts::flush(&served, &reads).await;
            Ok(ended?)
        });
    }
    let ended = tokio::select! {
        () = shutdown => {
            tracing::info!("stopping: what was begun is ended first");
            Ok(())
        }
        Some(ended) = tasks.join_next() => match ended {
            Ok(Ok(())) => Err(anyhow!("a part of the site ended by itself")),
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(panic.into()),
        },
    };
    stop.send_replace(true);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("not everything ended in time; it is done again at the next start");
    }
    app.db.close().await;
    ended
}

async fn count_reads(app: App, reads: Arc<ViewCounts>, stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
    view_counts::flush_all(app, reads, stopped).await;
    Ok(())
}
