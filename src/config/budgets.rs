//! The config section `budgets`: how much of each resource one stranger may use.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::budget_limits::BudgetLimits;

/// The section as it is written: a key that is missing has its default.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RawBudgets(BudgetLimits);

pub(super) fn check_budgets(raw: RawBudgets) -> Result<BudgetLimits, ConfigError> {
    let RawBudgets(limits) = raw;
    let values = serde_json::to_value(&limits).unwrap_or_default();
    let zero = values.as_object().into_iter().flatten().find(|(_, value)| value.as_u64() == Some(0));
    match zero {
        Some((key, _)) => Err(ConfigError::new(format!("budgets.{key}"), "must be at least 1")),
        None => Ok(limits),
    }
}
