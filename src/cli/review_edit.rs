//! `marquee review edit`: opens a review in an editor.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::review_file::to_markdown;
use super::revise::{print_revision, revise_from_text};
use crate::domain::review::Review;
use crate::flows::App;

/// Opens the review in the editor, and revises it by what is saved there. If that is not possible, what was written is kept.
pub(super) async fn edit(app: &App, review: &Review) -> anyhow::Result<()> {
    let editor = find_editor(review)?;
    let before = to_markdown(app, review);
    let path = create_file(
        &format!("{}-{}", review.slug, crate::domain::id::ReviewId::new(app.clock.now())),
        &before,
    )?;
    let remove =
        || std::fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()));
    let edited = run_editor(&editor, &path);
    let after =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let kept = || format!("nothing was changed; your text is kept in {}", path.display());
    if after == before {
        remove()?;
        edited.context("nothing was changed")?;
        return print_revision(app, review, None);
    }
    edited.with_context(kept)?;
    let revised = revise_from_text(app, review, &after).await.with_context(kept)?;
    remove()?;
    print_revision(app, review, revised.as_ref())
}

/// The command of the editor.
fn find_editor(review: &Review) -> anyhow::Result<String> {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    variable("VISUAL").or_else(|| variable("EDITOR")).with_context(|| {
        let slug = &review.slug;
        format!(
            "no editor is set, so nothing was changed. Set EDITOR to a command that opens a file, such as nano, or run \
             `marquee review show {slug} > review.md`, edit that file and run `marquee revise {slug} review.md`"
        )
    })
}

/// Creates a file that only this user can read.
fn create_file(name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("marquee-{name}.md"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("could not write {}", path.display()))?;
    Ok(path)
}

fn run_editor(editor: &str, path: &Path) -> anyhow::Result<()> {
    // The variable may contain arguments, such as `code --wait`.
    let status = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg("sh")
        .arg(path)
        .status();
    let status = status.with_context(|| format!("could not run the editor {editor:?}"))?;
    ensure!(status.success(), "the editor {editor:?} failed");
    Ok(())
}
