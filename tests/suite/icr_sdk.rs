//! IBM's Container Registry SDK, unmodified but for its URL, walks through everything that there is.

use crate::support::client::{Client, Skopeo};
use crate::support::image::Image;
use crate::support::portcullis::Portcullis;
use crate::support::registry::Registry;
use crate::support::sdk;
use crate::support::who::IAMAPIKEY;

#[test]
fn container_registry_is_walked_by_its_own_sdk() {
    if !sdk::are_there() {
        return;
    }
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), IAMAPIKEY, at.admin_key()).must_succeed();
    let (one, two) = (Image::tiny(), Image::with_layers(&[5_000, 100]));
    for (image, name) in [
        (&one, "walk/owl:1"),
        (&two, "walk/owl:2"),
        (&two, "walk/owl:latest"),
        (&Image::tiny(), "walk/crow:1"),
    ] {
        skopeo.push(image, &at.image(name)).must_succeed();
    }
    let ended = sdk::script(&at, "ibm_registry.py", &[]).must_succeed();
    assert!(ended.stdout.lines().any(|line| line.starts_with("walked ")), "{}", ended.stdout);
}
