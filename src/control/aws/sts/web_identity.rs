//! Taking on a role with a token of an identity provider: the account must know the provider, the provider's keys must have signed
//! the token for one of its client ids, and the role's trust policy must let in what the token says.
//!
//! Nobody signs such a call, so the token is what is guessed at: whatever is wrong with it, or with the role, is a failed login.
//! Thumbprints of providers are kept and shown, and decide nothing: that an issuer's documents are its own is proven by the
//! certificate authorities that the configuration trusts.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::super::AwsDone;
use super::super::problem::{AwsCode, AwsProblem};
use super::role::{Asked, Assume, Assumed, seconds, trust_of};
use super::told;
use crate::admit::origin::Origin;
use crate::admit::refusal::Refusal;
use crate::admit::web_identity::{Introduced, WebIdentity};
use crate::control::Desk;
use crate::credential::foreign::{Flaw, Unverified};
use crate::ids::Malformed;
use crate::ids::aws::{ProviderUrl, RoleId};
use crate::ids::issuer::Issuer;
use crate::secret::Secret;
use crate::token::federation::{Audience, Rejected};

/// The action.
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// No refusal comes sooner: what it takes to find out what is wrong differs, and would tell.
const REJECTION: Duration = Duration::from_millis(50);

/// A wish to take on a role with a token.
#[derive(Debug)]
pub struct WebAssume {
    /// Which role, under which name, and what limits the session.
    pub assume: Assume,
    /// The token.
    pub token: Secret<String>,
    /// From where.
    pub origin: Origin,
}

/// A role that was taken on with a token.
#[derive(Debug)]
pub struct WebAssumed {
    /// The session.
    pub assumed: Assumed,
    /// Who the token says that it is.
    pub subject: String,
    /// Who says so, as the token writes it.
    pub issuer: String,
    /// Whom the token was for.
    pub audience: String,
}

impl Desk {
    /// Begins a session of a role. Who asks is told as far as it is known, also where it is refused.
    pub async fn assume_role_with_web_identity(
        &self,
        wish: WebAssume,
    ) -> (Option<Introduced>, Result<AwsDone<WebAssumed>, AwsProblem>) {
        let earliest = Instant::now() + REJECTION;
        let mut introduced = None;
        let outcome = self.web_identity(wish, &mut introduced).await;
        if let Err(AwsProblem::Unproven { .. }) = &outcome {
            sleep_until(earliest).await;
        }
        (introduced, outcome)
    }

    async fn web_identity(
        &self,
        wish: WebAssume,
        introduced: &mut Option<Introduced>,
    ) -> Result<AwsDone<WebAssumed>, AwsProblem> {
        let WebAssume { mut assume, token, origin } = wish;
        let role = self.role_of(&assume.role).await?;
        let told = self.verified(token.expose()).await?;
        told.carry_over(&mut assume)?;
        // Whether there is such a role is not told: one that nobody has is asked for all the same.
        let id = role.as_ref().map(|role| role.id.clone());
        let id = id.unwrap_or_else(|| RoleId::fresh(&self.account, &*self.entropy));
        let identity = WebIdentity {
            issuer: told.issuer.clone(),
            provider: self.provider_arn(&told.provider),
            subject: told.claims.subject().to_owned(),
        };
        let before = self.authority.introduce(identity, &id, origin).await?;
        let caller = before.caller.clone();
        *introduced = role.is_some().then_some(before);
        let trust = role.as_ref().map(|role| trust_of(&assume.role, role)).transpose()?;
        let context = told.context(trust.as_deref().map(|trust| trust.keys()).unwrap_or_default());
        let asked = Asked { action: ACTION, role: role.as_ref(), trust, context };
        let permit = self.permit_assuming(&caller, &assume, asked).await.map_err(denied)?;
        let role = role.ok_or_else(not_authorized)?;
        let seconds = seconds(&assume.wish, &role)?;
        let assumed = self.begin_role(assume, &role, seconds, (told.kept(), None)).await?;
        let (subject, issuer) = (told.claims.subject().to_owned(), told.claims.issuer().to_owned());
        Ok(AwsDone::new(WebAssumed { assumed, subject, issuer, audience: told.audience }, permit))
    }

    /// What a token says, if a provider of the account says it.
    async fn verified(&self, token: &str) -> Result<told::Told, AwsProblem> {
        let unverified = Unverified::parse(token).map_err(flawed)?;
        let shown = Malformed::new(unverified.issuer(), "").text;
        let unknown = || {
            let message = format!("No OpenIDConnect provider found in your account for {shown}");
            invalid_token(message, "the token's issuer is no provider of the account")
        };
        let issuer = Issuer::parse(unverified.issuer()).map_err(|_| unknown())?;
        let url = issuer.as_str().strip_prefix("https://").and_then(|url| ProviderUrl::parse(url).ok());
        let provider = match url {
            Some(url) => self.store.oidc_provider(&url).await?.0,
            None => None,
        };
        let provider = provider.ok_or_else(unknown)?;
        let audience = Audience::OneOf(&provider.client_ids);
        let claims = self.federation.verify(&issuer, audience, token).await;
        let claims = claims.map_err(|rejected| self.rejected(&rejected))?;
        Ok(told::Told::new(provider, issuer, claims))
    }

    fn rejected(&self, rejected: &Rejected) -> AwsProblem {
        match rejected {
            Rejected::Audience => {
                invalid_token("Incorrect token audience", "the token is for another audience")
            }
            Rejected::Early => invalid_token(NOT_VALIDATED, "the token is not good yet"),
            Rejected::Expired { at } => AwsProblem::Unproven {
                code: AwsCode::ExpiredTokenException,
                message: format!(
                    "Token expired: current date/time {} must be before the expiration date/time {}",
                    self.clock.now().seconds(),
                    at.seconds()
                ),
                because: "the token has expired",
            },
            Rejected::Flawed(flaw) => flawed(*flaw),
            Rejected::Issuer => invalid_token(NOT_VALIDATED, "the token is of another issuer"),
            Rejected::Old => invalid_token("Token must be issued within 24 hours", "the token is old"),
            // Nobody's fault who asks, so it is no failed login.
            Rejected::Unreachable(_) => AwsProblem::said(
                AwsCode::IDPCommunicationError,
                "The keys of the identity provider that issued the token could not be read. Retry the request a limited number of times.",
            ),
        }
    }
}

const NOT_VALIDATED: &str = "The web identity token that was passed could not be validated. Get a new identity token from the identity provider and then retry the request.";

fn invalid_token(message: impl Into<String>, because: &'static str) -> AwsProblem {
    AwsProblem::Unproven { code: AwsCode::InvalidIdentityToken, message: message.into(), because }
}

fn flawed(flaw: Flaw) -> AwsProblem {
    let no_jwt =
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    match flaw {
        Flaw::Claims => invalid_token(no_jwt, "the token's claims are not those of an identity token"),
        Flaw::Encoding | Flaw::Shape => invalid_token(no_jwt, "the token is no JWT"),
        Flaw::Header => invalid_token(no_jwt, "the token's header is not that of an identity token"),
        Flaw::TooLong => invalid_token(no_jwt, "the token is too long"),
        Flaw::Algorithm => invalid_token(NOT_VALIDATED, "the token is not signed with RS256, ES256 or EdDSA"),
        Flaw::Signature => invalid_token(NOT_VALIDATED, "the token's signature is wrong"),
        Flaw::UnknownKey => invalid_token(
            "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
            "the issuer has no such key",
        ),
    }
}

fn not_authorized() -> AwsProblem {
    AwsProblem::Unproven {
        code: AwsCode::AccessDenied,
        message: format!("Not authorized to perform {ACTION}"),
        because: "no trust policy lets this web identity take on the role",
    }
}

/// Says no more than that, and not which role there is.
fn denied(problem: AwsProblem) -> AwsProblem {
    match problem {
        AwsProblem::Refused(Refusal::Unauthorized(_)) => not_authorized(),
        other @ (AwsProblem::Fault(_)
        | AwsProblem::Refused(_)
        | AwsProblem::Said { .. }
        | AwsProblem::Unproven { .. }) => other,
    }
}
