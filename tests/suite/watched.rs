//! What is handed out to those who watch Portcullis: every metric that a rule or a panel asks for exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::process::{bare, is_installed, run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const RULES: [&str; 2] = ["deploy/chart/portcullis/files/alerts.yml", "config/compliance/alerts.yml"];
const DASHBOARDS: [&str; 2] =
    ["deploy/chart/portcullis/files/dashboard.json", "config/compliance/dashboard.json"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The names that the program gives its metrics, by the source: a metric is not shown before it counts something.
fn existing() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src/record"), &mut files);
    let mut names = BTreeSet::from(["up".to_owned()]);
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let words: BTreeSet<&str> = text.split('"').skip(1).step_by(2).collect();
        let is_name = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        names.extend(words.iter().filter(is_name).map(|word| format!("portcullis_{word}")));
    }
    let of_the_process = ["cpu_seconds_total", "open_fds", "max_fds", "resident_memory_bytes"];
    names.extend(of_the_process.map(|name| format!("process_{name}")));
    names
}

/// The names of metrics in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let metric = |word: &&str| word.starts_with("portcullis_") || word.starts_with("process_");
    let plain = |word: &str| {
        let endings = ["_bucket", "_count", "_sum"];
        endings.iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word).to_owned()
    };
    words.filter(metric).map(plain).collect()
}

#[test]
fn every_metric_of_rules_and_dashboards_exists() {
    let existing = existing();
    assert!(existing.contains("portcullis_request_duration_seconds"), "{existing:?}");
    let mut asked = BTreeSet::new();
    for file in RULES.iter().chain(&DASHBOARDS) {
        let found = named(&std::fs::read_to_string(root().join(file)).unwrap());
        assert!(found.len() >= 3, "{file}: {found:?}");
        asked.extend(found);
    }
    let missing: Vec<_> = asked.difference(&existing).collect();
    assert!(missing.is_empty(), "no such metrics: {missing:?}");
    // The check itself can fail.
    assert!(
        !existing.contains("portcullis_requests")
            && !named("rate(portcullis_x_bucket[5m])").contains("portcullis_x_bucket")
    );
}

#[test]
fn dashboards_are_json_with_one_id_a_panel() {
    for file in DASHBOARDS {
        let board: Value =
            serde_json::from_str(&std::fs::read_to_string(root().join(file)).unwrap()).unwrap();
        let panels = board["panels"].as_array().unwrap();
        let ids: BTreeSet<_> = panels.iter().filter_map(|panel| panel["id"].as_i64()).collect();
        assert!(panels.len() > 3 && ids.len() == panels.len(), "{file}");
    }
}

#[test]
fn prometheus_takes_the_rules_and_its_settings() {
    if !is_installed("promtool") {
        eprintln!("skipped: promtool is not installed (make deps installs it)");
        return;
    }
    for file in RULES {
        run(bare("promtool").args(["check", "rules"]).arg(root().join(file)), "").must_succeed();
    }
    run(
        bare("promtool").args(["check", "config", "--syntax-only"]).arg(root().join("deploy/prometheus.yml")),
        "",
    )
    .must_succeed();
}
