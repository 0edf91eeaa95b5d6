//! The hosts that images are fetched from: a few requests to each at a time, and none for a while to one that does not
//! respond, so that many reviews with images of a dead host cost few requests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use super::App;
use super::media_file::{self, ImageError, MediaFile};
use crate::domain::owner::registrable_domain;
use crate::domain::time::Timestamp;
use crate::net::NetError;

/// Requests to one host at a time.
const MAX_PARALLEL_REQUESTS: usize = 4;

/// How long a host that did not respond is left alone; twice as long after each further failure.
pub(super) const MIN_PAUSE: Duration = Duration::from_mins(1);
const MAX_PAUSE: Duration = Duration::from_hours(1);

/// Hosts whose state is kept.
const MAX_HOSTS: u64 = 10_000;

/// The hosts that this process fetched images from.
#[derive(Debug)]
pub struct ImageHosts(moka::sync::Cache<String, Arc<ImageHost>>);

#[derive(Debug)]
struct ImageHost {
    slots: Semaphore,
    pause: Mutex<Pause>,
}

#[derive(Debug, Default)]
struct Pause {
    /// Requests in a row that had no response.
    failures: u32,
    until: Timestamp,
}

impl Default for ImageHosts {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MAX_HOSTS).build())
    }
}

impl ImageHosts {
    /// Downloads an image, unless its host is left alone.
    ///
    /// # Errors
    /// [`ImageError::HostPaused`] then; otherwise see [`media_file::download_media`].
    pub(super) async fn download(&self, app: &App, source: &Url) -> anyhow::Result<MediaFile> {
        self.with_slot(app, source, media_file::download_media(app, source)).await
    }

    /// Downloads an avatar, unless its host is left alone: many actors of one server may have theirs on a host that never
    /// responds.
    ///
    /// # Errors
    /// [`ImageError::HostPaused`] then; otherwise see [`media_file::fetch_avatar`].
    pub(super) async fn download_avatar(&self, app: &App, source: &Url) -> anyhow::Result<MediaFile> {
        self.with_slot(app, source, media_file::fetch_avatar(app, source)).await
    }

    async fn with_slot(
        &self,
        app: &App,
        source: &Url,
        downloading: impl Future<Output = anyhow::Result<MediaFile>>,
    ) -> anyhow::Result<MediaFile> {
        let name = registrable_domain(source.host_str().unwrap_or_default());
        let host = self.0.get_with_by_ref(name, || Arc::new(ImageHost::new()));
        host.ensure_not_paused(app.clock.now())?;
        let _slot = host.slots.acquire().await?;
        // Another request may have failed meanwhile.
        host.ensure_not_paused(app.clock.now())?;
        let downloaded = downloading.await;
        host.record(downloaded.as_ref().err(), app.clock.now());
        downloaded
    }
}

impl ImageHost {
    fn new() -> Self {
        Self { slots: Semaphore::new(MAX_PARALLEL_REQUESTS), pause: Mutex::default() }
    }

    fn ensure_not_paused(&self, now: Timestamp) -> Result<(), ImageError> {
        let until = self.pause.lock().unwrap_or_else(PoisonError::into_inner).until;
        if now < until { Err(ImageError::HostPaused { until }) } else { Ok(()) }
    }

    fn record(&self, error: Option<&anyhow::Error>, now: Timestamp) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if error.is_some_and(is_of_host) {
            let doublings = pause.failures.min(MAX_PAUSE.as_secs().ilog2());
            pause.until = now + (MIN_PAUSE * 2_u32.pow(doublings)).min(MAX_PAUSE);
            pause.failures = pause.failures.saturating_add(1);
        } else {
            *pause = Pause::default();
        }
    }
}

/// Whether the host would not respond to a request for another image either.
fn is_of_host(error: &anyhow::Error) -> bool {
    match (error.downcast_ref::<NetError>(), error.downcast_ref::<ImageError>()) {
        (Some(NetError::Dns | NetError::Connect | NetError::Tls | NetError::Timeout), _) => true,
        (_, Some(ImageError::Status(status))) => matches!(status.as_u16(), 429 | 503),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn a_host_without_response_is_left_alone_for_longer_each_time() {
        let host = ImageHost::new();
        let mut now = Timestamp::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            host.record(Some(&NetError::Timeout.into()), now);
            let Err(ImageError::HostPaused { until }) = host.ensure_not_paused(now) else {
                panic!("not paused");
            };
            pauses.push(until.duration_since(now).as_secs() / 60);
            now = until;
            host.ensure_not_paused(now).unwrap();
        }
        assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pauses[39], 60);
        host.record(Some(&ImageError::Status(StatusCode::NOT_FOUND).into()), now);
        host.ensure_not_paused(now).unwrap();
        host.record(Some(&ImageError::Status(StatusCode::TOO_MANY_REQUESTS).into()), now);
        let asked_to_wait = host.ensure_not_paused(now + Duration::from_secs(59));
        assert!(asked_to_wait.is_err(), "a host that responds works, but this one asks to wait");
        host.ensure_not_paused(now + MIN_PAUSE).unwrap();
    }
}
