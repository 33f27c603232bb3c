//! What each call is called in the audit log: Activity Tracker's names, which are not always those of
//! the action that policies are asked for. What has no name there is named after the same pattern.

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
use super::routes::Endpoint;
use crate::ids::principal::PrincipalId;

/// What a test of a notification channel is called.
pub const CHANNEL_TEST: &str = "compliance.notification-channel.test";

/// What a call is called; a key's owner, as far as it is known, has a say. Our own calls are called by their actions, if
/// they have one.
#[must_use]
pub fn activity(endpoint: Endpoint, owner: Option<&PrincipalId>) -> Option<&'static str> {
    Some(match endpoint {
        Endpoint::Accounts(which) => account(which),
        Endpoint::ApiKeys(which) => api_key(which, owner),
        Endpoint::Attachments(which) => attachment(which),
        Endpoint::Cbr(which) => restriction(which),
        Endpoint::Compliance(_) | Endpoint::Fleet(_) => return None,
        Endpoint::Governance(which) => governance(which),
        Endpoint::Exemptions(which) => exemption(which),
        Endpoint::GroupRules(which) => group_rule(which),
        Endpoint::Groups(which) => group(which),
        Endpoint::Images(which) => image(which),
        Endpoint::Insights(which) => insight(which),
        Endpoint::Native(_) => return None,
        Endpoint::Notifications(which) => notification(which),
        Endpoint::Policies(which) | Endpoint::PoliciesV2(which) => policy(which),
        Endpoint::ProfileIdentities(which) => match which {
            Identities::Add | Identities::Remove | Identities::Replace => {
                "iam-identity.account-profile.update"
            }
            Identities::List | Identities::Read => "iam-identity.account-profile.read",
        },
        Endpoint::ProfileLinks(which) => match which {
            Links::Create | Links::Delete | Links::DeleteOf => "iam-identity.account-profile.update",
            Links::List | Links::Read => "iam-identity.account-profile.read",
        },
        Endpoint::ProfileRules(which) => match which {
            Rules::Create | Rules::Delete | Rules::Replace => "iam-identity.account-profile.update",
            Rules::List | Rules::Read => "iam-identity.account-profile.read",
        },
        Endpoint::Profiles(which) => match which {
            Profiles::Create => "iam-identity.account-profile.create",
            Profiles::Delete => "iam-identity.account-profile.delete",
            Profiles::List => "iam-identity.account-profile.list",
            Profiles::Read => "iam-identity.account-profile.read",
            Profiles::Update => "iam-identity.account-profile.update",
        },
        Endpoint::Quotas(which) => match which {
            Quotas::Read => "container-registry.quota.get",
            Quotas::Update => "container-registry.quota.set",
        },
        Endpoint::Registry(which) => registry(which)?,
        Endpoint::Reports(which) => report(which),
        Endpoint::ResourceGroups(which) => resource_group(which),
        Endpoint::Retentions(which) => match which {
            Retentions::Analyze => "container-registry.retention.analyze",
            Retentions::List => "container-registry.retention.list",
            Retentions::Read => "container-registry.retention.get",
            Retentions::Set => "container-registry.retention.set",
        },
        Endpoint::Roles(which) => role(which),
        Endpoint::ServiceIds(which) => service_id(which),
        Endpoint::Trash(which) => match which {
            Trash::List => "container-registry.trash.list",
            Trash::Restore | Trash::RestoreTags => "container-registry.trash.restore",
        },
        Endpoint::Users(which) => user(which),
    })
}

const fn account(which: Accounts) -> &'static str {
    match which {
        Accounts::Effective | Accounts::Settings => "iam-identity.account-settings.read",
        Accounts::Update => "iam-identity.account-settings.update",
        Accounts::UpdateUser => "user-management.user-setting.update",
        Accounts::UserSettings => "user-management.user-setting.read",
    }
}

const fn api_key(which: ApiKeys, owner: Option<&PrincipalId>) -> &'static str {
    /// Of a user, of a service ID, of nobody that is known.
    const fn of(owner: Option<&PrincipalId>, [user, service, unknown]: [&'static str; 3]) -> &'static str {
        match owner {
            Some(PrincipalId::User(_)) => user,
            Some(PrincipalId::ServiceId(_)) => service,
            Some(PrincipalId::Profile(_) | PrincipalId::Role(_)) | None => unknown,
        }
    }
    let names = match which {
        ApiKeys::Create => [
            "iam-identity.user-apikey.create",
            "iam-identity.serviceid-apikey.create",
            "iam-identity.apikey.create",
        ],
        ApiKeys::Delete => [
            "iam-identity.user-apikey.delete",
            "iam-identity.serviceid-apikey.delete",
            "iam-identity.apikey.delete",
        ],
        ApiKeys::Details | ApiKeys::Read => [
            "iam-identity.user-apikey.read",
            "iam-identity.serviceid-apikey.read",
            "iam-identity.apikey.read",
        ],
        ApiKeys::List => ["iam-identity.apikey.list"; 3],
        ApiKeys::Disable | ApiKeys::Enable | ApiKeys::Lock | ApiKeys::Unlock | ApiKeys::Update => [
            "iam-identity.user-apikey.update",
            "iam-identity.serviceid-apikey.update",
            "iam-identity.apikey.update",
        ],
    };
    of(owner, names)
}

const fn notification(which: Notifications) -> &'static str {
    match which {
        Notifications::Create => "compliance.notification-channel.create",
        Notifications::Delete | Notifications::DeleteSome => "compliance.notification-channel.delete",
        Notifications::List => "compliance.notification-channel.list",
        Notifications::PublicKey | Notifications::Read => "compliance.notification-channel.read",
        Notifications::Test => CHANNEL_TEST,
        Notifications::Update => "compliance.notification-channel.update",
    }
}

const fn attachment(which: Attachments) -> &'static str {
    match which {
        Attachments::Create => "compliance.configuration-governance-attachment.create",
        Attachments::Delete => "compliance.configuration-governance-attachment.delete",
        Attachments::List => "compliance.configuration-governance-attachment.list",
        Attachments::Read => "compliance.configuration-governance-attachment.read",
        Attachments::Replace => "compliance.configuration-governance-attachment.update",
    }
}

const fn insight(which: Insights) -> &'static str {
    match which {
        Insights::Create => "compliance.occurrence.create",
        Insights::CreateNote => "compliance.note.create",
        Insights::Delete => "compliance.occurrence.delete",
        Insights::DeleteNote => "compliance.note.delete",
        Insights::List | Insights::OfNote => "compliance.occurrence.list",
        Insights::Note | Insights::NoteOf => "compliance.note.read",
        Insights::Notes => "compliance.note.list",
        Insights::Providers => "compliance.provider.list",
        Insights::Read => "compliance.occurrence.read",
        Insights::Replace => "compliance.occurrence.update",
        Insights::ReplaceNote => "compliance.note.update",
    }
}

const fn governance(which: Governance) -> &'static str {
    match which {
        Governance::Create => "compliance.configuration-governance-rule.create",
        Governance::Delete => "compliance.configuration-governance-rule.delete",
        Governance::List => "compliance.configuration-governance-rule.list",
        Governance::Read => "compliance.configuration-governance-rule.read",
        Governance::Replace => "compliance.configuration-governance-rule.update",
    }
}

const fn restriction(which: Cbr) -> &'static str {
    match which {
        Cbr::CreateRule => "context-based-restrictions.policy.create",
        Cbr::CreateZone => "context-based-restrictions.zone.create",
        Cbr::DeleteRule => "context-based-restrictions.policy.delete",
        Cbr::DeleteZone => "context-based-restrictions.zone.delete",
        Cbr::ReadRule => "context-based-restrictions.policy.read",
        Cbr::ReadZone => "context-based-restrictions.zone.read",
        Cbr::ReplaceRule => "context-based-restrictions.policy.update",
        Cbr::ReplaceZone => "context-based-restrictions.zone.update",
        Cbr::Rules => "context-based-restrictions.policy.list",
        Cbr::Zones => "context-based-restrictions.zone.list",
    }
}

const fn group_rule(which: GroupRules) -> &'static str {
    match which {
        GroupRules::Create => "iam-groups.rule.create",
        GroupRules::Delete => "iam-groups.rule.delete",
        GroupRules::List => "iam-groups.rules.list",
        GroupRules::Read => "iam-groups.rule.read",
        GroupRules::Replace => "iam-groups.rule.update",
    }
}

const fn group(which: Groups) -> &'static str {
    match which {
        Groups::AddMembers | Groups::JoinGroups => "iam-groups.member.add",
        Groups::ChangeSettings => "iam-groups.account-settings.update",
        Groups::Create => "iam-groups.group.create",
        Groups::Delete => "iam-groups.group.delete",
        Groups::IsMember => "iam-groups.member.read",
        Groups::LeaveGroups | Groups::RemoveMember | Groups::RemoveMembers => "iam-groups.member.delete",
        Groups::List => "iam-groups.groups.list",
        Groups::Members => "iam-groups.members.list",
        Groups::Read => "iam-groups.group.read",
        Groups::Settings => "iam-groups.account-settings.read",
        Groups::Update => "iam-groups.group.update",
    }
}

const fn image(which: Images) -> &'static str {
    match which {
        Images::BulkDelete => "container-registry.image.bulkdelete",
        Images::Delete => "container-registry.image.delete",
        Images::Digests => "container-registry.image.list",
        Images::Inspect => "container-registry.image.inspect",
        Images::Manifest => "container-registry.manifest.inspect",
        Images::Tag => "container-registry.image.tag",
        Images::Untag => "container-registry.image.untag",
    }
}

const fn policy(which: Policies) -> &'static str {
    match which {
        Policies::Create => "iam-am.policy.create",
        Policies::Delete => "iam-am.policy.delete",
        Policies::List => "iam-am.policy.list",
        Policies::Read => "iam-am.policy.read",
        Policies::Replace | Policies::Restore => "iam-am.policy.update",
    }
}

const fn registry(which: Registry) -> Option<&'static str> {
    Some(match which {
        Registry::AddNamespace => "container-registry.namespace.create",
        Registry::AssignNamespace => "container-registry.namespace.update",
        Registry::Auth => "container-registry.auth.get",
        Registry::Images => "container-registry.image.list",
        Registry::Messages => return None,
        Registry::NamespaceDetails | Registry::Namespaces => "container-registry.namespace.list",
        Registry::Plan => "container-registry.plan.get",
        Registry::RemoveNamespace => "container-registry.namespace.delete",
        Registry::SetAuth => "container-registry.auth.set",
        Registry::SetPlan => "container-registry.plan.set",
        Registry::SetSettings => "container-registry.settings.set",
        Registry::Settings => "container-registry.settings.get",
    })
}

const fn resource_group(which: ResourceGroups) -> &'static str {
    match which {
        ResourceGroups::Create => "resource-controller.group.create",
        ResourceGroups::Delete => "resource-controller.group.delete",
        ResourceGroups::List => "resource-controller.group.list",
        ResourceGroups::Read => "resource-controller.group.read",
        ResourceGroups::Update => "resource-controller.group.update",
    }
}

const fn role(which: Roles) -> &'static str {
    match which {
        Roles::Create => "iam-am.role.create",
        Roles::Delete => "iam-am.role.delete",
        Roles::List => "iam-am.role.list",
        Roles::Read => "iam-am.role.read",
        Roles::Replace => "iam-am.role.update",
    }
}

const fn service_id(which: ServiceIds) -> &'static str {
    match which {
        ServiceIds::Create => "iam-identity.account-serviceid.create",
        ServiceIds::Delete => "iam-identity.account-serviceid.delete",
        ServiceIds::List => "iam-identity.account-serviceid.list",
        ServiceIds::Lock | ServiceIds::Unlock | ServiceIds::Update => "iam-identity.account-serviceid.update",
        ServiceIds::Read => "iam-identity.account-serviceid.read",
    }
}

const fn user(which: Users) -> &'static str {
    match which {
        Users::Invite => "user-management.user.create",
        Users::List => "user-management.user.list",
        Users::Read => "user-management.user.read",
        Users::Remove => "user-management.user.delete",
        Users::Update => "user-management.user.update",
    }
}

const fn exemption(which: Exemptions) -> &'static str {
    match which {
        Exemptions::Create => "container-registry.exemption.create",
        Exemptions::Delete | Exemptions::DeleteAll => "container-registry.exemption.delete",
        Exemptions::All
        | Exemptions::List
        | Exemptions::OfImage
        | Exemptions::OfImages
        | Exemptions::Read
        | Exemptions::Types => "container-registry.exemption.list",
    }
}

const fn report(which: Reports) -> &'static str {
    match which {
        Reports::Account => "container-registry.account-vulnerability-report.list",
        Reports::AccountStatus => "container-registry.account-vulnerability-status.list",
        Reports::Image => "container-registry.image-vulnerability-report.read",
        Reports::ImageStatus => "container-registry.image-vulnerability-status.read",
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::activity;
    use crate::api::routes::{Dialect, Found, ROUTES, find};

    /// Those that are documented, as far as there is such a call here.
    const TABLE: &str = "
        GET    /api/v1/auth                      container-registry.auth.get
        PATCH  /api/v1/auth                      container-registry.auth.set
        GET    /api/v1/images                    container-registry.image.list
        POST   /api/v1/images/bulkdelete         container-registry.image.bulkdelete
        POST   /api/v1/images/digests            container-registry.image.list
        POST   /api/v1/images/tags               container-registry.image.tag
        DELETE /api/v1/images/x                  container-registry.image.delete
        GET    /api/v1/images/x/json             container-registry.image.inspect
        GET    /api/v1/images/x/manifest         container-registry.manifest.inspect
        GET    /api/v1/messages                  none
        GET    /api/v1/namespaces                container-registry.namespace.list
        GET    /api/v1/namespaces/details        container-registry.namespace.list
        PUT    /api/v1/namespaces/x              container-registry.namespace.create
        PATCH  /api/v1/namespaces/x              container-registry.namespace.update
        DELETE /api/v1/namespaces/x              container-registry.namespace.delete
        GET    /api/v1/plans                     container-registry.plan.get
        PATCH  /api/v1/plans                     container-registry.plan.set
        GET    /api/v1/quotas                    container-registry.quota.get
        PATCH  /api/v1/quotas                    container-registry.quota.set
        GET    /api/v1/retentions                container-registry.retention.list
        POST   /api/v1/retentions                container-registry.retention.set
        POST   /api/v1/retentions/analyze        container-registry.retention.analyze
        GET    /api/v1/retentions/x              container-registry.retention.get
        GET    /api/v1/settings                  container-registry.settings.get
        PATCH  /api/v1/settings                  container-registry.settings.set
        DELETE /api/v1/tags/x                    container-registry.image.untag
        GET    /api/v1/trash                     container-registry.trash.list
        POST   /api/v1/trash/x/restoretags       container-registry.trash.restore
        POST   /api/v1/trash/x/restore           container-registry.trash.restore
        POST   /v1/serviceids                    iam-identity.account-serviceid.create
        PUT    /v1/serviceids/x                  iam-identity.account-serviceid.update
        DELETE /v1/serviceids/x                  iam-identity.account-serviceid.delete
        POST   /v1/apikeys                       iam-identity.serviceid-apikey.create
        PUT    /v1/apikeys/x                     iam-identity.serviceid-apikey.update
        POST   /v1/apikeys/x/lock                iam-identity.serviceid-apikey.update
        DELETE /v1/apikeys/x                     iam-identity.serviceid-apikey.delete
        POST   /v1/profiles                      iam-identity.account-profile.create
        PUT    /v1/profiles/x                    iam-identity.account-profile.update
        DELETE /v1/profiles/x                    iam-identity.account-profile.delete
        POST   /v1/policies                      iam-am.policy.create
        PUT    /v2/policies/x                    iam-am.policy.update
        DELETE /v1/policies/x                    iam-am.policy.delete
        POST   /v2/groups                        iam-groups.group.create
        GET    /v2/groups/x                      iam-groups.group.read
        PATCH  /v2/groups/x                      iam-groups.group.update
        DELETE /v2/groups/x                      iam-groups.group.delete
        GET    /v2/groups                        iam-groups.groups.list
        PUT    /v2/groups/x/members              iam-groups.member.add
        DELETE /v2/groups/x/members/y            iam-groups.member.delete
        HEAD   /v2/groups/x/members/y            iam-groups.member.read
        GET    /v2/groups/x/members              iam-groups.members.list
        POST   /v2/groups/x/rules                iam-groups.rule.create
        PATCH  /v2/groups/settings               iam-groups.account-settings.update
        POST   /v1/zones                         context-based-restrictions.zone.create
        GET    /v1/zones                         context-based-restrictions.zone.list
        GET    /v1/zones/x                       context-based-restrictions.zone.read
        PUT    /v1/zones/x                       context-based-restrictions.zone.update
        DELETE /v1/zones/x                       context-based-restrictions.zone.delete
        POST   /v1/rules                         context-based-restrictions.policy.create
        DELETE /v1/rules/x                       context-based-restrictions.policy.delete
    ";

    #[test]
    fn every_call_of_the_documents_is_told_by_the_name_that_they_give_it() {
        let owner = "iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b".parse().unwrap();
        let mut rows = 0;
        for row in TABLE.lines().filter(|row| !row.trim().is_empty()) {
            let words: Vec<&str> = row.split_whitespace().collect();
            let method = Method::from_bytes(words[0].as_bytes()).unwrap();
            let Found::Route(route, _) = find(&method, words[1]) else { panic!("there is no {row}") };
            assert_eq!(activity(route.endpoint, Some(&owner)).unwrap_or("none"), words[2], "{row}");
            rows += 1;
        }
        assert_eq!(rows, 60);
    }

    #[test]
    fn no_call_is_without_a_name_but_our_own_and_what_everybody_may() {
        for route in ROUTES {
            let named = activity(route.endpoint, None);
            let unnamed = route.dialect == Dialect::Native || route.template == "/api/v1/messages";
            assert_eq!(named.is_none(), unnamed, "{} {}", route.method, route.template);
            // What is acted on is in the name, between the service and the deed.
            assert!(named.is_none_or(|name| name.split('.').count() == 3), "{named:?}");
        }
    }
}
