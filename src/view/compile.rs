//! AWS's documents as the store holds them, compiled for whom they belong to: all of them, or nothing.
//!
//! What cannot be understood may have been a restriction. So a document that cannot be read, and a policy of AWS's that
//! this product does not have, stop their owner, and nobody else.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::ids::account::AccountId;
use crate::policy::aws::arn::Arn;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::managed::MANAGED;
use crate::policy::aws::validate;
use crate::policy::engine::bundle::Policies;
use crate::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use crate::policy::table::product;
use crate::store::StoreError;
use crate::store::aws::holder::AwsPolicyArn;
use crate::store::aws::policies::{ActorPolicies, Origin, PolicyText};
use crate::store::aws::text::DocumentText;

/// The policies of an actor: `identity` its own, `groups` those of its groups, each in the order of `held`.
///
/// # Errors
/// [`StoreError::Corrupt`] if one of them cannot be obeyed.
pub fn policies(account: &AccountId, held: &ActorPolicies) -> Result<Policies, StoreError> {
    let mut compiled = Policies::default();
    for one in &held.policies {
        let list = match &one.origin {
            Origin::Group(..) => &mut compiled.groups,
            Origin::Own => &mut compiled.identity,
        };
        list.push(policy(account, &one.origin, &one.policy)?);
    }
    compiled.boundary = held.boundary.as_ref().map(|text| policy(account, &Origin::Own, text)).transpose()?;
    Ok(compiled)
}

/// A policy of AWS's, by its ARN: the one place where such an ARN becomes a document.
#[must_use]
pub fn managed(arn: &AwsPolicyArn) -> Option<Arc<CompiledPolicy>> {
    static COMPILED: LazyLock<HashMap<String, Arc<CompiledPolicy>>> = LazyLock::new(|| {
        let compiled = MANAGED.iter().filter_map(|known| {
            let (arn, document) = (known.arn(), known.document().ok()?);
            let policy = compile_aws(&arn, &document, Place::Identity, product());
            Some((arn, Arc::new(policy)))
        });
        compiled.collect()
    });
    COMPILED.get(&arn.to_string()).map(Arc::clone)
}

/// The same, by the ARN as text; `None` if this product has none such.
#[must_use]
pub fn managed_named(arn: &str) -> Option<Arc<CompiledPolicy>> {
    AwsPolicyArn::parse(arn).ok().and_then(|arn| managed(&arn))
}

/// A document that is attached to such a place; `id` names it in reasons.
pub(super) fn document(
    id: &str,
    text: &DocumentText,
    (kind, place): (Kind, Place),
) -> Result<Arc<CompiledPolicy>, StoreError> {
    let document = validate::read(text.as_str(), kind);
    let document = document.map_err(|invalid| StoreError::Corrupt(format!("policy {id}: {invalid}")))?;
    Ok(Arc::new(compile_aws(id, &document, place, product())))
}

/// A document that a session was made with.
///
/// # Errors
/// [`StoreError::Corrupt`] if it cannot be obeyed.
pub fn session(text: &str) -> Result<Arc<CompiledPolicy>, StoreError> {
    let document = validate::read(text, Kind::Session);
    let document =
        document.map_err(|invalid| StoreError::Corrupt(format!("a session's policy: {invalid}")))?;
    Ok(Arc::new(compile_aws("session", &document, Place::Identity, product())))
}

/// A role's trust policy; `role` names it in reasons.
///
/// # Errors
/// [`StoreError::Corrupt`] if it cannot be obeyed.
pub fn trust(role: &str, text: &str) -> Result<Arc<CompiledPolicy>, StoreError> {
    let document = validate::read(text, Kind::Trust);
    let document =
        document.map_err(|invalid| StoreError::Corrupt(format!("the trust policy of {role}: {invalid}")))?;
    Ok(Arc::new(compile_aws(role, &document, Place::Trust, product())))
}

fn policy(
    account: &AccountId,
    origin: &Origin,
    text: &PolicyText,
) -> Result<Arc<CompiledPolicy>, StoreError> {
    match text {
        PolicyText::Aws(arn) => managed(arn)
            .ok_or_else(|| StoreError::Corrupt(format!("policy {arn}: this product has none such"))),
        PolicyText::Customer { path, name, document: text, .. } => {
            let (account, path, name) = (account.clone(), path.clone(), name.clone());
            let arn = Arn::Policy { account, path, name }.to_string();
            document(&arn, text, (Kind::Managed, Place::Identity))
        }
        PolicyText::Inline(name, text) => {
            let id = match origin {
                Origin::Group(_, group) => format!("inline:{group}/{}", name.as_str()),
                Origin::Own => format!("inline:{}", name.as_str()),
            };
            document(&id, text, (Kind::Inline, Place::Identity))
        }
    }
}
