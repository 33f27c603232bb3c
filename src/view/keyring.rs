//! The signing keys: public halves to verify with, the youngest private half, still sealed, to sign with.

use std::time::Duration;

use super::Unavailable;
use crate::clock::UnixTime;
use crate::credential::jwt::VerifyingKeys;
use crate::store::keyring::SigningKeyRecord;

/// How long after it was made a key begins to sign: by then every replica that is not cut off has heard of it, so what one
/// signs is good on all at once.
pub const KNOWN_TO_ALL: Duration = Duration::from_secs(10);

/// One reading of the keyring.
#[derive(Debug)]
pub struct Keyring {
    /// Verifies what any of the keys signed. Whether a key is still accepted is for [`Keyring::accepts`] to say.
    pub verifying: VerifyingKeys,
    keys: Vec<Key>,
    /// Those that may sign, youngest first.
    signing: Vec<Signing>,
}

/// A private key.
#[derive(Debug)]
pub struct Signing {
    /// Its id.
    pub kid: Box<str>,
    /// As the store keeps it.
    pub sealed: Vec<u8>,
    created_at: UnixTime,
    retires_at: Option<UnixTime>,
}

#[derive(Debug)]
struct Key {
    kid: Box<str>,
    retires_at: Option<UnixTime>,
}

impl Keyring {
    /// Compiles stored keys, youngest first.
    ///
    /// # Errors
    /// [`Unavailable`] when one of them is no key.
    pub(super) fn compile(records: &[SigningKeyRecord]) -> Result<Self, Unavailable> {
        let verifying = VerifyingKeys::new(records.iter().map(|record| record.public.as_slice()));
        let verifying = verifying.map_err(|_| Unavailable("a stored signing key is no key".to_owned()))?;
        let key = |record: &SigningKeyRecord| Key {
            kid: record.kid.as_str().into(),
            retires_at: record.retires_at,
        };
        let signing = |record: &SigningKeyRecord| Signing {
            kid: record.kid.as_str().into(),
            sealed: record.sealed.clone(),
            created_at: record.created_at,
            retires_at: record.retires_at,
        };
        Ok(Self {
            verifying,
            keys: records.iter().map(key).collect(),
            signing: records.iter().map(signing).collect(),
        })
    }

    /// Whether tokens that `kid` signed are accepted at `now`.
    #[must_use]
    pub fn accepts(&self, kid: &str, now: UnixTime) -> bool {
        self.keys.iter().any(|key| *key.kid == *kid && key.retires_at.is_none_or(|end| now < end))
    }

    /// The private key to sign with at `now`: the youngest that every replica knows; of those that are too young for that, the oldest.
    #[must_use]
    pub fn signing(&self, now: UnixTime) -> Option<&Signing> {
        let good = || {
            self.signing.iter().filter(|key| key.retires_at.is_none_or(|end| now.plus(KNOWN_TO_ALL) < end))
        };
        let known = good().find(|key| key.created_at.plus(KNOWN_TO_ALL) <= now);
        known.or_else(|| good().next_back())
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN_TO_ALL, Keyring};
    use crate::clock::UnixTime;
    use crate::store::contract::samples::signing_key;
    use crate::store::keyring::SigningKeyRecord;

    #[test]
    fn a_key_signs_when_every_replica_knows_it_and_the_one_before_until_then() {
        let at = |seconds| UnixTime::from_seconds(seconds);
        let key = |n: u64, made, until: Option<i64>| {
            let (made, fresh) = (at(made), crate::credential::jwt::SigningKey::generate().unwrap().0);
            let public = fresh.public().to_vec();
            SigningKeyRecord { created_at: made, retires_at: until.map(at), public, ..signing_key(n) }
        };
        let signing = |keys: &[SigningKeyRecord], now| {
            let keyring = Keyring::compile(keys).unwrap();
            keyring.signing(now).map(|key| key.kid.to_string())
        };
        let both = [key(2, 1000, None), key(1, 10, Some(9000))];
        assert_eq!(signing(&both, at(1000)).as_deref(), Some("kid-1"));
        assert_eq!(signing(&both, at(1000).plus(KNOWN_TO_ALL)).as_deref(), Some("kid-2"));
        assert_eq!(signing(&both[..1], at(1000)).as_deref(), Some("kid-2"), "there is no other");
        let retired = [key(2, 1000, None), key(1, 10, Some(1001))];
        assert_eq!(signing(&retired, at(1000)).as_deref(), Some("kid-2"), "what it signs would not last");
        assert_eq!(signing(&[], at(1)), None);
    }
}
