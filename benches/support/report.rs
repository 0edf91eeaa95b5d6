//! The output of a bench: a line `RATIO <name> <value>`, followed by the rounds and components of the value.

/// The median.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2));
    match (below, above) {
        (Some(below), Some(above)) => f64::midpoint(*below, *above),
        _ => f64::NAN,
    }
}

/// The exponent k of the power law y = c·xᵏ that fits these points best.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = number(logs.len());
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let shared: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    shared / spread
}

/// Converts a count for floating-point arithmetic.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2⁵²")]
pub fn number(count: usize) -> f64 {
    count as f64
}

/// Prints a ratio, the median of its rounds.
pub fn ratio(name: &str, rounds: &[f64], components: &[String]) {
    println!("RATIO {name} {:.3}", median(rounds));
    let rounds: Vec<String> = rounds.iter().map(|value| format!("{value:.3}")).collect();
    println!("    rounds: {}", rounds.join(" "));
    for line in components {
        println!("    {line}");
    }
}

/// Prints that a ratio was not measured, and why.
pub fn not_measured(name: &str, why: &str) {
    println!("NOT MEASURED {name}: {why}");
}

/// A component of a ratio: a cost in µs, the median of its rounds.
pub fn micros(name: &str, rounds: &[f64]) -> String {
    format!("{name} {:.1} µs", median(rounds))
}
