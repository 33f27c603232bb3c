//! What messages to webhooks are signed with: a secret that each receiver shares, and a key of the account's own whose public
//! half anybody may have. Both in the manner of Standard Webhooks: over id, time and body.
//!
//! It makes and seals secrets, and signs. It never sends anything.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::{BASE64, BASE64_NOPAD};
use zeroize::Zeroizing;

use super::seal::MasterKey;
use crate::clock::{Entropy, UnixTime};
use crate::ids::tagged::NotificationChannelId;
use crate::secret::Secret;

/// How a secret begins as text.
const PREFIX: &str = "whsec_";

/// How many random bytes a fresh secret has.
const BYTES: usize = 32;

/// What the account's own key is derived for.
const SIGNING: &str = "webhook-signatures";

/// What stands before an Ed25519 public key in its certificate form (RFC 8410, section 4).
const SUBJECT_PUBLIC_KEY: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a secret is sealed for; each channel's opens as its own only.
fn purpose(id: &NotificationChannelId) -> String {
    format!("notification channel {id}")
}

/// What is signed: nothing of it can be moved to another message or another time.
fn signed(id: &str, at: UnixTime, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{}.", at.seconds()).as_bytes(), body].concat()
}

/// A secret that a receiver shares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebhookSecret(Secret<Vec<u8>>);

impl WebhookSecret {
    /// Makes a fresh one.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new(vec![0; BYTES]);
        entropy.fill(&mut bytes);
        Self(Secret::new(bytes.to_vec()))
    }

    /// Takes one that was chosen elsewhere: `whsec_` and 24 to 64 bytes in base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?.trim_end_matches('=');
        let bytes = Zeroizing::new(BASE64_NOPAD.decode(encoded.as_bytes()).ok()?);
        (24..=64).contains(&bytes.len()).then(|| Self(Secret::new(bytes.to_vec())))
    }

    /// The secret itself: for who made it, once.
    #[must_use]
    pub fn reveal(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", BASE64.encode(self.0.expose())))
    }

    /// Seals it for the store.
    #[must_use]
    pub fn sealed(&self, id: &NotificationChannelId, master: &MasterKey, entropy: &dyn Entropy) -> Vec<u8> {
        master.seal(&purpose(id), self.0.expose(), entropy)
    }

    /// Opens what was sealed for that channel; `None` for anything else.
    #[must_use]
    pub fn opened(id: &NotificationChannelId, sealed: &[u8], master: &MasterKey) -> Option<Self> {
        master.open(&purpose(id), sealed).map(Self)
    }

    /// The signature of a message, as its header says it.
    #[must_use]
    pub fn sign(&self, id: &str, at: UnixTime, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        format!("v1,{}", BASE64.encode(hmac::sign(&key, &signed(id, at, body)).as_ref()))
    }
}

/// The account's own key: the same as long as the master key is.
pub struct WebhookKey(Ed25519KeyPair);

impl WebhookKey {
    /// The key that goes with this master key; `None` never happens, for any 32 bytes are one.
    #[must_use]
    pub fn of(master: &MasterKey) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(master.derive(SIGNING).expose()).ok().map(Self)
    }

    /// The signature of a message, as its header says it.
    #[must_use]
    pub fn sign(&self, id: &str, at: UnixTime, body: &[u8]) -> String {
        format!("v1a,{}", BASE64.encode(self.0.sign(&signed(id, at, body)).as_ref()))
    }

    /// Its public half, as PEM.
    #[must_use]
    pub fn public_key(&self) -> String {
        let der = [&SUBJECT_PUBLIC_KEY, self.0.public_key().as_ref()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&der))
    }
}

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, KeyPair, UnparsedPublicKey};
    use data_encoding::BASE64;

    use super::{WebhookKey, WebhookSecret, signed};
    use crate::clock::{SequenceEntropy, UnixTime};
    use crate::credential::seal::MasterKey;
    use crate::ids::tagged::NotificationChannelId;

    /// The example of Standard Webhooks, by which every library of theirs is tested.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    fn messages_are_signed_as_standard_webhooks_wants_it() {
        let secret = WebhookSecret::parse(SECRET).unwrap();
        let at = UnixTime::from_seconds(1_614_265_330);
        assert_eq!(secret.sign(ID, at, BODY), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_ne!(secret.sign(ID, UnixTime::from_seconds(1), BODY), secret.sign(ID, at, BODY));
        assert_eq!(secret.reveal().expose(), SECRET);
        for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!", ""] {
            assert!(WebhookSecret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_opens_for_its_own_channel_only_and_never_prints() {
        let entropy = SequenceEntropy::seeded(3);
        let master = MasterKey::fresh(&entropy);
        let [mine, theirs] = [0, 1].map(|_| NotificationChannelId::fresh(&entropy));
        let secret = WebhookSecret::fresh(&entropy);
        let sealed = secret.sealed(&mine, &master, &entropy);
        assert_eq!(WebhookSecret::opened(&mine, &sealed, &master), Some(secret.clone()));
        assert_eq!(WebhookSecret::opened(&theirs, &sealed, &master), None);
        assert_eq!(format!("{secret:?}"), "WebhookSecret(Secret(…))");
    }

    #[test]
    fn who_has_the_public_half_can_check_the_other_signature() {
        let master = MasterKey::fresh(&SequenceEntropy::seeded(3));
        let key = WebhookKey::of(&master).unwrap();
        assert_eq!(WebhookKey::of(&master).unwrap().public_key(), key.public_key());
        let at = UnixTime::from_seconds(1_614_265_330);
        let signature = BASE64.decode(key.sign(ID, at, BODY).strip_prefix("v1a,").unwrap().as_bytes());
        let public = UnparsedPublicKey::new(&ED25519, key.0.public_key().as_ref());
        public.verify(&signed(ID, at, BODY), &signature.unwrap()).unwrap();
        let der = BASE64.decode(key.public_key().lines().nth(1).unwrap().as_bytes()).unwrap();
        assert_eq!(&der[12..], key.0.public_key().as_ref());
    }
}
