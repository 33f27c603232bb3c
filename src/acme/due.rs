//! When the certificate that lies there must be replaced: after two thirds of its time, or at once if it is nobody's or for other
//! names. Judges what it is given; reads no file and no clock.

use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use crate::clock::UnixTime;
use crate::ids::host::HostName;

/// From when on a certificate, in PEM form and the first of its chain, must be replaced. What cannot be read is due at once, and so
/// is what no authority has signed, and what lacks one of the names.
#[must_use]
pub fn due(pem: &[u8], names: &[HostName]) -> UnixTime {
    replace_from(pem, names).unwrap_or(UnixTime::from_seconds(0))
}

fn replace_from(pem: &[u8], names: &[HostName]) -> Option<UnixTime> {
    let (_, first) = x509_parser::pem::parse_x509_pem(pem).ok()?;
    let Pem { contents, .. } = first;
    let (_, certificate) = x509_parser::parse_x509_certificate(&contents).ok()?;
    let listed = certificate.subject_alternative_name().ok()??;
    let is_listed = |name: &HostName| {
        let same = |listed: &GeneralName<'_>| matches!(listed, GeneralName::DNSName(text) if text.eq_ignore_ascii_case(name.as_str()));
        listed.value.general_names.iter().any(same)
    };
    if certificate.subject() == certificate.issuer() || !names.iter().all(is_listed) {
        return None;
    }
    let validity = certificate.validity();
    let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Some(UnixTime::from_seconds(from.saturating_add(to.saturating_sub(from) / 3 * 2)))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, Issuer, KeyPair, date_time_ymd};

    use super::due;
    use crate::clock::UnixTime;
    use crate::ids::host::HostName;

    fn signed(names: &[&str], by_itself: bool) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "us.registry.test");
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 3, 32 - 1));
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name.push(DnType::CommonName, "An authority");
        let issuer = Issuer::new(authority, KeyPair::generate().unwrap());
        let made = if by_itself { params.self_signed(&key) } else { params.signed_by(&key, &issuer) };
        made.unwrap().pem().into_bytes()
    }

    #[test]
    fn a_certificate_is_due_after_two_thirds_of_its_time_and_at_once_when_it_is_no_good() {
        let names =
            |text: &[&str]| text.iter().map(|name| HostName::parse(name).unwrap()).collect::<Vec<_>>();
        let at_once = UnixTime::from_seconds(0);
        let good = signed(&["us.registry.test", "Localhost"], false);
        // 2026-01-01 and 59 1/3 of 89 days.
        let expected = UnixTime::from_seconds(1_767_225_600 + 89 * 86_400 / 3 * 2);
        assert_eq!(due(&good, &names(&["us.registry.test"])), expected);
        assert_eq!(due(&good, &names(&["localhost", "us.registry.test"])), expected);
        assert_eq!(due(&good, &names(&["us.registry.test", "other.test"])), at_once);
        assert_eq!(due(&signed(&["us.registry.test"], true), &names(&["us.registry.test"])), at_once);
        assert_eq!(due(b"", &names(&[])), at_once);
        assert_eq!(due(&good[..good.len() / 2], &names(&["us.registry.test"])), at_once);
    }
}
