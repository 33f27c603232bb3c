//! Reads `[[registry]]`.

use super::unique;
use crate::config::mistake::Notes;
use crate::config::section::{Placed, Section};
use crate::config::settings::Registry;
use crate::config::upstream;
use crate::ids::host::HostName;
use crate::ids::region::Region;

/// All registries that could be read.
pub(super) fn all(top: &mut Section<'_>) -> Vec<Placed<Registry>> {
    let (place, notes) = (top.place_of("registry"), top.notes);
    let sections = top.sections("registry");
    if sections.is_empty() {
        notes.mistake(&place, "is missing; describe at least one registry in a section [[registry]]");
    }
    let mut seen = Seen::default();
    let registries = sections.into_iter().filter_map(|section| one(section, &mut seen)).collect();
    seen.compare(notes);
    registries
}

/// What must not be written twice.
#[derive(Default)]
struct Seen {
    hosts: Vec<Placed<HostName>>,
    regions: Vec<Placed<Region>>,
}

impl Seen {
    fn compare(&self, notes: &Notes) {
        unique(&self.hosts, "the host", notes);
        unique(&self.regions, "the region", notes);
    }
}

fn one(mut section: Section<'_>, seen: &mut Seen) -> Option<Placed<Registry>> {
    let own = section.place().clone();
    let places = ["name", "private_name", "region"].map(|key| section.place_of(key));
    let [name_place, private_place, region_place] = places;
    let host = |section: &mut Section<'_>, key| section.parsed(key, HostName::parse);
    let name = section.required("name", "write the host that clients use, without a port", host);
    let aliases = section.list("aliases", HostName::parse).unwrap_or_default();
    let private_name = host(&mut section, "private_name");
    let region = section.required("region", "write a region such as \"us-south\"", |section, key| {
        section.parsed(key, Region::parse)
    });
    let upstream = upstream::read(&mut section);
    let create_on_push = section.boolean("create_on_push").unwrap_or(true);
    section.end();

    let hosts =
        [name.clone().map(|value| (value, name_place)), private_name.clone().map(|v| (v, private_place))];
    seen.hosts.extend(hosts.into_iter().flatten().map(|(value, place)| Placed { value, place }));
    let names: Vec<HostName> = aliases.iter().map(|alias| alias.value.clone()).collect();
    seen.hosts.extend(aliases);
    seen.regions.extend(region.clone().map(|value| Placed { value, place: region_place }));
    let registry = Registry {
        name: name?,
        aliases: names,
        private_name,
        region: region?,
        upstream: upstream?,
        create_on_push,
    };
    Some(Placed { value: registry, place: own })
}
