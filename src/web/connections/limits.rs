//! How long connections may wait, and how many there may be.

use std::time::Duration;

use crate::domain::budget_limits::BudgetLimits;

/// Connections and requests that may be open at a time, and how long each may wait.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// Requests that are handled at a time.
    pub requests: usize,
    /// How long the head of a request may take to arrive; also how long a new connection may wait before it sends one.
    pub head_wait: Duration,
    /// How long a connection may be idle.
    pub idle_wait: Duration,
    /// The same for a connection from a proxy. It must be longer than proxies keep theirs, so that none sends a request
    /// while we close the connection.
    pub proxy_idle_wait: Duration,
    /// How long a client may read nothing of a response.
    pub write_wait: Duration,
}

impl From<&BudgetLimits> for ConnectionLimits {
    fn from(budgets: &BudgetLimits) -> Self {
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let seconds = |number| Duration::from_secs(u64::from(number));
        Self {
            connections: count(budgets.connections),
            connections_per_address: count(budgets.connections_per_address),
            requests: count(budgets.requests),
            head_wait: seconds(budgets.head_seconds),
            idle_wait: seconds(budgets.idle_seconds),
            proxy_idle_wait: seconds(budgets.proxy_idle_seconds),
            write_wait: seconds(budgets.write_seconds),
        }
    }
}

impl ConnectionLimits {
    /// How often connections are checked.
    pub(super) fn check_interval(&self) -> Duration {
        let waits = [self.head_wait, self.idle_wait, self.proxy_idle_wait, self.write_wait];
        let shortest = waits.into_iter().min().unwrap_or_default();
        (shortest / 16).clamp(Duration::from_millis(10), Duration::from_millis(500))
    }

    /// The same limits for a process that may open this many files: some are left for the database, deliveries, media and
    /// feeds.
    #[must_use]
    pub fn within_open_files(mut self, files: u64) -> Self {
        let reserve = (files / 2).min(RESERVED_FILES);
        let free = usize::try_from(files - reserve).unwrap_or(usize::MAX);
        self.connections = self.connections.min(free).max(1);
        self
    }
}

/// Open files that are not connections of clients: deliveries to 1,152 hosts, with a few requests to some of them, and the
/// database, feeds and media.
const RESERVED_FILES: u64 = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_the_database_and_deliveries() {
        let connections =
            |files| ConnectionLimits::from(&BudgetLimits::default()).within_open_files(files).connections;
        assert_eq!(connections(1024), 512);
        assert_eq!(connections(4096), 2048);
        assert_eq!(connections(10_000), 7952);
        assert_eq!(connections(1_048_576), 8192);
        assert_eq!(connections(1), 1);
    }
}
