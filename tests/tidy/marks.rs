//! Marks of work left undone, tests switched off, and lints silenced without a reason.

use super::source::{Source, Token, Violation, demand_none, rust_files, tokens};

/// Words in comments that mean "later".
const LATER: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), "XXX"];

/// Macros that mean "not yet".
const NOT_YET: &[&str] = &["todo", "unimplemented"];

fn unfinished(source: &Source) -> Vec<Violation> {
    let in_comments = tokens(&source.comments);
    let marks = in_comments.iter().filter(|word| LATER.contains(&word.text.as_str()));
    let what = "finish it now or file an issue; the code says what is, not what may come";
    let mut found: Vec<Violation> = marks.map(|word| source.at(word.line, what)).collect();
    let words = tokens(&source.code);
    let macros = words.windows(2).filter(|w| NOT_YET.contains(&w[0].text.as_str()) && w[1].text == "!");
    found.extend(macros.map(|w| source.at(w[0].line, what)));
    found
}

/// The words between the brackets of each attribute.
fn attributes(source: &Source) -> Vec<Vec<Token>> {
    let words = tokens(&source.code);
    let begins = |at: usize| {
        words[at].text == "#" && words.get(at + 1).is_some_and(|w| matches!(w.text.as_str(), "[" | "!"))
    };
    let starts = (0..words.len()).filter(|&at| begins(at));
    starts.map(|at| words[at + 1..].iter().take_while(|word| word.text != "]").cloned().collect()).collect()
}

fn switched_off(source: &Source) -> Vec<Violation> {
    let what = "no test is switched off: make it run here, or let it print why it cannot";
    let ignored =
        attributes(source).into_iter().filter_map(|words| words.into_iter().find(|w| w.text == "ignore"));
    ignored.map(|word| source.at(word.line, what)).collect()
}

fn silenced(source: &Source) -> Vec<Violation> {
    let is_silencer = |words: &[Token]| {
        words.windows(2).any(|w| matches!(w[0].text.as_str(), "allow" | "expect") && w[1].text == "(")
    };
    let reasoned = |words: &[Token]| words.windows(2).any(|w| w[0].text == "reason" && w[1].text == "=");
    let what = "say why the lint does not hold here: `#[expect(lint, reason = \"…\")]`";
    let bad = attributes(source).into_iter().filter(|words| is_silencer(words) && !reasoned(words));
    bad.map(|words| source.at(words[0].line, what)).collect()
}

fn everywhere() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(rust_files).collect()
}

#[test]
fn nothing_is_marked_for_later() {
    demand_none(&everywhere().iter().flat_map(unfinished).collect::<Vec<_>>());
}

#[test]
fn no_test_is_switched_off() {
    demand_none(&everywhere().iter().flat_map(switched_off).collect::<Vec<_>>());
}

#[test]
fn silenced_lints_have_a_reason() {
    demand_none(&everywhere().iter().flat_map(silenced).collect::<Vec<_>>());
}

#[test]
fn these_checks_can_fail() {
    let mark = LATER[1];
    let text = format!(
        "// {mark}: later\nfn f() {{ todo!() }}\n#[ignore]\nfn g() {{}}\n#[allow(dead_code)]\n#[expect(x, reason = \"y\")]\n#![allow(z)]\n"
    );
    let bad = Source::new("src/x.rs", &text);
    let lines = |found: Vec<Violation>| found.into_iter().map(|v| v.place).collect::<Vec<_>>();
    assert_eq!(lines(unfinished(&bad)), ["src/x.rs:1", "src/x.rs:2"]);
    assert_eq!(lines(switched_off(&bad)), ["src/x.rs:3"]);
    assert_eq!(lines(silenced(&bad)), ["src/x.rs:5", "src/x.rs:7"]);
}
