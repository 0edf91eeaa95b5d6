//! What a bench prints: `RATIO <name> <value>`, and below it what the value was made of.

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2));
    match (below, above) {
        (Some(below), Some(above)) => f64::midpoint(*below, *above),
        _ => f64::NAN,
    }
}

/// The exponent k of the power law y = c·xᵏ that lies nearest to these points.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = number(logs.len());
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let shared: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    shared / spread
}

/// A count as a number to compute with.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2⁵²")]
pub fn number(count: usize) -> f64 {
    count as f64
}

/// Prints a figure, the median of its rounds.
pub fn ratio(name: &str, rounds: &[f64], made_of: &[String]) {
    println!("RATIO {name} {:.3}", median(rounds));
    let rounds: Vec<String> = rounds.iter().map(|value| format!("{value:.3}")).collect();
    println!("    rounds: {}", rounds.join(" "));
    for line in made_of {
        println!("    {line}");
    }
}

/// Says that a figure was not measured, and why.
pub fn not_measured(name: &str, why: &str) {
    println!("NOT MEASURED {name}: {why}");
}

/// A cost in µs, the median of its rounds, as a line of what a figure was made of.
pub fn micros(name: &str, rounds: &[f64]) -> String {
    format!("{name} {:.1} µs", median(rounds))
}
