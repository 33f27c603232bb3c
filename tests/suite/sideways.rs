//! The same image by another way: what a policy, a quota or a deletion says of it holds whichever API is asked.

use serde_json::{Value, json};

use super::support::aws::Aws;
use super::support::http::{Http, Response};
use super::support::image::{Blob, Image, MANIFEST, sha256};
use super::support::portcullis::{ACCOUNT, Portcullis};
use super::support::registry::Registry;
use super::support::robot::Robot;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Puts an index of these manifests in place and returns it.
fn put_index(http: &Http, name: &str, reference: Option<&str>, parts: &[(&str, &Blob)]) -> Blob {
    let part = |(kind, blob): &(&str, &Blob)| json!({"mediaType": kind, "digest": blob.digest, "size": blob.bytes.len()});
    let parts: Value = parts.iter().map(part).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": parts});
    let index = Blob::of(index.to_string().into_bytes());
    let target = format!("/v2/{name}/manifests/{}", reference.unwrap_or(&index.digest));
    let put = http.send("PUT", &target, &[("Content-Type", INDEX)], &index.bytes);
    assert_eq!(put.status, 201, "{}", put.text());
    index
}

/// `ibmcloud cr image-tag`, as it is on the wire.
fn retag(http: &Http, from: &str, to: &str) -> Response {
    let target = format!("/api/v1/images/tags?fromimage={from}&toimage={to}");
    http.send("POST", &target, &[("Account", ACCOUNT)], b"")
}

fn delete(http: &Http, target: &str) -> Response {
    http.send("DELETE", target, &[("Account", ACCOUNT)], b"")
}

fn digest_of(http: &Http, name: &str, tag: &str) -> String {
    let read = http.send("GET", &format!("/v2/{name}/manifests/{tag}"), &[("Accept", MANIFEST)], b"");
    assert_eq!(read.status, 200, "{}", read.text());
    sha256(&read.body)
}

/// Writes a document into a principal that may be called by a service ID.
fn limit(at: &Portcullis, name: &str, statements: &Value) {
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let arguments = ["iam", "put-user-policy", "--user-name", name, "--policy-name", "own"];
    let arguments = [&arguments[..], &["--policy-document", &document]].concat();
    Aws::administrator(at).run(&arguments).must_succeed();
}

#[test]
fn a_policy_on_tags_binds_whoever_gives_or_takes_a_tag_over_another_api() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    for tag in ["prod-1", "dev"] {
        assert_eq!(root.push(&Image::tiny(), "team-a/app", tag).status, 201);
    }
    let before = digest_of(&root, "team-a/app", "prod-1");
    // The policy of the manual, and the same for what removes.
    let condition = json!({"StringLike": {"registry:Tag": "prod-*"}, "Bool": {"registry:TagExists": "true"}});
    let statements = json!([
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/team-a/*"},
        {"Effect": "Deny", "Action": ["ecr:PutImage", "ecr:BatchDeleteImage"], "Resource": "*", "Condition": condition},
    ]);
    let robot = Robot::with_role(&root, "ci", "Manager", "team-a");
    let name = robot.iam_id.trim_start_matches("iam-").to_owned();
    limit(&at, &name, &statements);
    let ibm = robot.at(&at);
    assert_eq!(retag(&ibm, "team-a/app:dev", "team-a/app:prod-1").status, 403);
    assert_eq!(retag(&ibm, "team-a/app:dev", "team-a/app:prod-2").status, 201);
    assert_eq!(delete(&ibm, "/api/v1/tags/team-a%2Fapp:prod-1").status, 403);
    assert_eq!(delete(&ibm, "/api/v1/images/team-a%2Fapp:prod-1").status, 403);

    let administrator = Aws::administrator(&at);
    let made = administrator.json(&["iam", "create-access-key", "--user-name", &name]);
    let text = |part: &str| made["AccessKey"][part].as_str().unwrap().to_owned();
    let aws = Aws::with_key(&at, &text("AccessKeyId"), &text("SecretAccessKey"));
    let here = ["--repository-name", "team-a/app"];
    let got = aws.json(&[&["ecr", "batch-get-image", "--image-ids", "imageTag=dev"], &here[..]].concat());
    let manifest = got["images"][0]["imageManifest"].as_str().unwrap();
    let put = |tag: &str| {
        let arguments = ["ecr", "put-image", "--image-manifest", manifest, "--image-tag", tag];
        aws.run(&[&arguments[..], &here[..]].concat())
    };
    put("prod-1").must_fail_saying(&["AccessDenied", "ecr:PutImage"]);
    put("prod-3").must_succeed();
    let remove =
        |id: &str| aws.run(&[&["ecr", "batch-delete-image", "--image-ids", id][..], &here[..]].concat());
    remove("imageTag=prod-1").must_fail_saying(&["AccessDenied", "ecr:BatchDeleteImage"]);
    remove("imageTag=dev").must_succeed();
    assert_eq!(digest_of(&root, "team-a/app", "prod-1"), before);
}

#[test]
fn a_deleted_image_does_not_come_back_as_part_of_an_index_that_is_tagged_elsewhere() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    let image = Image::tiny();
    assert_eq!(root.push(&image, "team-a/app", "secret").status, 201);
    put_index(&root, "team-a/app", Some("index"), &[(MANIFEST, &image.manifest)]);
    assert_eq!(root.push(&Image::tiny(), "team-b/copy", "other").status, 201);
    let gone = delete(&root, &format!("/v2/team-a/app/manifests/{}", image.manifest.digest));
    assert_eq!(gone.status, 202, "{}", gone.text());

    let robot = Robot::with_role(&root, "ci", "Reader", "team-a");
    robot.grant(&root, "Manager", "team-b");
    let http = robot.at(&at);
    let copied = retag(&http, "team-a/app:index", "team-b/copy:index");
    assert_eq!(copied.status, 409, "{}", copied.text());
    let place = format!("/v2/team-b/copy/manifests/{}", image.manifest.digest);
    assert_eq!(http.send("GET", &place, &[("Accept", MANIFEST)], b"").status, 404);
}

#[test]
fn an_index_of_indexes_of_indexes_is_not_copied_until_the_end_of_time() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    let image = Image::tiny();
    assert_eq!(root.push(&image, "team-a/app", "v1").status, 201);
    assert_eq!(root.push(&Image::tiny(), "team-a/copy", "other").status, 201);
    // Each has the one before twice: 2^40 paths lead to the image.
    let mut last = put_index(&root, "team-a/app", None, &[(MANIFEST, &image.manifest); 2]);
    let shallow = put_index(&root, "team-a/app", Some("shallow"), &[(INDEX, &last); 2]);
    assert_eq!(retag(&root, "team-a/app:shallow", "team-a/copy:shallow").status, 201);
    let read = root.send("GET", "/v2/team-a/copy/manifests/shallow", &[("Accept", INDEX)], b"");
    assert_eq!(sha256(&read.body), shallow.digest);
    for _ in 0..40 {
        last = put_index(&root, "team-a/app", None, &[(INDEX, &last); 2]);
    }
    put_index(&root, "team-a/app", Some("deep"), &[(INDEX, &last); 2]);
    let refused = retag(&root, "team-a/app:deep", "team-a/copy:deep");
    assert_eq!(refused.status, 409, "{}", refused.text());
}

#[test]
fn a_storage_quota_that_is_used_up_stops_a_layer_that_comes_by_parts() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    assert_eq!(root.push(&Image::with_layers(&[1_200_000]), "team-a/app", "v1").status, 201);
    at.administration().run("cr quota-set --storage 1").must_succeed();
    let upload = root.send("POST", "/v2/team-a/app/blobs/uploads/", &[], b"");
    assert_eq!(upload.status, 403, "{}", upload.text());
    let aws = Aws::administrator(&at);
    let arguments = ["ecr", "initiate-layer-upload", "--repository-name", "team-a/app"];
    aws.run(&arguments).must_fail_saying(&["LimitExceededException", "storage quota"]);
    at.administration().run("cr quota-set --storage -1").must_succeed();
    aws.run(&arguments).must_succeed();
}

#[test]
fn whoever_may_not_remove_a_tag_may_be_kept_from_removing_it_by_its_digest() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    let mut other = Image::tiny();
    other.manifest = Blob::of([&other.manifest.bytes[..], b"\n"].concat());
    assert_eq!(root.push(&Image::tiny(), "team-a/app", "prod-1").status, 201);
    assert_eq!(root.push(&other, "team-a/app", "dev").status, 201);
    let deny = |condition: Value| json!({"Effect": "Deny", "Action": "ecr:BatchDeleteImage", "Resource": "*", "Condition": condition});
    let statements = json!([
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/team-a/*"},
        deny(json!({"StringLike": {"registry:Tag": "prod-*"}})),
        deny(json!({"Null": {"registry:Tag": "true"}})),
    ]);
    let robot = Robot::with_role(&root, "ci", "Manager", "team-a");
    limit(&at, robot.iam_id.trim_start_matches("iam-"), &statements);
    let (by, digest) = (robot.at(&at), digest_of(&root, "team-a/app", "prod-1"));
    assert_eq!(by.send("DELETE", &format!("/v2/team-a/app/manifests/{digest}"), &[], b"").status, 403);
    assert_eq!(delete(&by, &format!("/api/v1/images/team-a%2Fapp@{digest}")).status, 403);
    assert_eq!(delete(&by, "/api/v1/tags/team-a%2Fapp:prod-1").status, 403);
    assert_eq!(delete(&by, "/api/v1/tags/team-a%2Fapp:dev").status, 200);
}

#[test]
fn a_manifest_that_can_be_read_in_two_ways_is_not_kept() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    let image = Image::tiny();
    assert_eq!(root.push(&image, "team-a/app", "v1").status, 201);
    let good: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
    let mut misspelt = good.clone();
    misspelt["Layers"] = json!([]);
    let mut mistyped = good.clone();
    mistyped["mediaType"] = json!(INDEX);
    for odd in [misspelt, mistyped] {
        let put = root.send(
            "PUT",
            "/v2/team-a/app/manifests/v2",
            &[("Content-Type", MANIFEST)],
            odd.to_string().as_bytes(),
        );
        assert_eq!(put.status, 400, "{}", put.text());
        assert!(put.text().contains("MANIFEST_INVALID") && put.text().contains("two ways"), "{}", put.text());
    }
}

#[test]
fn a_repositorys_tag_has_one_value_however_its_key_is_spelt() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = Aws::administrator(&at);
    administrator.json(&["ecr", "create-repository", "--repository-name", "team-a/app"]);
    let user = Aws::user(&at, &administrator, "ada");
    // Whoever tags says that it is of team a.
    let condition = json!({"StringEquals": {"aws:RequestTag/team": "a"}});
    let allowed =
        json!([{"Effect": "Allow", "Action": "ecr:TagResource", "Resource": "*", "Condition": condition}]);
    limit(&at, "ada", &allowed);
    let arn = format!("arn:aws:ecr:us-south:{ACCOUNT}:repository/team-a/app");
    let tag = |who: &Aws, tags: &[&str]| {
        who.run(&[&["ecr", "tag-resource", "--resource-arn", &arn, "--tags"], tags].concat())
    };
    let twice = tag(&user, &["Key=Team,Value=b", "Key=team,Value=a"]);
    twice.must_fail_saying(&["InvalidTagParameterException"]);
    tag(&user, &["Key=team,Value=a"]).must_succeed();
    tag(&administrator, &["Key=TEAM,Value=b"]).must_fail_saying(&["InvalidTagParameterException"]);
    tag(&administrator, &["Key=team,Value=b"]).must_succeed();
}
