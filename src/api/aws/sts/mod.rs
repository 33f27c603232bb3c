//! STS: who am I, and sessions.

use super::call::{AwsAnswer, AwsCall};
use super::operation::operations;
use crate::control::aws::problem::AwsProblem;

operations! {
    /// The operations of STS.
    Sts, "sts": GetCallerIdentity,
}

/// Answers a call.
///
/// # Errors
/// [`AwsProblem`]
pub async fn answer(operation: Sts, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    match operation {
        Sts::GetCallerIdentity => {
            let done = call.desk.caller_identity(&call.caller).await?;
            Ok(AwsAnswer::xml(done, |xml, identity| {
                xml.text("Arn", identity.arn).text("UserId", identity.user_id);
                xml.text("Account", identity.account);
            }))
        }
    }
}
