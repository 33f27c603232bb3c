//! Rows of AWS's dialect, one file per noun.

pub(super) mod access_key;
pub(super) mod attachment;
mod boundary;
mod group;
mod holder;
mod inline_policy;
mod managed_policy;
mod oidc_provider;
mod policies;
mod remains;
mod repository;
mod role;
mod tag;
mod user;

impl crate::store::aws::AwsStore for super::SqliteStore {}
