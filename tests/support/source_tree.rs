//! The Rust files of this repository, and which files of `src` import which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::rust_source::{self, Source};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all Rust files under a folder, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Returns the text of a file.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The path of a module: `["web", "cache"]`; empty for the root of the crate.
pub type ModulePath = Vec<String>;

/// The modules of the crate that have a file each.
pub struct SourceTree {
    modules: BTreeMap<ModulePath, Module>,
}

pub struct Module {
    /// The path of the file from the root of the repository.
    pub file: String,
    pub text: String,
    pub source: Source,
}

/// A use in one file of an item of another file.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The path of the item from the root of the crate.
    pub path: String,
    pub line: usize,
}

/// For each module, the modules that it uses, each with one place where it does so.
pub type Dependencies = BTreeMap<ModulePath, BTreeMap<ModulePath, Dependency>>;

impl SourceTree {
    /// Reads all files of `src`.
    pub fn read() -> Self {
        let folder = root().join("src");
        let modules = rust_files(&folder).into_iter().map(|file| {
            let inside = file.strip_prefix(&folder).expect("a file of src");
            let text = read(&file);
            let path = module_of(inside);
            let source = rust_source::read(&path, &text);
            (path, Module { file: format!("src/{}", inside.display()), text, source })
        });
        Self { modules: modules.collect() }
    }

    /// Builds a tree of modules with these file names and texts.
    #[cfg(test)]
    pub fn from_texts(texts: &[(&str, &str)]) -> Self {
        let modules = texts.iter().map(|(name, text)| {
            let path = module_of(Path::new(name));
            let source = rust_source::read(&path, text);
            (path, Module { file: (*name).to_owned(), text: (*text).to_owned(), source })
        });
        Self { modules: modules.collect() }
    }

    pub fn modules(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.modules.iter()
    }

    pub fn file(&self, module: &[String]) -> &str {
        &self.modules[module].file
    }

    /// Returns the module whose file declares the item that a path leads to.
    pub fn declaring_module(&self, path: &[String]) -> Option<ModulePath> {
        self.resolve(path, &mut BTreeSet::new())
    }

    fn resolve(&self, path: &[String], seen: &mut BTreeSet<Vec<String>>) -> Option<ModulePath> {
        if !seen.insert(path.to_vec()) {
            return None;
        }
        let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth]))?;
        let (module, rest) = path.split_at(depth);
        let Some(name) = rest.first() else { return Some(module.to_vec()) };
        let source = &self.modules[module].source;
        let tail = &rest[1..];
        // An import can be named through the module as if it were the module's own item.
        for import in source.imports.get(name).into_iter().flatten() {
            let found = self.resolve(&[&import[..], tail].concat(), seen);
            if found.is_some() {
                return found;
            }
        }
        if !source.types.iter().any(|declared| declared.name == *name) {
            for glob in &source.globs {
                let there = self.modules.get(glob);
                if there.is_some_and(|there| there.source.types.iter().any(|declared| declared.name == *name))
                {
                    return Some(glob.clone());
                }
            }
        }
        Some(module.to_vec())
    }

    /// Returns which files use which, except in unit tests. A file and the modules below it belong together, so uses
    /// among them are left out.
    pub fn dependencies(&self) -> Dependencies {
        let mut dependencies = Dependencies::new();
        for (module, Module { source, .. }) in &self.modules {
            for path in source.paths.iter().filter(|path| !path.is_test) {
                let absolute = if path.is_relative {
                    let first = source.imports.get(&path.segments[0]).and_then(|imports| imports.first());
                    let Some(first) = first.filter(|_| path.segments.len() > 1) else { continue };
                    [&first[..], &path.segments[1..]].concat()
                } else {
                    path.segments.clone()
                };
                let Some(target) = self.declaring_module(&absolute) else { continue };
                if !target.starts_with(module) && !module.starts_with(&target) {
                    let used = dependencies.entry(module.clone()).or_default();
                    used.entry(target)
                        .or_insert_with(|| Dependency { path: absolute.join("::"), line: path.line });
                }
            }
        }
        dependencies
    }
}

/// Returns the module path of a file of `src`.
fn module_of(inside: &Path) -> ModulePath {
    let inside = inside.with_extension("");
    let mut path: ModulePath =
        inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

/// Returns the groups of modules that use each other in a circle.
pub fn circles(dependencies: &Dependencies) -> Vec<BTreeSet<ModulePath>> {
    let reachable = |from: &ModulePath| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(module) = open.pop() {
            for next in dependencies.get(module).into_iter().flat_map(|used| used.keys()) {
                if reached.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&ModulePath, BTreeSet<ModulePath>> =
        dependencies.keys().map(|module| (module, reachable(module))).collect();
    let mut circles = BTreeSet::new();
    for (module, from_here) in &reached {
        let circle: BTreeSet<ModulePath> = from_here
            .iter()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains(*module)))
            .cloned()
            .collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

mod tests {
    use super::{SourceTree, circles};

    /// Returns the circles among these files.
    fn found(texts: &[(&str, &str)]) -> Vec<Vec<String>> {
        let tree = SourceTree::from_texts(texts);
        let circles = circles(&tree.dependencies());
        circles.iter().map(|circle| circle.iter().map(|m| tree.file(m).to_owned()).collect()).collect()
    }

    #[test]
    fn a_circle_is_found_whatever_form_its_paths_have() {
        let [a, b] = ["web/a.rs", "web/b.rs"];
        assert_eq!(found(&[(a, "use super::b::B;"), (b, "fn f() -> crate::web::a::A {}")]), [[a, b]]);
        assert_eq!(found(&[(a, "use super::b::B;"), (b, "use super::c;"), ("web/c.rs", "")]), [[""; 0]; 0]);
        let tree = SourceTree::from_texts(&[(a, "\nuse super::b::B;"), (b, "")]);
        let found_at = &tree.dependencies()[&["web", "a"].map(str::to_owned)[..]];
        let at = found_at.values().next().expect("a dependency");
        assert_eq!((at.path.as_str(), at.line), ("web::b::B", 2));
        let longer = [(a, "use super::b;"), (b, "use super::c;"), ("web/c.rs", "use crate::web::{a, d};")];
        assert_eq!(found(&longer), [[a, b, "web/c.rs"]]);
    }

    #[test]
    fn a_name_that_the_parent_imports_leads_to_its_file() {
        let files = [
            ("web.rs", "mod a; mod b; pub use a::A;\nuse self::a::Other;"),
            ("web/a.rs", "use super::b::B; pub struct A; pub struct Other;"),
            ("web/b.rs", "use super::Other; pub struct B;"),
        ];
        assert_eq!(found(&files), [["web/a.rs", "web/b.rs"]]);
    }

    #[test]
    fn a_module_and_its_submodules_are_not_a_circle() {
        assert_eq!(found(&[("web.rs", "use self::a::A;"), ("web/a.rs", "use super::Web;")]), [[""; 0]; 0]);
        let tested = [("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }")];
        assert_eq!(found(&tested), [[""; 0]; 0]);
    }
}
