//! Every line of attack that has been thought of has a test that bears its name, like `a1_a_body_swapped_…`; a test
//! of several lines bears them all, like `e1_e2_e10_…`.

use std::collections::BTreeSet;

use crate::architecture::{read, root, rust_files};

/// The lines by their letters: signatures, keys, origin, authority and order, requests that we make.
const LINES: [(char, u32); 5] = [('a', 10), ('b', 9), ('c', 11), ('d', 17), ('e', 11)];

/// The lines that the name of a function begins with.
fn lines_of(name: &str) -> Vec<String> {
    let is_line = |part: &&str| {
        let mut rest = part.chars();
        let letter = rest.next().is_some_and(|c| LINES.iter().any(|(letter, _)| *letter == c));
        letter && rest.as_str().parse::<u32>().is_ok()
    };
    name.split('_').take_while(is_line).map(str::to_owned).collect()
}

/// The names of the functions that are declared in a text.
fn functions_in(text: &str) -> impl Iterator<Item = &str> {
    let declared = text.split("fn ").skip(1);
    declared.filter_map(|rest| rest.split(['(', '<']).next().map(str::trim))
}

#[test]
fn every_line_of_attack_has_a_test() {
    let folders = ["src", "tests"];
    let files = folders.iter().flat_map(|folder| rust_files(&root().join(folder)));
    let mut met = BTreeSet::new();
    for file in files {
        met.extend(functions_in(&read(&file)).flat_map(lines_of));
    }
    let all =
        LINES.iter().flat_map(|(letter, count)| (1..=*count).map(move |line| format!("{letter}{line}")));
    let unmet: Vec<String> = all.filter(|line| !met.contains(line)).collect();
    assert!(unmet.is_empty(), "no test begins with {unmet:?}");
}

#[test]
fn a_test_may_stand_for_several_lines() {
    assert_eq!(lines_of("e1_e2_e10_a_name"), ["e1", "e2", "e10"]);
    assert_eq!(lines_of("a_name_of_e2"), Vec::<String>::new());
    assert_eq!(functions_in("fn a1_x(a: B) {} async fn b2_y<T>()").collect::<Vec<_>>(), ["a1_x", "b2_y"]);
}
