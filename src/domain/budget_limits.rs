//! How much of each resource one stranger may use. Operators read and change these numbers in the config section `budgets`.

use serde::{Deserialize, Serialize};

/// The numbers of all budgets. None of them is 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetLimits {
    /// Requests with an invalid signature that an address may send in a minute, before its requests are taken up a few at a
    /// time.
    pub invalid_signatures_per_address: u32,
    /// Requests for keys that the deliveries of one address may cause in an hour.
    pub keys_per_address: u32,
    /// Deletes of accounts which are not known here that one address may send in an hour, before they are ignored.
    pub unknown_deletes_per_address: u32,
    /// Lookups of accounts that the readers at one address may start in a minute.
    pub lookups_per_address: u32,
    /// Requests to other servers that the activities of one actor may cause in ten minutes.
    pub requests_per_actor: u32,
    /// Requests to servers outside a domain that the activities of all its actors may cause in ten minutes.
    pub requests_per_domain: u32,
    /// Requests to a server that the activities of its own actors may cause in ten minutes.
    pub requests_to_own_domain: u32,
    /// Requests to a server that everyone else may cause in ten minutes. One actor, domain or address may cause a tenth of
    /// them.
    pub requests_to_host: u32,
    /// Bytes of the activities of one domain that are stored in a day.
    pub kept_bytes_per_domain: u64,
    /// Bytes of the activities of all domains that are stored in a day, unless a tenth of the free disk is less.
    pub kept_bytes: u64,
    /// Activities of one actor that are forwarded to the followers in a day.
    pub forwards_per_actor: u32,
    /// Activities of one domain that are forwarded to the followers in a day.
    pub forwards_per_domain: u32,
    /// Bytes of the activities of one domain that are forwarded in a day, before they are multiplied by the followers.
    pub forwarded_bytes_per_domain: u64,
    /// Connections in all, if the process may open so many files.
    pub connections: u32,
    /// Connections from one address.
    pub connections_per_address: u32,
    /// Requests that are handled at a time.
    pub requests: u32,
    /// Seconds in which the head of a request must arrive.
    pub head_seconds: u32,
    /// Seconds in which the body of a request must arrive.
    pub body_seconds: u32,
    /// Seconds that a connection may be idle.
    pub idle_seconds: u32,
    /// Seconds that a connection from a proxy may be idle: longer than proxies keep theirs.
    pub proxy_idle_seconds: u32,
    /// Seconds in which a client must read some of a response.
    pub write_seconds: u32,
    /// Bytes of a comment that the page of a review shows. A page of its own shows the rest.
    pub comment_bytes_shown: u32,
    /// Comments of one actor below one review. Further ones are held for the critic.
    pub comments_by_author: u32,
    /// Bytes of HTML of the comments on one page. Further ones are on further pages.
    pub comments_bytes_per_page: u32,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        Self {
            invalid_signatures_per_address: 300,
            keys_per_address: 1000,
            unknown_deletes_per_address: 100,
            lookups_per_address: 12,
            requests_per_actor: 120,
            requests_per_domain: 2000,
            requests_to_own_domain: 20_000,
            requests_to_host: 700,
            kept_bytes_per_domain: 200_000_000,
            kept_bytes: 2_000_000_000,
            forwards_per_actor: 20,
            forwards_per_domain: 200,
            forwarded_bytes_per_domain: 4_000_000,
            connections: 8192,
            connections_per_address: 256,
            requests: 4096,
            head_seconds: 10,
            body_seconds: 20,
            idle_seconds: 60,
            proxy_idle_seconds: 180,
            write_seconds: 30,
            comment_bytes_shown: 16 * 1024,
            comments_by_author: 350,
            comments_bytes_per_page: 1024 * 1024,
        }
    }
}
