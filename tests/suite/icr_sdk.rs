//! IBM's Container Registry SDK, unmodified but for its URL, walks through everything that there is.

use std::path::PathBuf;

use crate::support::client::{Client, Skopeo};
use crate::support::image::Image;
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::process::{bare, run};
use crate::support::registry::Registry;
use crate::support::who::IAMAPIKEY;

#[test]
fn container_registry_is_walked_by_its_own_sdk() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/clients/bin/python");
    if !python.exists() {
        let missing =
            "IBM's SDK is not installed, so nothing was walked: run `make deps`, which says why it cannot";
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
        println!("skipped: {missing}");
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
    let mut command = bare(python);
    command
        .arg(root.join("tests/clients/ibm_registry.py"))
        .env("HOME", at.folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("REQUESTS_CA_BUNDLE", &at.certificate().ca)
        .env("PORTCULLIS_URL", format!("https://{}", at.host()))
        .env("PORTCULLIS_ACCOUNT", ACCOUNT)
        .env("PORTCULLIS_KEY", at.admin_key());
    let ended = run(&mut command, "").must_succeed();
    assert!(ended.stdout.lines().any(|line| line.starts_with("walked ")), "{}", ended.stdout);
}
