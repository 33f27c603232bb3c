//! Use cases of STS.

pub mod role;
pub mod session;
mod told;
pub mod user;
pub mod web_identity;

use std::sync::Arc;

use super::AwsDone;
use super::problem::AwsProblem;
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::{Caller, Credential};
use crate::admit::context::user_id;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::policy::sentence;
use crate::store::aws::access_key::LastUsed;

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

/// How long after a use the next is noted: a note is a commit.
const NOTED_EVERY: i64 = 60_000;

impl Desk {
    /// Notes that a key or a role was used, unless that was noted just now. Nothing depends on it, so nothing fails with it.
    pub async fn note_use(&self, caller: &Caller, region: &Region, service: &str) {
        let now = self.clock.now();
        let due =
            |last: Option<UnixTime>| last.is_none_or(|last| now.millis() - last.millis() >= NOTED_EVERY);
        let noted = match &caller.credential {
            Credential::AccessKey(id) => match self.store.access_key(id).await {
                Ok(Some(row)) if due(row.last_used.as_ref().map(|used| used.at)) => {
                    let (region, service) = (region.to_string(), service.to_owned());
                    self.store.access_key_used(id, &LastUsed { at: now, region, service }).await
                }
                other => other.map(|_| ()),
            },
            Credential::Session(temporary) => match &temporary.session.principal {
                PrincipalId::Role(id) => match self.store.role(id).await {
                    Ok(Some(row)) if due(row.last_used.as_ref().map(|(at, _)| *at)) => {
                        self.store.role_used(id, now, region).await
                    }
                    other => other.map(|_| ()),
                },
                PrincipalId::Profile(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => Ok(()),
            },
            Credential::ApiKey(_)
            | Credential::Certificate(_)
            | Credential::Vouched(_)
            | Credential::WebIdentity(_) => Ok(()),
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "the use of a key or role is not noted");
        }
    }

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
