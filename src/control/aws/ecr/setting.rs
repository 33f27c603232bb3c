//! Settings of a repository: whether tags may be overwritten, and images are scanned when they are pushed.

use super::repository::check_exclusions;
use super::{Asker, Doing};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::registry::name::RepositoryName;
use crate::store::aws::repository::{Mutability, Repository};

impl Desk {
    /// Sets whether tags may be overwritten.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_put_mutability(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        mutability: Mutability,
        exclusions: &[String],
    ) -> Result<AwsDone<()>, AwsProblem> {
        let doing = Doing("ecr:PutImageTagMutability", None);
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.recorded(asker.region, name).await?;
        check_exclusions(mutability, exclusions)?;
        self.store.put_mutability(asker.region, name, mutability, exclusions).await?;
        Ok(AwsDone::new((), permit))
    }

    /// Sets whether images are scanned when they are pushed.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_put_scan_on_push(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        scan: bool,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let doing = Doing("ecr:PutImageScanningConfiguration", None);
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.recorded(asker.region, name).await?;
        self.store.put_scan_on_push(asker.region, name, scan).await?;
        Ok(AwsDone::new((), permit))
    }

    /// Which of these repositories are scanned; the others do not exist.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_scanned_repositories(
        &self,
        asker: Asker<'_>,
        names: &[RepositoryName],
    ) -> Result<AwsDone<(Vec<Repository>, Vec<RepositoryName>)>, AwsProblem> {
        let doing = Doing("ecr:BatchGetRepositoryScanningConfiguration", None);
        let mut permit = None;
        for name in names {
            permit = Some(self.may_on(asker, doing, name, Vec::new()).await?);
        }
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in names {
            match self.existing(asker.region, name).await {
                Ok(row) => found.push(row),
                Err(AwsProblem::Said { .. }) => missing.push(name.clone()),
                Err(problem) => return Err(problem),
            }
        }
        let permit = permit.ok_or_else(|| super::invalid("repositoryNames", "must not be empty"))?;
        Ok(AwsDone::new((found, missing), permit))
    }
}
