//! Sealing at rest: one master key, from which every other symmetric key is derived.
//!
//! It encrypts and derives. It never touches a file: whoever keeps the master key must keep it away from the store that
//! holds what is sealed.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::secret::Secret;

/// The first byte of everything sealed: which form follows.
const FORM: u8 = 1;

/// Why a text is no master key. It never repeats the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadMasterKey {
    /// It is not one line of base64 that decodes to 32 bytes.
    #[error(
        "the master key must be one line of base64 that holds 32 bytes; restore the file from your backup"
    )]
    Malformed,
    /// All bytes are the same, which no random key is.
    #[error("the master key is not random; restore the file from your backup")]
    Weak,
}

/// The key that seals secrets at rest.
pub struct MasterKey {
    bytes: Secret<[u8; 32]>,
    derivation: hkdf::Prk,
    sealing: LessSafeKey,
}

impl MasterKey {
    /// Makes a fresh key.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        Self::from_bytes(&bytes)
    }

    /// Reads what [`MasterKey::encode`] wrote; the line's end may be missing.
    ///
    /// # Errors
    /// [`BadMasterKey`] for any other text, and for a key that cannot have come from a random generator.
    pub fn parse(text: &str) -> Result<Self, BadMasterKey> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let decoded =
            BASE64.decode(line.as_bytes()).map_err(|_| BadMasterKey::Malformed).map(Zeroizing::new)?;
        let bytes: [u8; 32] = decoded.as_slice().try_into().map_err(|_| BadMasterKey::Malformed)?;
        let bytes = Zeroizing::new(bytes);
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(BadMasterKey::Weak);
        }
        Ok(Self::from_bytes(&bytes))
    }

    /// Whether somebody else may read a file with these owner and permission bits. A group may read what is root's: that is how
    /// secrets reach a container that is not root, and how PostgreSQL takes its server's key.
    #[must_use]
    pub const fn is_exposed(owner: u32, mode: u32) -> bool {
        let forbidden = if owner == 0 { 0o037 } else { 0o077 };
        mode & forbidden != 0
    }

    /// The key as its file holds it: one line of base64.
    #[must_use]
    pub fn encode(&self) -> Secret<String> {
        Secret::new(format!("{}\n", BASE64.encode(self.bytes.expose())))
    }

    /// Seals `plain` for `purpose`; it opens for the same purpose only. Sealing the same twice gives different bytes.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = Zeroizing::new(plain.to_vec());
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        let tag = self.sealing.seal_in_place_separate_tag(nonce_used, Aad::from(purpose), &mut sealed);
        let tag = certain(tag);
        [&[FORM], nonce.as_slice(), sealed.as_slice(), tag.as_ref()].concat()
    }

    /// Opens what was sealed for `purpose` under this key; `None` for anything else.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Secret<Vec<u8>>> {
        let [FORM, rest @ ..] = sealed else { return None };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.sealing.open_in_place(nonce, Aad::from(purpose), &mut body).ok()?;
        Some(Secret::new(plain.to_vec()))
    }

    /// Derives the key for `purpose`; keys for different purposes say nothing of each other or of this one.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Secret<[u8; 32]> {
        expand(&self.derivation, &[b"portcullis derive 1:", purpose.as_bytes()])
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let derivation = hkdf::Salt::new(hkdf::HKDF_SHA256, b"portcullis master key").extract(bytes);
        let sealing = expand(&derivation, &[b"portcullis seal 1"]);
        let sealing = LessSafeKey::new(certain(UnboundKey::new(&AES_256_GCM_SIV, sealing.expose())));
        Self { bytes: Secret::new(*bytes), derivation, sealing }
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn expand(from: &hkdf::Prk, info: &[&[u8]]) -> Secret<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    certain(from.expand(info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(key.as_mut_slice())));
    Secret::new(*key)
}

/// Takes a result that fails only for inputs that cannot occur here: wrong key lengths, or gigabytes to seal. Going on
/// after such a failure could leave a secret unsealed, so the process ends.
fn certain<T>(result: Result<T, Unspecified>) -> T {
    result.unwrap_or_else(|_| std::process::abort())
}

#[cfg(test)]
mod tests;
