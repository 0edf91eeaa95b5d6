//! What a page of the archive costs at 5,000 reviews beside what it costs at 50: one of all reviews, the last of them,
//! one of a person whom every film has, and a search that finds every review. None of them comes from what is kept.

mod support;

use std::time::Duration;

use anyhow::ensure;
use support::ca::Ca;
use support::cpu;
use support::figure::{median, micros, ratio};
use support::seed::Store;
use support::site::{HOST, Plan, Running, Site};
use support::wire::{Wire, headers, request};
use support::{on_postgres, rounds, size};

/// How many reviews the smaller site has, and the larger.
const SIZES: [usize; 2] = [50, 5_000];

/// How long a rendering is good without a look at the database, and some more.
const TRUST: Duration = Duration::from_millis(12);

/// Reviews on a page of the archive.
const A_PAGE: usize = 30;

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("archive: {} rounds, {}", rounds()?, support::database());
    let ca = Ca::new();
    let mut libraries = Vec::new();
    for reviews in SIZES {
        libraries.push(Library::found(&ca, reviews).await?);
    }
    let pages =
        ["the archive", "its last page", "a person", "a search for a word", "a search for two, rated"];
    let mut ratios = Vec::new();
    let mut costs = vec![[Vec::new(), Vec::new()]; pages.len()];
    for _ in 0..rounds()? {
        let mut sums = [0.0; 2];
        for (page, costs) in costs.iter_mut().enumerate() {
            for (library, (sum, costs)) in libraries.iter_mut().zip(sums.iter_mut().zip(costs)) {
                let cost = library.cost(page).await?;
                *sum += cost;
                costs.push(cost);
            }
        }
        ratios.push(sums[1] / sums[0]);
    }
    let told = pages.iter().zip(&costs).map(|(name, [few, many])| {
        let times = median(many) / median(few);
        format!("{name}: {times:.2}; {}, {}", micros("at 50", few), micros("at 5,000", many))
    });
    ratio("archive_scale", &ratios, &told.collect::<Vec<_>>());
    for library in libraries {
        library.running.stop().await?;
    }
    Ok(())
}

/// A site with so many reviews.
struct Library {
    site: Site,
    running: Running,
    store: Store,
    reviews: usize,
}

impl Library {
    async fn found(ca: &Ca, reviews: usize) -> anyhow::Result<Self> {
        let site = Site::found(Plan { ca: ca.pem(), names: Vec::new(), on_postgres: on_postgres() }).await?;
        let mut store = site.store().await?;
        store.write_reviews(reviews).await?;
        // Puts them on their shelves first.
        let running = site.start("web").await?;
        running.calm().await?;
        Ok(Self { site, running, store, reviews })
    }

    fn path(&self, page: usize) -> String {
        match page {
            0 => "/reviews".to_owned(),
            1 => format!("/reviews?page={}", self.reviews.div_ceil(A_PAGE)),
            2 => "/people/cleo-marsh".to_owned(),
            3 => "/search?q=ferry".to_owned(),
            _ => "/search?q=ferry+radio&rating=3".to_owned(),
        }
    }

    /// CPU of one answer, in µs, each rendered anew.
    async fn cost(&mut self, page: usize) -> anyhow::Result<f64> {
        let asked = headers(&[("host", HOST), ("accept", "text/html")]);
        let path = self.path(page);
        let mut wire = Wire::plain(self.site.listen).await?;
        let answers = size(60_u32, 200);
        let mut spent = Duration::ZERO;
        for number in 0..=answers {
            self.store.change_lists().await?;
            tokio::time::sleep(TRUST).await;
            let before = cpu::of_threads(self.running.pid)?;
            let answer = wire.send(request("GET", &path, &asked, "")?).await?;
            let shown = String::from_utf8_lossy(&answer.body).matches("Reel ").count();
            ensure!(answer.status == 200 && shown >= 20, "{path}: {}, {shown} reviews", answer.status);
            // The first is to warm up.
            if number > 0 {
                spent += cpu::of_threads(self.running.pid)?.saturating_sub(before);
            }
        }
        Ok(spent.as_secs_f64() * 1e6 / f64::from(answers))
    }
}
