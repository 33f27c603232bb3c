//! The answers of the IBM APIs, as far as tables and messages need them. Unknown fields are ignored, absent ones empty.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::Failure;
use super::http::encoded;
use super::lookup::Principal;

/// Reads rows out of JSON.
pub(super) fn rows<T: DeserializeOwned>(values: &[Value]) -> Result<Vec<T>, Failure> {
    values.iter().map(row).collect()
}

/// Reads one row out of JSON.
pub(super) fn row<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(Failure::misunderstood)
}

/// What tells service IDs and trusted profiles apart.
pub(super) trait EntityKind {
    /// What messages call one.
    const NOUN: &'static str;
    /// What the id of each begins with.
    const PREFIX: &'static str;
    /// Where the API keeps them.
    const PATH: &'static str;
    /// What a list of them is called.
    const LIST: &'static str;
    /// The command that lists them.
    const COMMAND: &'static str;
}

/// The kind of service IDs.
#[derive(Debug)]
pub(super) struct OfServiceId;

impl EntityKind for OfServiceId {
    const NOUN: &'static str = "service ID";
    const PREFIX: &'static str = "ServiceId-";
    const PATH: &'static str = "/v1/serviceids/";
    const LIST: &'static str = "serviceids";
    const COMMAND: &'static str = "portcullis iam service-ids";
}

/// The kind of trusted profiles.
#[derive(Debug)]
pub(super) struct OfProfile;

impl EntityKind for OfProfile {
    const NOUN: &'static str = "trusted profile";
    const PREFIX: &'static str = "Profile-";
    const PATH: &'static str = "/v1/profiles/";
    const LIST: &'static str = "profiles";
    const COMMAND: &'static str = "portcullis iam trusted-profiles";
}

/// A service ID or a trusted profile.
#[derive(Debug, Deserialize)]
#[serde(bound = "")]
pub(super) struct Entity<K> {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) iam_id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) crn: String,
    #[serde(default)]
    pub(super) entity_tag: String,
    /// Profiles cannot be locked.
    #[serde(default)]
    pub(super) locked: bool,
    #[serde(default)]
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) modified_at: String,
    #[serde(skip)]
    kind: PhantomData<K>,
}

pub(super) type ServiceId = Entity<OfServiceId>;
pub(super) type Profile = Entity<OfProfile>;

impl<K: EntityKind> Entity<K> {
    pub(super) fn principal(self) -> Principal {
        Principal { iam_id: self.iam_id, name: self.name }
    }

    /// Where the API keeps it.
    pub(super) fn path(&self) -> String {
        format!("{}{}", K::PATH, encoded(&self.id))
    }
}

/// A dynamic rule of an access group, or a rule of a trusted profile.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) realm_name: Option<String>,
    pub(super) cr_type: Option<String>,
    pub(super) expiration: Option<u32>,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    pub(super) claim: String,
    pub(super) operator: String,
    pub(super) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) cr_type: String,
    pub(super) link: LinkTarget,
    pub(super) created_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinkTarget {
    pub(super) crn: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Somebody whom a trusted profile trusts by name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Identity {
    pub(super) iam_id: String,
    pub(super) identifier: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ApiKey {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) iam_id: String,
    pub(super) entity_tag: String,
    pub(super) locked: bool,
    pub(super) disabled: bool,
    pub(super) created_at: String,
    pub(super) modified_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) subjects: Vec<Attributes>,
    pub(super) roles: Vec<GrantedRole>,
    pub(super) resources: Vec<Attributes>,
}

impl Policy {
    /// Whom it is for.
    pub(super) fn subject(&self) -> Option<&Attribute> {
        self.subjects.iter().flat_map(|subject| &subject.attributes).next()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GrantedRole {
    pub(super) role_id: String,
    pub(super) display_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) service_name: String,
    pub(super) crn: String,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) actions: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub(super) iam_id: String,
    pub(super) access_group_id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) created_at: String,
    pub(super) status_code: Option<u16>,
    pub(super) errors: Vec<Complaint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Complaint {
    pub(super) message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) iam_id: String,
    pub(super) user_id: String,
    pub(super) firstname: String,
    pub(super) lastname: String,
    pub(super) email: String,
    pub(super) state: String,
    pub(super) added_on: String,
}

impl User {
    pub(super) fn principal(self) -> Principal {
        Principal { iam_id: self.iam_id, name: self.user_id }
    }
}

/// A registry that the server stands in front of: a row of `GET /api/native/registries`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Registry {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) aliases: Vec<String>,
    pub(super) private_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Auth {
    pub(super) iam_authz: bool,
    pub(super) private_only: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResourceGroup {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) default: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) resource_group: Option<String>,
    pub(super) created_date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Image {
    pub(super) digest_tags: BTreeMap<String, Vec<String>>,
    pub(super) repo_tags: Vec<String>,
    pub(super) repo_digests: Vec<String>,
    pub(super) created: i64,
    pub(super) size: u64,
    pub(super) manifest_type: String,
    pub(super) vulnerable: Option<String>,
    pub(super) issue_count: Option<u64>,
    pub(super) exempt_issue_count: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ImageDigest {
    pub(super) id: String,
    pub(super) manifest_type: String,
    pub(super) created: i64,
    pub(super) size: u64,
    pub(super) repo_tags: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Trashed {
    pub(super) days_until_expiry: i64,
    pub(super) tags: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QuotaAnswer {
    pub(super) limit: QuotaBytes,
    pub(super) usage: QuotaBytes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QuotaBytes {
    pub(super) storage_bytes: i64,
    pub(super) traffic_bytes: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Retention {
    pub(super) namespace: String,
    pub(super) images_per_repo: i64,
    pub(super) retain_untagged: bool,
    pub(super) deletion_threshold_days: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Advice {
    pub(super) status: String,
    pub(super) configuration_issues: Vec<Check>,
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Check {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) corrective_action: String,
    pub(super) exempt: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Vulnerability {
    pub(super) cve_id: String,
    pub(super) severity: String,
    pub(super) exempt_status: String,
    pub(super) summary: String,
    pub(super) security_notices: Vec<Notice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Notice {
    pub(super) vulnerable_packages: Vec<Package>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Package {
    pub(super) package_name: String,
    pub(super) corrective_action: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExemptionRow {
    pub(super) scope: ExemptionScope,
    pub(super) issue_type: String,
    pub(super) issue_id: String,
    pub(super) expires_at: String,
    pub(super) reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExemptionScope {
    pub(super) namespace: String,
    pub(super) repository: String,
    pub(super) tag: String,
    pub(super) digest: String,
}

impl ExemptionScope {
    /// As it is given on the command line.
    pub(super) fn text(&self) -> String {
        let Self { namespace, repository, tag, digest } = self;
        let after =
            |joint: &str, part: &str| if part.is_empty() { String::new() } else { format!("{joint}{part}") };
        match namespace.is_empty() {
            true => "*".to_owned(),
            false => {
                format!("{namespace}{}{}{}", after("/", repository), after(":", tag), after("@", digest))
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExemptionType {
    pub(super) identifier: String,
    pub(super) display_name: String,
}
