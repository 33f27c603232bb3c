//! Who a client certificate is for: in words for the record and, where a listener takes certificates for identities, by the
//! IAM id that it names.
//!
//! It reads certificates; whether one is to be believed was decided before, in the handshake, and whether there is such a
//! principal is for the gate to say.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ServiceId;

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
    /// The certificate's public id.
    pub fingerprint: Fingerprint,
    /// Whose it is, if that was asked.
    pub holder: Holder,
}

/// Which name of a certificate says whose it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Naming {
    /// The subject's common name: an IAM id or a service ID.
    CommonName,
    /// The alternative name that is a URI: `spiffe://DOMAIN/ID`, with an IAM id or a service ID.
    Uri,
}

/// Whom a certificate stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// The listener takes certificates for no identities.
    Unasked,
    /// Nobody that could be of ours.
    Nobody,
    /// This user or service ID, if there is one.
    Principal(PrincipalId),
}

/// The SHA-256 of a whole certificate, in lower-case hex.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint(Box<str>);

impl Fingerprint {
    /// Reads one, as our tokens carry it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(is_hex)).then(|| Self(text.into()))
    }

    /// Of a certificate in DER form.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(HEXLOWER.encode(digest(&SHA256, der).as_ref()).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A certificate that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the client certificate cannot be read")]
pub struct Unreadable;

impl ClientCertificate {
    /// Reads a certificate in DER form, and whose it is by the name that says so, if one does.
    ///
    /// # Errors
    /// [`Unreadable`], also for anything behind the certificate's end.
    pub fn read(der: &[u8], naming: Option<Naming>) -> Result<Self, Unreadable> {
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
            fingerprint: Fingerprint::of(der),
            holder: naming.map_or(Holder::Unasked, |naming| holder(&certificate, naming)),
        })
    }
}

/// The one name of that kind says whose a certificate is: with two, two readers could disagree.
fn holder(certificate: &X509Certificate<'_>, naming: Naming) -> Holder {
    let named = match naming {
        Naming::CommonName => {
            let mut names = certificate.subject().iter_common_name();
            match (names.next(), names.next()) {
                (Some(only), None) => only.as_str().ok().and_then(principal),
                (_, _) => None,
            }
        }
        Naming::Uri => {
            let names = certificate.subject_alternative_name().ok().flatten();
            let listed = names.iter().flat_map(|names| &names.value.general_names);
            let mut uris = listed.filter_map(|name| match name {
                GeneralName::URI(uri) => Some(*uri),
                _ => None,
            });
            match (uris.next(), uris.next()) {
                (Some(only), None) => principal_of_uri(only),
                (_, _) => None,
            }
        }
    };
    named.map_or(Holder::Nobody, Holder::Principal)
}

/// `spiffe://DOMAIN/ID`: the id is the whole path. Whose domains are believed, the authorities decide.
fn principal_of_uri(uri: &str) -> Option<PrincipalId> {
    let (domain, id) = uri.strip_prefix("spiffe://")?.split_once('/')?;
    (!domain.is_empty()).then(|| principal(id)).flatten()
}

/// Roles and trusted profiles are taken on, never owned.
fn principal(text: &str) -> Option<PrincipalId> {
    if let Ok(id) = ServiceId::parse(text) {
        return Some(PrincipalId::ServiceId(id));
    }
    match PrincipalId::parse(text).ok()? {
        PrincipalId::Profile(_) | PrincipalId::Role(_) => None,
        principal @ (PrincipalId::ServiceId(_) | PrincipalId::User(_)) => Some(principal),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::{ClientCertificate, Fingerprint, Holder, Naming, Unreadable};
    use crate::ids::principal::PrincipalId;

    #[test]
    fn a_certificate_says_who_it_is_for() {
        let mut params = CertificateParams::new(vec!["builder.test".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Builders");
        params.distinguished_name.push(DnType::CommonName, "builder");
        params.subject_alt_names.push(SanType::URI("spiffe://test/builder".try_into().unwrap()));
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let read = ClientCertificate::read(&der, None).unwrap();
        assert_eq!(read.subject, "O=Builders, CN=builder");
        assert_eq!(read.uris, ["spiffe://test/builder"]);
        assert_eq!(Fingerprint::parse(read.fingerprint.as_str()), Some(read.fingerprint));
        assert_eq!(read.holder, Holder::Unasked);
        assert_eq!(ClientCertificate::read(&[der.as_slice(), b"x"].concat(), None), Err(Unreadable));
        assert_eq!(ClientCertificate::read(&der[..der.len() / 2], None), Err(Unreadable));
    }

    const UUID: &str = "ba934ca1-36a4-4d6c-a649-af45a2fc184b";

    /// Whom a certificate with these common names and URIs stands for.
    fn holder(naming: Naming, names: &[&str], uris: &[&str]) -> Holder {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (at, name) in names.iter().enumerate() {
            let kind = if at == 0 { DnType::CommonName } else { DnType::CustomDnType(vec![2, 5, 4, 3]) };
            params.distinguished_name.push(kind, *name);
        }
        for uri in uris {
            params.subject_alt_names.push(SanType::URI((*uri).try_into().unwrap()));
        }
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        ClientCertificate::read(&der, Some(naming)).unwrap().holder
    }

    #[test]
    fn the_one_name_of_the_kind_that_was_asked_for_says_whose_it_is() {
        let (service, user) = (format!("ServiceId-{UUID}"), format!("IBMid-{UUID}"));
        let iam = format!("iam-{service}");
        let is = |text: &str| Holder::Principal(PrincipalId::parse(text).unwrap());
        let by_name = |names: &[&str]| holder(Naming::CommonName, names, &[]);
        assert_eq!(by_name(&[&service]), is(&iam));
        assert_eq!(by_name(&[&iam]), is(&iam));
        assert_eq!(by_name(&[&user]), is(&user));
        assert_eq!(by_name(&[&iam, &user]), Holder::Nobody, "two names");
        let long = format!("{user}{}", "x".repeat(600));
        for wrong in ["", "alice", "AROAAAAAAAAAAAAAAAAAA", &user.to_lowercase(), &format!("{user} "), &long]
        {
            assert_eq!(by_name(&[wrong]), Holder::Nobody, "{wrong:?}");
        }
        let by_uri = |uris: &[String]| {
            let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
            holder(Naming::Uri, &[&iam], &uris)
        };
        assert_eq!(by_uri(&[format!("spiffe://suite.test/{user}")]), is(&user));
        assert_eq!(by_uri(&[format!("spiffe://suite.test/{service}")]), is(&iam));
        assert_eq!(by_uri(&[]), Holder::Nobody, "the common name is another kind");
        let twice = format!("spiffe://suite.test/{user}");
        assert_eq!(by_uri(&[twice.clone(), twice]), Holder::Nobody, "two names");
        for wrong in
            ["https://suite.test/", "spiffe:///", "spiffe://suite.test/ns/", "spiffe://suite.test//", ""]
        {
            assert_eq!(by_uri(&[format!("{wrong}{user}")]), Holder::Nobody, "{wrong}");
        }
        for tail in ["/", "?x", "#x", "%20", "/.."] {
            assert_eq!(by_uri(&[format!("spiffe://suite.test/{user}{tail}")]), Holder::Nobody, "{tail}");
        }
    }
}
