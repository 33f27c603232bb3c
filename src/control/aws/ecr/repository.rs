//! Repositories: described, made and removed.

use std::collections::BTreeSet;

use super::{Asker, Doing, Told, invalid, no_repository};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::control::Desk;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::aws::{AwsDone, action};
use crate::control::stock::Warrant;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::store::StoreError;
use crate::store::aws::repository::{Mutability, Repository};
use crate::store::aws::tag::Tag;
use crate::store::aws::{AwsError, Quota};
use crate::store::identity::Window;

/// The most filters of tags that are excepted.
const EXCLUSIONS: usize = 5;

/// The most stars of one.
const STARS: usize = 2;

/// A repository that is to be made.
#[derive(Clone, Debug)]
pub struct NewRepository {
    /// Its name.
    pub name: RepositoryName,
    /// Whether tags may be overwritten.
    pub mutability: Mutability,
    /// The filters of tags that are excepted.
    pub exclusions: Vec<String>,
    /// Whether images are to be scanned when they are pushed.
    pub scan_on_push: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// One page of a list, and after what the next one begins.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    /// The page.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Which page of a list: what comes after `after`, and how much.
#[derive(Clone, Debug)]
pub struct Paging {
    /// After what.
    pub after: Option<String>,
    /// How many.
    pub limit: usize,
}

/// What the condition keys of a call say of tags that it sets.
pub(super) fn request_tags(tags: &[Tag]) -> Vec<Told> {
    let mut told: Vec<Told> = tags
        .iter()
        .map(|tag| (format!("aws:RequestTag/{}", tag.key()), vec![tag.value().to_owned()]))
        .collect();
    if !tags.is_empty() {
        told.push(("aws:TagKeys".to_owned(), tags.iter().map(|tag| tag.key().to_owned()).collect()));
    }
    told
}

/// Checks the filters of tags that are excepted.
pub(super) fn check_exclusions(mutability: Mutability, filters: &[String]) -> Result<(), AwsProblem> {
    const AT: &str = "imageTagMutabilityExclusionFilters";
    let fits = |filter: &String| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._*-".contains(&b);
        (1..=128).contains(&filter.len())
            && filter.bytes().all(allowed)
            && filter.matches('*').count() <= STARS
    };
    let excepts = match mutability {
        Mutability::Immutable | Mutability::Mutable => false,
        Mutability::ImmutableWithExclusion | Mutability::MutableWithExclusion => true,
    };
    if filters.is_empty() == excepts {
        let rule =
            "filters go with IMMUTABLE_WITH_EXCLUSION and MUTABLE_WITH_EXCLUSION, and these need one to five";
        return Err(invalid(AT, rule));
    }
    if filters.len() > EXCLUSIONS || !filters.iter().all(fits) {
        return Err(invalid(
            AT,
            "must be one to five filters of 1 to 128 letters, digits and ._-, with at most two stars each",
        ));
    }
    Ok(())
}

impl Desk {
    /// The named repositories.
    ///
    /// # Errors
    /// [`AwsProblem`]; one that is missing fails all.
    pub async fn ecr_named_repositories(
        &self,
        asker: Asker<'_>,
        names: &[RepositoryName],
    ) -> Result<AwsDone<Vec<Repository>>, AwsProblem> {
        let doing = Doing("ecr:DescribeRepositories", Some(Action::ImageList));
        let mut permit = None;
        for name in names {
            permit = Some(self.may_on(asker, doing, name, Vec::new()).await?);
        }
        let mut found = Vec::new();
        for name in names {
            found.push(self.existing(asker.region, name).await?);
        }
        let permit = permit.ok_or_else(|| invalid("repositoryNames", "must not be empty"))?;
        Ok(AwsDone::new(found, permit))
    }

    /// A page of all repositories, by name.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_repositories(
        &self,
        asker: Asker<'_>,
        paging: &Paging,
    ) -> Result<AwsDone<Paged<Repository>>, AwsProblem> {
        let target = AwsTarget::Resource(Resource::registry(asker.region));
        let ask = AwsAsk {
            ibm: Some(Action::NamespaceList),
            ..AwsAsk::new(action("ecr:DescribeRepositories")?, target)
        };
        let permit = self.authority.permit_aws(asker.caller, ask).await?;
        if self.other_registry(asker).is_some() {
            return Ok(AwsDone::new(Paged { items: Vec::new(), next: None }, permit));
        }
        let rows = self.store.repositories(asker.region, Window { offset: 0, limit: u32::MAX }).await?.rows;
        let mut names: BTreeSet<RepositoryName> = rows.iter().map(|row| row.name.clone()).collect();
        names.extend(self.images.repositories(asker.region).await?);
        let after = paging.after.as_deref().unwrap_or_default();
        let mut items: Vec<Repository> = Vec::new();
        for name in names.into_iter().filter(|name| name.as_str() > after) {
            let row = match rows.iter().find(|row| row.name == name) {
                Some(row) => row.clone(),
                None if self.stock.has_tags(asker.region, &name).await? => {
                    self.unrecorded(asker.region, &name).await?
                }
                None => continue,
            };
            if items.len() == paging.limit {
                let next = items.last().map(|last| last.name.to_string());
                return Ok(AwsDone::new(Paged { items, next }, permit));
            }
            items.push(row);
        }
        Ok(AwsDone::new(Paged { items, next: None }, permit))
    }

    /// Makes a repository.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_create_repository(
        &self,
        asker: Asker<'_>,
        new: NewRepository,
    ) -> Result<AwsDone<Repository>, AwsProblem> {
        let told = request_tags(&new.tags);
        let permit = self.may_on(asker, Doing("ecr:CreateRepository", None), &new.name, told.clone()).await?;
        if !new.tags.is_empty() {
            self.may_on(asker, Doing("ecr:TagResource", None), &new.name, told).await?;
        }
        check_exclusions(new.mutability, &new.exclusions)?;
        let taken = || {
            let text = format!(
                "The repository with name '{}' already exists in the registry with id '{}'",
                new.name, self.account
            );
            AwsProblem::said(AwsCode::RepositoryAlreadyExistsException, text)
        };
        if self.stock.has_tags(asker.region, &new.name).await? {
            return Err(taken());
        }
        let row = Repository {
            region: asker.region.clone(),
            name: new.name.clone(),
            mutability: new.mutability,
            exclusions: new.exclusions.clone(),
            scan_on_push: new.scan_on_push,
            created_at: self.clock.now(),
        };
        match self.store.insert_repository(&row, &new.tags).await {
            Ok(()) => Ok(AwsDone::new(row, permit)),
            Err(AwsError::Store(StoreError::Conflict(_))) => Err(taken()),
            Err(AwsError::Quota(Quota::Tags)) => Err(super::tag::too_many()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a repository; with `force` also its images.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_delete_repository(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        force: bool,
    ) -> Result<AwsDone<Repository>, AwsProblem> {
        let permit = self.may_on(asker, Doing("ecr:DeleteRepository", None), name, Vec::new()).await?;
        let row = self.existing(asker.region, name).await?;
        let held = self.present(asker.region, name).await?;
        if !held.is_empty() && !force {
            let text = format!(
                "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
                self.account
            );
            return Err(AwsProblem::said(AwsCode::RepositoryNotEmptyException, text));
        }
        let digests: Vec<_> = held.into_iter().map(|(image, _)| image.digest).collect();
        for digest in &digests {
            self.stock.delete_image(Warrant::Permit(&permit), asker.region, name, digest).await?;
        }
        let hidden = self.bin.hidden(asker.region, name).await?;
        let seen = self.store.seen_images(asker.region, name).await?;
        let seen = seen.into_iter().map(|image| image.digest);
        // What can be restored is remembered until then.
        let seen: Vec<_> = seen.filter(|digest| !hidden.has_image(digest)).collect();
        self.store.images_gone(asker.region, name, &seen).await?;
        match self.store.delete_repository(asker.region, name).await {
            Ok(()) => Ok(AwsDone::new(row, permit)),
            Err(StoreError::NotFound) if !digests.is_empty() => Ok(AwsDone::new(row, permit)),
            Err(StoreError::NotFound) => Err(no_repository(name, self.account.as_str())),
            Err(error) => Err(error.into()),
        }
    }
}
