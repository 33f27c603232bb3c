//! Tokens of a cluster and of an identity provider in place of stored secrets: who may take on a trusted profile with one, where it
//! is good, and that every way in ends at once.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use portcullis::clock::{Clock, SystemClock};

use crate::support::client::{Client, Skopeo};
use crate::support::http::{Http, Response};
use crate::support::image::Image;
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;
use crate::support::robot::Robot;

const CLUSTER: &str = "crn:v1:bluemix:public:containers-kubernetes:us-south:a/1:c1::";
const COMPUTE: &str = "urn:ibm:params:oauth:grant-type:cr-token";
const PERSON: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Somebody who signs tokens and publishes the key.
struct Issuer {
    key: Ed25519KeyPair,
    page: Recorder,
}

impl Issuer {
    fn start() -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let x = BASE64URL_NOPAD.encode(key.public_key().as_ref());
        let page = Recorder::start(move |request| {
            let text = String::from_utf8_lossy(request).into_owned();
            let host = text
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
            let url = format!("http://{}", host.unwrap_or_default().trim());
            let page = match text.starts_with("GET /.well-known/") {
                true => json!({"issuer": url, "jwks_uri": format!("{url}/keys")}),
                false => {
                    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k", "alg": "EdDSA", "use": "sig"}]})
                }
            };
            answer("200 OK", &[("Content-Type", "application/json")], &page.to_string())
        });
        Self { key, page }
    }

    fn url(&self) -> String {
        format!("http://{}", self.page.address())
    }

    /// A token that says this, besides what every token says.
    fn token(&self, more: Value) -> String {
        let now = SystemClock.now().seconds();
        let mut claims = json!({"iss": self.url(), "aud": ["portcullis"], "iat": now, "exp": now + 600, "sub": "somebody"});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let message =
            format!("{}.{}", part(&json!({"alg": "EdDSA", "typ": "JWT", "kid": "k"})), part(&claims));
        let signature = BASE64URL_NOPAD.encode(self.key.sign(message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    }

    /// A projected service-account token, as Kubernetes writes it.
    fn pod(&self, namespace: &str, name: &str) -> String {
        self.token(json!({
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": "u"}},
        }))
    }
}

/// The settings that believe a cluster and an identity provider.
fn settings(cluster: &Issuer, people: &Issuer) -> String {
    let (one, two) = (cluster.url(), people.url());
    format!(
        "[[federation.internal]]\norigin = \"{one}\"\n[[federation.internal]]\norigin = \"{two}\"\n\
         [[federation.cluster]]\nissuer = \"{one}\"\ncrn = \"{CLUSTER}\"\naudiences = [\"portcullis\"]\n\
         [[federation.realm]]\nissuer = \"{two}\"\nname = \"staff\"\naudiences = [\"portcullis\"]\nuser_claim = \"email\"\n"
    )
}

fn ask(at: &Portcullis, fields: &[(&str, &str)]) -> Response {
    let coded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let form: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect();
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    at.http().send("POST", "/identity/token", &kind, form.join("&").as_bytes())
}

fn token(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn made(answer: &Response) -> Value {
    assert!(matches!(answer.status, 200..=202), "{} {}", answer.status, answer.text());
    answer.json()
}

/// A profile that may pull and push in a namespace, and its id.
fn profile(root: &Http, namespace: &str) -> String {
    let body = json!({"name": "deployer", "account_id": ACCOUNT});
    let id = made(&root.call("POST", "/v1/profiles", &body))["id"].as_str().unwrap().to_owned();
    let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
    let role = |name: &str| json!({"role_id": format!("crn:v1:bluemix:public:iam::::serviceRole:{name}")});
    made(&root.call(
        "POST",
        "/v1/policies",
        &json!({
            "type": "access",
            "subjects": [{"attributes": [attribute("iam_id", &format!("iam-{id}"))]}],
            "roles": [role("Reader"), role("Writer")],
            "resources": [{"attributes": [
                attribute("accountId", ACCOUNT), attribute("serviceName", "container-registry"),
                attribute("resourceType", "namespace"), attribute("resource", namespace),
            ]}],
        }),
    ));
    id
}

#[test]
fn a_pod_pushes_with_its_own_token_as_the_profile_that_links_to_it() {
    let (cluster, people, registry) = (Issuer::start(), Issuer::start(), Registry::start());
    let at = Portcullis::with(&registry.url(), &[], &settings(&cluster, &people));
    let root = at.administrator();
    let id = profile(&root, "team-a");
    let links = format!("/v1/profiles/{id}/links");
    let pod = || cluster.pod("build", "runner");
    let login = |token: &str| ask(&at, &[("grant_type", COMPUTE), ("cr_token", token), ("profile_id", &id)]);
    assert_eq!(login(&pod()).status, 403, "nobody is trusted yet");
    let target = json!({"crn": CLUSTER, "namespace": "build", "name": "runner"});
    let link = made(&root.call("POST", &links, &json!({"cr_type": "IKS_SA", "link": target})));
    let bearer = token(&login(&pod()));
    let itself = at.http().bearer(&bearer).get(&format!("/v1/profiles/{id}"));
    assert_eq!(itself.status, 200, "{}", itself.text());
    for wrong in [
        cluster.pod("build", "other"),
        cluster.pod("test", "runner"),
        people.pod("build", "runner"),
        Issuer::start().pod("build", "runner"),
        cluster.token(json!({"sub": "system:serviceaccount:build:runner"})),
        cluster.token(json!({
            "sub": "system:serviceaccount:build:runner", "aud": "another",
            "kubernetes.io": {"namespace": "build", "serviceaccount": {"name": "runner"}},
        })),
        cluster.token(json!({
            "sub": "system:serviceaccount:build:other",
            "kubernetes.io": {"namespace": "build", "serviceaccount": {"name": "runner"}},
        })),
        pod().replace("eyJ", "eyK"),
        "x.y.z".to_owned(),
    ] {
        assert_eq!(login(&wrong).status, 403, "{wrong}");
    }
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), &format!("iam-{id}"), &pod()).must_succeed();
    skopeo.push(&Image::tiny(), &at.image("team-a/app:v1")).must_succeed();
    skopeo.push(&Image::tiny(), &at.image("team-b/app:v1")).must_fail_saying(&["You are not authorized"]);
    // Without a token of ours, on every request anew.
    let direct = |secret: &str| at.http().basic(&id, secret).get("/v2/team-a/app/tags/list").status;
    assert_eq!(direct(&pod()), 200);
    assert_eq!(at.http().basic(&id, &pod()).get("/v2/team-b/app/tags/list").status, 404);
    assert_eq!(direct(&cluster.pod("build", "other")), 401);
    let event = at.await_audit("the login", |event| {
        event["action"] == "iam-identity.trustedprofile.login" && event["outcome"] == "success"
    });
    assert_eq!(event["initiator"]["credential"]["type"], "compute-resource", "{event}");
    assert_eq!(event["initiator"]["credential"]["id"], "build/runner", "{event}");
    // It ends at once, for tokens that were given before too.
    let link = link["id"].as_str().unwrap();
    let gone = root.send("DELETE", &format!("{links}/{link}"), &[], b"");
    assert_eq!(gone.status, 204, "{}", gone.text());
    assert_eq!(at.http().bearer(&bearer).get(&format!("/v1/profiles/{id}")).status, 401);
    assert_eq!(login(&pod()).status, 403);
    assert_eq!(direct(&pod()), 401);
}

#[test]
fn a_refresh_token_and_a_key_behind_a_profile_are_good_as_they_are() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    assert_eq!(root.push(&Image::tiny(), "team-a/app", "v1").status, 201);
    let id = profile(&root, "team-a");
    let robot = Robot::create(&root, "robot");
    let pull =
        |user: &str, secret: &str| at.http().basic(user, secret).get("/v2/team-a/app/tags/list").status;
    assert_eq!(pull(&id, &robot.key.value), 401, "nobody is trusted yet");
    let trusted = json!({"identifier": robot.iam_id, "type": "serviceid", "accounts": [ACCOUNT]});
    made(&root.call("POST", &format!("/v1/profiles/{id}/identities/serviceid"), &trusted));
    assert_eq!(pull(&id, &robot.key.value), 200);
    assert_eq!(pull(&format!("iam-{id}"), &robot.key.value), 200);
    assert_eq!(pull("iamapikey", &robot.key.value), 404, "only as the profile");
    assert_eq!(pull(&id, at.admin_key()), 401, "a key of somebody else");
    let form = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}", robot.key.value);
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let issued = at.http().basic("bx", "bx").send("POST", "/identity/token", &kind, form.as_bytes()).json();
    let refresh = issued["refresh_token"].as_str().unwrap();
    assert_eq!(pull("iamrefresh", refresh), 404, "it is who it is, and has no right");
    robot.grant(&root, "Reader", "team-a");
    assert_eq!(pull("iamrefresh", refresh), 200);
    assert_eq!(pull("iambearer", refresh), 401, "it is no access token");
    assert_eq!(pull("iamrefresh", issued["access_token"].as_str().unwrap()), 401);
    let key = format!("/v1/apikeys/{}/disable", robot.key.id);
    assert_eq!(root.call("POST", &key, &Value::Null).status, 204);
    assert_eq!((pull("iamrefresh", refresh), pull(&id, &robot.key.value)), (401, 401));
}

#[test]
fn people_take_on_a_profile_by_rule_and_are_the_user_of_their_verified_name() {
    let (cluster, people) = (Issuer::start(), Issuer::start());
    let at = Portcullis::with("http://127.0.0.1:9", &[], &settings(&cluster, &people));
    let root = at.administrator();
    let id = profile(&root, "team-a");
    let rules = format!("/v1/profiles/{id}/rules");
    let body = |team: &str| {
        let condition = json!({"claim": "groups", "operator": "CONTAINS", "value": format!("\"{team}\"")});
        json!({"type": "Profile-SAML", "realm_name": "staff", "expiration": 900, "conditions": [condition]})
    };
    let rule = made(&root.call("POST", &rules, &body("blue")));
    let login = |token: &str, more: &[(&str, &str)]| {
        ask(&at, &[&[("grant_type", PERSON), ("assertion", token)], more].concat())
    };
    let blue = || {
        people
            .token(json!({"groups": ["green", "blue"], "email": "ada@example.test", "email_verified": true}))
    };
    let answer = login(&blue(), &[("profile_id", &id)]);
    assert_eq!(answer.json()["expires_in"], 900, "as long as the rule says: {}", answer.text());
    let bearer = token(&answer);
    let whoami = |bearer: &str| at.http().bearer(bearer).get("/api/native/whoami");
    assert_eq!(whoami(&bearer).json()["iam_id"], format!("iam-{id}"));
    assert_eq!(login(&people.token(json!({"groups": ["green"]})), &[("profile_id", &id)]).status, 403);
    assert_eq!(login(&cluster.token(json!({"groups": ["blue"]})), &[("profile_id", &id)]).status, 403);
    let changed = root.send(
        "PUT",
        &format!("{rules}/{}", rule["id"].as_str().unwrap()),
        &[("Content-Type", "application/json"), ("If-Match", "*")],
        body("red").to_string().as_bytes(),
    );
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(whoami(&bearer).status, 401, "the rule has changed");
    // Without a profile they are the user of that name, if there is one and the name was verified.
    assert_eq!(login(&blue(), &[]).status, 403, "there is no such user");
    let users = format!("/v2/accounts/{ACCOUNT}/users");
    let invited = root.call("POST", &users, &json!({"users": [{"email": "Ada@Example.test"}]}));
    let ada = made(&invited)["resources"][0]["id"].as_str().unwrap().to_owned();
    let bearer = token(&login(&blue(), &[]));
    assert_eq!(whoami(&bearer).json()["iam_id"], ada.as_str());
    let unverified = people.token(json!({"email": "ada@example.test"}));
    assert_eq!(login(&unverified, &[]).status, 403);
    let gone = root.send("DELETE", &format!("{users}/{ada}"), &[], b"");
    assert_eq!(gone.status, 204, "{}", gone.text());
    assert_eq!(whoami(&bearer).status, 401);
}

#[test]
fn people_are_in_the_groups_whose_rules_they_satisfy_and_out_when_the_rule_changes() {
    let (cluster, people) = (Issuer::start(), Issuer::start());
    let at = Portcullis::with("http://127.0.0.1:9", &[], &settings(&cluster, &people));
    let root = at.administrator();
    let users = format!("/v2/accounts/{ACCOUNT}/users");
    let ada = made(&root.call("POST", &users, &json!({"users": [{"email": "ada@example.test"}]})));
    let ada = ada["resources"][0]["id"].as_str().unwrap();
    let group = made(&root.call("POST", "/v2/groups", &json!({"name": "viewers"})))["id"].clone();
    let group = group.as_str().unwrap();
    let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
    made(&root.call(
        "POST",
        "/v1/policies",
        &json!({
            "type": "access",
            "subjects": [{"attributes": [attribute("access_group_id", group)]}],
            "roles": [{"role_id": "crn:v1:bluemix:public:iam::::role:Viewer"}],
            "resources": [{"attributes": [attribute("accountId", ACCOUNT), attribute("serviceName", "user-management")]}],
        }),
    ));
    let rule = |team: &str| {
        let condition =
            json!({"claim": "team", "operator": "EQUALS_IGNORE_CASE", "value": format!("\"{team}\"")});
        json!({"name": "r", "realm_name": "staff", "expiration": 1, "conditions": [condition]})
    };
    let rules = format!("/v2/groups/{group}/rules");
    let id = made(&root.call("POST", &rules, &rule("blue")))["id"].clone();
    let login = |team: &str| {
        let says = json!({"email": "ada@example.test", "email_verified": true, "team": team});
        token(&ask(&at, &[("grant_type", PERSON), ("assertion", &people.token(says))]))
    };
    let sees = |bearer: &str| at.http().bearer(bearer).get(&users).json()["total_results"].clone();
    let red = login("red");
    assert_eq!(sees(&red), 1, "only herself");
    let blue = login("Blue");
    assert_eq!(sees(&blue), 2);
    let members = |kind: &str| {
        let listed = root.get(&format!("/v2/groups/{group}/members?membership_type={kind}")).json();
        let one = |row: &Value| {
            format!("{} {}", row["membership_type"].as_str().unwrap(), row["type"].as_str().unwrap())
        };
        listed["members"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let robot = Robot::create(&root, "robot");
    let named = json!({"members": [{"iam_id": robot.iam_id, "type": "service"}]});
    assert_eq!(root.call("PUT", &format!("/v2/groups/{group}/members"), &named).status, 207);
    assert_eq!(members("static"), ["static service"]);
    assert_eq!(members("dynamic"), ["dynamic user"]);
    assert_eq!(members("all"), ["static service", "dynamic user"]);
    assert_eq!(root.get(&format!("/v2/groups/{group}/members?membership_type=both")).status, 400);
    let whose = |kind: &str| {
        let list = root.get(&format!("/v2/groups?iam_id={ada}&membership_type={kind}")).json();
        list["total_count"].clone()
    };
    assert_eq!((whose("static"), whose("dynamic"), whose("all")), (json!(0), json!(1), json!(1)));
    login("red");
    assert_eq!((members("dynamic").len(), whose("all")), (0, json!(0)));
    assert_eq!(sees(&blue), 1, "the last login counts");
    let blue = login("blue");
    assert_eq!(sees(&blue), 2);
    let rule = root.call("PUT", &format!("{rules}/{}", id.as_str().unwrap()), &rule("green"));
    assert_eq!(rule.status, 200, "{}", rule.text());
    assert_eq!(sees(&blue), 1, "the rule has changed");
}
