//! Signatures held against the keys that are configured: cosign's, in its manifests.

use serde::Deserialize;

use super::Forwarder;
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference};

/// How many signatures of one image, and in one manifest, are held against keys: whoever may push decides how many there are.
pub(super) const VERIFIED_MAX: usize = 32;

/// Where cosign keeps what is signed, how long that may be, in bytes, and where the signature is.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const PAYLOAD_MAX: usize = 64 << 10;
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

#[derive(Deserialize)]
struct Signed {
    layers: Option<Vec<Layer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    annotations: Option<std::collections::HashMap<String, String>>,
}

impl Forwarder {
    /// Whether one of the signatures in a manifest is by a key that counts, of this image. Each that is looked at is one less of
    /// those that are `left`.
    pub(super) async fn is_vouched_for(
        &self,
        repository: &RepositoryName,
        image: &Digest,
        signature: &Digest,
        left: &mut usize,
    ) -> Result<bool, Fault> {
        let reference = Reference::Digest(signature.clone());
        let Some((_, _, text)) = self.manifest(repository, &reference).await? else { return Ok(false) };
        let said: Option<Signed> = serde_json::from_slice(&text).ok();
        let layers = said.and_then(|said| said.layers).unwrap_or_default();
        for layer in layers.into_iter().filter(|layer| layer.media_type == PAYLOAD) {
            let Some(rest) = left.checked_sub(1) else { return Ok(false) };
            *left = rest;
            let words = layer.annotations.as_ref().and_then(|all| all.get(SIGNATURE));
            let (Some(words), Ok(payload)) = (words, Digest::parse(&layer.digest)) else { continue };
            let Some(payload) = self.blob_up_to(repository, &payload, PAYLOAD_MAX).await? else { continue };
            if self.settings.signers.vouch(repository, image, (&payload, words)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
