//! Manifests in memory: small, and worth checking against the digest they are asked for by.
//!
//! It looks inside one only to refuse what others would read otherwise. What a manifest says is the registry's business.

use bytes::Bytes;
use http::header::HeaderMap;
use http_body::Body;

use super::body::{ForwardBody, Unread, read};
use super::digest;
use super::{request, too_large};
use crate::admit::fault::Fault;
use crate::registry::error::{OciCode, OciError};
use crate::registry::reference::{Digest, Reference};
use crate::registry::shape::is_ambiguous;

/// The longest manifest: what every registry must accept, and what a vanilla one accepts at most.
pub(super) const MANIFEST_MAX: usize = 4 << 20;

/// A manifest that a client has sent.
#[derive(Debug)]
pub struct Sent {
    pub(super) content: Bytes,
    /// What it hashes to, by the algorithm of the reference it was sent to.
    pub(super) digest: Digest,
}

impl Sent {
    /// The text.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// What it hashes to.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// Reads a manifest that is put at `reference`.
///
/// # Errors
/// 413 beyond [`MANIFEST_MAX`]; 400 for a wrong media type, a body that breaks off, one that does not hash to the
/// digest it is put at, or one that is [ambiguous](is_ambiguous).
pub(super) async fn take<B: Body<Data = Bytes>>(
    reference: &Reference,
    headers: &HeaderMap,
    body: B,
) -> Result<Sent, super::Failure> {
    let media_type = request::manifest_type(headers)?;
    let content = read(body, MANIFEST_MAX).await.map_err(|unread| match unread {
        Unread::Broken(_) => {
            OciError::bad_request(OciCode::SizeInvalid, "the manifest ended before it was complete")
        }
        Unread::TooLong => too_large(),
    })?;
    if is_ambiguous(media_type.to_str().unwrap_or_default(), &content) {
        let message = "the manifest can be read in two ways: it names a field twice or in another case, or says that it is \
             of another type than its Content-Type";
        return Err(OciError::bad_request(OciCode::ManifestInvalid, message).into());
    }
    let digest = match reference {
        Reference::Digest(digest) if digest::matches(digest, &content) => digest.clone(),
        Reference::Digest(_) => {
            let message = "the manifest does not match the digest it is put at";
            return Err(OciError::bad_request(OciCode::DigestInvalid, message).into());
        }
        Reference::Tag(_) => {
            digest::sha256(&content).ok_or_else(|| Fault::Internal("a digest that does not parse".into()))?
        }
    };
    Ok(Sent { content, digest })
}

/// Reads a manifest from the upstream and checks it, if it is asked for by digest. One beyond [`MANIFEST_MAX`] passes
/// unchecked: it can only have been stored behind our back, and its client checks it anyway.
///
/// # Errors
/// [`Fault`] when it breaks off, or is not what its digest promises.
pub(super) async fn verify(
    reference: &Reference,
    media_type: &str,
    body: ForwardBody,
) -> Result<ForwardBody, Fault> {
    // The digest of a signed schema 1 manifest is that of its payload, without the signatures.
    let signed = media_type.ends_with("+prettyjws");
    let length = body.size_hint().exact();
    if length.is_some_and(|length| length > MANIFEST_MAX as u64) {
        return Ok(body);
    }
    let content = read(body, MANIFEST_MAX).await.map_err(|unread| match unread {
        Unread::Broken(fault) => fault,
        Unread::TooLong => {
            Fault::UpstreamBroken("a manifest of more than 4 MiB without Content-Length".into())
        }
    })?;
    match reference {
        Reference::Digest(digest) if !signed && !digest::matches(digest, &content) => {
            Err(Fault::UpstreamBroken(format!("the manifest served as {digest} does not hash to it")))
        }
        Reference::Digest(_) | Reference::Tag(_) => Ok(ForwardBody::Full(content)),
    }
}
