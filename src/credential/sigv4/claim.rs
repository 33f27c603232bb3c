//! A claim to have signed a request: read, checked against time and service, and verified with the secret.

use aws_lc_rs::constant_time;
use data_encoding::HEXLOWER_PERMISSIVE;

use super::Received;
use super::canonical::{self, Paths};
use super::keys::SigningKey;
use super::parameters;
use super::problem::Problem;
use super::scope::{self, Scope};
use crate::clock::UnixTime;
use crate::secret::Secret;

/// How many headers a signature may cover.
const HEADERS_MAX: usize = 64;

/// What a request says about who signed it. Nothing of it is proven.
#[derive(Clone)]
pub struct Claim {
    key_id: Box<str>,
    scope: Scope,
    signed_headers: Vec<Box<str>>,
    signature: [u8; 32],
    timestamp: Box<str>,
    at: UnixTime,
    lifetime: Option<i64>,
    token: Option<Secret<String>>,
    query: Vec<(String, String)>,
}

// A presigned query holds the session token.
impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim")
            .field("key_id", &self.key_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Claim {
    /// Reads the claim of a request; `None` if it makes none.
    ///
    /// # Errors
    /// [`Problem`] when something is missing, cannot be read, or is not covered by the signature and must be: the host,
    /// every `x-amz-` header, and the type of the body.
    pub fn read(received: &Received<'_>) -> Result<Option<Self>, Problem> {
        let query = parameters::of(received)?;
        let Some(found) = parameters::find(received, &query)? else { return Ok(None) };
        parameters::once(received)?;
        let (key_id, scope) = Scope::read(&found.credential)?;
        let signature = HEXLOWER_PERMISSIVE.decode(found.signature.as_bytes()).ok();
        let signature = signature.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let signature = signature.ok_or(Problem::Mismatch)?;
        let undated = || {
            let text = "Date must be in ISO-8601 'basic format'. Write it as 20261121T123600Z.";
            Problem::Incomplete(text.to_owned())
        };
        let at = scope::instant(&found.timestamp).ok_or_else(undated)?;
        let signed_headers = signed_headers(&found.signed_headers)?;
        covered(received, &signed_headers, found.lifetime.is_some())?;
        Ok(Some(Self {
            key_id,
            scope,
            signed_headers,
            signature,
            timestamp: found.timestamp.into(),
            at,
            lifetime: found.lifetime,
            token: found.token,
            query,
        }))
    }

    /// The access key's id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The region that it is made for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.scope.region
    }

    /// The service that it is made for.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.scope.service
    }

    /// The session token.
    #[must_use]
    pub const fn token(&self) -> Option<&Secret<String>> {
        self.token.as_ref()
    }

    /// Whether it stands in the query.
    #[must_use]
    pub const fn is_presigned(&self) -> bool {
        self.lifetime.is_some()
    }

    /// Whether it is for now.
    ///
    /// # Errors
    /// [`Problem::Refused`]
    pub fn is_timely(&self, now: UnixTime) -> Result<(), Problem> {
        scope::timely(self.at, self.lifetime, now)
    }

    /// Whether it is for now and for `service`.
    ///
    /// # Errors
    /// [`Problem::Refused`]
    pub fn check(&self, service: &str, now: UnixTime) -> Result<(), Problem> {
        self.is_timely(now)?;
        self.scope.check(service, &self.timestamp)
    }

    /// The key that signs for it, if `secret` is its holder's.
    #[must_use]
    pub fn key(&self, secret: &Secret<String>) -> SigningKey {
        SigningKey::derive(secret, &self.scope)
    }

    pub(super) const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether `key` made the signature, over this very request with this very body.
    ///
    /// # Errors
    /// [`Problem::Mismatch`]
    pub fn verify(
        &self,
        key: &SigningKey,
        received: &Received<'_>,
        body: &[u8],
        paths: Paths,
    ) -> Result<(), Problem> {
        let canonical = self.canonical(received, body, paths)?;
        let scope = self.scope.text();
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.timestamp,
            canonical::hash(canonical.as_bytes())
        );
        let made = key.sign(&text);
        let fits = constant_time::verify_slices_are_equal(made.as_ref(), &self.signature);
        // What a header says of the body must be true as well; the signature is over the truth in any case.
        let stated = received.headers.get("x-amz-content-sha256");
        let true_of_body = stated.is_none_or(|stated| stated.as_bytes() == canonical::hash(body).as_bytes());
        if fits.is_ok() && true_of_body { Ok(()) } else { Err(Problem::Mismatch) }
    }

    /// The canonical request.
    ///
    /// # Errors
    /// [`Problem`] when a header cannot be written down.
    pub fn canonical(&self, received: &Received<'_>, body: &[u8], paths: Paths) -> Result<String, Problem> {
        let query = (self.query.as_slice(), self.is_presigned());
        canonical::request(received, paths, query, &self.signed_headers, body)
    }
}

/// Names between semicolons: in lower case, in order, none twice.
fn signed_headers(text: &str) -> Result<Vec<Box<str>>, Problem> {
    let names: Vec<Box<str>> = text.split(';').map(Into::into).collect();
    let plain = |name: &str| {
        let usable = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.!#$%&'*+^`|~".contains(&b);
        !name.is_empty() && name.len() <= 256 && name.bytes().all(usable)
    };
    let ordered = names.windows(2).all(|pair| matches!(pair, [one, other] if one < other));
    if names.len() <= HEADERS_MAX && ordered && names.iter().all(|name| plain(name)) {
        return Ok(names);
    }
    let text = "SignedHeaders must be names of headers in lower case, in order, each once.";
    Err(Problem::Incomplete(text.to_owned()))
}

/// Whether the signature covers what it must, and nothing that is not there.
fn covered(received: &Received<'_>, signed: &[Box<str>], presigned: bool) -> Result<(), Problem> {
    let is_signed = |name: &str| signed.iter().any(|known| **known == *name);
    if !is_signed("host") {
        let text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(Problem::Refused(text.to_owned()));
    }
    let absent = signed.iter().find(|name| ***name != *"host" && !received.headers.contains_key(&***name));
    if let Some(name) = absent {
        return Err(Problem::Refused(format!("The signed header '{name}' is not in the request.")));
    }
    let needed = |name: &str| name.starts_with("x-amz-") || name == "content-type";
    let mut names = received.headers.keys().map(http::HeaderName::as_str);
    if let Some(name) = names.find(|name| needed(name) && !is_signed(name)) {
        return Err(Problem::Refused(format!(
            "There were headers present in the request which were not signed: {name}"
        )));
    }
    let dated = presigned || is_signed("x-amz-date") || is_signed("date");
    let text = "'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS Authorization.";
    if dated { Ok(()) } else { Err(Problem::Refused(text.to_owned())) }
}
