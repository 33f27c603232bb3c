//! Which role allows what, as a table that anyone can read. A change of roles shows in the diff of the snapshot.

#![cfg(test)]

use std::fmt::Write as _;

use portcullis::policy::ibm::role::Role;
use portcullis::policy::table::Action;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/roles.txt");

#[test]
fn the_roles_allow_what_the_reviewed_table_says() {
    let shown = table();
    let reviewed = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    if std::env::args().any(|argument| argument == "accept") {
        std::fs::write(SNAPSHOT, &shown).unwrap();
        return;
    }
    let advice = "if the change is meant: cargo test --test matrix -- accept the_roles; then review the diff";
    assert_eq!(shown, reviewed, "{advice}");
}

fn table() -> String {
    let width = Action::ALL.iter().map(|action| action.name().len()).max().unwrap_or_default();
    let mut text = format!("{:width$}", "");
    for role in Role::ALL {
        let _ = write!(text, "  {}", short(role));
    }
    text.push('\n');
    for action in Action::ALL {
        let _ = write!(text, "{:width$}", action.name());
        for role in Role::ALL {
            let mark = if role.has(*action) { "x" } else { "-" };
            let _ = write!(text, "  {mark:^columns$}", columns = short(role).len());
        }
        let trimmed = text.trim_end().len();
        text.truncate(trimmed);
        text.push('\n');
    }
    text
}

fn short(role: Role) -> &'static str {
    match role {
        Role::ServiceConfigurationReader => "ConfigReader",
        Role::ServiceIdCreator => "IdCreator",
        Role::UserApiKeyCreator => "KeyCreator",
        Role::Administrator
        | Role::Editor
        | Role::Manager
        | Role::Operator
        | Role::Reader
        | Role::Viewer
        | Role::Writer => role.display_name(),
    }
}
