//! API keys: 256 random bits, shown once, kept only as a keyed hash.
//!
//! The keys are random, so a fast keyed hash is enough; a slow one would only let strangers burn our CPU.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

use crate::clock::Entropy;
use crate::secret::Secret;

/// The longest text that is looked at as a key; longer ones cannot be ours.
const KEY_MAX: usize = 256;

/// An API key in memory.
#[derive(Clone, Debug)]
pub struct ApiKey(Secret<String>);

impl ApiKey {
    /// Makes a fresh key: 43 URL-safe characters that carry 256 bits, after a letter so that it never starts with a
    /// hyphen and reads as an option.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        Self(Secret::new(format!("p{}", BASE64URL_NOPAD.encode(bytes.as_slice()))))
    }

    /// Takes what a caller presents as a key, whatever it is. `None` when it is empty, too long, or has control
    /// characters: no key of ours looks like that, and it must not reach a log.
    #[must_use]
    pub fn presented(text: &str) -> Option<Self> {
        let plausible = (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        plausible.then(|| Self(Secret::from(text)))
    }

    /// The key's text, to be shown to its owner once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose()
    }
}

/// The key that API keys are hashed with; kept outside the store, so a stolen store cannot be searched for keys.
#[derive(Debug)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// Uses `bytes`, 32 of them, as the pepper.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Hashes a key. Always the same work, whether such a key exists or not.
    #[must_use]
    pub fn hash(&self, key: &ApiKey) -> KeyHash {
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(hmac::sign(&self.0, key.reveal().as_bytes()).as_ref()) {
            *to = *from;
        }
        KeyHash(hash)
    }
}

/// What the store keeps of a key: HMAC-SHA256 under the [`Pepper`].
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Reads a stored hash; `None` unless it has 32 bytes.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiKey, Pepper};
    use crate::clock::{SequenceEntropy, SystemEntropy};

    #[test]
    fn keys_are_44_url_safe_characters_and_never_print() {
        let key = ApiKey::fresh(&SystemEntropy);
        assert_eq!(key.reveal().len(), 44);
        assert!(!format!("{key:?}").contains(key.reveal()));
        assert_ne!(key.reveal(), ApiKey::fresh(&SystemEntropy).reveal());
    }

    #[test]
    fn a_hash_depends_on_key_and_pepper() {
        let key = ApiKey::fresh(&SequenceEntropy::seeded(1));
        let (one, two) = (Pepper::new(&[1; 32]), Pepper::new(&[2; 32]));
        assert!(one.hash(&key) == one.hash(&key) && one.hash(&key) != two.hash(&key));
    }

    #[test]
    fn implausible_keys_are_not_even_hashed() {
        for wrong in ["", "a\n", "a b", "\0", "é", &"a".repeat(257)] {
            assert!(ApiKey::presented(wrong).is_none(), "{wrong:?}");
        }
    }
}
