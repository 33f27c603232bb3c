//! Compliance, as a platform team shows its auditor: goals, configuration rules, reports.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::portcullis::{Cli, Portcullis};
use crate::support::registry::Registry;

mod goals;
mod images;
mod rules;

/// Two registries, and the server before them.
struct World {
    at: Portcullis,
    _south: Registry,
    _north: Registry,
}

impl World {
    fn begin() -> Self {
        let (south, north) = (Registry::start(), Registry::start());
        let more = format!(
            "[[registry]]\nname = \"127.0.0.1\"\nregion = \"eu-de\"\nupstream = \"{}\"\n",
            north.url()
        );
        Self { at: Portcullis::with(&south.url(), &[], &more), _south: south, _north: north }
    }

    /// A command line that targets `us-south`.
    fn southern(&self) -> Cli {
        let cli = self.at.administration();
        cli.run("cr region-set us-south").must_succeed();
        cli
    }

    /// A file in the server's folder.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

#[track_caller]
fn json_of(cli: &Cli, line: &str) -> Value {
    let done = cli.run(&format!("{line} --output json")).must_succeed();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

/// The verdict on a goal.
#[track_caller]
fn goal(cli: &Cli, profile: &str, id: &str) -> Value {
    let goals = json_of(cli, &format!("compliance goals --profile {profile}"));
    let found = goals.as_array().unwrap().iter().find(|goal| goal["id"] == id);
    found.unwrap_or_else(|| panic!("no goal {id} in {goals}")).clone()
}

#[track_caller]
fn expect(cli: &Cli, id: &str, status: &str) -> Value {
    let found = goal(cli, "ibm-best-practices", id);
    assert_eq!(found["status"], status, "{found}");
    found
}
