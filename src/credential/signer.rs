//! Public keys that signatures of images are held against: ECDSA on P-256, as cosign makes them.
//!
//! It says whether a signature is one of a key, and of what; whom a key belongs to is the operator's to know.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use data_encoding::BASE64;
use serde::Deserialize;

use crate::ids::Malformed;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::Digest;

/// How a public key of P-256 begins in DER (RFC 5480): its algorithm, its curve, and that the point is whole.
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What cosign says that it has signed.
const KIND: &str = "cosign container image signature";

/// A key.
#[derive(Clone, Debug)]
pub struct SignerKey(ParsedPublicKey);

impl SignerKey {
    /// Reads a key in PEM, as `cosign generate-key-pair` and `cosign public-key` write it.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(pem: &str) -> Result<Self, Malformed> {
        let wrong = || Malformed::new(pem, "a public key of ECDSA P-256 in PEM, such as cosign.pub");
        let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----").ok_or_else(wrong)?;
        let body = body.strip_suffix("-----END PUBLIC KEY-----").ok_or_else(wrong)?;
        let text: String = body.split_ascii_whitespace().collect();
        let der = BASE64.decode(text.as_bytes()).map_err(|_| wrong())?;
        let point = der.strip_prefix(&PREFIX).ok_or_else(wrong)?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).map(Self).map_err(|_| wrong())
    }

    /// Whether the signature is this key's, of this payload.
    #[must_use]
    pub fn has_signed(&self, payload: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(payload, signature).is_ok()
    }
}

/// The keys that count, and where.
#[derive(Clone, Debug, Default)]
pub struct Signers(Vec<(Option<Namespace>, SignerKey)>);

impl Signers {
    /// Keys that count in one namespace or, without one, in all.
    #[must_use]
    pub const fn new(keys: Vec<(Option<Namespace>, SignerKey)>) -> Self {
        Self(keys)
    }

    /// The keys that signatures in the repository are held against; none if any signature will do.
    pub fn of<'s>(&'s self, name: &'s RepositoryName) -> impl Iterator<Item = &'s SignerKey> {
        let counts = |place: &Option<Namespace>| {
            place.as_ref().is_none_or(|namespace| namespace.as_str() == name.namespace())
        };
        self.0.iter().filter(move |(place, _)| counts(place)).map(|(_, key)| key)
    }

    /// Whether signatures in the repository are held against keys.
    #[must_use]
    pub fn verify(&self, name: &RepositoryName) -> bool {
        self.of(name).next().is_some()
    }

    /// Where that is so: `*` for everywhere.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let place = |(place, _): &(Option<Namespace>, SignerKey)| {
            place.as_ref().map_or_else(|| "*".to_owned(), |namespace| namespace.as_str().to_owned())
        };
        let mut all: Vec<String> = self.0.iter().map(place).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether a key that counts in the repository has signed the payload, and the payload is about the image.
    #[must_use]
    pub fn vouch(&self, name: &RepositoryName, image: &Digest, (payload, signature): (&[u8], &str)) -> bool {
        let Ok(signature) = BASE64.decode(signature.trim().as_bytes()) else { return false };
        // Signed first, read then.
        self.of(name).any(|key| key.has_signed(payload, &signature)) && is_about(payload, image)
    }
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

fn is_about(payload: &[u8], image: &Digest) -> bool {
    let said: Result<Payload, _> = serde_json::from_slice(payload);
    said.is_ok_and(|said| said.critical.kind == KIND && said.critical.image.digest == image.as_str())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    use data_encoding::BASE64;

    use super::{PREFIX, SignerKey, Signers};
    use crate::registry::reference::Digest;

    fn pair() -> (EcdsaKeyPair, SignerKey) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let der = [&PREFIX, pair.public_key().as_ref()].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&der));
        (pair, SignerKey::parse(&pem).unwrap())
    }

    fn digest(n: u8) -> Digest {
        Digest::parse(&format!("sha256:{n:064x}")).unwrap()
    }

    fn payload(n: u8, kind: &str) -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{}"}},"type":"{kind}"}},"optional":null}}"#,
            digest(n)
        )
    }

    #[test]
    fn a_signature_counts_by_its_key_for_its_image_and_in_its_namespace() {
        let ((pair, key), (other, _)) = (pair(), pair());
        let sign = |pair: &EcdsaKeyPair, payload: &str| {
            BASE64.encode(pair.sign(&SystemRandom::new(), payload.as_bytes()).unwrap().as_ref())
        };
        let signers =
            Signers::new(vec![(Some(crate::registry::name::Namespace::parse("prod").unwrap()), key)]);
        let (prod, elsewhere) = ("prod/owl".parse().unwrap(), "dev/owl".parse().unwrap());
        assert!(signers.verify(&prod) && !signers.verify(&elsewhere));
        assert_eq!(signers.places(), ["prod"]);
        let good = payload(1, super::KIND);
        let signature = sign(&pair, &good);
        let vouched = |payload: &str, signature: &str, n| {
            signers.vouch(&prod, &digest(n), (payload.as_bytes(), signature))
        };
        assert!(vouched(&good, &signature, 1));
        assert!(!vouched(&good, &signature, 2), "about another image");
        assert!(!vouched(&payload(2, super::KIND), &signature, 2), "other words");
        assert!(!vouched(&good, &sign(&other, &good), 1), "by another key");
        assert!(!vouched(&good, "not base64", 1) && !vouched(&good, "", 1));
        let strange = payload(1, "something else");
        assert!(!vouched(&strange, &sign(&pair, &strange), 1), "signed, but not as an image");
        assert!(!signers.vouch(&elsewhere, &digest(1), (good.as_bytes(), &signature)));
    }

    #[test]
    fn what_is_no_key_of_p256_in_pem_is_refused() {
        let point = BASE64.encode(&[&PREFIX[..], &[4; 65]].concat());
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            &format!("-----BEGIN PUBLIC KEY-----\n{point}\n-----END PUBLIC KEY-----"),
            &format!("-----BEGIN EC PRIVATE KEY-----\n{point}\n-----END EC PRIVATE KEY-----"),
        ] {
            assert!(SignerKey::parse(text).is_err(), "{text}");
        }
    }
}
