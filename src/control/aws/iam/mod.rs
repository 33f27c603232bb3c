//! IAM in AWS's dialect: one file per noun.
//!
//! Who has the action on the resource may, no more and no less: AWS's documents alone decide, and IBM's roles give nothing
//! here. What is acted on is looked up first, because its ARN has its path and its tags are condition keys; but nothing
//! is said of it before the permit: whoever is refused reads the same for what exists and what does not.

use std::sync::Arc;

use super::problem::AwsProblem;
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::policy::table::IamAction;
use crate::store::aws::tag::Tag;

pub mod access_key;
pub mod account;
pub mod attachment;
pub mod boundary;
pub mod details;
pub mod entity;
pub mod granting;
pub mod group;
pub mod held;
pub mod inline;
pub mod keys;
pub mod known;
pub mod managed;
pub mod named;
pub mod page;
pub mod policy;
pub mod provider;
pub mod role;
pub mod simulate;
pub mod tag;
mod trust;
pub mod user;
pub mod version;
pub mod words;

/// Condition keys of a call, beyond those that the gate knows itself.
type Keys = Vec<(String, Vec<String>)>;

impl Desk {
    /// Permits an action on one thing.
    async fn permit_on(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        arn: String,
        context: Keys,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let ask = AwsAsk::new(action.id(), AwsTarget::Arn(arn));
        self.authority.permit_aws(caller, AwsAsk { context, ..ask }).await
    }

    /// Permits an action on the account.
    async fn permit_all(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        self.authority.permit_aws(caller, AwsAsk::new(action.id(), AwsTarget::Everything)).await
    }
}

/// What a call says of the tags that it sets.
fn request_tags(tags: &[Tag]) -> Keys {
    let mut keys: Keys = tags
        .iter()
        .map(|tag| (format!("aws:RequestTag/{}", tag.key()), vec![tag.value().to_owned()]))
        .collect();
    keys.extend(tag_keys(tags.iter().map(|tag| tag.key().to_owned()).collect()));
    keys
}

/// Which tags a call names.
fn tag_keys(names: Vec<String>) -> Option<(String, Vec<String>)> {
    (!names.is_empty()).then(|| ("aws:TagKeys".to_owned(), names))
}

/// What is known of the tags of what is acted on.
fn resource_tags(tags: &[Tag]) -> Keys {
    let both = |tag: &Tag| {
        ["aws", "iam"]
            .map(|prefix| (format!("{prefix}:ResourceTag/{}", tag.key()), vec![tag.value().to_owned()]))
    };
    tags.iter().flat_map(both).collect()
}
