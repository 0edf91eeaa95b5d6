//! `docs/ARCHITECTURE.md` names only things that exist, and its module map lists every file of `src`.

use std::path::{Path, PathBuf};

use crate::support::source_tree::{read, root, rust_files};

/// Returns the code spans of a Markdown document, except those in fenced blocks.
fn code_spans(markdown: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut is_fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

fn document() -> String {
    read(&root().join("docs/ARCHITECTURE.md"))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A file of `src`.
struct Source {
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let source = |file: PathBuf| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder =
            file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        Source { module: if stem == "mod" { folder } else { stem }, text: read(&file) }
    };
    rust_files(&root().join("src")).into_iter().map(source).collect()
}

/// Whether a text contains these words as whole words.
fn has_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        !is_part(before) && !is_part(after)
    })
}

fn defines(text: &str, name: &str) -> bool {
    let keywords = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "macro_rules!"];
    keywords.iter().any(|keyword| has_words(text, &format!("{keyword} {name}")))
}

/// Whether an enum in this text has a variant of that name at the beginning of a line.
fn has_variant(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with([',', ' ', '(']))
    })
}

/// Whether `owner::name` exists: an item of a module, or a function or variant of a type.
fn exists(sources: &[Source], owner: &str, name: &str) -> bool {
    sources.iter().any(|source| {
        let is_item = source.module == owner && defines(&source.text, name);
        let has_type = ["struct", "enum", "trait", "type"]
            .iter()
            .any(|keyword| has_words(&source.text, &format!("{keyword} {owner}")));
        let has_impl = source.text.lines().any(|line| line.starts_with("impl") && has_words(line, owner));
        let is_function = (has_type || has_impl) && has_words(&source.text, &format!("fn {name}"));
        is_item || is_function || (has_type && has_variant(&source.text, name))
    })
}

#[test]
fn every_file_that_the_document_names_exists() {
    let places = [root().to_owned(), root().join("src"), root().join("docs")];
    let is_path = |span: &&String| {
        let has_ending = [".rs", ".md", ".ftl", ".toml", "/"].iter().any(|ending| span.ends_with(ending));
        has_ending && !span.starts_with('/') && !span.contains([' ', '…', '*', ':'])
    };
    let missing: Vec<String> = code_spans(&document())
        .iter()
        .filter(is_path)
        .filter(|span| !places.iter().any(|place| place.join(span).exists()))
        .cloned()
        .collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md names things that do not exist: {missing:#?}");
}

#[test]
fn every_function_that_the_document_names_exists() {
    let sources = sources();
    let mut missing = Vec::new();
    for span in code_spans(&document()) {
        let parts: Vec<&str> = span.trim_end_matches("()").split("::").collect();
        let [.., owner, name] = parts.as_slice() else { continue };
        if is_word(owner) && is_word(name) && !exists(&sources, owner, name) {
            missing.push(span);
        }
    }
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md names things that do not exist: {missing:#?}");
}

/// Checks only names of two or more words, since single words may be terms of ActivityPub or SQL.
#[test]
fn every_type_that_the_document_names_exists() {
    let sources = sources();
    let is_type = |span: &&String| {
        is_word(span)
            && span.starts_with(|c: char| c.is_ascii_uppercase())
            && span.chars().skip(1).any(|c| c.is_ascii_uppercase())
            && span.chars().any(|c| c.is_ascii_lowercase())
    };
    let missing: Vec<String> = code_spans(&document())
        .iter()
        .filter(is_type)
        .filter(|span| !sources.iter().any(|source| has_words(&source.text, span)))
        .cloned()
        .collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md names things that do not exist: {missing:#?}");
}

#[test]
fn the_module_map_lists_every_file() {
    let document = document();
    let (_, map) = document.split_once("## Module map").expect("a module map");
    let listed: Vec<String> = map
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .flat_map(code_spans)
        .collect();
    let source = root().join("src");
    let missing: Vec<String> = rust_files(&source)
        .iter()
        .map(|file| file.strip_prefix(&source).expect("a file of src").to_string_lossy().into_owned())
        .filter(|file| {
            let is_in = |entry: &String| entry.ends_with('/') && file.starts_with(entry.as_str());
            !listed.iter().any(|entry| entry == file || is_in(entry))
        })
        .collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md does not list: {missing:#?}");
}
