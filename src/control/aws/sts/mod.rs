//! Use cases of STS.

pub mod role;
pub mod session;
pub mod user;

use std::sync::Arc;

use super::AwsDone;
use super::problem::AwsProblem;
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::Caller;
use crate::admit::context::user_id;
use crate::control::Desk;
use crate::policy::sentence;

/// Who asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The ARN; of a session its own, not its role's.
    pub arn: String,
    /// `AIDA…`, or `AROA…:SESSION`.
    pub user_id: String,
}

impl Desk {
    /// Who the caller is. Everyone may ask who signs.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn caller_identity(&self, caller: &Arc<Caller>) -> Result<AwsDone<Identity>, AwsProblem> {
        let action = super::action("sts:GetCallerIdentity")?;
        let permit = self.authority.permit_aws(caller, AwsAsk::new(action, AwsTarget::Everything)).await?;
        let who = caller.bundle.rights.caller();
        let identity = Identity {
            account: caller.account.to_string(),
            arn: sentence::arn(who),
            user_id: user_id(who).unwrap_or_default().into_owned(),
        };
        Ok(AwsDone::new(identity, permit))
    }
}
