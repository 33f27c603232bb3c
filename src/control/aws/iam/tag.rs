//! Tags of users, roles, managed policies and OpenID Connect providers.

use std::sync::Arc;

use super::entity::Named;
use super::managed::Managed;
use super::page::{Page, Paged};
use super::words::{failed, missing};
use super::{Keys, request_tags, tag_keys};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::policy::aws::kind::Owner;
use crate::policy::table::IamAction;
use crate::store::aws::tag::{Tag, Tagged};

/// What is tagged.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A user or role.
    Entity(Named),
    /// A managed policy, by its ARN.
    Policy(String),
    /// An OpenID Connect provider, by its ARN.
    Provider(String),
}

impl Desk {
    async fn taggable(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        subject: &Subject,
        keys: Keys,
    ) -> Result<(Tagged, Permit<AwsControl>), AwsProblem> {
        match subject {
            Subject::Entity(named) => {
                let (entity, permit) = self.grasp(caller, action, named, keys).await?;
                let actor = entity.actor().ok_or_else(|| missing(named.noun()))?;
                Ok((Tagged::Actor(actor), permit))
            }
            Subject::Policy(arn) => match self.grasp_managed(caller, action, arn, keys).await? {
                (Managed::Own(row), permit) => Ok((Tagged::Policy(row.id), permit)),
                (Managed::Aws(_), _) => Err(super::managed::unchangeable(caller, action, arn)),
            },
            Subject::Provider(arn) => {
                let (row, permit) = self.grasp_provider(caller, action, arn, keys).await?;
                Ok((Tagged::Provider(row.url), permit))
            }
        }
    }

    /// Sets tags.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn tag(
        &self,
        caller: &Arc<Caller>,
        subject: &Subject,
        tags: &[Tag],
    ) -> Result<AwsDone<()>, AwsProblem> {
        let [action, _, _] = subject.actions();
        let (tagged, permit) = self.taggable(caller, action, subject, request_tags(tags)).await?;
        let set = self.store.tag(&tagged, tags).await;
        set.map_err(|error| failed(error, subject.noun(), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Removes tags; those that are not there stay away.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn untag(
        &self,
        caller: &Arc<Caller>,
        subject: &Subject,
        names: &[String],
    ) -> Result<AwsDone<()>, AwsProblem> {
        let [_, action, _] = subject.actions();
        let keys = tag_keys(names.to_vec()).into_iter().collect();
        let (tagged, permit) = self.taggable(caller, action, subject, keys).await?;
        let removed = self.store.untag(&tagged, names).await;
        removed.map_err(|error| failed(error, subject.noun(), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// The tags.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn list_tags(
        &self,
        caller: &Arc<Caller>,
        subject: &Subject,
        page: &Page,
    ) -> Result<AwsDone<Paged<Tag>>, AwsProblem> {
        let [_, _, action] = subject.actions();
        if let Subject::Policy(arn) = subject
            && let (Managed::Aws(_), permit) = self.grasp_managed(caller, action, arn, Keys::new()).await?
        {
            return Ok(AwsDone::new(Paged { items: Vec::new(), next: None }, permit));
        }
        let (tagged, permit) = self.taggable(caller, action, subject, Keys::new()).await?;
        let tags = self.store.tags(&tagged).await?;
        Ok(AwsDone::new(page.cut(tags, |tag| tag.key().to_owned()), permit))
    }
}

impl Subject {
    /// What it takes to set, remove and list its tags.
    const fn actions(&self) -> [IamAction; 3] {
        use IamAction as A;
        match self {
            Self::Entity(Named { kind: Owner::Role, .. }) => [A::TagRole, A::UntagRole, A::ListRoleTags],
            Self::Entity(Named { kind: Owner::Group | Owner::User, .. }) => {
                [A::TagUser, A::UntagUser, A::ListUserTags]
            }
            Self::Policy(_) => [A::TagPolicy, A::UntagPolicy, A::ListPolicyTags],
            Self::Provider(_) => {
                [A::TagOpenIdConnectProvider, A::UntagOpenIdConnectProvider, A::ListOpenIdConnectProviderTags]
            }
        }
    }

    fn noun(&self) -> super::words::Noun<'_> {
        match self {
            Self::Entity(named) => named.noun(),
            Self::Policy(arn) => super::words::Noun::Policy(arn),
            Self::Provider(arn) => super::words::Noun::Provider(arn),
        }
    }
}

/// Refuses tags that name a key twice.
///
/// # Errors
/// [`AwsProblem`].
pub fn distinct(tags: &[Tag]) -> Result<(), AwsProblem> {
    let mut seen = std::collections::HashSet::new();
    if tags.iter().all(|tag| seen.insert(tag.key().to_lowercase())) {
        return Ok(());
    }
    let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    Err(AwsProblem::said(AwsCode::InvalidInput, text))
}
