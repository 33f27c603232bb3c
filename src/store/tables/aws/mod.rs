//! Rows of AWS's dialect, one file per noun.

pub(super) mod access_key;
pub(super) mod attachment;
mod boundary;
mod group;
mod holder;
mod images;
mod inline_policy;
mod layer_upload;
mod lifecycle;
mod managed_policy;
mod oidc_provider;
mod policies;
mod registry;
mod remains;
mod repository;
mod role;
mod tag;
mod user;

impl crate::store::aws::AwsStore for super::SqlStore {}
