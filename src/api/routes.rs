//! The contents page: every endpoint of the control plane, in one table.
//!
//! Paths are matched as they came, segment by segment, and parameters are decoded once, after that: `%2F` in an image's
//! name never makes a segment. Of two routes that fit, the first stands.

use std::sync::LazyLock;

use http::Method;

use super::compliance::Compliance;
use super::fleet::Fleet;
use super::ibm::accounts::Accounts;
use super::ibm::api_keys::ApiKeys;
use super::ibm::attachments::Attachments;
use super::ibm::cbr::Cbr;
use super::ibm::exemptions::Exemptions;
use super::ibm::governance::Governance;
use super::ibm::group_rules::GroupRules;
use super::ibm::groups::Groups;
use super::ibm::images::Images;
use super::ibm::insights::Insights;
use super::ibm::notifications::Notifications;
use super::ibm::policies::Policies;
use super::ibm::profiles::Profiles;
use super::ibm::profiles::identities::Identities;
use super::ibm::profiles::links::Links;
use super::ibm::profiles::rules::Rules;
use super::ibm::quotas::Quotas;
use super::ibm::registry::Registry;
use super::ibm::reports::Reports;
use super::ibm::resource_groups::ResourceGroups;
use super::ibm::retentions::Retentions;
use super::ibm::roles::Roles;
use super::ibm::service_ids::ServiceIds;
use super::ibm::trash::Trash;
use super::ibm::users::Users;
use super::native::Native;
use super::{body, query};
use crate::control::problem::Problem;
use crate::findings::read::REPORT_MAX;
use crate::policy::table::Action;

/// Whose way of reporting errors a path has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// `/v1/serviceids`, `/v1/apikeys`.
    Identity,
    /// Our own.
    Native,
    /// Policies, roles and access groups.
    Policies,
    /// Container Registry.
    Registry,
    /// User management.
    Users,
}

/// Who may call an endpoint at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Anyone, even unknown.
    Anyone,
    /// Any proven caller; what is shown is what it may see by this action.
    Listing(Action),
    /// Whoever may do this; where the thing is the caller's own, the owner too.
    Needs(Action),
    /// Any proven caller.
    Proven,
}

impl Access {
    /// The action, where there is one.
    #[must_use]
    pub const fn action(self) -> Option<Action> {
        match self {
            Self::Anyone | Self::Proven => None,
            Self::Listing(action) | Self::Needs(action) => Some(action),
        }
    }
}

/// What answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// Settings of the account and its users.
    Accounts(Accounts),
    /// API keys.
    ApiKeys(ApiKeys),
    /// Attachments of configuration rules.
    Attachments(Attachments),
    /// Context-based restrictions.
    Cbr(Cbr),
    /// Goals, reports, history.
    Compliance(Compliance),
    /// Configuration rules.
    Governance(Governance),
    /// What replicas have in common.
    Fleet(Fleet),
    /// Exemptions of Vulnerability Advisor.
    Exemptions(Exemptions),
    /// Dynamic rules of access groups.
    GroupRules(GroupRules),
    /// Access groups.
    Groups(Groups),
    /// Images of Container Registry.
    Images(Images),
    /// Findings of Security Insights.
    Insights(Insights),
    /// Our own.
    Native(Native),
    /// Notification channels of Security Insights.
    Notifications(Notifications),
    /// Policies, as v1 writes them.
    Policies(Policies),
    /// Policies, as v2 writes them.
    PoliciesV2(Policies),
    /// Whom trusted profiles trust by name.
    ProfileIdentities(Identities),
    /// Which compute resources they trust.
    ProfileLinks(Links),
    /// Whom they trust by rule.
    ProfileRules(Rules),
    /// Trusted profiles.
    Profiles(Profiles),
    /// Quotas of Container Registry.
    Quotas(Quotas),
    /// Container Registry.
    Registry(Registry),
    /// Reports of Vulnerability Advisor.
    Reports(Reports),
    /// Resource groups.
    ResourceGroups(ResourceGroups),
    /// Retention policies of Container Registry.
    Retentions(Retentions),
    /// Roles.
    Roles(Roles),
    /// Service IDs.
    ServiceIds(ServiceIds),
    /// The trash of Container Registry.
    Trash(Trash),
    /// Users.
    Users(Users),
}

/// One endpoint.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{parameters}`.
    pub template: &'static str,
    /// What answers.
    pub endpoint: Endpoint,
    /// How it reports errors.
    pub dialect: Dialect,
    /// Who may call it.
    pub access: Access,
}

const fn route(
    method: Method,
    template: &'static str,
    endpoint: Endpoint,
    dialect: Dialect,
    access: Access,
) -> Route {
    Route { method, template, endpoint, dialect, access }
}

use Access::{Anyone, Listing, Needs, Proven};
use Action as A;
use Dialect as D;
use Endpoint as E;

/// Every endpoint.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    // IAM identity
    route(Method::GET,    "/v1/serviceids",              E::ServiceIds(ServiceIds::List),   D::Identity, Listing(A::ServiceIdList)),
    route(Method::POST,   "/v1/serviceids",              E::ServiceIds(ServiceIds::Create), D::Identity, Needs(A::ServiceIdCreate)),
    route(Method::GET,    "/v1/serviceids/{id}",         E::ServiceIds(ServiceIds::Read),   D::Identity, Needs(A::ServiceIdRead)),
    route(Method::PUT,    "/v1/serviceids/{id}",         E::ServiceIds(ServiceIds::Update), D::Identity, Needs(A::ServiceIdUpdate)),
    route(Method::DELETE, "/v1/serviceids/{id}",         E::ServiceIds(ServiceIds::Delete), D::Identity, Needs(A::ServiceIdDelete)),
    route(Method::POST,   "/v1/serviceids/{id}/lock",    E::ServiceIds(ServiceIds::Lock),   D::Identity, Needs(A::ServiceIdUpdate)),
    route(Method::DELETE, "/v1/serviceids/{id}/lock",    E::ServiceIds(ServiceIds::Unlock), D::Identity, Needs(A::ServiceIdUpdate)),
    route(Method::GET,    "/v1/apikeys",                 E::ApiKeys(ApiKeys::List),         D::Identity, Listing(A::ApiKeyList)),
    route(Method::POST,   "/v1/apikeys",                 E::ApiKeys(ApiKeys::Create),       D::Identity, Needs(A::ApiKeyCreate)),
    route(Method::GET,    "/v1/apikeys/details",         E::ApiKeys(ApiKeys::Details),      D::Identity, Needs(A::ApiKeyRead)),
    route(Method::GET,    "/v1/apikeys/{id}",            E::ApiKeys(ApiKeys::Read),         D::Identity, Needs(A::ApiKeyRead)),
    route(Method::PUT,    "/v1/apikeys/{id}",            E::ApiKeys(ApiKeys::Update),       D::Identity, Needs(A::ApiKeyUpdate)),
    route(Method::DELETE, "/v1/apikeys/{id}",            E::ApiKeys(ApiKeys::Delete),       D::Identity, Needs(A::ApiKeyDelete)),
    route(Method::POST,   "/v1/apikeys/{id}/lock",       E::ApiKeys(ApiKeys::Lock),         D::Identity, Needs(A::ApiKeyUpdate)),
    route(Method::DELETE, "/v1/apikeys/{id}/lock",       E::ApiKeys(ApiKeys::Unlock),       D::Identity, Needs(A::ApiKeyUpdate)),
    route(Method::POST,   "/v1/apikeys/{id}/disable",    E::ApiKeys(ApiKeys::Disable),      D::Identity, Needs(A::ApiKeyUpdate)),
    route(Method::DELETE, "/v1/apikeys/{id}/disable",    E::ApiKeys(ApiKeys::Enable),       D::Identity, Needs(A::ApiKeyUpdate)),
    route(Method::GET,    "/v1/profiles", E::Profiles(Profiles::List), D::Identity, Listing(A::ProfileList)),
    route(Method::POST,   "/v1/profiles", E::Profiles(Profiles::Create), D::Identity, Needs(A::ProfileCreate)),
    route(Method::GET,    "/v1/profiles/{id}", E::Profiles(Profiles::Read), D::Identity, Needs(A::ProfileRead)),
    route(Method::PUT,    "/v1/profiles/{id}", E::Profiles(Profiles::Update), D::Identity, Needs(A::ProfileUpdate)),
    route(Method::DELETE, "/v1/profiles/{id}", E::Profiles(Profiles::Delete), D::Identity, Needs(A::ProfileDelete)),
    route(Method::GET,    "/v1/profiles/{id}/rules", E::ProfileRules(Rules::List), D::Identity, Needs(A::ProfileRead)),
    route(Method::POST,   "/v1/profiles/{id}/rules", E::ProfileRules(Rules::Create), D::Identity, Needs(A::ProfileLink)),
    route(Method::GET,    "/v1/profiles/{id}/rules/{rule}", E::ProfileRules(Rules::Read), D::Identity, Needs(A::ProfileRead)),
    route(Method::PUT,    "/v1/profiles/{id}/rules/{rule}", E::ProfileRules(Rules::Replace), D::Identity, Needs(A::ProfileLink)),
    route(Method::DELETE, "/v1/profiles/{id}/rules/{rule}", E::ProfileRules(Rules::Delete), D::Identity, Needs(A::ProfileLink)),
    route(Method::GET,    "/v1/profiles/{id}/links", E::ProfileLinks(Links::List), D::Identity, Needs(A::ProfileRead)),
    route(Method::POST,   "/v1/profiles/{id}/links", E::ProfileLinks(Links::Create), D::Identity, Needs(A::ProfileLink)),
    route(Method::DELETE, "/v1/profiles/{id}/links", E::ProfileLinks(Links::DeleteOf), D::Identity, Needs(A::ProfileLink)),
    route(Method::GET,    "/v1/profiles/{id}/links/{link}", E::ProfileLinks(Links::Read), D::Identity, Needs(A::ProfileRead)),
    route(Method::DELETE, "/v1/profiles/{id}/links/{link}", E::ProfileLinks(Links::Delete), D::Identity, Needs(A::ProfileLink)),
    route(Method::GET,    "/v1/profiles/{id}/identities", E::ProfileIdentities(Identities::List), D::Identity, Needs(A::ProfileRead)),
    route(Method::PUT,    "/v1/profiles/{id}/identities", E::ProfileIdentities(Identities::Replace), D::Identity, Needs(A::ProfileLink)),
    route(Method::POST,   "/v1/profiles/{id}/identities/{type}", E::ProfileIdentities(Identities::Add), D::Identity, Needs(A::ProfileLink)),
    route(Method::GET,    "/v1/profiles/{id}/identities/{type}/{identifier}", E::ProfileIdentities(Identities::Read), D::Identity, Needs(A::ProfileRead)),
    route(Method::DELETE, "/v1/profiles/{id}/identities/{type}/{identifier}", E::ProfileIdentities(Identities::Remove), D::Identity, Needs(A::ProfileLink)),
    route(Method::GET,    "/v1/accounts/{account}/settings/identity", E::Accounts(Accounts::Settings), D::Identity, Needs(A::AccountRead)),
    route(Method::PUT,    "/v1/accounts/{account}/settings/identity", E::Accounts(Accounts::Update),   D::Identity, Needs(A::AccountUpdate)),
    route(Method::GET,    "/v1/accounts/{account}/effective_settings/identity", E::Accounts(Accounts::Effective), D::Identity, Needs(A::AccountRead)),
    // Context-based restrictions
    route(Method::GET,    "/v1/zones",                   E::Cbr(Cbr::Zones),                D::Policies, Needs(A::AccountRead)),
    route(Method::POST,   "/v1/zones",                   E::Cbr(Cbr::CreateZone),           D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/v1/zones/{id}",              E::Cbr(Cbr::ReadZone),             D::Policies, Needs(A::AccountRead)),
    route(Method::PUT,    "/v1/zones/{id}",              E::Cbr(Cbr::ReplaceZone),          D::Policies, Needs(A::AccountUpdate)),
    route(Method::DELETE, "/v1/zones/{id}",              E::Cbr(Cbr::DeleteZone),           D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/v1/rules",                   E::Cbr(Cbr::Rules),                D::Policies, Needs(A::AccountRead)),
    route(Method::POST,   "/v1/rules",                   E::Cbr(Cbr::CreateRule),           D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/v1/rules/{id}",              E::Cbr(Cbr::ReadRule),             D::Policies, Needs(A::AccountRead)),
    route(Method::PUT,    "/v1/rules/{id}",              E::Cbr(Cbr::ReplaceRule),          D::Policies, Needs(A::AccountUpdate)),
    route(Method::DELETE, "/v1/rules/{id}",              E::Cbr(Cbr::DeleteRule),           D::Policies, Needs(A::AccountUpdate)),
    // Configuration governance
    route(Method::GET,    "/config/v1/rules",            E::Governance(Governance::List),    D::Policies, Needs(A::AccountRead)),
    route(Method::POST,   "/config/v1/rules",            E::Governance(Governance::Create),  D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/config/v1/rules/{id}",       E::Governance(Governance::Read),    D::Policies, Needs(A::AccountRead)),
    route(Method::PUT,    "/config/v1/rules/{id}",       E::Governance(Governance::Replace), D::Policies, Needs(A::AccountUpdate)),
    route(Method::DELETE, "/config/v1/rules/{id}",       E::Governance(Governance::Delete),  D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/config/v1/rules/{id}/attachments", E::Attachments(Attachments::List), D::Policies, Needs(A::AccountRead)),
    route(Method::POST,   "/config/v1/rules/{id}/attachments", E::Attachments(Attachments::Create), D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/config/v1/rules/{id}/attachments/{attachment}", E::Attachments(Attachments::Read), D::Policies, Needs(A::AccountRead)),
    route(Method::PUT,    "/config/v1/rules/{id}/attachments/{attachment}", E::Attachments(Attachments::Replace), D::Policies, Needs(A::AccountUpdate)),
    route(Method::DELETE, "/config/v1/rules/{id}/attachments/{attachment}", E::Attachments(Attachments::Delete), D::Policies, Needs(A::AccountUpdate)),
    // Resource groups
    route(Method::GET,    "/v2/resource_groups",         E::ResourceGroups(ResourceGroups::List),   D::Policies, Listing(A::AccountRead)),
    route(Method::POST,   "/v2/resource_groups",         E::ResourceGroups(ResourceGroups::Create), D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/v2/resource_groups/{id}",    E::ResourceGroups(ResourceGroups::Read),   D::Policies, Needs(A::AccountRead)),
    route(Method::PATCH,  "/v2/resource_groups/{id}",    E::ResourceGroups(ResourceGroups::Update), D::Policies, Needs(A::AccountUpdate)),
    route(Method::DELETE, "/v2/resource_groups/{id}",    E::ResourceGroups(ResourceGroups::Delete), D::Policies, Needs(A::AccountUpdate)),
    // Policies and roles
    route(Method::GET,    "/v1/policies",                E::Policies(Policies::List),       D::Policies, Listing(A::PolicyRead)),
    route(Method::POST,   "/v1/policies",                E::Policies(Policies::Create),     D::Policies, Needs(A::PolicyCreate)),
    route(Method::GET,    "/v1/policies/{id}",           E::Policies(Policies::Read),       D::Policies, Needs(A::PolicyRead)),
    route(Method::PUT,    "/v1/policies/{id}",           E::Policies(Policies::Replace),    D::Policies, Needs(A::PolicyUpdate)),
    route(Method::PATCH,  "/v1/policies/{id}",           E::Policies(Policies::Restore),    D::Policies, Needs(A::PolicyCreate)),
    route(Method::DELETE, "/v1/policies/{id}",           E::Policies(Policies::Delete),     D::Policies, Needs(A::PolicyDelete)),
    route(Method::GET,    "/v2/policies",                E::PoliciesV2(Policies::List),     D::Policies, Listing(A::PolicyRead)),
    route(Method::POST,   "/v2/policies",                E::PoliciesV2(Policies::Create),   D::Policies, Needs(A::PolicyCreate)),
    route(Method::GET,    "/v2/policies/{id}",           E::PoliciesV2(Policies::Read),     D::Policies, Needs(A::PolicyRead)),
    route(Method::PUT,    "/v2/policies/{id}",           E::PoliciesV2(Policies::Replace),  D::Policies, Needs(A::PolicyUpdate)),
    route(Method::DELETE, "/v2/policies/{id}",           E::PoliciesV2(Policies::Delete),   D::Policies, Needs(A::PolicyDelete)),
    route(Method::GET,    "/v2/roles",                   E::Roles(Roles::List),             D::Policies, Proven),
    route(Method::POST,   "/v2/roles",                   E::Roles(Roles::Create),           D::Policies, Needs(A::RoleCreate)),
    route(Method::GET,    "/v2/roles/{id}",              E::Roles(Roles::Read),             D::Policies, Needs(A::RoleRead)),
    route(Method::PUT,    "/v2/roles/{id}",              E::Roles(Roles::Replace),          D::Policies, Needs(A::RoleUpdate)),
    route(Method::DELETE, "/v2/roles/{id}",              E::Roles(Roles::Delete),           D::Policies, Needs(A::RoleDelete)),
    // Access groups
    route(Method::GET,    "/v2/groups",                  E::Groups(Groups::List),           D::Policies, Listing(A::GroupList)),
    route(Method::POST,   "/v2/groups",                  E::Groups(Groups::Create),         D::Policies, Needs(A::GroupCreate)),
    route(Method::GET,    "/v2/groups/settings",         E::Groups(Groups::Settings),       D::Policies, Needs(A::AccountRead)),
    route(Method::PATCH,  "/v2/groups/settings",         E::Groups(Groups::ChangeSettings), D::Policies, Needs(A::AccountUpdate)),
    route(Method::GET,    "/v2/groups/{id}",             E::Groups(Groups::Read),           D::Policies, Needs(A::GroupRead)),
    route(Method::PATCH,  "/v2/groups/{id}",             E::Groups(Groups::Update),         D::Policies, Needs(A::GroupUpdate)),
    route(Method::DELETE, "/v2/groups/{id}",             E::Groups(Groups::Delete),         D::Policies, Needs(A::GroupDelete)),
    route(Method::GET,    "/v2/groups/{id}/members",     E::Groups(Groups::Members),        D::Policies, Needs(A::GroupMemberList)),
    route(Method::PUT,    "/v2/groups/{id}/members",     E::Groups(Groups::AddMembers),     D::Policies, Needs(A::GroupMemberAdd)),
    route(Method::POST,   "/v2/groups/{id}/members/delete", E::Groups(Groups::RemoveMembers), D::Policies, Needs(A::GroupMemberDelete)),
    route(Method::PUT,    "/v2/groups/_allgroups/members/{iam_id}", E::Groups(Groups::JoinGroups), D::Policies, Needs(A::GroupMemberAdd)),
    route(Method::DELETE, "/v2/groups/_allgroups/members/{iam_id}", E::Groups(Groups::LeaveGroups), D::Policies, Needs(A::GroupMemberDelete)),
    route(Method::GET,    "/v2/groups/{id}/rules",       E::GroupRules(GroupRules::List),   D::Policies, Needs(A::GroupMemberList)),
    route(Method::POST,   "/v2/groups/{id}/rules",       E::GroupRules(GroupRules::Create), D::Policies, Needs(A::GroupMemberAdd)),
    route(Method::GET,    "/v2/groups/{id}/rules/{rule}", E::GroupRules(GroupRules::Read),  D::Policies, Needs(A::GroupMemberList)),
    route(Method::PUT,    "/v2/groups/{id}/rules/{rule}", E::GroupRules(GroupRules::Replace), D::Policies, Needs(A::GroupMemberAdd)),
    route(Method::DELETE, "/v2/groups/{id}/rules/{rule}", E::GroupRules(GroupRules::Delete), D::Policies, Needs(A::GroupMemberDelete)),
    route(Method::HEAD,   "/v2/groups/{id}/members/{iam_id}", E::Groups(Groups::IsMember),  D::Policies, Needs(A::GroupMemberList)),
    route(Method::DELETE, "/v2/groups/{id}/members/{iam_id}", E::Groups(Groups::RemoveMember), D::Policies, Needs(A::GroupMemberDelete)),
    // Users
    route(Method::GET,    "/v2/accounts/{account}/users",          E::Users(Users::List),   D::Users, Listing(A::UserList)),
    route(Method::POST,   "/v2/accounts/{account}/users",          E::Users(Users::Invite), D::Users, Needs(A::UserInvite)),
    route(Method::GET,    "/v2/accounts/{account}/users/{iam_id}", E::Users(Users::Read),   D::Users, Needs(A::UserRead)),
    route(Method::PATCH,  "/v2/accounts/{account}/users/{iam_id}", E::Users(Users::Update), D::Users, Needs(A::UserUpdate)),
    route(Method::DELETE, "/v2/accounts/{account}/users/{iam_id}", E::Users(Users::Remove), D::Users, Needs(A::UserDelete)),
    route(Method::GET,    "/v2/accounts/{account}/users/{iam_id}/settings", E::Accounts(Accounts::UserSettings), D::Users, Needs(A::UserRead)),
    route(Method::PATCH,  "/v2/accounts/{account}/users/{iam_id}/settings", E::Accounts(Accounts::UpdateUser),   D::Users, Needs(A::UserUpdate)),
    // Container Registry
    route(Method::GET,    "/api/v1/auth",                E::Registry(Registry::Auth),             D::Registry, Needs(A::AuthGet)),
    route(Method::PATCH,  "/api/v1/auth",                E::Registry(Registry::SetAuth),          D::Registry, Needs(A::AuthSet)),
    route(Method::GET,    "/api/v1/images",              E::Registry(Registry::Images),           D::Registry, Listing(A::ImageList)),
    route(Method::POST,   "/api/v1/images/bulkdelete",   E::Images(Images::BulkDelete),           D::Registry, Listing(A::ImageDelete)),
    route(Method::POST,   "/api/v1/images/digests",      E::Images(Images::Digests),              D::Registry, Listing(A::ImageList)),
    route(Method::POST,   "/api/v1/images/tags",         E::Images(Images::Tag),                  D::Registry, Needs(A::ImagePush)),
    route(Method::DELETE, "/api/v1/images/{image}",      E::Images(Images::Delete),               D::Registry, Needs(A::ImageDelete)),
    route(Method::GET,    "/api/v1/images/{image}/json", E::Images(Images::Inspect),              D::Registry, Needs(A::ImageInspect)),
    route(Method::GET,    "/api/v1/images/{image}/manifest", E::Images(Images::Manifest),         D::Registry, Needs(A::ImageInspect)),
    route(Method::DELETE, "/api/v1/tags/{image}",        E::Images(Images::Untag),                D::Registry, Needs(A::ImageDelete)),
    route(Method::GET,    "/api/v1/trash",               E::Trash(Trash::List),                   D::Registry, Listing(A::ImageList)),
    route(Method::POST,   "/api/v1/trash/{image}/restoretags", E::Trash(Trash::RestoreTags),      D::Registry, Needs(A::ImagePush)),
    route(Method::POST,   "/api/v1/trash/{image}/restore", E::Trash(Trash::Restore),              D::Registry, Needs(A::ImagePush)),
    route(Method::GET,    "/api/v1/plans",               E::Registry(Registry::Plan),             D::Registry, Needs(A::PlanGet)),
    route(Method::PATCH,  "/api/v1/plans",               E::Registry(Registry::SetPlan),          D::Registry, Needs(A::PlanSet)),
    route(Method::GET,    "/api/v1/quotas",              E::Quotas(Quotas::Read),                 D::Registry, Needs(A::QuotaGet)),
    route(Method::PATCH,  "/api/v1/quotas",              E::Quotas(Quotas::Update),               D::Registry, Needs(A::QuotaSet)),
    route(Method::GET,    "/api/v1/retentions",          E::Retentions(Retentions::List),         D::Registry, Listing(A::RetentionList)),
    route(Method::POST,   "/api/v1/retentions",          E::Retentions(Retentions::Set),          D::Registry, Needs(A::RetentionSet)),
    route(Method::POST,   "/api/v1/retentions/analyze",  E::Retentions(Retentions::Analyze),      D::Registry, Needs(A::RetentionAnalyze)),
    route(Method::GET,    "/api/v1/retentions/{namespace}", E::Retentions(Retentions::Read),      D::Registry, Needs(A::RetentionGet)),
    route(Method::PATCH,  "/api/v1/namespaces/{name}",   E::Registry(Registry::AssignNamespace),  D::Registry, Needs(A::NamespaceCreate)),
    route(Method::PATCH,  "/api/v1/settings",            E::Registry(Registry::SetSettings),      D::Registry, Needs(A::SettingsSet)),
    route(Method::GET,    "/api/v1/messages",            E::Registry(Registry::Messages),         D::Registry, Anyone),
    route(Method::GET,    "/api/v1/namespaces",          E::Registry(Registry::Namespaces),       D::Registry, Listing(A::NamespaceList)),
    route(Method::GET,    "/api/v1/namespaces/details",  E::Registry(Registry::NamespaceDetails), D::Registry, Listing(A::NamespaceList)),
    route(Method::PUT,    "/api/v1/namespaces/{name}",   E::Registry(Registry::AddNamespace),     D::Registry, Needs(A::NamespaceCreate)),
    route(Method::DELETE, "/api/v1/namespaces/{name}",   E::Registry(Registry::RemoveNamespace),  D::Registry, Needs(A::NamespaceDelete)),
    route(Method::GET,    "/api/v1/settings",            E::Registry(Registry::Settings),         D::Registry, Needs(A::SettingsGet)),
    // Vulnerability Advisor
    route(Method::GET,    "/va/api/v4/report/account",        E::Reports(Reports::Account),       D::Registry, Listing(A::ImageVulnerabilities)),
    route(Method::GET,    "/va/api/v4/report/account/status", E::Reports(Reports::AccountStatus), D::Registry, Listing(A::ImageVulnerabilities)),
    route(Method::GET,    "/va/api/v4/report/image/{name}",   E::Reports(Reports::Image),         D::Registry, Needs(A::ImageVulnerabilities)),
    route(Method::GET,    "/va/api/v4/report/image/status/{name}", E::Reports(Reports::ImageStatus), D::Registry, Needs(A::ImageVulnerabilities)),
    route(Method::GET,    "/va/api/v4/exempt/types",          E::Exemptions(Exemptions::Types),   D::Registry, Proven),
    route(Method::GET,    "/va/api/v4/exempt/image",          E::Exemptions(Exemptions::List),    D::Registry, Needs(A::ExemptionList)),
    route(Method::GET,    "/va/api/v4/exempt/image/issue/{type}/{id}", E::Exemptions(Exemptions::Read), D::Registry, Needs(A::ExemptionList)),
    route(Method::POST,   "/va/api/v4/exempt/image/issue/{type}/{id}", E::Exemptions(Exemptions::Create), D::Registry, Needs(A::ExemptionManager)),
    route(Method::DELETE, "/va/api/v4/exempt/image/issue/{type}/{id}", E::Exemptions(Exemptions::Delete), D::Registry, Needs(A::ExemptionManager)),
    route(Method::GET,    "/va/api/v4/exempt/image/{resource}", E::Exemptions(Exemptions::List), D::Registry, Needs(A::ExemptionList)),
    route(Method::GET,    "/va/api/v4/exempt/image/{resource}/issue/{type}/{id}", E::Exemptions(Exemptions::Read), D::Registry, Needs(A::ExemptionList)),
    route(Method::POST,   "/va/api/v4/exempt/image/{resource}/issue/{type}/{id}", E::Exemptions(Exemptions::Create), D::Registry, Needs(A::ExemptionManager)),
    route(Method::DELETE, "/va/api/v4/exempt/image/{resource}/issue/{type}/{id}", E::Exemptions(Exemptions::Delete), D::Registry, Needs(A::ExemptionManager)),
    route(Method::GET,    "/va/api/v4/exemptions/account",    E::Exemptions(Exemptions::All),     D::Registry, Needs(A::ExemptionList)),
    route(Method::POST,   "/va/api/v4/exemptions/deleteAll",  E::Exemptions(Exemptions::DeleteAll), D::Registry, Needs(A::ExemptionManager)),
    route(Method::GET,    "/va/api/v4/exemptions/image/{resource}", E::Exemptions(Exemptions::OfImage), D::Registry, Needs(A::ExemptionList)),
    route(Method::POST,   "/va/api/v4/exemptions/images",     E::Exemptions(Exemptions::OfImages), D::Registry, Needs(A::ExemptionList)),
    // Security Insights
    route(Method::GET,    "/findings/v1/{account}/providers", E::Insights(Insights::Providers), D::Registry, Proven),
    route(Method::GET,    "/findings/v1/{account}/providers/{provider}/notes", E::Insights(Insights::Notes), D::Registry, Listing(A::ImageVulnerabilities)),
    route(Method::POST,   "/findings/v1/{account}/providers/{provider}/notes", E::Insights(Insights::CreateNote), D::Registry, Needs(A::FindingsWrite)),
    route(Method::GET,    "/findings/v1/{account}/providers/{provider}/notes/{note}", E::Insights(Insights::Note), D::Registry, Needs(A::ImageVulnerabilities)),
    route(Method::PUT,    "/findings/v1/{account}/providers/{provider}/notes/{note}", E::Insights(Insights::ReplaceNote), D::Registry, Needs(A::FindingsWrite)),
    route(Method::DELETE, "/findings/v1/{account}/providers/{provider}/notes/{note}", E::Insights(Insights::DeleteNote), D::Registry, Needs(A::FindingsWrite)),
    route(Method::GET,    "/findings/v1/{account}/providers/{provider}/notes/{note}/occurrences", E::Insights(Insights::OfNote), D::Registry, Listing(A::ImageVulnerabilities)),
    route(Method::GET,    "/findings/v1/{account}/providers/{provider}/occurrences", E::Insights(Insights::List), D::Registry, Listing(A::ImageVulnerabilities)),
    route(Method::POST,   "/findings/v1/{account}/providers/{provider}/occurrences", E::Insights(Insights::Create), D::Registry, Needs(A::FindingsWrite)),
    route(Method::GET,    "/findings/v1/{account}/providers/{provider}/occurrences/{occurrence}", E::Insights(Insights::Read), D::Registry, Needs(A::ImageVulnerabilities)),
    route(Method::PUT,    "/findings/v1/{account}/providers/{provider}/occurrences/{occurrence}", E::Insights(Insights::Replace), D::Registry, Needs(A::FindingsWrite)),
    route(Method::DELETE, "/findings/v1/{account}/providers/{provider}/occurrences/{occurrence}", E::Insights(Insights::Delete), D::Registry, Needs(A::FindingsWrite)),
    route(Method::GET,    "/findings/v1/{account}/providers/{provider}/occurrences/{occurrence}/note", E::Insights(Insights::NoteOf), D::Registry, Needs(A::ImageVulnerabilities)),
    route(Method::GET,    "/notifications/v1/{account}/notifications/channels", E::Notifications(Notifications::List), D::Registry, Needs(A::ChannelRead)),
    route(Method::POST,   "/notifications/v1/{account}/notifications/channels", E::Notifications(Notifications::Create), D::Registry, Needs(A::ChannelUpdate)),
    route(Method::DELETE, "/notifications/v1/{account}/notifications/channels", E::Notifications(Notifications::DeleteSome), D::Registry, Needs(A::ChannelUpdate)),
    route(Method::GET,    "/notifications/v1/{account}/notifications/channels/{id}", E::Notifications(Notifications::Read), D::Registry, Needs(A::ChannelRead)),
    route(Method::PUT,    "/notifications/v1/{account}/notifications/channels/{id}", E::Notifications(Notifications::Update), D::Registry, Needs(A::ChannelUpdate)),
    route(Method::DELETE, "/notifications/v1/{account}/notifications/channels/{id}", E::Notifications(Notifications::Delete), D::Registry, Needs(A::ChannelUpdate)),
    route(Method::GET,    "/notifications/v1/{account}/notifications/channels/{id}/test", E::Notifications(Notifications::Test), D::Registry, Needs(A::ChannelUpdate)),
    route(Method::POST,   "/notifications/v1/{account}/notifications/channels/{id}/test", E::Notifications(Notifications::Test), D::Registry, Needs(A::ChannelUpdate)),
    route(Method::GET,    "/notifications/v1/{account}/notifications/public_key", E::Notifications(Notifications::PublicKey), D::Registry, Needs(A::ChannelRead)),
    // Our own
    route(Method::POST,   "/api/native/access-keys",     E::Native(Native::CreateAccessKey), D::Native, Needs(A::ApiKeyCreate)),
    route(Method::GET,    "/api/native/allowlists/{id}", E::Native(Native::AllowList),    D::Native, Needs(A::ServiceIdRead)),
    route(Method::PUT,    "/api/native/allowlists/{id}", E::Native(Native::SetAllowList), D::Native, Needs(A::ServiceIdUpdate)),
    route(Method::GET,    "/api/native/compliance/deliveries", E::Compliance(Compliance::Deliveries), D::Native, Needs(A::ChannelRead)),
    route(Method::GET,    "/api/native/compliance/history", E::Compliance(Compliance::History),   D::Native, Needs(A::AccountRead)),
    route(Method::GET,    "/api/native/compliance/profiles", E::Compliance(Compliance::Profiles), D::Native, Needs(A::AccountRead)),
    route(Method::GET,    "/api/native/compliance/report", E::Compliance(Compliance::Report),     D::Native, Needs(A::AccountRead)),
    route(Method::GET,    "/api/native/compliance/results", E::Compliance(Compliance::Results),   D::Native, Needs(A::AccountRead)),
    route(Method::POST,   "/api/native/compliance/scans", E::Compliance(Compliance::Scan),        D::Native, Needs(A::AccountRead)),
    route(Method::POST,   "/api/native/explain",         E::Native(Native::Explain),    D::Native, Needs(A::PolicyRead)),
    route(Method::POST,   "/api/native/who-can",         E::Native(Native::WhoCan),     D::Native, Needs(A::PolicyRead)),
    route(Method::POST,   "/api/native/images/{image}/report", E::Native(Native::UploadReport), D::Native, Needs(A::FindingsWrite)),
    route(Method::GET,    "/api/native/jobs",            E::Fleet(Fleet::Jobs),         D::Native, Needs(A::AccountRead)),
    route(Method::POST,   "/api/native/signing-keys",    E::Fleet(Fleet::RotateKey),    D::Native, Needs(A::AccountUpdate)),
    route(Method::GET,    "/api/native/registries",      E::Native(Native::Registries), D::Native, Proven),
    route(Method::GET,    "/api/native/whoami",          E::Native(Native::Whoami),     D::Native, Proven),
];

/// What a method and a path lead to.
#[derive(Debug)]
pub enum Found {
    /// This endpoint, with these parameters.
    Route(&'static Route, Params),
    /// The path is there, but only for these methods.
    OtherMethods(Vec<&'static Method>),
    /// Nothing.
    Nothing,
}

/// Path parameters.
#[derive(Clone, Debug, Default)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The parameter called `name`; empty if the template has none.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The last parameter, which names what is acted on.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        self.0.last().map(|(_, value)| crate::ids::Malformed::new(value, "").text)
    }

    /// The same, percent-decoded.
    ///
    /// # Errors
    /// [`Problem::Invalid`] for what is not text.
    pub fn decoded(self) -> Result<Self, Problem> {
        let decoded = self.0.into_iter().map(|(name, value)| Ok((name, query::decode(&value)?)));
        decoded.collect::<Result<_, Problem>>().map(Self)
    }
}

/// Finds the endpoint for a method and a raw path.
#[must_use]
pub fn find(method: &Method, path: &str) -> Found {
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(params) = matches(route.template, path) else { continue };
        if route.method == *method {
            return Found::Route(route, params);
        }
        if !allowed.contains(&&route.method) {
            allowed.push(&route.method);
        }
    }
    if allowed.is_empty() { Found::Nothing } else { Found::OtherMethods(allowed) }
}

/// How long the body of a call may be.
#[must_use]
pub fn body_max(method: &Method, path: &str) -> usize {
    match find(method, path) {
        Found::Route(Route { endpoint: Endpoint::Native(Native::UploadReport), .. }, _) => REPORT_MAX,
        Found::Route(..) | Found::OtherMethods(_) | Found::Nothing => body::MAX,
    }
}

/// Whether a path is the control plane's. Under `/v2/` only the paths in the table are; the rest is the registry's.
#[must_use]
pub fn owns(path: &str) -> bool {
    let prefixed = ["/v1/", "/api/", "/va/", "/findings/", "/notifications/"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    if let Some(rest) = path.strip_prefix("/v2/") {
        // Nearly every request is the registry's, and the table is long.
        let first = rest.split('/').next().unwrap_or_default();
        if !SHARED.contains(&first) {
            return false;
        }
    }
    prefixed || ROUTES.iter().any(|route| matches(route.template, path).is_some())
}

/// What follows `/v2/` in paths of the table.
static SHARED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let shared = ROUTES.iter().filter_map(|route| route.template.strip_prefix("/v2/"));
    let mut firsts: Vec<_> = shared.filter_map(|rest| rest.split('/').next()).collect();
    firsts.dedup();
    firsts
});

/// How errors at a path are reported, whether or not there is anything at it.
#[must_use]
pub fn dialect_of(path: &str) -> Dialect {
    let under = |prefix: &str| path.starts_with(prefix);
    if under("/api/native/") {
        Dialect::Native
    } else if ["/api/", "/va/", "/findings/", "/notifications/"].into_iter().any(under) {
        Dialect::Registry
    } else if under("/v2/accounts/") {
        Dialect::Users
    } else if ["/config/", "/v1/policies", "/v1/rules", "/v1/zones", "/v2/"].into_iter().any(under) {
        Dialect::Policies
    } else {
        Dialect::Identity
    }
}

/// Words that make a path under `/v2/` the registry's: a repository may be called `groups` and have a tag `members`.
const REGISTRY_WORDS: [&str; 4] = ["manifests", "blobs", "tags", "referrers"];

fn matches(template: &'static str, path: &str) -> Option<Params> {
    // IBM's SDKs write `/v1/serviceids/`.
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut given = path.split('/');
    let mut params = Vec::new();
    for wanted in template.split('/') {
        let segment = given.next()?;
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(_) if template.starts_with("/v2/") && REGISTRY_WORDS.contains(&segment) => return None,
            Some(name) => params.push((name, segment.to_owned())),
            None if wanted == segment => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(Params(params))
}
