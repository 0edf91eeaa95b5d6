//! Trailers that a review embeds in an `<iframe>`. Each becomes a link to the trailer's page, so that a reader's browser
//! contacts the video site only if the reader follows the link.

use url::Url;

use super::image_url::image_url;

/// The start of a link to a trailer.
pub(super) const TRAILER_MARK: &str = "▶ ";

/// Returns the page of the video that an `<iframe>` with this `src` plays, or `None` if it plays none.
pub(super) fn page_url(src: &str) -> Option<String> {
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
        // PeerTube, on any host.
        host if host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':')) => {
            Some(format!("https://{host}/videos/watch/{}", id("videos/embed/")?))
        }
        _ => None,
    }
}

/// Returns the `src` of the `<iframe>` for a page of a video on `youtube.com` or `vimeo.com`.
pub(super) fn frame_url(page: &str) -> Option<String> {
    let url = Url::parse(page).ok()?;
    let is_id = |id: &str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let path = url.path().trim_start_matches('/');
    let (frame, id) = match url.host_str()?.trim_start_matches("www.").trim_start_matches("m.") {
        "youtube.com" if path == "watch" => {
            let id = url.query_pairs().find(|(key, _)| key == "v")?.1.into_owned();
            ("https://www.youtube.com/embed/", id)
        }
        "youtube.com" => ("https://www.youtube.com/embed/", path.strip_prefix("embed/")?.to_owned()),
        "youtu.be" => ("https://www.youtube.com/embed/", path.to_owned()),
        "vimeo.com" if path.bytes().all(|b| b.is_ascii_digit()) => {
            ("https://player.vimeo.com/video/", path.to_owned())
        }
        _ => return None,
    };
    is_id(&id).then(|| format!("{frame}{id}"))
}

/// Returns the oEmbed endpoint (oEmbed 1.0 section 2) for a page that `page_url` returned.
pub fn oembed_url(page: &Url) -> Option<Url> {
    let id =
        |before: &str| page.path().strip_prefix(before).is_some_and(|id| !id.is_empty() && !id.contains('/'));
    let endpoint = match page.host_str()? {
        "www.youtube.com" if page.path() == "/watch" => "/oembed",
        "vimeo.com" if id("/") => "/api/oembed.json",
        "www.dailymotion.com" if id("/video/") => "/services/oembed",
        _ if id("/videos/watch/") => "/services/oembed",
        _ => return None,
    };
    let mut url = page.join(endpoint).ok().filter(|url| url.scheme() == "https")?;
    url.query_pairs_mut().append_pair("format", "json").append_pair("url", page.as_str());
    Some(url)
}

/// Returns the thumbnail in the response of an oEmbed endpoint.
pub fn thumbnail_url(response: &[u8], page: &Url) -> Option<Url> {
    let response: serde_json::Value = serde_json::from_slice(response).ok()?;
    image_url(response.get("thumbnail_url")?.as_str()?, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_video_sites_have_an_oembed_endpoint() {
        let endpoint_of = |page: &str| oembed_url(&page.parse().unwrap()).map(String::from);
        for (page, endpoint) in [
            ("https://www.youtube.com/watch?v=abc", "https://www.youtube.com/oembed"),
            ("https://vimeo.com/76979871", "https://vimeo.com/api/oembed.json"),
            ("https://www.dailymotion.com/video/x7tgad0", "https://www.dailymotion.com/services/oembed"),
            ("https://tube.example:8443/videos/watch/9c9d", "https://tube.example:8443/services/oembed"),
        ] {
            let query: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
            assert_eq!(endpoint_of(page), Some(format!("{endpoint}?format=json&url={query}")));
        }
        for page in [
            "http://tube.example/videos/watch/1",
            "https://crit.example/",
            "https://vimeo.com/a/b",
            "mailto:a@b.example",
        ] {
            assert_eq!(endpoint_of(page), None, "{page}");
        }
    }

    #[test]
    fn only_web_urls_are_thumbnails() {
        let page = "https://tube.example/videos/watch/1".parse().unwrap();
        let thumbnail = |response: &str| thumbnail_url(response.as_bytes(), &page).map(String::from);
        assert_eq!(
            thumbnail(r#"{"thumbnail_url": "/lazy-static/previews/1.jpg"}"#).as_deref(),
            Some("https://tube.example/lazy-static/previews/1.jpg")
        );
        for response in
            [r#"{"thumbnail_url": "file:///etc/passwd"}"#, r#"{"thumbnail_url": 1}"#, "{}", "[", "\"a\""]
        {
            assert_eq!(thumbnail(response), None, "{response}");
        }
    }

    #[test]
    fn an_iframe_of_a_video_site_has_a_page() {
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
            assert_eq!(page_url(src).as_deref(), Some(expected));
        }
    }

    #[test]
    fn other_iframes_have_no_page() {
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
            assert_eq!(page_url(src), None, "{src}");
        }
    }
}
