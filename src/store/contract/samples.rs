//! Rows to try a store with; everything about them follows from the number that they are made from.

use crate::clock::{SequenceEntropy, UnixTime};
use crate::credential::api_key::{ApiKey, KeyHash, Pepper};
use crate::credential::voucher::ComputeKind;
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::{
    AccessGroupId, ApiKeyId, ClaimRuleId, PolicyId, ProfileId, ProfileLinkId, ServiceId, UserId,
};
use crate::policy::ibm::claim::{ClaimCondition, ClaimOperator};
use crate::policy::ibm::document::PolicyDocument;
use crate::policy::ibm::trust::{About, LinkTarget};
use crate::store::account::{Account, Founding};
use crate::store::group::{AccessGroup, Membership};
use crate::store::identity::{ApiKeyRecord, ServiceIdentity, Stamp, User, Window};
use crate::store::keyring::SigningKeyRecord;
use crate::store::policy::{PolicyRecord, Subject};
use crate::store::registry::RegistrySettings;
use crate::store::trusted_profile::{ProfileLink, ProfileRule, TrustedProfile};

/// The whole list.
pub(crate) const ALL: Window = Window { offset: 0, limit: 10_000 };

pub(crate) fn time(n: u64) -> UnixTime {
    UnixTime::from_millis(1_700_000_000_000 + i64::try_from(n).unwrap())
}

pub(crate) fn account_id() -> AccountId {
    AccountId::parse("123456789012").unwrap()
}

pub(crate) fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

pub(crate) fn user(n: u64) -> User {
    let id = UserId::fresh(&SequenceEntropy::seeded(n));
    User { id, name: format!("User{n}@Example.com"), active: true, stamp: Stamp::new(time(n)) }
}

pub(crate) fn service_id(n: u64) -> ServiceIdentity {
    ServiceIdentity {
        id: ServiceId::fresh(&SequenceEntropy::seeded(n)),
        name: format!("service {n}"),
        description: "pulls; 'quotes' and \"more\"".to_owned(),
        locked: false,
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn of_user(user: &User) -> PrincipalId {
    PrincipalId::User(user.id.clone())
}

pub(crate) fn of_service_id(service_id: &ServiceIdentity) -> PrincipalId {
    PrincipalId::ServiceId(service_id.id.clone())
}

pub(crate) fn hash(n: u64) -> KeyHash {
    Pepper::new(&[7; 32]).hash(&ApiKey::fresh(&SequenceEntropy::seeded(n)))
}

pub(crate) fn api_key(n: u64, owner: &PrincipalId) -> ApiKeyRecord {
    ApiKeyRecord {
        id: ApiKeyId::fresh(&SequenceEntropy::seeded(n)),
        owner: owner.clone(),
        name: format!("key {n}"),
        description: String::new(),
        hash: hash(n),
        locked: false,
        disabled: false,
        expires_at: None,
        created_by: owner.clone(),
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn group(n: u64) -> AccessGroup {
    AccessGroup {
        id: AccessGroupId::fresh(&SequenceEntropy::seeded(n)),
        name: format!("Group {n} é"),
        description: "readers".to_owned(),
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn membership(n: u64, member: &PrincipalId) -> Membership {
    Membership { member: member.clone(), added_at: time(n), added_by: member.clone() }
}

/// A policy that grants `Reader` on one namespace.
pub(crate) fn policy(n: u64, subject: Subject) -> PolicyRecord {
    policy_for(n, subject, "Reader")
}

pub(crate) fn policy_for(n: u64, subject: Subject, role: &str) -> PolicyRecord {
    let author = of_user(&user(0));
    PolicyRecord {
        id: PolicyId::fresh(&SequenceEntropy::seeded(n)),
        subject,
        document: document(role),
        description: String::new(),
        created_by: author.clone(),
        modified_by: author,
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn document(role: &str) -> PolicyDocument {
    serde_json::from_value(serde_json::json!({
        "roles": [{"role_id": format!("crn:v1:bluemix:public:iam::::serviceRole:{role}")}],
        "resources": [{"attributes": [
            {"name": "accountId", "value": account_id().as_str()},
            {"name": "serviceName", "value": "container-registry"},
            {"name": "resource", "value": "team-*", "operator": "stringMatch"},
        ]}],
    }))
    .unwrap()
}

pub(crate) fn signing_key(n: u64) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: format!("kid-{n}"),
        sealed: vec![1, 0, 255],
        public: vec![4; 65],
        created_at: time(n),
        retires_at: None,
    }
}

pub(crate) fn settings(name: &str) -> RegistrySettings {
    RegistrySettings {
        region: region(name),
        policies_enforced: true,
        private_only: false,
        platform_metrics: false,
    }
}

pub(crate) fn founding() -> Founding {
    let administrator = user(0);
    let owner = of_user(&administrator);
    let subject = Subject::Principal(owner.clone());
    Founding {
        account: Account { id: account_id(), name: "example".to_owned(), created_at: time(0) },
        api_key: api_key(0, &owner),
        access_key: None,
        policies: vec![policy_for(1, subject.clone(), "Manager"), policy_for(2, subject, "Reader")],
        administrator,
        held: vec![super::aws_samples::by_aws("AdministratorAccess")],
        signing_key: signing_key(0),
        registries: vec![settings("us-south"), settings("eu-de")],
    }
}

pub(crate) fn profile(n: u64) -> TrustedProfile {
    TrustedProfile {
        id: ProfileId::fresh(&SequenceEntropy::seeded(n)),
        name: format!("Profile {n}"),
        description: "builds".to_owned(),
        email: String::new(),
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn link(n: u64, profile: &TrustedProfile) -> ProfileLink {
    ProfileLink {
        id: ProfileLinkId::fresh(&SequenceEntropy::seeded(n)),
        profile: profile.id.clone(),
        name: "runner".to_owned(),
        target: LinkTarget {
            kind: ComputeKind::IksSa,
            crn: "crn:v1:cluster".to_owned(),
            namespace: format!("ns{n}"),
            name: "runner".to_owned(),
        },
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn profile_rule(n: u64, profile: &TrustedProfile, about: About) -> ProfileRule {
    ProfileRule {
        id: ClaimRuleId::fresh(&SequenceEntropy::seeded(n)),
        profile: profile.id.clone(),
        name: format!("rule {n}"),
        about,
        conditions: vec![condition("team", "\"blue\"")],
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn condition(claim: &str, value: &str) -> ClaimCondition {
    ClaimCondition { claim: claim.to_owned(), operator: ClaimOperator::Equals, value: value.to_owned() }
}
