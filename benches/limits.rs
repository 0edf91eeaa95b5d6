//! The limits by themselves: what each step of the work costs on this machine now, as the other benches measure it.

mod support;

use serde_json::json;
use support::figure::micros;
use support::limits::{DIGEST, INSERT, PARSE, POST, POST_TLS, SANITISE, SIGN, VERIFY, cost};
use support::rig::Rig;
use support::{database, rounds};

/// What each is called, and how often it is done for one measure.
const STEPS: [(&str, usize); 8] = [
    ("sign", SIGN),
    ("verify", VERIFY),
    ("digest", DIGEST),
    ("post", POST),
    ("post_tls", POST_TLS),
    ("insert", INSERT),
    ("parse", PARSE),
    ("sanitise", SANITISE),
];

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("limits: {} rounds, {}", rounds()?, database());
    let mut rig = Rig::build().await?;
    // As long as a review on its way.
    rig.limits.ask(&json!({"body": "x".repeat(3_000)})).await?;
    let mut costs = vec![Vec::new(); STEPS.len()];
    for _ in 0..rounds()? {
        for ((step, times), costs) in STEPS.into_iter().zip(&mut costs) {
            costs.push(cost(&mut rig.limits, step, times).await?);
        }
    }
    for ((step, _), costs) in STEPS.iter().zip(&costs) {
        println!("LIMIT {}", micros(step, costs));
    }
    Ok(())
}
