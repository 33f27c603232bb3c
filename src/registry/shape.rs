//! What a manifest is: an image, an index of some, a signature, or something else that is kept like an image.
//!
//! Clients go by media types, and so does this: what no container runtime would unpack is no image.

use std::collections::HashMap;

use serde::Deserialize;

use super::reference::Digest;

/// The most manifests that an index may name and still be looked into.
const CHILDREN_MAX: usize = 1000;

/// What a manifest is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Nature {
    /// Something that nothing runs: a chart, a bill of materials, a report.
    Artifact,
    /// An image, or what cannot be told from one.
    Image,
    /// An index of images.
    Index,
    /// A signature or an attestation.
    Signature,
}

impl Nature {
    const ALL: [Self; 4] = [Self::Artifact, Self::Image, Self::Index, Self::Signature];

    /// As it is stored.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
            Self::Image => "image",
            Self::Index => "index",
            Self::Signature => "signature",
        }
    }

    /// Reads a label.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|nature| nature.label() == label)
    }
}

/// A part of a manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// Its media type.
    pub media_type: String,
    /// What it hashes to.
    pub digest: Digest,
    /// How long it says that it is.
    pub size: u64,
}

/// What a manifest says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shape {
    /// What it is.
    pub nature: Nature,
    /// The images that it is an index of; attestations about them are none.
    pub children: Vec<Digest>,
    /// The manifest that it is about.
    pub subject: Option<Digest>,
    /// Its type as an artifact, or that of its configuration.
    pub kind: String,
    /// Its layers.
    pub layers: Vec<Part>,
    /// Whether it says that it is a signature of its subject.
    pub signs: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    annotations: Option<HashMap<String, serde_json::Value>>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
    #[serde(default)]
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: Option<String>,
    os: Option<String>,
}

/// Layers that hold signatures and attestations.
const SIGNATURES: [&str; 5] = [
    "application/vnd.cncf.notary.signature",
    "application/vnd.dev.cosign.simplesigning.v1+json",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.dsse.envelope.v1+json",
    "application/jose+json",
];

/// Layers that runtimes unpack begin so.
const UNPACKED: [&str; 2] = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];

/// No image has more layers, no index more children, and no type is longer in earnest; what has is read anew each time.
const PARTS_SMALL: usize = 128;
const TYPE_SMALL: usize = 128;

impl Shape {
    /// Whether so many of its size can be kept in memory that anybody may have made.
    #[must_use]
    pub fn is_small(&self) -> bool {
        let types = self.layers.iter().map(|layer| &layer.media_type).chain([&self.kind]);
        self.layers.len().max(self.children.len()) <= PARTS_SMALL
            && types.into_iter().all(|one| one.len() <= TYPE_SMALL)
    }

    /// Reads a manifest; `None` for what is no JSON object or too much.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let said: Manifest = serde_json::from_slice(text).ok()?;
        let manifests = said.manifests.unwrap_or_default();
        if manifests.len() > CHILDREN_MAX {
            return None;
        }
        let layers: Vec<Part> =
            said.layers.unwrap_or_default().into_iter().map(Descriptor::part).collect::<Option<_>>()?;
        let images = manifests.iter().filter(|one| !one.is_attestation());
        let children = images.map(|one| Digest::parse(&one.digest).ok()).collect::<Option<Vec<_>>>()?;
        let config = said.config.and_then(|config| config.media_type);
        let subject = match said.subject {
            Some(subject) => Some(Digest::parse(&subject.digest).ok()?),
            None => None,
        };
        let nature = if manifests.is_empty() { nature(&layers) } else { Nature::Index };
        let kind = said.artifact_type.or(config).unwrap_or_default();
        let annotations = said.annotations.unwrap_or_default();
        let signs = is_signature(&kind, |key| annotations.get(key).and_then(serde_json::Value::as_str));
        Some(Self { nature, children, subject, kind, layers, signs })
    }
}

/// Types of what refers to an image that are signatures, whatever else it says.
const REFERRERS: [&str; 3] = [
    "application/vnd.cncf.notary.signature",
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.cosign.simplesigning.v1+json",
];

/// What a Sigstore bundle must say to be a signature, and not an attestation.
const BUNDLES: &str = "application/vnd.dev.sigstore.bundle";
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";
const SIGNED: &str = "https://sigstore.dev/cosign/sign/";

/// Whether what refers to an image is a signature, by its type and annotations.
#[must_use]
pub fn is_signature<'a>(kind: &str, says: impl Fn(&str) -> Option<&'a str>) -> bool {
    REFERRERS.contains(&kind)
        || (kind.starts_with(BUNDLES) && says(PREDICATE).is_some_and(|what| what.starts_with(SIGNED)))
}

fn nature(layers: &[Part]) -> Nature {
    let all = |prefixes: &[&str]| {
        let fits = |one: &Part| prefixes.iter().any(|prefix| one.media_type.starts_with(prefix));
        !layers.is_empty() && layers.iter().all(fits)
    };
    let unpacked = |one: &Part| UNPACKED.iter().any(|prefix| one.media_type.starts_with(prefix));
    if all(&SIGNATURES) {
        Nature::Signature
    } else if layers.is_empty() || layers.iter().any(|one| one.media_type.is_empty() || unpacked(one)) {
        Nature::Image
    } else {
        Nature::Artifact
    }
}

impl Descriptor {
    fn part(self) -> Option<Part> {
        let digest = Digest::parse(&self.digest).ok()?;
        Some(Part { media_type: self.media_type.unwrap_or_default(), digest, size: self.size })
    }

    /// As BuildKit puts them into indexes.
    fn is_attestation(&self) -> bool {
        let unknown = |text: &Option<String>| text.as_deref() == Some("unknown");
        self.platform.as_ref().is_some_and(|one| unknown(&one.os) && unknown(&one.architecture))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Nature, Shape};

    fn digest(n: u8) -> String {
        format!("sha256:{n:064x}")
    }

    fn layered(kind: &str) -> Nature {
        let manifest = json!({"layers": [{"mediaType": kind, "digest": digest(1), "size": 3}]});
        Shape::read(manifest.to_string().as_bytes()).unwrap().nature
    }

    #[test]
    fn what_a_runtime_unpacks_is_an_image_and_what_it_does_not_is_none() {
        for kind in [
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "",
        ] {
            assert_eq!(layered(kind), Nature::Image, "{kind}");
        }
        assert_eq!(layered("application/vnd.cncf.helm.chart.content.v1.tar+gzip"), Nature::Artifact);
        assert_eq!(layered("application/vnd.dev.cosign.simplesigning.v1+json"), Nature::Signature);
        assert_eq!(Shape::read(b"{}").unwrap().nature, Nature::Image);
        let mixed = json!({"layers": [
            {"mediaType": "application/vnd.dsse.envelope.v1+json", "digest": digest(1)},
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(2)},
        ]});
        assert_eq!(Shape::read(mixed.to_string().as_bytes()).unwrap().nature, Nature::Image);
    }

    #[test]
    fn an_index_has_the_images_that_it_names_and_not_what_is_said_about_them() {
        let index = json!({"manifests": [
            {"digest": digest(1), "platform": {"architecture": "amd64", "os": "linux"}},
            {"digest": digest(2), "platform": {"architecture": "unknown", "os": "unknown"}},
            {"digest": digest(3)},
        ], "subject": {"digest": digest(9)}, "artifactType": "x/y"});
        let shape = Shape::read(index.to_string().as_bytes()).unwrap();
        assert_eq!(shape.nature, Nature::Index);
        assert_eq!(
            shape.children.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [digest(1), digest(3)]
        );
        assert_eq!((shape.subject.unwrap().to_string(), shape.kind), (digest(9), "x/y".to_owned()));
        assert!(Shape::read(br#"{"manifests":[{"digest":"sha256:1"}]}"#).is_none());
        assert!(Shape::read(b"[]").is_none());
    }
}
