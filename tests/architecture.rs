//! The source keeps the architecture that `docs/ARCHITECTURE.md` describes: imports point down and never in a circle,
//! files are short, and type names are descriptive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::support::rust_source::TypeName;
use crate::support::source_tree::{Dependencies, ModulePath, SourceTree, circles, read, root, rust_files};

/// The layers that each layer may import, from the bottom up. Only `app`, `cli` and `main` read `config`; they pass on
/// what the others need. `sources` is pure and `store` contains only SQL, so neither needs `net`.
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

/// Names that say nothing on their own. A type that other files can see has a second word.
const BARE_NAMES: [&str; 10] =
    ["Answer", "Entry", "Job", "Kind", "Place", "Round", "Row", "Standing", "Stored", "View"];

/// Returns the layer of a module, or `None` for the root of the crate.
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

/// A file and the modules below it belong together, so they may use each other.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let tree = SourceTree::read();
    let dependencies = tree.dependencies();
    let found: Vec<String> =
        circles(&dependencies).iter().map(|circle| describe_circle(&tree, &dependencies, circle)).collect();
    assert!(found.is_empty(), "\nThese files import each other in a circle:\n{}", found.join("\n"));
}

/// Lists the imports that make up a circle, one per line.
fn describe_circle(tree: &SourceTree, dependencies: &Dependencies, circle: &BTreeSet<ModulePath>) -> String {
    let mut lines = String::new();
    for module in circle {
        for (target, dependency) in dependencies[module].iter().filter(|(target, _)| circle.contains(*target))
        {
            let (file, other) = (tree.file(module), tree.file(target));
            let _ = writeln!(lines, "{file}:{}: {} ({other})", dependency.line, dependency.path);
        }
    }
    lines
}

#[test]
fn an_artificial_circle_is_found_and_described() {
    let files = [
        ("flows/a.rs", "use super::b::B;\npub struct A;"),
        ("flows/b.rs", "\nuse crate::flows::c;\npub struct B;"),
        ("flows/c.rs", "use super::a::A;"),
        ("flows/d.rs", "use super::a::A;"),
        ("flows.rs", "mod a; mod b; mod c; mod d;\nuse self::d::D;"),
    ];
    let tree = SourceTree::from_texts(&files);
    let dependencies = tree.dependencies();
    let found = circles(&dependencies);
    assert_eq!(found.len(), 1);
    let described = describe_circle(&tree, &dependencies, &found[0]);
    let lines: Vec<&str> = described.lines().collect();
    assert_eq!(
        lines,
        [
            "flows/a.rs:1: flows::b::B (flows/b.rs)",
            "flows/b.rs:2: flows::c (flows/c.rs)",
            "flows/c.rs:1: flows::a::A (flows/a.rs)",
        ]
    );
}

/// Private types may share a name, such as `Row`, except for `Kind` and `Place`.
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
fn type_names_say_what_the_type_is() {
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
