//! The levels of headings.

use super::tree::Node;

/// Shifts headings so that the highest is `h2`, below the headline of the page.
pub(super) fn shift_headings(nodes: &mut [Node]) {
    let top = highest_heading(nodes);
    shift(nodes, top);
}

/// Returns the level of the highest heading.
fn highest_heading(nodes: &[Node]) -> u32 {
    let levels = nodes.iter().map(|node| match node {
        Node::Element(e) => heading_level(&e.name).unwrap_or(6).min(highest_heading(&e.children)),
        Node::Text(_) => 6,
    });
    levels.min().unwrap_or(6)
}

fn shift(nodes: &mut [Node], top: u32) {
    for node in nodes {
        let Node::Element(e) = node else { continue };
        if let Some(level) = heading_level(&e.name) {
            e.name = format!("h{}", (level + 2).saturating_sub(top).clamp(2, 6));
        }
        shift(&mut e.children, top);
    }
}

/// Returns the level of a heading, if the element is one.
pub(super) fn heading_level(name: &str) -> Option<u32> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}
