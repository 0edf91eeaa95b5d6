//! The fields of log lines quote strangers by type: each is `Untrusted`, or known to hold nothing that a stranger wrote.

use crate::support::source_tree::SourceTree;

/// Fields whose values are numbers, our own words, or names that the operator chose.
const OWN_FIELDS: [&str; 28] = [
    "archived",
    "attempt",
    "client",
    "count",
    "deliveries",
    "elapsed",
    "end",
    "entries",
    "feed",
    "from",
    "handle",
    "is_poster",
    "is_temporary",
    "items",
    "job",
    "kind",
    "limit",
    "line_owner",
    "micros",
    "pages",
    "requests",
    "review",
    "reviews",
    "route",
    "state",
    "status",
    "to",
    "writer",
];

/// Fields that are foreign elsewhere, and hold one of our own values here.
const OWN_VALUES: [&str; 12] = [
    "activity = %activity_id",
    "activity = %attempt.activity",
    "activity = %delivery.activity_id",
    "activity = %fan_out.activity_id",
    "id = %review.id",
    "id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1",
    // The name of a file that we stored: a hash.
    "name",
    // A literal.
    "note",
    // A number.
    "page = read",
    // It is shortened when the request arrives.
    "path = self.path",
    "deliveries = batch.deliveries.len()",
    "version = self.to",
];

/// A field or message that is not allowed.
fn breaches_in(source: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    for (start, _) in source.match_indices("tracing::") {
        let rest = &source[start + "tracing::".len()..];
        let Some((name, arguments)) = rest.split_once("!(") else { continue };
        if ["trace", "debug", "info", "warn", "error"].contains(&name.trim_end_matches("_span")) {
            breaches.extend(split_arguments(arguments).into_iter().filter(|argument| !is_allowed(argument)));
        }
    }
    breaches
}

/// The arguments of a macro, up to its closing parenthesis.
fn split_arguments(text: &str) -> Vec<String> {
    let (mut arguments, mut current) = (Vec::new(), String::new());
    let (mut depth, mut is_string, mut is_escaped) = (0, false, false);
    for c in text.chars() {
        if is_string {
            is_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else {
            match c {
                '"' => is_string = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    arguments.push(std::mem::take(&mut current));
                    continue;
                }
                _ => {}
            }
        }
        if depth < 0 {
            break;
        }
        current.push(c);
    }
    arguments.push(current);
    let lines = |argument: String| argument.split_whitespace().collect::<Vec<_>>().join(" ");
    arguments.into_iter().map(lines).filter(|argument| !argument.is_empty()).collect()
}

fn is_allowed(argument: &str) -> bool {
    if argument.starts_with('"') {
        // A message quotes nothing: what it is about is in the fields.
        return !argument.contains('{');
    }
    let (name, value) = argument.split_once(" = ").unwrap_or((argument, ""));
    let name = name.trim_start_matches(['%', '?']);
    let is_plain = value.starts_with('"') || value == "tracing::field::Empty";
    argument.starts_with("target:")
        || value.contains("Untrusted::")
        || is_plain
        || OWN_FIELDS.contains(&name)
        || OWN_VALUES.contains(&argument)
}

#[test]
fn fields_quote_strangers_by_type() {
    // They interpolate words of the config, messages that were logged before, and addresses.
    let interpolate = ["src/app.rs", "src/cli/repeated_lines.rs", "src/web/connections/unnamed_proxies.rs"];
    let mut found = Vec::new();
    for (_, module) in SourceTree::read().modules() {
        let source = &module.text;
        assert!(
            !source.contains("use tracing::{info") && !source.contains("use tracing::warn"),
            "{}",
            module.file
        );
        let is_exempt =
            |breach: &String| breach.starts_with('"') && interpolate.contains(&module.file.as_str());
        let breaches = breaches_in(source).into_iter().filter(|breach| !is_exempt(breach));
        found.extend(breaches.map(|breach| format!("{}: {breach}", module.file)));
    }
    assert!(found.is_empty(), "quote these through `Untrusted`, or list what is ours:\n{}", found.join("\n"));
}

#[test]
fn each_way_to_quote_a_stranger_is_found() {
    let wrong = [
        ("tracing::warn!(%url, \"could not fetch\");", "%url"),
        ("tracing::info!(job = %job.id, actor = %activity.actor, \"done\")", "actor = %activity.actor"),
        ("tracing::info_span!(\"deliver\", host = batch.host)", "host = batch.host"),
        ("tracing::error!(error = format!(\"{error:#}\"), \"failed\")", "error = format!(\"{error:#}\")"),
        ("tracing::debug!(\n    key,\n    \"a, (b\"\n)", "key"),
        ("tracing::warn!(\"could not fetch {url}\")", "\"could not fetch {url}\""),
        ("tracing::info!(reason, status)", "reason"),
    ];
    for (source, breach) in wrong {
        assert_eq!(breaches_in(source), [breach], "{source}");
    }
    let right = [
        "tracing::info!(target: TARGET, status = response.status().as_u16(), \"request\")",
        "tracing::info!(key = %Untrusted::new(&url), error = ?Untrusted::chain(&error), \"could not fetch key\")",
        "tracing::info_span!(\"process\", job = %job.id, actor = tracing::field::Empty,)",
        "tracing::field::display(url)",
    ];
    for source in right {
        assert_eq!(breaches_in(source), Vec::<String>::new(), "{source}");
    }
}
