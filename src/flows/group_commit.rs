//! Group commit: items that arrive while one transaction is being written share the next one, since a commit costs as
//! much as many rows.
//!
//! A [`GroupWriter`] writes a group in one transaction; [`run`] gathers the groups and hands each item's outcome back to
//! its submitter, after the commit and never before. A group that one of its items spoils is split in halves until
//! that item is alone, so that it does not affect the others. The inbox's intake, the effects of received activities and
//! the results of deliveries are written this way.

use std::cmp::Ordering;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use super::error::{FlowError, Outage};
use crate::domain::untrusted::Untrusted;
use crate::store::error::{is_outage, is_row_error};

/// Why an item was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GroupError {
    /// The database cannot be used now; the same item may be written later.
    #[error("the database is unavailable: {0}")]
    Unavailable(Outage),
    /// The writer has stopped.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The database rejects a row of one of the items.
    #[error("{0}")]
    RowRejected(Arc<sqlx::Error>),
    /// Writing one of the items panicked.
    #[error("the write panicked")]
    Panicked,
    /// One of the items belongs to a job whose lease expired.
    #[error("lost the lease of an item")]
    LeaseLost,
    /// A statement fails, whatever the items are.
    #[error("{0}")]
    Failed(Arc<sqlx::Error>),
    /// The writer returned another number of outcomes than there are items, which are written.
    #[error("the writer returned {outcomes} outcomes for {items} items")]
    OutcomeMismatch {
        /// Items of the group.
        items: usize,
        /// Outcomes that the writer returned.
        outcomes: usize,
    },
}

impl GroupError {
    /// Whether one of the items causes it, so that the others can be written without that one.
    const fn is_caused_by_item(&self) -> bool {
        matches!(self, Self::RowRejected(_) | Self::Panicked | Self::LeaseLost)
    }

    /// Whether writing the same items again may succeed.
    const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Failed(_))
    }
}

impl From<sqlx::Error> for GroupError {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) {
            Self::Unavailable(Outage::Database(Arc::new(error)))
        } else if is_row_error(&error) {
            Self::RowRejected(Arc::new(error))
        } else {
            Self::Failed(Arc::new(error))
        }
    }
}

impl From<GroupError> for FlowError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Unavailable(outage) => Self::Unavailable(outage),
            GroupError::ShuttingDown => Self::ShuttingDown,
            error => Self::Internal(error.into()),
        }
    }
}

/// How groups are gathered and written.
#[derive(Debug, Clone, Copy)]
pub struct GroupPolicy {
    /// Items that may wait to be gathered; further submitters wait themselves.
    pub capacity: usize,
    /// Items in one transaction.
    pub max_items: usize,
    /// How long a group waits for further items.
    pub gather_time: Duration,
    /// Whether a group waits even if items arrive one at a time. Otherwise an item that arrives alone is written at once.
    pub always_gather: bool,
    /// A group of this many items does not wait.
    pub flush_size: usize,
    /// A transaction that takes longer is taken for an unavailable database.
    pub write_timeout: Option<Duration>,
    /// Pause after which a group is written again if the failure is not about an item. Without one the items fail.
    pub retry_interval: Option<Duration>,
}

/// Writes groups of items.
pub trait GroupWriter: Send + Sync {
    /// What is written.
    type Item: Send + Sync;
    /// The result of writing an item.
    type Outcome: Send;

    /// The writer's name in log lines.
    const NAME: &'static str;
    /// How its groups are gathered.
    const POLICY: GroupPolicy;

    /// The order in which the items of a group are written. Rows must be locked in the same order by every process.
    fn order(&self, _: &Self::Item, _: &Self::Item) -> Ordering {
        Ordering::Equal
    }

    /// Writes all items in one transaction; returns an outcome for each, in their order.
    fn write(
        &self,
        group: &[&Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, GroupError>> + Send;

    /// Called with an item that cannot be written and whose submitter does not wait for its outcome.
    fn on_dropped(&self, _: &Self::Item) {}
}

/// An item and the submitter that waits for its outcome, if one does.
struct Submission<I, O> {
    item: I,
    waiting: Option<oneshot::Sender<Result<O, GroupError>>>,
}

/// The end of the channel that items are submitted to. Cheap to clone; the writer stops once every clone is dropped.
pub struct GroupSender<I, O>(mpsc::Sender<Submission<I, O>>);

impl<I, O> Clone for GroupSender<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I, O> std::fmt::Debug for GroupSender<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupSender")
    }
}

/// The end of the channel that [`run`] writes from.
pub struct GroupReceiver<I, O>(mpsc::Receiver<Submission<I, O>>);

impl<I, O> std::fmt::Debug for GroupReceiver<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupReceiver")
    }
}

/// Both ends of the channel of a writer.
pub type Channel<W> = (
    GroupSender<<W as GroupWriter>::Item, <W as GroupWriter>::Outcome>,
    GroupReceiver<<W as GroupWriter>::Item, <W as GroupWriter>::Outcome>,
);

/// Makes the channel of one writer.
pub fn channel<W: GroupWriter>() -> Channel<W> {
    let (sender, receiver) = mpsc::channel(W::POLICY.capacity);
    (GroupSender(sender), GroupReceiver(receiver))
}

impl<I, O> GroupSender<I, O> {
    /// Submits an item and waits until it is written. Once it is in the queue it is written even if the caller stops
    /// waiting.
    pub async fn submit(&self, item: I) -> Result<O, GroupError> {
        let (sender, outcome) = oneshot::channel();
        let submission = Submission { item, waiting: Some(sender) };
        self.0.send(submission).await.map_err(|_| GroupError::ShuttingDown)?;
        outcome.await.map_err(|_| GroupError::ShuttingDown)?
    }

    /// Submits an item without waiting until it is written.
    pub async fn post(&self, item: I) -> Result<(), GroupError> {
        self.0.send(Submission { item, waiting: None }).await.map_err(|_| GroupError::ShuttingDown)
    }
}

/// Writes submitted items until every sender is dropped and all items are written.
pub async fn run<W: GroupWriter>(writer: W, receiver: GroupReceiver<W::Item, W::Outcome>) {
    let GroupReceiver(mut receiver) = receiver;
    let policy = W::POLICY;
    let (mut group, mut last_size) = (Vec::new(), 0);
    while receiver.recv_many(&mut group, policy.max_items).await > 0 {
        let may_grow = policy.always_gather || last_size > 1;
        if may_grow && group.len() < policy.flush_size {
            tokio::time::sleep(policy.gather_time).await;
        } else {
            // Tasks that are about to submit get to do so.
            tokio::task::yield_now().await;
        }
        while group.len() < policy.max_items
            && let Ok(submission) = receiver.try_recv()
        {
            group.push(submission);
        }
        last_size = group.len();
        write_group(&writer, std::mem::take(&mut group)).await;
    }
}

/// Writes a group as a whole or, if one of its items cannot be written, by halves.
async fn write_group<W: GroupWriter>(writer: &W, mut group: Vec<Submission<W::Item, W::Outcome>>) {
    group.sort_by(|one, other| writer.order(&one.item, &other.item));
    let mut parts = vec![group];
    while let Some(mut part) = parts.pop() {
        let error = match attempt(writer, &part).await {
            Ok(outcomes) if outcomes.len() == part.len() => {
                for (submission, outcome) in part.into_iter().zip(outcomes) {
                    submission.acknowledge(Ok(outcome));
                }
                continue;
            }
            Ok(outcomes) => GroupError::OutcomeMismatch { items: part.len(), outcomes: outcomes.len() },
            Err(error) => error,
        };
        if error.is_caused_by_item() && part.len() > 1 {
            parts.push(part.split_off(part.len() / 2));
            parts.push(part);
            continue;
        }
        if let Some(pause) = W::POLICY.retry_interval.filter(|_| error.is_retryable()) {
            tracing::error!(writer = W::NAME, items = part.len(), error = ?Untrusted::chain(&error), "could not write group; will retry");
            tokio::time::sleep(pause).await;
            parts.push(part);
            continue;
        }
        for submission in part {
            // A submitter that waits logs the error itself.
            if submission.waiting.is_none() {
                tracing::error!(writer = W::NAME, error = ?Untrusted::chain(&error), "could not write item");
                writer.on_dropped(&submission.item);
            }
            submission.acknowledge(Err(error.clone()));
        }
    }
}

/// Writes a part once. A transaction that hangs or panics is an error like any other.
async fn attempt<W: GroupWriter>(
    writer: &W,
    part: &[Submission<W::Item, W::Outcome>],
) -> Result<Vec<W::Outcome>, GroupError> {
    let items: Vec<&W::Item> = part.iter().map(|submission| &submission.item).collect();
    let writing = async {
        match W::POLICY.write_timeout {
            Some(limit) => tokio::time::timeout(limit, writer.write(&items))
                .await
                .unwrap_or_else(|_| Err(GroupError::Unavailable(Outage::Timeout))),
            None => writer.write(&items).await,
        }
    };
    let written = AssertUnwindSafe(writing).catch_unwind().await;
    written.unwrap_or_else(|_| Err(GroupError::Panicked))
}

impl<I, O> Submission<I, O> {
    fn acknowledge(self, outcome: Result<O, GroupError>) {
        if let Some(waiting) = self.waiting {
            // The submitter may be gone.
            let _ = waiting.send(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Doubles numbers. Negative numbers cannot be written, 13 panics, a group with 99 gets an outcome too few, and no
    /// statement with 404 works.
    #[derive(Default)]
    struct Doubler {
        groups: Mutex<Vec<Vec<i64>>>,
        dropped: Mutex<Vec<i64>>,
        /// How often the database is unavailable from now on.
        outages: Mutex<u32>,
    }

    /// The numbers that were written, and the errors of the others.
    fn texts(outcomes: Vec<Result<i64, GroupError>>) -> Vec<String> {
        let text = |outcome| match outcome {
            Ok(number) => i64::to_string(&number),
            Err(error) => GroupError::to_string(&error),
        };
        outcomes.into_iter().map(text).collect()
    }

    macro_rules! writer {
        ($name:ident, $retry:expr) => {
            struct $name<'d>(&'d Doubler);

            impl GroupWriter for $name<'_> {
                type Item = i64;
                type Outcome = i64;

                const NAME: &'static str = "doubler";
                const POLICY: GroupPolicy = GroupPolicy {
                    capacity: 100,
                    max_items: 8,
                    gather_time: Duration::ZERO,
                    always_gather: false,
                    flush_size: 8,
                    write_timeout: None,
                    retry_interval: $retry,
                };

                fn order(&self, one: &i64, other: &i64) -> Ordering {
                    one.cmp(other)
                }

                async fn write(&self, group: &[&i64]) -> Result<Vec<i64>, GroupError> {
                    let group: Vec<i64> = group.iter().map(|item| **item).collect();
                    if group.iter().any(|item| *item < 0) {
                        return Err(sqlx::Error::Decode("negative".into()).into());
                    }
                    if group.contains(&404) {
                        return Err(sqlx::Error::ColumnNotFound("404".to_owned()).into());
                    }
                    assert!(!group.contains(&13), "on purpose");
                    {
                        let mut outages = self.0.outages.lock().unwrap();
                        if *outages > 0 {
                            *outages -= 1;
                            return Err(sqlx::Error::PoolTimedOut.into());
                        }
                    }
                    let mut doubled: Vec<i64> = group.iter().map(|item| item * 2).collect();
                    if group.contains(&99) {
                        doubled.pop();
                    }
                    self.0.groups.lock().unwrap().push(group);
                    Ok(doubled)
                }

                fn on_dropped(&self, item: &i64) {
                    self.0.dropped.lock().unwrap().push(*item);
                }
            }
        };
    }

    writer!(Failing, None);
    writer!(Retrying, Some(Duration::from_millis(1)));

    async fn write_all<'d, W>(writer: W, items: &[i64]) -> Vec<Result<i64, GroupError>>
    where
        W: GroupWriter<Item = i64, Outcome = i64> + 'd,
    {
        let (sender, receiver) = channel::<W>();
        let submitting = async move {
            futures_util::future::join_all(items.iter().map(|item| sender.submit(*item))).await
        };
        tokio::join!(submitting, run(writer, receiver)).0
    }

    #[tokio::test]
    async fn items_that_arrive_together_are_written_together_and_in_order() {
        let doubler = Doubler::default();
        let outcomes = write_all(Failing(&doubler), &[3, 1, 2]).await;
        assert_eq!(texts(outcomes), ["6", "2", "4"]);
        assert_eq!(*doubler.groups.lock().unwrap(), [vec![1, 2, 3]]);
    }

    #[tokio::test]
    async fn a_group_has_a_limit() {
        let doubler = Doubler::default();
        let items: Vec<i64> = (20..40).collect();
        let outcomes = write_all(Failing(&doubler), &items).await;
        assert!(outcomes.iter().all(Result::is_ok));
        let sizes: Vec<usize> = doubler.groups.lock().unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes, [8, 8, 4]);
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_written_or_panics_does_not_affect_the_others() {
        let doubler = Doubler::default();
        let outcomes = write_all(Failing(&doubler), &[1, -2, 3, 13, 5]).await;
        let negative = "error occurred while decoding: negative";
        assert_eq!(texts(outcomes), ["2", negative, "6", "the write panicked", "10"]);
    }

    #[tokio::test]
    async fn a_fault_in_a_statement_is_neither_an_outage_nor_a_reason_to_split() {
        let doubler = Doubler::default();
        let outcomes = write_all(Failing(&doubler), &[1, 404]).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(GroupError::Failed(_)))), "{outcomes:?}");
        let errors = outcomes.into_iter().filter_map(Result::err).map(FlowError::from);
        assert!(errors.into_iter().all(|error| matches!(error, FlowError::Internal(_))));
    }

    #[tokio::test]
    async fn too_few_outcomes_are_an_error_for_the_whole_group() {
        let doubler = Doubler::default();
        let outcomes = write_all(Failing(&doubler), &[1, 99]).await;
        let mismatch = "the writer returned 1 outcomes for 2 items";
        assert_eq!(texts(outcomes), [mismatch, mismatch]);
    }

    #[tokio::test]
    async fn the_writer_learns_of_items_that_nobody_waits_for() {
        let doubler = Doubler::default();
        let (sender, receiver) = channel::<Failing<'_>>();
        for item in [1, -2, 3] {
            sender.post(item).await.unwrap();
        }
        drop(sender);
        run(Failing(&doubler), receiver).await;
        assert_eq!(*doubler.dropped.lock().unwrap(), [-2]);
    }

    #[tokio::test]
    async fn without_a_database_all_items_fail_or_are_tried_again() {
        let doubler = Doubler::default();
        *doubler.outages.lock().unwrap() = 1;
        let outcomes = write_all(Failing(&doubler), &[1, 2]).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(GroupError::Unavailable(_)))));
        *doubler.outages.lock().unwrap() = 3;
        let outcomes = write_all(Retrying(&doubler), &[1, 2]).await;
        assert_eq!(texts(outcomes), ["2", "4"]);
    }

    #[tokio::test]
    async fn items_are_written_even_if_their_submitter_is_gone() {
        let doubler = Doubler::default();
        let (sender, receiver) = channel::<Failing<'_>>();
        sender.post(1).await.unwrap();
        assert!(sender.submit(2).now_or_never().is_none());
        drop(sender);
        run(Failing(&doubler), receiver).await;
        assert_eq!(*doubler.groups.lock().unwrap(), [vec![1, 2]]);
    }
}
