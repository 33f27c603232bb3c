//! How holders and policies stand in columns.

use crate::policy::aws::arn::{Name, Path};
use crate::store::aws::attachment::AttachedPolicy;
use crate::store::aws::holder::{Actor, AwsPolicyArn, Holder, PolicyRef};
use crate::store::tables::row;
use crate::store::{StoreError, sql};

/// The columns `group_id`, `principal_id` and `role_id`; one is filled.
pub(super) fn columns(holder: &Holder) -> [Option<String>; 3] {
    match holder {
        Holder::Group(id) => [Some(id.to_string()), None, None],
        Holder::Principal(id) => [None, Some(id.to_string()), None],
        Holder::Role(id) => [None, None, Some(id.to_string())],
    }
}

/// The column `holder`.
pub(super) fn key(holder: &Holder) -> String {
    match holder {
        Holder::Group(id) => id.to_string(),
        Holder::Principal(id) => id.to_string(),
        Holder::Role(id) => id.to_string(),
    }
}

/// The column `holder`, for an actor.
pub(super) fn actor_key(actor: &Actor) -> String {
    match actor {
        Actor::Principal(id) => id.to_string(),
        Actor::Role(id) => id.to_string(),
    }
}

/// The columns `policy_id` and `policy_arn`; one is filled.
pub(super) fn policy_columns(policy: &PolicyRef) -> [Option<String>; 2] {
    match policy {
        PolicyRef::Aws(arn) => [None, Some(arn.to_string())],
        PolicyRef::Customer(id) => [Some(id.to_string()), None],
    }
}

/// The column `policy`.
pub(super) fn policy_key(policy: &PolicyRef) -> String {
    match policy {
        PolicyRef::Aws(arn) => arn.to_string(),
        PolicyRef::Customer(id) => id.to_string(),
    }
}

/// Reads who holds.
pub(super) fn holder(found: &sql::Row) -> Result<Holder, StoreError> {
    if filled(found, "group_id")? {
        return Ok(Holder::Group(row::parsed(found, "group_id")?));
    }
    if filled(found, "role_id")? {
        return Ok(Holder::Role(row::parsed(found, "role_id")?));
    }
    Ok(Holder::Principal(row::parsed(found, "principal_id")?))
}

/// Reads a policy that is held, by the columns above and the policy's own `path` and `name`.
pub(super) fn attached(found: &sql::Row) -> Result<AttachedPolicy, StoreError> {
    if filled(found, "policy_arn")? {
        let arn: AwsPolicyArn = row::parsed(found, "policy_arn")?;
        let (path, name) = (arn.path().clone(), arn.name().clone());
        return Ok(AttachedPolicy { policy: PolicyRef::Aws(arn), path, name });
    }
    Ok(AttachedPolicy {
        policy: PolicyRef::Customer(row::parsed(found, "policy_id")?),
        path: row::parsed_by(found, "path", Path::parse)?,
        name: row::parsed_by(found, "name", Name::parse)?,
    })
}

/// Whether a column holds something.
pub(super) fn filled(found: &sql::Row, column: &str) -> Result<bool, StoreError> {
    let text: Option<&str> = found.try_get(column)?;
    Ok(text.is_some())
}
