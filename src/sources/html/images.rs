//! Pictures of a body: which elements count as one, their captions, and their replacement by local copies.

use url::Url;

use super::paragraphs::trim_blank;
use super::tree::{self, Element, Node};
use super::urls::picture_url;
use super::{MAX_BYTES, clean, single_line_text, video_embed};
use crate::domain::review::Poster;

/// The maximum number of pictures of one body. The others are left out.
pub const MAX_PICTURES: usize = 20;

/// Pixels of each side. Smaller pictures are counters or ornaments.
pub const MIN_PICTURE_PIXELS: u32 = 100;
/// Classes of the boxes that older editors put around a picture: those of WordPress and Blogger.
const FRAME_CLASSES: [&str; 2] = ["wp-caption", "tr-caption-container"];
/// Classes of the captions in them.
const CAPTION_CLASSES: [&str; 3] = ["wp-caption-text", "wp-caption-dd", "tr-caption"];

/// The maximum length of an alternative text in characters.
const MAX_ALT_CHARS: usize = 1_000;

/// A place in a body for a local picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureSlot<'a> {
    /// A picture with this URL.
    Picture(&'a str),
    /// A link to this page of a trailer, without a thumbnail.
    Trailer(&'a str),
}

/// A picture in our media folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPicture {
    /// Its URL.
    pub url: Url,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// What to do with a [`PictureSlot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureAction {
    /// Leave it as it is.
    Keep,
    /// Remove a picture and its caption. A trailer remains a link.
    Remove,
    /// Show this picture.
    Show(LocalPicture),
}

/// The first picture of a body.
pub fn first_image(html: &str, base: &Url) -> Option<Poster> {
    fn search(nodes: &[Node], base: &Url) -> Option<Poster> {
        nodes.iter().find_map(|node| match node {
            Node::Element(e) if e.name == "img" => picture_of(e, base),
            Node::Element(e) => search(&e.children, base),
            Node::Text(_) => None,
        })
    }
    // This saves parsing most bodies that have no picture.
    let may_have = html.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"<img"));
    may_have.then(|| search(&clean(html, MAX_BYTES), base)).flatten()
}

/// The picture that an element shows, if it counts as one.
fn picture_of(img: &Element, base: &Url) -> Option<Poster> {
    let size = |name| img.attribute(name).and_then(|v| v.trim_end_matches("px").parse::<u32>().ok());
    if [size("width"), size("height")].into_iter().flatten().any(|px| px < MIN_PICTURE_PIXELS) {
        return None;
    }
    let sources = ["data-src", "data-lazy-src", "src"].into_iter();
    let url = sources.filter_map(|name| img.attribute(name)).find_map(|src| picture_url(src, base))?;
    let alt = img.attribute("alt").map(|alt| single_line_text(alt, MAX_ALT_CHARS));
    Some(Poster { url, alt: alt.filter(|alt| !alt.is_empty()) })
}

/// The `<img>` of a body for an element, if it counts as a picture.
pub(super) fn picture_element(img: &Element, base: &Url) -> Option<Element> {
    let Poster { url, alt } = picture_of(img, base)?;
    let mut image = Element::new("img", Vec::new());
    image.attributes = vec![("src".to_owned(), url.into()), ("alt".to_owned(), alt.unwrap_or_default())];
    Some(image)
}

/// Turns the box that an older editor puts around a picture and its caption into a figure.
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
    if matches!(e.name.as_str(), "div" | "table") && has_class(&e, &FRAME_CLASSES) && has_picture(&e.children)
    {
        "figure".clone_into(&mut e.name);
        name_captions(&mut e.children);
    }
    e
}

pub(super) fn has_picture(nodes: &[Node]) -> bool {
    nodes.iter().any(|n| matches!(n, Node::Element(e) if e.name == "img" || has_picture(&e.children)))
}

fn has_class(e: &Element, wanted: &[&str]) -> bool {
    e.attribute("class").is_some_and(|class| class.split_whitespace().any(|class| wanted.contains(&class)))
}

/// Gives the caption of a figure to the last of its pictures, each of which is a figure of its own by now. Without a
/// picture the caption is dropped.
pub(super) fn with_caption(mut nodes: Vec<Node>) -> Vec<Node> {
    let caption = nodes.extract_if(.., |node| node.is("figcaption")).last();
    let has_no_caption =
        |node: &Node| matches!(node, Node::Element(e) if e.is_picture() && e.children.len() == 1);
    let last = nodes.iter_mut().rev().find(|node| has_no_caption(node));
    if let (Some(Node::Element(figure)), Some(Node::Element(caption))) = (last, caption) {
        let mut children = blocks_to_lines(caption.children);
        trim_blank(&mut children);
        if !children.is_empty() {
            figure
                .children
                .push(Node::Element(Element { children, ..Element::new("figcaption", Vec::new()) }));
        }
    }
    nodes
}

/// Replaces blocks by lines.
fn blocks_to_lines(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in nodes {
        match node {
            Node::Element(e) if e.is_picture() => {}
            Node::Element(e) if e.is_block() => {
                if !out.is_empty() {
                    out.push(Node::Element(Element::new("br", Vec::new())));
                }
                out.extend(blocks_to_lines(e.children));
            }
            node => out.push(node),
        }
    }
    out
}

/// Applies what `decide` returns to each place for a picture, in a body that `sanitize_review_body` returned.
pub fn replace_pictures(body: &str, mut decide: impl FnMut(PictureSlot<'_>) -> PictureAction) -> String {
    if !body.contains("<img ") && !body.contains(video_embed::TRAILER_MARK) {
        return body.to_owned();
    }
    let mut nodes = tree::parse(body);
    replace_in(&mut nodes, &mut decide);
    tree::write(&nodes)
}

/// Returns whether something was removed.
fn replace_in(nodes: &mut Vec<Node>, decide: &mut impl FnMut(PictureSlot<'_>) -> PictureAction) -> bool {
    let mut has_removed = false;
    nodes.retain_mut(|node| {
        let Node::Element(e) = node else { return true };
        if e.name == "img" {
            let stays = replace_picture(e, decide);
            has_removed |= !stays;
            return stays;
        }
        if e.is_picture()
            && let Some(Node::Element(img)) = e.children.first_mut()
        {
            let stays = replace_picture(img, decide);
            has_removed |= !stays;
            return stays;
        }
        if is_trailer(e)
            && !e.children.first().is_some_and(|first| first.is("img"))
            && let PictureAction::Show(picture) =
                decide(PictureSlot::Trailer(e.attribute("href").unwrap_or_default()))
        {
            let mut thumbnail = Element::new("img", Vec::new());
            thumbnail.attributes = vec![("src".to_owned(), String::new()), ("alt".to_owned(), String::new())];
            set_picture(&mut thumbnail, &picture);
            e.children.insert(0, Node::Element(thumbnail));
            return true;
        }
        // An element that had nothing but the picture is removed with it.
        let is_emptied = replace_in(&mut e.children, decide)
            && e.children.iter().all(Node::is_blank)
            && !matches!(e.name.as_str(), "td" | "th");
        has_removed |= is_emptied;
        !is_emptied
    });
    has_removed
}

/// Returns whether the picture stays.
fn replace_picture(img: &mut Element, decide: &mut impl FnMut(PictureSlot<'_>) -> PictureAction) -> bool {
    match decide(PictureSlot::Picture(img.attribute("src").unwrap_or_default())) {
        PictureAction::Keep => {}
        PictureAction::Remove => return false,
        PictureAction::Show(picture) => set_picture(img, &picture),
    }
    true
}

fn set_picture(img: &mut Element, picture: &LocalPicture) {
    let alt = img.attribute("alt").unwrap_or_default().to_owned();
    img.attributes = vec![
        ("src".to_owned(), picture.url.as_str().to_owned()),
        ("alt".to_owned(), alt),
        ("width".to_owned(), picture.width.to_string()),
        ("height".to_owned(), picture.height.to_string()),
    ];
}

/// Whether an element is a link to a trailer.
pub(super) fn is_trailer(link: &Element) -> bool {
    link.name == "a" && tree::text(&link.children).starts_with(video_embed::TRAILER_MARK)
}

/// The body without the picture that is already the poster.
pub fn without_picture(body: &str, poster: &Url) -> String {
    let key = picture_key(poster);
    replace_pictures(body, |place| match place {
        PictureSlot::Picture(src) if Url::parse(src).is_ok_and(|src| picture_key(&src) == key) => {
            PictureAction::Remove
        }
        _ => PictureAction::Keep,
    })
}

/// The URL without its query if the path names a picture, since the query asks for a size then.
fn picture_key(url: &Url) -> Url {
    let mut url = url.clone();
    let path = url.path().to_ascii_lowercase();
    if [".jpg", ".jpeg", ".png", ".webp", ".gif"].iter().any(|ending| path.ends_with(ending)) {
        url.set_query(None);
    }
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::super::sanitize_review_body;
    use super::*;

    fn base() -> Url {
        "https://crit.example/2024/anora".parse().unwrap()
    }

    /// The sanitized body, which does not change when it is sanitized again.
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
    fn a_picture_is_a_figure_with_its_caption_whatever_the_editor_wrote() {
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
    fn what_counts_readers_is_no_picture_and_takes_its_caption_with_it() {
        for html in [
            "<img src=//pixel.wp.example/g.gif><figure><img src=a.jpg width=1 height=1><figcaption>Gone</figcaption></figure><p>Text</p>",
            "<figure><img src='javascript:alert(1)'><figcaption>Gone</figcaption></figure><p>Text</p>",
            "<p><img src='file:///etc/passwd'><img src='data:image/png;base64,xx'>Text</p>",
        ] {
            assert_eq!(body(html), "<p>Text</p>", "{html}");
        }
        assert_eq!(body("<p>One<img src=/emoji/a.png> two</p>"), "<p>One two</p>");
    }

    #[test]
    fn a_body_has_few_pictures() {
        assert_eq!(body(&"<p>x</p><img src=a.jpg>".repeat(1_000)).matches("<img").count(), MAX_PICTURES);
    }

    #[test]
    fn the_first_picture_that_is_one_becomes_the_poster() {
        let found = |html: &str| first_image(html, &base()).map(|p| (p.url.to_string(), p.alt));
        let html = "<img src=//pixel.wp.example/g.gif width=1 height=1><p><img src='http://i.example/a.jpg' alt=' A  man &amp; a dog '>";
        assert_eq!(found(html), Some(("https://i.example/a.jpg".into(), Some("A man & a dog".into()))));
        assert_eq!(
            found("<img src='data:image/gif;base64,xx' data-src=/b.jpg>").unwrap().0,
            "https://crit.example/b.jpg"
        );
        assert_eq!(found("<p>none</p>"), None);
        let local: Url = "file:///feeds/mine/feed.xml".parse().unwrap();
        let at = |src: &str| picture_url(src, &local).map(String::from);
        assert_eq!(at("img/a.jpg").as_deref(), Some("file:///feeds/mine/img/a.jpg"));
        for out in ["../a.jpg", "/etc/passwd", "%2e%2e/%2e%2e/x", "a%2f..%2f..%2fx", "file:///etc/passwd"] {
            assert_eq!(at(out), None, "{out}");
        }
        assert_eq!(picture_url("file:///etc/passwd", &base()), None);
    }

    #[test]
    fn the_poster_does_not_show_again_in_the_body() {
        let whole = body("<p>One</p><blockquote><img src='a.jpg?w=900'></blockquote><img src=b.jpg>");
        let poster = "https://crit.example/2024/a.jpg?w=100".parse().unwrap();
        assert_eq!(without_picture(&whole, &poster), format!("<p>One</p>{}", figure("b", "")));
        let other = "https://crit.example/2024/show?id=1".parse().unwrap();
        let shown = body("<p>One</p><img src='show?id=2'>");
        assert_eq!(without_picture(&shown, &other), shown, "its query tells which it is");
    }

    #[test]
    fn pictures_and_trailers_get_what_is_ours() {
        let html =
            "<p>A</p><img src=a.jpg alt=Sea><img src=b.jpg><iframe src=//player.vimeo.com/video/7></iframe>";
        let ours = |name: &str| {
            PictureAction::Show(LocalPicture {
                url: format!("https://ours.example/media/{name}").parse().unwrap(),
                width: 640,
                height: 360,
            })
        };
        let shown = replace_pictures(&body(html), |place| match place {
            PictureSlot::Picture(src) if src.ends_with("a.jpg") => ours("1.jpg"),
            PictureSlot::Picture(_) => PictureAction::Remove,
            PictureSlot::Trailer("https://vimeo.com/7") => ours("2.jpg"),
            PictureSlot::Trailer(_) => PictureAction::Keep,
        });
        assert_eq!(
            shown,
            "<p>A</p><figure><img src=\"https://ours.example/media/1.jpg\" alt=\"Sea\" width=\"640\" height=\"360\"></figure>\
             <p><a href=\"https://vimeo.com/7\" rel=\"noopener noreferrer\"><img src=\"https://ours.example/media/2.jpg\" alt=\"\" \
             width=\"640\" height=\"360\">▶ vimeo.com</a></p>"
        );
        assert_eq!(body(&shown), shown.replace(" width=\"640\" height=\"360\"", ""), "sanitised again");
        assert_eq!(super::super::teaser(&shown), "A");
        assert_eq!(super::super::text_of(&tree::parse(&shown)), "A\n▶ vimeo.com");
    }
}
