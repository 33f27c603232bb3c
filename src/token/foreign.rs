//! Tokens of clusters and identity providers, as what they vouch for.
//!
//! It says who somebody is, never whom they may take on. A token is held only against the issuer that the operator has
//! configured, never against one that it names by itself.

use std::sync::Arc;

use async_trait::async_trait;

use super::federation::{Audience, Federation, Rejected};
use crate::admit::profile::ComputeTokens;
use crate::credential::believed::{Believed, Cluster, Realm};
use crate::credential::foreign::Unverified;
use crate::credential::foreign::claims::Claims as Said;
use crate::credential::voucher::{Claims, Compute, Voucher};
use crate::ids::issuer::Issuer;

/// Somebody whom an identity provider vouches for.
#[derive(Clone, Debug)]
pub struct Person {
    /// What it says of them.
    pub by: Voucher,
    /// The name of the user that they are, if people of that realm are users.
    pub user: Option<String>,
}

/// Verifies the tokens of those whom the operator believes.
#[derive(Debug)]
pub struct Foreign {
    believed: Arc<Believed>,
    federation: Arc<Federation>,
}

/// What is said of nearly everybody and asked for by no rule.
const NOISE: &[&str] = &["aud", "at_hash", "azp", "c_hash", "exp", "iat", "jti", "nbf", "nonce"];

impl Foreign {
    /// Believes those, and asks them by `federation`.
    #[must_use]
    pub const fn new(believed: Arc<Believed>, federation: Arc<Federation>) -> Self {
        Self { believed, federation }
    }

    /// The compute resource that a token was made for: a service account of a cluster.
    async fn service_account(&self, token: &str) -> Result<Voucher, &'static str> {
        let issuer = named(token)?;
        let cluster: &Cluster =
            self.believed.clusters.iter().find(|one| one.issuer == issuer).ok_or(UNKNOWN)?;
        let said = self.verify(&issuer, &cluster.audiences, token).await?;
        let text = |name: &str| said.at(&["kubernetes.io", name]).and_then(serde_json::Value::as_str);
        let account = said.at(&["kubernetes.io", "serviceaccount", "name"]);
        let (namespace, name) = match (text("namespace"), account.and_then(serde_json::Value::as_str)) {
            (Some(namespace), Some(name)) => (namespace.to_owned(), name.to_owned()),
            _ => return Err("the token is of no service account"),
        };
        // Kubernetes says it twice, and never otherwise.
        if said.subject() != format!("system:serviceaccount:{namespace}:{name}") {
            return Err("the token's subject is another than its service account");
        }
        let compute = Compute { kind: cluster.kind, crn: cluster.crn.clone(), namespace, name };
        Ok(Voucher::Compute(issuer.as_str().to_owned(), compute))
    }

    /// The person that a token was made for. Of what is said of them, what is more than can be carried is left out.
    ///
    /// # Errors
    /// Why it proves nothing, for the log.
    pub async fn person(&self, token: &str) -> Result<Person, &'static str> {
        let issuer = named(token)?;
        let realm: &Realm = self.believed.realms.iter().find(|one| one.issuer == issuer).ok_or(UNKNOWN)?;
        let said = self.verify(&issuer, &realm.audiences, token).await?;
        let user = match &realm.user_claim {
            Some(claim) if claim == "email" && !is_verified(&said) => {
                return Err("the e-mail address in the token was never verified");
            }
            Some(claim) => said.text(claim).map(str::to_owned),
            None => None,
        };
        let all = said.all().fold(Claims::none(), |claims, (name, _)| claims.with(name, said.texts(name)));
        let claims = all.only(|name| !NOISE.contains(&name));
        let claims = claims.ok_or("the token says more than can be carried")?;
        Ok(Person { by: Voucher::Realm(realm.name.clone(), claims), user })
    }

    async fn verify(&self, issuer: &Issuer, audiences: &[String], token: &str) -> Result<Said, &'static str> {
        let verified = self.federation.verify(issuer, Audience::OneOf(audiences), token).await;
        verified.map_err(|rejected| match rejected {
            Rejected::Audience => "the token is for another audience",
            Rejected::Early | Rejected::Expired { .. } | Rejected::Old => "the token is not for now",
            Rejected::Flawed(_) => "the token is malformed or forged",
            Rejected::Issuer => UNKNOWN,
            Rejected::Unreachable(_) => "the keys of the token's issuer could not be read",
        })
    }
}

#[async_trait]
impl ComputeTokens for Foreign {
    async fn compute(&self, token: &str) -> Result<Voucher, &'static str> {
        self.service_account(token).await
    }
}

/// An address that somebody typed in and nobody checked would make them whoever they like.
fn is_verified(said: &Said) -> bool {
    said.value("email_verified").and_then(serde_json::Value::as_bool) == Some(true)
}

fn named(token: &str) -> Result<Issuer, &'static str> {
    let unverified = Unverified::parse(token).map_err(|_| "the token is no identity token")?;
    Issuer::parse(unverified.issuer()).map_err(|_| UNKNOWN)
}

const UNKNOWN: &str = "the token is of an issuer that is not believed";
