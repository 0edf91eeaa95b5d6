//! Which URLs show the same picture at different sizes, as image hosts and blog systems name them.

use percent_encoding::percent_decode_str;
use url::Url;

/// The widest rendition that is worth fetching, in pixels. Pages show pictures at most half as wide.
pub(super) const MAX_RENDITION_WIDTH: u32 = 2_000;

/// File names of these kinds are names of pictures, so that a query only selects a size.
const IMAGE_ENDINGS: [&str; 6] = [".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"];

/// How often one address may be nested in another.
const MAX_NESTING: usize = 3;

/// One size of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendition {
    /// What all sizes of the picture have in common. It is not a URL.
    pub(super) picture: String,
    /// The width or the longer edge in pixels, if the URL names it. The original usually names none.
    pub(super) width: Option<u32>,
}

/// Returns which picture a URL shows, and at which size.
pub(super) fn rendition(url: &Url) -> Rendition {
    nested_rendition(url, MAX_NESTING)
}

/// Returns the URL that shows the picture larger, or the first one unless that is certain. A rendition that is wider than
/// [`MAX_RENDITION_WIDTH`] is not preferred.
pub(super) fn larger(first: Url, second: Url) -> Url {
    let [one, two] = [&first, &second].map(rendition);
    let is_larger = match (one.width, two.width) {
        (Some(one), Some(two)) => two > one && two <= MAX_RENDITION_WIDTH,
        _ => false,
    };
    if one.picture == two.picture && is_larger { second } else { first }
}

/// Whether the path names an image file.
pub(in crate::sources) fn has_image_ending(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    IMAGE_ENDINGS.iter().any(|ending| path.ends_with(ending))
}

fn nested_rendition(url: &Url, depth: usize) -> Rendition {
    if depth > 0
        && let Some((inner, width)) = proxied(url)
    {
        let inner = nested_rendition(&inner, depth - 1);
        return Rendition { width: width.or(inner.width), ..inner };
    }
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let is_at =
        |site: &str| host.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if is_at("bp.blogspot.com") || is_at("googleusercontent.com") {
        return google(url);
    }
    if is_at("medium.com")
        && let Some(file) = url.path().rsplit('/').next().filter(|file| !file.is_empty())
    {
        let mut sizes = url.path().split('/').flat_map(|segment| segment.split(':'));
        return Rendition { picture: format!("medium.com/{file}"), width: sizes.find_map(number) };
    }
    if (is_at("staticflickr.com") || is_at("static.flickr.com"))
        && let Some(flickr) = flickr(url)
    {
        return flickr;
    }
    if is_at("wixstatic.com")
        && let Some((picture, options)) = url.path().split_once("/v1/")
    {
        return Rendition { picture: format!("{host}{picture}"), width: option(options, "w_") };
    }
    let (mut width, path) = without_size_folders(url.path());
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
    let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
    let (stem, file_width) = without_size_suffix(stem);
    width = width.or(file_width);
    let mut picture = format!("{host}{folder}/{stem}.{ending}");
    if let Some(query) = url.query() {
        if has_image_ending(url.path()) {
            let pairs = url.query_pairs();
            width = pairs
                .filter(|(name, _)| matches!(name.as_ref(), "w" | "width" | "resize" | "fit"))
                .find_map(|(_, value)| leading_number(&value))
                .or(width);
        } else {
            picture.push('?');
            picture.push_str(query);
        }
    }
    Rendition { picture, width }
}

/// Returns the URL within the URL of a resizing proxy, and the width that the proxy is asked for.
fn proxied(url: &Url) -> Option<(Url, Option<u32>)> {
    let host = url.host_str()?;
    let path = url.path();
    // Jetpack: `i0.wp.com/crit.example/wp-content/…`.
    if let Some(rest) = host.strip_suffix(".wp.com")
        && matches!(rest, "i0" | "i1" | "i2" | "i3")
    {
        let mut inner = Url::parse(&format!("https:/{path}")).ok()?;
        inner.set_query(url.query());
        return Some((inner, None));
    }
    // Substack and Cloudinary: `/image/fetch/w_1456,c_limit/https%3A%2F%2F…`.
    if let Some((_, rest)) = path.split_once("/image/fetch/") {
        let at = rest.find("http")?;
        let (options, inner) = rest.split_at(at);
        let inner = Url::parse(&percent_decode_str(inner).decode_utf8().ok()?).ok()?;
        return Some((inner, option(options, "w_")));
    }
    // Next.js and wsrv.nl.
    if path.ends_with("/_next/image") || matches!(host, "wsrv.nl" | "images.weserv.nl") {
        let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let inner = url.join(&value("url")?).ok()?;
        return Some((inner, value("w").and_then(|width| width.parse().ok())));
    }
    None
}

/// Blogger and Google Photos: `/s320/`, `/w640-h480-p-k-no-nu/`, `=w640-h480`.
fn google(url: &Url) -> Rendition {
    let size = |part: &str| -> Option<u32> {
        let mut options = part.split('-');
        let first = options.next()?;
        let edge = first.strip_prefix(['s', 'w', 'h'])?.parse().ok()?;
        Some(options.filter_map(|option| option.strip_prefix('h')?.parse().ok()).fold(edge, u32::max))
    };
    let path = url.path();
    let (path, suffix) =
        path.rsplit_once('=').filter(|(_, suffix)| size(suffix).is_some()).unwrap_or((path, ""));
    let mut width = size(suffix);
    let mut picture = String::from("google");
    for segment in path.split('/').skip(1) {
        if let Some(edge) = size(segment) {
            width = Some(edge);
        } else {
            picture.push('/');
            picture.push_str(segment);
        }
    }
    // `s0` is the original.
    Rendition { picture, width: width.filter(|width| *width > 0) }
}

/// Flickr: `52345678_a1b2c3_b.jpg`; the letter is the size. Each size has the same id, the original another secret.
fn flickr(url: &Url) -> Option<Rendition> {
    let file = url.path().rsplit('/').next()?;
    let mut parts = file.split('.').next()?.split('_');
    let id = parts.next().filter(|id| id.len() > 5 && id.bytes().all(|b| b.is_ascii_digit()))?;
    let width = match parts.nth(1) {
        Some("s") => Some(75),
        Some("t") => Some(100),
        Some("q") => Some(150),
        Some("m") => Some(240),
        Some("n") => Some(320),
        Some("w") => Some(400),
        None => Some(500),
        Some("z") => Some(640),
        Some("c") => Some(800),
        Some("b") => Some(1_024),
        Some("h") => Some(1_600),
        Some("k") => Some(2_048),
        Some(_) => None,
    };
    Some(Rendition { picture: format!("flickr/{id}"), width })
}

/// Removes the folders that select a size: `/size/w600/format/webp/` of Ghost, `/styles/large/public/` of Drupal,
/// `/s640x960/` of Tumblr.
fn without_size_folders(path: &str) -> (Option<u32>, String) {
    let mut width = None;
    let mut kept = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let next = segments.peek().copied().unwrap_or_default();
        match segment {
            "size" if next.strip_prefix('w').and_then(leading_number).is_some() => {
                width = next.strip_prefix('w').and_then(leading_number);
                segments.next();
            }
            "format" if kept.contains(&"images") => {
                segments.next();
            }
            "styles" if kept.last() == Some(&"files") => {
                segments.next();
                segments.next_if_eq(&"public");
            }
            _ if segment.strip_prefix('s').and_then(dimensions).is_some() => {
                width = segment.strip_prefix('s').and_then(dimensions);
            }
            _ => kept.push(segment),
        }
    }
    (width, kept.join("/"))
}

/// Removes the size from a file name: `-300x200` and `-scaled` of WordPress, `-0-600-0-900-crop` of Letterboxd, `_1280`
/// of Tumblr.
fn without_size_suffix(stem: &str) -> (&str, Option<u32>) {
    if let Some(stem) = stem.strip_suffix("-scaled") {
        return (stem, Some(2_560));
    }
    if let Some((before, size)) = stem.rsplit_once('-')
        && let Some(width) = dimensions(size)
    {
        return (before, Some(width));
    }
    if let Some((before, size)) = stem.strip_suffix("-crop").unwrap_or(stem).split_once("-0-") {
        let mut sizes = size.split('-');
        if let (Some(Ok(width)), Some("0")) = (sizes.next().map(str::parse), sizes.next()) {
            return (before, Some(width));
        }
    }
    if let Some((before, size)) = stem.rsplit_once('_')
        && before.starts_with("tumblr_")
        && let Ok(width) = size.parse()
    {
        return (before, Some(width));
    }
    (stem, None)
}

/// Parses `300x200` and returns the longer edge.
fn dimensions(text: &str) -> Option<u32> {
    let (width, height) = text.split_once('x')?;
    Some(number(width)?.max(number(height)?))
}

/// Parses a number of two to four digits.
fn number(text: &str) -> Option<u32> {
    (2..=4).contains(&text.len()).then(|| text.parse().ok()).flatten()
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Returns the number of an option in a list like `w_1456,c_limit`.
fn option(options: &str, name: &str) -> Option<u32> {
    options.split([',', '/', '!']).find_map(|option| leading_number(option.strip_prefix(name)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(url: &str) -> Rendition {
        rendition(&url.parse().unwrap())
    }

    /// URLs of the same picture, and the sizes that they name.
    const SETS: [&[(&str, Option<u32>)]; 11] = [
        &[
            ("https://crit.example/wp-content/uploads/2024/10/boat.jpg", None),
            ("http://www.crit.example/wp-content/uploads/2024/10/boat-300x200.jpg", Some(300)),
            ("https://crit.example/wp-content/uploads/2024/10/boat-683x1024.jpg", Some(1_024)),
            ("https://crit.example/wp-content/uploads/2024/10/boat-scaled.jpg", Some(2_560)),
            (
                "https://i0.wp.com/crit.example/wp-content/uploads/2024/10/boat.jpg?resize=640%2C427&ssl=1",
                Some(640),
            ),
            ("https://i2.wp.com/crit.example/wp-content/uploads/2024/10/boat-768x512.jpg?ssl=1", Some(768)),
        ],
        &[
            ("https://1.bp.blogspot.com/-aB/X1/AAA/bC/s320/boat.jpg", Some(320)),
            ("https://1.bp.blogspot.com/-aB/X1/AAA/bC/s1600/boat.jpg", Some(1_600)),
            ("https://1.bp.blogspot.com/-aB/X1/AAA/bC/w640-h480/boat.jpg", Some(640)),
            ("https://1.bp.blogspot.com/-aB/X1/AAA/bC/s72-c/boat.jpg", Some(72)),
        ],
        &[
            ("https://blogger.googleusercontent.com/img/b/R29vZ2xl/AVv/s0/boat.png", None),
            (
                "https://blogger.googleusercontent.com/img/b/R29vZ2xl/AVv/w400-h267-p-k-no-nu/boat.png",
                Some(400),
            ),
        ],
        &[
            ("https://lh3.googleusercontent.com/pw/AbC123", None),
            ("https://lh3.googleusercontent.com/pw/AbC123=w640-h853-no", Some(853)),
        ],
        &[
            ("https://cdn-images-1.medium.com/max/1024/1*aBc.jpeg", Some(1_024)),
            ("https://miro.medium.com/v2/resize:fit:1400/1*aBc.jpeg", Some(1_400)),
            ("https://miro.medium.com/1*aBc.jpeg", None),
        ],
        &[
            ("https://substack-post-media.s3.amazonaws.com/public/images/6f_1572x1162.png", None),
            (
                "https://substackcdn.com/image/fetch/w_424,c_limit,f_auto/https%3A%2F%2Fsubstack-post-media.s3.amazonaws.com%2Fpublic%2Fimages%2F6f_1572x1162.png",
                Some(424),
            ),
            (
                "https://substackcdn.com/image/fetch/$s_!aB!,w_1456,c_limit/https%3A%2F%2Fsubstack-post-media.s3.amazonaws.com%2Fpublic%2Fimages%2F6f_1572x1162.png",
                Some(1_456),
            ),
        ],
        &[
            ("https://live.staticflickr.com/65535/52345678_aa11_m.jpg", Some(240)),
            ("https://live.staticflickr.com/65535/52345678_aa11_b.jpg", Some(1_024)),
            ("https://farm9.staticflickr.com/65535/52345678_aa11.jpg", Some(500)),
            ("https://live.staticflickr.com/65535/52345678_bb22_o.jpg", None),
        ],
        &[
            ("https://crit.example/content/images/2024/10/boat.jpg", None),
            ("https://crit.example/content/images/size/w600/format/webp/2024/10/boat.jpg", Some(600)),
        ],
        &[
            ("https://a.ltrbxd.com/resized/film-poster/1/2/12-anora-0-230-0-345-crop.jpg?v=1", Some(230)),
            ("https://a.ltrbxd.com/resized/film-poster/1/2/12-anora-0-600-0-900-crop.jpg?v=2", Some(600)),
        ],
        &[
            ("https://static.wixstatic.com/media/a1~mv2.jpg", None),
            ("https://static.wixstatic.com/media/a1~mv2.jpg/v1/fill/w_980,h_653,al_c/boat.jpg", Some(980)),
        ],
        &[
            ("https://crit.example/_next/image?url=%2Fimg%2Fboat.jpg&w=1080&q=75", Some(1_080)),
            ("https://crit.example/img/boat.jpg?w=300", Some(300)),
        ],
    ];

    #[test]
    fn one_picture_at_several_sizes_is_one() {
        for set in SETS {
            let picture = of(set[0].0).picture;
            for (url, width) in set {
                assert_eq!(of(url), Rendition { picture: picture.clone(), width: *width }, "{url}");
            }
        }
    }

    #[test]
    fn other_pictures_are_others() {
        for [one, other] in [
            ["https://crit.example/show?id=1", "https://crit.example/show?id=2"],
            ["https://crit.example/a.jpg", "https://crit.example/b.jpg"],
            ["https://crit.example/still-1.jpg", "https://crit.example/still-2.jpg"],
            ["https://crit.example/1/a.jpg", "https://crit.example/2/a.jpg"],
            ["https://1.bp.blogspot.com/-a/s320/x.jpg", "https://1.bp.blogspot.com/-b/s320/x.jpg"],
            [
                "https://live.staticflickr.com/1/52345678_a_m.jpg",
                "https://live.staticflickr.com/1/52345679_a_m.jpg",
            ],
        ] {
            assert_ne!(of(one).picture, of(other).picture, "{one}");
        }
    }

    #[test]
    fn the_larger_rendition_is_preferred_within_reason() {
        let pick = |one: &str, two: &str| String::from(larger(one.parse().unwrap(), two.parse().unwrap()));
        let at = |size: u32| format!("https://1.bp.blogspot.com/-aB/s{size}/boat.jpg");
        assert_eq!(pick(&at(320), &at(1_600)), at(1_600));
        assert_eq!(pick(&at(1_600), &at(320)), at(1_600));
        assert_eq!(pick(&at(320), &at(4_000)), at(320));
        assert_eq!(pick(&at(320), "https://1.bp.blogspot.com/-cD/s1600/cat.jpg"), at(320), "another picture");
    }

    proptest! {
        #[test]
        fn no_url_causes_a_panic(path in "[-_a-z0-9/.=%,:x]{0,60}", query in "[a-z0-9=&%]{0,20}") {
            for host in ["i0.wp.com", "1.bp.blogspot.com", "miro.medium.com", "live.staticflickr.com", "a.example"] {
                if let Ok(url) = Url::parse(&format!("https://{host}/{path}?{query}")) {
                    rendition(&url);
                }
            }
        }
    }
}
