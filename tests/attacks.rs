//! The table of threats in `docs/threats.md` and the tests agree: every attack in the table has a test in each file
//! that its row lists, and every code that the name of a test starts with is in the table.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::source_tree::{read, root, rust_files};

/// The codes of attacks that a name starts with: `e1` and `e2` for `e1_e2_a_name_…`.
fn codes_of(name: &str) -> Vec<String> {
    let is_code = |part: &&str| {
        let (letter, number) = part.split_at_checked(1).unwrap_or_default();
        letter.starts_with(|c| ('a'..='j').contains(&c))
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    };
    name.split('_').take_while(is_code).map(str::to_owned).collect()
}

/// The names of the functions that are declared in a text.
fn functions_in(text: &str) -> impl Iterator<Item = &str> {
    let declared = text.split("fn ").skip(1);
    declared.filter_map(|rest| rest.split(['(', '<']).next().map(str::trim))
}

/// For each code the files that its row lists: `| A1 | … | `tests/signatures.rs` |`.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = read(&root().join("docs/threats.md"));
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let code = cells.first()?.to_lowercase();
        let files = cells.get(2)?.split('`').filter(|part| part.contains('/'));
        (codes_of(&code).len() == 1).then(|| (code, files.map(str::to_owned).collect()))
    });
    rows.collect()
}

#[test]
fn every_attack_has_a_test_and_every_code_is_in_the_table() {
    let table = table();
    let mut tested: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in ["src", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let name = file.strip_prefix(root()).expect("a file of the repository").display().to_string();
        if name == "tests/attacks.rs" {
            continue;
        }
        for code in functions_in(&read(&file)).flat_map(codes_of) {
            tested.entry(code).or_default().insert(name.clone());
        }
    }
    assert!(table.len() > 50, "the table cannot be read: {table:?}");
    for (code, files) in &table {
        assert!(!files.is_empty(), "the row of {code} lists no file");
        for file in files {
            let has_test = tested.get(code).is_some_and(|found| found.contains(file));
            assert!(has_test, "{file} has no test that starts with {code}_");
        }
    }
    for (code, files) in &tested {
        assert!(
            table.contains_key(code),
            "docs/threats.md has no row for {code}, which is tested in {files:?}"
        );
    }
}

#[test]
fn a_name_may_start_with_several_codes() {
    assert_eq!(codes_of("e1_e2_e10_a_name"), ["e1", "e2", "e10"]);
    assert_eq!(codes_of("a_name_of_e2"), Vec::<String>::new());
    assert_eq!(functions_in("fn a1_x(a: B) {} async fn b2_y<T>()").collect::<Vec<_>>(), ["a1_x", "b2_y"]);
}
