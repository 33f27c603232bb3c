//! What is pulled: an index, a manifest, a configuration, layers, and blobs of several sizes, made up and always the same.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;

/// The repository that everything is in.
pub(crate) const REPOSITORY: &str = "bench/app";

/// The type of the manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of the index.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// One manifest or blob.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) digest: String,
    pub(crate) kind: &'static str,
    pub(crate) bytes: Bytes,
}

impl Object {
    fn new(kind: &'static str, bytes: Vec<u8>) -> Self {
        let digest = format!("sha256:{}", HEXLOWER.encode(digest(&SHA256, &bytes).as_ref()));
        Self { digest, kind, bytes: bytes.into() }
    }

    fn blob(seed: u32, length: usize) -> Self {
        let bytes = (0..length as u32).map(|n| (n ^ seed).wrapping_mul(2_654_435_761).to_le_bytes()[3]);
        Self::new("application/octet-stream", bytes.collect())
    }
}

/// The image `v1`, the index `many` over it, and loose blobs.
pub(crate) struct Image {
    pub(crate) index: Object,
    pub(crate) manifest: Object,
    pub(crate) config: Object,
    pub(crate) layers: Vec<Object>,
    /// By what they are called in the results.
    pub(crate) blobs: Vec<(&'static str, Object)>,
}

impl Image {
    pub(crate) fn new() -> Self {
        let config = Object::blob(7, 7 << 10);
        let layers: Vec<Object> = (1..=3).map(|n| Object::blob(n, (2 << 20) + n as usize)).collect();
        let described = |object: &Object, kind: &str| serde_json::json!({"mediaType": kind, "digest": object.digest, "size": object.bytes.len()});
        let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": described(&config, "application/vnd.oci.image.config.v1+json"),
            "layers": layers.iter().map(|layer| described(layer, tar)).collect::<Vec<_>>(),
            // As long as those of real images are.
            "annotations": {"org.opencontainers.image.description": "x".repeat(600)},
        });
        let manifest = Object::new(MANIFEST, manifest.to_string().into_bytes());
        let mut only = described(&manifest, MANIFEST);
        only["platform"] = serde_json::json!({"os": "linux", "architecture": "amd64"});
        let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [only]});
        let index = Object::new(INDEX, index.to_string().into_bytes());
        let blobs = vec![
            ("64 KiB", Object::blob(11, 64 << 10)),
            ("1 MiB", Object::blob(12, (1 << 20) + 1)),
            ("64 MiB", Object::blob(13, 64 << 20)),
        ];
        Self { index, manifest, config, layers, blobs }
    }

    /// Everything, by the path that it is read from.
    pub(crate) fn paths(&self) -> HashMap<String, Object> {
        let manifests =
            [("v1", &self.manifest), ("many", &self.index)].into_iter().flat_map(|(tag, object)| {
                [tag, &object.digest]
                    .map(|name| (format!("/v2/{REPOSITORY}/manifests/{name}"), object.clone()))
            });
        let blobs = self.layers.iter().chain([&self.config]).chain(self.blobs.iter().map(|(_, blob)| blob));
        let blobs = blobs.map(|blob| (blob_path(blob), blob.clone()));
        manifests.chain(blobs).collect()
    }

    /// The path of the blob that is called that.
    pub(crate) fn blob(&self, name: &str) -> (String, u64) {
        let (_, blob) = self.blobs.iter().find(|(known, _)| *known == name).expect("a known size");
        (blob_path(blob), blob.bytes.len() as u64)
    }
}

/// Where a blob is read.
pub(crate) fn blob_path(blob: &Object) -> String {
    format!("/v2/{REPOSITORY}/blobs/{}", blob.digest)
}
