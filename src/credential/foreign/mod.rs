//! Identity tokens of other issuers: compact JWS (RFC 7515) signed with RS256, ES256 or EdDSA, and the key sets that check them.
//!
//! It reads and checks text. It never asks for the time, never fetches a key, and never decides whether an issuer is
//! believed, or what a token is good for. Which algorithm a key is for is the key's to say: a token can only agree.

pub mod claims;
pub mod keys;
mod strict;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use self::claims::Claims;
use self::keys::{Algorithm, KeySet};

/// The longest token, in bytes: AWS's limit.
pub const TOKEN_MAX: usize = 20_000;

/// The longest id of a key, in bytes.
const KEY_ID_MAX: usize = 512;

/// What is wrong with a token itself; for the log, callers learn less.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// Its header names an algorithm that is none of ours, such as `none` or `HS256`.
    #[error("the token is not signed with RS256, ES256 or EdDSA")]
    Algorithm,
    /// The claims that every token has are missing, doubled or of another type.
    #[error("the token lacks iss, sub, aud, exp or iat, or one of them is not of its type")]
    Claims,
    /// A part is not base64url without padding, or not JSON.
    #[error("the token is not base64url of JSON")]
    Encoding,
    /// Its header has no key id, is of another type of token, or has something that must be understood and is not.
    #[error("the token's header is not one of an identity token")]
    Header,
    /// It does not have exactly three parts.
    #[error("the token is no compact JWS")]
    Shape,
    /// The signature does not verify.
    #[error("the token's signature is wrong")]
    Signature,
    /// It is longer than [`TOKEN_MAX`].
    #[error("the token is too long")]
    TooLong,
    /// The issuer has no key of that id for that algorithm.
    #[error("the issuer has no such key")]
    UnknownKey,
}

/// A token whose signature nobody has checked yet. What it says is a claim by whoever sent it.
pub struct Unverified<'t> {
    algorithm: Algorithm,
    key_id: String,
    claims: Claims,
    message: &'t [u8],
    signature: Vec<u8>,
}

/// Members of a header that bring a key along, or change how the token is read.
const FOREIGN_MEMBERS: &[&str] = &["b64", "crit", "enc", "jku", "jwk", "x5c", "x5u", "zip"];

impl<'t> Unverified<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// [`Flaw`], with the first thing that is wrong.
    pub fn parse(token: &'t str) -> Result<Self, Flaw> {
        if token.len() > TOKEN_MAX {
            return Err(Flaw::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Shape)?;
        let (header, claims) = message.split_once('.').ok_or(Flaw::Shape)?;
        if claims.contains('.') {
            return Err(Flaw::Shape);
        }
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Flaw::Encoding);
        let header = strict::object(&decode(header)?).ok_or(Flaw::Encoding)?;
        let (algorithm, key_id) = read_header(&header)?;
        let claims = strict::object(&decode(claims)?).ok_or(Flaw::Encoding)?;
        let claims = Claims::read(claims).ok_or(Flaw::Claims)?;
        Ok(Self { algorithm, key_id, claims, message: message.as_bytes(), signature: decode(signature)? })
    }

    /// The key that it says it is signed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The issuer that it says it is of.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.claims.issuer()
    }

    /// Whether the set has a key of that id for that algorithm.
    #[must_use]
    pub fn is_known_to(&self, keys: &KeySet) -> bool {
        keys.find(&self.key_id, self.algorithm).next().is_some()
    }

    /// What it says, if one of these keys signed it.
    ///
    /// # Errors
    /// [`Flaw::UnknownKey`] or [`Flaw::Signature`].
    pub fn verify(self, keys: &KeySet) -> Result<Claims, Flaw> {
        let mut found = keys.find(&self.key_id, self.algorithm).peekable();
        if found.peek().is_none() {
            return Err(Flaw::UnknownKey);
        }
        let genuine = found.any(|key| key.verifies(self.message, &self.signature));
        if genuine { Ok(self.claims) } else { Err(Flaw::Signature) }
    }
}

// What a token says is about people.
impl std::fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unverified").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The algorithm and the key.
fn read_header(header: &Map<String, Value>) -> Result<(Algorithm, String), Flaw> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = text("alg").and_then(Algorithm::named).ok_or(Flaw::Algorithm)?;
    if FOREIGN_MEMBERS.iter().any(|name| header.contains_key(*name)) {
        return Err(Flaw::Header);
    }
    // RFC 8725 section 3.11: an access token or a logout token is no identity token.
    let is_identity = match header.get("typ") {
        None => true,
        Some(Value::String(kind)) => kind.eq_ignore_ascii_case("JWT"),
        Some(_) => false,
    };
    let key_id = text("kid").filter(|kid| !kid.is_empty() && kid.len() <= KEY_ID_MAX);
    let key_id = key_id.filter(|_| is_identity).ok_or(Flaw::Header)?;
    Ok((algorithm, key_id.to_owned()))
}
