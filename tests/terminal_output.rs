//! What commands show on a terminal, and what they give to other programs.

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::feed::{Item, NAME as FEED};
use crate::support::{Database, Fixture};

both_databases!(lists_are_wrapped_on_a_terminal_and_whole_elsewhere);

/// Checks that the command shows on a terminal, in lines of less than 80 characters, what it gives to a program.
async fn assert_wrapped(fixture: &Fixture, command: &[&str]) {
    let whole = fixture.app.command_output(command).await;
    let shown = fixture.app.output_on_terminal(command).await;
    assert!(whole.lines().any(|line| line.chars().count() > 100), "{whole}");
    assert!(shown.lines().all(|line| line.chars().count() < 80), "{shown}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&shown), words(&whole));
}

async fn lists_are_wrapped_on_a_terminal_and_whole_elsewhere(database: Database) {
    let mut long = Item::old_review("Beta");
    long.title = format!("“Beta” review: {}", "an old ferry, ".repeat(9));
    let fixture = fixture_with_feed(database, &[long.clone(), Item::review("Alpha")], "").await;
    assert_wrapped(&fixture, &["feed", "log"]).await;
    assert_wrapped(&fixture, &["review", "list"]).await;
    let listed = fixture.app.output_on_terminal(&["review", "list"]).await;
    assert!(listed.contains("  archive    "), "columns keep their spaces: {listed}");
    long.html.push_str("<p>A line that was added.</p>");
    fixture.remote.serve_feed(&[long, Item::review("Alpha")]);
    let polled = fixture.app.output_on_terminal(&["feed", "poll", FEED]).await;
    assert!(polled.contains("revised") && polled.lines().count() > 2, "{polled}");
    assert!(polled.lines().skip(1).all(|line| line.starts_with("    ") && line.len() < 90), "{polled}");
    let help = fixture.app.command_output(&["feed", "release", "--help"]).await;
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}
