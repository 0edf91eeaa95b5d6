//! The source keeps the architecture that `docs/ARCHITECTURE.md` describes: imports point down, files are
//! short, and the name of a type says of what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::support::rust_source::TypeName;
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

/// Names that do not say of what: a type that other files can see has a second word.
const BARE_NAMES: [&str; 10] =
    ["Answer", "Entry", "Job", "Kind", "Place", "Round", "Row", "Standing", "Stored", "View"];

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

/// Private types may share a name, as `Row` does, unless the name says nothing at all.
#[test]
fn no_type_name_is_used_twice_within_a_layer() {
    let tree = SourceTree::read();
    let mut declared: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for (path, module) in tree.modules() {
        let Some(layer) = layer_of(path) else { continue };
        let counts = |name: &&TypeName| name.is_public || matches!(name.name.as_str(), "Kind" | "Place");
        for name in module.source.types.iter().filter(|name| !name.is_test).filter(counts) {
            let places = declared.entry((layer, &name.name)).or_default();
            places.insert(format!("{}:{}", module.file, name.line));
        }
    }
    let twice: Vec<String> = declared
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|((layer, name), places)| {
            let places: Vec<String> = places.into_iter().collect();
            format!("{layer}: {name} in {}", places.join(", "))
        })
        .collect();
    assert!(twice.is_empty(), "\n{}", twice.join("\n"));
}

#[test]
fn the_name_of_a_type_says_of_what_it_is() {
    let tree = SourceTree::read();
    let mut bare = Vec::new();
    for (_, module) in tree.modules() {
        for name in module.source.types.iter().filter(|name| name.is_public && !name.is_test) {
            if BARE_NAMES.contains(&name.name.as_str()) {
                bare.push(format!("{}:{}: {}", module.file, name.line, name.name));
            }
        }
    }
    assert!(bare.is_empty(), "\n{}", bare.join("\n"));
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
