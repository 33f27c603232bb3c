//! Keys and tokens for those who verify somebody else's: an ES256 token in the registry's own form.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::{BASE32, BASE64URL_NOPAD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData};

/// Who signs.
pub(crate) const ISSUER: &str = "bench-issuer";
/// For whom.
pub(crate) const AUDIENCE: &str = "registry";

/// The files that contenders are given.
pub(crate) struct Papers {
    pub(crate) folder: PathBuf,
    /// A token that lets pull from the repository, for a day.
    pub(crate) token: String,
}

impl Papers {
    /// Makes `ca.crt`, `tls.crt`, `tls.key`, `tls.pem` (both), `signer.crt` and `signer.pub` in a folder.
    pub(crate) fn make(folder: &Path) -> Self {
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("a writable folder");
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600))
                .expect("a file of ours");
        };
        let key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.distinguished_name.push(DnType::CommonName, "The benchmark's authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        write("ca.crt", &authority.self_signed(&key).expect("a certificate").pem());
        let issuer = Issuer::new(authority, key);
        let leaf_key = KeyPair::generate().expect("a key");
        let leaf =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
        let chain = leaf.signed_by(&leaf_key, &issuer).expect("a certificate").pem();
        write("tls.crt", &chain);
        write("tls.key", &leaf_key.serialize_pem());
        write("tls.pem", &format!("{chain}{}", leaf_key.serialize_pem()));
        let signer = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(Vec::new()).expect("no names");
        write("signer.crt", &params.self_signed(&signer).expect("a certificate").pem());
        write("signer.pub", &signer.public_key_pem());
        Self { folder: folder.to_owned(), token: token(&signer) }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

fn token(signer: &KeyPair) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let header =
        serde_json::json!({"typ": "JWT", "alg": "ES256", "kid": key_id(&signer.subject_public_key_info())});
    let claims = serde_json::json!({
        "iss": ISSUER, "sub": "bench", "aud": AUDIENCE, "exp": now + 86_400, "nbf": now - 10, "iat": now,
        "jti": "bench-1", "access": [{"type": "repository", "name": crate::image::REPOSITORY, "actions": ["pull"]}],
    });
    let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &signer.serialize_der());
    let signature = pair.expect("a key of ours").sign(&SystemRandom::new(), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.expect("randomness").as_ref()))
}

/// How docker-registry names keys: the first 240 bits of the digest of the public key, in groups of four letters.
fn key_id(public: &[u8]) -> String {
    let hash = digest(&SHA256, public);
    let text = BASE32.encode(&hash.as_ref()[..30]);
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":")
}
