//! Where a key is configured, only what it has signed is signed: for pulls, and for the auditor.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::gate::gate;
use super::reports::{pusher, put_blob, with_an_image};
use crate::support::client::{Client, Skopeo};
use crate::support::http::Http;
use crate::support::image::{Blob, Image, MANIFEST};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

/// A pair as cosign makes it, and its public key in PEM.
fn pair() -> (EcdsaKeyPair, String) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let begins = HEXLOWER.decode(b"3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    let der = BASE64.encode(&[&begins, pair.public_key().as_ref()].concat());
    (pair, format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"))
}

/// Signs an image, as cosign does, and puts the signature where cosign does.
fn sign(http: &Http, pair: &EcdsaKeyPair, image: &Image, of: &Image) {
    let payload = json!({"critical": {
        "identity": {"docker-reference": "prod/owl"},
        "image": {"docker-manifest-digest": of.manifest.digest},
        "type": "cosign container image signature",
    }, "optional": null});
    let payload = put_blob(http, payload.to_string().as_bytes());
    let signature = pair.sign(&SystemRandom::new(), &payload.bytes).unwrap();
    let config = put_blob(http, b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.digest, "size": 2},
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": payload.digest,
            "size": payload.bytes.len(),
            "annotations": {"dev.cosignproject.cosign/signature": BASE64.encode(signature.as_ref())},
        }],
    });
    let manifest = Blob::of(manifest.to_string().into_bytes());
    let target = format!("/v2/prod/owl/manifests/{}.sig", image.manifest.digest.replace(':', "-"));
    let put = http.send("PUT", &target, &[("Content-Type", MANIFEST)], &manifest.bytes);
    assert_eq!(put.status, 201, "{}", put.text());
}

#[test]
fn only_what_a_configured_key_has_signed_is_signed() {
    let registry = Registry::start();
    let ((good, key), (bad, _)) = (pair(), pair());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cosign.pub");
    std::fs::write(&file, key).unwrap();
    let settings = format!("[findings]\nsigners = [\"prod={}\"]\n", file.display());
    let (at, cli, image) = with_an_image(&registry, &settings);
    let (http, admin) = (pusher(&at), at.administrator());
    let (runner, scanner) =
        (Robot::with_role(&admin, "runner", "Reader", "prod"), Robot::create(&admin, "scanner"));
    gate(&at, "prod/owl", &scanner, "Bool registry:Signed", json!("false"));
    let own = Skopeo::new(&at.trust());
    own.login(&at.host(), IAMAPIKEY, &runner.key.value).must_succeed();
    let refused = || own.pull(&at.image("prod/owl:v1")).must_fail_saying(&["The image has no signature"]);
    let goal = |status: &str| {
        until(&format!("the goal to be {status}"), PATIENCE, || {
            let goals = cli.run("compliance goals --profile auditor --output json").must_succeed().stdout;
            let goals: Value = serde_json::from_str(&goals).unwrap();
            let all = goals.as_array().unwrap().clone();
            all.into_iter()
                .find(|goal| goal["id"] == "portcullis-image-signatures" && goal["status"] == status)
        })
    };
    refused();
    sign(&http, &bad, &image, &image);
    refused();
    sign(&http, &good, &image, &Image::tiny());
    refused();
    goal("fail");
    sign(&http, &good, &image, &image);
    own.pull(&at.image("prod/owl:v1")).must_succeed();
    let passed = goal("pass");
    assert!(passed["found"].as_str().unwrap().contains("verified in prod"), "{passed}");
    sign(&http, &bad, &image, &image);
    refused();
    goal("fail");
}

#[test]
fn an_image_that_calls_its_layers_signatures_is_an_image_all_the_same() {
    let registry = Registry::start();
    let (at, _, image) = with_an_image(&registry, "");
    let (http, admin) = (pusher(&at), at.administrator());
    let (runner, scanner) =
        (Robot::with_role(&admin, "runner", "Reader", "prod"), Robot::create(&admin, "scanner"));
    gate(&at, "prod/owl", &scanner, "Bool registry:Signed", json!("false"));
    let mut disguised: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
    for layer in disguised["layers"].as_array_mut().unwrap() {
        layer["mediaType"] = json!("application/vnd.dev.cosign.simplesigning.v1+json");
    }
    let put = |tag: &str, manifest: &Value| {
        let bytes = manifest.to_string().into_bytes();
        let put =
            http.send("PUT", &format!("/v2/prod/owl/manifests/{tag}"), &[("Content-Type", MANIFEST)], &bytes);
        assert_eq!(put.status, 201, "{}", put.text());
    };
    put("disguised", &disguised);
    for layer in disguised["layers"].as_array_mut().unwrap() {
        layer["mediaType"] = json!("application/x-own");
    }
    put("own", &disguised);
    sign(&http, &pair().0, &image, &image);
    let token = at.http().basic(IAMAPIKEY, &runner.key.value).token(&["repository:prod/owl:pull"]);
    let own = at.http().bearer(&token);
    let pull = |reference: &str| {
        own.send("GET", &format!("/v2/prod/owl/manifests/{reference}"), &[("Accept", MANIFEST)], b"").status
    };
    assert_eq!((pull("disguised"), pull("own")), (403, 403));
    // The signed image is pulled, and so is its signature.
    let signature = format!("{}.sig", image.manifest.digest.replace(':', "-"));
    assert_eq!((pull("v1"), pull(&signature)), (200, 200));
}
