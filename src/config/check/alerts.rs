//! Reads `[alerts]`.

use super::{number, unique};
use crate::config::files;
use crate::config::section::{Placed, Section};
use crate::config::settings::{Alerts, InternalReceiver};
use crate::ids::issuer::Origin;

/// How many refusals in five minutes are a spike unless the file says otherwise.
const DENIED: u32 = 100;

/// The section; nothing is inside unless it says so, this machine neither: the upstream may be here.
pub(super) fn read(mut section: Section<'_>) -> Alerts {
    let ca_file = files::public(&mut section, "ca_file");
    let loopback = section.boolean("loopback").unwrap_or(false);
    let denied_access = number(&mut section, "denied_access", DENIED);
    let mut origins = Vec::new();
    let internal =
        section.sections("internal").into_iter().filter_map(|one| internal(one, &mut origins)).collect();
    unique(&origins, "the origin", section.notes);
    section.end();
    Alerts { ca_file, loopback, denied_access, internal }
}

fn internal(mut section: Section<'_>, origins: &mut Vec<Placed<Origin>>) -> Option<InternalReceiver> {
    let place = section.place_of("origin");
    let advice = "write the beginning of the endpoint's URL, such as \"https://alerts.internal:8443\"";
    let origin = section.required("origin", advice, |section, key| section.parsed(key, Origin::parse));
    let ca_file = files::public(&mut section, "ca_file");
    section.end();
    origins.extend(origin.clone().map(|value| Placed { value, place }));
    Some(InternalReceiver { origin: origin?, ca_file })
}
