//! What strangers use of their budgets, as `marquee host show` and `marquee actor show` print it.

use super::output::print_line;
use crate::domain::owner::Owner;
use crate::flows::App;
use crate::flows::budget::kept_bytes::day;
use crate::store::budget_usage::{self, BudgetUsage};
use crate::store::kept_bytes;

/// Prints what these owners use, and what was refused to them and to everyone.
pub(super) async fn print_usage(app: &App, owners: &[Owner]) -> anyhow::Result<()> {
    let now = app.clock.now();
    for owner in owners {
        if matches!(owner, Owner::Domain(_) | Owner::Suffix(_)) {
            let limit = app.budgets.kept_limit(owner);
            let kept = kept_bytes::of_owner(&app.db, day(now), &owner.to_string()).await?;
            print_line(&format!("{owner}: kept_bytes_per_domain: {kept} of {limit} today"))?;
        }
        let usage = budget_usage::of_owner(&app.db, &owner.to_string()).await?;
        for row in &usage {
            print_line(&format!("{owner}: {}", describe(row)))?;
        }
        if usage.is_empty() {
            print_line(&format!("{owner}: little of all other budgets"))?;
        }
    }
    for row in budget_usage::of_owner(&app.db, "").await? {
        print_line(&format!("everyone: {}: {} refused", row.budget, row.refused))?;
    }
    let age = match budget_usage::last_written(&app.db).await? {
        Some(written) => {
            format!("counted {} s ago, since the server was started", now.duration_since(written).as_secs())
        }
        None => "no server has counted anything yet".to_owned(),
    };
    print_line(&age)?;
    Ok(())
}

fn describe(row: &BudgetUsage) -> String {
    let BudgetUsage { budget, used, amount, refused, .. } = row;
    format!("{budget}: {used} of {amount} used, {refused} refused")
}
