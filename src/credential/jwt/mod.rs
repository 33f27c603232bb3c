//! Signed tokens: compact JWS (RFC 7515) with ES256 and nothing else.
//!
//! It signs and checks text. It never asks for the time, never fetches a key, and never decides what a token allows:
//! audience, issuer and times are the caller's to check, after the signature.

mod low_s;

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::Secret;

/// The longest token, in bytes: clients and load balancers give up on longer headers.
pub const TOKEN_MAX: usize = 8192;

/// Why no token could be made, or a key not be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyFault {
    /// The bytes are no P-256 key in the expected form.
    #[error("this is not a P-256 key; make a new signing key")]
    NotAKey,
    /// The system has no randomness, or the library failed.
    #[error("signing failed")]
    Signing,
    /// The claims are no JSON object, or longer than [`TOKEN_MAX`] allows.
    #[error("the claims do not fit into a token")]
    Unwritable,
}

/// Why a token is not accepted; for the log, callers only learn that it is invalid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// The claims are not what this type of token has.
    #[error("the token's claims are not of the expected form")]
    Claims,
    /// A part is not canonical base64url without padding.
    #[error("the token is not canonical base64url")]
    Encoding,
    /// The header has another algorithm, type or member than ours.
    #[error("the token's header is not one that we write")]
    Header,
    /// It does not have exactly three parts.
    #[error("the token is not a compact JWS")]
    Shape,
    /// The signature does not verify.
    #[error("the token's signature is wrong")]
    Signature,
    /// It is longer than [`TOKEN_MAX`].
    #[error("the token is too long")]
    TooLong,
    /// No key of ours has that id.
    #[error("the token names an unknown key")]
    UnknownKey,
}

/// The only header that we write and read; any other member (`jwk`, `jku`, `crit`, `b64`, …) is a rejection.
#[derive(serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    typ: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    kid: std::borrow::Cow<'a, str>,
}

const ALGORITHM: &str = "ES256";

/// A private key that signs tokens.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    kid: String,
}

impl SigningKey {
    /// Makes a fresh key, from the system's randomness, and its PKCS#8 form to be sealed and kept.
    ///
    /// # Errors
    /// [`KeyFault::Signing`] when the system has no randomness.
    pub fn generate() -> Result<(Self, Secret<Vec<u8>>), KeyFault> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyFault::Signing)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyFault::Signing)?;
        let pkcs8 = Secret::new(pkcs8.as_ref().to_vec());
        Ok((Self::from_pair(pair)?, pkcs8))
    }

    /// Reads a key that [`SigningKey::generate`] made.
    ///
    /// # Errors
    /// [`KeyFault::NotAKey`] for anything but a P-256 key in PKCS#8.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyFault> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
        Self::from_pair(pair.map_err(|_| KeyFault::NotAKey)?)
    }

    fn from_pair(pair: EcdsaKeyPair) -> Result<Self, KeyFault> {
        let kid = Jwk::of(pair.public_key().as_ref())?.kid;
        Ok(Self { pair, kid })
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key, as an uncompressed point of 65 bytes (SEC 1).
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs `claims` into a token of type `typ`.
    ///
    /// # Errors
    /// [`KeyFault::Unwritable`] for claims that are no JSON or too long, [`KeyFault::Signing`] without randomness.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, KeyFault> {
        let header = Header { typ: typ.into(), alg: ALGORITHM.into(), kid: self.kid.as_str().into() };
        let header = serde_json::to_vec(&header).map_err(|_| KeyFault::Unwritable)?;
        let claims = serde_json::to_vec(claims).map_err(|_| KeyFault::Unwritable)?;
        if !claims.starts_with(b"{") {
            return Err(KeyFault::Unwritable);
        }
        let message = format!("{}.{}", BASE64URL_NOPAD.encode(&header), BASE64URL_NOPAD.encode(&claims));
        let signature =
            self.pair.sign(&SystemRandom::new(), message.as_bytes()).map_err(|_| KeyFault::Signing)?;
        let signature = low_s::normalised(signature.as_ref()).ok_or(KeyFault::Signing)?;
        let token = format!("{message}.{}", BASE64URL_NOPAD.encode(&signature));
        if token.len() <= TOKEN_MAX { Ok(token) } else { Err(KeyFault::Unwritable) }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// The public keys whose tokens are accepted, by id.
#[derive(Clone, Debug, Default)]
pub struct VerifyingKeys(BTreeMap<String, (Jwk, ParsedPublicKey)>);

impl VerifyingKeys {
    /// Takes uncompressed points; their ids are computed, never believed.
    ///
    /// # Errors
    /// [`KeyFault::NotAKey`] when one of them is no point of P-256.
    pub fn new<'a>(points: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, KeyFault> {
        let keyed = |point: &'a [u8]| {
            let jwk = Jwk::of(point)?;
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyFault::NotAKey)?;
            Ok((jwk.kid.clone(), (jwk, key)))
        };
        points.into_iter().map(keyed).collect::<Result<_, _>>().map(Self)
    }

    /// The key id that a token claims, unverified; `None` for what cannot be a token of ours.
    #[must_use]
    pub fn key_id(token: &str) -> Option<String> {
        let header = token.split('.').next().filter(|_| token.len() <= TOKEN_MAX)?;
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        object::<Header<'_>>(&header).map(|header| header.kid.into_owned())
    }

    /// Checks the token's form, type and signature, and reads its claims.
    ///
    /// `T` must be a struct with integer times, better yet with `deny_unknown_fields`: a typed struct refuses duplicate
    /// claims and fractional or textual times, which a JSON value would let pass. Whether the times, issuer and audience
    /// are right is not checked here.
    ///
    /// # Errors
    /// [`Rejected`], with the first thing that is wrong.
    pub fn verify<T: DeserializeOwned>(&self, token: &str, typ: &str) -> Result<T, Rejected> {
        if token.len() > TOKEN_MAX {
            return Err(Rejected::TooLong);
        }
        let mut parts = token.split('.');
        let shape = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(header), Some(claims), Some(signature), None) = shape else { return Err(Rejected::Shape) };
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Rejected::Encoding);
        let (header_bytes, claim_bytes, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
        let header: Header<'_> = object(&header_bytes).ok_or(Rejected::Header)?;
        if header.alg != ALGORITHM || header.typ != typ {
            return Err(Rejected::Header);
        }
        let (_, key) = self.0.get(header.kid.as_ref()).ok_or(Rejected::UnknownKey)?;
        let signature: [u8; 64] = signature.try_into().map_err(|_| Rejected::Signature)?;
        let message = token.rsplit_once('.').map(|(message, _)| message).ok_or(Rejected::Shape)?;
        let genuine = key.verify_sig(message.as_bytes(), &signature).is_ok() && low_s::is_low(&signature);
        if !genuine {
            return Err(Rejected::Signature);
        }
        object(&claim_bytes).ok_or(Rejected::Claims)
    }

    /// The key set as clients fetch it (RFC 7517), in the order of the key ids.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self.0.values().map(|(jwk, _)| jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

/// Reads a JSON object; serde alone would also read a struct from an array.
fn object<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    json.starts_with(b"{").then(|| serde_json::from_slice(json).ok()).flatten()
}

/// A public key as JSON.
#[derive(Clone, Debug, Serialize)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    kid: String,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
}

impl Jwk {
    /// Reads an uncompressed point: `04`, then x and y of 32 bytes each.
    fn of(point: &[u8]) -> Result<Self, KeyFault> {
        let [4, coordinates @ ..] = point else { return Err(KeyFault::NotAKey) };
        let (x, y) = coordinates.split_at_checked(32).ok_or(KeyFault::NotAKey)?;
        if y.len() != 32 {
            return Err(KeyFault::NotAKey);
        }
        let (x, y) = (BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y));
        // RFC 7638 §3: the required members only, in this order, without spaces.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        Ok(Self { kty: "EC", crv: "P-256", x, y, kid, usage: "sig", alg: ALGORITHM })
    }
}

#[cfg(test)]
mod tests;
