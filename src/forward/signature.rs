//! Signatures beside an image: where cosign and Notation put them and, where keys are configured, whether one of those has signed.

use http::StatusCode;
use serde::Deserialize;

use super::body::read;
use super::outgoing::Outgoing;
use super::vouched::VERIFIED_MAX;
use super::{Failure, Forwarder};
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::operation::Operation;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::shape::is_signature;

/// The longest list of referrers, in bytes.
const LIST_MAX: usize = 4 << 20;

#[derive(Deserialize)]
struct Index {
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    artifact_type: Option<String>,
    annotations: Option<std::collections::HashMap<String, serde_json::Value>>,
}

impl Descriptor {
    fn is_signature(&self) -> bool {
        let says = |key: &str| self.annotations.as_ref()?.get(key)?.as_str();
        is_signature(self.artifact_type.as_deref().unwrap_or_default(), says)
    }
}

impl Forwarder {
    /// The signatures of a manifest that count, with the tag that one is found by: all, or those by a key that is configured for
    /// the repository.
    ///
    /// # Errors
    /// [`Fault`] when the upstream fails.
    pub async fn signatures(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<(Option<Tag>, Digest)>, Fault> {
        let mut found = self.beside(repository, digest).await?;
        if !self.settings.signers.verify(repository) {
            return Ok(found);
        }
        found.truncate(VERIFIED_MAX);
        let (mut good, mut left) = (Vec::new(), VERIFIED_MAX);
        for (tag, signature) in found {
            if self.is_vouched_for(repository, digest, &signature, &mut left).await? {
                good.push((tag, signature));
            }
        }
        Ok(good)
    }

    /// What stands beside a manifest and says that it is a signature: cosign's tag, the referrers, and the tag that stands for
    /// them in registries that know none.
    async fn beside(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<(Option<Tag>, Digest)>, Fault> {
        let mut found = Vec::new();
        let flat = digest.as_str().replace(':', "-");
        if let Ok(tag) = Tag::parse(&format!("{flat}.sig"))
            && let Some(signature) = self.digest_of(repository, &tag).await?
        {
            found.push((Some(tag), signature));
        }
        let mut beside = self.referrers_of(repository, digest).await?;
        if beside.is_empty()
            && let Ok(tag) = Tag::parse(&flat)
            && let Some((_, _, text)) = self.manifest(repository, &Reference::Tag(tag)).await?
        {
            beside = listed(&text)?;
        }
        let signatures = beside.iter().filter(|one| one.is_signature());
        found.extend(signatures.filter_map(|one| Some((None, Digest::parse(&one.digest).ok()?))));
        Ok(found)
    }

    /// What the upstream lists as referring to a manifest; nothing from one that has no such list.
    async fn referrers_of(&self, name: &RepositoryName, subject: &Digest) -> Result<Vec<Descriptor>, Fault> {
        let (repository, subject) = (name.clone(), subject.clone());
        let operation = Operation::Referrers { repository, subject, artifact_type: None };
        let answer = match self.asked(&operation, Outgoing::empty(), None).await {
            Ok(answer) => answer,
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Oci(error)) if is_lacking(error.status) => return Ok(Vec::new()),
            Err(failure @ (Failure::Limited { .. } | Failure::Oci(_))) => {
                return Err(super::stock::fault(failure));
            }
        };
        let broken = |_| Fault::UpstreamBroken("its list of referrers breaks off or is too long".to_owned());
        listed(&read(answer.into_body(), LIST_MAX).await.map_err(broken)?)
    }
}

const fn is_lacking(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED)
}

fn listed(text: &[u8]) -> Result<Vec<Descriptor>, Fault> {
    let index: Result<Index, _> = serde_json::from_slice(text);
    let broken = |_| Fault::UpstreamBroken("its list of referrers does not parse".to_owned());
    Ok(index.map_err(broken)?.manifests.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn a_signature_is_told_from_an_attestation() {
        let index = r#"{"manifests":[
            {"digest":"a","artifactType":"application/vnd.dev.cosign.artifact.sig.v1+json"},
            {"digest":"b","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json",
             "annotations":{"dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1"}},
            {"digest":"c","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json",
             "annotations":{"dev.sigstore.bundle.predicateType":"https://slsa.dev/provenance/v1"}},
            {"digest":"d","artifactType":"application/spdx+json"},
            {"digest":"e"}]}"#;
        let found = listed(index.as_bytes()).unwrap();
        let signatures: Vec<&str> =
            found.iter().filter(|one| one.is_signature()).map(|one| one.digest.as_str()).collect();
        assert_eq!(signatures, ["a", "b"]);
    }
}
