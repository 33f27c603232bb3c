//! Sessions that users make for themselves: with their own rights, or with fewer under another name.

use std::sync::Arc;

use super::super::problem::{AwsCode, AwsProblem};
use super::super::{AwsDone, action};
use super::session::{Begun, Wish, duration};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::{Caller, Credential};
use crate::admit::permit::AwsControl;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::credential::session::{Kind, RegistryPassword, Session};
use crate::ids::account::AccountId;
use crate::ids::aws::{AccessKeyId, SessionKeyId};
use crate::policy::aws::arn::Name;
use crate::secret::Secret;

/// The longest session of a user, in seconds.
const LONGEST: i64 = 129_600;

/// How long it lasts unless that is said.
const USUAL: i64 = 43_200;

/// How long a registry password is good, in seconds.
const PASSWORD: i64 = 43_200;

/// A federated user's session.
#[derive(Debug)]
pub struct Federated {
    /// The session.
    pub begun: Begun,
    /// `ACCOUNT:NAME`
    pub id: String,
    /// The ARN.
    pub arn: String,
}

impl Desk {
    /// A session with the caller's own rights.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub fn session_token(
        &self,
        caller: &Arc<Caller>,
        asked: Option<i64>,
    ) -> Result<AwsDone<Begun>, AwsProblem> {
        let key = long_term(caller, "GetSessionToken")?;
        let seconds = duration(asked, USUAL, LONGEST)?;
        // AWS lets nobody control by policies how users prove themselves.
        let of = AwsControl { action: action("sts:GetSessionToken")?, resource: "*".to_owned() };
        let permit = self.authority.permit_signed(caller, of);
        let begun = self.begin(self.of_user(caller, key, seconds, Kind::User))?;
        Ok(AwsDone::new(begun, permit))
    }

    /// A session under another name, with what both the caller and these policies allow.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn federation_token(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        wish: &Wish,
    ) -> Result<AwsDone<Federated>, AwsProblem> {
        let key = long_term(caller, "GetFederationToken")?;
        let seconds = duration(wish.duration, USUAL, LONGEST)?;
        let arn = format!("arn:aws:sts::{}:federated-user/{}", self.account, name.as_str());
        let target = AwsTarget::Arn(arn.clone());
        let context = wish.context();
        let ask = AwsAsk { context, ..AwsAsk::new(action("sts:GetFederationToken")?, target) };
        let permit = self.authority.permit_aws(caller, ask).await?;
        let session = Session {
            limits: Some(self.limits(wish).await?.unwrap_or_default()),
            tags: wish.pairs()?,
            ..self.of_user(caller, key, seconds, Kind::Federated(name.as_str().to_owned()))
        };
        let (begun, id) = (self.begin(session)?, format!("{}:{}", self.account, name.as_str()));
        Ok(AwsDone::new(Federated { begun, id, arn }, permit))
    }

    fn of_user(&self, caller: &Caller, key: AccessKeyId, seconds: i64, kind: Kind) -> Session {
        let (issued_at, expires_at) = self.span(seconds);
        Session {
            account: self.account.clone(),
            id: SessionKeyId::fresh(&self.account, &*self.entropy),
            principal: caller.principal().clone(),
            kind,
            made_with: Some(key),
            taken_on_by: None,
            limits: None,
            tags: Vec::new(),
            transitive: Vec::new(),
            source_identity: None,
            context: Vec::new(),
            issued_at,
            expires_at,
        }
    }

    /// The account that an access key belongs to.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn account_of_key(
        &self,
        caller: &Arc<Caller>,
        id: &str,
    ) -> Result<AwsDone<AccountId>, AwsProblem> {
        let ask = AwsAsk::new(action("sts:GetAccessKeyInfo")?, AwsTarget::Everything);
        let permit = self.authority.permit_aws(caller, ask).await?;
        let account = match (AccessKeyId::parse(id), SessionKeyId::parse(id)) {
            (Ok(id), _) => id.account(),
            (_, Ok(id)) => id.account(),
            (Err(_), Err(_)) => None,
        };
        let unknown = || AwsProblem::said(AwsCode::ValidationError, "Access Key ID is not valid.");
        Ok(AwsDone::new(account.ok_or_else(unknown)?, permit))
    }

    /// What an encoded message says. None is ever given out here: denials are told in words.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn decoded_message(&self, caller: &Arc<Caller>) -> Result<AwsDone<()>, AwsProblem> {
        let ask = AwsAsk::new(action("sts:DecodeAuthorizationMessage")?, AwsTarget::Everything);
        self.authority.permit_aws(caller, ask).await?;
        let text = "The message is not one that this installation encoded: it tells denials in words.";
        Err(AwsProblem::said(AwsCode::InvalidAuthorizationMessageException, text))
    }

    /// A password for the registry that stands for the caller, and until when. Of a session, no longer than the session.
    #[must_use]
    pub fn registry_password(&self, caller: &Caller) -> (Secret<String>, UnixTime) {
        let (issued_at, expires_at) = self.span(PASSWORD);
        let end = caller.credential.session().map_or(expires_at, |session| session.expires_at);
        let expires_at = expires_at.min(end);
        let credential = Secret::new(caller.credential.text());
        let password =
            RegistryPassword { principal: caller.principal().clone(), credential, issued_at, expires_at };
        (self.sealer.password(&password, &*self.entropy), expires_at)
    }
}

/// The access key of a caller who signs with one: sessions make no sessions of these kinds.
fn long_term(caller: &Caller, operation: &str) -> Result<AccessKeyId, AwsProblem> {
    match &caller.credential {
        Credential::AccessKey(id) => Ok(id.clone()),
        Credential::ApiKey(_)
        | Credential::Certificate(_)
        | Credential::Session(_)
        | Credential::Vouched(_)
        | Credential::WebIdentity(_) => {
            let text = format!("Cannot call {operation} with session credentials");
            Err(AwsProblem::said(AwsCode::AccessDenied, text))
        }
    }
}
