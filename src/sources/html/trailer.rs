//! Films that a page plays in a frame of somebody else's: the page at which they can be watched instead, so that a
//! reader's browser asks that site only when the reader goes there.

/// What stands before the name of such a film.
pub(super) const MARK: &str = "▶ ";

/// The page of what a frame with this address plays; none where it is no film.
pub(super) fn page(src: &str) -> Option<String> {
    let src = src.trim();
    let rest = ["https:", "http:"].iter().find_map(|scheme| src.strip_prefix(scheme)).unwrap_or(src);
    let (host, path) = rest.strip_prefix("//")?.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let id = |before: &str| {
        let id = path.strip_prefix(before)?;
        let end =
            id.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')).unwrap_or(id.len());
        id.get(..end).filter(|id| (1..=64).contains(&id.len()))
    };
    match host.strip_prefix("www.").unwrap_or(&host) {
        "youtube.com" | "youtube-nocookie.com" => {
            let video = id("embed/").filter(|id| *id != "videoseries")?;
            Some(format!("https://www.youtube.com/watch?v={video}"))
        }
        "player.vimeo.com" => Some(format!("https://vimeo.com/{}", id("video/")?)),
        "dailymotion.com" => Some(format!("https://www.dailymotion.com/video/{}", id("embed/video/")?)),
        // PeerTube, on whatever host.
        host if host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':')) => {
            Some(format!("https://{host}/videos/watch/{}", id("videos/embed/")?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_plays_a_film_has_a_page() {
        for (src, expected) in [
            (
                "https://www.youtube.com/embed/dQw4-w9WgX_?rel=0&amp;x=1",
                "https://www.youtube.com/watch?v=dQw4-w9WgX_",
            ),
            ("//www.youtube-nocookie.com/embed/abc", "https://www.youtube.com/watch?v=abc"),
            ("http://player.vimeo.com/video/76979871#t=3", "https://vimeo.com/76979871"),
            ("https://www.dailymotion.com/embed/video/x7tgad0", "https://www.dailymotion.com/video/x7tgad0"),
            (
                "https://tube.example/videos/embed/9c9de5e8-0a1e",
                "https://tube.example/videos/watch/9c9de5e8-0a1e",
            ),
        ] {
            assert_eq!(page(src).as_deref(), Some(expected));
        }
    }

    #[test]
    fn any_other_frame_has_none() {
        for src in [
            "",
            "javascript:alert(1)",
            "https://www.youtube.com/embed/",
            "https://www.youtube.com/embed/videoseries?list=PL1",
            "https://youtube.com.evil.example/embed/abc",
            "https://ads.example/frame?youtube.com/embed/abc",
            "https://ev\"il.example/videos/embed/abc",
            "/videos/embed/abc",
        ] {
            assert_eq!(page(src), None, "{src}");
        }
    }
}
