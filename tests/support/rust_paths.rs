//! The rooms of the house that a piece of Rust names, in each way to write it.

use std::collections::BTreeSet;

/// The first modules, counted from the root of the crate, of all paths in the text of a module.
pub fn rooms_named(module: &[String], text: &str) -> BTreeSet<String> {
    let tokens = tokens(&code_of(text));
    let mut module = module.to_vec();
    // For each open brace, whether it opened a module.
    let mut open = Vec::new();
    let mut rooms = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "mod" if tokens.get(at + 2).is_some_and(|t| t == "{") => {
                module.push(tokens[at + 1].clone());
                open.push(true);
                at += 3;
            }
            "{" => {
                open.push(false);
                at += 1;
            }
            "}" => {
                if open.pop() == Some(true) {
                    module.pop();
                }
                at += 1;
            }
            word if is_name(word) => {
                let mut paths = Vec::new();
                at = read_path(&tokens, at, &[], &mut paths);
                rooms.extend(paths.iter().filter_map(|path| room_in(&module, path)));
            }
            _ => at += 1,
        }
    }
    rooms
}

/// The room that a path leads to from a module; none where it stays below, or begins in another crate.
fn room_in(module: &[String], path: &[String]) -> Option<String> {
    let mut place = match path.first()?.as_str() {
        "crate" | "marquee" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    let mut rest = path.iter().skip_while(|word| matches!(word.as_str(), "crate" | "marquee" | "self"));
    let next = rest.by_ref().find(|word| *word != "super" || place.pop().is_none());
    place.extend(next.cloned());
    place.into_iter().next()
}

/// Reads the path that begins at a token, with all that its braces hold; returns where it ends.
fn read_path(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while let Some(word) = tokens.get(at) {
        if word == "{" {
            return read_braces(tokens, at + 1, &path, paths);
        }
        if !is_name(word) {
            break;
        }
        path.push(word.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
    }
    paths.push(path);
    at
}

fn read_braces(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    while let Some(word) = tokens.get(at) {
        if word == "}" {
            return at + 1;
        }
        at = if is_name(word) { read_path(tokens, at, before, paths) } else { at + 1 };
        // `a as b`
        if tokens.get(at).is_some_and(|token| token == "as") {
            at += 2;
        }
    }
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::`, and all else a character each.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_name(rest) {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    tokens
}

/// The text without its comments and without what its strings and characters hold.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let in_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_end(rest)
        } else if c == '"' {
            string_end(rest, '"')
        } else if !in_word && let Some(end) = raw_string_end(rest) {
            end
        } else if c == '\'' && is_character(rest) {
            string_end(rest, '\'')
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// Comments nest.
fn comment_end(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string_end(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

/// `r"…"`, `r#"…"#`, `br"…"`: no escapes, and as many signs at the end as at the start.
fn raw_string_end(text: &str) -> Option<usize> {
    let inner = text.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let signs = inner.len() - inner.trim_start_matches('#').len();
    let held = inner[signs..].strip_prefix('"')?;
    let end = format!("\"{}", &inner[..signs]);
    let length = held.find(&end).map_or(held.len(), |at| at + end.len());
    Some(text.len() - held.len() + length)
}

/// A character, and no lifetime.
fn is_character(text: &str) -> bool {
    let mut after = text.chars().skip(1);
    after.next() == Some('\\') || after.next() == Some('\'')
}

#[test]
fn paths_are_read_in_each_way_to_write_them() {
    let named = |module: &[&str], text: &str| {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        rooms_named(&module, text).into_iter().collect::<Vec<_>>().join(" ")
    };
    let text =
        "use crate::{store::{a, b as c, super_store}, net};\nlet x = crate::flows::y();\nuse marquee::cli;";
    assert_eq!(named(&["web"], text), "cli flows net store");
    assert_eq!(named(&["app"], "use super::web::{self, x};"), "web");
    assert_eq!(named(&["net", "edge"], "use super::super::store; use super::client;"), "net store");
    assert_eq!(named(&["net", "edge"], "use super::{a, super::{web::x, flows}};"), "flows net web");
    assert_eq!(
        named(
            &["net"],
            "mod tests { use super::x; mod y { use super::super::super::web; } } use super::cli;"
        ),
        "cli net web"
    );
    assert_eq!(
        named(&["net"], "mod tests { use super::super::web; } fn f() { super::domain::x(); }"),
        "domain web"
    );
    let hidden = "// crate::web\n/* crate::web /* */ crate::web */ \"crate::web\" r#\"\" crate::web\"# b\"\\\" crate::web\"";
    assert_eq!(named(&["net"], hidden), "");
    let beside = "f(\"https://x\", crate::web::y, '\"', crate::cli::z, '\\'', &'a crate::app::A) // \"";
    assert_eq!(named(&["net"], beside), "app cli web");
}
