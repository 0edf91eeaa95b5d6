//! Sums up lines of the log that repeat, so that nobody can fill the disk or hide other lines by causing many.
//!
//! A line is known by the place in the source that logs it. More than [`MAX_LINES`] from one place in [`WINDOW`] are not
//! written but counted, and one line says at the end of the window how many there were. If all lines together are more
//! than [`MAX_BYTES`], each place has only [`MAX_LINES_WHEN_FULL`]; so the first ones of another cause are always shown.
//!
//! What a feed, an upgrade or another matter of the operator logs is never summed up ([`OWN_TARGETS`]), and lines about
//! different jobs or feeds count apart ([`OWN_FIELDS`]). Lines of the levels `debug` and `trace` are all written, since
//! they are off unless the operator asks for them, except those that name an owner ([`OWNER_FIELD`]): of each of them
//! there are at most [`MAX_OWNED_LINES`].
//!
//! A line that is only counted costs a short lock and no allocation.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::domain::untrusted::Untrusted;

/// The name of a field with a number that stands for whoever caused a line. It is not shown.
pub(super) const OWNER_FIELD: &str = "line_owner";

/// For how long lines are counted together.
const WINDOW: Duration = Duration::from_secs(10);

/// Lines from one place that are written in a window.
const MAX_LINES: u32 = 20;

/// Lines of one owner from one place that are written in a window.
const MAX_OWNED_LINES: u32 = 100;

/// Bytes of all lines in a window, except those of the levels `debug` and `trace`.
const MAX_BYTES: u64 = 50_000;

/// Lines from one place that are written in a window in which there are too many in all.
const MAX_LINES_WHEN_FULL: u32 = 2;

/// Windows that are remembered. There are a few hundred places, and names of feeds and jobs.
const MAX_WINDOWS: usize = 4096;

/// The target of the lines that say how many were left out.
const TARGET: &str = "marquee::log";

/// Modules whose lines follow from what the operator does.
const OWN_TARGETS: [&str; 5] =
    ["marquee::flows::ingest", "marquee::flows::release", "marquee::store::upgrade", "marquee::app", TARGET];

/// Fields that hold names of the operator or of the program, if their value is a string.
const OWN_FIELDS: [&str; 3] = ["feed", "job", "writer"];

/// How many bytes were logged in the current window.
#[derive(Debug, Default)]
pub(super) struct LogBudget {
    written: AtomicU64,
}

impl LogBudget {
    /// Counts the bytes of a line.
    pub(super) fn charge(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Decides which lines are written.
pub(super) struct RepeatedLines(Arc<LineCounter>);

impl RepeatedLines {
    /// Starts the thread that writes the sums.
    pub(super) fn start(budget: Arc<LogBudget>) -> Self {
        let counter = Arc::new(LineCounter::new(budget, Instant::now()));
        let summing = Arc::clone(&counter);
        // Without a thread the log still has its limits, and lacks the sums.
        let _ = std::thread::Builder::new().name("log sums".to_owned()).spawn(move || summing.write_sums());
        Self(counter)
    }
}

impl<S: Subscriber> Layer<S> for RepeatedLines {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let line = event.metadata();
        let is_limited = *line.level() <= Level::INFO && !is_own(line.target());
        if !is_limited && line.fields().field(OWNER_FIELD).is_none() {
            return true;
        }
        let mut subject = Subject { hasher: DefaultHasher::new(), is_owned: false };
        event.record(&mut subject);
        if !is_limited && !subject.is_owned {
            return true;
        }
        let max = if subject.is_owned { MAX_OWNED_LINES } else { MAX_LINES };
        self.0.admit((line.callsite(), subject.hasher.finish()), max, Instant::now(), || Sum::of(event))
    }
}

/// Whether lines of a module follow from what the operator does.
fn is_own(target: &str) -> bool {
    OWN_TARGETS
        .iter()
        .any(|own| target.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
}

/// Hashes what tells lines from the same place apart.
struct Subject {
    hasher: DefaultHasher,
    is_owned: bool,
}

impl Visit for Subject {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == OWNER_FIELD {
            self.is_owned = true;
            value.hash(&mut self.hasher);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if OWN_FIELDS.contains(&field.name()) {
            value.hash(&mut self.hasher);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// What the line about the lines that were left out says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sum {
    level: Level,
    /// The message of these lines and the operator's own names in them.
    text: String,
    count: u64,
}

impl Sum {
    fn of(event: &Event<'_>) -> Self {
        let mut sum = Self { level: *event.metadata().level(), text: String::new(), count: 0 };
        event.record(&mut sum);
        sum
    }

    fn write(&self) {
        let text = format!(
            "{} more lines like this in {} s: {}",
            self.count,
            WINDOW.as_secs(),
            self.text.trim_end()
        );
        match self.level {
            Level::ERROR => tracing::error!(target: TARGET, "{text}"),
            Level::WARN => tracing::warn!(target: TARGET, "{text}"),
            _ => tracing::info!(target: TARGET, "{text}"),
        }
    }
}

impl Visit for Sum {
    fn record_str(&mut self, field: &Field, value: &str) {
        if OWN_FIELDS.contains(&field.name()) {
            let _infallible = write!(self.text, "{}={:?} ", field.name(), Untrusted::new(&value));
        }
    }

    /// The message comes first.
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let message = format!("{value:?}");
            let _infallible = write!(self.text, "{} ", Untrusted::new(&message));
        }
    }
}

/// A place in the source, and what tells its lines apart.
type LineKey = (Identifier, u64);

struct LineWindow {
    started: Instant,
    shown: u32,
    left_out: Option<Sum>,
}

struct Windows {
    by_line: HashMap<LineKey, LineWindow>,
    /// When the bytes of all lines were last reset.
    started: Instant,
    /// Sums whose window began anew before they were written.
    ended: Vec<Sum>,
    has_left_out: bool,
}

/// Counts lines. Windows are bounded: see [`MAX_WINDOWS`].
struct LineCounter {
    budget: Arc<LogBudget>,
    windows: Mutex<Windows>,
    left_out: Condvar,
}

impl LineCounter {
    fn new(budget: Arc<LogBudget>, now: Instant) -> Self {
        let windows =
            Windows { by_line: HashMap::new(), started: now, ended: Vec::new(), has_left_out: false };
        Self { budget, windows: Mutex::new(windows), left_out: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line is written. `sum` describes it if it is the first of its window that is not.
    fn admit(&self, mut key: LineKey, max: u32, now: Instant, sum: impl FnOnce() -> Sum) -> bool {
        let mut windows = self.lock();
        if now.duration_since(windows.started) >= WINDOW {
            windows.started = now;
            self.budget.written.store(0, Ordering::Relaxed);
        }
        let is_full = self.budget.written.load(Ordering::Relaxed) >= MAX_BYTES;
        let max = if is_full { max.min(MAX_LINES_WHEN_FULL) } else { max };
        if windows.by_line.len() >= MAX_WINDOWS && !windows.by_line.contains_key(&key) {
            windows.ended = windows.end(now);
            windows.has_left_out |= !windows.ended.is_empty();
            if windows.by_line.len() >= MAX_WINDOWS {
                // All others from this place count together.
                key.1 = 0;
            }
        }
        let Windows { by_line, ended, .. } = &mut *windows;
        let begun = || LineWindow { started: now, shown: 0, left_out: None };
        let window = by_line.entry(key).or_insert_with(begun);
        if now.duration_since(window.started) >= WINDOW {
            ended.extend(std::mem::replace(window, begun()).left_out);
        }
        if window.shown < max {
            window.shown += 1;
            return true;
        }
        window.left_out.get_or_insert_with(sum).count += 1;
        if !windows.has_left_out {
            windows.has_left_out = true;
            self.left_out.notify_one();
        }
        false
    }

    /// Writes the sums of windows as they end.
    fn write_sums(&self) {
        loop {
            let mut windows = self.lock();
            while !windows.has_left_out {
                windows = self.left_out.wait(windows).unwrap_or_else(PoisonError::into_inner);
            }
            let sums = windows.end(Instant::now());
            // The lock is needed to write lines, too.
            drop(windows);
            sums.iter().for_each(Sum::write);
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

impl Windows {
    /// Removes the windows that have ended, and returns their sums.
    fn end(&mut self, now: Instant) -> Vec<Sum> {
        let mut sums = std::mem::take(&mut self.ended);
        self.by_line.retain(|_, window| {
            let is_over = now.duration_since(window.started) >= WINDOW;
            if is_over {
                sums.extend(window.left_out.take());
            }
            !is_over
        });
        self.has_left_out = self.by_line.values().any(|window| window.left_out.is_some());
        sums
    }
}

#[cfg(test)]
mod tests {
    use tracing::Metadata;
    use tracing::callsite::Callsite;
    use tracing::subscriber::Interest;

    use super::*;

    fn counter(now: Instant) -> LineCounter {
        LineCounter::new(Arc::default(), now)
    }

    struct Place;

    impl Callsite for Place {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("only its address is used")
        }
    }

    fn key(number: u64) -> LineKey {
        (Identifier(&Place), number)
    }

    fn sum() -> Sum {
        Sum { level: Level::INFO, text: "activity rejected".to_owned(), count: 0 }
    }

    /// How many of so many lines are written.
    fn admitted(counter: &LineCounter, key: &LineKey, lines: u32, now: Instant) -> usize {
        (0..lines).filter(|_| counter.admit(key.clone(), MAX_LINES, now, sum)).count()
    }

    #[test]
    fn lines_beyond_the_limit_are_counted_until_the_window_ends() {
        let start = Instant::now();
        let counter = counter(start);
        assert_eq!(admitted(&counter, &key(1), 5_000, start), 20);
        assert_eq!(admitted(&counter, &key(2), 3, start), 3, "another cause");
        assert_eq!(counter.lock().end(start + WINDOW / 2), []);
        let sums = counter.lock().end(start + WINDOW);
        assert_eq!(sums, [Sum { count: 4_980, ..sum() }]);
        assert!(counter.lock().by_line.is_empty());
    }

    #[test]
    fn a_window_that_begins_anew_keeps_the_sum_of_the_last_one() {
        let start = Instant::now();
        let counter = counter(start);
        admitted(&counter, &key(1), 21, start);
        assert_eq!(admitted(&counter, &key(1), 22, start + WINDOW), 20);
        assert_eq!(counter.lock().end(start + WINDOW), [Sum { count: 1, ..sum() }]);
        assert_eq!(counter.lock().end(start + 2 * WINDOW), [Sum { count: 2, ..sum() }]);
    }

    #[test]
    fn a_full_log_still_has_the_first_lines_of_each_cause() {
        let start = Instant::now();
        let counter = counter(start);
        counter.budget.charge(60_000);
        assert_eq!(admitted(&counter, &key(1), 100, start), 2);
        assert_eq!(admitted(&counter, &key(2), 1, start), 1);
        assert_eq!(admitted(&counter, &key(1), 100, start + WINDOW), 20);
    }

    #[test]
    fn the_number_of_windows_is_bounded_and_no_sum_is_lost() {
        let start = Instant::now();
        let counter = counter(start);
        let lines = 2 * MAX_WINDOWS as u64;
        let shown = (1..=lines).filter(|number| counter.admit(key(*number), 1, start, sum)).count();
        assert_eq!(shown, MAX_WINDOWS + 1);
        assert_eq!(counter.lock().by_line.len(), MAX_WINDOWS + 1);
        // A new line makes room.
        assert!(counter.admit(key(lines + 1), 1, start + WINDOW, sum));
        assert_eq!(counter.lock().by_line.len(), 1);
        let sums = counter.lock().end(start + WINDOW);
        assert_eq!(sums, [Sum { count: lines - MAX_WINDOWS as u64 - 1, ..sum() }]);
    }

    #[test]
    fn only_whole_modules_are_the_operators_own() {
        assert!(is_own("marquee::flows::ingest::older_pages") && is_own("marquee::app"));
        assert!(!is_own("marquee::application") && !is_own("marquee::flows::receive"));
    }
}
