//! Lifecycle policies: put in force, tried, and carried out.

pub mod document;
pub mod select;

use super::{Asker, Doing, invalid};
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::stock::Warrant;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::store::aws::lifecycle::Lifecycle;
use document::Policy;
use select::{Candidate, expiring};

/// An image that would go.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// The image.
    pub image: Candidate,
    /// The priority of the rule that says so.
    pub rule: u32,
}

/// What a policy that is only tried would do now.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The policy.
    pub text: String,
    /// The images that would go, the oldest first.
    pub going: Vec<Previewed>,
}

fn read(text: &str) -> Result<Policy, AwsProblem> {
    let unfit =
        |why: String| invalid("LifecyclePolicyText", &format!("Lifecycle policy validation failure: {why}"));
    Policy::read(text).map_err(unfit)
}

impl Desk {
    /// Puts a lifecycle policy in force.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_put_lifecycle(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        text: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let permit = self.may_on(asker, Doing("ecr:PutLifecyclePolicy", None), name, Vec::new()).await?;
        self.recorded(asker.region, name).await?;
        read(text)?;
        self.store.put_lifecycle_policy(asker.region, name, Some(text)).await?;
        Ok(AwsDone::new((), permit))
    }

    /// The lifecycle policy in force, and when it was last carried out.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_lifecycle(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<AwsDone<(String, Option<UnixTime>)>, AwsProblem> {
        let permit = self.may_on(asker, Doing("ecr:GetLifecyclePolicy", None), name, Vec::new()).await?;
        Ok(AwsDone::new(self.lifecycle_in_force(asker.region, name).await?, permit))
    }

    /// Takes the lifecycle policy out of force.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_delete_lifecycle(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<AwsDone<(String, Option<UnixTime>)>, AwsProblem> {
        let permit = self.may_on(asker, Doing("ecr:DeleteLifecyclePolicy", None), name, Vec::new()).await?;
        let was = self.lifecycle_in_force(asker.region, name).await?;
        self.store.put_lifecycle_policy(asker.region, name, None).await?;
        Ok(AwsDone::new(was, permit))
    }

    async fn lifecycle_in_force(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<(String, Option<UnixTime>), AwsProblem> {
        self.existing(region, name).await?;
        let Lifecycle { policy, evaluated_at, .. } = self.store.lifecycle(region, name).await?;
        policy.map(|text| (text, evaluated_at)).ok_or_else(|| {
            let text = format!(
                "Lifecycle policy does not exist for the repository with name '{name}' in the registry with id '{}'",
                self.account
            );
            AwsProblem::said(AwsCode::LifecyclePolicyNotFoundException, text)
        })
    }

    /// Begins to try a policy: the given one, or the one in force.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_start_preview(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        text: Option<&str>,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let doing = Doing("ecr:StartLifecyclePolicyPreview", None);
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.recorded(asker.region, name).await?;
        let text = match text {
            Some(text) => text.to_owned(),
            None => self.lifecycle_in_force(asker.region, name).await?.0,
        };
        read(&text)?;
        self.store.put_lifecycle_preview(asker.region, name, &text, self.clock.now()).await?;
        Ok(AwsDone::new(text, permit))
    }

    /// What the policy that is tried would do now.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_preview(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<AwsDone<Preview>, AwsProblem> {
        let doing = Doing("ecr:GetLifecyclePolicyPreview", None);
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        let none = || {
            let text = format!(
                "Lifecycle policy preview does not exist for the repository with name '{name}' in the registry with id '{}'",
                self.account
            );
            AwsProblem::said(AwsCode::LifecyclePolicyPreviewNotFoundException, text)
        };
        let (text, _) = self.store.lifecycle(asker.region, name).await?.preview.ok_or_else(none)?;
        let policy = read(&text)?;
        let images = self.candidates(asker.region, name).await?;
        let going = expiring(&policy, &images, self.clock.now());
        let going = going.into_iter().map(|(image, rule)| Previewed { image: image.clone(), rule }).collect();
        Ok(AwsDone::new(Preview { text, going }, permit))
    }

    async fn candidates(&self, region: &Region, name: &RepositoryName) -> Result<Vec<Candidate>, AwsProblem> {
        let present = self.present(region, name).await?;
        let candidate =
            |(held, described): (super::inventory::Held, crate::control::stock::Described)| Candidate {
                pushed_at: held.pushed(&described),
                digest: held.digest,
                tags: held.tags.iter().map(ToString::to_string).collect(),
                pulled_at: held.pulled_at,
                children: described.children,
            };
        Ok(present.into_iter().map(candidate).collect())
    }

    /// Carries out the lifecycle policy of a repository: removes what goes now.
    ///
    /// # Errors
    /// [`AwsProblem`]; what has been removed until then stays removed.
    pub async fn ecr_expire(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Vec<(Digest, u32)>, AwsProblem> {
        let now = self.clock.now();
        let Some(text) = self.store.lifecycle(region, name).await?.policy else { return Ok(Vec::new()) };
        let policy = read(&text)?;
        let images = self.candidates(region, name).await?;
        let mut gone = Vec::new();
        for (image, rule) in expiring(&policy, &images, now) {
            if self.stock.delete_image(Warrant::Lifecycle, region, name, &image.digest).await? {
                gone.push((image.digest.clone(), rule));
            }
        }
        self.store.lifecycle_evaluated(region, name, now).await?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests;
