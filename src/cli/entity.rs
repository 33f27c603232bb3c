//! Service IDs and trusted profiles, which the API keeps in one way in two places.

use std::marker::PhantomData;

use serde::Deserialize;

use super::http::encoded;
use super::lookup::Principal;

/// What tells service IDs and trusted profiles apart.
pub(super) trait EntityKind {
    /// What messages call one.
    const NOUN: &'static str;
    /// What the id of each begins with.
    const PREFIX: &'static str;
    /// Where the API lists them.
    const PATH: &'static str;
    /// What a list of them is called.
    const LIST: &'static str;
    /// The command that lists them.
    const COMMAND: &'static str;
}

/// The kind of service IDs.
#[derive(Debug)]
pub(super) struct OfServiceId;

impl EntityKind for OfServiceId {
    const NOUN: &'static str = "service ID";
    const PREFIX: &'static str = "ServiceId-";
    const PATH: &'static str = "/v1/serviceids/";
    const LIST: &'static str = "serviceids";
    const COMMAND: &'static str = "portcullis iam service-ids";
}

/// The kind of trusted profiles.
#[derive(Debug)]
pub(super) struct OfProfile;

impl EntityKind for OfProfile {
    const NOUN: &'static str = "trusted profile";
    const PREFIX: &'static str = "Profile-";
    const PATH: &'static str = "/v1/profiles";
    const LIST: &'static str = "profiles";
    const COMMAND: &'static str = "portcullis iam trusted-profiles";
}

/// A service ID or a trusted profile.
#[derive(Debug, Deserialize)]
#[serde(bound = "")]
pub(super) struct Entity<K> {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) iam_id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) crn: String,
    #[serde(default)]
    pub(super) entity_tag: String,
    /// Profiles cannot be locked.
    #[serde(default)]
    pub(super) locked: bool,
    #[serde(default)]
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) modified_at: String,
    #[serde(skip)]
    kind: PhantomData<K>,
}

pub(super) type ServiceId = Entity<OfServiceId>;
pub(super) type Profile = Entity<OfProfile>;

impl<K: EntityKind> Entity<K> {
    pub(super) fn principal(self) -> Principal {
        Principal { iam_id: self.iam_id, name: self.name }
    }

    /// Where the API keeps it.
    pub(super) fn path(&self) -> String {
        path::<K>(&self.id)
    }
}

/// Where the API keeps the one with this id.
pub(super) fn path<K: EntityKind>(id: &str) -> String {
    format!("{}/{}", K::PATH.trim_end_matches('/'), encoded(id))
}
