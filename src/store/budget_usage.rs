//! What the largest owners use of their budgets, as each process writes it from time to time.

use sqlx::FromRow;

use super::{Db, Result, Tx, execute, with_db};
use crate::domain::time::Timestamp;

/// What an owner uses of a budget, by one process.
#[derive(Debug, Clone, FromRow)]
pub struct BudgetUsage {
    /// The owner; empty for all together.
    pub owner: String,
    /// The budget.
    pub budget: String,
    /// What is used and not restored yet.
    pub used: i64,
    /// The limit.
    pub amount: i64,
    /// How often something was refused since the process started.
    pub refused: i64,
    /// When this was written.
    pub written_at: Timestamp,
}

/// Replaces what a process wrote before.
pub async fn replace(tx: &mut Tx, process: &str, usage: &[BudgetUsage]) -> Result<()> {
    execute!(tx, sqlx::query("delete from budget_usage where process = $1").bind(process))?;
    for row in usage {
        execute!(
            tx,
            sqlx::query(
                "insert into budget_usage (process, owner, budget, used, amount, refused, written_at)
                 values ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(process)
            .bind(&row.owner)
            .bind(&row.budget)
            .bind(row.used)
            .bind(row.amount)
            .bind(row.refused)
            .bind(row.written_at)
        )?;
    }
    Ok(())
}

/// What an owner uses, of each process; with an empty name, what all use.
pub async fn of_owner(db: &Db, owner: &str) -> Result<Vec<BudgetUsage>> {
    let query = "select owner, budget, used, amount, refused, written_at from budget_usage
        where owner = $1 order by budget, process";
    with_db!(db, |c| sqlx::query_as(query).bind(owner).fetch_all(c).await)
}

/// When a process wrote last.
pub async fn last_written(db: &Db) -> Result<Option<Timestamp>> {
    let query = "select max(written_at) from budget_usage";
    with_db!(db, |c| sqlx::query_scalar(query).fetch_one(c).await)
}

/// Deletes what processes wrote that have ended since.
pub async fn delete_before(tx: &mut Tx, written_before: Timestamp) -> Result<()> {
    execute!(tx, sqlx::query("delete from budget_usage where written_at < $1").bind(written_before))?;
    Ok(())
}
