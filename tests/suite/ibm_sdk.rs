//! IBM's Python SDK, unmodified but for its URL: a script for each of its services in `tests/clients`, which walks through
//! everything that there is and through what is refused.
//!
//! Where the SDK is missing, these stories say so and are skipped; with `CI=true` they fail.

use crate::support::hook::Hook;
use crate::support::portcullis::Portcullis;
use crate::support::recorder::Recorder;
use crate::support::sdk;

/// Runs a script against a fresh server.
fn walk(script: &str) {
    walk_with(script, &[]);
}

/// The same, with more in its environment.
fn walk_with(script: &str, environment: &[(&str, &str)]) {
    if !sdk::are_there() {
        return;
    }
    let upstream = Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    let ended = sdk::script(&at, script, environment).must_succeed();
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

#[test]
fn configuration_rules_are_walked_from_the_documentations_own_to_deletion() {
    if sdk::have("ibm_scc") {
        walk("ibm_governance.py");
    }
}

#[test]
fn notification_channels_are_walked_from_the_documentations_own_to_deletion() {
    if sdk::have("ibm_scc") {
        let hook = Hook::start(&[]);
        walk_with("ibm_notifications.py", &[("PORTCULLIS_HOOK", &hook.url())]);
        assert_eq!(hook.taken().len(), 1, "the test, and nothing else");
    }
}

#[test]
fn what_others_report_is_walked_and_the_critical_one_is_told_once() {
    if sdk::have("ibm_scc") {
        let hook = Hook::start(&[]);
        walk_with("ibm_findings.py", &[("PORTCULLIS_HOOK", &hook.url())]);
        let told: Vec<_> = hook.taken().iter().map(crate::support::hook::Came::finding).collect();
        let providers: Vec<_> = told.iter().map(|one| one["provider"].clone()).collect();
        // The walk may end, and the server with it, before the message is sent.
        assert!(providers.len() <= 1 && providers.iter().all(|one| one == "my-scanner"), "{told:?}");
    }
}
