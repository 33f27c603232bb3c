//! Trusted profiles and whom they trust; and what else IBM's dialect keeps beside identities and policies.

use std::sync::Arc;

use super::samples::{
    ALL, condition, group, link, membership, of_service_id, of_user, policy, profile, profile_rule,
    service_id, time, user,
};
use super::touched;
use crate::clock::SequenceEntropy;
use crate::credential::voucher::ComputeKind;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ClaimRuleId, CustomRoleId};
use crate::policy::ibm::document::RoleReference;
use crate::policy::ibm::role::CustomRole;
use crate::policy::ibm::trust::{About, Identity};
use crate::policy::table::Action;
use crate::store::custom_role::CustomRoleRecord;
use crate::store::feed::ChangeKey;
use crate::store::group_rule::{ClaimRuleRecord, Claimed};
use crate::store::identity::{PrincipalRecord, Stamp};
use crate::store::policy::Subject;
use crate::store::profile::{Authenticated, HistoryRecord, Profile};
use crate::store::trusted_profile::{ProfileIdentities, ProfileIdentity, principal};
use crate::store::{Store, StoreError};

fn key(n: u64) -> ChangeKey {
    ChangeKey::Principal(principal(&profile(n).id))
}

pub(crate) async fn a_profile_is_read_back_listed_and_found_by_its_name_in_any_case(store: Arc<dyn Store>) {
    let mut feed = store.latest().await.unwrap();
    for n in [2, 1] {
        store.insert_trusted_profile(&profile(n)).await.unwrap();
    }
    assert_eq!(touched(&*store, &mut feed).await, [key(2), key(1)]);
    assert_eq!(store.trusted_profile(&profile(1).id).await.unwrap(), Some(profile(1)));
    assert_eq!(store.trusted_profile(&profile(9).id).await.unwrap(), None);
    assert_eq!(store.trusted_profiles(None, ALL).await.unwrap().rows, [profile(1), profile(2)]);
    let found = store.trusted_profiles(Some("PROFILE 2"), ALL).await.unwrap();
    assert_eq!((found.rows, found.total), (vec![profile(2)], 1));
    let mut same = profile(3);
    same.name = "pRoFiLe 1".to_owned();
    assert!(matches!(store.insert_trusted_profile(&same).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.trusted_profile(&same.id).await.unwrap(), None);
    // Users and service IDs are no profiles, and a user may be called like one.
    let called = crate::store::identity::User { name: "Profile 1".to_owned(), ..user(5) };
    store.insert_user(&called).await.unwrap();
    store.insert_service_id(&service_id(6)).await.unwrap();
    assert_eq!(store.trusted_profiles(None, ALL).await.unwrap().total, 2);
    assert_eq!(store.users(ALL).await.unwrap().total, 1);
    assert_eq!(store.service_ids(None, ALL).await.unwrap().total, 1);
}

pub(crate) async fn a_profile_is_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let mut row = profile(1);
    row.stamp.version = 2;
    assert!(matches!(store.update_trusted_profile(&row).await, Err(StoreError::NotFound)));
    store.insert_trusted_profile(&profile(1)).await.unwrap();
    store.insert_trusted_profile(&profile(2)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    row.email = "a@b".to_owned();
    store.update_trusted_profile(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [key(1)]);
    assert_eq!(store.trusted_profile(&row.id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.update_trusted_profile(&row).await, Err(StoreError::Stale)));
    (row.name, row.stamp.version) = (profile(2).name, 3);
    assert!(matches!(store.update_trusted_profile(&row).await, Err(StoreError::Conflict(_))));
}

pub(crate) async fn whom_a_profile_trusts_by_name_is_replaced_whole_and_goes_with_them(
    store: Arc<dyn Store>,
) {
    let id = profile(1).id;
    assert_eq!(store.profile_identities(&id).await.unwrap(), None);
    store.insert_trusted_profile(&profile(1)).await.unwrap();
    store.insert_service_id(&service_id(1)).await.unwrap();
    store.insert_user(&user(2)).await.unwrap();
    let empty = store.profile_identities(&id).await.unwrap().unwrap();
    assert_eq!((empty.list.len(), empty.stamp.version), (0, 1));
    let one = |identity| ProfileIdentity { identity, description: "x".to_owned() };
    let list = vec![
        one(Identity::Principal(of_user(&user(2)))),
        one(Identity::Crn("crn:v1:a".to_owned())),
        one(Identity::Principal(of_service_id(&service_id(1)))),
    ];
    let stamp = Stamp { modified_at: time(8), version: 2, ..empty.stamp };
    let row = ProfileIdentities { list, stamp };
    let mut feed = store.latest().await.unwrap();
    store.put_profile_identities(&id, &row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [key(1)]);
    assert_eq!(store.profile_identities(&id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.put_profile_identities(&id, &row).await, Err(StoreError::Stale)));
    let mut wrong = row.clone();
    wrong.stamp.version = 3;
    wrong.list.push(one(Identity::Crn("crn:v1:a".to_owned())));
    assert!(matches!(store.put_profile_identities(&id, &wrong).await, Err(StoreError::Conflict(_))));
    wrong.list.pop();
    wrong.list.push(one(Identity::Principal(of_user(&user(9)))));
    assert!(matches!(store.put_profile_identities(&id, &wrong).await, Err(StoreError::NotFound)));
    store.delete_service_id(&service_id(1).id).await.unwrap();
    assert_eq!(store.profile_identities(&id).await.unwrap().unwrap().list, row.list[..2]);
}

pub(crate) async fn links_and_rules_of_a_profile_are_its_own(store: Arc<dyn Store>) {
    let (one, two) = (profile(1), profile(2));
    assert!(matches!(store.insert_profile_link(&link(1, &one)).await, Err(StoreError::NotFound)));
    for row in [&one, &two] {
        store.insert_trusted_profile(row).await.unwrap();
    }
    let mut feed = store.latest().await.unwrap();
    for n in [2, 1] {
        store.insert_profile_link(&link(n, &one)).await.unwrap();
    }
    let realm = || About::Realm("r".to_owned(), 900);
    let rules = [profile_rule(1, &one, About::Compute(ComputeKind::Vsi)), profile_rule(2, &one, realm())];
    for row in rules.iter().rev() {
        store.insert_profile_rule(row).await.unwrap();
    }
    assert_eq!(touched(&*store, &mut feed).await, [key(1), key(1), key(1), key(1)]);
    assert_eq!(store.profile_links(&one.id).await.unwrap(), [link(1, &one), link(2, &one)]);
    assert_eq!(store.profile_rules(&one.id).await.unwrap(), rules);
    assert_eq!(
        (
            store.profile_links(&two.id).await.unwrap().len(),
            store.profile_rules(&two.id).await.unwrap().len()
        ),
        (0, 0)
    );
    let mut changed = profile_rule(1, &one, realm());
    (changed.conditions, changed.stamp.version) = (vec![condition("a", "true")], 2);
    store.update_profile_rule(&changed).await.unwrap();
    assert_eq!(store.profile_rules(&one.id).await.unwrap()[0], changed);
    assert!(matches!(store.update_profile_rule(&changed).await, Err(StoreError::Stale)));
    let gone = store.delete_profile_rule(&two.id, &changed.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "it is another's");
    let gone = store.delete_profile_link(&two.id, &link(1, &one).id).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "it is another's");
    store.delete_profile_rule(&one.id, &changed.id).await.unwrap();
    store.delete_profile_link(&one.id, &link(1, &one).id).await.unwrap();
    assert_eq!(store.profile_links(&one.id).await.unwrap(), [link(2, &one)]);
    assert_eq!(store.profile_rules(&one.id).await.unwrap(), [rules[1].clone()]);
}

pub(crate) async fn all_that_decides_about_a_profile_is_read_at_once_and_goes_with_it(store: Arc<dyn Store>) {
    let (row, of) = (profile(1), principal(&profile(1).id));
    store.insert_trusted_profile(&row).await.unwrap();
    store.insert_group(&group(1)).await.unwrap();
    store.insert_member(&group(1).id, &membership(2, &of)).await.unwrap();
    let rows = [policy(1, Subject::Principal(of.clone())), policy(2, Subject::Group(group(1).id))];
    for policy in &rows {
        store.insert_policy(policy).await.unwrap();
    }
    store.insert_profile_link(&link(1, &row)).await.unwrap();
    let rule = profile_rule(1, &row, About::Compute(ComputeKind::IksSa));
    store.insert_profile_rule(&rule).await.unwrap();
    let facts = store.principal(&of).await.unwrap().unwrap();
    assert_eq!(facts.policies, rows);
    assert_eq!(facts.groups, [group(1).id]);
    let PrincipalRecord::Profile(found, trust) = facts.record else { panic!("{:?}", facts.record) };
    assert_eq!((found, trust.links.len(), trust.rules.len()), (row.clone(), 1, 1));
    let mut feed = store.latest().await.unwrap();
    store.delete_trusted_profile(&row.id).await.unwrap();
    let mut keys = touched(&*store, &mut feed).await;
    keys.sort_by_key(|key| format!("{key:?}"));
    assert_eq!(keys, [ChangeKey::Group(group(1).id), key(1)]);
    assert!(store.principal(&of).await.unwrap().is_none());
    assert_eq!(store.policies(Some(&Subject::Principal(of)), ALL).await.unwrap().total, 0);
    assert_eq!(store.members(&group(1).id, ALL).await.unwrap().total, 0);
    assert!(store.profile_links(&row.id).await.unwrap().is_empty());
    assert!(matches!(store.delete_trusted_profile(&row.id).await, Err(StoreError::NotFound)));
}

pub(crate) async fn people_s_own_words_and_histories_are_kept_to_be_shown(store: Arc<dyn Store>) {
    let id = user(1).id;
    assert!(matches!(store.put_profile(&id, &Profile::default()).await, Err(StoreError::NotFound)));
    store.insert_user(&user(1)).await.unwrap();
    assert_eq!(store.profile(&id).await.unwrap(), Profile::default());
    let said = Profile { firstname: "Ada".to_owned(), ..Profile::default() };
    let mut feed = store.latest().await.unwrap();
    store.put_profile(&id, &said).await.unwrap();
    assert_eq!(store.profile(&id).await.unwrap(), said);
    let record = |n: u64| HistoryRecord {
        entity: of_user(&user(1)).to_string(),
        at: time(n),
        by: of_user(&user(1)),
        action: format!("A{n}"),
        params: vec!["p".to_owned()],
        message: String::new(),
    };
    for n in 0..60 {
        store.note(&record(n)).await.unwrap();
    }
    let of = of_user(&user(1)).to_string();
    assert_eq!(store.activity(&of).await.unwrap(), None);
    let seen = |last: u64, count: u64| Authenticated { last: time(last), count };
    for (last, count) in [(5, 2), (4, 3)] {
        let both = [(of.clone(), seen(last, count)), ("nobody".to_owned(), seen(last, count))];
        store.authenticated(&both).await.unwrap();
    }
    assert_eq!(store.activity(&of).await.unwrap(), Some(seen(5, 5)));
    assert_eq!(store.activity("nobody").await.unwrap(), None, "of what is not there, nothing is kept");
    assert!(touched(&*store, &mut feed).await.is_empty(), "nothing is decided by it");
    let kept = store.history(&record(0).entity).await.unwrap();
    assert_eq!((kept.len(), &kept[0], &kept[49]), (50, &record(59), &record(10)));
    store.set_user_active(&id, false, time(9)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(of_user(&user(1)))]);
    let row = store.user(&id).await.unwrap().unwrap();
    assert_eq!((row.active, row.stamp.version), (false, 2));
    store.delete_user(&id).await.unwrap();
    assert!(store.history(&record(0).entity).await.unwrap().is_empty());
    assert_eq!(store.activity(&of).await.unwrap(), None, "it ends with whom it is of");
    assert!(matches!(store.set_user_active(&id, true, time(9)).await, Err(StoreError::NotFound)));
}

fn role(n: u64) -> CustomRoleRecord {
    let author = PrincipalId::User(user(0).id);
    CustomRoleRecord {
        id: CustomRoleId::fresh(&SequenceEntropy::seeded(n)),
        role: CustomRole {
            crn: format!("crn:role:{n}"),
            display_name: format!("Role {n}"),
            actions: vec![Action::ImagePull],
        },
        name: format!("Role{n}"),
        service_name: "container-registry".to_owned(),
        description: String::new(),
        created_by: author.clone(),
        modified_by: author,
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) async fn custom_roles_come_with_the_policies_that_grant_them(store: Arc<dyn Store>) {
    store.insert_custom_role(&role(1)).await.unwrap();
    let mut like = role(2);
    like.role.display_name = "ROLE 1".to_owned();
    assert!(matches!(store.insert_custom_role(&like).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.custom_role(&role(1).id).await.unwrap(), Some(role(1)));
    assert_eq!(store.custom_role_by_crn("crn:role:1").await.unwrap(), Some(role(1)));
    assert_eq!(store.custom_roles(Some("iam-groups"), ALL).await.unwrap().total, 0);
    store.insert_service_id(&service_id(1)).await.unwrap();
    let owner = of_service_id(&service_id(1));
    let mut granting = policy(1, Subject::Principal(owner.clone()));
    granting.document.roles =
        vec![RoleReference { role_id: "crn:role:1".to_owned(), custom: Some(role(1).role) }];
    store.insert_policy(&granting).await.unwrap();
    assert_eq!(store.policy(&granting.id).await.unwrap(), Some(granting.clone()));
    assert!(matches!(store.delete_custom_role(&role(1).id).await, Err(StoreError::Conflict(_))));
    let mut feed = store.latest().await.unwrap();
    let mut wider = role(1);
    (wider.role.actions, wider.stamp.version) = (vec![Action::ImagePull, Action::ImagePush], 2);
    store.update_custom_role(&wider).await.unwrap();
    assert!(matches!(store.update_custom_role(&wider).await, Err(StoreError::Stale)));
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(owner.clone())]);
    let facts = store.principal(&owner).await.unwrap().unwrap();
    assert_eq!(facts.policies[0].document.roles[0].custom, Some(wider.role.clone()));
    assert_eq!(store.policies_with_role(&wider.id, ALL).await.unwrap().total, 1);
    store.delete_policy(&granting.id).await.unwrap();
    store.delete_custom_role(&wider.id).await.unwrap();
    assert_eq!(store.custom_role(&wider.id).await.unwrap(), None);
}

pub(crate) async fn deleted_policies_come_back_whole(store: Arc<dyn Store>) {
    store.insert_service_id(&service_id(1)).await.unwrap();
    let owner = of_service_id(&service_id(1));
    let row = policy(1, Subject::Principal(owner.clone()));
    store.insert_policy(&row).await.unwrap();
    store.delete_policy(&row.id).await.unwrap();
    assert!(store.principal(&owner).await.unwrap().unwrap().policies.is_empty());
    assert_eq!(store.deleted_policy(&row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(
        store.deleted_policies(Some(&row.subject), ALL).await.unwrap().rows,
        std::slice::from_ref(&row)
    );
    let mut back = row.clone();
    back.stamp.version = 2;
    let mut feed = store.latest().await.unwrap();
    store.restore_policy(&back).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(owner.clone())]);
    assert_eq!(store.policy(&row.id).await.unwrap(), Some(back));
    assert_eq!(store.deleted_policy(&row.id).await.unwrap(), None);
    store.delete_policy(&row.id).await.unwrap();
    store.delete_service_id(&service_id(1).id).await.unwrap();
    assert_eq!(store.deleted_policy(&row.id).await.unwrap(), None, "it goes with whom it was for");
}

pub(crate) async fn rules_of_a_group_are_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let author = of_user(&user(0));
    let mut row = ClaimRuleRecord {
        id: ClaimRuleId::fresh(&SequenceEntropy::seeded(1)),
        group: group(1).id,
        name: "r".to_owned(),
        realm: "realm".to_owned(),
        expiration: 2,
        conditions: vec![condition("team", "\"blue\"")],
        created_by: author.clone(),
        modified_by: author,
        stamp: Stamp::new(time(1)),
    };
    assert!(matches!(store.insert_claim_rule(&row).await, Err(StoreError::NotFound)));
    store.insert_group(&group(1)).await.unwrap();
    store.insert_group(&group(2)).await.unwrap();
    store.insert_claim_rule(&row).await.unwrap();
    assert_eq!(store.claim_rules(&group(1).id).await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(store.claim_rule(&group(2).id, &row.id).await.unwrap(), None);
    (row.expiration, row.stamp.version) = (24, 2);
    store.update_claim_rule(&row).await.unwrap();
    assert!(matches!(store.update_claim_rule(&row).await, Err(StoreError::Stale)));
    assert_eq!(store.claim_rule(&group(1).id, &row.id).await.unwrap(), Some(row.clone()));
    // Who came in by a rule is out when it changes, and when it goes.
    store.insert_user(&user(3)).await.unwrap();
    let member = of_user(&user(3));
    let claimed = |ends| Claimed { rule: row.id.clone(), group: group(1).id, ends_at: time(ends) };
    let long = 10_000_000_000_000;
    let mut feed = store.latest().await.unwrap();
    store.put_claimed(&member, "realm", &[(claimed(long), 2)]).await.unwrap();
    let both = [ChangeKey::Group(group(1).id), ChangeKey::Principal(member.clone())];
    assert_eq!(touched(&*store, &mut feed).await, both);
    let facts = store.principal(&member).await.unwrap().unwrap();
    assert_eq!((facts.groups, facts.until), (vec![group(1).id], Some(time(long))));
    let found = store.claimed_members(&group(1).id, time(1)).await.unwrap();
    assert_eq!(found, [(member.clone(), claimed(long))]);
    assert_eq!(store.claimed_groups(&member, time(1)).await.unwrap(), [group(1)]);
    assert!(store.claimed_members(&group(1).id, time(long)).await.unwrap().is_empty(), "it is over then");
    assert!(store.claimed_groups(&member, time(long)).await.unwrap().is_empty());
    store.put_claimed(&member, "another", &[]).await.unwrap();
    assert_eq!(store.principal(&member).await.unwrap().unwrap().groups, [group(1).id]);
    store.put_claimed(&member, "realm", &[(claimed(1), 2)]).await.unwrap();
    let facts = store.principal(&member).await.unwrap().unwrap();
    assert_eq!((facts.groups, facts.until), (Vec::new(), None), "it is over");
    store.put_claimed(&member, "realm", &[(claimed(long), 2)]).await.unwrap();
    let mut next = row.clone();
    next.stamp.version = 3;
    let mut feed = store.latest().await.unwrap();
    store.update_claim_rule(&next).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, both);
    assert!(store.principal(&member).await.unwrap().unwrap().groups.is_empty());
    // Nobody comes in by what the rule said before, and who comes in twice is there once.
    store.put_claimed(&member, "realm", &[(claimed(long), 2)]).await.unwrap();
    assert!(store.principal(&member).await.unwrap().unwrap().groups.is_empty());
    row = next;
    let others = store.delete_claim_rule(&group(2).id, &row.id).await;
    assert!(matches!(others, Err(StoreError::NotFound)));
    store.delete_group(&group(1).id).await.unwrap();
    assert_eq!(store.claim_rule(&group(1).id, &row.id).await.unwrap(), None);
}
