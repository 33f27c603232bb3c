//! ECR: repositories, images, layers, and the policies of repositories.

use serde_json::json;

use super::call::{AwsAnswer, AwsCall};
use super::operation::operations;
use crate::control::aws::problem::AwsProblem;

operations! {
    /// The operations of ECR.
    Ecr, "ecr": DescribeRegistry,
}

/// Answers a call.
///
/// # Errors
/// [`AwsProblem`]
pub async fn answer(operation: Ecr, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    match operation {
        Ecr::DescribeRegistry => {
            let done = call.desk.described_registry(&call.caller).await?;
            Ok(AwsAnswer::json(
                done,
                |account| json!({"registryId": account, "replicationConfiguration": {"rules": []}}),
            ))
        }
    }
}
