//! The shape of files: what stands in the first line, and how imports are written.

use super::source::{Source, Violation, demand_none, rust_files, tokens};

fn without_introduction(source: &Source) -> Option<Violation> {
    let first = source.text.lines().next().unwrap_or("");
    let said = first.strip_prefix("//!").is_some_and(|rest| rest.trim().len() >= 3);
    let what = "begin the file with `//!`: what it decides and what it never does";
    (!said).then(|| source.at(1, what))
}

fn crowded_imports(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.code);
    let is_group = |at: &usize| {
        let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
        text(0) == "crate" && text(1) == "::" && matches!(text(2), "{" | "*")
    };
    let what = "one parent per line: write `use crate::name::…` for each, so that the layer test can read it";
    (0..words.len()).filter(is_group).map(|at| source.at(words[at].line, what)).collect()
}

fn relocated_modules(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.code);
    let is_path = |w: &[super::source::Token]| w[0].text == "[" && w[1].text == "path" && w[2].text == "=";
    let what = "a module lies where its name says: no `#[path]`";
    words.windows(3).filter(|w| is_path(w)).map(|w| source.at(w[0].line, what)).collect()
}

fn everywhere() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(rust_files).collect()
}

#[test]
fn every_file_says_first_what_it_is_for() {
    demand_none(&everywhere().iter().filter_map(without_introduction).collect::<Vec<_>>());
}

#[test]
fn imports_name_one_parent_per_line() {
    demand_none(&rust_files("src").iter().flat_map(crowded_imports).collect::<Vec<_>>());
}

#[test]
fn modules_lie_where_their_names_say() {
    demand_none(&everywhere().iter().flat_map(relocated_modules).collect::<Vec<_>>());
}

#[test]
fn these_checks_can_fail() {
    let bad =
        Source::new("src/x.rs", "use crate::{a, b};\n//! late\n#[path = \"y.rs\"]\nmod y;\nuse crate::*;\n");
    assert!(without_introduction(&bad).is_some());
    assert!(without_introduction(&Source::new("src/x.rs", "//!\n")).is_some());
    assert!(without_introduction(&Source::new("src/x.rs", "//! Time.\n")).is_none());
    assert_eq!(crowded_imports(&bad).len(), 2);
    assert_eq!(relocated_modules(&bad).len(), 1);
}
