//! Reads `tls` of a listener: its certificates, and those that it asks its clients for.

use crate::acme::place;
use crate::client::certificate::Naming;
use crate::config::files;
use crate::config::section::{Placed, Section};
use crate::config::settings::{Acme, CertificateFiles, ClientCertificates};

/// What `tls` of a listener says.
#[derive(Default)]
pub(super) struct Tls {
    /// Its certificates.
    pub(super) pairs: Vec<CertificateFiles>,
    /// Whether one of them comes from the authority of `[acme]`.
    pub(super) acme: bool,
    /// What it asks its clients for.
    pub(super) clients: Option<ClientCertificates>,
}

/// Reads it.
pub(super) fn read(listener: &mut Section<'_>, acme: Option<&Acme>) -> Tls {
    let mut tls = Tls::default();
    for mut section in listener.sections("tls") {
        if let Some(Placed { value, place }) = clients(&mut section) {
            if tls.clients.is_some() {
                let advice = "is said of this listener before; say it once, it holds for all of its names";
                section.notes.mistake(&place, advice);
            }
            tls.clients = Some(value);
        }
        if section.boolean("acme") != Some(true) {
            tls.pairs.extend(files::certificate(section));
            continue;
        }
        section.end();
        tls.acme = true;
        // It may not be there yet.
        let kept = acme.map(|acme| place::files(&acme.folder));
        tls.pairs
            .extend(kept.map(|files| CertificateFiles { certificate: files.certificate, key: files.key }));
    }
    tls
}

fn clients(section: &mut Section<'_>) -> Option<Placed<ClientCertificates>> {
    let [ca_place, demand_place, crl_place, identity_place] =
        ["client_ca", "client_certificate", "client_crl", "client_identity"].map(|key| section.place_of(key));
    let before = section.notes.count();
    let ca = files::public(section, "client_ca");
    let required = section.word("client_certificate", &[("optional", false), ("required", true)]);
    let crl = files::public(section, "client_crl");
    let names = [("cn", Naming::CommonName), ("uri", Naming::Uri)];
    let identity = section.word("client_identity", &names);
    let (value, place) = match (ca, required, crl) {
        (Some(ca), Some(required), crl) => (ClientCertificates { ca, crl, required, identity }, ca_place),
        (None, None, None) if identity.is_some() => {
            let advice =
                "needs client_ca and client_certificate: whose certificates are to stand for their holders?";
            section.notes.mistake(&identity_place, advice);
            return None;
        }
        (None, None, None) => return None,
        _ if section.notes.count() != before => return None,
        (Some(_), None, _) => {
            let advice = "needs client_certificate = \"optional\" or \"required\" beside it";
            section.notes.mistake(&ca_place, advice);
            return None;
        }
        (None, Some(_), _) => {
            let advice = "needs client_ca: the PEM file with the authorities whose certificates are believed";
            section.notes.mistake(&demand_place, advice);
            return None;
        }
        (None, None, Some(_)) => {
            section.notes.mistake(&crl_place, "is only for listeners with client_ca");
            return None;
        }
    };
    Some(Placed { value, place })
}
