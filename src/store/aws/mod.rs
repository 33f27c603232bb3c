//! AWS's dialect of the directory: one trait per noun. Users and groups are the rows that IBM's dialect knows, with more columns.
//!
//! What AWS refuses because of other rows (quotas, deletes that come too early) is refused in the transaction that would
//! have broken it, and as a fact ([`Quota`], [`Remains`]): the API has the words. The store never reads a document.

pub mod access_key;
pub mod attachment;
pub mod boundary;
pub mod error;
pub mod group;
pub mod holder;
pub mod images;
pub mod inline_policy;
pub mod layer_upload;
pub mod lifecycle;
pub mod managed_policy;
pub mod oidc_provider;
pub mod policies;
pub mod registry;
pub mod repository;
pub mod role;
pub mod tag;
pub mod text;
pub mod user;

pub use error::{AwsError, Quota, Remains};

/// Everything that AWS's dialect keeps.
pub trait AwsStore:
    access_key::AccessKeys
    + attachment::Attachments
    + boundary::Boundaries
    + group::AwsGroups
    + images::SeenImages
    + inline_policy::InlinePolicies
    + layer_upload::LayerUploads
    + lifecycle::Lifecycles
    + managed_policy::ManagedPolicies
    + oidc_provider::OidcProviders
    + policies::PoliciesInForce
    + registry::RegistryExtras
    + repository::Repositories
    + role::Roles
    + tag::Tags
    + user::AwsUsers
{
}
