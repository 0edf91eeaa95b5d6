//! What the largest owners use of their budgets, for those who run the site. Each process writes it to the database from time
//! to time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Budget;
use crate::domain::owner::Owner;
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::store::budget_usage::{self, BudgetUsage};

/// Owners that are remembered at a time.
const MAX_OWNERS: usize = 1000;

/// Owners that are written.
const MAX_WRITTEN: usize = 100;

/// The owners that used a notable part of a budget, or were refused something.
#[derive(Debug, Default)]
pub struct UsageTable(Mutex<UsageCounts>);

#[derive(Debug, Default)]
struct UsageCounts {
    /// How often each was refused something.
    owners: HashMap<(Budget, Owner), u64>,
    /// How often anyone was refused something.
    refused: HashMap<Budget, u64>,
    /// Whether the last table that was written had any rows.
    was_written: bool,
}

impl UsageTable {
    fn lock(&self) -> MutexGuard<'_, UsageCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, budget: Budget, owner: &Owner, is_refused: bool) {
        let mut counts = self.lock();
        if is_refused {
            *counts.refused.entry(budget).or_default() += 1;
        }
        let is_full = counts.owners.len() >= MAX_OWNERS;
        let key = (budget, owner.clone());
        match counts.owners.get_mut(&key) {
            Some(refused) => *refused += u64::from(is_refused),
            // Those that are idle are forgotten when the table is written.
            None if is_full => {}
            None => {
                counts.owners.insert(key, is_refused.into());
            }
        }
    }
}

/// Writes what the largest owners use, if anyone uses anything. `process` is the name of this process.
///
/// # Errors
/// If the database fails.
pub async fn write(app: &App, process: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    let rows = collect(app, now);
    let was_written = std::mem::replace(&mut app.budgets.usage.lock().was_written, !rows.is_empty());
    if rows.is_empty() && !was_written {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    budget_usage::replace(&mut tx, process, &rows).await?;
    tx.commit_without_notify().await?;
    Ok(())
}

/// The largest owners first, and before them what all were refused.
fn collect(app: &App, now: Timestamp) -> Vec<BudgetUsage> {
    let budgets = &app.budgets;
    let mut counts = budgets.usage.lock();
    let mut largest = Vec::new();
    counts.owners.retain(|(budget, owner), refused| {
        let limit = budgets.limit_of(*budget, owner);
        let used = budgets.rates.used(budgets.rates.key((*budget, owner)), limit, now);
        if used > 0 {
            largest.push(row(*budget, &owner.to_string(), (used, limit.amount, *refused), now));
        }
        used > 0
    });
    largest.sort_by_key(|row| std::cmp::Reverse(row.used.saturating_mul(1000) / row.amount.max(1)));
    largest.truncate(MAX_WRITTEN);
    let all = counts.refused.iter().map(|(budget, refused)| row(*budget, "", (0, 0, *refused), now));
    all.chain(largest).collect()
}

fn row(budget: Budget, owner: &str, (used, amount, refused): (u64, u64, u64), now: Timestamp) -> BudgetUsage {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    BudgetUsage {
        owner: owner.to_owned(),
        budget: budget.name().to_owned(),
        used: number(used),
        amount: number(amount),
        refused: number(refused),
        written_at: now,
    }
}
