//! Managed policies by ARN: AWS's own, which nobody changes, and the account's.

use std::sync::Arc;

use super::Keys;
use super::entity::policy_arn;
use super::known::{FACTS, Facts};
use super::resource_tags;
use super::words::{Noun, missing};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::policy::aws::arn::{Arn, Name, Path};
use crate::policy::aws::managed::{MANAGED, ManagedPolicy as Document};
use crate::policy::sentence;
use crate::policy::table::IamAction;
use crate::store::StoreError;
use crate::store::aws::holder::{AwsPolicyArn, PolicyRef};
use crate::store::aws::managed_policy::{ManagedPolicy, Usage};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::identity::Window;

/// A managed policy.
#[derive(Clone, Debug)]
pub enum Managed {
    /// One of AWS's.
    Aws(Known),
    /// One of the account's own.
    Own(ManagedPolicy),
}

/// One of AWS's policies.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its ARN.
    pub arn: AwsPolicyArn,
    /// Its document.
    pub document: Document,
    /// What else is known.
    pub facts: &'static Facts,
}

impl Known {
    fn of(document: Document) -> Option<Self> {
        let arn = AwsPolicyArn::parse(&document.arn()).ok()?;
        let facts = FACTS.iter().find(|facts| facts.name == document.name)?;
        Some(Self { arn, document, facts })
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        MANAGED.iter().copied().filter_map(Self::of)
    }
}

/// A managed policy, as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyShown {
    /// The ARN.
    pub arn: String,
    /// `ANPA…`
    pub id: String,
    /// The name.
    pub name: String,
    /// Where it is filed.
    pub path: String,
    /// Which version is in force.
    pub version: String,
    /// Any text.
    pub description: String,
    /// How many users, groups and roles hold it.
    pub attachments: u32,
    /// How many users and roles have it as their boundary.
    pub boundaries: u32,
    /// When it was made.
    pub created_at: UnixTime,
    /// When its version in force was.
    pub updated_at: UnixTime,
    /// Its tags, where they are shown.
    pub tags: Vec<Tag>,
}

impl Managed {
    /// The name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        match self {
            Self::Aws(known) => known.arn.name(),
            Self::Own(row) => &row.name,
        }
    }

    /// Where it is filed.
    #[must_use]
    pub const fn path(&self) -> &Path {
        match self {
            Self::Aws(known) => known.arn.path(),
            Self::Own(row) => &row.path,
        }
    }

    /// As attachments name it.
    #[must_use]
    pub fn policy_ref(&self) -> PolicyRef {
        match self {
            Self::Aws(known) => PolicyRef::Aws(known.arn.clone()),
            Self::Own(row) => PolicyRef::Customer(row.id.clone()),
        }
    }
}

impl Desk {
    /// The policy of that ARN.
    pub(super) async fn managed(&self, arn: &str) -> Result<Option<Managed>, StoreError> {
        match Arn::parse(arn) {
            Ok(Arn::AwsPolicy { .. }) => {
                Ok(Known::all().find(|known| known.document.arn() == arn).map(Managed::Aws))
            }
            Ok(Arn::Policy { account, path, name }) if account == self.account => {
                let row = self.store.managed_policy_named(&name).await?;
                Ok(row.filter(|row| row.name == name && row.path == path).map(Managed::Own))
            }
            Ok(
                Arn::AssumedRole { .. }
                | Arn::FederatedUser { .. }
                | Arn::Group { .. }
                | Arn::Policy { .. }
                | Arn::Repository { .. }
                | Arn::Role { .. }
                | Arn::Root { .. }
                | Arn::User { .. },
            )
            | Err(_) => Ok(None),
        }
    }

    /// Permits an action on a policy and says which it is.
    pub(super) async fn grasp_managed(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        arn: &str,
        mut keys: Keys,
    ) -> Result<(Managed, Permit<AwsControl>), AwsProblem> {
        let found = self.managed(arn).await?;
        if let Some(Managed::Own(row)) = &found {
            keys.extend(resource_tags(&self.store.tags(&Tagged::Policy(row.id.clone())).await?));
        }
        let permit = self.permit_on(caller, action, arn.to_owned(), keys).await?;
        let found = found.ok_or_else(|| missing(Noun::Policy(arn)))?;
        Ok((found, permit))
    }

    /// The same of the account's own, for what changes it.
    pub(super) async fn grasp_own(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        arn: &str,
    ) -> Result<(ManagedPolicy, Permit<AwsControl>), AwsProblem> {
        match self.grasp_managed(caller, action, arn, Keys::new()).await? {
            (Managed::Own(row), permit) => Ok((row, permit)),
            (Managed::Aws(_), _) => Err(unchangeable(caller, action, arn)),
        }
    }

    /// A policy, as it is shown.
    pub(super) async fn shown(&self, managed: &Managed) -> Result<PolicyShown, AwsProblem> {
        Ok(match managed {
            Managed::Own(row) => self.shown_own(row),
            Managed::Aws(known) => {
                let policy = PolicyRef::Aws(known.arn.clone());
                let none = Window { offset: 0, limit: 1 };
                let attachments = self.store.holders(&policy, Usage::Permissions, none).await?.total;
                let boundaries = self.store.holders(&policy, Usage::Boundary, none).await?.total;
                PolicyShown {
                    arn: known.arn.to_string(),
                    id: known.facts.id.to_owned(),
                    name: known.arn.name().as_str().to_owned(),
                    path: known.arn.path().as_str().to_owned(),
                    version: format!("v{}", known.facts.version),
                    description: known.facts.description.to_owned(),
                    attachments,
                    boundaries,
                    created_at: UnixTime::from_seconds(known.facts.created),
                    updated_at: UnixTime::from_seconds(known.facts.updated),
                    tags: Vec::new(),
                }
            }
        })
    }

    pub(super) fn shown_own(&self, row: &ManagedPolicy) -> PolicyShown {
        PolicyShown {
            arn: policy_arn(&self.account, &row.path, &row.name),
            id: row.id.to_string(),
            name: row.name.as_str().to_owned(),
            path: row.path.as_str().to_owned(),
            version: row.default_version.to_string(),
            description: row.description.clone(),
            attachments: row.attachments,
            boundaries: row.boundaries,
            created_at: row.created_at,
            updated_at: row.updated_at,
            tags: Vec::new(),
        }
    }
}

/// Nobody changes AWS's policies, whatever they may.
pub(super) fn unchangeable(caller: &Caller, action: IamAction, arn: &str) -> AwsProblem {
    let who = sentence::arn(caller.bundle.rights.caller());
    let text =
        format!("User: {who} is not authorized to perform: {} on resource: policy {arn}", action.name());
    AwsProblem::said(AwsCode::AccessDenied, text)
}
