//! Facts in, verdicts out: what turns each goal, and what does not.

use std::collections::BTreeMap;

use super::judge;
use crate::clock::UnixTime;
use crate::compliance::facts::{
    AlertChannel, AuditLog, Dialect, Facts, Grant, Holder, Images, Key, KeyKind, Kind, Listener, Principal,
    PublicGrant, Reach, Registry, TaggedImage, Transfer,
};
use crate::compliance::goal::{Check, Goal, Severity};
use crate::compliance::verdict::{Status, Verdict};
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;

const DAY: i64 = 24 * 60 * 60;

fn now() -> UnixTime {
    UnixTime::from_seconds(1_000 * DAY)
}

fn ago(days: i64) -> UnixTime {
    UnixTime::from_seconds((1_000 - days) * DAY)
}

fn registry(region: &str, name: &str) -> Registry {
    Registry {
        region: Region::parse(region).unwrap(),
        names: vec![name.to_owned()],
        iam_authz: true,
        private_only: false,
        private_since: None,
        platform_metrics: false,
        storage_quota: None,
        traffic_quota: None,
        public_transfer: None,
    }
}

/// Two registries, and nobody who may do anything.
pub(crate) fn facts() -> Facts {
    Facts {
        at: now(),
        account: AccountId::parse("123456789012").unwrap(),
        registries: vec![registry("us-south", "us.registry.test"), registry("eu-de", "de.registry.test")],
        principals: BTreeMap::new(),
        grants: Vec::new(),
        public: Vec::new(),
        keys: Vec::new(),
        signing_key: Some(ago(1)),
        audit: AuditLog { kept: true, healthy: true, strict: true, lost: 0 },
        listeners: Vec::new(),
        allowed_addresses: Vec::new(),
        alerts: None,
        images: None,
        verified: Vec::new(),
    }
}

fn principal(number: u8, kind: Kind) -> Principal {
    let id = match kind {
        Kind::ServiceId => format!("iam-ServiceId-00000000-0000-4000-8000-0000000000{number:02}"),
        Kind::Profile => format!("iam-Profile-00000000-0000-4000-8000-0000000000{number:02}"),
        Kind::User => format!("IBMid-00000000{number:02}"),
    };
    Principal {
        id: PrincipalId::parse(&id).unwrap_or_else(|_| {
            PrincipalId::parse("iam-ServiceId-00000000-0000-4000-8000-000000000099").unwrap()
        }),
        kind,
        name: format!("robot-{number}"),
        active: true,
        created_at: ago(200),
        last_used: Some(ago(1)),
        groups: Vec::new(),
    }
}

fn grant(holder: Holder) -> Grant {
    Grant {
        policy: "policy-1".to_owned(),
        holder,
        dialect: Dialect::Ibm,
        reach: Reach::Whole,
        manager: true,
        administrator: true,
        everything: false,
        arguments: "--roles Manager --service-name container-registry".to_owned(),
    }
}

fn verdict(check: Check, parameter: Option<u32>, facts: &Facts) -> Verdict {
    let goal =
        Goal { id: "g".to_owned(), check, parameter, severity: Severity::Low, description: "d".to_owned() };
    judge(&goal, facts)
}

fn status(check: Check, parameter: Option<u32>, facts: &Facts) -> Status {
    verdict(check, parameter, facts).status
}

#[test]
fn one_registry_that_lacks_a_setting_fails_the_goal_and_is_named_with_the_commands_that_mend_it() {
    let mut facts = facts();
    facts.registries[0].platform_metrics = true;
    let found = verdict(Check::PlatformMetrics, None, &facts);
    assert_eq!(found.status, Status::Fail);
    assert!(found.resource.contains(":eu-de:") && !found.resource.contains("us-south"), "{found:?}");
    assert_eq!(found.fix, "portcullis cr region-set eu-de && portcullis cr platform-metrics --enable");
    facts.registries[1].platform_metrics = true;
    assert_eq!(status(Check::PlatformMetrics, None, &facts), Status::Pass);
    assert_eq!(status(Check::IamAuthz, None, &facts), Status::Pass);
    facts.registries[1].iam_authz = false;
    assert_eq!(status(Check::IamAuthz, None, &facts), Status::Fail);
}

#[test]
fn what_is_wrong_a_thousand_times_is_told_a_hundred_times_and_counted() {
    let mut facts = facts();
    facts.grants = vec![grant(Holder::Principal(principal(1, Kind::ServiceId).id)); 1000];
    let found = verdict(Check::GroupsOnly, None, &facts);
    assert_eq!((found.status, found.resources.len()), (Status::Fail, 101));
    assert_eq!(found.resources.last().unwrap().resource, "900 more");
}

#[test]
fn private_endpoints_are_judged_by_the_setting_and_by_what_went_through_since() {
    let mut facts = facts();
    facts.registries.truncate(1);
    let check = |facts: &Facts| verdict(Check::PrivateEndpoints, None, facts);
    assert_eq!(check(&facts).status, Status::Fail, "the setting is off");
    let public =
        |days| Some(Transfer { at: ago(days), by: "robot".to_owned(), from: "192.0.2.7".to_owned() });
    facts.registries[0].public_transfer = public(5);
    assert!(check(&facts).found.contains("robot from 192.0.2.7"));
    (facts.registries[0].private_only, facts.registries[0].private_since) = (true, Some(ago(3)));
    assert_eq!(check(&facts).status, Status::Pass, "what was before the setting is over");
    facts.registries[0].public_transfer = public(2);
    let broken = check(&facts);
    assert_eq!(broken.status, Status::Fail, "the setting is on, and something went through all the same");
    assert!(broken.found.contains("robot from 192.0.2.7"));
}

#[test]
fn whoever_holds_a_role_by_a_group_counts_and_only_the_whole_registry_makes_a_manager() {
    let mut facts = facts();
    let mut robot = principal(1, Kind::ServiceId);
    robot.groups = vec!["AccessGroupId-1".to_owned()];
    let id = robot.id.clone();
    facts.principals = [(robot.id.clone(), robot)].into();
    let managers = |facts: &Facts| status(Check::ServiceManagers, Some(1), facts);
    assert_eq!(managers(&facts), Status::Fail);
    facts.grants = vec![grant(Holder::Group("AccessGroupId-1".to_owned(), "robots".to_owned()))];
    assert_eq!(managers(&facts), Status::Pass);
    assert_eq!(status(Check::UserManagers, Some(1), &facts), Status::Fail, "a robot is no user");
    assert_eq!(status(Check::GroupsOnly, None, &facts), Status::Pass);
    facts.grants = vec![Grant { reach: Reach::Part, ..grant(Holder::Principal(id)) }];
    assert_eq!(managers(&facts), Status::Fail, "a namespace is not the registry");
    assert_eq!(status(Check::GroupsOnly, None, &facts), Status::Fail);
    assert_eq!(
        status(Check::ServiceAdministrators, Some(0), &facts),
        Status::Fail,
        "but its administrator counts"
    );
    assert_eq!(status(Check::ServiceAdministrators, Some(1), &facts), Status::Pass);
    facts.principals.values_mut().next().unwrap().active = false;
    facts.grants[0].reach = Reach::Whole;
    assert_eq!(managers(&facts), Status::Fail, "one that cannot log in manages nothing");
}

#[test]
fn a_policy_that_bypasses_groups_is_mended_by_commands_that_name_it() {
    let mut facts = facts();
    let robot = principal(1, Kind::ServiceId);
    facts.grants = vec![grant(Holder::Principal(robot.id.clone()))];
    facts.principals = [(robot.id.clone(), robot)].into();
    let found = verdict(Check::GroupsOnly, None, &facts);
    assert!(
        found.fix.ends_with("portcullis iam service-policy-delete robot-1 policy-1 --force"),
        "{}",
        found.fix
    );
    facts.grants[0].reach = Reach::Nothing;
    assert_eq!(status(Check::GroupsOnly, None, &facts), Status::Pass, "it is about something else");
    assert_eq!(status(Check::DirectPolicies, None, &facts), Status::Fail, "and still bypasses groups");
    facts.principals.values_mut().next().unwrap().name = "it's".to_owned();
    let fix = verdict(Check::DirectPolicies, None, &facts).fix;
    assert!(fix.contains("'it'\\''s'"), "names are quoted for a shell: {fix}");
}

#[test]
fn keys_grow_old_and_are_forgotten() {
    let mut facts = facts();
    let robot = principal(1, Kind::ServiceId);
    let key = |made: i64, used: Option<i64>| Key {
        id: "ApiKey-1".to_owned(),
        kind: KeyKind::ApiKey,
        name: "ci".to_owned(),
        owner: robot.id.clone(),
        owner_name: "robot".to_owned(),
        created_at: ago(made),
        last_used: used.map(ago),
    };
    for (made, used, age, unused) in [
        (90, Some(1), Status::Pass, Status::Pass),
        (91, Some(1), Status::Fail, Status::Pass),
        (10, None, Status::Pass, Status::Pass),
        (46, None, Status::Pass, Status::Fail),
        (80, Some(46), Status::Pass, Status::Fail),
    ] {
        facts.keys = vec![key(made, used)];
        assert_eq!(status(Check::KeyAge, Some(90), &facts), age, "{made} {used:?}");
        assert_eq!(status(Check::KeyUnused, Some(45), &facts), unused, "{made} {used:?}");
    }
    facts.signing_key = Some(ago(91));
    assert_eq!(status(Check::SigningKeys, Some(90), &facts), Status::Fail);
    facts.signing_key = None;
    assert_eq!(status(Check::SigningKeys, Some(90), &facts), Status::UnableToPerform);
}

#[test]
fn rights_that_nobody_uses_are_found_and_so_are_those_of_everything_and_everyone() {
    let mut facts = facts();
    let mut robot = principal(1, Kind::ServiceId);
    robot.last_used = None;
    facts.grants = vec![grant(Holder::Principal(robot.id.clone()))];
    facts.principals = [(robot.id.clone(), robot)].into();
    assert_eq!(status(Check::RightsUnused, Some(90), &facts), Status::Fail);
    facts.principals.values_mut().next().unwrap().last_used = Some(ago(3));
    assert_eq!(status(Check::RightsUnused, Some(90), &facts), Status::Pass);
    assert_eq!(status(Check::BroadGrants, Some(0), &facts), Status::Pass);
    facts.grants[0].everything = true;
    assert_eq!(status(Check::BroadGrants, Some(1), &facts), Status::Pass);
    assert_eq!(status(Check::BroadGrants, Some(0), &facts), Status::Fail);
    assert_eq!(status(Check::PublicGrants, None, &facts), Status::Pass);
    facts.public = vec![PublicGrant {
        repository: "arn:aws:ecr:us-south:123456789012:repository/a/b".to_owned(),
        region: Region::parse("us-south").unwrap(),
        name: "a/b".to_owned(),
    }];
    assert_eq!(status(Check::PublicGrants, None, &facts), Status::Fail);
}

#[test]
fn the_server_is_judged_by_its_record_and_its_listeners() {
    let mut facts = facts();
    assert_eq!(status(Check::AuditLog, None, &facts), Status::Pass);
    for broken in [
        AuditLog { kept: false, ..facts.audit },
        AuditLog { healthy: false, ..facts.audit },
        AuditLog { strict: false, ..facts.audit },
        AuditLog { lost: 1, ..facts.audit },
    ] {
        let facts = Facts { audit: broken, ..facts.clone() };
        assert_eq!(status(Check::AuditLog, None, &facts), Status::Fail, "{broken:?}");
    }
    let listener = Listener {
        address: "0.0.0.0:8443".to_owned(),
        public: true,
        loopback: false,
        tls: false,
        serves: true,
        control: true,
        metrics: false,
    };
    facts.listeners = vec![listener.clone()];
    assert_eq!(status(Check::Tls, None, &facts), Status::Fail);
    assert_eq!(status(Check::AdminSurface, None, &facts), Status::Fail);
    facts.allowed_addresses = vec!["10.0.0.0/8".to_owned()];
    assert_eq!(status(Check::AdminSurface, None, &facts), Status::Pass);
    facts.listeners = vec![Listener { metrics: true, tls: true, ..listener.clone() }];
    assert_eq!(status(Check::AdminSurface, None, &facts), Status::Fail);
    assert_eq!(status(Check::Tls, None, &facts), Status::Pass);
    facts.listeners = vec![Listener { loopback: true, metrics: true, ..listener }];
    assert_eq!(status(Check::Tls, None, &facts), Status::Pass);
    assert_eq!(status(Check::AdminSurface, None, &facts), Status::Pass);
}

#[test]
fn what_is_not_known_of_images_and_alerts_cannot_be_told() {
    let mut facts = facts();
    for (check, parameter) in
        [(Check::Alerts, None), (Check::ImageScans, Some(7)), (Check::ImageSignatures, None)]
    {
        assert_eq!(status(check, parameter, &facts), Status::UnableToPerform, "{check:?}");
    }
    facts.images = Some(Images::default());
    assert_eq!(status(Check::ImageScans, Some(7), &facts), Status::NotApplicable, "there is no image");
    let channel =
        AlertChannel { name: "pager".to_owned(), covers: true, delivered_at: None, failed_at: None };
    facts.alerts = Some(vec![channel.clone()]);
    assert_eq!(
        status(Check::Alerts, None, &facts),
        Status::Fail,
        "one that has not delivered proves nothing"
    );
    facts.alerts = Some(vec![AlertChannel { delivered_at: Some(ago(1)), ..channel }]);
    assert_eq!(status(Check::Alerts, None, &facts), Status::Pass);
}

fn image(tag: &str, scanned_at: Option<UnixTime>) -> TaggedImage {
    TaggedImage {
        region: Region::parse("eu-de").unwrap(),
        repository: "a/b".to_owned(),
        digest: format!("sha256:{tag}"),
        tag: tag.to_owned(),
        seen_at: ago(9),
        scanned_at,
        signed: false,
        kept: false,
    }
}

#[test]
fn images_are_judged_by_their_scans_signatures_and_tags_and_told_with_commands() {
    let mut facts = facts();
    let mut images = Images::default();
    for one in [image("v1", Some(ago(7))), image("v2", None), image("v3", Some(ago(8)))] {
        images.count(one, now());
    }
    facts.images = Some(images);
    let scans = verdict(Check::ImageScans, Some(7), &facts);
    assert_eq!(scans.resource, "de.registry.test/a/b:v2, de.registry.test/a/b:v3");
    assert!(scans.found.ends_with("de.registry.test/a/b:v3 was last scanned 8 days ago"), "{}", scans.found);
    assert!(scans.fix.ends_with("region-set eu-de && portcullis cr va-upload a/b@sha256:v2 report.json"));
    assert_eq!(verdict(Check::ImageScans, Some(8), &facts).resource, "de.registry.test/a/b:v2");
    let signatures = verdict(Check::ImageSignatures, None, &facts);
    assert_eq!(signatures.resources.len(), 3);
    assert_eq!(signatures.fix, "cosign sign de.registry.test/a/b@sha256:v1");
    let tags = verdict(Check::ImageTags, None, &facts);
    assert_eq!(tags.resource, "arn:aws:ecr:eu-de:123456789012:repository/a/b");
    let mut images = Images::default();
    images.count(TaggedImage { signed: true, kept: true, ..image("v1", Some(ago(1))) }, now());
    facts.images = Some(images.clone());
    for (check, parameter) in
        [(Check::ImageScans, Some(7)), (Check::ImageSignatures, None), (Check::ImageTags, None)]
    {
        assert_eq!(status(check, parameter, &facts), Status::Pass, "{check:?}");
    }
    let signed = |facts: &Facts| verdict(Check::ImageSignatures, None, facts).found;
    assert!(signed(&facts).contains("present, not verified"), "{}", signed(&facts));
    facts.verified = vec!["prod".to_owned()];
    assert!(signed(&facts).contains("verified in prod, elsewhere only present"), "{}", signed(&facts));
    facts.verified.push("*".to_owned());
    assert!(signed(&facts).ends_with("signed by a configured key"), "{}", signed(&facts));
    images.unseen.push(Region::parse("us-south").unwrap());
    facts.images = Some(images);
    let found = verdict(Check::ImageScans, Some(7), &facts);
    assert_eq!(found.status, Status::UnableToPerform, "of a registry that nobody has looked at");
    assert!(found.found.contains("us-south"), "{}", found.found);
}
