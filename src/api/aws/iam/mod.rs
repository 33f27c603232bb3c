//! IAM: users, groups, roles, policies and identity providers.

use super::call::{AwsAnswer, AwsCall};
use super::operation::operations;
use crate::control::aws::problem::AwsProblem;

operations! {
    /// The operations of IAM.
    Iam, "iam": GetUser,
}

/// Answers a call.
///
/// # Errors
/// [`AwsProblem`]
pub async fn answer(operation: Iam, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    match operation {
        Iam::GetUser => {
            let name = call.form.optional("UserName");
            let done = call.desk.aws_user(&call.caller, name).await?;
            Ok(AwsAnswer::xml(done, |xml, user| {
                xml.element("User", |xml| {
                    xml.text("Path", &user.path).text("UserName", &user.name).text("UserId", &user.id);
                    xml.text("Arn", &user.arn).time("CreateDate", user.created_at);
                });
            }))
        }
    }
}
