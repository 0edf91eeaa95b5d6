//! The images of a body: which elements count as images, their captions, and their replacement by local copies.

use url::Url;

use super::image_renditions::{larger, rendition};
use super::paragraphs::trim_blank;
use super::tree::{self, Element, Node};
use super::video_embed;
use crate::domain::review::Poster;

/// The maximum number of images of one body. The others are left out.
pub const MAX_IMAGES: usize = 20;

/// The minimum width and height in pixels. Smaller images are tracking pixels or ornaments.
pub const MIN_IMAGE_PIXELS: u32 = 100;
/// Classes of the boxes that older editors (WordPress, Blogger) put around an image.
const FRAME_CLASSES: [&str; 2] = ["wp-caption", "tr-caption-container"];
/// Classes of the captions in these boxes.
const CAPTION_CLASSES: [&str; 3] = ["wp-caption-text", "wp-caption-dd", "tr-caption"];

/// The maximum length of an alternative text in characters.
pub(super) const MAX_ALT_CHARS: usize = 1_000;

/// A poster narrower than this many pixels is replaced by the original, if the body shows that.
const SMALL_POSTER_WIDTH: u32 = 800;

/// A place in a body where a local image can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSlot<'a> {
    /// An image with this URL.
    Image(&'a str),
    /// A link without a thumbnail to the page of a trailer, which has this URL.
    Trailer(&'a str),
}

/// An image in our media folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImage {
    /// The URL.
    pub url: Url,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

/// What to do with an [`ImageSlot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageAction {
    /// Leave it as it is.
    Keep,
    /// Remove an image. Its caption, or otherwise its alternative text, remains as text. A trailer remains a link.
    Remove,
    /// Show this local image.
    Show(LocalImage),
}

/// Returns the first image of a body that `sanitize_review_body` returned.
pub fn first_image(body: &str) -> Option<Poster> {
    fn search(nodes: &[Node]) -> Option<Poster> {
        nodes.iter().find_map(|node| match node {
            Node::Element(e) if e.name == "img" => {
                let url = Url::parse(e.attribute("src")?).ok()?;
                Some(Poster { url, alt: alt_of(e) })
            }
            Node::Element(e) => search(&e.children),
            Node::Text(_) => None,
        })
    }
    body.contains("<img ").then(|| search(&tree::parse(body))).flatten()
}

fn alt_of(img: &Element) -> Option<String> {
    img.attribute("alt").filter(|alt| !alt.is_empty()).map(str::to_owned)
}

/// Turns the box that older editors put around an image and its caption into a figure.
pub(super) fn into_figure(mut e: Element) -> Element {
    fn name_captions(nodes: &mut [Node]) {
        for node in nodes {
            let Node::Element(e) = node else { continue };
            match e.name.as_str() {
                "p" | "div" | "td" if has_class(e, &CAPTION_CLASSES) => "figcaption".clone_into(&mut e.name),
                "tbody" | "tr" | "td" => {
                    "div".clone_into(&mut e.name);
                    name_captions(&mut e.children);
                }
                "div" | "a" | "p" => name_captions(&mut e.children),
                _ => {}
            }
        }
    }
    if matches!(e.name.as_str(), "div" | "table") && has_class(&e, &FRAME_CLASSES) {
        "figure".clone_into(&mut e.name);
        name_captions(&mut e.children);
    }
    e
}

pub(super) fn has_image(nodes: &[Node]) -> bool {
    nodes.iter().any(|n| matches!(n, Node::Element(e) if e.name == "img" || has_image(&e.children)))
}

pub(super) fn count(nodes: &[Node]) -> usize {
    let count_in = |node: &Node| match node {
        Node::Element(e) if e.name == "img" => 1,
        Node::Element(e) => count(&e.children),
        Node::Text(_) => 0,
    };
    nodes.iter().map(count_in).sum()
}

pub(super) fn has_class(e: &Element, wanted: &[&str]) -> bool {
    e.attribute("class").is_some_and(|class| class.split_whitespace().any(|class| wanted.contains(&class)))
}

/// Moves the caption of a figure to the last of its images, each of which is a separate figure by now. Without such an
/// image, the caption becomes a paragraph.
pub(super) fn with_caption(mut nodes: Vec<Node>) -> Vec<Node> {
    let captions: Vec<Node> = nodes.extract_if(.., |node| node.is("figcaption")).collect();
    let children = blocks_to_lines(captions);
    if children.iter().all(Node::is_blank) {
        return nodes;
    }
    let has_no_caption =
        |node: &Node| matches!(node, Node::Element(e) if e.is_image_figure() && e.children.len() == 1);
    match nodes.iter_mut().rev().find(|node| has_no_caption(node)) {
        Some(Node::Element(figure)) => {
            figure.children.push(Node::Element(Element::new("figcaption", children)));
        }
        _ => nodes.push(Node::Element(Element::new("p", children))),
    }
    nodes
}

pub(super) fn blocks_to_lines(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in nodes {
        match node {
            Node::Element(e) if e.is_image_figure() => {}
            Node::Element(e) if e.is_block() => {
                if !out.is_empty() {
                    out.push(Node::Element(Element::new("br", Vec::new())));
                }
                out.extend(blocks_to_lines(e.children));
            }
            node => out.push(node),
        }
    }
    trim_blank(&mut out);
    out
}

/// Applies the decision of `decide` to each place for an image in a body that `sanitize_review_body` returned.
pub fn replace_images(body: &str, mut decide: impl FnMut(ImageSlot<'_>) -> ImageAction) -> String {
    if !body.contains("<img ") && !body.contains(video_embed::TRAILER_MARK) {
        return body.to_owned();
    }
    let mut nodes = tree::parse(body);
    replace_in(&mut nodes, &mut decide);
    tree::write(&nodes)
}

/// Returns whether anything was removed.
fn replace_in(nodes: &mut Vec<Node>, decide: &mut impl FnMut(ImageSlot<'_>) -> ImageAction) -> bool {
    let mut has_removed = false;
    nodes.retain_mut(|node| {
        let Node::Element(e) = node else { return true };
        if e.name == "img" {
            let is_kept = replace_image(e, decide);
            has_removed |= !is_kept;
            return is_kept;
        }
        if e.is_image_figure()
            && let Some(Node::Element(img)) = e.children.first_mut()
        {
            if replace_image(img, decide) {
                return true;
            }
            let text = alt_of(img).map(|alt| vec![Node::Text(alt)]);
            let text = caption_of(e).or(text);
            has_removed |= text.is_none();
            return text.map(|text| *e = Element::new("p", text)).is_some();
        }
        if is_trailer(e)
            && !e.children.first().is_some_and(|first| first.is("img"))
            && let ImageAction::Show(image) =
                decide(ImageSlot::Trailer(e.attribute("href").unwrap_or_default()))
        {
            let mut thumbnail = Element::new("img", Vec::new());
            thumbnail.attributes = vec![("src".to_owned(), String::new()), ("alt".to_owned(), String::new())];
            set_image(&mut thumbnail, &image);
            e.children.insert(0, Node::Element(thumbnail));
            return true;
        }
        // An element that contained nothing but the image is removed with it.
        let is_emptied = replace_in(&mut e.children, decide)
            && e.children.iter().all(Node::is_blank)
            && !matches!(e.name.as_str(), "td" | "th");
        has_removed |= is_emptied;
        !is_emptied
    });
    has_removed
}

/// Returns whether the image is kept.
fn replace_image(img: &mut Element, decide: &mut impl FnMut(ImageSlot<'_>) -> ImageAction) -> bool {
    match decide(ImageSlot::Image(img.attribute("src").unwrap_or_default())) {
        ImageAction::Keep => {}
        ImageAction::Remove => return false,
        ImageAction::Show(image) => set_image(img, &image),
    }
    true
}

fn set_image(img: &mut Element, image: &LocalImage) {
    let alt = img.attribute("alt").unwrap_or_default().to_owned();
    img.attributes = vec![
        ("src".to_owned(), image.url.as_str().to_owned()),
        ("alt".to_owned(), alt),
        ("width".to_owned(), image.width.to_string()),
        ("height".to_owned(), image.height.to_string()),
    ];
}

/// Whether an element is a link to a trailer.
pub(super) fn is_trailer(link: &Element) -> bool {
    link.name == "a" && tree::text(&link.children).starts_with(video_embed::TRAILER_MARK)
}

/// Removes the image that is shown as the poster from a body, and returns the body and the caption of that image as HTML.
/// The poster gets the alternative text of the image, unless it has one, and its URL if that shows the picture larger.
pub fn take_poster(body: &str, poster: &mut Poster) -> (String, Option<String>) {
    if !body.contains("<img ") {
        return (body.to_owned(), None);
    }
    let mut nodes = tree::parse(body);
    let mut taken = Vec::new();
    take_images(&mut nodes, &rendition(&poster.url).picture, &mut taken);
    let mut caption = None;
    for mut figure in taken {
        caption = caption.or_else(|| caption_of(&mut figure));
        let Some(Node::Element(img)) = figure.children.first() else { continue };
        poster.alt = poster.alt.take().or_else(|| alt_of(img));
        let Some(url) = img.attribute("src").and_then(|src| Url::parse(src).ok()) else { continue };
        poster.url = match (rendition(&poster.url).width, rendition(&url).width) {
            (Some(width), None) if width < SMALL_POSTER_WIDTH => url,
            _ => larger(poster.url.clone(), url),
        };
    }
    (tree::write(&nodes), caption.map(|caption| tree::write(&caption)))
}

/// Removes the figures that show a picture. Returns whether anything was removed.
fn take_images(nodes: &mut Vec<Node>, picture: &str, taken: &mut Vec<Element>) -> bool {
    let mut has_removed = false;
    nodes.retain_mut(|node| {
        let Node::Element(e) = node else { return true };
        if let Some(Node::Element(img)) = e.children.first().filter(|_| e.is_image_figure()) {
            let url = img.attribute("src").and_then(|src| Url::parse(src).ok());
            if url.is_none_or(|url| rendition(&url).picture != picture) {
                return true;
            }
            taken.push(std::mem::take(e));
            has_removed = true;
            return false;
        }
        let is_emptied = take_images(&mut e.children, picture, taken)
            && e.children.iter().all(Node::is_blank)
            && !matches!(e.name.as_str(), "td" | "th");
        has_removed |= is_emptied;
        !is_emptied
    });
    has_removed
}

/// Takes the caption of a figure.
fn caption_of(figure: &mut Element) -> Option<Vec<Node>> {
    match figure.children.get_mut(1) {
        Some(Node::Element(caption)) => Some(std::mem::take(&mut caption.children)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::image_url::image_url;
    use super::super::sanitize_review_body;
    use super::*;

    fn base() -> Url {
        "https://crit.example/2024/anora".parse().unwrap()
    }

    /// Sanitizes a body, and asserts that sanitizing it again changes nothing.
    fn body(html: &str) -> String {
        let once = sanitize_review_body(html, &base());
        assert_eq!(sanitize_review_body(&once, &base()), once);
        once
    }

    fn figure(name: &str, caption: &str) -> String {
        let caption =
            if caption.is_empty() { String::new() } else { format!("<figcaption>{caption}</figcaption>") };
        format!("<figure><img src=\"https://crit.example/2024/{name}.jpg\" alt=\"\">{caption}</figure>")
    }

    #[test]
    fn an_image_from_any_editor_becomes_a_figure_with_its_caption() {
        for html in [
            "<figure class=wp-block-image><a href=big.jpg><img src=a.jpg></a><figcaption>A <em>still</em></figcaption></figure>",
            "<div class='wp-caption alignnone' id=x><a href=big.jpg><img src=a.jpg></a><p class=wp-caption-text>A <em>still</em></p></div>",
            "<table class=tr-caption-container><tbody><tr><td><a href=big.jpg><img src=a.jpg></a></td></tr>\
             <tr><td class=tr-caption>A <em>still</em></td></tr></tbody></table>",
            "<figure><div><img src=a.jpg></div><figcaption><p>A <em>still</em></p></figcaption></figure>",
        ] {
            assert_eq!(body(html), figure("a", "A <em>still</em>"), "{html}");
        }
        assert_eq!(body("<div class=separator><a href=big.jpg><img src=a.jpg></a></div>"), figure("a", ""));
        assert_eq!(
            body("<p>One <b>two <img src=a.jpg> three</b></p><h2><img src=b.jpg>Four</h2>"),
            format!(
                "<p>One <strong>two </strong></p>{}<p><strong> three</strong></p>{}<h2>Four</h2>",
                figure("a", ""),
                figure("b", "")
            )
        );
        assert_eq!(
            body("<ul><li><p>One <img src=a.jpg> two</p></li></ul>"),
            format!("<ul><li><p>One </p>{}<p> two</p></li></ul>", figure("a", ""))
        );
        let gallery = "<figure><figure><img src=a.jpg></figure><figure><img src=b.jpg></figure><figcaption>Two</figcaption></figure>";
        assert_eq!(body(gallery), figure("a", "") + &figure("b", "Two"));
        assert_eq!(
            body("<figure><blockquote>Q</blockquote></figure>"),
            "<figure><blockquote><p>Q</p></blockquote></figure>"
        );
        let spoiler = "<details><summary>The <img src=a.jpg>end</summary><img src=b.jpg></details>";
        assert_eq!(
            body(spoiler),
            format!("<details><summary>The end</summary>{}</details>", figure("b", ""))
        );
    }

    #[test]
    fn a_caption_stays_where_its_image_cannot() {
        for html in [
            "<img src=//pixel.wp.example/g.gif><figure><img src=a.jpg width=1 height=1><figcaption>Photo: <em>Per</em></figcaption></figure><p>Text</p>",
            "<figure><img src='javascript:alert(1)'><figcaption>Photo: <em>Per</em></figcaption></figure><p>Text</p>",
            "<div class=wp-caption><img src='data:,'><p class=wp-caption-text>Photo: <em>Per</em></p></div><p>Text</p>",
            "<table class=tr-caption-container><tr><td><img src=blank.gif></td></tr><tr><td class=tr-caption>Photo: <em>Per</em></td></tr></table><p>Text</p>",
        ] {
            assert_eq!(body(html), "<p>Photo: <em>Per</em></p><p>Text</p>", "{html}");
        }
        assert_eq!(
            body("<p><img src='file:///etc/passwd'><img src='data:image/png;base64,xx'>Text</p>"),
            "<p>Text</p>"
        );
        assert_eq!(body("<p>One<img src=/emoji/a.png> two</p>"), "<p>One two</p>");
        let gone = |html: &str| replace_images(&body(html), |_| ImageAction::Remove);
        assert_eq!(
            gone("<figure><img src=a.jpg alt=Boat><figcaption>Photo: Per</figcaption></figure>"),
            "<p>Photo: Per</p>"
        );
        assert_eq!(gone("<img src=a.jpg alt='A boat'><img src=b.jpg>"), "<p>A boat</p>");
    }

    #[test]
    fn the_number_of_images_is_limited() {
        assert_eq!(body(&"<p>x</p><img src=a.jpg>".repeat(1_000)).matches("<img").count(), MAX_IMAGES);
    }

    #[test]
    fn the_first_real_image_becomes_the_poster() {
        let found = |html: &str| first_image(&body(html)).map(|p| (p.url.to_string(), p.alt));
        let html = "<img src=//pixel.wp.example/g.gif width=1 height=1><p><img src='http://i.example/a.jpg' alt=' A  man &amp; a dog '>";
        assert_eq!(found(html), Some(("https://i.example/a.jpg".into(), Some("A man & a dog".into()))));
        assert_eq!(
            found("<img src='data:image/gif;base64,xx' data-src=/b.jpg>").unwrap().0,
            "https://crit.example/b.jpg"
        );
        assert_eq!(found("<p>none</p>"), None);
    }

    #[test]
    fn only_files_beside_a_local_feed_are_images() {
        let local: Url = "file:///feeds/mine/feed.xml".parse().unwrap();
        let at = |src: &str| image_url(src, &local).map(String::from);
        assert_eq!(at("img/a.jpg").as_deref(), Some("file:///feeds/mine/img/a.jpg"));
        for out in ["../a.jpg", "/etc/passwd", "%2e%2e/%2e%2e/x", "a%2f..%2f..%2fx", "file:///etc/passwd"] {
            assert_eq!(at(out), None, "{out}");
        }
        assert_eq!(image_url("file:///etc/passwd", &base()), None);
    }

    #[test]
    fn the_poster_is_not_repeated_in_the_body() {
        let take = |html: &str, poster: &str| {
            let mut poster = Poster { url: poster.parse().unwrap(), alt: None };
            let (rest, caption) = take_poster(&body(html), &mut poster);
            (rest, caption, poster)
        };
        let html = "<p>One</p><blockquote><img src='a.jpg?w=900' alt=Boat></blockquote><img src=b.jpg>";
        let (rest, caption, poster) = take(html, "https://crit.example/2024/a.jpg?w=1000");
        assert_eq!((rest, caption), (format!("<p>One</p>{}", figure("b", "")), None));
        assert_eq!(poster.alt.as_deref(), Some("Boat"));
        let shown = "<img src='show?id=2'>";
        let (rest, ..) = take(shown, "https://crit.example/2024/show?id=1");
        assert_eq!(rest, body(shown), "the query selects the image");
        let html = "<p>One</p><figure><img src=a.jpg><figcaption>Photo: <em>Per</em></figcaption></figure>";
        let (rest, caption, poster) = take(html, "https://crit.example/2024/a-300x200.jpg");
        assert_eq!((rest.as_str(), caption.as_deref()), ("<p>One</p>", Some("Photo: <em>Per</em>")));
        assert_eq!(poster.url.as_str(), "https://crit.example/2024/a.jpg", "the thumbnail is small");
    }

    #[test]
    fn images_and_trailers_are_replaced_by_local_copies() {
        let html =
            "<p>A</p><img src=a.jpg alt=Sea><img src=b.jpg><iframe src=//player.vimeo.com/video/7></iframe>";
        let ours = |name: &str| {
            ImageAction::Show(LocalImage {
                url: format!("https://ours.example/media/{name}").parse().unwrap(),
                width: 640,
                height: 360,
            })
        };
        let shown = replace_images(&body(html), |slot| match slot {
            ImageSlot::Image(src) if src.ends_with("a.jpg") => ours("1.jpg"),
            ImageSlot::Image(_) => ImageAction::Remove,
            ImageSlot::Trailer("https://vimeo.com/7") => ours("2.jpg"),
            ImageSlot::Trailer(_) => ImageAction::Keep,
        });
        assert_eq!(
            shown,
            "<p>A</p><figure><img src=\"https://ours.example/media/1.jpg\" alt=\"Sea\" width=\"640\" height=\"360\"></figure>\
             <p><a href=\"https://vimeo.com/7\" rel=\"noopener noreferrer\"><img src=\"https://ours.example/media/2.jpg\" alt=\"\" \
             width=\"640\" height=\"360\">▶ vimeo.com</a></p>"
        );
        assert_eq!(
            body(&shown),
            shown.replace(" width=\"640\" height=\"360\"", ""),
            "sanitizing again removes only the sizes"
        );
        assert_eq!(super::super::teaser(&shown), "A");
        assert_eq!(super::super::text_of(&tree::parse(&shown)), "A\n▶ vimeo.com");
    }
}
