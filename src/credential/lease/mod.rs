//! Leases: an upload session's proof of who opened it and where, carried in the address that the client is handed.
//!
//! It signs and reads leases. Whether a lease has expired, or fits the caller and the path, is for the gate to decide:
//! a lease never grants anything by itself. No state is kept, so any replica accepts what another one issued.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::operation::UploadId;

/// The longest lease that is looked at; [`crate::registry::parse`] lets no longer one through.
const LEASE_MAX: usize = 4096;

/// The bytes of an HMAC-SHA256.
const TAG: usize = 32;

/// What a lease says.
#[derive(Clone, Eq, PartialEq)]
pub struct Lease {
    /// Who opened the upload.
    pub principal: PrincipalId,
    /// On which registry.
    pub region: Region,
    /// In which repository.
    pub repository: RepositoryName,
    /// The upstream's id of the upload.
    pub upload: UploadId,
    /// The query of the upload's address upstream, opaque; clients never see it in the clear, logs never at all.
    pub upstream_query: String,
    /// Until when it is good.
    pub expires_at: UnixTime,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("principal", &self.principal)
            .field("region", &self.region)
            .field("repository", &self.repository)
            .field("upload", &self.upload)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The signed bytes: a JSON array in the order of these fields.
#[derive(serde::Deserialize, serde::Serialize)]
struct Payload(PrincipalId, Region, RepositoryName, String, String, UnixTime);

/// The key that leases are signed with; the same on all replicas.
#[derive(Debug)]
pub struct LeaseKey(hmac::Key);

impl LeaseKey {
    /// Uses `bytes` as the key.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Writes a lease in `[A-Za-z0-9_-]`, to be put into an address as it is.
    #[must_use]
    pub fn issue(&self, lease: &Lease) -> String {
        let payload = Payload(
            lease.principal.clone(),
            lease.region.clone(),
            lease.repository.clone(),
            lease.upload.as_str().to_owned(),
            lease.upstream_query.clone(),
            lease.expires_at,
        );
        // Texts and a number always serialise; an empty payload would open as no lease.
        let payload = serde_json::to_vec(&payload).unwrap_or_default();
        let tag = hmac::sign(&self.0, &payload);
        BASE64URL_NOPAD.encode(&[tag.as_ref(), &payload].concat())
    }

    /// Reads a lease that this key signed; `None` for anything else, expired or not.
    #[must_use]
    pub fn open(&self, text: &str) -> Option<Lease> {
        if text.len() > LEASE_MAX {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG)?;
        hmac::verify(&self.0, payload, tag).ok()?;
        let Payload(principal, region, repository, upload, upstream_query, expires_at) =
            serde_json::from_slice(payload).ok()?;
        let upload = UploadId::parse(&upload).ok()?;
        Some(Lease { principal, region, repository, upload, upstream_query, expires_at })
    }
}

#[cfg(test)]
mod tests;
