//! Compares the CPU time of browse and search pages at 5,000 reviews with that at 50: all reviews, the last
//! page of them, a person who is in every film, and searches that find every review. No page comes from the
//! cache.

mod support;

use std::time::Duration;

use anyhow::ensure;
use support::ca::Ca;
use support::connection::{Connection, headers, request};
use support::cpu;
use support::report::{median, micros, ratio};
use support::seed::Database;
use support::site::{HOST, ServerProcess, Site, SiteConfig};
use support::{on_postgres, rounds, size};

/// Reviews of the small and of the large site.
const SIZES: [usize; 2] = [50, 5_000];

/// A little longer than the time for which a cached page is served without checking the database.
const REVALIDATION_INTERVAL: Duration = Duration::from_millis(12);

/// Reviews on one page of a list.
const PAGE_SIZE: usize = 30;

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("archive: {} rounds, {}", rounds()?, support::database());
    let ca = Ca::new();
    let mut sites = Vec::new();
    for reviews in SIZES {
        sites.push(ArchiveSite::create(&ca, reviews).await?);
    }
    let pages = [
        "the archive",
        "its last page",
        "a person",
        "a search for a word",
        "a search for two words with a rating",
    ];
    let mut ratios = Vec::new();
    let mut costs = vec![[Vec::new(), Vec::new()]; pages.len()];
    for _ in 0..rounds()? {
        let mut sums = [0.0; 2];
        for (page, costs) in costs.iter_mut().enumerate() {
            for (site, (sum, costs)) in sites.iter_mut().zip(sums.iter_mut().zip(costs)) {
                let cost = site.cost(page).await?;
                *sum += cost;
                costs.push(cost);
            }
        }
        ratios.push(sums[1] / sums[0]);
    }
    let lines = pages.iter().zip(&costs).map(|(name, [few, many])| {
        let times = median(many) / median(few);
        format!("{name}: {times:.2}; {}, {}", micros("at 50", few), micros("at 5,000", many))
    });
    ratio("archive_scale", &ratios, &lines.collect::<Vec<_>>());
    for site in sites {
        site.running.stop().await?;
    }
    Ok(())
}

/// A site with a number of reviews.
struct ArchiveSite {
    site: Site,
    running: ServerProcess,
    store: Database,
    reviews: usize,
}

impl ArchiveSite {
    async fn create(ca: &Ca, reviews: usize) -> anyhow::Result<Self> {
        let site =
            Site::create(SiteConfig { ca: ca.pem(), names: Vec::new(), on_postgres: on_postgres() }).await?;
        let mut store = site.store().await?;
        store.write_reviews(reviews).await?;
        // The start builds the browse index.
        let running = site.start("web").await?;
        running.wait_until_idle().await?;
        Ok(Self { site, running, store, reviews })
    }

    fn path(&self, page: usize) -> String {
        match page {
            0 => "/reviews".to_owned(),
            1 => format!("/reviews?page={}", self.reviews.div_ceil(PAGE_SIZE)),
            2 => "/people/cleo-marsh".to_owned(),
            3 => "/search?q=ferry".to_owned(),
            _ => "/search?q=ferry+radio&rating=3".to_owned(),
        }
    }

    /// Returns the CPU time of one response in µs; the page is rendered again for each.
    async fn cost(&mut self, page: usize) -> anyhow::Result<f64> {
        let request_headers = headers(&[("host", HOST), ("accept", "text/html")]);
        let path = self.path(page);
        let mut connection = Connection::without_tls(self.site.listen).await?;
        let responses = size(60_u32, 200);
        let mut spent = Duration::ZERO;
        for number in 0..=responses {
            self.store.invalidate_lists().await?;
            tokio::time::sleep(REVALIDATION_INTERVAL).await;
            let before = cpu::of_threads(self.running.pid)?;
            let response = connection.send(request("GET", &path, &request_headers, "")?).await?;
            let shown = String::from_utf8_lossy(&response.body).matches("Reel ").count();
            ensure!(response.status == 200 && shown >= 20, "{path}: {}, {shown} reviews", response.status);
            // The first request warms up.
            if number > 0 {
                spent += cpu::of_threads(self.running.pid)?.saturating_sub(before);
            }
        }
        Ok(spent.as_secs_f64() * 1e6 / f64::from(responses))
    }
}
