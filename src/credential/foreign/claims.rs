//! What an identity token says, once its signature was found good.

use serde_json::{Map, Value};

use crate::clock::UnixTime;

/// The claims of a token, of which those are typed that every token has. Nothing here says whether they are good enough.
#[derive(Clone, Eq, PartialEq)]
pub struct Claims {
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    expires_at: UnixTime,
    issued_at: UnixTime,
    not_before: Option<UnixTime>,
    all: Map<String, Value>,
}

impl Claims {
    /// Reads an object; `None` unless it has issuer, subject, audience, end and beginning, each of its type.
    pub(super) fn read(all: Map<String, Value>) -> Option<Self> {
        let text = |name: &str| all.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let audiences = match all.get("aud")? {
            Value::String(one) => vec![one.clone()],
            Value::Array(list) => {
                list.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>()?
            }
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) => return None,
        };
        let not_before = match all.get("nbf") {
            Some(value) => Some(numeric_date(value)?),
            None => None,
        };
        Some(Self {
            issuer: text("iss")?,
            subject: text("sub")?,
            audiences: Some(audiences).filter(|list| !list.is_empty())?,
            expires_at: numeric_date(all.get("exp")?)?,
            issued_at: numeric_date(all.get("iat")?)?,
            not_before,
            all,
        })
    }

    /// `iss`, as it is written.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `aud`: one or more.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `exp`
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// `iat`
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `nbf`
    #[must_use]
    pub const fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// A claim that is a text or a list, as texts: what is compared is spelt as JSON spells it, so `true` is "true". What has
    /// parts of its own is left out.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.value(name).map(texts_of).unwrap_or_default()
    }

    /// A claim, whatever it is.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// A claim within claims, such as `kubernetes.io`, `namespace`.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.value(first)?, |value, name| value.get(name))
    }

    /// All claims by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.all.iter().map(|(name, value)| (name.as_str(), value))
    }
}

// What a token says is about people.
impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The texts of a claim: see [`Claims::texts`].
fn texts_of(value: &Value) -> Vec<String> {
    let single = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Null | Value::Object(_) => None,
    };
    match value {
        Value::Array(list) => list.iter().filter_map(single).collect(),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::String(_) => {
            single(value).into_iter().collect()
        }
    }
}

/// Seconds since the epoch (RFC 7519 section 2), which some issuers write with a fraction.
fn numeric_date(value: &Value) -> Option<UnixTime> {
    const LATEST: f64 = 253_402_300_799.0;
    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was just checked")]
    let millis = (seconds * 1000.0) as i64;
    Some(UnixTime::from_millis(millis))
}
