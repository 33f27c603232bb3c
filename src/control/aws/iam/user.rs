//! Users.

use std::sync::Arc;

use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::aws::{AwsDone, action};
use crate::ids::Malformed;
use crate::policy::engine::principal::Caller as Who;
use crate::policy::sentence;

/// A user, as AWS shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserShown {
    /// The ARN.
    pub arn: String,
    /// `AIDA…`
    pub id: String,
    /// The name.
    pub name: String,
    /// Where it is filed.
    pub path: String,
    /// When it was made.
    pub created_at: UnixTime,
}

impl Desk {
    /// One user; the caller itself without a name.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn aws_user(
        &self,
        caller: &Arc<Caller>,
        name: Option<&str>,
    ) -> Result<AwsDone<UserShown>, AwsProblem> {
        let own = || match caller.bundle.rights.caller() {
            Who::User { .. } => Ok(caller.name()),
            Who::Anonymous
            | Who::FederatedUser { .. }
            | Who::RoleSession { .. }
            | Who::Root { .. }
            | Who::WebIdentity { .. } => {
                let text = "Must specify userName when calling with non-User credentials";
                Err(AwsProblem::said(AwsCode::ValidationError, text))
            }
        };
        let name = name.map_or_else(own, Ok)?;
        let row = self.store.aws_user_named(name).await?;
        let shown = Malformed::new(name, "").text;
        let arn = match &row {
            Some(row) => format!("arn:aws:iam::{}:user{}{}", self.account, row.path.as_str(), row.user.name),
            None if name == caller.name() => sentence::arn(caller.bundle.rights.caller()),
            None => format!("arn:aws:iam::{}:user/{shown}", self.account),
        };
        let ask = AwsAsk::new(action("iam:GetUser")?, AwsTarget::Arn(arn.clone()));
        let permit = self.authority.permit_aws(caller, ask).await?;
        let missing = || {
            let text = format!("The user with name {shown} cannot be found.");
            AwsProblem::said(AwsCode::NoSuchEntity, text)
        };
        let row = row.ok_or_else(missing)?;
        let id = row.unique_id().to_string();
        let (name, path) = (row.user.name.clone(), row.path.as_str().to_owned());
        let created_at = row.user.stamp.created_at;
        Ok(AwsDone::new(UserShown { arn, id, name, path, created_at }, permit))
    }
}
