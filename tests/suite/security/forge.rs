//! Tokens of every wrong kind, made from the outside in: header, claims and signature are whatever a case wants.

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use portcullis::clock::SystemClock;
use portcullis::credential::seal::MasterKey;
use portcullis::store::keyring::Keyring;
use portcullis::store::sqlite;
use portcullis::token::mint::SEALED_FOR;

use crate::support::portcullis::Portcullis;

/// Someone with a P-256 key.
pub(super) struct Forger {
    pair: EcdsaKeyPair,
}

impl Forger {
    /// Someone with a key of their own.
    pub(super) fn with_own_key() -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    /// Someone with the server's own key, so that only what is wrong with the claims can give a token away. This is
    /// what the master key and the store together are worth.
    pub(super) fn with_the_servers_key(at: &Portcullis) -> Self {
        let folder = at.folder();
        let master = std::fs::read_to_string(folder.join("master.key")).unwrap();
        let master = MasterKey::parse(master.trim_end()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (keys, _) = runtime.block_on(async {
            let store = sqlite::open(&folder.join("portcullis.db"), Arc::new(SystemClock)).await.unwrap();
            let keys = store.signing_keys().await.unwrap();
            store.close().await;
            keys
        });
        let private = master.open(SEALED_FOR, &keys[0].sealed).unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.expose()).unwrap() }
    }

    /// A token with this header and these claims, well signed.
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        format!("{message}.{}", BASE64URL_NOPAD.encode(&self.signature(&message)))
    }

    /// The same, with the other spelling of the signature: DER.
    pub(super) fn sign_der(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let raw = self.signature(&message);
        let integer = |half: &[u8]| [&[2, 33, 0][..], half].concat();
        let both = [integer(&raw[..32]), integer(&raw[32..])].concat();
        let der = [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&der))
    }

    /// The server accepts one spelling of a signature only, that with the low `s`; every second one is.
    fn signature(&self, message: &str) -> Vec<u8> {
        loop {
            let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            if signature.as_ref()[32] < 0x7f {
                return signature.as_ref().to_vec();
            }
        }
    }

    /// The public key, as people paste it.
    pub(super) fn public(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }
}

/// A token whose signature is an HMAC.
pub(super) fn hmac_signed(header: &str, claims: &str, secret: &[u8]) -> String {
    let message = message(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
}

/// A token with these bytes for a signature.
pub(super) fn with_signature(header: &str, claims: &str, signature: &[u8]) -> String {
    format!("{}.{}", message(header, claims), BASE64URL_NOPAD.encode(signature))
}

/// Header and claims of a token, as text.
pub(super) fn read(token: &str) -> (String, String) {
    let mut parts = token.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap());
    let mut text = || String::from_utf8(parts.next().unwrap()).unwrap();
    (text(), text())
}

fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()))
}
