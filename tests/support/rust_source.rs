//! Reads the source of a Rust file as far as the architecture tests need it: the paths that it names in each way to
//! write them, the names that it imports, and the types that it declares.

use std::collections::BTreeMap;

/// A path as the segments that the text has: `super::reviews::Review`.
pub type Path = Vec<String>;

/// What one file says.
#[derive(Debug, Default)]
pub struct Source {
    /// Every path, absolute where it starts at the crate's root.
    pub paths: Vec<NamedPath>,
    /// The names that the module imports at its top level, each with the path that it stands for.
    pub imports: BTreeMap<String, Vec<Path>>,
    /// The modules whose names it imports all: `use super::*`.
    pub globs: Vec<Path>,
    pub types: Vec<TypeName>,
}

/// A path that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// Segments from the root of the crate; a name that is in scope stays the first segment if `is_relative`.
    pub segments: Path,
    pub is_relative: bool,
    /// Whether it is part of the unit tests.
    pub is_test: bool,
    pub line: usize,
}

/// A struct, enum, trait, union or type alias at the level of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    pub name: String,
    pub is_public: bool,
    pub is_test: bool,
    pub line: usize,
}

#[derive(Debug, Clone)]
struct Token {
    text: String,
    line: usize,
}

/// What an open brace belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Module,
    TestModule,
    Other,
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    module: Path,
    blocks: Vec<Block>,
    source: Source,
}

/// Reads the text of a module of the crate.
pub fn read(module: &[String], text: &str) -> Source {
    let mut reader = Reader {
        tokens: tokens(&code_of(text)),
        at: 0,
        module: module.to_vec(),
        blocks: Vec::new(),
        source: Source::default(),
    };
    while reader.at < reader.tokens.len() {
        reader.read_item();
    }
    reader.source
}

impl Reader {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn is_test(&self) -> bool {
        self.blocks.contains(&Block::TestModule) || self.module.iter().any(|part| part == "tests")
    }

    /// Whether the reader is outside of every function, impl and type.
    fn is_at_module_level(&self) -> bool {
        !self.blocks.contains(&Block::Other)
    }

    fn read_item(&mut self) {
        match self.text(self.at) {
            "mod" if self.text(self.at + 2) == "{" => {
                let is_test = self.has_test_attribute();
                self.module.push(self.text(self.at + 1).to_owned());
                self.blocks.push(if is_test { Block::TestModule } else { Block::Module });
                self.at += 3;
            }
            "{" => {
                self.blocks.push(Block::Other);
                self.at += 1;
            }
            "}" => {
                if matches!(self.blocks.pop(), Some(Block::Module | Block::TestModule)) {
                    self.module.pop();
                }
                self.at += 1;
            }
            "use" => self.read_use(),
            word if is_name(word) => {
                self.note_type();
                let mut paths = Vec::new();
                self.read_path(&[], &mut paths);
                for (path, line, _) in paths {
                    self.note_path(&path, line);
                }
            }
            _ => self.at += 1,
        }
    }

    /// Whether `#[cfg(test)]` stands before the module that begins here.
    fn has_test_attribute(&self) -> bool {
        let before: Vec<&str> = self.tokens[self.at.saturating_sub(12)..self.at]
            .iter()
            .map(|token| token.text.as_str())
            .skip_while(|token| *token != "cfg")
            .collect();
        before.starts_with(&["cfg", "(", "test", ")", "]"])
    }

    fn note_type(&mut self) {
        let is_declaration = matches!(self.text(self.at), "struct" | "enum" | "trait" | "union" | "type")
            && is_name(self.text(self.at + 1));
        if !is_declaration || !self.is_at_module_level() {
            return;
        }
        let before = self.at.checked_sub(1).map_or("", |at| self.text(at));
        let name = TypeName {
            name: self.text(self.at + 1).to_owned(),
            // `pub`, or the parenthesis of `pub(crate)`.
            is_public: matches!(before, "pub" | ")"),
            is_test: self.is_test(),
            line: self.tokens[self.at].line,
        };
        self.source.types.push(name);
    }

    fn read_use(&mut self) {
        self.at += 1;
        let mut paths = Vec::new();
        if self.text(self.at) == "{" {
            self.at += 1;
            self.read_braces(&[], &mut paths);
        } else {
            self.read_path(&[], &mut paths);
        }
        let is_import = self.is_at_module_level() && !self.is_test();
        for (path, line, alias) in paths {
            let path: Path = path.into_iter().filter(|part| !part.is_empty()).collect();
            if is_import {
                let (from, is_relative) = self.absolute(&path);
                if path.last().is_some_and(|last| last == "*") {
                    self.source.globs.push(from[..from.len() - 1].to_vec());
                } else if let Some(name) = alias.or_else(|| from.last().cloned())
                    && !(is_relative && from.len() == 1)
                {
                    self.source.imports.entry(name).or_default().push(from);
                }
            }
            self.note_path(&path, line);
        }
    }

    fn note_path(&mut self, path: &[String], line: usize) {
        let (mut segments, is_relative) = self.absolute(path);
        segments.retain(|part| part != "*");
        if !segments.is_empty() {
            let is_test = self.is_test();
            self.source.paths.push(NamedPath { segments, is_relative, is_test, line });
        }
    }

    /// A path from the root of the crate, if it says where it starts; otherwise the path as it is, and `true`.
    fn absolute(&self, path: &[String]) -> (Path, bool) {
        let mut from = match path.first().map(String::as_str) {
            Some("crate" | "marquee") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            _ => return (path.to_vec(), true),
        };
        for part in path {
            match part.as_str() {
                "crate" | "marquee" if from.is_empty() => {}
                "self" => {}
                "super" => drop(from.pop()),
                _ => from.push(part.clone()),
            }
        }
        (from, false)
    }

    /// Reads the path that begins here, with all that its braces hold.
    fn read_path(&mut self, before: &[String], paths: &mut Vec<(Path, usize, Option<String>)>) {
        let mut path = before.to_vec();
        let line = self.tokens[self.at].line;
        loop {
            match self.text(self.at) {
                "{" if !path.is_empty() && self.text(self.at - 1) == "::" => {
                    self.at += 1;
                    return self.read_braces(&path, paths);
                }
                "*" if !path.is_empty() && self.text(self.at - 1) == "::" => {
                    path.push("*".to_owned());
                    self.at += 1;
                    break;
                }
                word if is_name(word) => {
                    path.push(word.to_owned());
                    self.at += 1;
                }
                _ => break,
            }
            if self.text(self.at) != "::" {
                break;
            }
            self.at += 1;
        }
        let mut alias = None;
        if self.text(self.at) == "as" && is_name(self.text(self.at + 1)) {
            alias = Some(self.text(self.at + 1).to_owned());
            // What follows in a cast (`x as crate::y::Z`) is a path of its own.
            self.at += if self.text(self.at + 2) == "::" { 1 } else { 2 };
        }
        paths.push((path, line, alias));
    }

    fn read_braces(&mut self, before: &[String], paths: &mut Vec<(Path, usize, Option<String>)>) {
        while self.at < self.tokens.len() {
            match self.text(self.at) {
                "}" => {
                    self.at += 1;
                    return;
                }
                "*" => {
                    let line = self.tokens[self.at].line;
                    paths.push(([before, &["*".to_owned()]].concat(), line, None));
                    self.at += 1;
                }
                word if is_name(word) => self.read_path(before, paths),
                _ => self.at += 1,
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::`, and all else a character each.
fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let end = if is_name(rest) {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push(Token { text: rest[..end].to_owned(), line: number + 1 });
            rest = rest[end..].trim_start();
        }
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
        // The lines stay numbered as they were.
        code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
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

mod tests {
    use super::{Source, read};

    fn source(module: &[&str], text: &str) -> Source {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        read(&module, text)
    }

    /// The paths from the root of the crate.
    fn named(module: &[&str], text: &str) -> String {
        let source = source(module, text);
        let absolute = source.paths.iter().filter(|path| !path.is_relative);
        absolute.map(|path| path.segments.join("::")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn paths_are_read_in_each_way_to_write_them() {
        let text = "use crate::{store::{a, b as c, super_store}, net};\nlet x = crate::flows::y();\nuse marquee::cli;";
        assert_eq!(named(&["web"], text), "store::a store::b store::super_store net flows::y cli");
        assert_eq!(named(&["app"], "use super::web::{self, x};"), "web web::x");
        assert_eq!(
            named(&["net", "edge"], "use super::super::store; use super::client;"),
            "store net::client"
        );
        assert_eq!(named(&["net", "edge"], "use super::{a, super::{web::x, flows}};"), "net::a web::x flows");
        assert_eq!(
            named(
                &["net"],
                "mod tests { use super::x; mod y { use super::super::super::web; } } use super::cli;"
            ),
            "net::x web cli"
        );
        assert_eq!(named(&["net"], "fn f() { super::domain::x(); y as crate::web::Z }"), "domain::x web::Z");
        let hidden = "// crate::web\n/* crate::web /* */ crate::web */ \"crate::web\" r#\"\" crate::web\"# b\"\\\" crate::web\"";
        assert_eq!(named(&["net"], hidden), "");
        let beside = "f(\"https://x\", crate::web::y, '\"', crate::cli::z, '\\'', &'a crate::app::A) // \"";
        assert_eq!(named(&["net"], beside), "web::y cli::z app::A");
    }

    #[test]
    fn imports_and_globs_are_those_of_the_module() {
        let source = source(
            &["web", "page"],
            "use super::{cache::Cache as C, error::*};\nfn f() { use crate::net; }\n\
             #[cfg(test)]\nmod tests { use super::super::state; }",
        );
        assert_eq!(source.imports["C"], [["web", "cache", "Cache"]]);
        assert_eq!(source.imports.len(), 1);
        assert_eq!(source.globs, [["web", "error"]]);
        let in_tests: Vec<_> = source.paths.iter().filter(|path| path.is_test && !path.is_relative).collect();
        assert_eq!(in_tests.len(), 1);
        assert_eq!((in_tests[0].segments.join("::").as_str(), in_tests[0].line), ("web::state", 4));
    }

    #[test]
    fn types_are_those_at_the_level_of_a_module() {
        let source = source(
            &["web"],
            "pub(crate) struct A; enum B {}\nimpl Iterator for A { type Item = u8; }\nfn f() { struct C; }\n\
             mod x { pub trait D {} }\n#[cfg(test)] mod tests { struct E; }",
        );
        let names: Vec<_> = source.types.iter().map(|t| (t.name.as_str(), t.is_public, t.is_test)).collect();
        let expected = [("A", true, false), ("B", false, false), ("D", true, false), ("E", false, true)];
        assert_eq!(names, expected);
    }
}
