//! Reads feed files with Marquee's parser, and prints how many are read, mended and refused, and why:
//!
//! ```sh
//! cargo run --example read_feeds -- FILE_OR_FOLDER…
//! ```
//!
//! `tests/public_feeds` runs it on the feeds that other projects publish as test data. It fails if the parser panics on a file
//! or takes longer than [`MAX_READ_TIME`] for it.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use jiff::tz::TimeZone;
use marquee::domain::feed_entry::FeedEntry;
use marquee::sources::credits::HeadlineColumns;
use marquee::sources::feed::{self, FeedDocument, FeedSource};
use serde_json::{Value, json};
use url::Url;

/// The time after which a file counts as one on which the parser hangs.
const MAX_READ_TIME: Duration = Duration::from_secs(30);

/// The names of files that may be feeds end so.
const ENDINGS: [&str; 6] = ["atom", "json", "rdf", "rss", "rss2", "xml"];

/// Read feed files, and print how many are read, mended and refused.
#[derive(Debug, Parser)]
struct Arguments {
    /// Files, and folders that are searched for files.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print what is read as JSON, a line for each file, instead of the counts.
    #[arg(long)]
    json: bool,
}

/// What became of the files.
#[derive(Default)]
struct Counts {
    files: usize,
    read: usize,
    /// Those of the read ones that feed-rs alone refuses, or finds fewer entries in.
    mended: usize,
    entries: usize,
    skipped: usize,
    /// The reasons why files were refused and entries skipped, with a file for each.
    reasons: BTreeMap<String, (usize, String)>,
    failures: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut files = Vec::new();
    for path in arguments.paths {
        ensure!(path.exists(), "{} does not exist", path.display());
        find_files(path, &mut files)?;
    }
    files.sort();
    let mut counts = Counts::default();
    for file in files {
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        if file.extension().is_some_and(|ending| ending == "json") && !is_json_feed(&bytes) {
            continue;
        }
        let result = read_within_time(&bytes);
        if arguments.json {
            println!("{}", describe(&file, &result));
        }
        counts.add(&file, &bytes, result);
    }
    if !arguments.json {
        counts.print();
    }
    ensure!(counts.failures.is_empty(), "the parser failed on {}", counts.failures.join(", "));
    Ok(())
}

fn find_files(path: PathBuf, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(&path)? {
            find_files(entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
        files.push(path);
    }
    Ok(())
}

/// Whether a JSON file may be a feed. Packages have other ones, too.
fn is_json_feed(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains("jsonfeed.org/version/")
}

/// What the parser says; an error is that it panicked or took too long.
type ReadResult = Result<Result<FeedDocument, String>, &'static str>;

fn read_within_time(bytes: &[u8]) -> ReadResult {
    let (sender, receiver) = mpsc::channel();
    let bytes = bytes.to_vec();
    thread::spawn(move || {
        // Nobody waits any more if it took too long.
        let _ = sender.send(read(&bytes));
    });
    receiver.recv_timeout(MAX_READ_TIME).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => "takes too long",
        mpsc::RecvTimeoutError::Disconnected => "panics",
    })
}

fn read(bytes: &[u8]) -> Result<FeedDocument, String> {
    let base = Url::parse("https://feeds.test/").map_err(|error| error.to_string())?;
    let charset = stated_charset(bytes);
    feed::parse(FeedSource {
        bytes,
        base: &base,
        charset: charset.as_deref(),
        zone: &TimeZone::UTC,
        columns: &HeadlineColumns::default(),
    })
    .map_err(|error| error.to_string())
}

/// Returns the `charset` of the response that feedparser's test data states in a comment: `Header: Content-type: …`.
fn stated_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(2_000))?);
    let line =
        head.lines().find(|line| line.trim_start().to_ascii_lowercase().starts_with("header:"))?.to_owned();
    let (_, charset) = line.split_once("charset=")?;
    Some(charset.trim().trim_matches(['"', '\'']).to_owned())
}

fn describe(file: &Path, result: &ReadResult) -> Value {
    let entries = |document: &FeedDocument| -> Vec<Value> {
        let entries = document.entries.iter();
        let describe = |entry: &FeedEntry| {
            let content = &entry.content;
            json!({
                "id": entry.guid,
                "title": content.title,
                "link": content.canonical_url.as_ref().map(Url::as_str),
                "published": content.published.map(|at| at.to_string()),
                "updated": content.updated.map(|at| at.to_string()),
                "authors": entry.authors,
                "body": content.body,
                "summary": content.subtitle,
                "tags": content.tags,
                "language": content.language,
            })
        };
        entries.map(describe).collect()
    };
    let file = file.display().to_string();
    match result {
        Err(failure) => json!({"file": file, "failure": failure}),
        Ok(Err(error)) => json!({"file": file, "error": error}),
        Ok(Ok(document)) => json!({
            "file": file,
            "title": document.title,
            "language": document.language,
            "entries": entries(document),
            "skipped": document.skipped,
        }),
    }
}

impl Counts {
    fn add(&mut self, file: &Path, bytes: &[u8], result: ReadResult) {
        self.files += 1;
        match result {
            Err(failure) => self.failures.push(format!("{} ({failure})", file.display())),
            Ok(Err(error)) => self.add_reason(&error, file),
            Ok(Ok(document)) => {
                self.read += 1;
                self.entries += document.entries.len();
                self.skipped += document.skipped.len();
                // feed-rs alone panics on some files.
                let plain =
                    catch_unwind(|| feed_rs::parser::parse(bytes).map_or(0, |feed| feed.entries.len()));
                self.mended += usize::from(plain.unwrap_or(0) < document.entries.len());
                for (_, reason) in document.skipped {
                    self.add_reason(&format!("entry: {reason}"), file);
                }
            }
        }
    }

    /// Counts a reason without what differs from file to file.
    fn add_reason(&mut self, reason: &str, file: &Path) {
        let quoted = reason.split('"').step_by(2).collect::<Vec<_>>().join("…");
        let reason = quoted.split(['<', ':']).take(2).collect::<Vec<_>>().join(":");
        let (count, _) = self.reasons.entry(reason).or_insert_with(|| (0, file.display().to_string()));
        *count += 1;
    }

    fn print(&self) {
        println!("files {}", self.files);
        println!("read {}", self.read);
        println!("mended {}", self.mended);
        println!("refused {}", self.files - self.read - self.failures.len());
        println!("entries {}", self.entries);
        println!("skipped {}", self.skipped);
        for (reason, (count, file)) in &self.reasons {
            println!("    {count} × {reason} (such as {file})");
        }
    }
}
