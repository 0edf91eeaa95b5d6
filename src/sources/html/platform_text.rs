//! Removes what a platform adds to the text of an entry: share buttons, related posts, subscribe widgets, footers that link
//! back. The critic did not write it.
//!
//! It is recognized by its structure where there is one: classes, and where links lead to. Sentences without structure are
//! in `phrases`. What is not recognized stays: a foreign sentence in a review is a nuisance, a lost one of the critic is a
//! fault.

mod phrases;
mod share_links;

use url::Url;

use super::headings::heading_level;
use super::images::has_class;
use super::paragraphs::trim_blank;
use super::single_line_text;
use super::tree::{self, Element, Node};
use crate::domain::canonical_url::url_key;
use crate::domain::content_hash::fold_letters;
use crate::domain::tracking_parameters::strip_tracking;

pub(in crate::sources) use phrases::strip_from_text;

/// What is known about the entry that a text belongs to.
#[derive(Debug, Clone, Copy)]
pub(in crate::sources) struct EntryFacts<'a> {
    /// The headline as plain text.
    pub(in crate::sources) title: &'a str,
    /// Whether the entry has a summary, so that no subtitle is looked for in the body.
    pub(in crate::sources) has_summary: bool,
}

/// Longer lines are prose.
const MAX_LINE_BYTES: usize = 1_000;
/// The longest text, in characters, around the two links of a footer.
const MAX_FOOTER_CHARS: usize = 100;
/// The longest subtitle in characters that a body begins with.
const MAX_SUBTITLE_CHARS: usize = 300;

/// Classes of elements that consist of platform text.
const CLASSES: [&str; 46] = [
    // WordPress: Jetpack.
    "sharedaddy",
    "sd-sharing",
    "sd-like",
    "jp-relatedposts",
    "wp-block-jetpack-sharing-buttons",
    "wp-block-jetpack-like",
    "wp-block-jetpack-related-posts",
    "jetpack_subscription_widget",
    "wpcnt",
    "wordads-ad-wrapper",
    // WordPress: other plugins for sharing, related posts, newsletters, author boxes.
    "addtoany_share_save_container",
    "addtoany_content",
    "a2a_kit",
    "heateor_sss_sharing_container",
    "heateorSssClear",
    "swp_social_panel",
    "essb_links",
    "mashsb-container",
    "ssba",
    "ssbp-wrap",
    "scriptlesssocialsharing",
    "sharethis-inline-share-buttons",
    "social-share-buttons",
    "yarpp",
    "yarpp-related",
    "crp_related",
    "zem_rp_wrap",
    "wp_rp_wrap",
    "mc4wp-form",
    "formkit-form",
    "saboxplugin-wrap",
    "mcnPreviewText",
    "adsbygoogle",
    // Substack.
    "subscription-widget-wrap",
    "subscription-widget-wrap-editor",
    "subscription-widget",
    "subscribe-widget",
    "captioned-button-wrap",
    "embedded-publication-wrap",
    "install-substack-app-embed",
    "image-link-expand",
    // Ghost, Blogger, FeedBurner, Squarespace, AdThrive.
    "kg-signup-card",
    "blogger-post-footer",
    "feedflare",
    "sqs-block-newsletter",
    "adthrive-ad",
];
/// How the classes of such elements begin, where the rest varies.
const CLASS_PREFIXES: [&str; 3] = ["wp-block-jetpack-subscriptions", "linkwithin", "atatags-"];
/// Ids of such elements.
const IDS: [&str; 3] = ["jp-post-flair", "jp-relatedposts", "wpa-share"];

/// Returns the nodes without platform text, and the subtitle that Medium repeats below the headline. `html` is what the
/// nodes were parsed from.
pub(super) fn strip(
    nodes: Vec<Node>,
    html: &str,
    base: &Url,
    facts: EntryFacts<'_>,
) -> (Vec<Node>, Option<String>) {
    let page = strip_tracking(base.clone(), None);
    let mut stripper = Stripper {
        base,
        page: url_key(&page),
        title: fold_letters(facts.title),
        is_medium: is_medium(html, base),
        has_removed: false,
    };
    let mut nodes = stripper.nodes(nodes);
    let subtitle = stripper.take_headline(&mut nodes, facts);
    if stripper.has_removed {
        // Medium and Yoast draw a line above their footers.
        while nodes.last().is_some_and(|node| node.is_blank() || node.is("hr")) {
            nodes.pop();
        }
    }
    (nodes, subtitle)
}

fn is_medium(html: &str, base: &Url) -> bool {
    let is_host = base.host_str().is_some_and(|host| host == "medium.com" || host.ends_with(".medium.com"));
    let parts = ["medium.com/_/stat", "cdn-images-1.medium.com/", "miro.medium.com/"];
    is_host
        || base.query().is_some_and(|query| query.contains("source=rss-"))
        || parts.iter().any(|part| html.contains(part))
}

struct Stripper<'a> {
    base: &'a Url,
    /// The key of the entry's page.
    page: String,
    /// The letters of the headline.
    title: String,
    is_medium: bool,
    has_removed: bool,
}

impl Stripper<'_> {
    fn nodes(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let mut out = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Node::Element(mut e) = node else {
                out.push(node);
                continue;
            };
            if has_class(&e, &["kg-bookmark-card"]) {
                out.extend(bookmark(&e));
                continue;
            }
            let mut is_platform = self.is_platform_element(&e);
            if !is_platform && !e.children.is_empty() {
                let had_content = !e.children.iter().all(Node::is_blank);
                e.children = self.nodes(e.children);
                is_platform = had_content && e.children.iter().all(Node::is_blank);
            }
            if is_platform {
                self.has_removed = true;
                take_label(&mut out);
            } else {
                out.push(Node::Element(e));
            }
        }
        out
    }

    fn is_platform_element(&self, e: &Element) -> bool {
        let has_id =
            e.attribute("id").is_some_and(|id| IDS.contains(&id) || id.starts_with("like-post-wrapper-"));
        let has_prefix = || {
            let mut classes = e.attribute("class").unwrap_or_default().split_whitespace();
            classes.any(|class| CLASS_PREFIXES.iter().any(|prefix| class.starts_with(prefix)))
        };
        if has_id || has_class(e, &CLASSES) || has_prefix() {
            return true;
        }
        if e.name == "a" {
            return e.attribute("href").is_some_and(share_links::is_flare);
        }
        if !e.is_block() || e.children.iter().any(Node::is_block) {
            return false;
        }
        let text = tree::text(&e.children);
        if text.len() > MAX_LINE_BYTES {
            return false;
        }
        let mut links = Vec::new();
        collect_links(&e.children, &mut links);
        phrases::is_platform_line(&text)
            || (self.is_medium && phrases::is_import_notice(&text) && !links.is_empty())
            || self.is_share_line(e, &links)
            || self.is_footer(e, &text, &links)
            || is_button(e, &links)
    }

    /// Whether a line has nothing but share buttons, and perhaps a label.
    fn is_share_line(&self, e: &Element, links: &[&Element]) -> bool {
        let is_share_link = |link: &Element| {
            let href = link.attribute("href").unwrap_or_default();
            share_links::is_share_link(href, self.base, &self.page)
        };
        if !links.iter().any(|link| is_share_link(link)) {
            return false;
        }
        let mut rest = String::new();
        collect_text_outside(&e.children, &is_share_link, &mut rest);
        phrases::is_label(&rest)
    }

    /// Whether a line is the footer that says where the entry appeared first: 'The post … appeared first on …', in any
    /// language. It links to the page of the entry and to the site, or has the headline in it.
    fn is_footer(&self, e: &Element, text: &str, links: &[&Element]) -> bool {
        let is_entry = |link: &Element| {
            let key = self.resolved(link).map(|url| url_key(&url));
            let has_title = !self.title.is_empty() && fold_letters(&tree::text(&link.children)) == self.title;
            has_title || key.as_ref() == Some(&self.page)
        };
        if let [entry, site] = links
            && is_entry(entry)
            && self.resolved(site).is_some_and(|url| self.is_site(&url))
        {
            let mut rest = String::new();
            collect_text_outside(&e.children, &|_| true, &mut rest);
            if rest.chars().count() <= MAX_FOOTER_CHARS {
                return true;
            }
        }
        let has_title = || !self.title.is_empty() && fold_letters(text).contains(&self.title);
        phrases::is_footer(text) && (has_title() || links.iter().any(|link| is_entry(link)))
    }

    fn resolved(&self, link: &Element) -> Option<Url> {
        let url = self.base.join(link.attribute("href")?.trim()).ok()?;
        Some(strip_tracking(url, None))
    }

    /// Whether a URL is that of the site which the entry is on.
    fn is_site(&self, url: &Url) -> bool {
        let site = url_key(url);
        self.page.strip_prefix(&site).is_some_and(|rest| rest.starts_with(['/', '?']))
    }

    /// Removes the headline that Medium repeats as the first heading, and returns the subtitle below it.
    fn take_headline(&mut self, nodes: &mut Vec<Node>, facts: EntryFacts<'_>) -> Option<String> {
        let first = nodes.iter().position(|node| !node.is_blank())?;
        if !self.is_medium
            || self.title.is_empty()
            || heading_text(nodes.get(first)?).is_none_or(|text| fold_letters(&text) != self.title)
        {
            return None;
        }
        nodes.drain(..=first);
        trim_blank(nodes);
        let subtitle = nodes.first().and_then(heading_text)?;
        if facts.has_summary || subtitle.chars().count() > MAX_SUBTITLE_CHARS {
            return None;
        }
        nodes.remove(0);
        Some(single_line_text(&subtitle, MAX_SUBTITLE_CHARS))
    }
}

fn heading_text(node: &Node) -> Option<String> {
    match node {
        Node::Element(e) if heading_level(&e.name).is_some() => Some(tree::text(&e.children)),
        _ => None,
    }
}

/// Removes the label above platform text that was removed, such as 'Share this:'.
fn take_label(nodes: &mut Vec<Node>) {
    let Some(last) = nodes.iter().rposition(|node| !node.is_blank()) else { return };
    let Some(Node::Element(e)) = nodes.get(last).filter(|node| node.is_block()) else { return };
    let text = tree::text(&e.children);
    // A row of stars has no letters, and is no label.
    if text.contains(char::is_alphabetic) && phrases::is_label(&text) {
        nodes.truncate(last);
    }
}

/// Turns Ghost's card about another page into a link with its title, and keeps the caption.
fn bookmark(card: &Element) -> Option<Node> {
    let mut links = Vec::new();
    collect_links(&card.children, &mut links);
    let href = links.first()?.attribute("href")?.to_owned();
    let title =
        find(&card.children, &|e| has_class(e, &["kg-bookmark-title"])).map(|e| tree::text(&e.children));
    let title = title.filter(|title| !title.is_empty()).unwrap_or_else(|| href.clone());
    let mut link = Element::new("a", vec![Node::Text(title)]);
    link.attributes.push(("href".to_owned(), href));
    let mut children = vec![Node::Element(link)];
    if let Some(caption) = find(&card.children, &|e| e.name == "figcaption") {
        children.push(Node::Element(Element::new("br", Vec::new())));
        children.extend(caption.children.iter().cloned());
    }
    Some(Node::Element(Element::new("p", children)))
}

fn find<'a>(nodes: &'a [Node], wanted: &impl Fn(&Element) -> bool) -> Option<&'a Element> {
    nodes.iter().find_map(|node| match node {
        Node::Element(e) if wanted(e) => Some(e),
        Node::Element(e) => find(&e.children, wanted),
        Node::Text(_) => None,
    })
}

/// Whether a line is a button that subscribes, shares or comments. Other buttons are the critic's.
fn is_button(e: &Element, links: &[&Element]) -> bool {
    let is_wrapped = has_class(e, &["button-wrapper"]);
    let mut rest = String::new();
    collect_text_outside(&e.children, &|_| true, &mut rest);
    rest.trim().is_empty()
        && !links.is_empty()
        && links.iter().all(|link| {
            (is_wrapped || has_class(link, &["button"]))
                && link.attribute("href").is_some_and(share_links::is_action)
        })
}

fn collect_links<'a>(nodes: &'a [Node], links: &mut Vec<&'a Element>) {
    for node in nodes {
        if let Node::Element(e) = node {
            if e.name == "a" {
                links.push(e);
            }
            collect_links(&e.children, links);
        }
    }
}

/// Collects the text that is not within the links that `is_skipped` names.
fn collect_text_outside(nodes: &[Node], is_skipped: &impl Fn(&Element) -> bool, out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(e) if e.name == "a" && is_skipped(e) => {}
            Node::Element(e) => collect_text_outside(&e.children, is_skipped, out),
        }
    }
}

#[cfg(test)]
mod tests;
