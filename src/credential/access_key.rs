//! The secret of an access key: made, sealed for the store, and opened to check signatures.
//!
//! It proves nothing itself. Signatures are made with the secret, so unlike an API key's it cannot be kept as a hash.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::seal::MasterKey;
use crate::clock::Entropy;
use crate::ids::aws::AccessKeyId;
use crate::secret::Secret;

/// How many random bytes a secret has: 40 characters of base64.
const BYTES: usize = 30;

/// What it is sealed for; each key's opens as its own only.
fn purpose(id: &AccessKeyId) -> String {
    format!("access key {id}")
}

/// A secret access key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessSecret(Secret<String>);

impl AccessSecret {
    /// Makes a fresh one.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        entropy.fill(bytes.as_mut_slice());
        Self(Secret::new(BASE64.encode(bytes.as_slice())))
    }

    /// Takes one that was chosen elsewhere: 16 to 128 printable ASCII characters without blanks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let ok = (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        ok.then(|| Self(text.into()))
    }

    /// Seals it for the store.
    #[must_use]
    pub fn sealed(&self, id: &AccessKeyId, master: &MasterKey, entropy: &dyn Entropy) -> Vec<u8> {
        master.seal(&purpose(id), self.0.expose().as_bytes(), entropy)
    }

    /// Opens what was sealed for that key; `None` for anything else.
    #[must_use]
    pub fn opened(id: &AccessKeyId, sealed: &[u8], master: &MasterKey) -> Option<Self> {
        let plain = master.open(&purpose(id), sealed)?;
        std::str::from_utf8(plain.expose()).ok().and_then(Self::parse)
    }

    /// The secret, to check signatures with.
    #[must_use]
    pub const fn secret(&self) -> &Secret<String> {
        &self.0
    }

    /// The secret itself: for who made it, once, and for checking signatures.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::AccessSecret;
    use crate::clock::SequenceEntropy;
    use crate::credential::seal::MasterKey;
    use crate::ids::account::AccountId;
    use crate::ids::aws::AccessKeyId;

    #[test]
    fn a_secret_opens_for_its_own_key_and_master_only() {
        let entropy = SequenceEntropy::seeded(3);
        let (one, other) = (MasterKey::fresh(&entropy), MasterKey::fresh(&entropy));
        let account = AccountId::parse("123456789012").unwrap();
        let [mine, theirs] = [0, 1].map(|_| AccessKeyId::fresh(&account, &entropy));
        let secret = AccessSecret::fresh(&entropy);
        assert_eq!(secret.expose().len(), 40);
        let sealed = secret.sealed(&mine, &one, &entropy);
        assert_eq!(AccessSecret::opened(&mine, &sealed, &one), Some(secret.clone()));
        assert_eq!(AccessSecret::opened(&theirs, &sealed, &one), None);
        assert_eq!(AccessSecret::opened(&mine, &sealed, &other), None);
        assert!(!format!("{secret:?}").contains(secret.expose()));
        assert_ne!(AccessSecret::fresh(&entropy), secret);
    }

    #[test]
    fn a_chosen_secret_has_a_form() {
        assert!(AccessSecret::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").is_some());
        for wrong in ["", "short", "has a blank in the middle", &"x".repeat(129)] {
            assert!(AccessSecret::parse(wrong).is_none(), "{wrong}");
        }
    }
}
