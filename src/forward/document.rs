//! What the texts of manifests and configurations say, as far as lists and the trash need it.
//!
//! Whoever can push writes them: what does not parse says nothing, and nothing in them is believed beyond what it describes.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::registry::reference::Digest;

/// A manifest or an index.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) artifact_type: Option<String>,
    pub(super) config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
    subject: Option<Descriptor>,
}

/// Something that a manifest refers to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
    pub(super) media_type: Option<String>,
}

/// The configuration of an image.
#[derive(Default, Deserialize)]
pub(super) struct Configuration {
    /// When it was built.
    pub(super) created: Option<String>,
    #[serde(default)]
    config: Option<Runtime>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Runtime {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

impl Manifest {
    pub(super) fn of(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    /// The bytes of configuration and layers; `None` for an index.
    pub(super) fn size(&self) -> Option<u64> {
        let config = self.config.as_ref()?;
        Some(self.layers.iter().fold(config.size, |total, layer| total.saturating_add(layer.size)))
    }

    /// Its configuration and layers, and their sizes.
    pub(super) fn blobs(&self) -> Vec<(Digest, u64)> {
        let all = self.config.iter().chain(&self.layers);
        all.filter_map(|blob| Some((blob.digest()?, blob.size))).collect()
    }

    /// The manifests that it is an index of. Each once, however often the index says so: every one is read.
    pub(super) fn children(&self) -> Vec<Digest> {
        let mut known = HashSet::new();
        let digests = self.manifests.iter().filter_map(Descriptor::digest);
        digests.filter(|child| known.insert(child.clone())).collect()
    }

    /// What it is about.
    pub(super) fn subject(&self) -> Option<Digest> {
        self.subject.as_ref().and_then(Descriptor::digest)
    }
}

impl Descriptor {
    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest).ok()
    }
}

impl Configuration {
    pub(super) fn of(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    pub(super) fn labels(&mut self) -> Vec<(String, String)> {
        let labels = self.config.take().and_then(|runtime| runtime.labels);
        labels.unwrap_or_default().into_iter().collect()
    }
}
