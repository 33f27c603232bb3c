//! What a verified token says, as trust policies ask for it and as its session keeps it.

use super::role::Assume;
use super::session::session_name;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::credential::foreign::claims::Claims;
use crate::ids::aws::ProviderUrl;
use crate::ids::issuer::Issuer;
use crate::policy::engine::context::Key;
use crate::store::aws::oidc_provider::OidcProvider;
use crate::store::aws::tag::Tag;

/// What an issuer may say for the session, in AWS's own claims.
const TAGS: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// What a token says.
pub(super) struct Told {
    pub(super) provider: ProviderUrl,
    pub(super) issuer: Issuer,
    pub(super) claims: Claims,
    /// Whom it is for, of the provider's client ids.
    pub(super) audience: String,
}

impl Told {
    /// By this provider, for one of its client ids.
    pub(super) fn new(provider: OidcProvider, issuer: Issuer, claims: Claims) -> Self {
        let known = |one: &&String| provider.client_ids.contains(*one);
        let audience = claims.audiences().iter().find(known).cloned().unwrap_or_default();
        Self { provider: provider.url, issuer, claims, audience }
    }

    /// Those of the condition keys that the token has a value for: `PROVIDER:CLAIM`, and who says so. Where the token names
    /// an authorised party, that is `aud`, and `oaud` is whom it is for.
    pub(super) fn context(&self, keys: &[Key]) -> Vec<(String, Vec<String>)> {
        let own = format!("{}:", self.provider).to_lowercase();
        let value = |key: &Key| {
            let name = key.name();
            if name == "aws:federatedprovider" {
                return Some((name.to_owned(), vec![self.provider.to_string()]));
            }
            let values = self.values(name.strip_prefix(own.as_str())?);
            Some((name.to_owned(), values)).filter(|(_, values)| !values.is_empty())
        };
        keys.iter().filter_map(value).collect()
    }

    fn values(&self, claim: &str) -> Vec<String> {
        match (claim, self.claims.text("azp")) {
            ("aud", Some(party)) => vec![party.to_owned()],
            ("aud", None) | ("oaud", Some(_)) => self.claims.audiences().to_vec(),
            (other, _) => {
                // Keys are compared in any case, so of two claims that differ in case neither is believed.
                let mut named = self.claims.all().filter(|(name, _)| name.to_lowercase() == other);
                match (named.next(), named.next()) {
                    (Some((name, _)), None) => self.claims.texts(name),
                    (_, _) => Vec::new(),
                }
            }
        }
    }

    /// What the session remembers of it.
    pub(super) fn kept(&self) -> Vec<(String, String)> {
        let party = self.claims.text("azp").unwrap_or(&self.audience);
        vec![
            ("aws:FederatedProvider".to_owned(), self.provider.to_string()),
            (format!("{}:aud", self.provider), party.to_owned()),
            (format!("{}:sub", self.provider), self.claims.subject().to_owned()),
        ]
    }

    /// Takes the session's tags and source identity from the token. The trust policy must allow them.
    pub(super) fn carry_over(&self, assume: &mut Assume) -> Result<(), AwsProblem> {
        if let Some(identity) = self.claims.value(SOURCE_IDENTITY) {
            let name = identity.as_str().and_then(|text| session_name("sourceIdentity", text, 64).ok());
            assume.source_identity = Some(name.ok_or_else(rejected)?.as_str().to_owned());
        }
        let Some(tags) = self.claims.value(TAGS) else { return Ok(()) };
        let tags: TagsClaim = serde_json::from_value(tags.clone()).map_err(|_| rejected())?;
        for (key, [value]) in &tags.principal_tags {
            assume.wish.tags.push(Tag::parse(key, value).map_err(|_| rejected())?);
        }
        assume.transitive = tags.transitive_tag_keys;
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TagsClaim {
    #[serde(default)]
    principal_tags: std::collections::BTreeMap<String, [String; 1]>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
}

fn rejected() -> AwsProblem {
    AwsProblem::Unproven {
        code: AwsCode::IDPRejectedClaim,
        message: "The tags or the source identity that the token claims are not of the expected form."
            .to_owned(),
        because: "the token's claims of AWS's own are malformed",
    }
}
