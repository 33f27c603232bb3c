//! A cluster pulls: with what the kubelet asks of an exec plugin for image credentials, and with a secret that an administrator makes.

use std::fs;
use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::support::client::{Client, Docker, Skopeo};
use crate::support::image::Image;
use crate::support::issuer::{Issuer, now};
use crate::support::portcullis::{Cli, Portcullis};
use crate::support::process::{Finished, run};
use crate::support::registry::Registry;
use crate::support::robot::Robot;

const CLUSTER: &str = "crn:v1:bluemix:public:containers-kubernetes:us-south:a/1:c1::";
const PROFILE: &str = "portcullis.io/trusted-profile";
/// What the shape of a token looks like, wherever it turns up.
const TOKEN: &str = "eyJ";

/// A cluster whose service account `shop/puller` is linked to the profile `puller`, which reads `team`.
struct Cluster {
    issuer: Issuer,
    at: Portcullis,
    home: Cli,
    _registry: Registry,
}

impl Cluster {
    fn start() -> Self {
        let (issuer, registry) = (Issuer::start("/cluster"), Registry::start());
        let settings = format!(
            "{}[[federation.cluster]]\nissuer = \"{}\"\ncrn = \"{CLUSTER}\"\naudiences = [\"portcullis\"]\n",
            issuer.settings(),
            issuer.url
        );
        let at = Portcullis::with(&registry.url(), &[], &settings);
        let root = at.administration();
        for line in [
            "iam trusted-profile-create puller",
            "iam trusted-profile-create idle",
            "iam trusted-profile-policy-create puller --roles Reader --service-name container-registry --resource-type namespace --resource team",
            &format!(
                "iam trusted-profile-link-create puller --name shop --cr-type IKS_SA --link-namespace shop --link-name puller --link-crn {CLUSTER}"
            ),
        ] {
            root.run(line).must_succeed();
        }
        assert_eq!(at.administrator().push(&Image::tiny(), "team/app", "v1").status, 201);
        Self { issuer, at, home: Cli::new(), _registry: registry }
    }

    /// The token of a service account in a namespace, which says more or something else.
    fn token(&self, namespace: &str, name: &str, more: &Value) -> String {
        let mut claims = json!({
            "sub": format!("system:serviceaccount:{namespace}:{name}"), "aud": ["portcullis"],
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": "u"}},
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.issuer.token(&claims)
    }

    fn linked(&self) -> String {
        self.token("shop", "puller", &json!({}))
    }

    /// What the kubelet asks about an image, for a service account that names a profile.
    fn request(&self, image: &str, token: &str, profile: &str) -> Value {
        json!({
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest",
            "image": image, "serviceAccountToken": token, "serviceAccountAnnotations": {PROFILE: profile},
        })
    }

    /// The plugin as the kubelet starts it: with the arguments of its configuration, and no login.
    fn plugin(&self, more: &[&str]) -> Command {
        let mut command = self.home.command(&["kube", "credential-provider"]);
        command.args(["--endpoint", &format!("https://{}", self.at.host()), "--ca-file"]);
        command.arg(&self.at.certificate().ca).args(more);
        command
    }

    fn asks(&self, request: &Value) -> Finished {
        run(&mut self.plugin(&[]), &request.to_string())
    }

    /// The login in an answer.
    fn login(&self, done: Finished) -> (String, String) {
        let answer: Value = serde_json::from_str(&done.must_succeed().stdout).unwrap();
        let login = &answer["auth"][self.at.host()];
        (login["username"].as_str().unwrap().to_owned(), login["password"].as_str().unwrap().to_owned())
    }

    /// Nothing to log in with, and no secret in what it says.
    #[track_caller]
    fn refuses(&self, done: Finished, because: &str) {
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{}", done.said());
        assert!(done.stderr.contains(because), "`{because}` is missing: {}", done.stderr);
        assert!(!done.stderr.contains(TOKEN), "{}", done.stderr);
    }
}

#[test]
fn the_kubelet_pulls_with_a_login_that_nobody_has_stored() {
    let cluster = Cluster::start();
    let image = cluster.at.image("team/app:v1");
    let done = cluster.asks(&cluster.request(&image, &cluster.linked(), "puller")).must_succeed();
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(answer["apiVersion"], "credentialprovider.kubelet.k8s.io/v1");
    assert_eq!(
        (&answer["kind"], &answer["cacheKeyType"]),
        (&json!("CredentialProviderResponse"), &json!("Registry"))
    );
    let seconds =
        answer["cacheDuration"].as_str().unwrap().strip_suffix('s').unwrap().parse::<i64>().unwrap();
    assert!((1..3600).contains(&seconds), "{answer}");
    assert_eq!(answer["auth"].as_object().unwrap().len(), 1, "for this host and no other");
    let (user, password) = cluster.login(done);
    assert!(!password.contains(&cluster.linked()), "the pod's own token is nobody's password");
    let (docker, skopeo) = (Docker::start(&cluster.at.trust()), Skopeo::new(&cluster.at.trust()));
    for client in [&docker as &dyn Client, &skopeo] {
        client.login(&cluster.at.host(), &user, &password).must_succeed();
        client.pull(&image).must_succeed();
    }
    skopeo
        .push(&Image::tiny(), &cluster.at.image("team/app:v2"))
        .must_fail_saying(&["You are not authorized"]);
    let event = cluster.at.await_audit("the pull", |event| {
        event["operation"] == "manifest_read" && event["outcome"] == "success"
    });
    assert_eq!(event["initiator"]["credential"]["id"], "shop/puller", "{event:#}");
}

#[test]
fn a_profile_is_named_by_its_id_or_by_the_kubelets_configuration_and_a_token_by_a_file() {
    let cluster = Cluster::start();
    let image = cluster.at.image("team/app:v1");
    let id = cluster.at.administration().run("iam trusted-profile puller --id").must_succeed();
    let id = id.stdout.trim();
    cluster.login(cluster.asks(&cluster.request(&image, &cluster.linked(), id)));
    let mut plain = cluster.request(&image, &cluster.linked(), "");
    cluster.refuses(cluster.asks(&plain), PROFILE);
    cluster.login(run(&mut cluster.plugin(&["--profile", "puller"]), &plain.to_string()));
    // What the service account says of itself comes first.
    let idle = cluster.request(&image, &cluster.linked(), "idle").to_string();
    cluster.refuses(run(&mut cluster.plugin(&["--profile", "puller"]), &idle), "'idle'");
    // Before Kubernetes 1.33, of which v1beta1 is.
    plain["apiVersion"] = json!("credentialprovider.kubelet.k8s.io/v1beta1");
    plain.as_object_mut().unwrap().remove("serviceAccountToken");
    let file = cluster.at.folder().join("node.token");
    fs::write(&file, format!("{}\n", cluster.linked())).unwrap();
    let file = file.display().to_string();
    let done = run(&mut cluster.plugin(&["--profile", "puller", "--token-file", &file]), &plain.to_string());
    assert!(done.stdout.contains("credentialprovider.kubelet.k8s.io/v1beta1"), "{}", done.said());
    cluster.login(done);
    cluster.refuses(
        run(&mut cluster.plugin(&["--profile", "puller"]), &plain.to_string()),
        "no service-account token",
    );
}

#[test]
fn whom_the_profile_does_not_trust_gets_no_login() {
    let cluster = Cluster::start();
    let (image, stranger) = (cluster.at.image("team/app:v1"), Issuer::start("/cluster"));
    let claims = json!({
        "sub": "system:serviceaccount:shop:puller", "aud": ["portcullis"],
        "kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "puller", "uid": "u"}},
    });
    let linked = cluster.linked();
    let (head, signature) = linked.rsplit_once('.').unwrap();
    for (what, token) in [
        (
            "another audience",
            cluster.token("shop", "puller", &json!({"aud": ["https://kubernetes.default.svc"]})),
        ),
        (
            "expired",
            cluster.token(
                "shop",
                "puller",
                &json!({"iat": now() - 900, "nbf": now() - 900, "exp": now() - 300}),
            ),
        ),
        ("another service account", cluster.token("shop", "default", &json!({}))),
        ("another namespace", cluster.token("other", "puller", &json!({}))),
        ("an unknown issuer", stranger.token(&claims)),
        ("another's signature", stranger.token(&cluster.issuer.claims(&claims))),
        ("a changed signature", format!("{head}.{}", signature.chars().rev().collect::<String>())),
        ("no token at all", format!("{TOKEN}.{TOKEN}")),
    ] {
        let done = cluster.asks(&cluster.request(&image, &token, "puller"));
        eprintln!("{what}");
        cluster.refuses(done, "does not trust you");
    }
    cluster.refuses(cluster.asks(&cluster.request(&image, &linked, "nobody")), "'nobody'");
    cluster.login(cluster.asks(&cluster.request(&image, &linked, "puller")));
}

#[test]
fn an_image_of_another_host_gets_no_login_and_its_token_goes_nowhere() {
    let cluster = Cluster::start();
    for image in [
        "docker.io/library/alpine:3",
        "localhost:1/team/app:v1",
        "localhost/team/app",
        "us.registry.test/team/app",
    ] {
        cluster.refuses(cluster.asks(&cluster.request(image, &cluster.linked(), "puller")), "none of ours");
    }
    for malformed in ["", "{}", "[]", "{\"image\": \"eyJ\"", "null"] {
        cluster.refuses(run(&mut cluster.plugin(&[]), malformed), "no CredentialProviderRequest");
    }
    let other = cluster.request("us.registry.test/team/app", &cluster.linked(), "puller");
    let done =
        run(&mut cluster.plugin(&["--registry", "us.registry.test"]), &other.to_string()).must_succeed();
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(answer["auth"].as_object().unwrap().keys().collect::<Vec<_>>(), ["us.registry.test"]);
    let is_login = |event: &Value| event["action"] == "iam-identity.trustedprofile.login";
    cluster.at.await_audit("the one login", is_login);
    let logins = cluster.at.audit().iter().filter(|event| is_login(event)).count();
    assert_eq!(logins, 1, "the server was asked for the last one only");
    // Without a server to ask it is not the kubelet's request that is wrong.
    let done = run(&mut cluster.home.command(&["kube", "credential-provider"]), &other.to_string());
    assert_eq!(done.code, Some(2), "{}", done.said());
}

#[test]
fn a_pull_secret_is_a_manifest_whose_login_pulls() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    assert_eq!(root.push(&Image::tiny(), "team/app", "v1").status, 201);
    let robot = Robot::with_role(&root, "puller", "Reader", "team");
    let (cli, key) = (Cli::new(), robot.key.value.as_str());
    let host = at.host();
    let line = ["kube", "pull-secret", "puller", "--host", &host, "--namespace", "shop"];
    let piped =
        |more: &[&str]| run(cli.command(&line).args(["--apikey-file", "-"]).args(more), &format!("{key}\n"));
    let shown: Value = serde_json::from_str(&piped(&["--output", "json"]).must_succeed().stdout).unwrap();
    assert_eq!((&shown["apiVersion"], &shown["kind"]), (&json!("v1"), &json!("Secret")));
    assert_eq!(shown["type"], "kubernetes.io/dockerconfigjson");
    assert_eq!(shown["metadata"], json!({"name": "puller", "namespace": "shop"}));
    let encoded = shown["data"][".dockerconfigjson"].as_str().unwrap();
    let yaml = piped(&[]).must_succeed().stdout;
    assert_eq!(
        yaml,
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"puller\"\n  namespace: \"shop\"\n\
             type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {encoded}\n"
        )
    );
    // By a file, and by the environment.
    let file = at.folder().join("robot.key");
    fs::write(&file, key).unwrap();
    let by_file = run(cli.command(&line).arg("--apikey-file").arg(&file), "").must_succeed();
    let by_environment = run(cli.command(&line).env("PORTCULLIS_API_KEY", key), "").must_succeed();
    assert_eq!((&by_file.stdout, &by_environment.stdout), (&yaml, &yaml));
    // What is in it is what clients read: skopeo pulls with it as it is.
    let config = BASE64.decode(encoded.as_bytes()).unwrap();
    let logins: Value = serde_json::from_slice(&config).unwrap();
    let login = &logins["auths"][&host];
    assert_eq!(login["auth"], BASE64.encode(format!("iamapikey:{key}").as_bytes()));
    let skopeo = Skopeo::new(&at.trust());
    skopeo
        .login(&host, login["username"].as_str().unwrap(), login["password"].as_str().unwrap())
        .must_succeed();
    skopeo.pull(&at.image("team/app:v1")).must_succeed();
    // Names that Kubernetes would not take, and no key.
    for (wrong, code) in [
        (vec!["kube", "pull-secret", "Puller", "--host", &host], 2),
        (vec!["kube", "pull-secret", "puller", "--host", "https://cr.test"], 2),
        (vec!["kube", "pull-secret", "puller", "--host", &host, "--apikey", key], 2),
        (vec!["kube", "pull-secret", "puller", "--host", &host], 2),
        (vec!["kube", "pull-secret", "puller", "--host", &host, "--apikey-file", "/nonexistent"], 1),
    ] {
        let done = run(&mut cli.command(&wrong), "");
        assert_eq!((done.code, done.stdout.as_str()), (Some(code), ""), "{}", done.said());
    }
    assert!(!at.log().contains(key));
}

#[test]
fn the_health_command_says_what_the_health_listener_says() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    let url = format!("http://{}", at.metrics());
    let asks = || Cli::new().run(&format!("health --url {url}"));
    asks().must_succeed();
    Cli::new().run("health --url http://192.0.2.1").must_fail_saying(&["plain HTTP"]);
    at.kill();
    let gone = asks();
    assert_eq!(gone.code, Some(1), "{}", gone.said());
}
