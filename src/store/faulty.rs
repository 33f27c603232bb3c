//! A store that fails, counts and waits on command, around one that works: for tests of those who use a store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore, watch};

use super::account::{Account, Accounts, Founding};
use super::alert::{Alarming, Alerts, Attempted, ChannelRecord, Cursor, Delivery, Raised, Step};
use super::aws::access_key::{AccessKeyRecord, AccessKeys, LastUsed};
use super::aws::attachment::{AttachedPolicy, Attachments, PolicyHolder};
use super::aws::boundary::Boundaries;
use super::aws::group::{AwsGroup, AwsGroups};
use super::aws::holder::{Actor, Holder, PolicyRef};
use super::aws::images::{SeenImage, SeenImages};
use super::aws::inline_policy::{InlinePolicies, InlinePolicy};
use super::aws::layer_upload::{LayerUpload, LayerUploads};
use super::aws::lifecycle::{Lifecycle, Lifecycles};
use super::aws::managed_policy::{ManagedPolicies, ManagedPolicy, PolicyVersion, Usage, VersionNumber};
use super::aws::oidc_provider::{OidcProvider, OidcProviders};
use super::aws::policies::{ActorPolicies, PoliciesInForce, RepositoryPolicy};
use super::aws::registry::RegistryExtras;
use super::aws::repository::{Mutability, Repositories, Repository};
use super::aws::role::{Role, Roles};
use super::aws::tag::{Tag, Tagged, Tags};
use super::aws::text::DocumentText;
use super::aws::user::{AwsUser, AwsUsers};
use super::aws::{AwsError, AwsStore};
use super::census::{Census, Found, Known, Note};
use super::compliance::{Compliance, ComplianceRule, Scan, ScanRow};
use super::custom_role::{CustomRoleRecord, CustomRoles};
use super::feed::{Change, Feed, Sequence};
use super::findings::{
    Due, ExemptionRecord, Exemptions, Findings, Kept, NewFinding, PushedReport, PushedReports, ReportRecord,
    Reported, Scanned,
};
use super::group::{AccessGroup, Groups, Membership};
use super::group_rule::{ClaimRuleRecord, ClaimRules, Claimed};
use super::identity::{ApiKeyRecord, Identities, Listed, PrincipalFacts, ServiceIdentity, User, Window};
use super::insight::{Insight, Insights, Named, Of, Put};
use super::job::{Ended, JobRecord, Jobs, Leader};
use super::keyring::{Keyring, SigningKeyRecord};
use super::lead::{Lead, Leads};
use super::network::{AccountSettings, ListHolder, NetworkFacts, Networks, RuleRecord, ZoneRecord};
use super::policy::{Policies, PolicyRecord, Subject};
use super::profile::{Authenticated, HistoryRecord, Profile, Profiles};
use super::quota::{Added, Quota, Quotas, Used};
use super::registry::{NamespaceRecord, Registries, RegistryFacts, RegistrySettings};
use super::resource_group::{ResourceGroup, ResourceGroups};
use super::retention::{RetentionPolicy, Retentions};
use super::rule_attachment::{RuleAttachment, RuleAttachments};
use super::tag_hold::{TagHold, TagHolds};
use super::trash::{HiddenImages, Revealed, Trash, TrashedImage};
use super::trusted_profile::{ProfileIdentities, ProfileLink, ProfileRule, TrustedProfile, TrustedProfiles};
use super::{Store, StoreError};
use crate::clock::UnixTime;
use crate::compliance::drift::{Deed, Drift};
use crate::compliance::facts::{Images, Transfer};
use crate::compliance::verdict::Verdict;
use crate::credential::api_key::KeyHash;
use crate::findings::exemption::{IssueType, Scope};
use crate::findings::insight::InsightName;
use crate::findings::insight::note::Note as InsightNote;
use crate::findings::insight::occurrence::Occurrence;
use crate::findings::report::Counts;
use crate::ids::aws::{AccessKeyId, ManagedPolicyId, ProviderUrl, RoleId, UserUniqueId};
use crate::ids::cbr::{RuleId, ZoneId};
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
use crate::ids::tagged::{
    AccessGroupId, ApiKeyId, ClaimRuleId, ComplianceRuleId, CustomRoleId, NotificationChannelId, PolicyId,
    ProfileId, ProfileLinkId, RuleAttachmentId, ServiceId, UserId,
};
use crate::network::allow_list::AllowList;
use crate::policy::aws::arn::Name;
use crate::record::activity::Notice;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::{Digest, Tag as ImageTag};

/// The store. Operations are named as in the traits.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    failing: AtomicBool,
    calls: Mutex<HashMap<&'static str, u64>>,
    hold: Mutex<Option<(&'static str, Arc<Hold>)>>,
}

/// Stops an operation after it has read what it read, until it is let go.
pub(crate) struct Hold {
    reached: Notify,
    open: Semaphore,
}

impl Hold {
    /// Waits until the operation has read.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it, and all later ones, go on.
    pub(crate) fn release(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS);
    }
}

impl Faulty {
    pub(crate) fn around(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            failing: AtomicBool::new(false),
            calls: Mutex::default(),
            hold: Mutex::default(),
        })
    }

    /// From now on every operation fails, or none.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// How often `operation` has been called.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.calls.lock().unwrap().get(operation).copied().unwrap_or_default()
    }

    /// Holds `operation` from now on.
    pub(crate) fn hold(&self, operation: &'static str) -> Arc<Hold> {
        let hold = Arc::new(Hold { reached: Notify::new(), open: Semaphore::new(0) });
        *self.hold.lock().unwrap() = Some((operation, hold.clone()));
        hold
    }

    fn enter(&self, operation: &'static str) -> Result<(), StoreError> {
        *self.calls.lock().unwrap().entry(operation).or_default() += 1;
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("made to fail".to_owned()));
        }
        Ok(())
    }

    async fn leave(&self, operation: &'static str) {
        let hold = self.hold.lock().unwrap().clone();
        if let Some((held, hold)) = hold
            && held == operation
        {
            hold.reached.notify_one();
            drop(hold.open.acquire().await.unwrap());
        }
    }
}

macro_rules! delegate {
    ($trait:ident { $($name:ident($($argument:ident: $type:ty),*) -> $result:ty $(, $error:ident)?;)* }) => {
        #[async_trait]
        impl $trait for Faulty {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$result, delegate!(@ $($error)?)> {
                self.enter(stringify!($name))?;
                let result = self.inner.$name($($argument),*).await;
                self.leave(stringify!($name)).await;
                result
            })*
        }
    };
    (@) => { StoreError };
    (@ $error:ident) => { $error };
}

delegate!(Accounts {
    account() -> Option<Account>;
    found(founding: &Founding) -> ();
});

delegate!(Alerts {
    channels() -> Vec<ChannelRecord>;
    channel(id: &NotificationChannelId) -> Option<ChannelRecord>;
    insert_channel(row: &ChannelRecord, most: u32) -> ();
    update_channel(row: &ChannelRecord) -> ();
    delete_channel(id: &NotificationChannelId) -> ();
    cursor(of: Cursor) -> i64;
    alarming(after: i64, limit: u32) -> (Vec<Alarming>, i64);
    drifts_after(after: i64, limit: u32) -> Vec<(i64, Drift)>;
    raise(alerts: &[Raised], step: Option<Step>) -> bool;
    due(channel: &NotificationChannelId, now: UnixTime, limit: u32) -> Vec<Delivery>;
    next_due() -> (Option<UnixTime>, u32);
    begin_attempt(delivery: &Delivery, version: i64, until: UnixTime) -> bool;
    end_attempt(delivery: &Delivery, attempted: &Attempted) -> ();
    deliveries(channel: Option<&NotificationChannelId>, limit: u32) -> Vec<Delivery>;
    delivery(channel: &NotificationChannelId, cause: &str) -> Option<Delivery>;
});

delegate!(Census {
    take_notes(notes: &[Note], at: UnixTime) -> ();
    known_images(region: &Region, name: &RepositoryName) -> Known;
    looked_through(region: &Region, name: &RepositoryName, found: &Found, at: UnixTime) -> ();
    known_repositories(region: &Region) -> Vec<RepositoryName>;
    all_looked_through(region: &Region, at: UnixTime) -> ();
    tagged_images(region: &Region, now: UnixTime) -> Option<Images>;
});

delegate!(Insights {
    insight_providers() -> Vec<InsightName>;
    insight_notes(provider: &InsightName, after: Option<&InsightName>, limit: u32) -> Vec<Insight<InsightNote>>;
    insight_note(name: &Named) -> Option<Insight<InsightNote>>;
    put_insight_note(row: &Insight<InsightNote>, how: Put, most: u32) -> ();
    delete_insight_note(name: &Named) -> ();
    insight_occurrences(of: &Of, after: Option<&Named>, limit: u32) -> Vec<Insight<Occurrence>>;
    insight_occurrence(name: &Named) -> Option<Insight<Occurrence>>;
    put_insight_occurrence(row: (&Insight<Occurrence>, &Named), how: Put, most: u32, raised: Option<&Raised>) -> ();
    delete_insight_occurrence(name: &Named) -> ();
});

delegate!(RuleAttachments {
    insert_rule_attachments(rule: &ComplianceRuleId, rows: &[RuleAttachment], most: u32) -> ();
    update_rule_attachment(rule: &ComplianceRuleId, row: &RuleAttachment) -> ();
    delete_rule_attachment(rule: &ComplianceRuleId, id: &RuleAttachmentId) -> ();
});

delegate!(Compliance {
    compliance_rules() -> Vec<ComplianceRule>;
    compliance_rule(id: &ComplianceRuleId) -> Option<ComplianceRule>;
    insert_compliance_rule(row: &ComplianceRule, most: u32) -> ();
    update_compliance_rule(row: &ComplianceRule) -> ();
    delete_compliance_rule(id: &ComplianceRuleId) -> ();
    verdicts(profile: &str) -> Vec<Verdict>;
    keep_scan(scan: &Scan) -> ();
    scans(profile: Option<&str>, limit: u32) -> Vec<ScanRow>;
    drifts(limit: u32) -> Vec<Drift>;
    aws_policy_actors() -> Vec<PrincipalId>;
    access_key_owners() -> Vec<PrincipalId>;
    private_since() -> HashMap<Region, UnixTime>;
    note_private(region: &Region, since: Option<UnixTime>) -> ();
    note_activity(notices: &[Notice]) -> ();
    last_uses() -> HashMap<String, UnixTime>;
    public_transfers() -> HashMap<Region, Transfer>;
    deeds(since: UnixTime, limit: u32) -> Vec<Deed>;
});

delegate!(Exemptions {
    exemptions(region: &Region) -> Vec<ExemptionRecord>;
    put_exemption(row: &ExemptionRecord) -> ();
    delete_exemption(region: &Region, scope: &Scope, issue_type: IssueType, issue_id: &str) -> bool;
    delete_exemptions(region: &Region) -> u64;
});

delegate!(Findings {
    put_report(row: &ReportRecord, children: &[Digest]) -> Kept;
    reported(of: &Scanned) -> Reported;
    reported_in(region: &Region, name: Option<&RepositoryName>, after: Option<&Scanned>, limit: u32) -> Vec<(Scanned, Vec<ReportRecord>)>;
    scanned_repositories(region: &Region) -> Vec<RepositoryName>;
    forget_reports(of: &Scanned) -> ();
    finding_counts(region: &Region) -> (Counts, u32);
    new_findings(after: i64, limit: u32) -> Vec<NewFinding>;
});

delegate!(PushedReports {
    report_pushed(row: &PushedReport) -> ();
    pushed_reports(due: Due<'_>, limit: u32) -> Vec<PushedReport>;
    report_waits(id: i64) -> ();
    report_read(id: i64) -> ();
});

delegate!(Groups {
    group(id: &AccessGroupId) -> Option<AccessGroup>;
    groups(member: Option<&PrincipalId>, window: Window) -> Listed<AccessGroup>;
    insert_group(group: &AccessGroup) -> ();
    update_group(group: &AccessGroup) -> ();
    delete_group(id: &AccessGroupId) -> ();
    members(group: &AccessGroupId, window: Window) -> Listed<Membership>;
    insert_member(group: &AccessGroupId, member: &Membership) -> ();
    delete_member(group: &AccessGroupId, member: &PrincipalId) -> ();
});

delegate!(Identities {
    principal(id: &PrincipalId) -> Option<PrincipalFacts>;
    key_owner(hash: &KeyHash) -> Option<(PrincipalId, ApiKeyId)>;
    user(id: &UserId) -> Option<User>;
    users(window: Window) -> Listed<User>;
    insert_user(user: &User) -> ();
    delete_user(id: &UserId) -> ();
    service_id(id: &ServiceId) -> Option<ServiceIdentity>;
    service_ids(name: Option<&str>, window: Window) -> Listed<ServiceIdentity>;
    insert_service_id(row: &ServiceIdentity) -> ();
    update_service_id(row: &ServiceIdentity) -> ();
    delete_service_id(id: &ServiceId) -> ();
    api_key(id: &ApiKeyId) -> Option<ApiKeyRecord>;
    api_keys(owner: Option<&PrincipalId>, window: Window) -> Listed<ApiKeyRecord>;
    insert_api_key(row: &ApiKeyRecord) -> ();
    update_api_key(row: &ApiKeyRecord) -> ();
    disable_api_key(id: &ApiKeyId, at: UnixTime) -> ();
    delete_api_key(id: &ApiKeyId) -> ();
});

delegate!(Keyring {
    signing_keys() -> (Vec<SigningKeyRecord>, Sequence);
    rotate_in(key: &SigningKeyRecord, instead_of: Option<&str>, others_retire_at: UnixTime) -> ();
    purge_retired(now: UnixTime) -> ();
});

delegate!(Networks {
    network() -> NetworkFacts;
    update_account_settings(row: &AccountSettings) -> ();
    allow_list(of: &ListHolder) -> Option<AllowList>;
    put_allow_list(of: &ListHolder, list: Option<&AllowList>) -> ();
    zone(id: &ZoneId) -> Option<ZoneRecord>;
    zones(window: Window) -> Listed<ZoneRecord>;
    insert_zone(row: &ZoneRecord) -> ();
    update_zone(row: &ZoneRecord) -> ();
    delete_zone(id: &ZoneId) -> ();
    rule(id: &RuleId) -> Option<RuleRecord>;
    rules(window: Window) -> Listed<RuleRecord>;
    insert_rule(row: &RuleRecord) -> ();
    update_rule(row: &RuleRecord) -> ();
    delete_rule(id: &RuleId) -> ();
});

delegate!(Policies {
    policy(id: &PolicyId) -> Option<PolicyRecord>;
    policies(subject: Option<&Subject>, window: Window) -> Listed<PolicyRecord>;
    policies_after(after: Option<&PolicyId>, limit: u32) -> Vec<PolicyRecord>;
    insert_policy(row: &PolicyRecord) -> ();
    update_policy(row: &PolicyRecord) -> ();
    delete_policy(id: &PolicyId) -> ();
    deleted_policy(id: &PolicyId) -> Option<PolicyRecord>;
    deleted_policies(subject: Option<&Subject>, window: Window) -> Listed<PolicyRecord>;
    restore_policy(row: &PolicyRecord) -> ();
});

delegate!(ClaimRules {
    claim_rule(group: &AccessGroupId, id: &ClaimRuleId) -> Option<ClaimRuleRecord>;
    claim_rules(group: &AccessGroupId) -> Vec<ClaimRuleRecord>;
    claim_rules_about(realm: &str) -> Vec<ClaimRuleRecord>;
    claimed_members(group: &AccessGroupId, at: UnixTime) -> Vec<(PrincipalId, Claimed)>;
    claimed_groups(member: &PrincipalId, at: UnixTime) -> Vec<AccessGroup>;
    put_claimed(member: &PrincipalId, realm: &str, claimed: &[(Claimed, i64)]) -> ();
    insert_claim_rule(row: &ClaimRuleRecord) -> ();
    update_claim_rule(row: &ClaimRuleRecord) -> ();
    delete_claim_rule(group: &AccessGroupId, id: &ClaimRuleId) -> ();
});

delegate!(Profiles {
    profile(id: &UserId) -> Profile;
    put_profile(id: &UserId, profile: &Profile) -> ();
    set_user_active(id: &UserId, active: bool, at: UnixTime) -> ();
    history(entity: &str) -> Vec<HistoryRecord>;
    note(record: &HistoryRecord) -> ();
    activity(entity: &str) -> Option<Authenticated>;
    authenticated(seen: &[(String, Authenticated)]) -> ();
});

delegate!(CustomRoles {
    custom_role(id: &CustomRoleId) -> Option<CustomRoleRecord>;
    custom_role_by_crn(crn: &str) -> Option<CustomRoleRecord>;
    custom_roles(service: Option<&str>, window: Window) -> Listed<CustomRoleRecord>;
    policies_with_role(id: &CustomRoleId, window: Window) -> Listed<PolicyRecord>;
    insert_custom_role(row: &CustomRoleRecord) -> ();
    update_custom_role(row: &CustomRoleRecord) -> ();
    delete_custom_role(id: &CustomRoleId) -> ();
});

delegate!(Registries {
    registry(region: &Region) -> Option<RegistryFacts>;
    put_registry(settings: &RegistrySettings) -> ();
    replace_registry(seen: &RegistrySettings, settings: &RegistrySettings) -> ();
    namespaces(region: &Region) -> Vec<NamespaceRecord>;
    insert_namespace(row: &NamespaceRecord) -> ();
    delete_namespace(region: &Region, name: &Namespace) -> ();
});

#[async_trait]
impl Feed for Faulty {
    async fn latest(&self) -> Result<Sequence, StoreError> {
        self.enter("latest")?;
        self.inner.latest().await
    }

    async fn changes(&self, after: Sequence, limit: u32) -> Result<Vec<Change>, StoreError> {
        self.enter("changes")?;
        self.inner.changes(after, limit).await
    }

    fn committed(&self) -> watch::Receiver<Sequence> {
        self.inner.committed()
    }

    fn applied(&self, sequence: Sequence) {
        self.inner.applied(sequence);
    }
}

delegate!(AccessKeys {
    access_key(id: &AccessKeyId) -> Option<AccessKeyRecord>;
    access_keys(owner: &PrincipalId, window: Window) -> Listed<AccessKeyRecord>;
    insert_access_key(row: &AccessKeyRecord) -> (), AwsError;
    activate_access_key(id: &AccessKeyId, active: bool) -> ();
    delete_access_key(id: &AccessKeyId) -> ();
    access_key_used(id: &AccessKeyId, used: &LastUsed) -> ();
});

delegate!(Attachments {
    attached(holder: &Holder, path_prefix: &str, window: Window) -> Listed<AttachedPolicy>;
    holders(policy: &PolicyRef, usage: Usage, window: Window) -> Listed<PolicyHolder>;
    attach(holder: &Holder, policy: &PolicyRef, now: UnixTime) -> (), AwsError;
    detach(holder: &Holder, policy: &PolicyRef) -> ();
});

delegate!(Boundaries {
    boundary(of: &Actor) -> Option<AttachedPolicy>;
    put_boundary(of: &Actor, policy: &PolicyRef, now: UnixTime) -> ();
    delete_boundary(of: &Actor) -> ();
});

delegate!(AwsGroups {
    aws_group_named(name: &str) -> Option<AwsGroup>;
    aws_groups(path_prefix: &str, window: Window) -> Listed<AwsGroup>;
    aws_groups_of(member: &PrincipalId, window: Window) -> Listed<AwsGroup>;
    insert_aws_group(row: &AwsGroup) -> (), AwsError;
    update_aws_group(row: &AwsGroup) -> ();
    delete_aws_group(id: &AccessGroupId) -> (), AwsError;
    join_aws_group(group: &AccessGroupId, member: &Membership) -> (), AwsError;
});

delegate!(InlinePolicies {
    inline_policy(of: &Holder, name: &Name) -> Option<InlinePolicy>;
    inline_policies(of: &Holder, window: Window) -> Listed<InlinePolicy>;
    put_inline_policy(of: &Holder, policy: &InlinePolicy) -> (), AwsError;
    delete_inline_policy(of: &Holder, name: &Name) -> ();
});

delegate!(ManagedPolicies {
    managed_policy(id: &ManagedPolicyId) -> Option<ManagedPolicy>;
    managed_policy_named(name: &Name) -> Option<ManagedPolicy>;
    managed_policies(path_prefix: &str, used: Option<Usage>, window: Window) -> Listed<ManagedPolicy>;
    insert_managed_policy(row: &ManagedPolicy, document: &DocumentText, tags: &[Tag]) -> (), AwsError;
    delete_managed_policy(id: &ManagedPolicyId) -> (), AwsError;
    policy_versions(id: &ManagedPolicyId, window: Window) -> Listed<PolicyVersion>;
    policy_version(id: &ManagedPolicyId, number: VersionNumber) -> Option<PolicyVersion>;
    insert_policy_version(id: &ManagedPolicyId, document: &DocumentText, in_force: bool, now: UnixTime) -> VersionNumber, AwsError;
    put_in_force(id: &ManagedPolicyId, number: VersionNumber, now: UnixTime) -> ();
    delete_policy_version(id: &ManagedPolicyId, number: VersionNumber) -> (), AwsError;
});

delegate!(OidcProviders {
    oidc_provider(url: &ProviderUrl) -> (Option<OidcProvider>, Sequence);
    oidc_providers(window: Window) -> Listed<OidcProvider>;
    insert_oidc_provider(row: &OidcProvider, tags: &[Tag]) -> (), AwsError;
    update_oidc_provider(row: &OidcProvider) -> (), AwsError;
    delete_oidc_provider(url: &ProviderUrl) -> ();
});

delegate!(PoliciesInForce {
    policies_of(actor: &Actor) -> Option<ActorPolicies>;
    repository_policy(region: &Region, name: &RepositoryName) -> RepositoryPolicy;
});

delegate!(Repositories {
    repository(region: &Region, name: &RepositoryName) -> Option<Repository>;
    repositories(region: &Region, window: Window) -> Listed<Repository>;
    insert_repository(row: &Repository, tags: &[Tag]) -> (), AwsError;
    delete_repository(region: &Region, name: &RepositoryName) -> ();
    put_mutability(region: &Region, name: &RepositoryName, mutability: Mutability, exclusions: &[String]) -> ();
    put_scan_on_push(region: &Region, name: &RepositoryName, scan: bool) -> ();
    put_repository_policy(region: &Region, name: &RepositoryName, policy: Option<&DocumentText>) -> ();
});

delegate!(SeenImages {
    seen_images(region: &Region, name: &RepositoryName) -> Vec<SeenImage>;
    image_pushed(region: &Region, name: &RepositoryName, digest: &Digest, at: UnixTime) -> ();
    image_pulled(region: &Region, name: &RepositoryName, digest: &Digest, at: UnixTime) -> ();
    images_gone(region: &Region, name: &RepositoryName, digests: &[Digest]) -> ();
});

delegate!(Lifecycles {
    lifecycle(region: &Region, name: &RepositoryName) -> Lifecycle;
    lifecycles(region: &Region) -> Vec<RepositoryName>;
    put_lifecycle_policy(region: &Region, name: &RepositoryName, text: Option<&str>) -> ();
    put_lifecycle_preview(region: &Region, name: &RepositoryName, text: &str, at: UnixTime) -> ();
    lifecycle_evaluated(region: &Region, name: &RepositoryName, at: UnixTime) -> ();
});

delegate!(LayerUploads {
    layer_upload(id: &str) -> Option<LayerUpload>;
    insert_layer_upload(row: &LayerUpload) -> ();
    advance_layer_upload(row: &LayerUpload, from: u64) -> ();
    delete_layer_upload(id: &str) -> ();
    forget_layer_uploads(before: UnixTime) -> ();
});

delegate!(RegistryExtras {
    registry_setting(region: &Region, name: &str) -> Option<String>;
    put_registry_setting(region: &Region, name: &str, value: Option<&str>) -> ();
});

delegate!(Roles {
    role(id: &RoleId) -> Option<Role>;
    role_named(name: &Name) -> Option<Role>;
    roles(path_prefix: &str, window: Window) -> Listed<Role>;
    insert_role(row: &Role, boundary: Option<&PolicyRef>, tags: &[Tag]) -> (), AwsError;
    update_role(row: &Role) -> ();
    delete_role(id: &RoleId) -> (), AwsError;
    role_used(id: &RoleId, at: UnixTime, region: &Region) -> ();
});

delegate!(Tags {
    tags(of: &Tagged) -> Vec<Tag>;
    tag(of: &Tagged, tags: &[Tag]) -> (), AwsError;
    untag(of: &Tagged, keys: &[String]) -> ();
});

delegate!(AwsUsers {
    aws_user(id: &UserId) -> Option<AwsUser>;
    aws_user_named(name: &str) -> Option<AwsUser>;
    principal_of(id: &UserUniqueId) -> Option<PrincipalId>;
    aws_users(path_prefix: &str, window: Window) -> Listed<AwsUser>;
    insert_aws_user(row: &AwsUser, boundary: Option<&PolicyRef>, tags: &[Tag]) -> (), AwsError;
    update_aws_user(row: &AwsUser) -> ();
    delete_aws_user(id: &UserId) -> (), AwsError;
});

delegate!(TrustedProfiles {
    trusted_profile(id: &ProfileId) -> Option<TrustedProfile>;
    trusted_profiles(name: Option<&str>, window: Window) -> Listed<TrustedProfile>;
    insert_trusted_profile(row: &TrustedProfile) -> ();
    update_trusted_profile(row: &TrustedProfile) -> ();
    delete_trusted_profile(id: &ProfileId) -> ();
    profile_identities(id: &ProfileId) -> Option<ProfileIdentities>;
    put_profile_identities(id: &ProfileId, row: &ProfileIdentities) -> ();
    profile_links(id: &ProfileId) -> Vec<ProfileLink>;
    insert_profile_link(row: &ProfileLink) -> ();
    delete_profile_link(of: &ProfileId, id: &ProfileLinkId) -> ();
    profile_rules(id: &ProfileId) -> Vec<ProfileRule>;
    insert_profile_rule(row: &ProfileRule) -> ();
    update_profile_rule(row: &ProfileRule) -> ();
    delete_profile_rule(of: &ProfileId, id: &ClaimRuleId) -> ();
});

impl AwsStore for Faulty {}

impl Store for Faulty {}

delegate!(Jobs {
    take_lead(replica: &str, now: UnixTime) -> u32;
    begin_job(name: &str, replica: &str, now: UnixTime) -> ();
    job_progress(name: &str, replica: &str, progress: &str) -> ();
    end_job(name: &str, replica: &str, ended: &Ended<'_>) -> ();
    jobs() -> (Option<Leader>, Vec<JobRecord>);
});

delegate!(Leads {
    try_lead() -> Option<Box<dyn Lead>>;
    exclusive() -> Box<dyn Lead>;
});

delegate!(TagHolds {
    hold_tag(hold: &TagHold, now: UnixTime, ends_at: UnixTime) -> bool;
    release_tag(hold: &TagHold) -> ();
});

delegate!(Quotas {
    quota(region: &Region) -> Quota;
    put_quota(region: &Region, quota: &Quota) -> ();
    used(region: &Region) -> Option<Used>;
    add_used(region: &Region, month: i64, traffic: u64, storage: u64) -> ();
    put_storage(region: &Region, month: i64, counted: (u64, Added), at: UnixTime) -> ();
});

delegate!(Retentions {
    retentions(region: &Region) -> Vec<RetentionPolicy>;
    put_retention(row: &RetentionPolicy) -> ();
    retention_ran(row: &RetentionPolicy, at: UnixTime) -> ();
    retentions_due(before: UnixTime) -> Vec<RetentionPolicy>;
    delete_retention(region: &Region, namespace: &Namespace) -> ();
});

delegate!(ResourceGroups {
    resource_groups() -> Vec<ResourceGroup>;
    insert_resource_group(row: &ResourceGroup) -> ();
    update_resource_group(row: &ResourceGroup) -> ();
    delete_resource_group(id: &ResourceGroupId) -> ();
    namespace_groups(region: &Region) -> Vec<(Namespace, ResourceGroupId)>;
    put_namespace_group(region: &Region, namespace: &Namespace, group: &ResourceGroupId) -> ();
});

delegate!(Trash {
    hidden(region: &Region, name: &RepositoryName) -> HiddenImages;
    trash(region: &Region) -> Vec<TrashedImage>;
    hide_image(row: &TrashedImage) -> ();
    hide_tag(region: &Region, name: &RepositoryName, tag: &ImageTag, digest: &Digest) -> ();
    reveal_image(region: &Region, name: &RepositoryName, digest: &Digest) -> Revealed;
    reveal_tag(region: &Region, name: &RepositoryName, tag: &ImageTag) -> ();
    begin_purge(now: UnixTime, limit: u32) -> Vec<TrashedImage>;
    abort_purge(region: &Region, name: &RepositoryName, digest: &Digest) -> ();
    end_purge(region: &Region, name: &RepositoryName, digest: &Digest) -> ();
});
