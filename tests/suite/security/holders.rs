//! Case 15, the identity's side: where a listener takes certificates for identities, a certificate stands for its holder and
//! for nobody else.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificates::{client, private};
use super::people::{Json, Person, basic, bearer, new_key, root, text};
use super::scene::{Scene, yes};
use super::wire::Wire;
use crate::support::aws::Aws;
use crate::support::certificate::{self, Authority, Certificate};
use crate::support::client::{Client, Docker, Podman, Skopeo, Trust};
use crate::support::hosts::{Machine, SERVER};
use crate::support::http::{Http, Response};
use crate::support::image::Image;
use crate::support::portcullis::{ACCOUNT, Portcullis, listener};
use crate::support::process::{bare, run};
use crate::support::recorder::Recorder;
use crate::support::registry::Registry;

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";
const TOKEN: &str = "/oauth/token?service=registry&scope=repository:tenant-a/app:pull";

/// Files of an authority for clients, and of the server.
struct Files {
    folder: TempDir,
    server: Certificate,
    clients: Authority,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, clients) = (certificate::make(folder.path()), Authority::new(folder.path(), "clients"));
        Self { folder, server, clients }
    }

    /// A private listener that takes the certificates of clients for identities, by that name.
    fn listener(&self, naming: &str, more: &str) -> String {
        let (chain, key) = (self.server.chain.display(), self.server.key.display());
        format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\", \"control\"]\n{more}\
             tls = {{ certificate = \"{chain}\", key = \"{key}\", client_ca = \"{}\", \
             client_certificate = \"optional\", client_identity = \"{naming}\" }}\n",
            self.clients.pem.display()
        )
    }

    /// A certificate for that name, by common name and URI.
    fn own(&self, name: &str) -> (PathBuf, PathBuf) {
        self.clients.client(self.folder.path(), name, 7)
    }
}

/// Before an upstream that says yes to everything, with two such listeners.
struct Held {
    scene: Scene<Recorder>,
    files: Files,
    by_name: SocketAddr,
    by_uri: SocketAddr,
}

impl Held {
    fn new(more: &str) -> Self {
        let files = Files::new();
        let settings = files.listener("cn", more) + &files.listener("uri", more);
        let scene = Scene::scripted(yes, &settings);
        let [by_name, by_uri] = private(&scene.at)[..] else { panic!("{}", scene.at.log()) };
        Self { scene, files, by_name, by_uri }
    }

    fn tls(&self, own: Option<&str>) -> Arc<ClientConfig> {
        let own = own.map(|name| self.files.own(name));
        let Trust::Authority(public) = self.scene.at.trust() else {
            panic!("the public listener speaks TLS")
        };
        client(&[&self.files.server.ca, &public], own.as_ref())
    }

    /// Somebody who shows a certificate for that name.
    fn holder(&self, name: &str) -> Http {
        Http::speaking(self.by_name, self.tls(Some(name)))
    }

    /// A connection of theirs.
    fn wire(&self, name: &str) -> Wire {
        Wire::over(self.holder(name).connect())
    }

    fn record(&self, answer: &Response) -> Value {
        self.scene.audited(answer.header("x-request-id").unwrap())
    }
}

#[test]
fn a_certificate_stands_for_its_holder_on_the_registry_and_on_the_management_api() {
    let held = Held::new("");
    let alice = &held.scene.alice;
    for (at, name) in [
        (held.by_name, &alice.id),
        (held.by_name, &alice.iam_id),
        (held.by_uri, &alice.id),
        (held.by_uri, &alice.iam_id),
    ] {
        let own = Http::speaking(at, held.tls(Some(name)));
        let direct = own.get(TARGET);
        assert_eq!(direct.status, 200, "{}", direct.text());
        let record = held.record(&direct);
        assert_eq!(record["initiator"]["id"], *alice.iam_id, "{record}");
        assert_eq!(record["initiator"]["credential"]["type"], "certificate", "{record}");
        let shown = &record["initiator"]["host"]["certificate"]["sha256"];
        assert_eq!(record["initiator"]["credential"]["id"], *shown, "{record}");

        let token = own.get(TOKEN);
        assert_eq!(held.record(&token)["initiator"]["credential"]["type"], "certificate");
        let token = own.clone().bearer(&text(&token.json(), "token"));
        assert_eq!(token.get(TARGET).status, 200);
        assert_eq!(own.get("/v2/tenant-b/app/manifests/v1").status, 403, "the certificate is alice's");
        let me = own.get("/api/native/whoami");
        assert_eq!((me.status, text(&me.json(), "iam_id")), (200, alice.iam_id.clone()), "{}", me.text());
    }
    // Who is nobody of ours is nobody; so is everybody without a certificate.
    let unknown = format!("ServiceId-{}", "0".repeat(8) + "-0000-4000-8000-000000000000");
    for name in ["alice", &unknown, "iam-ServiceId-", "AROAAAAAAAAAAAAAAAAAA"] {
        let own = held.holder(name);
        for target in [TARGET, "/v2/", TOKEN, "/api/native/whoami"] {
            assert_eq!(own.get(target).status, 401, "{name} {target}");
        }
    }
    let nobody = Http::speaking(held.by_name, held.tls(None));
    assert_eq!(nobody.get(TARGET).status, 401);
    let public = Http::speaking(held.scene.at.public(), held.tls(Some(&alice.id)));
    assert_eq!(public.get(TARGET).status, 401, "the public listener does not ask for it");
}

#[test]
fn with_a_certificate_no_other_credential_is_good_but_its_holders_own() {
    let held = Held::new("");
    let (alice, bob) = (&held.scene.alice, &held.scene.bob);
    bob.grant(&held.scene.at, "Reader", "tenant-a");
    let nobodys = text(&held.scene.at.http().get("/oauth/token?service=registry").json(), "token");
    let scope = ["repository:tenant-a/app:pull"];
    let credentials = |person: &Person| {
        let iam = text(&person.identity(&held.scene.at), "access_token");
        [person.basic(), bearer(&person.token(&held.scene.at, &scope)), bearer(&iam)]
    };
    let [his_key, his_token, his_iam] = credentials(bob);
    let [her_key, her_token, her_iam] = credentials(alice);
    let ask = |wire: &mut Wire, target: &str, lines: &str| {
        wire.ask(held.scene.head("GET", target, lines).replace(&held.scene.at.host(), "localhost"))
    };
    for name in [&alice.id, "somebody else's naming"] {
        let mut wire = held.wire(name);
        let same = u16::from(name == alice.id);
        for (case, target, lines, good) in [
            ("a key", TARGET, &his_key, false),
            ("a key for a token", TOKEN, &his_key, false),
            ("a key for the management API", "/api/native/whoami", &his_key, false),
            ("a registry token", TARGET, &his_token, false),
            ("an IAM token", "/api/native/whoami", &his_iam, false),
            ("a token that was issued to nobody", TARGET, &bearer(&nobodys), false),
            ("a key that nobody has", TARGET, &basic("pNoSuchKeyWasEverGivenOut0000000"), false),
            ("her own key", TARGET, &her_key, true),
            ("her own key for a token", TOKEN, &her_key, true),
            ("her own registry token", TARGET, &her_token, true),
            ("her own IAM token", "/api/native/whoami", &her_iam, true),
        ] {
            let answer = ask(&mut wire, target, lines);
            let status = if good && same == 1 { 200 } else { 401 };
            assert_eq!(answer.status, status, "{name}: {case}: {}", answer.text());
        }
    }
    // A key that is good for somebody else looks like any wrong one.
    let mut wire = held.wire(&alice.id);
    let [right, wrong] = [his_key, basic("pNoSuchKeyWasEverGivenOut0000000")];
    assert_eq!(ask(&mut wire, TOKEN, &right).faceless(), ask(&mut wire, TOKEN, &wrong).faceless());
    let form = |key: &str| {
        let body = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={key}");
        let lines = [("Content-Type", "application/x-www-form-urlencoded")];
        held.holder(&alice.id).send("POST", "/identity/token", &lines, body.as_bytes()).status
    };
    let key_of = |person: &Person| text(&new_key(&held.scene.at, &person.iam_id, None), "apikey");
    assert_eq!((form(&key_of(bob)), form(&key_of(alice))), (400, 200));
}

#[test]
fn a_token_that_was_given_for_a_certificate_is_good_with_that_certificate_only() {
    let held = Held::new("");
    let alice = &held.scene.alice;
    let own = held.holder(&alice.id);
    let token = text(&own.get(TOKEN).json(), "token");
    assert_eq!(own.clone().bearer(&token).get(TARGET).status, 200);
    let elsewhere = [
        ("without a certificate", Http::speaking(held.by_name, held.tls(None))),
        ("with another of hers", held.holder(&alice.id)),
        ("with bob's", held.holder(&held.scene.bob.id)),
        ("at the public listener", Http::speaking(held.scene.at.public(), held.tls(Some(&alice.id)))),
        ("by the other name", Http::speaking(held.by_uri, held.tls(Some(&alice.id)))),
    ];
    for (case, http) in elsewhere {
        assert_eq!(http.bearer(&token).get(TARGET).status, 401, "{case}");
    }
}

/// R-05, H-28: what proves a caller is looked up on every request, also on connections that are open
#[test]
fn what_stops_a_principal_stops_its_certificate_with_the_next_request() {
    let held = Held::new("");
    let (at, alice) = (&held.scene.at, &held.scene.alice);
    let mut wire = held.wire(&alice.id);
    let status = |wire: &mut Wire| {
        wire.ask(held.scene.head("GET", TARGET, "").replace(&held.scene.at.host(), "localhost")).status
    };
    let list = |path: &str, list: &str| {
        let body = json!({"allowed_ip_addresses": list});
        let set = root(at).call("PUT", path, &body);
        assert_eq!(set.status, 200, "{}", set.text());
    };
    assert_eq!(status(&mut wire), 200);
    let own = format!("/api/native/allowlists/{}", alice.iam_id);
    list(&own, "192.0.2.7");
    assert_eq!(status(&mut wire), 401, "by a list");
    list(&own, "");
    assert_eq!(status(&mut wire), 200);

    let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
    let rule = json!({
        "description": "", "enforcement_mode": "enabled",
        "contexts": [{"attributes": [attribute("endpointType", "public")]}],
        "resources": [{"attributes": [
            attribute("accountId", ACCOUNT), attribute("serviceName", "container-registry"),
            attribute("resourceType", "namespace"), attribute("resource", "tenant-a"),
        ]}],
    });
    let made = root(at).send_json("POST", "/v1/rules", &rule);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(status(&mut wire), 403, "by a rule");
    let rule = format!("/v1/rules/{}", text(&made.json(), "id"));
    assert_eq!(root(at).call("DELETE", &rule, &Value::Null).status, 204);
    assert_eq!(status(&mut wire), 200);

    list(&format!("/v1/accounts/{ACCOUNT}/settings/identity?force=true"), "192.0.2.7");
    assert_eq!(status(&mut wire), 401, "by the account's list");
}

#[test]
fn a_deleted_principal_is_nobody_on_the_connection_that_it_opened() {
    let held = Held::new("");
    let (at, alice) = (&held.scene.at, &held.scene.alice);
    let ask = |wire: &mut Wire, lines: &str| {
        wire.ask(held.scene.head("GET", TARGET, lines).replace(&held.scene.at.host(), "localhost")).status
    };
    let mut wire = held.wire(&alice.id);
    let token = wire.ask(format!("GET {TOKEN} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let token = bearer(&text(&serde_json::from_slice(&token.body).unwrap(), "token"));
    assert_eq!((ask(&mut wire, ""), ask(&mut wire, &token)), (200, 200));
    assert_eq!(root(at).call("DELETE", &format!("/v1/serviceids/{}", alice.id), &Value::Null).status, 204);
    assert_eq!((ask(&mut wire, ""), ask(&mut wire, &token)), (401, 401));
}

/// A browser shows its certificate whoever made the page, and a proxy shows its own for everybody behind it.
#[test]
fn a_certificate_does_not_stand_for_whoever_makes_its_holder_ask() {
    let held = Held::new("trusted_proxies = [\"127.0.0.4\"]\n");
    let own = held.holder(&held.scene.alice.id);
    for (lines, status) in [
        (vec![], 200),
        (vec![("Sec-Fetch-Site", "none")], 200),
        (vec![("Sec-Fetch-Site", "same-origin")], 200),
        (vec![("Sec-Fetch-Site", "same-site")], 401),
        (vec![("Sec-Fetch-Site", "cross-site")], 401),
        (vec![("Origin", "https://evil.example")], 401),
        (vec![("Origin", "null")], 401),
    ] {
        for target in [TARGET, "/api/native/whoami"] {
            let answer = own.send("GET", target, &lines, b"");
            assert_eq!(answer.status, status, "{target} {lines:?}: {}", answer.text());
        }
    }
    let proxy = own.clone().from("127.0.0.4");
    assert_eq!(proxy.get(TARGET).status, 200, "on its own behalf");
    let behind = [("X-Forwarded-For", "192.0.2.9")];
    assert_eq!(proxy.send("GET", TARGET, &behind, b"").status, 401, "on another's");
    let hers =
        proxy.basic("iamapikey", &text(&new_key(&held.scene.at, &held.scene.bob.iam_id, None), "apikey"));
    assert_eq!(hers.send("GET", "/v2/", &behind, b"").status, 200, "who brings a key of their own");
    assert_eq!(own.send("GET", TARGET, &behind, b"").status, 200, "nobody believes the claim of others");
}

/// `registry:CredentialType`, for policies
#[test]
fn a_policy_can_demand_a_certificate() {
    let held = Held::new("");
    let alice = &held.scene.alice;
    let statement = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "ecr:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"registry:CredentialType": "Certificate"}},
    }]});
    let put =
        ["iam", "put-user-policy", "--user-name", &alice.id, "--policy-name", "own", "--policy-document"];
    let document = statement.to_string();
    Aws::administrator(&held.scene.at).run(&[&put[..], &[&document]].concat()).must_succeed();
    assert_eq!(held.holder(&alice.id).get(TARGET).status, 200);
    let key = text(&new_key(&held.scene.at, &alice.iam_id, None), "apikey");
    assert_eq!(
        held.holder(&alice.id).basic("iamapikey", &key).get(TARGET).status,
        403,
        "it is the key that asks"
    );
}

/// The folder in which docker looks for certificates of one host; it is gone with this value.
struct DockerCertificates(PathBuf);

impl DockerCertificates {
    fn of(host: &str, ca: &Path, own: &(PathBuf, PathBuf)) -> Self {
        let folder = Path::new("/etc/docker/certs.d").join(host);
        fs::create_dir_all(&folder).unwrap();
        put(&folder, ca, own);
        Self(folder)
    }
}

impl Drop for DockerCertificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// As docker, podman and skopeo expect certificates in a folder.
fn put(folder: &Path, ca: &Path, (chain, key): &(PathBuf, PathBuf)) {
    for (from, to) in [(ca, "ca.crt"), (chain, "client.cert"), (key, "client.key")] {
        fs::copy(from, folder.join(to)).unwrap();
    }
}

/// On this machine and, for docker, which shows certificates to hosts of other machines only, on another one.
#[test]
fn docker_podman_skopeo_and_curl_need_no_login_where_they_hold_a_certificate() {
    let (files, upstream) = (Files::new(), Registry::start());
    let settings = files.listener("cn", "").replace("private", "public").replace("127.0.0.1", "0.0.0.0");
    let at = Portcullis::with(&upstream.url(), &[], &settings);
    let port = listener(&at.log(), "public; surfaces registry, control)").port();
    let (host, ca) = (format!("localhost:{port}"), &files.server.ca);
    let alice = Person::with(&at, "alice", &["Reader", "Writer"], "tenant-a");
    let own = files.own(&alice.id);
    let (image, theirs) = (Image::tiny(), format!("{host}/tenant-a/app:v1"));

    let trust = Trust::Authority(ca.clone());
    let (podman, skopeo) = (Podman::new(&trust), Skopeo::new(&trust));
    let asked = ["unauthorized", "authentication required", "Authorization required"];
    skopeo.pull(&theirs).must_fail_saying(&asked);
    podman.pull(&theirs).must_fail_saying(&asked);
    put(&podman.certificates(), ca, &own);
    put(&skopeo.certificates(), ca, &own);
    for client in [&podman as &dyn Client, &skopeo] {
        client.push(&image, &theirs).must_succeed();
        client.pull(&theirs).must_succeed();
        assert_eq!(client.id_of(&theirs), image.id());
    }

    let mut curl = bare("curl");
    curl.args(["--silent", "--fail", "--cacert"]).arg(ca).arg("--cert").arg(&own.0).arg("--key").arg(&own.1);
    let said = run(curl.arg(format!("https://{host}/api/native/whoami")), "").must_succeed();
    assert!(said.stdout.contains(&alice.iam_id), "{}", said.stdout);

    let machine = match Machine::new(4) {
        Ok(machine) => machine,
        Err(why) => return eprintln!("SKIPPED docker with a certificate: {why}"),
    };
    let host = format!("{SERVER}:{port}");
    let docker_files = DockerCertificates::of(&host, ca, &own);
    let docker = Docker::start_at(Some(machine.inside()), &trust);
    docker.pull(&format!("{host}/tenant-a/app:v1")).must_succeed();
    docker.push(&image, &format!("{host}/tenant-a/other:v1")).must_succeed();
    docker.pull(&format!("{host}/tenant-b/app:v1")).must_fail_saying(&["denied", "not authorized"]);
    drop((docker, docker_files));
}
