//! The source keeps the architecture that `docs/ARCHITECTURE.md` describes: imports point down, files are
//! short, and SQL is only in the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::source_tree::{ModulePath, SourceTree, read, root, rust_files};

/// Which layers a layer may import, from the bottom up. `config` is read by `app`, `cli` and `main` alone, which hand
/// on what the others need of it. `sources` is pure and `store` is SQL and nothing else: neither needs `net`.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("net", &["domain"]),
    ("sources", &["domain"]),
    ("federation", &["net", "domain"]),
    ("store", &["domain"]),
    ("flows", &["store", "federation", "sources", "net", "domain"]),
    ("worker", &["flows", "store", "federation", "sources", "net", "domain"]),
    ("web", &["flows", "store", "federation", "sources", "net", "domain"]),
    ("app", &["web", "worker", "flows", "store", "federation", "sources", "net", "domain", "config"]),
    ("cli", &["app", "worker", "flows", "store", "federation", "sources", "net", "domain", "config"]),
    ("main", &["cli", "app", "config"]),
];

/// The layer that a module belongs to; none for the root of the crate.
fn layer_of(module: &ModulePath) -> Option<&str> {
    module.first().map(String::as_str)
}

#[test]
fn imports_point_down() {
    let rules = BTreeMap::from(MAY_IMPORT);
    let mut breaches = Vec::new();
    let tree = SourceTree::read();
    for (path, module) in tree.modules() {
        let Some(layer) = layer_of(path) else { continue };
        let Some(allowed) = rules.get(layer) else {
            breaches.push(format!("{}: {layer} is not a layer of the architecture", module.file));
            continue;
        };
        for named in module.source.paths.iter().filter(|named| !named.is_relative) {
            let imported = named.segments[0].as_str();
            if imported != layer && rules.contains_key(imported) && !allowed.contains(&imported) {
                breaches.push(format!("{}:{}: {layer} imports {imported}", module.file, named.line));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn the_binary_is_thin() {
    let lines = read(&root().join("src/main.rs")).lines().count();
    assert!(lines <= 40, "src/main.rs has {lines} lines");
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let folders = ["src", "tests", "benches", "examples", "fuzz"];
    let files = folders.iter().flat_map(|folder| rust_files(&root().join(folder)));
    let long: Vec<String> = files
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > 500)
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "split these files:\n{}", long.join("\n"));
}

#[test]
fn sql_is_only_in_the_store() {
    let tree = SourceTree::read();
    let outside: Vec<&str> = tree
        .modules()
        .filter(|(path, _)| layer_of(path).is_some_and(|layer| layer != "store"))
        .filter(|(_, module)| module.text.contains("sqlx::query"))
        .map(|(_, module)| module.file.as_str())
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[test]
fn tests_wait_for_conditions_and_never_for_time() {
    let word = ["sle", "ep("].concat();
    let sleepers: Vec<PathBuf> = rust_files(&root().join("tests"))
        .into_iter()
        .filter(|file| !file.ends_with("tests/support/mod.rs"))
        .filter(|file| read(file).contains(&word))
        .collect();
    assert!(sleepers.is_empty(), "{sleepers:?}");
}
