//! Who a client certificate is for, in words for the record.
//!
//! It reads certificates; whether one is to be believed was decided before, in the handshake.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// The longest text that is kept of one field.
const TEXT_MAX: usize = 512;
/// The most names that are kept of one certificate.
const NAMES_MAX: usize = 8;

/// The identity in a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// The subject's distinguished name; empty when the names are all there is.
    pub subject: String,
    /// The alternative names that are URIs, for example SPIFFE ids.
    pub uris: Vec<String>,
    /// The SHA-256 of the whole certificate, in lower-case hex.
    pub fingerprint: String,
}

/// A certificate that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the client certificate cannot be read")]
pub struct Unreadable;

impl ClientCertificate {
    /// Reads a certificate in DER form.
    ///
    /// # Errors
    /// [`Unreadable`], also for anything behind the certificate's end.
    pub fn read(der: &[u8]) -> Result<Self, Unreadable> {
        let (rest, certificate) = parse_x509_certificate(der).map_err(|_| Unreadable)?;
        let names = certificate.subject_alternative_name().map_err(|_| Unreadable)?;
        let listed = names.iter().flat_map(|names| &names.value.general_names);
        let uri = |name: &GeneralName<'_>| match name {
            GeneralName::URI(uri) => Some(cut(uri)),
            _ => None,
        };
        if !rest.is_empty() {
            return Err(Unreadable);
        }
        Ok(Self {
            subject: cut(&certificate.subject().to_string()),
            uris: listed.filter_map(uri).take(NAMES_MAX).collect(),
            fingerprint: HEXLOWER.encode(digest(&SHA256, der).as_ref()),
        })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::{ClientCertificate, Unreadable};

    #[test]
    fn a_certificate_says_who_it_is_for() {
        let mut params = CertificateParams::new(vec!["builder.test".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Builders");
        params.distinguished_name.push(DnType::CommonName, "builder");
        params.subject_alt_names.push(SanType::URI("spiffe://test/builder".try_into().unwrap()));
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let read = ClientCertificate::read(&der).unwrap();
        assert_eq!(read.subject, "O=Builders, CN=builder");
        assert_eq!(read.uris, ["spiffe://test/builder"]);
        assert!(read.fingerprint.len() == 64 && read.fingerprint.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(ClientCertificate::read(&[der.as_slice(), b"x"].concat()), Err(Unreadable));
        assert_eq!(ClientCertificate::read(&der[..der.len() / 2]), Err(Unreadable));
    }
}
