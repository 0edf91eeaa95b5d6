//! `marquee preview`: show how a review looks on Mastodon.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::arguments::{require_review, select_critic};
use super::logging::init_logging;
use super::open;
use super::output::{self, print_line};
use super::review_file::markdown_context;
use crate::app::{self, SystemClock};
use crate::config;
use crate::flows::App;
use crate::flows::preview::{self, Preview, PreviewAttachment, PreviewAudience};
use crate::sources::review_markdown;

/// Characters per line, roughly the width of a column in Mastodon.
const LINE_WIDTH: usize = 68;

#[derive(Debug, clap::Args)]
pub(super) struct PreviewArgs {
    /// Id, slug or URL of a review, or the path of a Markdown file.
    review: String,
    /// Handle of the author of the file; required if the site has several critics.
    #[arg(long)]
    critic: Option<String>,
}

/// Previews a review, or a Markdown file that is not published yet.
pub(super) async fn run(config: &Path, args: PreviewArgs) -> anyhow::Result<()> {
    let loaded = config::load(config)?;
    if Path::new(&args.review).is_file() && !app::exists(&loaded).await? {
        // A file can be previewed before the site exists.
        init_logging("warn");
        let copy = app::open_copy(&loaded, Arc::new(SystemClock)).await?;
        let printed = print_preview(&copy.app, args).await;
        copy.close().await;
        return printed;
    }
    print_preview(&open(config).await?, args).await
}

async fn print_preview(app: &App, args: PreviewArgs) -> anyhow::Result<()> {
    let argument = args.review.as_str();
    let file = Path::new(argument);
    let preview = if file.is_file() {
        let path = std::fs::canonicalize(file)?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {argument}"))?;
        let base = url::Url::from_file_path(&path).ok().context("the path is not absolute")?;
        let parsed = review_markdown::parse(&text, &markdown_context(app, &base));
        let content = parsed.with_context(|| argument.to_owned())?.content;
        preview::preview_content(app, &select_critic(app, args.critic.as_deref()).await?, content)?
    } else {
        preview::preview_review(app, &require_review(app, argument).await?).await?
    };
    for line in format_lines(&preview) {
        print_line(&line)?;
    }
    Ok(())
}

/// The preview, line by line.
fn format_lines(preview: &Preview) -> Vec<String> {
    let mut post =
        vec![preview.name.clone(), format!("{} · {}", preview.handle, preview.published), String::new()];
    post.extend(wrap(&preview.title.to_uppercase()));
    post.push(String::new());
    if !preview.summary.is_empty() {
        post.extend(wrap(&preview.summary));
        post.push(String::new());
    }
    post.extend([preview.link.clone(), String::new()]);
    match &preview.attachment {
        PreviewAttachment::Poster(alt) => post.extend(wrap(&format!("[Poster: {alt}]"))),
        PreviewAttachment::Card { site, title, description } => {
            post.push("[Preview card with a generated image]".to_owned());
            for text in [site, title, description].into_iter().filter(|text| !text.is_empty()) {
                post.extend(wrap(text).into_iter().map(|line| format!("  {line}")));
            }
        }
    }
    if !preview.hashtags.is_empty() {
        post.push(String::new());
        post.extend(wrap(&preview.hashtags.join(" ")));
    }
    let mut lines = vec!["How the review looks on Mastodon:".to_owned(), String::new()];
    lines.extend(post.into_iter().map(|line| format!("  | {line}").trim_end().to_owned()));
    lines.push(String::new());
    lines.extend(wrap(match preview.audience {
        PreviewAudience::Followers => "It is delivered to the critic's followers. The link leads to the full text.",
        PreviewAudience::Unlisted => {
            "It is archived and not delivered to anyone. People see it when they open the critic's profile or search for \
             its URL."
        }
        PreviewAudience::Unpublished => "It is not published yet.",
    }));
    if let Some(language) = &preview.language {
        lines.push(format!("Readers who filter by language find it under {language}."));
    }
    lines
}

fn wrap(text: &str) -> Vec<String> {
    output::wrap(text, LINE_WIDTH)
}
