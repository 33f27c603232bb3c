//! What a manifest is: an image, an index of some, a signature, or something else that is kept like an image.
//!
//! Clients go by media types, and so does this: what a container runtime might run is an image, and so is what cannot be told. Runtimes
//! tell that by the configuration's type, and some do not look at those of layers at all.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

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
    /// Whether it is configured to be run. cosign's signatures are, too.
    pub runs: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    media_type: Option<String>,
    annotations: Option<HashMap<String, serde_json::Value>>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
    #[serde(default)]
    size: u64,
    platform: Option<Platform>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize)]
struct Platform {
    architecture: Option<String>,
    os: Option<String>,
    #[serde(flatten)]
    others: Others,
}

/// What else an object says.
type Others = HashMap<String, IgnoredAny>;

/// The names by which manifests, descriptors and platforms are told what they are.
const NAMES: [&str; 13] = [
    "annotations",
    "architecture",
    "artifactType",
    "config",
    "data",
    "digest",
    "layers",
    "manifests",
    "mediaType",
    "os",
    "platform",
    "size",
    "subject",
];

/// Whether something is said under a name that some take for another: Go's clients look past case, and so past what we have read.
fn misspelt(others: &Others) -> bool {
    // Two letters beyond ASCII are taken for letters of it.
    let plain = |name: &String| name.replace('\u{17f}', "s").replace('\u{212a}', "k");
    let taken =
        |name: &String| NAMES.iter().any(|known| name != known && known.eq_ignore_ascii_case(&plain(name)));
    others.keys().any(taken)
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

    /// Reads a manifest; `None` for what is no JSON object or too much, or may be read otherwise by others.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        Self::read_as("", text)
    }

    /// The same of one that is stored under a media type: clients go by that, and `None` is for what says that it is another.
    #[must_use]
    pub fn read_as(stored: &str, text: &[u8]) -> Option<Self> {
        let mut said: Manifest = serde_json::from_slice(text).ok()?;
        if let Some(stored) = specific(stored) {
            let own = said.media_type.get_or_insert_with(|| stored.to_owned());
            if !own.trim().eq_ignore_ascii_case(stored) {
                return None;
            }
        }
        let (manifests, layers) = (said.manifests.unwrap_or_default(), said.layers.unwrap_or_default());
        // What is both an index and an image is taken for whichever by whom.
        let both = !manifests.is_empty() && !layers.is_empty();
        let parts = manifests.iter().chain(&layers).chain(&said.config).chain(&said.subject);
        if manifests.len() > CHILDREN_MAX
            || both
            || misspelt(&said.others)
            || parts.into_iter().any(Descriptor::is_misspelt)
        {
            return None;
        }
        let layers: Vec<Part> = layers.into_iter().map(Descriptor::part).collect::<Option<_>>()?;
        let images = manifests.iter().filter(|one| !one.is_attestation());
        let children = images.map(|one| Digest::parse(&one.digest).ok()).collect::<Option<Vec<_>>>()?;
        let config = said.config.and_then(|config| config.media_type);
        let subject = match said.subject {
            Some(subject) => Some(Digest::parse(&subject.digest).ok()?),
            None => None,
        };
        let typed = (said.media_type.as_deref(), config.as_deref());
        let nature = if manifests.is_empty() { nature(typed, &layers) } else { Nature::Index };
        let runs = runs(config.as_deref());
        let kind = said.artifact_type.or(config).unwrap_or_default();
        let annotations = said.annotations.unwrap_or_default();
        let signs = is_signature(&kind, |key| annotations.get(key).and_then(serde_json::Value::as_str));
        Some(Self { nature, children, subject, kind, layers, signs, runs })
    }
}

/// A media type without its parameters, if it tells more than that something is stored: clients look inside what has no other.
fn specific(stored: &str) -> Option<&str> {
    const GENERAL: [&str; 4] = ["application/json", "application/octet-stream", "text/html", "text/plain"];
    let essence = stored.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty() && !GENERAL.iter().any(|one| essence.eq_ignore_ascii_case(one))).then_some(essence)
}

/// Whether others may read a manifest that is to be stored under a media type as something else than it is read as here. What is no
/// JSON object at all is for the registry to refuse.
#[must_use]
pub fn is_ambiguous(stored: &str, text: &[u8]) -> bool {
    let is_object = serde_json::from_slice::<Others>(text).is_ok();
    is_object && Shape::read_as(stored, text).is_none()
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

/// What is run is configured so; runtimes take the general type, and none at all, for it.
const RUN: [&str; 4] = [
    "application/vnd.oci.image.config.",
    "application/vnd.docker.container.image.",
    "application/octet-stream",
    "text/html",
];

/// Manifests of this type are images, whatever they say of their parts: nothing else was ever kept as one.
const ALWAYS_RUN: &str = "application/vnd.docker.distribution.manifest.";

/// Whether a text begins so, in whatever case.
fn begins(text: &str, prefix: &str) -> bool {
    text.trim().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn runs(config: Option<&str>) -> bool {
    config.is_some_and(|kind| kind.trim().is_empty() || RUN.iter().any(|one| begins(kind, one)))
}

fn nature((manifest, config): (Option<&str>, Option<&str>), layers: &[Part]) -> Nature {
    let fits = |one: &Part, prefixes: &[&str]| prefixes.iter().any(|prefix| begins(&one.media_type, prefix));
    if manifest.is_some_and(|kind| begins(kind, ALWAYS_RUN)) {
        return Nature::Image;
    }
    if !layers.is_empty() && layers.iter().all(|one| fits(one, &SIGNATURES)) {
        return Nature::Signature;
    }
    let unpacked = |one: &Part| one.media_type.is_empty() || fits(one, &UNPACKED);
    match runs(config) || layers.is_empty() || layers.iter().any(unpacked) {
        true => Nature::Image,
        false => Nature::Artifact,
    }
}

impl Descriptor {
    fn part(self) -> Option<Part> {
        let digest = Digest::parse(&self.digest).ok()?;
        Some(Part { media_type: self.media_type.unwrap_or_default(), digest, size: self.size })
    }

    fn is_misspelt(&self) -> bool {
        misspelt(&self.others) || self.platform.as_ref().is_some_and(|platform| misspelt(&platform.others))
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
    fn what_is_configured_to_be_run_is_an_image_whatever_its_layers_are_called() {
        let nature = |manifest: &str, config: &str, layer: &str| {
            let manifest = json!({
                "mediaType": manifest, "config": {"mediaType": config, "digest": digest(7)},
                "layers": [{"mediaType": layer, "digest": digest(1), "size": 3}],
            });
            Shape::read(manifest.to_string().as_bytes()).unwrap().nature
        };
        let oci = "application/vnd.oci.image.manifest.v1+json";
        let docker = "application/vnd.docker.distribution.manifest.v2+json";
        let (chart, own) = ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/x-own");
        let signature = "application/vnd.dev.cosign.simplesigning.v1+json";
        for (manifest, config, layer, expected) in [
            (oci, "application/vnd.oci.image.config.v1+json", own, Nature::Image),
            (oci, "Application/VND.OCI.image.config.v1+json", chart, Nature::Image),
            (oci, "application/vnd.docker.container.image.v1+json", own, Nature::Image),
            (oci, "application/octet-stream", own, Nature::Image),
            (oci, "", own, Nature::Image),
            (docker, "application/vnd.cncf.helm.config.v1+json", own, Nature::Image),
            (docker, "application/vnd.oci.image.config.v1+json", signature, Nature::Image),
            (oci, "application/vnd.cncf.helm.config.v1+json", chart, Nature::Artifact),
            (oci, "application/vnd.oci.empty.v1+json", own, Nature::Artifact),
            // As cosign writes them.
            (oci, "application/vnd.oci.image.config.v1+json", signature, Nature::Signature),
        ] {
            assert_eq!(nature(manifest, config, layer), expected, "{manifest} {config} {layer}");
        }
    }

    #[test]
    fn what_others_read_under_another_spelling_cannot_be_told() {
        let part = |kind: &str| json!({"mediaType": kind, "digest": digest(1), "size": 3});
        let decoy = || json!({"config": part("application/vnd.oci.empty.v1+json"), "layers": [part("application/jose+json")]});
        assert!(Shape::read(decoy().to_string().as_bytes()).is_some());
        let real = json!([part("application/vnd.oci.image.layer.v1.tar+gzip")]);
        for name in ["Layers", "LAYERS", "layer\u{17f}", "Config", "Manifests", "MediaType"] {
            let mut manifest = decoy();
            manifest[name] = real.clone();
            assert_eq!(Shape::read(manifest.to_string().as_bytes()), None, "{name}");
        }
        for name in ["MediaType", "Digest", "\u{17f}ize"] {
            let mut manifest = decoy();
            manifest["layers"][0][name] = "application/vnd.oci.image.layer.v1.tar+gzip".into();
            assert_eq!(Shape::read(manifest.to_string().as_bytes()), None, "{name}");
        }
        let mut both = decoy();
        both["manifests"] = json!([part("application/vnd.oci.image.manifest.v1+json")]);
        assert_eq!(Shape::read(both.to_string().as_bytes()), None);
        // What nobody takes for anything else may be said.
        let mut more = decoy();
        more["schemaVersion"] = 2.into();
        more["history"] = json!([{"Size": 3}]);
        more["annotations"] = json!({"Layers": "three"});
        assert!(Shape::read(more.to_string().as_bytes()).is_some());
    }

    #[test]
    fn what_is_stored_as_one_thing_and_says_another_cannot_be_told() {
        let (oci, docker) = (
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        );
        let chart = json!({
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(7)},
            "layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": digest(1), "size": 3}],
        });
        let mut said = chart.clone();
        said["mediaType"] = oci.into();
        let nature = |stored: &str, text: &serde_json::Value| {
            Shape::read_as(stored, text.to_string().as_bytes()).map(|shape| shape.nature)
        };
        for stored in
            [oci, "Application/vnd.OCI.image.manifest.v1+json; charset=utf-8", "", "application/json"]
        {
            assert_eq!(nature(stored, &said), Some(Nature::Artifact), "{stored}");
        }
        assert_eq!(nature(docker, &said), None);
        // One that says nothing of itself is what it is stored as.
        assert_eq!(nature(oci, &chart), Some(Nature::Artifact));
        assert_eq!(nature(docker, &chart), Some(Nature::Image));
        assert!(super::is_ambiguous(docker, said.to_string().as_bytes()));
        assert!(super::is_ambiguous(oci, br#"{"layers":[],"layers":[]}"#), "twice");
        assert!(!super::is_ambiguous(oci, said.to_string().as_bytes()));
        assert!(!super::is_ambiguous(oci, b"no JSON"));
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
