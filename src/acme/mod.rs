//! Certificates from an authority that speaks ACME (RFC 8555), for the names that this server has in public.
//!
//! It decides when a certificate is due, proves that the names are ours, and puts what it gets where listeners look for their
//! certificates. It serves nothing: HTTP-01 answers are given by `serve`, those of TLS-ALPN-01 by `edge::tls`.

pub mod due;
pub mod order;
pub mod place;
pub mod proof;
mod transport;

use std::path::PathBuf;

use crate::ids::host::HostName;

/// Whom to ask, for what, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL of the authority's directory.
    pub directory: String,
    /// Whom the authority may write to, as URLs.
    pub contact: Vec<String>,
    /// What the certificate is for.
    pub names: Vec<HostName>,
    /// Where account, certificate and key are kept.
    pub folder: PathBuf,
    /// Whose certificates are believed when the authority is asked; `None` for those that the system believes.
    pub ca: Option<PathBuf>,
    /// How names are proven.
    pub challenge: Challenge,
}

/// How it is proven that a name is ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// The authority asks for a page on port 80 (RFC 8555 §8.3).
    Http,
    /// The authority asks for a certificate on port 443 (RFC 8737).
    TlsAlpn,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority refused, or could not be asked.
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The authority does not prove names in the way that is configured.
    #[error("the authority does not offer {0} for {1}: choose another acme.challenge")]
    NotOffered(&'static str, String),
    /// A name was not proven.
    #[error("the authority could not verify all names: {0}")]
    Unproven(String),
    /// What came must be replaced at once: it is for other names, or at its end.
    #[error("the certificate that came is for other names than asked for, or almost over")]
    OfNoUse,
    /// A key or a request cannot be made.
    #[error("making a key: {0}")]
    Make(#[from] rcgen::Error),
    /// What came back, or lies there, cannot be used.
    #[error("{0}")]
    Unusable(#[from] crate::edge::tls::CertificateError),
}

impl Challenge {
    /// The name in RFCs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Http => "http-01",
            Self::TlsAlpn => "tls-alpn-01",
        }
    }
}
