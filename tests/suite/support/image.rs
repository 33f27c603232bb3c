//! Small images made on the spot: layers of random bytes, a valid config, a valid manifest.
//!
//! The folder is an OCI layout (skopeo) and, packed with tar, what `docker load` and `podman load` read.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use portcullis::clock::{Entropy, SystemEntropy};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{bare, run};

/// The media type of the manifests made here.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of what docker makes of an image that it pushes.
pub(crate) const DOCKERS_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A blob in memory.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) digest: String,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self { digest: sha256(&bytes), bytes }
    }
}

/// `sha256:…` of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(digest(&SHA256, bytes).as_ref()))
}

/// An image that no other test has.
pub(crate) struct Image {
    folder: TempDir,
    pub(crate) config: Blob,
    pub(crate) layers: Vec<Blob>,
    pub(crate) manifest: Blob,
}

impl Image {
    /// The smallest that every client takes: one layer of some bytes.
    pub(crate) fn tiny() -> Self {
        Self::with_layers(&[100])
    }

    /// One layer for each size, each a tar with one file of that many random bytes.
    pub(crate) fn with_layers(sizes: &[usize]) -> Self {
        let layers: Vec<Blob> = sizes.iter().map(|size| Blob::of(tar_of(&random_bytes(*size)))).collect();
        let digests: Vec<&str> = layers.iter().map(|layer| layer.digest.as_str()).collect();
        let config = Blob::of(to_bytes(&json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": digests},
        })));
        let describe = |media: &str, blob: &Blob| json!({"mediaType": media, "digest": blob.digest, "size": blob.bytes.len()});
        let manifest = Blob::of(to_bytes(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": describe(CONFIG, &config),
            "layers": layers.iter().map(|layer| describe(LAYER, layer)).collect::<Vec<_>>(),
        })));
        let image = Self { folder: tempfile::tempdir().unwrap(), config, layers, manifest };
        image.write();
        image
    }

    /// What docker and podman call the image's ID: the digest of its config.
    pub(crate) fn id(&self) -> &str {
        &self.config.digest
    }

    /// The folder with the OCI layout.
    pub(crate) fn layout(&self) -> &Path {
        self.folder.path()
    }

    /// All blobs that a manifest push needs to find.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().chain([&self.config])
    }

    /// Packs the image as `docker load` and `podman load` want it; the image is called `suite:latest` in there.
    pub(crate) fn docker_archive(&self, target: &Path) {
        let folder = self.layout();
        run(bare("tar").arg("-C").arg(folder).arg("-cf").arg(target).arg("."), "").must_succeed();
    }

    fn write(&self) {
        let store = self.layout().join("blobs/sha256");
        fs::create_dir_all(&store).unwrap();
        for blob in self.blobs().chain([&self.manifest]) {
            fs::write(self.layout().join(place(blob)), &blob.bytes).unwrap();
        }
        let write = |name: &str, value: &Value| fs::write(self.layout().join(name), to_bytes(value)).unwrap();
        write("oci-layout", &json!({"imageLayoutVersion": "1.0.0"}));
        write(
            "index.json",
            &json!({
                "schemaVersion": 2,
                "manifests": [{
                    "mediaType": MANIFEST,
                    "digest": self.manifest.digest,
                    "size": self.manifest.bytes.len(),
                    "annotations": {"org.opencontainers.image.ref.name": "latest"},
                }],
            }),
        );
        let layers: Vec<String> = self.layers.iter().map(place).collect();
        write(
            "manifest.json",
            &json!([{"Config": place(&self.config), "RepoTags": ["suite:latest"], "Layers": layers}]),
        );
    }
}

/// Random bytes; each call gives others.
pub(crate) fn random_bytes(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    SystemEntropy.fill(&mut bytes);
    bytes
}

fn place(blob: &Blob) -> String {
    blob.digest.replace("sha256:", "blobs/sha256/")
}

fn to_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// A tar archive (POSIX ustar) with one file.
fn tar_of(content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, "bytes");
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = content.len().next_multiple_of(512) - content.len();
    [&header, content, &vec![0; padding + 1024]].concat()
}
