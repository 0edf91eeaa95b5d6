//! Decides which file an `<img>` or `<picture>` shows. Many themes load pictures late: the `src` is a placeholder, and the
//! URL is in another attribute, in a `srcset` or in a `<noscript>`.

use std::collections::HashSet;

use url::Url;

use super::image_renditions::{MAX_RENDITION_WIDTH, has_image_ending, larger, rendition};
use super::image_url::{image_url, is_tracker};
use super::images::{MAX_ALT_CHARS, MIN_IMAGE_PIXELS, is_trailer};
use super::single_line_text;
use super::tree::{Element, Node};

/// Attributes with the URL of a picture that is loaded late, best first. Measured on feeds: lazysizes, Jetpack, WP Rocket,
/// jQuery Lazyload, Squarespace, `NitroPack`, and the renditions that WordPress names beside `src`.
const LAZY_SOURCES: [&str; 11] = [
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-original-src",
    "data-orig",
    "data-url",
    "data-image",
    "data-image-src",
    "nitro-lazy-src",
    "data-large-file",
    "data-orig-file",
];
/// Attributes with renditions in the form of `srcset`.
const SOURCE_SETS: [&str; 5] =
    ["data-srcset", "data-lazy-srcset", "data-image-srcset", "nitro-lazy-srcset", "srcset"];

/// Names of files, without ending, that stand in for a picture until a script replaces them.
const PLACEHOLDERS: [&str; 20] = [
    "1x1",
    "1x1.trans",
    "blank",
    "clear",
    "dot",
    "empty",
    "gray",
    "grey",
    "lazy",
    "lazy-placeholder",
    "lazy_placeholder",
    "lazyload",
    "loading",
    "pixel",
    "placeholder",
    "shim",
    "spacer",
    "trans",
    "transparent",
    "white",
];

/// An image that is not wider or not taller than this many pixels only tracks readers or separates.
const MAX_PIXEL: u32 = 3;

/// The maximum number of renditions of one picture that are looked at.
const MAX_RENDITIONS: usize = 40;

/// Whether the value of an attribute looks like the URL of an image file.
pub(super) fn is_image_file(value: &str) -> bool {
    !value.contains(char::is_whitespace)
        && has_image_ending(value.split(['?', '#']).next().unwrap_or_default())
}

/// Returns the names of all attributes that are read here.
pub(super) fn source_attributes() -> impl Iterator<Item = &'static str> {
    LAZY_SOURCES.into_iter().chain(SOURCE_SETS)
}

/// Replaces each `<picture>` and `<img>` by an `<img>` with the URL that is to be shown and its alternative text, and no
/// other attributes. What is no picture, such as an emoji or a line of stars, becomes its alternative text; tracking pixels
/// are removed. Of the same picture twice in a row, such as one in a `<noscript>`, one remains.
pub(super) fn choose_sources(nodes: Vec<Node>, base: &Url) -> Vec<Node> {
    let mut chooser = Chooser { base, alts: HashSet::new(), last_picture: None };
    chooser.collect_alts(&nodes);
    chooser.nodes(nodes, None)
}

struct Chooser<'a> {
    base: &'a Url,
    /// The alternative texts of images that have a URL.
    alts: HashSet<String>,
    /// The last picture, if no text followed it.
    last_picture: Option<String>,
}

impl Chooser<'_> {
    fn collect_alts(&mut self, nodes: &[Node]) {
        for node in nodes {
            let Node::Element(e) = node else { continue };
            if e.name == "img" && self.source(e, &[]).is_some() {
                self.alts.extend(alt_text(e));
            }
            self.collect_alts(&e.children);
        }
    }

    /// `link` is where the nodes lead to if they are within a link.
    fn nodes(&mut self, nodes: Vec<Node>, link: Option<&Url>) -> Vec<Node> {
        let mut out = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node {
                Node::Element(mut e) => match e.name.as_str() {
                    "img" => out.push(self.image(&e, &[], link)),
                    "picture" => {
                        let sources: Vec<Element> = e
                            .children
                            .extract_if(.., |node| node.is("source"))
                            .filter_map(|node| if let Node::Element(e) = node { Some(e) } else { None })
                            .collect();
                        for child in e.children {
                            match child {
                                Node::Element(img) if img.name == "img" => {
                                    out.push(self.image(&img, &sources, link));
                                }
                                child => out.extend(self.nodes(vec![child], link)),
                            }
                        }
                    }
                    "source" => {}
                    "a" => {
                        if is_trailer(&e) {
                            // The thumbnail of a trailer belongs to its link, even if the picture before is the same.
                            self.last_picture = None;
                        }
                        let target = e.attribute("href").and_then(|href| image_url(href, self.base));
                        e.children = self.nodes(e.children, target.as_ref());
                        out.push(Node::Element(e));
                    }
                    _ => {
                        e.children = self.nodes(e.children, link);
                        out.push(Node::Element(e));
                    }
                },
                text @ Node::Text(_) => {
                    if !text.is_blank() {
                        self.last_picture = None;
                    }
                    out.push(text);
                }
            }
        }
        out
    }

    /// Returns what stands for an image: an `<img>`, or text, which may be empty.
    fn image(&mut self, img: &Element, sources: &[Element], link: Option<&Url>) -> Node {
        self.picture(img, sources, link).unwrap_or_else(|| Node::Text(String::new()))
    }

    fn picture(&mut self, img: &Element, sources: &[Element], link: Option<&Url>) -> Option<Node> {
        if is_pixel(img) || img.attribute("src").is_some_and(is_tracker) {
            return None;
        }
        let alt = alt_text(img);
        let source = self.source(img, sources);
        let has_source = source.is_some();
        let Some(mut url) = source.filter(|_| !is_ornament(img)) else {
            // The picture that stands in for another one has the same alternative text.
            let alt = alt.filter(|alt| has_source || !self.alts.contains(alt))?;
            // An emoji belongs to the word before it; words are words of their own.
            let is_word = alt.chars().any(char::is_alphanumeric);
            return Some(Node::Text(if is_word { format!(" {alt} ") } else { alt }));
        };
        if let Some(link) = link {
            url = larger(url, link.clone());
        }
        let picture = rendition(&url).picture;
        if self.last_picture.as_ref() == Some(&picture) {
            return None;
        }
        self.last_picture = Some(picture);
        let mut image = Element::new("img", Vec::new());
        image.attributes = vec![("src".to_owned(), url.into()), ("alt".to_owned(), alt.unwrap_or_default())];
        Some(Node::Element(image))
    }

    /// Returns the URL that an image shows. `sources` are those of the `<picture>` around it.
    fn source(&self, img: &Element, sources: &[Element]) -> Option<Url> {
        let sets = |e: &Element| -> Option<Url> {
            SOURCE_SETS.iter().filter_map(|name| e.attribute(name)).find_map(|set| self.best_of_set(set))
        };
        let single = || {
            let names = LAZY_SOURCES.iter().copied().chain(["src"]);
            names.filter_map(|name| img.attribute(name)).find_map(|src| self.usable(src))
        };
        // Themes have names of their own, which are trusted only in place of a placeholder.
        let other = || {
            let data = img
                .attributes
                .iter()
                .filter(|(name, value)| name.starts_with("data-") && is_image_file(value));
            data.filter(|(name, _)| !name.contains("thumb")).find_map(|(_, src)| self.usable(src))
        };
        let of_picture = || sources.iter().filter(|source| is_supported(source)).find_map(sets);
        sets(img).or_else(single).or_else(of_picture).or_else(other)
    }

    fn usable(&self, src: &str) -> Option<Url> {
        image_url(src, self.base).filter(|url| !is_placeholder(url))
    }

    /// Returns the largest rendition of a `srcset` (HTML section 4.8.4) that is not wider than [`MAX_RENDITION_WIDTH`], or
    /// the smallest if all are.
    fn best_of_set(&self, set: &str) -> Option<Url> {
        let mut best: Option<(f64, Url)> = None;
        for (src, size) in candidates(set).take(MAX_RENDITIONS) {
            let Some(url) = self.usable(src) else { continue };
            let is_better = best.as_ref().is_none_or(|(known, _)| {
                let max = f64::from(MAX_RENDITION_WIDTH);
                if *known > max { size < *known } else { size > *known && size <= max }
            });
            if is_better {
                best = Some((size, url));
            }
        }
        best.map(|(_, url)| url)
    }
}

/// Splits a `srcset` into URLs and their widths or densities. URLs may contain commas.
fn candidates(set: &str) -> impl Iterator<Item = (&str, f64)> {
    let mut rest = set;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (src, after) = rest.split_at(end);
        let (descriptor, next) =
            if src.ends_with(',') { ("", after) } else { after.split_once(',').unwrap_or((after, "")) };
        rest = next;
        let size = descriptor.trim().strip_suffix(['w', 'x']).and_then(|size| size.trim().parse().ok());
        Some((src.trim_end_matches(','), size.filter(|size: &f64| size.is_finite()).unwrap_or(1.0)))
    })
}

/// Whether a `<source>` is of a type that [`media_file`](crate::flows::media_file) stores, or of none.
fn is_supported(source: &Element) -> bool {
    source.attribute("type").is_none_or(|kind| {
        let kind = kind.trim().to_ascii_lowercase();
        matches!(kind.as_str(), "" | "image/jpeg" | "image/jpg" | "image/png" | "image/webp" | "image/gif")
    })
}

fn is_placeholder(url: &Url) -> bool {
    let file = url.path().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let stem = [".gif", ".png", ".svg"].iter().find_map(|ending| file.strip_suffix(ending));
    stem.is_some_and(|stem| PLACEHOLDERS.contains(&stem))
}

/// The sizes that an image declares.
fn declared_sizes(img: &Element) -> impl Iterator<Item = u32> {
    ["width", "height"]
        .into_iter()
        .filter_map(|name| img.attribute(name)?.trim_end_matches("px").parse().ok())
}

fn is_pixel(img: &Element) -> bool {
    declared_sizes(img).any(|size| size <= MAX_PIXEL)
}

fn is_ornament(img: &Element) -> bool {
    declared_sizes(img).any(|size| size < MIN_IMAGE_PIXELS)
}

/// Returns the alternative text, unless it is empty or only the name of a file.
pub(super) fn alt_text(img: &Element) -> Option<String> {
    let alt = single_line_text(img.attribute("alt")?, MAX_ALT_CHARS);
    let is_file_name = !alt.contains(' ') && has_image_ending(&alt);
    (!alt.is_empty() && !is_file_name).then_some(alt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sanitize_review_body;
    use super::*;

    fn base() -> Url {
        "https://crit.example/2024/anora".parse().unwrap()
    }

    /// The images of a body with their alternative texts, and its text.
    fn shown(html: &str) -> (Vec<String>, String) {
        let body = sanitize_review_body(html, &base());
        assert_eq!(sanitize_review_body(&body, &base()), body, "sanitizing again changes nothing");
        let images = body.split("<img src=\"").skip(1).map(|img| {
            let (src, rest) = img.split_once("\" alt=\"").unwrap();
            format!("{} {}", src.trim_start_matches("https://img.example/"), rest.split('"').next().unwrap())
        });
        (images.collect(), super::super::text_of(&super::super::parse(&body)))
    }

    fn images(html: &str) -> Vec<String> {
        shown(html).0
    }

    #[test]
    fn a_picture_that_is_loaded_late_is_found() {
        for html in [
            "<img src=https://img.example/blank.gif data-original=https://img.example/b.jpg alt=B>",
            "<img srcset='https://img.example/b-400.jpg 400w, https://img.example/b.jpg 800w' alt=B>",
            "<img src='data:image/gif;base64,R0lG' alt=''><noscript><img src=https://img.example/b.jpg alt=B></noscript>",
            "<img src='data:image/gif;base64,R0lG' alt=B><noscript>Please enable scripts.<img src=https://img.example/b.jpg alt=B></noscript>",
            "<img data-src=https://img.example/b.jpg alt=B><noscript><img src=https://img.example/b.jpg></noscript>",
            "<img class=lazy data-lazy-src=https://img.example/b.jpg src='data:,' data-lazy-srcset='' alt=B>",
            "<img src=/wp-content/plugins/lazy-load/images/1x1.trans.gif data-lazy-src=//img.example/b.jpg alt=B>",
            "<img data-srcset='https://img.example/b.jpg 2x, https://img.example/a.jpg' src=a.svg/placeholder.png alt=B>",
            "<img data-image=https://img.example/b.jpg alt=B>",
            "<img src=/img/loading.gif data-thumb=https://img.example/t.jpg data-hi-res-src='https://img.example/b.jpg' alt=B>",
            "<amp-img src=https://img.example/b.jpg alt=B></amp-img>",
            "<image src=https://img.example/b.jpg alt=B>",
            "<picture><source type=image/avif srcset=https://img.example/b.avif><source type='image/webp' srcset='https://img.example/a.webp 1w, https://img.example/b.jpg 640w'><img src='data:,' alt=B></picture>",
            "<picture><source srcset=https://img.example/a.webp><img src=https://img.example/b.jpg alt=B></picture>",
            "<amp-img><img nitro-lazy-src=https://img.example/b.jpg alt=B></amp-img>",
        ] {
            assert_eq!(images(html), ["b.jpg B"], "{html}");
        }
    }

    #[test]
    fn the_largest_rendition_within_reason_is_chosen() {
        let set = |widths: &[u32]| {
            let all: Vec<_> = widths.iter().map(|w| format!("https://img.example/{w}.jpg {w}w")).collect();
            images(&format!("<img src=https://img.example/src.jpg srcset='{}'>", all.join(", ")))
        };
        assert_eq!(set(&[300, 1_024, 2_048, 640]), ["1024.jpg "]);
        assert_eq!(set(&[4_000, 2_500]), ["2500.jpg "], "the smallest, if all are large");
        assert_eq!(set(&[]), ["src.jpg "]);
        assert_eq!(
            images(
                "<a href=https://1.bp.blogspot.com/-a/s1600/b.jpg><img src=https://1.bp.blogspot.com/-a/s320/b.jpg></a>"
            ),
            ["https://1.bp.blogspot.com/-a/s1600/b.jpg "]
        );
        assert_eq!(
            images(
                "<img srcset='https://img.example/w_1,c_limit/b.jpg 1x,https://img.example/w_2,c_limit/b.jpg 2x'>"
            ),
            ["w_2,c_limit/b.jpg "],
            "URLs may contain commas"
        );
    }

    #[test]
    fn the_same_picture_twice_in_a_row_is_one() {
        let twice =
            "<p><img src=https://img.example/b-300x200.jpg></p><p><img src=https://img.example/b.jpg></p>";
        assert_eq!(images(twice), ["b-300x200.jpg "]);
        let apart = "<img src=https://img.example/b.jpg><p>Later</p><img src=https://img.example/b.jpg>";
        assert_eq!(images(apart).len(), 2, "the critic shows it again");
    }

    #[test]
    fn what_is_no_picture_leaves_its_alternative_text() {
        for (html, text) in [
            (
                "<p>Rating: <img src=stars.png width=90 height=18 alt='4 out of 5 stars'></p>",
                "Rating: 4 out of 5 stars",
            ),
            (
                "<p>Yes <img src=https://s.w.org/images/core/emoji/72x72/1f600.png class=wp-smiley alt=😀></p>",
                "Yes 😀",
            ),
            ("<p>A<img src='data:image/png;base64,xx' alt='A chart'>B</p>", "A A chart B"),
            ("<p>A<img src=https://ads.example/x?y width=1 height=1 alt=Ad>B</p>", "AB"),
            ("<p>A<img src=spacer.gif alt=spacer.gif>B</p>", "AB"),
        ] {
            assert_eq!(shown(html), (vec![], text.to_owned()), "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_set_of_renditions_is_read(set in "[a-z0-9:/., wx%-]{0,80}") {
            let found: Vec<_> = candidates(&set).collect();
            prop_assert!(found.len() <= set.len());
            images(&format!("<img srcset='{set}' src='{set}'>"));
        }
    }
}
