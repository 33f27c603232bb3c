//! Namespaces that come into being by a push: noticed here, written elsewhere.

use http::StatusCode;
use tokio::sync::mpsc;

use super::sites::Site;
use crate::admit::registry::Admission;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

/// The sending end of the notices.
#[derive(Clone, Debug)]
pub struct Sightings(mpsc::Sender<Sighting>);

/// A push into a namespace that did not exist.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sighting {
    /// In which registry.
    pub region: Region,
    /// The namespace.
    pub namespace: Namespace,
}

impl Sightings {
    /// A channel of `capacity` notices.
    #[must_use]
    pub fn channel(capacity: usize) -> (Self, mpsc::Receiver<Sighting>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self(sender), receiver)
    }

    /// Notes that an admitted push was answered with `status`. A full channel loses the notice; the next push into the
    /// namespace brings it again.
    pub fn note(&self, admission: &Admission, site: &Site, status: StatusCode) {
        if let (Some(namespace), true) = (&admission.new_namespace, status.is_success()) {
            let _ = self.0.try_send(Sighting { region: site.region.clone(), namespace: namespace.clone() });
        }
    }
}
