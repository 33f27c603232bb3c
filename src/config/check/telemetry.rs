//! Reads `[telemetry]`.

use crate::config::section::Section;
use crate::config::settings::{Telemetry, UpstreamAddress};
use crate::config::{files, upstream};

/// One request in so many is traced, unless the file says otherwise.
const ONE_IN: u64 = 100;

/// The section; `None` without a collector, and then nothing is traced.
pub(super) fn read(mut section: Section<'_>) -> Option<Telemetry> {
    let (place, others) = (section.place_of("otlp_endpoint"), section.place().clone());
    let endpoint = section.parsed("otlp_endpoint", upstream::parse);
    let ca_file = files::public(&mut section, "ca_file");
    let sample_one_in = section.number("sample_one_in", 1..=1_000_000_000);
    let notes = section.notes;
    section.end();
    let Some(endpoint) = endpoint else {
        if ca_file.is_some() || sample_one_in.is_some() {
            notes.mistake(
                &others,
                "names no otlp_endpoint, so nothing is traced: name the collector, or leave the section out",
            );
        }
        return None;
    };
    match &endpoint {
        UpstreamAddress::Http(host, _) if !upstream::is_loopback(host) => {
            notes.warning(&place, "who asks for what crosses the network in clear text; use https");
        }
        UpstreamAddress::Http(..) | UpstreamAddress::Https(..) | UpstreamAddress::Unix(_) => {}
    }
    Some(Telemetry { endpoint, ca_file, sample_one_in: sample_one_in.unwrap_or(ONE_IN) })
}
