//! Names that say nothing: drawers for anything (`util`, `common`, …) and getters that announce themselves.

use super::source::{Source, Violation, demand_none, rust_files, tokens};

const DRAWERS: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "manager", "managers", "handler", "handlers", "misc"];

fn is_drawer(name: &str) -> bool {
    name.split('_').any(|word| DRAWERS.contains(&word))
}

fn drawers_in_path(source: &Source) -> Option<Violation> {
    let mut names = source.path.trim_end_matches(".rs").split('/');
    let bad = names.find(|name| is_drawer(name))?;
    Some(source.at(1, format!("`{bad}` says nothing about what is inside: name it by what it decides")))
}

fn drawers_in_code(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.code);
    let bad =
        |name: &str| format!("module `{name}` says nothing about what is inside: name it by what it decides");
    let declared = words.windows(2).filter(|pair| pair[0].text == "mod" && is_drawer(&pair[1].text));
    declared.map(|pair| source.at(pair[1].line, bad(&pair[1].text))).collect()
}

fn getters(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.code);
    let what = |name: &str| format!("`{name}`: say what it answers, without `get_`");
    let declared = words.windows(2).filter(|pair| pair[0].text == "fn" && pair[1].text.starts_with("get_"));
    declared.map(|pair| source.at(pair[1].line, what(&pair[1].text))).collect()
}

#[test]
fn names_say_what_things_are() {
    let files: Vec<Source> = ["src", "tests", "benches"].into_iter().flat_map(rust_files).collect();
    let mut found: Vec<Violation> = files.iter().filter_map(drawers_in_path).collect();
    found.extend(files.iter().flat_map(drawers_in_code));
    found.extend(files.iter().flat_map(getters));
    demand_none(&found);
}

#[test]
fn these_checks_can_fail() {
    let bad = Source::new("src/api/http_util.rs", "mod helper;\nfn get_name() {}\nfn target_name() {}\n");
    assert!(drawers_in_path(&bad).is_some());
    assert!(drawers_in_path(&Source::new("src/common/mod.rs", "")).is_some());
    assert!(drawers_in_path(&Source::new("src/api/futility.rs", "")).is_none());
    assert_eq!(drawers_in_code(&bad).len(), 1);
    assert_eq!(getters(&bad).len(), 1);
}
