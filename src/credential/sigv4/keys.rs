//! Signing keys that were derived before: of an access key for one day, region and service.
//!
//! Deriving one takes four rounds of HMAC, and a client signs with the same for a whole day. A key is found only by who holds
//! the very secret, and kept only after it made a good signature, so nobody fills or reads this with guesses. What is
//! dropped is wiped.

use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

use super::claim::Claim;
use super::scope::Scope;
use crate::secret::Secret;

/// What signs the requests of a day in a region for a service.
#[derive(Clone, Debug)]
pub struct SigningKey(Secret<[u8; 32]>);

impl SigningKey {
    /// Derives it.
    pub(super) fn derive(secret: &Secret<String>, scope: &Scope) -> Self {
        let mut key = Zeroizing::new(format!("AWS4{}", secret.expose()).into_bytes());
        for part in [&scope.date, &scope.region, &scope.service, &scope.terminator] {
            let made = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
            key = Zeroizing::new(made.as_ref().to_vec());
        }
        let mut derived = Zeroizing::new([0; 32]);
        // HMAC with SHA-256 makes 32 bytes.
        derived.iter_mut().zip(key.iter()).for_each(|(to, from)| *to = *from);
        Self(Secret::new(*derived))
    }

    /// Signs a text.
    pub(super) fn sign(&self, text: &str) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.0.expose()), text.as_bytes())
    }
}

/// For what a key was derived.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Place {
    key_id: Box<str>,
    scope: Scope,
}

#[derive(Clone, Debug)]
struct Derived {
    /// SHA-256 of the secret that it was derived from.
    of: Secret<[u8; 32]>,
    key: SigningKey,
}

/// A bounded number of keys.
#[derive(Debug)]
pub struct SigningKeys(Cache<Place, Arc<Derived>>);

impl SigningKeys {
    /// At most so many; those used least are forgotten first.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Cache::new(most))
    }

    /// The key for a claim by who has `secret`: the one that was kept, or a fresh one.
    #[must_use]
    pub fn key(&self, claim: &Claim, secret: &Secret<String>) -> SigningKey {
        let kept = self.0.get(&Self::place(claim));
        let fits = kept.filter(|kept| kept.of == fingerprint(secret));
        fits.map_or_else(|| SigningKey::derive(secret, claim.scope()), |kept| kept.key.clone())
    }

    /// Keeps the key of a claim that proved true.
    pub fn keep(&self, claim: &Claim, secret: &Secret<String>, key: &SigningKey) {
        let place = Self::place(claim);
        if self.0.peek(&place).is_none_or(|kept| kept.of != fingerprint(secret)) {
            self.0.insert(place, Arc::new(Derived { of: fingerprint(secret), key: key.clone() }));
        }
    }

    fn place(claim: &Claim) -> Place {
        Place { key_id: claim.key_id().into(), scope: claim.scope().clone() }
    }
}

fn fingerprint(secret: &Secret<String>) -> Secret<[u8; 32]> {
    let mut bytes = [0; 32];
    let digest = digest::digest(&digest::SHA256, secret.expose().as_bytes());
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    Secret::new(bytes)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{SigningKeys, fingerprint};
    use crate::credential::sigv4::Received;
    use crate::credential::sigv4::canonical::Paths;
    use crate::credential::sigv4::claim::Claim;
    use crate::secret::Secret;

    fn claim(key_id: &str, day: &str, region: &str) -> Claim {
        let mut headers = HeaderMap::new();
        let text = format!(
            "AWS4-HMAC-SHA256 Credential={key_id}/{day}/{region}/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(64)
        );
        headers.insert("authorization", text.parse().unwrap());
        headers.insert("x-amz-date", format!("{day}T000000Z").parse().unwrap());
        let received = Received { method: "POST", path: "/", query: "", host: "a.test", headers: &headers };
        Claim::read(&received).unwrap().unwrap()
    }

    #[test]
    fn a_key_is_kept_for_its_secret_day_region_and_service() {
        let (keys, secret, other) = (SigningKeys::new(16), Secret::from("one"), Secret::from("other"));
        let today = claim("AKIAIOSFODNN7EXAMPLE", "20261121", "us-south");
        let derived = keys.key(&today, &secret);
        assert!(keys.0.is_empty(), "a guess leaves nothing behind");
        keys.keep(&today, &secret, &derived);
        assert!(keys.key(&today, &secret).0 == derived.0 && keys.0.len() == 1);
        // Whoever holds another secret under the same id does not get it, and puts their own in its place only by proof.
        assert!(keys.key(&today, &other).0 != derived.0);
        assert!(keys.key(&today, &secret).0 == derived.0);
        for elsewhere in [
            claim("AKIAIOSFODNN7EXAMPLE", "20261122", "us-south"),
            claim("AKIAIOSFODNN7EXAMPLE", "20261121", "us-east"),
        ] {
            assert!(keys.key(&elsewhere, &secret).0 != derived.0);
        }
        keys.keep(&today, &other, &keys.key(&today, &other));
        assert!(keys.0.len() == 1 && keys.key(&today, &other).0 != derived.0);
        assert!(fingerprint(&secret) != fingerprint(&other));
        assert!(!format!("{keys:?}{derived:?}").contains("one"));
    }

    #[test]
    fn a_kept_key_verifies_what_a_fresh_one_verifies() {
        let (keys, secret) = (SigningKeys::new(16), Secret::from("one"));
        let claim = claim("AKIAIOSFODNN7EXAMPLE", "20261121", "us-south");
        let text = "AWS4-HMAC-SHA256\n20261121T000000Z";
        let first = keys.key(&claim, &secret);
        keys.keep(&claim, &secret, &first);
        assert_eq!(first.sign(text).as_ref(), keys.key(&claim, &secret).sign(text).as_ref());
        let headers = HeaderMap::new();
        let received = Received { method: "POST", path: "/", query: "", host: "a.test", headers: &headers };
        assert!(claim.verify(&keys.key(&claim, &secret), &received, b"", Paths::Normalised).is_err());
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let (keys, secret) = (SigningKeys::new(64), Secret::from("one"));
        for number in 0..1000 {
            let claim = claim(&format!("AKIA{number:016}"), "20261121", "us-south");
            keys.keep(&claim, &secret, &keys.key(&claim, &secret));
        }
        assert!(keys.0.len() <= 64, "{}", keys.0.len());
    }
}
