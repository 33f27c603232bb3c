//! The signing keys: public halves to verify with, the youngest private half, still sealed, to sign with.

use super::Unavailable;
use crate::clock::UnixTime;
use crate::credential::jwt::VerifyingKeys;
use crate::store::keyring::SigningKeyRecord;

/// One reading of the keyring.
#[derive(Debug)]
pub struct Keyring {
    /// Verifies what any of the keys signed. Whether a key is still accepted is for [`Keyring::accepts`] to say.
    pub verifying: VerifyingKeys,
    keys: Vec<Key>,
    signing: Option<Vec<u8>>,
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
        let signing = records.iter().find(|record| record.retires_at.is_none());
        Ok(Self {
            verifying,
            keys: records.iter().map(key).collect(),
            signing: signing.map(|record| record.sealed.clone()),
        })
    }

    /// Whether tokens that `kid` signed are accepted at `now`.
    #[must_use]
    pub fn accepts(&self, kid: &str, now: UnixTime) -> bool {
        self.keys.iter().any(|key| *key.kid == *kid && key.retires_at.is_none_or(|end| now < end))
    }

    /// The private key to sign with, as the store keeps it.
    #[must_use]
    pub fn signing(&self) -> Option<&[u8]> {
        self.signing.as_deref()
    }
}
