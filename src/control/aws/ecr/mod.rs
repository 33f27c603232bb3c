//! Use cases of ECR, one file per noun.

pub mod lifecycle;

use std::sync::Arc;

use super::problem::AwsProblem;
use super::{AwsDone, action};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::Caller;
use crate::control::Desk;

impl Desk {
    /// What the registry is called: by its account. Nothing is replicated to anywhere.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn described_registry(&self, caller: &Arc<Caller>) -> Result<AwsDone<String>, AwsProblem> {
        let ask = AwsAsk::new(action("ecr:DescribeRegistry")?, AwsTarget::Everything);
        let permit = self.authority.permit_aws(caller, ask).await?;
        Ok(AwsDone::new(self.account.to_string(), permit))
    }
}
