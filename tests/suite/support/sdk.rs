//! IBM's Python SDKs, unmodified but for their URL, by way of the scripts in `tests/clients`.
//!
//! Where they are missing, a story says so and is skipped; with `CI=true` it fails.

use std::path::PathBuf;

use super::portcullis::{ACCOUNT, Portcullis};
use super::process::{Finished, bare, run};

/// Whether the SDKs are there. Without them there is nothing to see, which somebody must notice.
pub(crate) fn are_there() -> bool {
    let missing =
        "IBM's SDK is not installed, so nothing was walked: run `make deps`, which says why it cannot";
    let there = python().exists();
    assert!(there || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
    if !there {
        println!("skipped: {missing}");
    }
    there
}

/// Runs a script against a server as its administrator, with more in its environment.
pub(crate) fn script(at: &Portcullis, line: &str, environment: &[(&str, &str)]) -> Finished {
    let (script, arguments) = line.split_once(' ').unwrap_or((line, ""));
    let mut command = bare(python());
    command
        .arg(root().join("tests/clients").join(script))
        .args(arguments.split_whitespace())
        .env("HOME", at.folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("REQUESTS_CA_BUNDLE", &at.certificate().ca)
        .env("PORTCULLIS_URL", format!("https://{}", at.host()))
        .env("PORTCULLIS_ACCOUNT", ACCOUNT)
        .env("PORTCULLIS_KEY", at.admin_key())
        .envs(environment.iter().copied());
    run(&mut command, "")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn python() -> PathBuf {
    root().join("target/clients/bin/python")
}
