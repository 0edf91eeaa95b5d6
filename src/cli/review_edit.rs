//! `marquee review edit`: opens a review in an editor.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::review_file::to_markdown;
use super::revise::{print_revision, revise_from_text};
use crate::domain::review::Review;
use crate::flows::App;

/// Opens the review in the editor, and revises it by what is saved there. If that is not possible, the text is kept.
pub(super) async fn edit(app: &App, review: &Review) -> anyhow::Result<()> {
    let before = to_markdown(app, review);
    let path = create_file(
        &format!("{}-{}", review.slug, crate::domain::id::ReviewId::new(app.clock.now())),
        &before,
    )?;
    let edited = run_editor(&path).and_then(|()| {
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))
    });
    let kept = || format!("nothing was changed; your text is kept in {}", path.display());
    let after = edited.with_context(kept)?;
    let revised = if after == before {
        None
    } else {
        revise_from_text(app, review, &after).await.with_context(kept)?
    };
    std::fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
    print_revision(app, review, revised.as_ref())
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

fn run_editor(path: &Path) -> anyhow::Result<()> {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    let Some(editor) = variable("VISUAL").or_else(|| variable("EDITOR")) else {
        bail!("no editor: set VISUAL or EDITOR to the command that opens a file")
    };
    // The variable may contain arguments, such as `code --wait`.
    let status = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg("sh")
        .arg(path)
        .status();
    let status = status.with_context(|| format!("could not run {editor}"))?;
    ensure!(status.success(), "{editor} failed");
    Ok(())
}
