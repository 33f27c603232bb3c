//! `[compliance]`: which profiles there are.

use std::path::Path;

use super::Section;
use crate::compliance::goal::Profile;
use crate::config::profile;
use crate::config::settings::Compliance;

pub(super) fn read(mut section: Section<'_>) -> Compliance {
    let place = section.place_of("profiles");
    let mut profiles = profile::shipped().unwrap_or_else(|mistakes| {
        section.notes.mistake(&place, mistakes.to_string());
        Vec::new()
    });
    for file in section.list("profiles", file).unwrap_or_default() {
        if profiles.iter().any(|profile| profile.id == file.value.id) {
            let text = format!("a profile with the id `{}` is there already: give it another", file.value.id);
            section.notes.mistake(&file.place, text);
        }
        profiles.push(file.value);
    }
    section.end();
    Compliance { profiles }
}

fn file(path: &str) -> Result<Profile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    profile::parse(Path::new(path), &text).map_err(|mistakes| mistakes.to_string())
}
