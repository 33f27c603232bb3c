//! What every store must do, whatever it is made of: one suite, run by each implementation's tests.

pub(crate) mod concurrency;
pub(crate) mod groups;
pub(crate) mod identities;
pub(crate) mod policies;
pub(crate) mod rest;
pub(crate) mod samples;

use super::Store;
use super::feed::{ChangeKey, Sequence};

/// Runs the suite: `$open` makes an empty store and whatever must live as long as it does.
macro_rules! suite {
    ($open:path; $($area:ident: $($name:ident)*;)*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _keep) = $open().await;
                $crate::store::contract::$area::$name(store).await;
            }
        )*)*
    };
    ($open:path) => {
        $crate::store::contract::suite! { $open;
            concurrency:
                a_thousand_concurrent_writes_leave_no_gap_in_the_feed
                a_principal_is_read_as_of_one_position
                writes_wake_those_who_wait_for_commits
                a_write_returns_only_after_the_view_has_applied_it
                a_view_that_hangs_delays_a_write_but_does_not_fail_it;
            groups:
                a_group_is_read_back_and_listed_oldest_first
                a_group_name_is_unique_in_any_case
                a_group_is_updated_only_from_the_version_that_was_seen
                a_change_of_membership_touches_the_group_and_the_member
                membership_needs_a_group_and_a_principal_and_happens_once
                deleting_a_group_deletes_its_memberships_and_policies;
            identities:
                a_user_is_read_back_and_listed_oldest_first
                a_user_name_is_unique_in_any_case
                a_service_id_is_read_back_listed_and_found_by_name
                a_service_id_is_updated_only_from_the_version_that_was_seen
                users_and_service_ids_are_not_mixed_up
                an_api_key_is_read_back_and_found_by_its_hash
                an_api_key_is_updated_only_from_the_version_that_was_seen
                an_api_key_needs_an_owner_and_a_hash_of_its_own
                deleting_a_principal_deletes_all_that_is_its_own;
            policies:
                a_policy_is_read_back_and_listed_by_subject
                a_policy_needs_a_subject_that_exists
                a_policy_is_updated_only_from_the_version_that_was_seen
                a_policy_that_changes_hands_touches_both
                a_principal_has_its_policies_and_those_of_its_groups;
            rest:
                the_account_is_founded_once_and_whole
                a_founding_that_fails_leaves_nothing
                registry_settings_are_made_and_replaced
                namespaces_are_unique_within_their_registry
                signing_keys_rotate_and_retire
                changes_are_read_in_pages
                refused_writes_do_not_touch_the_feed;
        }
    };
}
pub(crate) use suite;

/// What has been touched since `after`, in order; moves `after` on.
pub(crate) async fn touched(store: &dyn Store, after: &mut Sequence) -> Vec<ChangeKey> {
    let changes = store.changes(*after, 10_000).await.unwrap();
    for (change, expected) in changes.iter().zip(after.0 + 1..) {
        assert_eq!(change.sequence, Sequence(expected), "the feed has a gap");
    }
    *after = store.latest().await.unwrap();
    assert_eq!(changes.last().map_or(*after, |change| change.sequence), *after);
    changes.into_iter().map(|change| change.key).collect()
}
