//! Every kind of policy decides real requests, and every change of one decides the very next.

use serde_json::json;

use super::living::{Came, Living, PULL, PUSH, app, service, statement, text, user};
use super::region;
use crate::admit::permit::Grounds;
use crate::policy::aws::kind::Kind as DocumentKind;
use crate::policy::engine::question::{Class, Kind};
use crate::registry::name::RepositoryName;
use crate::registry::scope::{ScopeAction, ScopeEntry};
use crate::store::aws::holder::{Actor, Holder};
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::managed_policy::VersionNumber;
use crate::store::aws::repository::Repository;
use crate::store::aws::tag::Tagged;
use crate::store::contract::aws_samples::{by_aws, managed, name, repository, tag};
use crate::store::contract::samples::{group, membership, policy_for, time};
use crate::store::policy::Subject;
use crate::store::trash::TrashedImage;

fn own(n: u64) -> Holder {
    Holder::Principal(user(n))
}

fn grounds(came: Came) -> (String, Kind) {
    match came {
        Came::Allowed(Grounds::Policy(reason)) => (reason.policy, reason.kind),
        other => panic!("{other:?}"),
    }
}

async fn with_group() -> (Living, Holder) {
    let living = Living::open().await;
    living.store().insert_group(&group(1)).await.unwrap();
    living.store().insert_member(&group(1).id, &membership(1, &user(1))).await.unwrap();
    (living, Holder::Group(group(1).id))
}

#[tokio::test]
async fn inline_managed_and_group_policies_allow_each_by_itself() {
    let (living, group) = with_group().await;
    let allow = statement("Allow", "ecr:BatchGetImage");
    assert_eq!(living.ask(1, PULL).await, Came::Denied(Class::ImplicitDeny(Kind::Identity)));

    living.write(&own(1), &allow).await;
    assert_eq!(grounds(living.ask(1, PULL).await), ("inline:own".to_owned(), Kind::Identity));
    living.store().delete_inline_policy(&own(1), &name("own")).await.unwrap();
    assert!(!living.may(1, PULL).await);

    let policy = living.managed(1, &allow).await;
    living.attach(&own(1), &policy).await;
    let arn = "arn:aws:iam::123456789012:policy/odd/Policy1".to_owned();
    assert_eq!(grounds(living.ask(1, PULL).await), (arn.clone(), Kind::Identity));
    living.store().detach(&own(1), &policy).await.unwrap();
    assert!(!living.may(1, PULL).await);

    let by_aws = by_aws("AmazonEC2ContainerRegistryReadOnly");
    living.attach(&own(1), &by_aws).await;
    let known = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly".to_owned();
    assert_eq!(grounds(living.ask(1, PULL).await), (known, Kind::Identity));
    assert!(!living.may(1, PUSH).await);
    living.store().detach(&own(1), &by_aws).await.unwrap();

    living.write(&group, &allow).await;
    assert_eq!(grounds(living.ask(1, PULL).await), ("inline:Group 1 é/own".to_owned(), Kind::Group));
    living.store().delete_inline_policy(&group, &name("own")).await.unwrap();
    living.attach(&group, &policy).await;
    assert_eq!(grounds(living.ask(1, PULL).await), (arn, Kind::Group));
    assert!(!living.may(2, PULL).await, "who is not in the group has nothing of it");

    living.attach(&Holder::Principal(service(3)), &policy).await;
    assert!(living.may(3, PULL).await, "a service ID is a user to AWS's documents");
}

#[tokio::test]
async fn a_deny_in_any_of_them_ends_what_both_clouds_allow() {
    let (living, group) = with_group().await;
    living.attach(&own(1), &by_aws("AdministratorAccess")).await;
    let everything = policy_for(1, Subject::Principal(user(1)), "Manager");
    living.store().insert_policy(&everything).await.unwrap();
    assert!(living.may(1, PULL).await);
    let deny = statement("Deny", "ecr:BatchGetImage");
    for (holder, kind) in [(own(1), Kind::Identity), (group, Kind::Group)] {
        living.write(&holder, &deny).await;
        assert_eq!(living.ask(1, PULL).await, Came::Denied(Class::ExplicitDeny(kind)));
        assert!(living.may(1, PUSH).await);
        living.store().delete_inline_policy(&holder, &name("own")).await.unwrap();
        assert!(living.may(1, PULL).await);
    }
}

#[tokio::test]
async fn a_boundary_caps_both_clouds_from_the_very_next_request() {
    let living = Living::open().await;
    let everything = policy_for(1, Subject::Principal(user(1)), "Manager");
    living.store().insert_policy(&everything).await.unwrap();
    living.attach(&own(1), &by_aws("AdministratorAccess")).await;
    let (actor, edge) =
        (Actor::Principal(user(1)), living.managed(1, &statement("Allow", "ecr:Batch*")).await);
    assert!(living.may(1, PUSH).await);
    living.store().put_boundary(&actor, &edge, time(1)).await.unwrap();
    assert_eq!(living.ask(1, PUSH).await, Came::Denied(Class::ImplicitDeny(Kind::Boundary)));
    assert!(living.may(1, PULL).await);

    let wider = text(DocumentKind::Managed, &statement("Allow", "ecr:*"));
    let number = living.store().insert_policy_version(&managed(1).id, &wider, true, time(2)).await.unwrap();
    assert!(living.may(1, PUSH).await, "a new version of the boundary is in force at once");
    living.store().put_in_force(&managed(1).id, VersionNumber::FIRST, time(3)).await.unwrap();
    assert!(!living.may(1, PUSH).await);
    living.store().delete_policy_version(&managed(1).id, number).await.unwrap();
    living.store().delete_boundary(&actor).await.unwrap();
    assert!(living.may(1, PUSH).await);
}

#[tokio::test]
async fn a_version_put_in_force_and_a_member_taken_out_decide_the_very_next_request() {
    let (living, group) = with_group().await;
    let policy = living.managed(1, &statement("Allow", "ecr:BatchGetImage")).await;
    living.attach(&group, &policy).await;
    living.attach(&own(2), &policy).await;
    let closed = text(DocumentKind::Managed, &statement("Deny", "*"));
    let second = living.store().insert_policy_version(&managed(1).id, &closed, false, time(2)).await.unwrap();
    for _ in 0..5 {
        assert!(living.may(1, PULL).await && living.may(2, PULL).await);
        living.store().put_in_force(&managed(1).id, second, time(3)).await.unwrap();
        assert_eq!(living.ask(1, PULL).await, Came::Denied(Class::ExplicitDeny(Kind::Group)));
        assert_eq!(living.ask(2, PULL).await, Came::Denied(Class::ExplicitDeny(Kind::Identity)));
        living.store().put_in_force(&managed(1).id, VersionNumber::FIRST, time(4)).await.unwrap();
        assert!(living.may(1, PULL).await);
        let id = crate::store::contract::samples::group(1).id;
        living.store().delete_member(&id, &user(1)).await.unwrap();
        assert!(!living.may(1, PULL).await && living.may(2, PULL).await);
        living.store().insert_member(&id, &membership(1, &user(1))).await.unwrap();
    }
}

#[tokio::test]
async fn one_changed_policy_drops_exactly_the_bundles_that_hold_it() {
    let (living, group) = with_group().await;
    let allow = statement("Allow", "ecr:BatchGetImage");
    let (one, other) = (living.managed(1, &allow).await, living.managed(2, &allow).await);
    living.attach(&group, &one).await;
    living.attach(&own(2), &other).await;
    living.store().put_boundary(&Actor::Principal(service(3)), &one, time(1)).await.unwrap();
    let stamps = async || {
        let mut stamps = Vec::new();
        for who in [user(1), user(2), service(3)] {
            stamps.push(living.view.principal(&who).await.unwrap().unwrap().rights.stamp());
        }
        stamps
    };
    let renewed = |before: &[u64], after: &[u64]| -> Vec<bool> {
        before.iter().zip(after).map(|(before, after)| before != after).collect()
    };
    let before = stamps().await;
    let more = text(DocumentKind::Managed, &statement("Allow", "ecr:*"));
    living.store().insert_policy_version(&managed(1).id, &more, true, time(2)).await.unwrap();
    let after = stamps().await;
    assert_eq!(renewed(&before, &after), [true, false, true]);
    living.store().insert_policy_version(&managed(2).id, &more, false, time(2)).await.unwrap();
    assert_eq!(stamps().await, after, "a version that is not in force is of no interest");
    living.write(&own(2), &allow).await;
    assert_eq!(renewed(&after, &stamps().await), [false, true, false]);
    living.say(Some(&json!([{"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}]))).await;
    assert_eq!(
        renewed(&after, &stamps().await),
        [false, true, false],
        "a repository's policy is nobody's own"
    );
}

#[tokio::test]
async fn what_cannot_be_read_stops_its_owner_and_nobody_else() {
    let living = Living::open().await;
    for who in [1, 2] {
        living.attach(&own(who), &by_aws("AdministratorAccess")).await;
    }
    let foreign = by_aws("AmazonS3FullAccess");
    living.attach(&own(1), &foreign).await;
    assert_eq!(living.ask(1, PULL).await, Came::Stopped, "who knows what it would deny");
    assert!(living.may(2, PULL).await);
    living.store().detach(&own(1), &foreign).await.unwrap();
    assert!(living.may(1, PULL).await);

    let principal = json!([{"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}]);
    let document = text(DocumentKind::Repository, &principal);
    living.store().put_inline_policy(&own(1), &InlinePolicy { name: name("odd"), document }).await.unwrap();
    assert_eq!(living.ask(1, PULL).await, Came::Stopped);
    living.store().delete_inline_policy(&own(1), &name("odd")).await.unwrap();

    let document = text(DocumentKind::Managed, &statement("Allow", "ecr:*"));
    living.store().put_repository_policy(&region(), &app(), Some(&document)).await.unwrap();
    for key in [1, 2] {
        assert_eq!(living.ask(key, PULL).await, Came::Stopped, "nobody, whatever they have");
        assert!(living.may(key, "GET team-b/app/manifests/v1").await);
    }
    let caller = living.caller(1).await;
    let shown = living.gate.visibility(&caller, &region()).await.unwrap();
    let names = ["team-a/app", "team-b/app"].map(|name| RepositoryName::parse(name).unwrap());
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names[1..]);
    living.say(None).await;
    assert!(living.may(1, PULL).await);
}

#[tokio::test]
async fn a_repository_grants_to_whom_it_names_and_who_has_nothing_else() {
    let living = Living::open().await;
    let user_arn = "arn:aws:iam::123456789012:user/User1@Example.com";
    let service_arn = format!("arn:aws:iam::123456789012:user/service-id/{}", service(3).identifier());
    let cases = [
        (json!({"AWS": user_arn}), [true, false, false]),
        (json!({"AWS": service_arn}), [false, false, true]),
        (json!({"AWS": [user_arn, service_arn]}), [true, false, true]),
        (json!("*"), [true, true, true]),
        // The account delegates only: identity policies must allow.
        (json!({"AWS": "arn:aws:iam::123456789012:root"}), [false, false, false]),
        (json!({"AWS": "123456789012"}), [false, false, false]),
        (json!({"AWS": "arn:aws:iam::210987654321:user/User1@Example.com"}), [false, false, false]),
    ];
    for (principal, expected) in cases {
        let action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        living.say(Some(&json!([{"Effect": "Allow", "Principal": principal, "Action": action}]))).await;
        let mut found = [false; 3];
        for (key, found) in (1..).zip(&mut found) {
            *found = living.may(key, PULL).await;
            assert!(!living.may(key, PUSH).await && !living.may(key, "GET team-b/app/manifests/v1").await);
        }
        assert_eq!(found, expected, "{principal}");
    }
    living.say(Some(&json!([{"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]))).await;
    let Came::Allowed(Grounds::Policy(reason)) = living.ask(1, PULL).await else { panic!() };
    assert_eq!(
        (reason.policy.as_str(), reason.kind, reason.statement.as_deref()),
        ("arn:aws:ecr:us-south:123456789012:repository/team-a/app", Kind::Repository, Some("Open"))
    );
    living.say(None).await;
    assert!(!living.may(1, PULL).await);
}

#[tokio::test]
async fn a_repository_denies_whom_it_names_and_who_has_everything() {
    let living = Living::open().await;
    for who in [1, 2] {
        living.attach(&own(who), &by_aws("AdministratorAccess")).await;
    }
    let everything = policy_for(1, Subject::Principal(user(1)), "Manager");
    living.store().insert_policy(&everything).await.unwrap();
    let arn = "arn:aws:iam::123456789012:user/User1@Example.com";
    living.say(Some(&json!([{"Effect": "Deny", "Principal": {"AWS": arn}, "Action": "ecr:Batch*"}]))).await;
    assert_eq!(living.ask(1, PULL).await, Came::Denied(Class::ExplicitDeny(Kind::Repository)));
    assert!(living.may(1, PUSH).await && living.may(2, PULL).await);
    living.say(Some(&json!([{"Effect": "Deny", "Principal": "*", "Action": "*"}]))).await;
    assert!(!living.may(1, PUSH).await && !living.may(2, PULL).await);
    assert!(living.may(2, "GET team-b/app/manifests/v1").await, "and nowhere else");
}

#[tokio::test]
async fn a_repository_that_comes_into_being_goes_and_comes_again_is_noticed() {
    let living = Living::open().await;
    let call = "GET team-b/app/manifests/v1";
    let name = RepositoryName::parse("team-b/app").unwrap();
    let row = Repository { name: name.clone(), ..repository(1) };
    let open =
        text(DocumentKind::Repository, &json!([{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]));
    for _ in 0..3 {
        assert!(!living.may(1, call).await);
        living.store().insert_repository(&row, &[]).await.unwrap();
        assert!(!living.may(1, call).await);
        living.store().put_repository_policy(&region(), &name, Some(&open)).await.unwrap();
        assert!(living.may(1, call).await);
        living.store().delete_repository(&region(), &name).await.unwrap();
    }
}

#[tokio::test]
async fn tags_of_callers_and_repositories_are_compared() {
    let living = Living::open().await;
    let team = json!({"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/team}"}});
    let same = json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": team}]);
    living.write(&own(1), &same).await;
    let (me, place) = (Tagged::Actor(Actor::Principal(user(1))), Tagged::Repository(region(), app()));
    assert!(!living.may(1, PULL).await, "neither has the tag");
    living.store().tag(&me, &[tag("Team", "a")]).await.unwrap();
    assert!(!living.may(1, PULL).await);
    living.store().tag(&place, &[tag("Team", "b")]).await.unwrap();
    assert!(!living.may(1, PULL).await);
    living.store().tag(&place, &[tag("Team", "a")]).await.unwrap();
    assert!(living.may(1, PULL).await);
    let shown = living.gate.visibility(&living.caller(1).await, &region()).await.unwrap();
    let names = ["team-a/app", "team-b/app"].map(|name| RepositoryName::parse(name).unwrap());
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names[..1], "lists know tags too");
    living.store().untag(&me, &["team".to_owned()]).await.unwrap();
    assert!(!living.may(1, PULL).await);

    let ours = json!([{"Effect": "Allow", "Principal": "*", "Action": "ecr:*",
        "Condition": {"StringEquals": {"ecr:ResourceTag/Team": "a", "aws:PrincipalTag/Team": "z"}}}]);
    living.say(Some(&ours)).await;
    assert!(!living.may(2, PULL).await);
    let other = Tagged::Actor(Actor::Principal(user(2)));
    living.store().tag(&other, &[tag("team", "z")]).await.unwrap();
    assert!(living.may(2, PULL).await, "keys that only the repository's policy uses are known too");
}

#[tokio::test]
async fn lists_and_tokens_follow_the_repositories_own_policies() {
    let living = Living::open().await;
    let names = ["team-a/app", "team-b/app"].map(|name| RepositoryName::parse(name).unwrap());
    let caller = living.caller(1).await;
    let visibility = async || living.gate.visibility(&caller, &region()).await.unwrap();
    assert!(!visibility().await.shows_anything(), "no repository has a policy yet");
    let pull = json!(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]);
    living.say(Some(&json!([{"Effect": "Allow", "Principal": "*", "Action": pull}]))).await;
    assert!(visibility().await.shows_anything());
    assert_eq!(visibility().await.shown(names.to_vec()).await.unwrap(), names[..1]);

    let wanted = |name: &RepositoryName, actions: &[ScopeAction]| {
        vec![ScopeEntry::Repository { name: name.clone(), actions: actions.iter().copied().collect() }]
    };
    let both = [ScopeAction::Pull, ScopeAction::Push];
    let narrowed = living.gate.narrow(&caller, wanted(&names[0], &both), &region()).await.unwrap();
    assert_eq!(narrowed, wanted(&names[0], &[ScopeAction::Pull]));
    assert_eq!(living.gate.narrow(&caller, wanted(&names[1], &both), &region()).await.unwrap(), []);
    let tagged = json!([{"Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage",
        "Condition": {"StringLike": {"registry:Tag": "v*"}}}]);
    living.say(Some(&tagged)).await;
    let narrowed = living.gate.narrow(&caller, wanted(&names[0], &both), &region()).await.unwrap();
    assert_eq!(narrowed, wanted(&names[0], &[ScopeAction::Push]), "the call will say its tag");
    assert!(living.may(1, PUSH).await && !living.may(1, "PUT team-a/app/manifests/x").await);

    living.attach(&own(1), &by_aws("AdministratorAccess")).await;
    living.say(Some(&json!([{"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}]))).await;
    let caller = living.caller(1).await;
    let shown = living.gate.visibility(&caller, &region()).await.unwrap();
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names[1..]);
    living.say(None).await;
    let shown = living.gate.visibility(&caller, &region()).await.unwrap();
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names);
}

#[tokio::test]
async fn a_mount_asks_the_policies_of_both_repositories() {
    let living = Living::open().await;
    let digest = format!("sha256:{}", "a".repeat(64));
    let mount = format!("POST team-b/app/blobs/uploads/?mount={digest}&from=team-a%2Fapp");
    living.write(&own(1), &statement("Allow", "ecr:InitiateLayerUpload")).await;
    assert!(!living.may(1, &mount).await, "a plain upload, because the source may not be read");
    living
        .say(Some(&json!([{"Effect": "Allow", "Principal": "*", "Action": "ecr:GetDownloadUrlForLayer"}])))
        .await;
    assert!(living.may(1, &mount).await);
}

#[tokio::test]
async fn a_mount_of_what_is_deleted_at_its_source_is_a_plain_upload() {
    let living = Living::open().await;
    living.attach(&own(1), &by_aws("AdministratorAccess")).await;
    let digest = format!("sha256:{}", "a".repeat(64));
    let mount = format!("POST team-b/app/blobs/uploads/?mount={digest}&from=team-a%2Fapp");
    assert!(living.may(1, &mount).await);
    let deleted = TrashedImage {
        region: region(),
        repository: app(),
        digest: digest.parse().unwrap(),
        tags: Vec::new(),
        deleted_at: time(1),
        expires_at: time(1_000_000_000),
    };
    living.store().hide_image(&deleted).await.unwrap();
    assert!(!living.may(1, &mount).await);
}
