//! What outlives the process: one trait per aggregate, and the feed that tells what changed.
//!
//! Every write appends to the change table in its own transaction. A write returns only after the view of this
//! process has heard of it (see [`feed`]), so the next request already obeys. The store never decides anything.

pub mod account;
pub mod alert;
pub mod aws;
pub mod census;
pub mod compliance;
#[cfg(test)]
pub(crate) mod contract;
pub mod custom_role;
pub mod error;
#[cfg(test)]
pub(crate) mod faulty;
pub mod feed;
pub mod findings;
pub mod group;
pub mod group_rule;
pub mod identity;
pub mod insight;
pub mod job;
pub mod keyring;
pub mod lead;
pub mod network;
pub mod policy;
pub mod postgres;
pub mod profile;
pub mod quota;
pub mod registry;
pub mod resource_group;
pub mod retention;
pub mod rule_attachment;
pub(in crate::store) mod sql;
pub mod sqlite;
pub mod tables;
pub mod tag_hold;
pub mod transfer;
pub mod trash;
pub mod trusted_profile;

pub use error::StoreError;

/// The whole store.
pub trait Store:
    account::Accounts
    + alert::Alerts
    + aws::AwsStore
    + census::Census
    + compliance::Compliance
    + custom_role::CustomRoles
    + feed::Feed
    + findings::Exemptions
    + findings::Findings
    + findings::PushedReports
    + group::Groups
    + group_rule::ClaimRules
    + identity::Identities
    + insight::Insights
    + job::Jobs
    + keyring::Keyring
    + lead::Leads
    + network::Networks
    + policy::Policies
    + profile::Profiles
    + quota::Quotas
    + registry::Registries
    + resource_group::ResourceGroups
    + trusted_profile::TrustedProfiles
    + retention::Retentions
    + rule_attachment::RuleAttachments
    + tag_hold::TagHolds
    + trash::Trash
    + Send
    + Sync
{
}
