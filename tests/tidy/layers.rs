//! Who may name whom: modules, vendors, and the one maker of permits.
//!
//! Only the program is checked, not its tests: a test may drive a module through those that use it.

use super::source::{Source, Token, Violation, demand_none, production_files, tokens};
use super::table::{ABSENCES, BANS, ORDER, OWN_CALLS, VENDORS};

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|(_, name)| *name == module)
}

/// A module that is named through the crate's root: `crate::name`, `portcullis::name`, or enough `super::`.
struct Naming {
    line: usize,
    /// `None` when the path reached the root by `super`.
    module: Option<String>,
}

fn namings(source: &Source) -> Vec<Naming> {
    let words = tokens(&source.production);
    let inline = inline_depths(&words);
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let after_path = at > 0 && words[at - 1].text == "::";
        match word.text.as_str() {
            "crate" | "portcullis" if !after_path => found.extend(named_after(&words, at)),
            "super" if !after_path && supers(&words, at) >= source.depth() + inline[at] => {
                found.push(Naming { line: word.line, module: None });
            }
            _ => {}
        }
    }
    found
}

fn named_after(words: &[Token], at: usize) -> Option<Naming> {
    let (colons, name) = (words.get(at + 1)?, words.get(at + 2)?);
    let is_name = name.text.starts_with(char::is_alphabetic);
    (colons.text == "::" && is_name).then(|| Naming { line: name.line, module: Some(name.text.clone()) })
}

fn supers(words: &[Token], at: usize) -> usize {
    words[at..].chunks(2).take_while(|pair| pair[0].text == "super").count()
}

/// For each word, in how many inline modules (`mod name { … }`) it stands.
fn inline_depths(words: &[Token]) -> Vec<usize> {
    let mut braces: Vec<bool> = Vec::new();
    let mut depths = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.text.as_str() {
            "{" => braces.push(at >= 2 && words[at - 2].text == "mod"),
            "}" => drop(braces.pop()),
            _ => {}
        }
        depths.push(braces.iter().filter(|is_module| **is_module).count());
    }
    depths
}

fn unlisted_modules(files: &[Source]) -> Vec<Violation> {
    let unknown = |source: &&Source| source.module() != "lib" && rank(source.module()).is_none();
    let what =
        "its top-level module is not in the layer table: add it to ARCHITECTURE.md and tests/tidy/table.rs";
    files.iter().filter(unknown).map(|source| source.at(1, what)).collect()
}

fn upward_names(source: &Source) -> Vec<Violation> {
    let Some(own) = rank(source.module()) else { return Vec::new() };
    let judge = |naming: Naming| {
        let Some(module) = naming.module else {
            return Some(source.at(naming.line, "`super` climbs to the crate's root: write `crate::name`"));
        };
        let absent = ABSENCES.iter().find(|a| a.never == module && a.modules.contains(&source.module()));
        let what = match (rank(&module), absent) {
            (Some(named), None) if named <= own => return None,
            (Some(_), Some(absent)) => {
                format!("`{}` must not name `{module}`: {}", source.module(), absent.instead)
            }
            (Some(_), None) => format!(
                "`{}` names `{module}`, which lies below it: move the type up to the layer where both may name it",
                source.module()
            ),
            (None, _) => {
                format!("`crate::{module}` is no module of the layer table: name an item by its one path")
            }
        };
        Some(source.at(naming.line, what))
    };
    namings(source).into_iter().filter_map(judge).collect()
}

/// Whether the word begins a path or import of that crate.
fn names_crate(words: &[Token], at: usize, name: &str) -> bool {
    let before = at.checked_sub(1).map_or("", |i| words[i].text.as_str());
    let inside_path = before == "::"
        && at >= 2
        && words[at - 2].text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let after = words.get(at + 1).map_or("", |word| word.text.as_str());
    let imported = matches!(before, "use" | "crate") && matches!(after, ";" | "as");
    words[at].text == name && !inside_path && before != "." && (after == "::" || imported)
}

fn misplaced_vendors(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.production);
    let mut found = Vec::new();
    for vendor in VENDORS.iter().filter(|vendor| !vendor.only_in.contains(&source.module())) {
        for name in vendor.crates {
            let what = format!(
                "only {} may name the crate `{name}`: move the code there",
                vendor.only_in.join(", ")
            );
            let places = (0..words.len()).filter(|&at| names_crate(&words, at, name));
            found.extend(places.map(|at| source.at(words[at].line, &what)));
        }
    }
    found
}

fn banned_names(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.production);
    let mut found = Vec::new();
    for ban in BANS.iter().filter(|ban| ban.modules.contains(&source.module())) {
        let is_banned = |at: &usize| {
            let word = words[*at].text.as_str();
            ban.types.contains(&word) || ban.crates.iter().any(|name| names_crate(&words, *at, name))
        };
        let what =
            |word: &Token| format!("`{}` must not name `{}`: {}", source.module(), word.text, ban.instead);
        found
            .extend((0..words.len()).filter(is_banned).map(|at| source.at(words[at].line, what(&words[at]))));
    }
    found
}

fn foreign_calls(source: &Source) -> Vec<Violation> {
    let words = tokens(&source.production);
    let mut found = Vec::new();
    for (of, function, module) in OWN_CALLS.iter().filter(|(_, _, module)| *module != source.module()) {
        for (at, _) in words.iter().enumerate().filter(|(_, word)| word.text == *of) {
            if called_after_generics(&words[at + 1..]) == Some(*function) {
                let what = format!("only `{module}` makes a `{of}`: take one as an argument");
                found.push(source.at(words[at].line, what));
            }
        }
    }
    found
}

/// The function in `::function` or `::<T>::function`, whichever follows a type's name.
fn called_after_generics(words: &[Token]) -> Option<&str> {
    let mut rest = words;
    if rest.get(1)?.text == "<" {
        let close = rest.iter().position(|word| word.text == ">")?;
        rest = &rest[close + 1..];
    }
    (rest.first()?.text == "::").then_some(())?;
    Some(rest.get(1)?.text.as_str())
}

/// `lib.rs` lists modules in layer order and nothing else: no re-exports, no items.
fn disorder_in_contents_page(lib: &Source) -> Vec<Violation> {
    let words = tokens(&lib.production);
    let mut found = Vec::new();
    let mut layer = 0;
    for (at, word) in words.iter().enumerate() {
        match word.text.as_str() {
            "use" => found
                .push(lib.at(word.line, "a name has one path: no imports or re-exports at the crate's root")),
            "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" | "impl" => {
                found.push(lib.at(word.line, "lib.rs is the contents page: move the item into a module"));
            }
            "mod" => {
                let name = words.get(at + 1).map_or("", |next| next.text.as_str());
                let own = ORDER.iter().find(|(_, module)| *module == name).map_or(layer, |(layer, _)| *layer);
                if own < layer {
                    found.push(
                        lib.at(
                            word.line,
                            format!("`{name}` is of layer {own}: list it above, in layer order"),
                        ),
                    );
                }
                layer = own.max(layer);
            }
            _ => {}
        }
    }
    found
}

#[test]
fn every_top_level_module_is_in_the_table() {
    demand_none(&unlisted_modules(&production_files()));
}

#[test]
fn a_module_names_only_modules_above_it() {
    demand_none(&production_files().iter().flat_map(upward_names).collect::<Vec<_>>());
}

#[test]
fn vendors_are_named_only_in_their_layer() {
    demand_none(&production_files().iter().flat_map(misplaced_vendors).collect::<Vec<_>>());
}

#[test]
fn pure_protocol_sees_no_socket_and_control_sees_no_http() {
    demand_none(&production_files().iter().flat_map(banned_names).collect::<Vec<_>>());
}

#[test]
fn only_the_gate_makes_permits() {
    demand_none(&production_files().iter().flat_map(foreign_calls).collect::<Vec<_>>());
}

#[test]
fn the_contents_page_lists_modules_in_layer_order_and_nothing_else() {
    let files = production_files();
    let lib = files.iter().find(|source| source.path == "src/lib.rs").unwrap();
    demand_none(&disorder_in_contents_page(lib));
}

#[test]
fn the_table_holds_no_forward_edge() {
    let mut seen: Vec<&str> = Vec::new();
    for window in ORDER.windows(2) {
        assert!(window[0].0 <= window[1].0, "`{}` stands below a module of a higher layer", window[1].1);
    }
    for (_, module) in ORDER {
        assert!(!seen.contains(module), "`{module}` stands in the table twice");
        seen.push(module);
    }
    for absence in ABSENCES {
        for module in absence.modules {
            let above = rank(absence.never).unwrap() < rank(module).unwrap();
            assert!(above, "`{module}` could not name `{}` anyway: drop the absence", absence.never);
        }
    }
    let placed = VENDORS.iter().flat_map(|v| v.only_in).chain(BANS.iter().flat_map(|b| b.modules));
    for module in placed.chain(OWN_CALLS.iter().map(|(_, _, module)| module)) {
        assert!(seen.contains(module), "`{module}` is not in the order of modules");
    }
}

#[cfg(test)]
mod can_fail {
    use super::*;

    fn lines(violations: &[Violation]) -> Vec<&str> {
        violations.iter().map(|v| v.place.as_str()).collect()
    }

    #[test]
    fn on_a_module_that_names_one_below_it() {
        let bad = Source::new(
            "src/policy/decide.rs",
            "use crate::ids::host::Host;\nuse crate::edge::Connection;\n",
        );
        assert_eq!(lines(&upward_names(&bad)), ["src/policy/decide.rs:2"]);
        let bad = Source::new("src/policy/mod.rs", "fn f() {\n    crate::run::now();\n}\n");
        assert_eq!(lines(&upward_names(&bad)), ["src/policy/mod.rs:2"]);
    }

    #[test]
    fn on_an_absent_edge_and_on_an_unknown_name() {
        let bad = Source::new("src/forward/pool.rs", "use crate::store::Store;\nuse crate::Store;\n");
        let found = upward_names(&bad);
        assert_eq!(lines(&found), ["src/forward/pool.rs:1", "src/forward/pool.rs:2"]);
        assert!(found[0].what.contains("must not name") && found[1].what.contains("no module"), "{found:?}");
    }

    #[test]
    fn on_super_that_climbs_to_the_root_but_not_on_one_that_stays() {
        let text = "use super::super::edge::Connection;\nuse super::model::Grant;\nmod inner {\n    use super::super::model;\n}\n";
        assert_eq!(
            lines(&upward_names(&Source::new("src/policy/decide.rs", text))),
            ["src/policy/decide.rs:1"]
        );
        assert_eq!(
            lines(&upward_names(&Source::new("src/clock.rs", "use super::edge::X;\n"))),
            ["src/clock.rs:1"]
        );
    }

    #[test]
    fn on_a_module_that_nobody_listed() {
        let files = [Source::new("src/lib.rs", ""), Source::new("src/plugins/mod.rs", "//! x\n")];
        assert_eq!(lines(&unlisted_modules(&files)), ["src/plugins/mod.rs:1"]);
    }

    #[test]
    fn on_a_vendor_out_of_place() {
        let text = "use sqlx::Row;\nfn f(x: ::toml::Value) { crate::control::toml::y(); }\nuse clap;\n#[cfg(test)]\nuse sqlx::A;\n";
        let found = misplaced_vendors(&Source::new("src/view/load.rs", text));
        assert_eq!(lines(&found), ["src/view/load.rs:1", "src/view/load.rs:3", "src/view/load.rs:2"]);
        assert!(misplaced_vendors(&Source::new("src/store/sqlite/mod.rs", "use sqlx::Row;\n")).is_empty());
    }

    #[test]
    fn on_a_socket_in_pure_protocol_and_http_in_control() {
        let socket = Source::new(
            "src/client/address.rs",
            "use std::net::{IpAddr, TcpStream};\nuse tokio::sync::watch;\n",
        );
        assert_eq!(lines(&banned_names(&socket)), ["src/client/address.rs:1", "src/client/address.rs:2"]);
        let http = Source::new("src/control/group.rs", "fn f() -> http::StatusCode { x }\n");
        assert_eq!(banned_names(&http).len(), 2);
    }

    #[test]
    fn on_a_permit_made_elsewhere() {
        let bad = Source::new(
            "src/serve.rs",
            "let a = Permit::new(x);\nlet b = Permit::<Control>::new(x);\nlet c = permit.of();\n",
        );
        assert_eq!(lines(&foreign_calls(&bad)), ["src/serve.rs:1", "src/serve.rs:2"]);
        assert!(foreign_calls(&Source::new("src/admit/authorize.rs", "Permit::new(x);\n")).is_empty());
    }

    #[test]
    fn on_a_contents_page_with_re_exports_or_out_of_order() {
        let bad =
            Source::new("src/lib.rs", "pub mod store;\npub mod ids;\npub use store::Store;\nfn f() {}\n");
        assert_eq!(lines(&disorder_in_contents_page(&bad)), ["src/lib.rs:2", "src/lib.rs:3", "src/lib.rs:4"]);
    }
}
