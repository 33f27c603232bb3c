//! What stands behind a trusted profile, or behind a person whom an identity provider vouches for, when they act: who or
//! what was proven, and what was said of it.
//!
//! It is sealed into the tokens that are given for it, so that every replica can open what another made and none keeps
//! any. It proves what was true when it was made: whether that is still enough is looked up again on every use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::session::Sealer;
use crate::clock::{Entropy, UnixTime};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::secret::Secret;

const VOUCHED: &str = "voucher";

/// How much of what an issuer says is kept, in bytes: it goes into every token.
pub const CLAIMS_MAX: usize = 2 * 1024;

/// What an issuer says of somebody: texts by the name of the claim. Numbers and truth values are written as JSON writes them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Claims(BTreeMap<String, Vec<String>>);

impl Claims {
    /// Nothing yet.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with one more; one of that name is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, values: Vec<String>) -> Self {
        self.0.insert(name.to_owned(), values);
        self
    }

    /// The values of a claim; none if it is not there.
    #[must_use]
    pub fn values(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Reads the members of a token. What is nested is left out: no condition could ask for it.
    #[must_use]
    pub fn read(members: &serde_json::Map<String, serde_json::Value>) -> Self {
        let said = members.iter().filter_map(|(name, value)| Some((name.clone(), texts(value)?)));
        Self(said.collect())
    }

    /// Only these claims, and nothing if that is too much to carry.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let kept: BTreeMap<_, _> = self.0.iter().filter(|(name, _)| wanted(name)).collect();
        let size = |(name, values): (&&String, &&Vec<String>)| {
            name.len() + values.iter().map(|value| value.len() + 4).sum::<usize>()
        };
        let fits = kept.iter().map(size).sum::<usize>() <= CLAIMS_MAX;
        fits.then(|| Self(kept.into_iter().map(|(name, values)| (name.clone(), values.clone())).collect()))
    }
}

fn texts(value: &serde_json::Value) -> Option<Vec<String>> {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => plain(value).map(|only| vec![only]),
        Value::Null | Value::Object(_) => None,
    }
}

/// A text, number or truth value as text.
#[must_use]
pub fn plain(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Null | Value::Object(_) => None,
    }
}

/// The kinds of compute resources that can prove themselves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(missing_docs, reason = "IBM's words for what they are")]
pub enum ComputeKind {
    #[serde(rename = "IKS_SA")]
    IksSa,
    #[serde(rename = "ROKS_SA")]
    RoksSa,
    #[serde(rename = "VSI")]
    Vsi,
}

impl ComputeKind {
    /// As IBM writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IksSa => "IKS_SA",
            Self::RoksSa => "ROKS_SA",
            Self::Vsi => "VSI",
        }
    }

    /// Finds a kind by IBM's word for it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::IksSa, Self::RoksSa, Self::Vsi].into_iter().find(|kind| kind.name() == text)
    }
}

/// A compute resource that its cluster vouches for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Its kind.
    pub kind: ComputeKind,
    /// The cluster's CRN, as the operator has set it.
    pub crn: String,
    /// The namespace of its service account.
    pub namespace: String,
    /// The name of its service account.
    pub name: String,
}

impl Compute {
    /// What conditions of rules can ask for.
    #[must_use]
    pub fn claims(&self) -> Claims {
        Claims::none()
            .with("crn", vec![self.crn.clone()])
            .with("namespace", vec![self.namespace.clone()])
            .with("name", vec![self.name.clone()])
    }
}

/// Who or what was proven.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub enum Voucher {
    /// A compute resource, by a token of that issuer.
    Compute(String, Compute),
    /// A user or service ID, by an API key.
    Key(PrincipalId, ApiKeyId),
    /// A person, by what the identity provider of that realm says of them.
    Realm(String, Claims),
}

/// What a token is given for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// Whom it stands for.
    pub principal: PrincipalId,
    /// Who or what is behind it.
    pub by: Voucher,
    /// Since when.
    pub issued_at: UnixTime,
    /// Until when tokens are given for it.
    pub expires_at: UnixTime,
}

/// The same, and how tokens name it.
#[derive(Clone, Debug)]
pub struct SealedVoucher {
    /// What is in it.
    pub vouched: Vouched,
    /// Sealed.
    pub text: Secret<String>,
}

impl Sealer {
    /// Seals what a token is given for.
    #[must_use]
    pub fn vouch(&self, vouched: Vouched, entropy: &dyn Entropy) -> SealedVoucher {
        let text = Secret::new(self.seal(VOUCHED, &vouched, entropy));
        SealedVoucher { vouched, text }
    }

    /// Opens what was sealed so; `None` for anything else.
    #[must_use]
    pub fn voucher(&self, text: &str) -> Option<SealedVoucher> {
        self.open(VOUCHED, text).map(|vouched| SealedVoucher { vouched, text: Secret::from(text) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::{Claims, Compute, ComputeKind, Vouched, Voucher};
    use crate::clock::{SequenceEntropy, UnixTime};
    use crate::credential::seal::MasterKey;
    use crate::credential::session::Sealer;
    use crate::ids::principal::PrincipalId;

    #[test]
    fn what_is_vouched_for_comes_back_whole_and_only_from_what_was_sealed_here() {
        let sealer = |seed| Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(seed))));
        let vouched = Vouched {
            principal: PrincipalId::parse("iam-Profile-ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap(),
            by: Voucher::Compute(
                "https://cluster.test".to_owned(),
                Compute {
                    kind: ComputeKind::IksSa,
                    crn: "crn:v1:x".to_owned(),
                    namespace: "build".to_owned(),
                    name: "runner".to_owned(),
                },
            ),
            issued_at: UnixTime::from_seconds(1000),
            expires_at: UnixTime::from_seconds(4600),
        };
        let sealed = sealer(1).vouch(vouched.clone(), &SequenceEntropy::seeded(9));
        assert_eq!(sealer(1).voucher(sealed.text.expose()).unwrap().vouched, vouched);
        assert!(sealer(2).voucher(sealed.text.expose()).is_none());
        assert!(sealer(1).session(sealed.text.expose()).is_none());
        assert!(sealer(1).registry_password(sealed.text.expose()).is_none());
        assert!(!format!("{sealed:?}").contains(sealed.text.expose()));
    }

    #[test]
    fn claims_are_texts_and_what_is_nested_or_too_much_is_left_out() {
        let said = json!({"groups": ["a", "b"], "admin": true, "level": 3, "deep": {"x": 1}, "odd": [1, {}], "none": null});
        let claims = Claims::read(said.as_object().unwrap());
        assert_eq!(claims.values("groups"), ["a", "b"]);
        assert_eq!(
            (claims.values("admin"), claims.values("level")),
            (&["true".to_owned()][..], &["3".to_owned()][..])
        );
        for absent in ["deep", "odd", "none", "never"] {
            assert!(claims.values(absent).is_empty(), "{absent}");
        }
        let large = claims.with("groups", vec!["x".repeat(3000)]);
        assert!(large.only(|_| true).is_none());
        assert_eq!(
            large.only(|name| name == "level").unwrap(),
            Claims::none().with("level", vec!["3".to_owned()])
        );
    }
}
