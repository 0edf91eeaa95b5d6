//! `marquee preview`: show how a review looks on Mastodon.

use std::path::Path;

use anyhow::Context;

use super::{find, open, say, the_critic};
use crate::flows::preview::{self, Preview, PreviewAttachment, PreviewAudience};
use crate::sources::markdown;

/// Characters per line, roughly the width of a column in Mastodon.
const WIDTH: usize = 68;

/// Of a review that is here, or of a Markdown file that may become one.
pub(super) async fn run(config: &Path, named: &str, critic: Option<&str>) -> anyhow::Result<()> {
    let app = open(config).await?;
    let file = Path::new(named);
    let preview = if file.is_file() {
        let place = std::fs::canonicalize(file)?;
        let text = std::fs::read_to_string(&place).with_context(|| format!("cannot read {named}"))?;
        let base = url::Url::from_file_path(&place).ok().context("the path is not absolute")?;
        let draft = markdown::parse(&text, &base, &app.site.timezone).with_context(|| named.to_owned())?;
        preview::preview_content(&app, &the_critic(&app, critic).await?, draft)?
    } else {
        preview::preview_review(&app, &find(&app, named).await?).await?
    };
    for line in lines(&preview) {
        say(&line)?;
    }
    Ok(())
}

/// The preview, line by line.
fn lines(preview: &Preview) -> Vec<String> {
    let mut post =
        vec![preview.name.clone(), format!("{} · {}", preview.handle, preview.published), String::new()];
    post.extend(wrapped(&preview.title.to_uppercase()));
    post.push(String::new());
    if !preview.summary.is_empty() {
        post.extend(wrapped(&preview.summary));
        post.push(String::new());
    }
    post.extend([preview.link.clone(), String::new()]);
    match &preview.attachment {
        PreviewAttachment::Poster(alt) => post.extend(wrapped(&format!("[Poster: {alt}]"))),
        PreviewAttachment::Card { site, title, description } => {
            post.push("[Preview card with a generated picture]".to_owned());
            for text in [site, title, description].into_iter().filter(|text| !text.is_empty()) {
                post.extend(wrapped(text).into_iter().map(|line| format!("  {line}")));
            }
        }
    }
    if !preview.hashtags.is_empty() {
        post.push(String::new());
        post.extend(wrapped(&preview.hashtags.join(" ")));
    }
    let mut lines = vec!["How the review looks on Mastodon:".to_owned(), String::new()];
    lines.extend(post.into_iter().map(|line| format!("  | {line}").trim_end().to_owned()));
    lines.push(String::new());
    lines.extend(wrapped(match preview.audience {
        PreviewAudience::Followers => "It is delivered to the critic's followers. The link leads to the full text.",
        PreviewAudience::Unlisted => {
            "It is archived and not delivered to anyone. People see it when they open the critic's profile or search for \
             its URL."
        }
        PreviewAudience::Unpublished => "It is not published yet.",
    }));
    if let Some(language) = &preview.language {
        lines.push(format!("Readers who filter by language see it as {language}."));
    }
    lines
}

/// A text in lines that are not longer than need be.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= WIDTH => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
