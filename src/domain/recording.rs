//! Sounds and videos that a review consists of, such as an episode of a podcast.

use serde::{Deserialize, Serialize};
use url::Url;

use super::html_escape::escape;

/// A sound or a video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The URL of the file.
    pub url: Url,
    /// The media type, `audio/…` or `video/…`.
    pub media_type: String,
    /// The length in seconds, if it is known.
    pub seconds: Option<u32>,
}

impl Recording {
    /// Whether it is a video, and not only a sound.
    pub fn is_video(&self) -> bool {
        self.media_type.starts_with("video/")
    }

    /// Returns the length as an `xsd:duration`, such as `PT1H2M3S`, for ActivityStreams.
    pub fn duration(&self) -> Option<String> {
        let seconds = self.seconds?;
        let part = |amount: u32, unit| if amount > 0 { format!("{amount}{unit}") } else { String::new() };
        let (hours, minutes) = (part(seconds / 3600, 'H'), part(seconds / 60 % 60, 'M'));
        let rest = part(seconds % 60, 'S');
        let rest = if seconds == 0 { "0S" } else { &rest };
        Some(format!("PT{hours}{minutes}{rest}"))
    }

    /// Returns a paragraph with a link to the file and its length, such as `50:00`, as HTML.
    pub fn link(&self, title: &str) -> String {
        let (url, title) = (escape(self.url.as_str()), escape(title));
        let length = self.seconds.filter(|seconds| *seconds > 0).map(|seconds| {
            match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
                (0, minutes, seconds) => format!(" ({minutes}:{seconds:02})"),
                (hours, minutes, seconds) => format!(" ({hours}:{minutes:02}:{seconds:02})"),
            }
        });
        format!("<p>\u{25b6} <a href=\"{url}\">{title}</a>{}</p>", length.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_written_for_servers_and_for_readers() {
        for (seconds, duration, shown) in [
            (0, "PT0S", ""),
            (59, "PT59S", " (0:59)"),
            (3000, "PT50M", " (50:00)"),
            (3723, "PT1H2M3S", " (1:02:03)"),
            (7200, "PT2H", " (2:00:00)"),
        ] {
            let recording = Recording {
                url: "https://pod.example/1.mp3?a=1&b=2".parse().unwrap(),
                media_type: "audio/mpeg".into(),
                seconds: Some(seconds),
            };
            assert_eq!(recording.duration().as_deref(), Some(duration));
            let link = format!(
                "<p>\u{25b6} <a href=\"https://pod.example/1.mp3?a=1&amp;b=2\">Salt &lt;3</a>{shown}</p>"
            );
            assert_eq!(recording.link("Salt <3"), link);
        }
    }
}
