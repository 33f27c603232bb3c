//! Reads `[federation]`.

use super::unique;
use crate::config::files;
use crate::config::section::{Placed, Section};
use crate::config::settings::{Federation, InternalIssuer};
use crate::credential::believed::{Believed, Cluster, Realm};
use crate::credential::voucher::ComputeKind;
use crate::ids::issuer::{Issuer, Origin};

/// The section; nothing is inside unless it says so.
pub(super) fn read(mut section: Section<'_>) -> Federation {
    let ca_file = files::public(&mut section, "ca_file");
    let mut origins = Vec::new();
    let internal =
        section.sections("internal").into_iter().filter_map(|one| internal(one, &mut origins)).collect();
    unique(&origins, "the origin", section.notes);
    let (mut issuers, mut names) = (Vec::new(), Vec::new());
    let clusters =
        section.sections("cluster").into_iter().filter_map(|one| cluster(one, &mut issuers)).collect();
    let realms = section.sections("realm");
    let realms = realms.into_iter().filter_map(|one| realm(one, &mut issuers, &mut names)).collect();
    unique(&issuers, "the issuer", section.notes);
    unique(&names, "the realm", section.notes);
    section.end();
    Federation { ca_file, internal, believed: Believed { clusters, realms } }
}

const ISSUER: &str = "write what its tokens say in `iss`, such as \"https://token.example.com\"";

fn cluster(mut section: Section<'_>, issuers: &mut Vec<Placed<Issuer>>) -> Option<Cluster> {
    let issuer = issuer(&mut section, issuers);
    let advice = "write the CRN by which trusted profiles link to it, such as \"crn:v1:bluemix:public:containers-kubernetes:...\"";
    let crn = section.required("crn", advice, |section, key| section.parsed(key, crn));
    let kinds = [ComputeKind::IksSa, ComputeKind::RoksSa, ComputeKind::Vsi].map(|kind| (kind.name(), kind));
    let kind = section.word("cr_type", &kinds).unwrap_or(ComputeKind::IksSa);
    let audiences = audiences(&mut section);
    section.end();
    Some(Cluster { issuer: issuer?, crn: crn?, kind, audiences: audiences? })
}

fn realm(
    mut section: Section<'_>,
    issuers: &mut Vec<Placed<Issuer>>,
    names: &mut Vec<Placed<String>>,
) -> Option<Realm> {
    let issuer = issuer(&mut section, issuers);
    let place = section.place_of("name");
    let name = section.text("name").or_else(|| issuer.as_ref().map(|issuer| issuer.as_str().to_owned()));
    names.extend(name.clone().map(|value| Placed { value, place }));
    let audiences = audiences(&mut section);
    let user_claim = section.text("user_claim").filter(|claim| !claim.is_empty());
    section.end();
    Some(Realm { issuer: issuer?, name: name?, audiences: audiences?, user_claim })
}

fn issuer(section: &mut Section<'_>, issuers: &mut Vec<Placed<Issuer>>) -> Option<Issuer> {
    let place = section.place_of("issuer");
    let issuer = section.required("issuer", ISSUER, |section, key| section.parsed(key, Issuer::parse));
    issuers.extend(issuer.clone().map(|value| Placed { value, place }));
    issuer
}

/// Without one, every token of the issuer would do, also those that were made for others.
fn audiences(section: &mut Section<'_>) -> Option<Vec<String>> {
    let advice = "write whom its tokens are for, such as [\"portcullis\"]";
    let place = section.place_of("audiences");
    let list = section.required("audiences", advice, |section, key| {
        section.list(key, |text| if text.is_empty() { Err("is empty") } else { Ok(text.to_owned()) })
    });
    let list = list.map(|list| list.into_iter().map(|one| one.value).collect::<Vec<_>>());
    if list.as_ref().is_some_and(Vec::is_empty) {
        section.notes.mistake(&place, "must name somebody");
    }
    list
}

fn crn(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic());
    if text.starts_with("crn:v1:") && plain { Ok(text.to_owned()) } else { Err("must be a CRN: crn:v1:…") }
}

fn internal(mut section: Section<'_>, origins: &mut Vec<Placed<Origin>>) -> Option<InternalIssuer> {
    let place = section.place_of("origin");
    let advice = "write the beginning of the issuer's URL, such as \"https://kubernetes.default.svc\"";
    let origin = section.required("origin", advice, |section, key| section.parsed(key, Origin::parse));
    let ca_file = files::public(&mut section, "ca_file");
    // Kubernetes lets every process of a pod read the token that it puts there.
    let token_file = files::public(&mut section, "token_file");
    if let (Some(origin), Some(_)) = (&origin, &token_file)
        && !origin.is_encrypted()
    {
        section.notes.mistake(&place, "must be https where a token is shown");
    }
    section.end();
    origins.extend(origin.clone().map(|value| Placed { value, place }));
    Some(InternalIssuer { origin: origin?, ca_file, token_file })
}
