//! ECR, as its users call it: with boto3, the `aws` command and docker, before a real registry.

use portcullis::api::aws::ecr::Ecr;
use serde_json::{Value, json};

use super::support::aws::Aws;
use super::support::client::{Client, Docker, Skopeo};
use super::support::image::{Image, MANIFEST, sha256};
use super::support::portcullis::{ACCOUNT, Portcullis};
use super::support::registry::Registry;
use super::support::wait::{PATIENCE, until};
use super::support::who::{Administrator, Who};

/// Somebody with an access key, and with the policy if one is given.
fn user(at: &Portcullis, name: &str, policy: Option<&Value>) -> (Aws, [String; 2]) {
    let administrator = Aws::administrator(at);
    administrator.json(&["iam", "create-user", "--user-name", name]);
    if let Some(policy) = policy {
        let document = policy.to_string();
        let arguments = ["iam", "put-user-policy", "--user-name", name, "--policy-name", "own"];
        administrator.run(&[&arguments[..], &["--policy-document", &document]].concat()).must_succeed();
    }
    let made = administrator.json(&["iam", "create-access-key", "--user-name", name]);
    let key =
        ["AccessKeyId", "SecretAccessKey"].map(|part| made["AccessKey"][part].as_str().unwrap().to_owned());
    (Aws::with_key(at, &key[0], &key[1]), key)
}

/// The one-repository policy of the ECR user guide, "Accessing One Amazon ECR Repository".
fn my_repo_only() -> Value {
    let arn = format!("arn:aws:ecr:us-south:{ACCOUNT}:repository/my-repo");
    let contents = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetRepositoryPolicy",
        "ecr:DescribeRepositories",
        "ecr:ListImages",
        "ecr:DescribeImages",
        "ecr:BatchGetImage",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ];
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ListImagesInRepository", "Effect": "Allow", "Action": ["ecr:ListImages"], "Resource": arn},
        {"Sid": "GetAuthorizationToken", "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": "*"},
        {"Sid": "ManageRepositoryContents", "Effect": "Allow", "Action": contents, "Resource": arn},
    ]})
}

/// skopeo, logged in with the password that `aws ecr get-login-password` prints.
fn logged_in(at: &Portcullis, aws: &Aws) -> Skopeo {
    let skopeo = Skopeo::new(&at.trust());
    let password = aws.run(&["ecr", "get-login-password"]).must_succeed().stdout;
    skopeo.login(&at.host(), "AWS", password.trim()).must_succeed();
    skopeo
}

#[test]
fn boto3_walks_every_operation_and_its_image_is_pulled_by_digest() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let aws = Aws::administrator(&at);
    let said = aws.python(include_str!("aws_ecr.py")).must_succeed().stdout;
    let skopeo = logged_in(&at, &aws);
    let by_tag = at.image("team-a/made:v1");
    skopeo.pull(&by_tag).must_succeed();
    skopeo.pull(&at.image(&format!("team-a/made@{}", said.trim()))).must_succeed();
    let gone = aws.json(&["ecr", "delete-repository", "--repository-name", "team-a/made", "--force"]);
    assert_eq!(gone["repository"]["repositoryName"], "team-a/made");
    let listed = aws.run(&["ecr", "describe-repositories", "--repository-names", "team-a/made"]);
    listed.must_fail_saying(&[&format!(
        "The repository with name 'team-a/made' does not exist in the registry with id '{ACCOUNT}'"
    )]);
}

#[test]
fn an_image_that_is_pushed_is_described_as_it_is() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let (aws, image) = (Aws::administrator(&at), Image::with_layers(&[100, 2000]));
    Administrator::of(&at).skopeo(&at).push(&image, &at.image("team-a/app:v1")).must_succeed();
    let names = ["--repository-name", "team-a/app"];
    // skopeo packs layers on their way, so what was pushed is what is there.
    let accept = [("accept", MANIFEST)];
    let pushed = at.administrator().send("GET", "/v2/team-a/app/manifests/v1", &accept, b"");
    let manifest: Value = serde_json::from_slice(&pushed.body).unwrap();
    let digest = sha256(&pushed.body);
    let listed = aws.json(&[&["ecr", "list-images"], &names[..]].concat());
    assert_eq!(listed["imageIds"], json!([{"imageDigest": digest, "imageTag": "v1"}]));
    let parts = manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]);
    let size: u64 = parts.map(|part| part["size"].as_u64().unwrap()).sum();
    let ids = ["--image-ids", "imageTag=v1"];
    let described = until("the push is written down", PATIENCE, || {
        let described = aws.json(&[&["ecr", "describe-images"], &names[..], &ids[..]].concat());
        let detail = described["imageDetails"][0].clone();
        (detail["imagePushedAt"].as_f64().unwrap() > 1.7e9).then_some(detail)
    });
    assert_eq!(described["imageDigest"], digest);
    assert_eq!(described["imageSizeInBytes"], size);
    let got = aws.json(&[&["ecr", "batch-get-image"], &names[..], &ids[..]].concat());
    let manifest = got["images"][0]["imageManifest"].as_str().unwrap();
    assert_eq!(manifest.as_bytes(), pushed.body);
    // What is read here is put there under another tag, and pulled.
    let arguments = ["ecr", "put-image", "--image-tag", "stable", "--image-manifest", manifest];
    let put = aws.json(&[&arguments[..], &names[..]].concat());
    assert_eq!(put["image"]["imageId"]["imageDigest"], digest);
    let skopeo = Administrator::of(&at).skopeo(&at);
    skopeo.pull(&at.image("team-a/app:stable")).must_succeed();
    assert_eq!(skopeo.id_of(&at.image("team-a/app:stable")), image.id());
    let docker = Administrator::of(&at).docker(&at);
    let pulled = docker.pull(&at.image("team-a/app:stable")).must_succeed().stdout;
    assert!(pulled.contains(&digest), "{pulled}");
    // And what docker packs itself is described by the digest that docker says.
    let pushed = docker.push(&image, &at.image("team-a/app:docker")).must_succeed().stdout;
    let ids = ["--image-ids", "imageTag=docker"];
    let described = aws.json(&[&["ecr", "describe-images"], &names[..], &ids[..]].concat());
    let digest = described["imageDetails"][0]["imageDigest"].as_str().unwrap();
    assert!(pushed.contains(digest), "{pushed}");
}

#[test]
fn an_immutable_tag_is_written_once_by_every_client() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let aws = Aws::administrator(&at);
    let names = ["--repository-name", "team-a/app"];
    let mutable = ["ecr", "create-repository", "--image-tag-mutability", "IMMUTABLE"];
    aws.json(&[&mutable[..], &names[..]].concat());
    let skopeo = Administrator::of(&at).skopeo(&at);
    let (first, second) = (Image::tiny(), Image::tiny());
    skopeo.push(&first, &at.image("team-a/app:v1")).must_succeed();
    let refused = "The image tag 'v1' already exists in the 'team-a/app' repository and cannot be overwritten because the repository is immutable.";
    skopeo.push(&second, &at.image("team-a/app:v1")).must_fail_saying(&[refused]);
    let docker = Administrator::of(&at).docker(&at);
    docker.push(&second, &at.image("team-a/app:v1")).must_fail_saying(&[refused]);
    skopeo.push(&second, &at.image("team-a/app:v2")).must_succeed();
    let manifest = String::from_utf8(second.manifest.bytes.clone()).unwrap();
    let put = ["ecr", "put-image", "--image-tag", "v1", "--image-manifest", &manifest];
    aws.run(&[&put[..], &names[..]].concat()).must_fail_saying(&["(ImageTagAlreadyExistsException)"]);
    let but =
        ["--image-tag-mutability", "IMMUTABLE_WITH_EXCLUSION", "--image-tag-mutability-exclusion-filters"];
    let filter = ["filterType=WILDCARD,filter=v*"];
    aws.json(&[&["ecr", "put-image-tag-mutability"], &names[..], &but[..], &filter[..]].concat());
    skopeo.push(&second, &at.image("team-a/app:v1")).must_succeed();
    skopeo.push(&first, &at.image("team-a/app:w1")).must_succeed();
    skopeo.push(&second, &at.image("team-a/app:w1")).must_fail_saying(&["cannot be overwritten"]);
    let pulled = at.image("team-a/app:w1");
    skopeo.pull(&pulled).must_succeed();
    assert_eq!(skopeo.id_of(&pulled), first.id());
}

#[test]
fn the_one_repository_policy_pushes_pulls_and_lists_my_repo_and_nothing_else() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = Aws::administrator(&at);
    for name in ["my-repo", "other-repo"] {
        administrator.json(&["ecr", "create-repository", "--repository-name", name]);
    }
    let (aws, _) = user(&at, "builder", Some(&my_repo_only()));
    let (skopeo, image) = (logged_in(&at, &aws), Image::tiny());
    skopeo.push(&image, &at.image("my-repo:v1")).must_succeed();
    skopeo.pull(&at.image("my-repo:v1")).must_succeed();
    assert_eq!(skopeo.id_of(&at.image("my-repo:v1")), image.id());
    let listed = aws.json(&["ecr", "list-images", "--repository-name", "my-repo"]);
    assert_eq!(listed["imageIds"][0]["imageTag"], "v1");
    let begun = aws.json(&["ecr", "initiate-layer-upload", "--repository-name", "my-repo"]);
    let upload = begun["uploadId"].as_str().unwrap();
    let part = format!(
        "printf 'a layer' > layer; aws ecr upload-layer-part --repository-name my-repo --upload-id {upload} \
         --part-first-byte 0 --part-last-byte 6 --layer-part-blob fileb://layer; \
         aws ecr complete-layer-upload --repository-name my-repo --upload-id {upload} \
         --layer-digests sha256:$(sha256sum layer | cut -d' ' -f1)"
    );
    aws.shell(&part).must_succeed();
    let denied = |action: &str| {
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/builder is not authorized to perform: ecr:{action} on resource: \
             arn:aws:ecr:us-south:{ACCOUNT}:repository/other-repo because no identity-based policy allows the \
             ecr:{action} action"
        )
    };
    let elsewhere = aws.run(&["ecr", "list-images", "--repository-name", "other-repo"]);
    elsewhere.must_fail_saying(&[&denied("ListImages")]);
    let elsewhere = aws.run(&["ecr", "initiate-layer-upload", "--repository-name", "other-repo"]);
    elsewhere.must_fail_saying(&[&denied("InitiateLayerUpload")]);
    skopeo
        .push(&image, &at.image("other-repo:v1"))
        .must_fail_saying(&[&denied("BatchCheckLayerAvailability")]);
    skopeo.pull(&at.image("other-repo:v1")).must_fail_saying(&[&denied("BatchGetImage")]);
    let docker = Docker::start(&at.trust());
    let password = aws.run(&["ecr", "get-login-password"]).must_succeed().stdout;
    docker.login(&at.host(), "AWS", password.trim()).must_succeed();
    docker.pull(&at.image("my-repo:v1")).must_succeed();
    docker.push(&image, &at.image("my-repo:v2")).must_succeed();
    docker.push(&image, &at.image("other-repo:v1")).must_fail_saying(&[&denied("InitiateLayerUpload")]);
    docker.pull(&at.image("other-repo:v1")).must_fail_saying(&[&denied("BatchGetImage")]);
    aws.run(&["ecr", "delete-repository", "--repository-name", "my-repo", "--force"])
        .must_fail_saying(&["(AccessDeniedException)"]);
    aws.run(&["ecr", "describe-repositories"]).must_fail_saying(&["repository/* because no identity-based"]);
}

#[test]
fn every_operation_refuses_nobody_strangers_readers_and_wrong_signatures() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let aws = Aws::administrator(&at);
    aws.json(&["ecr", "create-repository", "--repository-name", "team-a/app"]);
    let (_, stranger) = user(&at, "stranger", None);
    let (_, reader) = user(&at, "reader", None);
    let policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    aws.run(&["iam", "attach-user-policy", "--user-name", "reader", "--policy-arn", policy]).must_succeed();
    let wrong = [reader[0].clone(), stranger[1].clone()];
    let known: Vec<&str> = Ecr::ALL.iter().map(|operation| operation.name()).collect();
    let users = json!({"stranger": stranger, "reader": reader, "wrong": wrong});
    let program = format!(
        "import sys; sys.argv = ['', {:?}, {:?}]\n{}",
        json!(known).to_string(),
        users.to_string(),
        include_str!("aws_authorization.py")
    );
    let walked: usize = aws.python(&program).must_succeed().stdout.trim().parse().unwrap();
    assert!(walked >= 200 && walked <= 4 * known.len(), "{walked} of {}", 4 * known.len());
}

#[test]
fn a_lifecycle_policy_removes_what_its_preview_shows_and_nothing_else() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    let (aws, skopeo) = (Aws::administrator(&at), Administrator::of(&at).skopeo(&at));
    let images: Vec<Image> = (0..3).map(|_| Image::tiny()).collect();
    for (number, image) in images.iter().enumerate() {
        skopeo.push(image, &at.image(&format!("team-a/app:v{number}"))).must_succeed();
    }
    skopeo.push(&images[0], &at.image("team-a/app:keep")).must_succeed();
    let policy = json!({"rules": [
        {"rulePriority": 1, "description": "what is tagged keep stays", "selection": {"tagStatus": "tagged",
            "tagPatternList": ["keep*"], "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"}},
        {"rulePriority": 2, "description": "of the others only the youngest", "selection": {"tagStatus": "any",
            "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}},
    ]})
    .to_string();
    let names = ["--repository-name", "team-a/app"];
    let text = ["--lifecycle-policy-text", &policy];
    // Pushes are written down in their order, and before anything is decided by it.
    let going = until("the pushes are written down", PATIENCE, || {
        aws.json(&[&["ecr", "start-lifecycle-policy-preview"], &names[..], &text[..]].concat());
        let shown = aws.json(&[&["ecr", "get-lifecycle-policy-preview"], &names[..]].concat());
        let going = shown["previewResults"].as_array().unwrap().clone();
        (going.len() == 1 && going[0]["imageTags"] == json!(["v1"])).then_some(going)
    });
    assert_eq!(going[0]["appliedRulePriority"], 2);
    aws.json(&[&["ecr", "put-lifecycle-policy"], &names[..], &text[..]].concat());
    at.restart();
    let aws = Aws::administrator(&at);
    let left = until("the policy is carried out", PATIENCE, || {
        let listed = aws.json(&[&["ecr", "list-images"], &names[..]].concat());
        let tags = listed["imageIds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id["imageTag"].as_str().unwrap().to_owned());
        let mut tags: Vec<String> = tags.collect();
        tags.sort();
        (tags.len() < 4).then_some(tags)
    });
    assert_eq!(left, ["keep", "v0", "v2"]);
    let evaluated = aws.json(&[&["ecr", "get-lifecycle-policy"], &names[..]].concat());
    assert!(evaluated["lastEvaluatedAt"].as_f64().unwrap() > 1.7e9, "{evaluated}");
}
