//! The page templates: built into the binary, and replaceable by files of the same name.
//!
//! Values are escaped unless Rust code marked them as safe HTML; no template uses `safe`. A template that uses an
//! unknown variable fails instead of leaving a gap in the page.

use std::path::Path;

use anyhow::Context as _;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter};

use crate::domain::html_escape::escape_into;

pub(super) const BUILT_IN: [(&str, &str); 28] = [
    ("base.html", include_str!("templates/base.html")),
    ("head.html", include_str!("templates/head.html")),
    ("card.html", include_str!("templates/card.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("comment.html", include_str!("templates/comment.html")),
    ("comments.html", include_str!("templates/comments.html")),
    ("comments-pager.html", include_str!("templates/comments-pager.html")),
    ("numbers.html", include_str!("templates/numbers.html")),
    ("faces.html", include_str!("templates/faces.html")),
    ("thread.html", include_str!("templates/thread.html")),
    ("home.html", include_str!("templates/home.html")),
    ("review.html", include_str!("templates/review.html")),
    ("archive.html", include_str!("templates/archive.html")),
    ("ledger.html", include_str!("templates/ledger.html")),
    ("film.html", include_str!("templates/film.html")),
    ("person.html", include_str!("templates/person.html")),
    ("browse.html", include_str!("templates/browse.html")),
    ("index.html", include_str!("templates/index.html")),
    ("search.html", include_str!("templates/search.html")),
    ("opensearch.xml", include_str!("templates/opensearch.xml")),
    ("profile.html", include_str!("templates/profile.html")),
    ("interact.html", include_str!("templates/interact.html")),
    ("error.html", include_str!("templates/error.html")),
    ("oembed.xml", include_str!("templates/oembed.xml")),
    ("rss.xml", include_str!("templates/rss.xml")),
    ("atom.xml", include_str!("templates/atom.xml")),
    ("sitemap.xml", include_str!("templates/sitemap.xml")),
    ("sitemap-index.xml", include_str!("templates/sitemap-index.xml")),
];

/// Writes values as minijinja does, but does not escape slashes: they are harmless in HTML, and every URL contains
/// them.
fn format_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let Some(text) = value.as_str().filter(|_| !value.is_safe() && *state.auto_escape() == AutoEscape::Html)
    else {
        return escape_formatter(out, state, value);
    };
    let mut escaped = String::with_capacity(text.len());
    escape_into(&mut escaped, text);
    out.write_str(&escaped).map_err(Error::from)
}

/// Loads all templates; files in `overrides` replace the built-in ones or are added to them.
///
/// # Errors
/// If a file in `overrides` cannot be read or is not a valid template; the error names it.
pub(super) fn load(overrides: Option<&Path>) -> anyhow::Result<Environment<'static>> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_formatter(format_value);
    let syntax = env.syntax().to_builder().trim_blocks(true).lstrip_blocks(true).build();
    env.set_syntax(syntax.context("the syntax of the templates")?);
    for (name, source) in BUILT_IN {
        env.add_template(name, source).with_context(|| format!("the built-in template {name}"))?;
    }
    let Some(folder) = overrides else {
        return Ok(env);
    };
    let files = std::fs::read_dir(folder)
        .with_context(|| format!("could not read the templates in {}", folder.display()))?;
    for file in files {
        let path = file?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.extension().is_some_and(|ending| ending == "html" || ending == "xml")
            && !name.starts_with('.')
        {
            let source = std::fs::read_to_string(&path)
                .with_context(|| format!("could not read the template {}", path.display()))?;
            env.add_template_owned(name.to_owned(), source)
                .with_context(|| format!("the template {}", path.display()))?;
        }
    }
    Ok(env)
}
