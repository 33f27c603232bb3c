//! Tags of repositories.

use super::repository::request_tags;
use super::{Asker, Doing, invalid};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::policy::aws::arn::Arn;
use crate::registry::name::RepositoryName;
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::{AwsError, Quota};

/// There are too many tags.
pub(super) fn too_many() -> AwsProblem {
    let text = "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is 50.";
    AwsProblem::said(AwsCode::TooManyTagsException, text)
}

/// Reads tags.
///
/// # Errors
/// `InvalidTagParameterException`
pub fn tags<'a>(given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Tag>, AwsProblem> {
    let wrong = |error: crate::ids::Malformed| {
        AwsProblem::said(AwsCode::InvalidTagParameterException, error.to_string())
    };
    let tags = given.into_iter().map(|(key, value)| Tag::parse(key, value).map_err(wrong));
    let tags = tags.collect::<Result<Vec<_>, _>>()?;
    // Policies read keys in any case: of two that differ in nothing else, they could see but one.
    let mut keys: Vec<String> = tags.iter().map(|tag| tag.key().to_lowercase()).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.last()) { Err(twice()) } else { Ok(tags) }
}

fn twice() -> AwsProblem {
    let text = "Duplicate tag keys found. Each key may be there once, however it is spelt.";
    AwsProblem::said(AwsCode::InvalidTagParameterException, text)
}

impl Desk {
    fn named_by(&self, asker: Asker<'_>, arn: &str) -> Result<RepositoryName, AwsProblem> {
        match Arn::parse(arn) {
            Ok(Arn::Repository { region, account, name })
                if region == *asker.region && account == self.account =>
            {
                Ok(name)
            }
            Ok(_) | Err(_) => Err(invalid("resourceArn", "Invalid ARN")),
        }
    }

    /// The tags of a repository.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_tags(&self, asker: Asker<'_>, arn: &str) -> Result<AwsDone<Vec<Tag>>, AwsProblem> {
        let name = self.named_by(asker, arn)?;
        let permit = self.may_on(asker, Doing("ecr:ListTagsForResource", None), &name, Vec::new()).await?;
        self.existing(asker.region, &name).await?;
        let tags = self.store.tags(&Tagged::Repository(asker.region.clone(), name)).await?;
        Ok(AwsDone::new(tags, permit))
    }

    /// Sets tags.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_tag(
        &self,
        asker: Asker<'_>,
        arn: &str,
        tags: &[Tag],
    ) -> Result<AwsDone<()>, AwsProblem> {
        let name = self.named_by(asker, arn)?;
        let permit = self.may_on(asker, Doing("ecr:TagResource", None), &name, request_tags(tags)).await?;
        self.recorded(asker.region, &name).await?;
        let tagged = Tagged::Repository(asker.region.clone(), name);
        let there = self.store.tags(&tagged).await?;
        let other = |one: &Tag, new: &Tag| {
            one.key() != new.key() && one.key().to_lowercase() == new.key().to_lowercase()
        };
        if tags.iter().any(|new| there.iter().any(|one| other(one, new))) {
            return Err(twice());
        }
        match self.store.tag(&tagged, tags).await {
            Ok(()) => Ok(AwsDone::new((), permit)),
            Err(AwsError::Quota(Quota::Tags)) => Err(too_many()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes tags.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_untag(
        &self,
        asker: Asker<'_>,
        arn: &str,
        keys: &[String],
    ) -> Result<AwsDone<()>, AwsProblem> {
        let name = self.named_by(asker, arn)?;
        let told = vec![("aws:TagKeys".to_owned(), keys.to_vec())];
        let permit = self.may_on(asker, Doing("ecr:UntagResource", None), &name, told).await?;
        self.recorded(asker.region, &name).await?;
        self.store.untag(&Tagged::Repository(asker.region.clone(), name), keys).await?;
        Ok(AwsDone::new((), permit))
    }
}
