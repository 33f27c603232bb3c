//! Use cases of ECR, one file per noun.
//!
//! Each is decided first, by its own action on the repository's ARN, and only then looks whether anything is there: what a
//! caller may not touch reads the same whether or not it exists.

pub mod image;
pub mod inventory;
pub mod layer;
pub mod lifecycle;
pub mod policy;
pub mod put_image;
pub mod referrer;
pub mod registry;
pub mod repository;
pub mod scan;
pub mod setting;
pub mod tag;

use std::sync::Arc;

use self::image::ImageId;
use super::action;
use super::problem::{AwsCode, AwsProblem};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::Caller;
use crate::admit::findings::Seen;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::ids::Malformed;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::registry::operation::OperationKind;
use crate::registry::reference::{Digest, Tag};
use crate::store::aws::repository::{Mutability, Repository};

/// Who asks, of which registry.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Who.
    pub caller: &'a Arc<Caller>,
    /// Which registry the host that the client used stands for.
    pub region: &'a Region,
    /// The account that the call names, if it does.
    pub registry_id: Option<&'a str>,
}

/// A condition key of a call, and its values.
pub type Told = (String, Vec<String>);

/// What is asked: AWS's action, and IBM's where it has the same.
#[derive(Clone, Copy, Debug)]
pub struct Doing(pub &'static str, pub Option<Action>);

/// A problem with a parameter, as ECR words it.
#[must_use]
pub fn invalid(parameter: &str, constraint: &str) -> AwsProblem {
    let text = format!("Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'");
    AwsProblem::said(AwsCode::InvalidParameterException, text)
}

/// Something that this registry does not offer.
#[must_use]
pub fn not_offered(what: &str) -> AwsProblem {
    AwsProblem::said(AwsCode::ValidationException, format!("This registry does not offer {what}."))
}

/// Reads the name of a repository.
///
/// # Errors
/// `InvalidParameterException`
pub fn repository_name(text: &str) -> Result<RepositoryName, AwsProblem> {
    let long_enough = text.len() >= 2;
    let rule =
        "must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'";
    RepositoryName::parse(text).ok().filter(|_| long_enough).ok_or_else(|| invalid("repositoryName", rule))
}

impl Desk {
    /// Decides a call on one repository of the caller's own account.
    async fn may_on(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        context: Vec<Told>,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        self.may_read(asker, doing, name, (context, None)).await
    }

    /// The same of a call that reads an image.
    async fn may_read(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        (context, seen): (Vec<Told>, Option<Seen>),
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let target = AwsTarget::Resource(Resource::repository(asker.region, name));
        let ask = AwsAsk { ibm: doing.1, context, seen, ..AwsAsk::new(action(doing.0)?, target) };
        let permit = self.authority.permit_aws(asker.caller, ask).await?;
        match self.other_registry(asker) {
            Some(other) => Err(no_repository(name, &other)),
            None => Ok(permit),
        }
    }

    /// Decides what a call does to one image, of which policies may read as much as of the same call of the registry.
    async fn may_on_image(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        (kind, id): (OperationKind, (Option<&Digest>, Option<&Tag>)),
        told: Vec<Told>,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let told = self.told_of(asker, doing, name, (kind, id), told).await?;
        self.may_on(asker, doing, name, told).await
    }

    /// What policies may read of a call on one image.
    async fn told_of(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        (kind, id): (OperationKind, (Option<&Digest>, Option<&Tag>)),
        mut told: Vec<Told>,
    ) -> Result<Vec<Told>, AwsProblem> {
        let mut tell = |key: &str, value: &str| told.push((key.to_owned(), vec![value.to_owned()]));
        tell("registry:Operation", kind.label());
        match id {
            (_, Some(tag)) => {
                tell("registry:Tag", tag.as_str());
                let asked = match doing.1 {
                    Some(action) => self.asks_for_tags(asker.caller, action, asker.region).await?,
                    None => false,
                };
                if asked {
                    let there = self.stock.digest_of(asker.region, name, tag).await?.is_some();
                    tell("registry:TagExists", if there { "true" } else { "false" });
                }
            }
            (Some(digest), None) => tell("registry:Digest", digest.as_str()),
            (None, None) => {}
        }
        Ok(told)
    }

    /// The same for each image of a batch: what is not permitted of one ends all.
    async fn may_on_images(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        kind: OperationKind,
        ids: &[ImageId],
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let mut permit = None;
        for id in ids {
            let (digest, tag) = id.parsed().unwrap_or_default();
            let id = (digest.as_ref(), tag.as_ref());
            permit = Some(self.may_on_image(asker, doing, name, (kind, id), Vec::new()).await?);
        }
        match permit {
            Some(permit) => Ok(permit),
            None => self.may_on_image(asker, doing, name, (kind, (None, None)), Vec::new()).await,
        }
    }

    /// Decides a call on the registry.
    async fn may(
        &self,
        asker: Asker<'_>,
        name: &'static str,
        context: Vec<Told>,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let ask = AwsAsk { context, ..AwsAsk::new(action(name)?, AwsTarget::Everything) };
        self.authority.permit_aws(asker.caller, ask).await
    }

    /// The account that the call names, if it is another one.
    fn other_registry(&self, asker: Asker<'_>) -> Option<String> {
        let named = asker.registry_id.filter(|id| *id != self.account.as_str());
        named.map(|id| Malformed::new(id, "").text.to_string())
    }

    /// The repository; one that came into being behind our back has no row, but has images.
    async fn existing(&self, region: &Region, name: &RepositoryName) -> Result<Repository, AwsProblem> {
        if let Some(row) = self.store.repository(region, name).await? {
            return Ok(row);
        }
        if !self.stock.has_tags(region, name).await? {
            return Err(no_repository(name, self.account.as_str()));
        }
        self.unrecorded(region, name).await
    }

    /// What there is to say of a repository without a row.
    async fn unrecorded(&self, region: &Region, name: &RepositoryName) -> Result<Repository, AwsProblem> {
        let namespaces = self.store.namespaces(region).await?;
        let of = namespaces.iter().find(|namespace| namespace.name.as_str() == name.namespace());
        Ok(Repository {
            region: region.clone(),
            name: name.clone(),
            mutability: Mutability::default(),
            exclusions: Vec::new(),
            scan_on_push: false,
            created_at: of.map_or_else(|| self.clock.now(), |namespace| namespace.created_at),
        })
    }

    /// The same, with a row from now on.
    async fn recorded(&self, region: &Region, name: &RepositoryName) -> Result<Repository, AwsProblem> {
        let row = self.existing(region, name).await?;
        if self.store.repository(region, name).await?.is_none() {
            self.store.insert_repository(&row, &[]).await?;
        }
        Ok(row)
    }
}

/// There is no such repository in that registry.
fn no_repository(name: &RepositoryName, registry: &str) -> AwsProblem {
    let text =
        format!("The repository with name '{name}' does not exist in the registry with id '{registry}'");
    AwsProblem::said(AwsCode::RepositoryNotFoundException, text)
}
