//! The keys that an issuer publishes (RFC 7517).
//!
//! A key is for one algorithm, which its type decides; keys of other types, for other uses or too weak are left out, as if
//! they were not there.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::strict;

/// How many keys a set has at most. Issuers have two or three.
const KEYS_MAX: usize = 64;

/// How tokens are signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
}

impl Algorithm {
    /// As headers and keys name it. There is no other, and above all not `none`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// Why a document is no set of keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoKeys {
    /// None of them could check a token.
    #[error("none of the keys is for RS256, ES256 or EdDSA and has an id")]
    NoneUsable,
    /// It has no list `keys`, or is no JSON at all.
    #[error("this is no JSON Web Key Set")]
    NotASet,
    /// It has more than anybody needs.
    #[error("there are more than {KEYS_MAX} keys")]
    TooMany,
}

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    /// [`NoKeys`]
    pub fn parse(json: &[u8]) -> Result<Self, NoKeys> {
        let set = strict::object(json).ok_or(NoKeys::NotASet)?;
        let listed = set.get("keys").and_then(Value::as_array).ok_or(NoKeys::NotASet)?;
        if listed.len() > KEYS_MAX {
            return Err(NoKeys::TooMany);
        }
        let keys: Vec<Key> = listed.iter().filter_map(|key| Key::read(key.as_object()?)).collect();
        if keys.is_empty() { Err(NoKeys::NoneUsable) } else { Ok(Self(keys)) }
    }

    /// The keys of that id for that algorithm: one, unless the issuer gave the same id twice.
    pub(super) fn find(&self, id: &str, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| key.id == id && key.algorithm() == algorithm)
    }
}

/// One key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: String,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Ed25519(ParsedPublicKey),
    P256(ParsedPublicKey),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

impl Key {
    fn read(key: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::rsa(number(text("n")?)?, number(text("e")?)?)?,
            ("EC", Some("P-256")) => Material::p256(&number(text("x")?)?, &number(text("y")?)?)?,
            ("OKP", Some("Ed25519")) => {
                Material::Ed25519(ParsedPublicKey::new(&ED25519, number(text("x")?)?).ok()?)
            }
            (_, _) => return None,
        };
        let key_id = text("kid").filter(|id| !id.is_empty())?;
        let found = Self { id: key_id.to_owned(), material };
        let for_it = |named: &Value| named.as_str().and_then(Algorithm::named) == Some(found.algorithm());
        let verifies = |operations: &Value| {
            operations.as_array().is_some_and(|list| list.iter().any(|one| one.as_str() == Some("verify")))
        };
        let signs = key.get("alg").is_none_or(for_it)
            && key.get("use").is_none_or(|usage| usage.as_str() == Some("sig"))
            && key.get("key_ops").is_none_or(verifies);
        signs.then_some(found)
    }

    const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(_) => Algorithm::Es256,
            Material::Rsa(_) => Algorithm::Rs256,
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(key) | Material::P256(key) => key.verify_sig(message, signature).is_ok(),
            Material::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }
}

impl Material {
    /// 2048 to 4096 bits and an exponent from 65537: others are weak, or made to be slow.
    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<Self> {
        let exponent = e.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let sound = (256..=512).contains(&n.len()) && n.first() != Some(&0);
        let usual = e.len() <= 4 && exponent >= 65_537 && !exponent.is_multiple_of(2);
        (sound && usual).then_some(Self::Rsa(RsaPublicKeyComponents { n, e }))
    }

    fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        if x.len() != 32 || y.len() != 32 {
            return None;
        }
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], x, y].concat()).ok().map(Self::P256)
    }
}

fn number(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}
