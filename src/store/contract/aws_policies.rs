//! Managed policies, attachments, inline policies, and what is in force for an actor.

use std::sync::Arc;

use super::aws_samples::{
    add_managed, by_aws, holders, inline, managed, name, path, role, role_actor, tag, text, user_actor,
};
use super::samples::{ALL, group, membership, of_service_id, of_user, service_id, time, user};
use super::touched;
use crate::policy::aws::kind::Owner;
use crate::store::aws::attachment::AttachedPolicy;
use crate::store::aws::holder::{Actor, AwsPolicyArn, Holder, PolicyRef};
use crate::store::aws::managed_policy::{Usage, VersionNumber};
use crate::store::aws::policies::{HeldPolicy, Origin, PolicyText};
use crate::store::aws::tag::Tagged;
use crate::store::aws::{AwsError, Quota, Remains};
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::identity::Window;
use crate::store::{Store, StoreError};

pub(crate) async fn a_managed_policy_is_read_back_and_listed_oldest_first(store: Arc<dyn Store>) {
    let mut feed = Sequence(0);
    for n in [3, 1, 2] {
        store.insert_managed_policy(&managed(n), &text("ecr:ListImages"), &[tag("n", "1")]).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::ManagedPolicy(managed(n).id)]);
    }
    assert_eq!(store.managed_policy(&managed(1).id).await.unwrap(), Some(managed(1)));
    assert_eq!(store.managed_policy_named(&name("POLICY2")).await.unwrap(), Some(managed(2)));
    let last = store.managed_policies("/odd/", None, Window { offset: 1, limit: 5 }).await.unwrap();
    assert_eq!((last.rows, last.total), (vec![managed(3)], 2));
    let version = store.policy_version(&managed(1).id, VersionNumber::FIRST).await.unwrap().unwrap();
    assert_eq!((version.document, version.is_default), (text("ecr:ListImages"), true), "to the letter");
    let mut twin = managed(4);
    twin.name = name("pOLICY1");
    let taken = store.insert_managed_policy(&twin, &text("ecr:*"), &[]).await;
    assert!(matches!(taken, Err(AwsError::Store(StoreError::Conflict(_)))));
    assert_eq!(store.tags(&Tagged::Policy(managed(1).id)).await.unwrap(), [tag("n", "1")]);
}

pub(crate) async fn versions_are_numbered_on_and_five_at_most(store: Arc<dyn Store>) {
    let id = managed(1).id;
    let missing = store.insert_policy_version(&id, &text("ecr:*"), true, time(2)).await;
    assert!(matches!(missing, Err(AwsError::Store(StoreError::NotFound))));
    add_managed(&*store, 1).await;
    let (itself, in_force) = (ChangeKey::ManagedPolicy(id.clone()), ChangeKey::PolicyInForce(id.clone()));
    let mut feed = store.latest().await.unwrap();
    for n in 2..=5 {
        let put = n == 3;
        let number = store.insert_policy_version(&id, &text("ecr:*"), put, time(n)).await.unwrap();
        assert_eq!(number.to_string(), format!("v{n}"));
        let keys: &[_] =
            if put { &[itself.clone(), in_force.clone()] } else { std::slice::from_ref(&itself) };
        assert_eq!(touched(&*store, &mut feed).await, keys);
    }
    let sixth = store.insert_policy_version(&id, &text("ecr:*"), true, time(6)).await;
    assert!(matches!(sixth, Err(AwsError::Quota(Quota::VersionsPerPolicy))));
    assert!(touched(&*store, &mut feed).await.is_empty());
    let v = |n: u32| VersionNumber::parse(&format!("v{n}")).unwrap();
    let row = store.managed_policy(&id).await.unwrap().unwrap();
    assert_eq!((row.default_version, row.updated_at), (v(3), time(5)));
    let listed = store.policy_versions(&id, Window { offset: 0, limit: 2 }).await.unwrap();
    assert_eq!(
        (listed.rows.iter().map(|row| row.number).collect::<Vec<_>>(), listed.total),
        (vec![v(5), v(4)], 5)
    );

    let current = store.delete_policy_version(&id, v(3)).await;
    assert!(matches!(current, Err(AwsError::Remains(Remains::DefaultVersion))));
    store.delete_policy_version(&id, v(5)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, std::slice::from_ref(&itself));
    assert!(matches!(
        store.delete_policy_version(&id, v(5)).await,
        Err(AwsError::Store(StoreError::NotFound))
    ));
    assert!(matches!(store.put_in_force(&id, v(5), time(7)).await, Err(StoreError::NotFound)));
    store.put_in_force(&id, v(1), time(7)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [itself, in_force]);
    assert!(store.policy_version(&id, v(1)).await.unwrap().unwrap().is_default);
    let next = store.insert_policy_version(&id, &text("ecr:*"), false, time(8)).await.unwrap();
    assert_eq!(next, v(6), "no number is used twice");
}

pub(crate) async fn a_policy_goes_only_when_nobody_holds_it(store: Arc<dyn Store>) {
    let [holder, _, _] = holders(&*store, 1).await;
    let (customer, id) = (add_managed(&*store, 1).await, managed(1).id);
    store.insert_policy_version(&id, &text("ecr:*"), true, time(2)).await.unwrap();
    store.attach(&holder, &customer, time(1)).await.unwrap();
    store.put_boundary(&role_actor(1), &customer, time(1)).await.unwrap();
    let remains = |result| match result {
        Err(AwsError::Remains(remains)) => remains,
        other => panic!("{other:?}"),
    };
    assert_eq!(remains(store.delete_managed_policy(&id).await), Remains::Entities);
    store.detach(&holder, &customer).await.unwrap();
    assert_eq!(remains(store.delete_managed_policy(&id).await), Remains::Entities, "the boundary");
    store.delete_boundary(&role_actor(1)).await.unwrap();
    assert_eq!(remains(store.delete_managed_policy(&id).await), Remains::Versions);
    store.delete_policy_version(&id, VersionNumber::FIRST).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    store.delete_managed_policy(&id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::ManagedPolicy(id.clone())]);
    assert_eq!(store.policy_versions(&id, ALL).await.unwrap().total, 0);
    assert!(matches!(store.delete_managed_policy(&id).await, Err(AwsError::Store(StoreError::NotFound))));
}

pub(crate) async fn policies_are_attached_once_and_listed_both_ways(store: Arc<dyn Store>) {
    let all = holders(&*store, 1).await;
    let customer = add_managed(&*store, 1).await;
    let aws = by_aws("job-function/ViewOnly");
    for holder in &all {
        let mut feed = store.latest().await.unwrap();
        for (at, policy) in [(1, &aws), (2, &customer)] {
            store.attach(holder, policy, time(at)).await.unwrap();
            assert_eq!(touched(&*store, &mut feed).await, [holder.key()]);
            store.attach(holder, policy, time(9)).await.unwrap();
            assert!(touched(&*store, &mut feed).await.is_empty(), "attached already");
        }
        let by_aws =
            AttachedPolicy { policy: aws.clone(), path: path("/job-function/"), name: name("ViewOnly") };
        let own = AttachedPolicy { policy: customer.clone(), path: path("/odd/"), name: managed(1).name };
        let listed = store.attached(holder, "/", Window { offset: 1, limit: 1 }).await.unwrap();
        assert_eq!((listed.rows, listed.total), (vec![own.clone()], 2));
        assert_eq!(store.attached(holder, "/odd/", ALL).await.unwrap().rows, [own]);
        assert_eq!(store.attached(holder, "/job-function/", ALL).await.unwrap().rows, [by_aws]);
    }
    let mut found: Vec<_> = store.holders(&customer, Usage::Permissions, ALL).await.unwrap().rows;
    found.sort_by_key(|row| all.iter().position(|holder| *holder == row.holder));
    let names: Vec<_> = found.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, [user(1).name.as_str(), group(1).name.as_str(), "Role1"]);
    assert_eq!(store.managed_policy(&managed(1).id).await.unwrap().unwrap().attachments, 3);
    assert_eq!(store.managed_policies("/", Some(Usage::Permissions), ALL).await.unwrap().total, 1);
    assert_eq!(store.managed_policies("/", Some(Usage::Boundary), ALL).await.unwrap().total, 0);
    store.put_boundary(&role_actor(1), &aws, time(1)).await.unwrap();
    let bounded = store.holders(&aws, Usage::Boundary, ALL).await.unwrap();
    assert_eq!((bounded.rows[0].holder.clone(), bounded.total), (all[2].clone(), 1));

    store.detach(&all[0], &aws).await.unwrap();
    assert!(matches!(store.detach(&all[0], &aws).await, Err(StoreError::NotFound)));
    let nobody = store.attach(&Holder::Role(role(9).id), &aws, time(1)).await;
    assert!(matches!(nobody, Err(AwsError::Store(StoreError::NotFound))));
    let nothing = store.attach(&all[0], &PolicyRef::Customer(managed(9).id), time(1)).await;
    assert!(matches!(nothing, Err(AwsError::Store(StoreError::NotFound))));
}

pub(crate) async fn ten_policies_are_attached_at_most(store: Arc<dyn Store>) {
    for (holder, owner) in holders(&*store, 1).await.into_iter().zip([Owner::User, Owner::Group, Owner::Role])
    {
        for n in 0..10 {
            store.attach(&holder, &by_aws(&format!("P{n}")), time(n)).await.unwrap();
        }
        let mut feed = store.latest().await.unwrap();
        let refused = store.attach(&holder, &by_aws("P10"), time(10)).await;
        assert!(matches!(refused, Err(AwsError::Quota(quota)) if quota == Quota::AttachedPolicies(owner)));
        store.attach(&holder, &by_aws("P3"), time(11)).await.unwrap();
        assert!(touched(&*store, &mut feed).await.is_empty());
        assert_eq!(store.attached(&holder, "/", ALL).await.unwrap().total, 10);
    }
}

pub(crate) async fn inline_policies_are_put_replaced_and_removed(store: Arc<dyn Store>) {
    for holder in holders(&*store, 1).await {
        let mut feed = store.latest().await.unwrap();
        for policy in [inline("b", "ecr:*"), inline("a", "ecr:*"), inline("b", "ecr:ListImages")] {
            store.put_inline_policy(&holder, &policy).await.unwrap();
            assert_eq!(touched(&*store, &mut feed).await, [holder.key()]);
        }
        let both = [inline("a", "ecr:*"), inline("b", "ecr:ListImages")];
        assert_eq!(store.inline_policies(&holder, ALL).await.unwrap().rows, both);
        assert_eq!(store.inline_policy(&holder, &name("b")).await.unwrap(), Some(both[1].clone()));
        assert_eq!(store.inline_policy(&holder, &name("c")).await.unwrap(), None);
        store.delete_inline_policy(&holder, &name("a")).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [holder.key()]);
        let gone = store.delete_inline_policy(&holder, &name("a")).await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
    }
    let nobody = store.put_inline_policy(&Holder::Role(role(9).id), &inline("a", "ecr:*")).await;
    assert!(matches!(nobody, Err(AwsError::Store(StoreError::NotFound))));
}

pub(crate) async fn inline_policies_together_keep_to_a_size(store: Arc<dyn Store>) {
    for holder in holders(&*store, 1).await {
        let most = holder.owner().inline_max();
        let half = inline("a", &format!("ecr:{}", "x".repeat(most / 2)));
        store.put_inline_policy(&holder, &half).await.unwrap();
        store.put_inline_policy(&holder, &half).await.unwrap();
        let mut feed = store.latest().await.unwrap();
        let mut more = half.clone();
        more.name = name("b");
        let refused = store.put_inline_policy(&holder, &more).await;
        assert!(matches!(refused, Err(AwsError::Quota(Quota::InlineSize(owner))) if owner == holder.owner()));
        assert!(touched(&*store, &mut feed).await.is_empty());
        assert_eq!(store.inline_policies(&holder, ALL).await.unwrap().rows, [half]);
    }
}

pub(crate) async fn all_that_is_in_force_for_a_user_is_read_at_once(store: Arc<dyn Store>) {
    let [own, of_group, _] = holders(&*store, 1).await;
    let [_, other_group, other_role] = holders(&*store, 2).await;
    let (one, two) = (add_managed(&*store, 1).await, add_managed(&*store, 2).await);
    let actor = user_actor(1);
    store.join_aws_group(&group(1).id, &membership(1, &of_user(&user(1)))).await.unwrap();
    store.put_inline_policy(&own, &inline("mine", "ecr:*")).await.unwrap();
    store.put_inline_policy(&of_group, &inline("ours", "ecr:*")).await.unwrap();
    store.put_inline_policy(&other_group, &inline("theirs", "ecr:*")).await.unwrap();
    store.attach(&own, &by_aws("X"), time(2)).await.unwrap();
    store.attach(&own, &one, time(1)).await.unwrap();
    store.attach(&of_group, &one, time(1)).await.unwrap();
    store.attach(&other_role, &two, time(1)).await.unwrap();
    store.put_boundary(&actor, &two, time(1)).await.unwrap();
    store.tag(&Tagged::Actor(actor.clone()), &[tag("team", "a")]).await.unwrap();
    let changed =
        store.insert_policy_version(&managed(1).id, &text("ecr:PutImage"), true, time(3)).await.unwrap();

    let facts = store.policies_of(&actor).await.unwrap().unwrap();
    let by_group = Origin::Group(group(1).id, group(1).name);
    let customer = |n, version, action| PolicyText::Customer {
        id: managed(n).id,
        path: managed(n).path,
        name: managed(n).name,
        version,
        document: text(action),
    };
    let held = |origin: &Origin, policy| HeldPolicy { origin: origin.clone(), policy };
    let arn = AwsPolicyArn::parse("arn:aws:iam::aws:policy/X").unwrap();
    let first = customer(1, changed, "ecr:PutImage");
    assert_eq!(
        facts.policies,
        [
            held(&Origin::Own, PolicyText::Inline(name("mine"), text("ecr:*"))),
            held(&by_group, PolicyText::Inline(name("ours"), text("ecr:*"))),
            held(&Origin::Own, first.clone()),
            held(&Origin::Own, PolicyText::Aws(arn)),
            held(&by_group, first),
        ]
    );
    assert_eq!(facts.boundary, Some(customer(2, VersionNumber::FIRST, "ecr:ListImages")));
    assert_eq!(
        (facts.groups.clone(), facts.tags.clone()),
        (vec![(group(1).id, group(1).name)], vec![tag("team", "a")])
    );
    assert_eq!((facts.path.as_str(), facts.name.clone()), ("/odd/", user(1).name));
    assert_eq!(facts.as_of, store.latest().await.unwrap());
    let keys = [
        ChangeKey::Principal(of_user(&user(1))),
        ChangeKey::Group(group(1).id),
        ChangeKey::PolicyInForce(managed(1).id),
        ChangeKey::PolicyInForce(managed(2).id),
    ];
    assert_eq!(facts.keys(), keys);
}

pub(crate) async fn what_is_in_force_for_a_role_or_service_id_is_its_own(store: Arc<dyn Store>) {
    let [_, _, holder] = holders(&*store, 1).await;
    store.insert_service_id(&service_id(1)).await.unwrap();
    let service = Actor::Principal(of_service_id(&service_id(1)));
    store.attach(&holder, &by_aws("X"), time(1)).await.unwrap();
    store.put_inline_policy(&service.clone().into(), &inline("s", "ecr:*")).await.unwrap();
    store.put_boundary(&role_actor(1), &by_aws("B"), time(1)).await.unwrap();
    let facts = store.policies_of(&role_actor(1)).await.unwrap().unwrap();
    assert_eq!((facts.policies.len(), facts.name.as_str(), facts.path.as_str()), (1, "Role1", "/odd/"));
    assert!(matches!(facts.boundary, Some(PolicyText::Aws(_))));
    assert_eq!(facts.keys(), [ChangeKey::Role(role(1).id)]);
    let facts = store.policies_of(&service).await.unwrap().unwrap();
    assert_eq!((facts.policies.len(), facts.name), (1, service_id(1).name));
    assert!(store.policies_of(&role_actor(9)).await.unwrap().is_none());
    assert!(store.policies_of(&user_actor(9)).await.unwrap().is_none());
}

/// Whatever changes what is in force touches one of the keys that it depends on; what changes nothing of it touches none.
pub(crate) async fn exactly_what_changes_what_is_in_force_touches_its_keys(store: Arc<dyn Store>) {
    let [own, of_group, _] = holders(&*store, 1).await;
    let [other, other_group, _] = holders(&*store, 2).await;
    let customer = add_managed(&*store, 1).await;
    let unused = add_managed(&*store, 2).await;
    store.join_aws_group(&group(1).id, &membership(1, &of_user(&user(1)))).await.unwrap();
    store.attach(&of_group, &customer, time(1)).await.unwrap();
    let mut before = store.policies_of(&user_actor(1)).await.unwrap().unwrap();
    let mut feed = store.latest().await.unwrap();
    let mut changed = Vec::new();
    for step in 0..14 {
        let id = managed(1).id;
        match step {
            0 => store.attach(&own, &unused, time(2)).await.unwrap(),
            1 => store.attach(&other, &unused, time(2)).await.unwrap(),
            2 => store.put_inline_policy(&of_group, &inline("x", "ecr:*")).await.unwrap(),
            3 => store.put_inline_policy(&other_group, &inline("x", "ecr:*")).await.unwrap(),
            4 => drop(store.insert_policy_version(&id, &text("ecr:*"), false, time(2)).await.unwrap()),
            5 => store.put_in_force(&id, VersionNumber::parse("v2").unwrap(), time(2)).await.unwrap(),
            6 => store.tag(&Tagged::Policy(id), &[tag("a", "b")]).await.unwrap(),
            7 => store.tag(&Tagged::Actor(user_actor(1)), &[tag("a", "b")]).await.unwrap(),
            8 => store.tag(&Tagged::Actor(user_actor(2)), &[tag("a", "b")]).await.unwrap(),
            9 => store.put_boundary(&user_actor(1), &customer, time(2)).await.unwrap(),
            10 => store.put_boundary(&role_actor(1), &customer, time(2)).await.unwrap(),
            11 => store.delete_policy_version(&id, VersionNumber::FIRST).await.unwrap(),
            12 => store.delete_member(&group(1).id, &of_user(&user(1))).await.unwrap(),
            _ => store.detach(&of_group, &customer).await.unwrap(),
        }
        let keys = touched(&*store, &mut feed).await;
        assert!(!keys.is_empty(), "step {step} is in the feed");
        let mut after = store.policies_of(&user_actor(1)).await.unwrap().unwrap();
        after.as_of = before.as_of;
        let depends = before.keys();
        assert_eq!(keys.iter().any(|key| depends.contains(key)), before != after, "step {step}");
        changed.push(before != after);
        before = after;
    }
    let expected = [0, 2, 5, 7, 9, 12].map(Some);
    let found: Vec<_> = (0..14).filter(|step| changed[*step]).map(Some).collect();
    assert_eq!(found, expected);
}
