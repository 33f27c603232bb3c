//! Someone with a token of an identity provider, in front of a role: nobody of the account, and good for this one call.
//!
//! Whether the token is genuine was found out before; whether the role's trust policy lets them in is decided like any call.

use std::sync::Arc;

use super::caller::{Caller, Credential, Reported, Said};
use super::fault::Fault;
use super::gate::{Gate, Why};
use super::network::Want;
use super::origin::Origin;
use crate::ids::aws::RoleId;
use crate::ids::cbr::RuleId;
use crate::ids::issuer::Issuer;
use crate::ids::principal::PrincipalId;
use crate::policy::engine::bundle::{Bundle as Rights, Policies};
use crate::policy::engine::principal::Caller as Who;
use crate::view::bundle::Bundle;

/// What a verified token says of who holds it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebIdentity {
    /// Who says so.
    pub issuer: Issuer,
    /// The ARN of the issuer's provider.
    pub provider: String,
    /// Who it is.
    pub subject: String,
}

/// A web identity that may come from where it comes from.
#[derive(Clone, Debug)]
pub struct Introduced {
    /// As the caller that it is for this call, under the name of the role.
    pub caller: Arc<Caller>,
    /// Rules in report mode that would have refused it.
    pub would_refuse: Vec<RuleId>,
}

impl Gate {
    /// Lets a web identity come before a role, or before `role` as one that does not exist.
    ///
    /// # Errors
    /// [`Why`], where the call may not come from there or the view cannot say.
    pub async fn introduce(
        &self,
        identity: WebIdentity,
        role: &RoleId,
        origin: Origin,
    ) -> Result<Introduced, Why> {
        let principal = PrincipalId::Role(role.clone());
        let found = self.view.principal(&principal).await.map_err(Fault::from)?;
        let provider = identity.provider.as_str().into();
        let bundle = Bundle {
            principal,
            name: found.as_ref().map(|role| role.name.clone()).unwrap_or_default(),
            active: true,
            allowed: found.and_then(|role| role.allowed.clone()),
            keys: Vec::new(),
            groups: Vec::new(),
            tags: Vec::new(),
            trust: None,
            until: None,
            rights: Rights::new(Who::WebIdentity { provider }, Policies::default()),
        };
        let caller = Arc::new(Caller {
            account: self.authenticator.account.clone(),
            credential: Credential::WebIdentity(Arc::new(identity)),
            bundle: Arc::new(bundle),
            behind: None,
            from: origin.from,
            local: origin.local,
            endpoint: origin.endpoint,
            secure: origin.secure,
            issued_at: None,
            reported: Reported::default(),
            said: Said::default(),
        });
        let would_refuse = self.network(&caller, Want::Identity).await?;
        Ok(Introduced { caller, would_refuse })
    }
}
