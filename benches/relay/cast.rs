//! Everybody who takes part, started once and measured in turn.

use crate::client::Client;
use crate::contender::nginx::Way;
use crate::contender::portcullis::{Guarded, Setup};
use crate::contender::{Contender, haproxy, nginx, portcullis, registry};
use crate::image::{Image, REPOSITORY};
use crate::origin::Origin;
use crate::signed::Papers;

/// Portcullis as a proxy.
pub(crate) const OURS: &str = "Portcullis";
/// Portcullis with its content cache.
pub(crate) const OURS_CACHED: &str = "Portcullis, content cache";

/// The servers.
pub(crate) struct Cast {
    pub(crate) image: Image,
    pub(crate) origin: Origin,
    pub(crate) papers: Papers,
    pub(crate) proxy: Guarded,
    pub(crate) cache: Guarded,
    pub(crate) nginx: Contender,
    pub(crate) unbuffered: Contender,
    pub(crate) asking: Contender,
    pub(crate) keeping: Contender,
    pub(crate) haproxy: Contender,
    pub(crate) verifying: Contender,
    pub(crate) registry: Contender,
    pub(crate) guarded_registry: Contender,
    _papers: tempfile::TempDir,
}

impl Cast {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let papers = Papers::make(folder.path());
        let image = Image::new();
        let origin = Origin::start(&image).await;
        let upstream = origin.address;
        let ours = |name, cache| Setup { name, cache, upstream, rows: None, counted: None };
        let registry = registry::open(&papers);
        push(&image, &registry).await;
        Self {
            proxy: portcullis::start(&ours(OURS, false), &papers).await,
            cache: portcullis::start(&ours(OURS_CACHED, true), &papers).await,
            nginx: nginx::start(Way::Bare, upstream, &papers),
            unbuffered: nginx::start(Way::Unbuffered, upstream, &papers),
            asking: nginx::start(Way::AuthRequest, upstream, &papers),
            keeping: nginx::start(Way::AuthRequestAndCache, upstream, &papers),
            haproxy: haproxy::bare(upstream, &papers),
            verifying: haproxy::verifying(upstream, &papers),
            guarded_registry: registry::guarded(&registry, &papers),
            registry,
            image,
            origin,
            papers,
            _papers: folder,
        }
    }

    fn everybody(&self) -> [&Contender; 10] {
        let ours = [&self.proxy.contender, &self.cache.contender];
        let theirs = [&self.nginx, &self.unbuffered, &self.asking, &self.keeping];
        let others = [&self.haproxy, &self.verifying, &self.registry, &self.guarded_registry];
        let [a, b] = ours;
        let [c, d, e, f] = theirs;
        let [g, h, i, j] = others;
        [a, b, c, d, e, f, g, h, i, j]
    }

    /// Nobody is measured who does not give the right answer, or who takes a wrong token although it verifies tokens.
    pub(crate) async fn check(&self) {
        let path = format!("/v2/{REPOSITORY}/manifests/v1");
        for contender in self.everybody() {
            let client = Client::of(contender);
            let right = client.fetch(&path).await;
            assert_eq!(right, (200, self.image.manifest.bytes.to_vec()), "{}", contender.name);
            if let Some(token) = &contender.token {
                let (signed, signature) = token.rsplit_once('.').expect("a token");
                let wrong: String = signature.chars().rev().collect();
                let (status, _) = client.bearing(format!("{signed}.{wrong}")).fetch(&path).await;
                assert!(status == 401 || status == 403, "{} takes a wrong token: {status}", contender.name);
            }
        }
    }
}

async fn push(image: &Image, registry: &Contender) {
    let client = Client::of(registry);
    for blob in image.layers.iter().chain([&image.config]) {
        assert_eq!(client.push(REPOSITORY, &blob.bytes, 1).await, blob.digest);
    }
    let (kind, bytes) = (image.manifest.kind, &image.manifest.bytes);
    client.put_manifest(REPOSITORY, "v1", kind, bytes).await;
}
