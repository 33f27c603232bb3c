//! What every store must do, whatever it is made of: one suite, run by each implementation's tests.

pub(crate) mod alerts;
pub(crate) mod aws_identities;
pub(crate) mod aws_policies;
pub(crate) mod aws_resources;
pub(crate) mod aws_samples;
pub(crate) mod census;
pub(crate) mod compliance;
pub(crate) mod concurrency;
pub(crate) mod findings;
pub(crate) mod groups;
pub(crate) mod identities;
pub(crate) mod insights;
pub(crate) mod jobs;
pub(crate) mod networks;
pub(crate) mod policies;
pub(crate) mod profiles;
pub(crate) mod rest;
pub(crate) mod samples;
pub(crate) mod shelves;

use super::Store;
use super::feed::{ChangeKey, Sequence};

/// Runs the suite: `$open` makes an empty store and whatever must live as long as it does.
macro_rules! suite {
    ($open:path; $($area:ident: $($name:ident)*;)*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some((store, _keep)) = $open().await else { return };
                $crate::store::contract::$area::$name(store).await;
            }
        )*)*
    };
    ($open:path) => {
        $crate::store::contract::suite! { $open;
            alerts:
                a_channel_is_read_back_and_replaced_only_from_the_version_that_was_seen
                an_alert_is_raised_once_and_only_by_who_has_looked_on_from_there
                an_attempt_is_begun_once_and_what_it_comes_to_is_kept
                a_flood_of_one_kind_crowds_out_no_other
                what_is_said_to_be_worse_than_before_is_news_and_what_is_better_is_none
                a_report_of_thousands_adds_so_many_rows_and_counts_the_others
                findings_alarm_by_report_and_severity_unless_known_or_exempt;
            aws_identities:
                users_are_one_table_in_two_dialects
                a_principal_is_found_by_its_aws_id
                a_user_goes_only_when_nothing_refers_to_it
                ibms_delete_takes_everything_of_awss_along
                groups_are_one_table_in_two_dialects
                a_group_goes_only_when_it_is_empty
                a_user_is_in_ten_groups_at_most
                a_role_is_read_back_and_listed_oldest_first
                a_role_is_updated_only_from_the_version_that_was_seen
                a_role_goes_only_without_policies
                uses_are_noted_and_touch_nothing
                a_user_has_two_access_keys_at_most
                boundaries_are_set_replaced_and_removed;
            aws_policies:
                a_managed_policy_is_read_back_and_listed_oldest_first
                versions_are_numbered_on_and_five_at_most
                a_policy_goes_only_when_nobody_holds_it
                policies_are_attached_once_and_listed_both_ways
                ten_policies_are_attached_at_most
                inline_policies_are_put_replaced_and_removed
                inline_policies_together_keep_to_a_size
                all_that_is_in_force_for_a_user_is_read_at_once
                what_is_in_force_for_a_role_or_service_id_is_its_own
                exactly_what_changes_what_is_in_force_touches_its_keys;
            aws_resources:
                a_repository_brings_its_namespace_into_being
                a_repository_policy_is_set_replaced_and_removed
                a_provider_is_read_back_and_updated_from_the_version_that_was_seen
                everything_that_has_tags_is_tagged_alike
                fifty_tags_are_the_most_and_a_refused_user_is_not_made
                an_account_has_so_many_groups_and_providers_at_most;
            census:
                a_pushed_report_waits_until_it_is_read
                an_index_is_scanned_when_all_its_images_are_and_its_signature_is_theirs
                tagged_images_are_counted_by_their_scans_and_signatures
                what_is_found_takes_the_place_of_what_was_known;
            compliance:
                a_rule_is_read_back_and_replaced_only_from_the_version_that_was_seen
                a_scan_replaces_what_says_something_else_and_keeps_its_history
                attachments_are_read_with_their_rule_changed_by_themselves_and_end_with_it
                what_was_noticed_is_kept_as_the_latest_of_each;
            concurrency:
                a_thousand_concurrent_writes_leave_no_gap_in_the_feed
                a_principal_is_read_as_of_one_position
                writes_wake_those_who_wait_for_commits
                a_write_returns_only_after_the_view_has_applied_it
                a_view_that_hangs_delays_a_write_but_does_not_fail_it
                policies_in_force_are_read_as_of_one_position
                a_quota_holds_however_many_try_at_once;
            findings:
                a_report_takes_the_place_of_the_last_by_the_same_way_and_of_no_other
                a_report_of_an_index_is_of_its_children_and_lists_are_read_in_pages
                exemptions_are_replaced_and_reach_only_their_scope;
            insights:
                occurrences_end_with_their_note_and_are_listed_by_either_provider
                what_is_reported_is_written_as_asked_and_no_more_than_so_often
                an_occurrence_and_what_is_told_of_it_are_kept_together;
            jobs:
                at_most_one_process_leads_at_a_time
                runs_of_jobs_are_kept_by_who_leads_and_by_nobody_else
                what_a_replica_left_unfinished_is_ended_by_the_next_one
                a_tag_is_held_by_one_process_until_it_gives_it_back_or_is_not_believed
                those_who_compare_and_change_take_turns;
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
                an_api_key_is_disabled_whatever_its_version
                an_api_key_is_updated_only_from_the_version_that_was_seen
                an_api_key_needs_an_owner_and_a_hash_of_its_own
                deleting_a_principal_deletes_all_that_is_its_own;
            shelves:
                a_hidden_image_and_its_tags_are_hidden_there_and_nowhere_else
                a_purge_takes_what_is_due_and_nothing_brings_that_back
                limits_and_usage_are_each_registrys_own
                retention_policies_are_replaced_and_due_by_when_they_ran
                a_namespace_is_in_one_resource_group_for_good;
            networks:
                account_settings_are_changed_only_from_the_version_that_was_seen
                lists_of_principals_and_keys_come_with_their_facts
                zones_have_names_of_their_own_and_versions
                rules_are_read_back_and_have_versions;
            policies:
                a_policy_is_read_back_and_listed_by_subject
                a_policy_needs_a_subject_that_exists
                a_policy_is_updated_only_from_the_version_that_was_seen
                a_policy_that_changes_hands_touches_both
                a_principal_has_its_policies_and_those_of_its_groups;
            profiles:
                a_profile_is_read_back_listed_and_found_by_its_name_in_any_case
                a_profile_is_updated_only_from_the_version_that_was_seen
                whom_a_profile_trusts_by_name_is_replaced_whole_and_goes_with_them
                links_and_rules_of_a_profile_are_its_own
                all_that_decides_about_a_profile_is_read_at_once_and_goes_with_it
                people_s_own_words_and_histories_are_kept_to_be_shown
                custom_roles_come_with_the_policies_that_grant_them
                deleted_policies_come_back_whole
                rules_of_a_group_are_updated_only_from_the_version_that_was_seen;
            rest:
                the_account_is_founded_once_and_whole
                a_founding_that_fails_leaves_nothing
                registry_settings_are_made_and_replaced
                namespaces_are_unique_within_their_registry
                signing_keys_rotate_and_retire
                changes_are_read_in_pages
                a_text_with_a_null_character_is_refused_by_either_database
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
