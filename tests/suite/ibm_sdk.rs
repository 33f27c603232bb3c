//! IBM's Python SDK, unmodified but for its URL: a script for each of its services in `tests/clients`, which walks through
//! everything that there is and through what is refused.
//!
//! Where the SDK is missing, these stories say so and are skipped; with `CI=true` they fail.

use crate::support::portcullis::Portcullis;
use crate::support::recorder::Recorder;
use crate::support::sdk;

/// Runs a script against a fresh server.
fn walk(script: &str) {
    if !sdk::are_there() {
        return;
    }
    let upstream = Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    let ended = sdk::script(&at, script, &[]).must_succeed();
    assert!(ended.stdout.lines().any(|line| line.starts_with("walked ")), "{}", ended.stdout);
}

#[test]
fn policies_of_both_versions_and_custom_roles_are_walked_and_in_force() {
    walk("ibm_policies.py");
}

#[test]
fn access_groups_are_walked_with_members_rules_and_settings() {
    walk("ibm_groups.py");
}

#[test]
fn users_are_walked_from_invitation_to_removal() {
    walk("ibm_users.py");
}

#[test]
fn iam_identity_is_walked_from_creation_to_deletion() {
    walk("ibm_identity.py");
}

#[test]
fn trusted_profiles_are_walked_taken_on_and_end_at_once() {
    walk("ibm_profiles.py");
}
