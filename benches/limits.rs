//! Measures only the limits: what each step of the work costs on this machine, as the other benches measure
//! it.

mod support;

use serde_json::json;
use support::environment::Environment;
use support::limits::{DIGEST, INSERT, PARSE, POST, POST_TLS, SANITISE, SIGN, VERIFY, cost};
use support::report::micros;
use support::{database, rounds};

/// The name of each step, and how often it runs for one measurement.
const STEPS: [(&str, usize); 8] = [
    ("sign", SIGN),
    ("verify", VERIFY),
    ("digest", DIGEST),
    ("post", POST),
    ("post_tls", POST_TLS),
    ("insert", INSERT),
    ("parse", PARSE),
    ("sanitize", SANITISE),
];

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("limits: {} rounds, {}", rounds()?, database());
    let mut environment = Environment::build().await?;
    // As long as a typical delivery of a review.
    environment.limits.call(&json!({"body": "x".repeat(3_000)})).await?;
    let mut costs = vec![Vec::new(); STEPS.len()];
    for _ in 0..rounds()? {
        for ((step, times), costs) in STEPS.into_iter().zip(&mut costs) {
            costs.push(cost(&mut environment.limits, step, times).await?);
        }
    }
    for ((step, _), costs) in STEPS.iter().zip(&costs) {
        println!("LIMIT {}", micros(step, costs));
    }
    Ok(())
}
