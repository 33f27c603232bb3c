//! Reads `[federation]`.

use super::unique;
use crate::config::files;
use crate::config::section::{Placed, Section};
use crate::config::settings::{Federation, InternalIssuer};
use crate::ids::issuer::Origin;

/// The section; nothing is inside unless it says so.
pub(super) fn read(mut section: Section<'_>) -> Federation {
    let ca_file = files::public(&mut section, "ca_file");
    let mut origins = Vec::new();
    let internal =
        section.sections("internal").into_iter().filter_map(|one| internal(one, &mut origins)).collect();
    unique(&origins, "the origin", section.notes);
    section.end();
    Federation { ca_file, internal }
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
