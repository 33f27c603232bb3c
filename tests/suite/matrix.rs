//! What each role allows, by real calls: every role of the reviewed table (`tests/snapshots/roles.txt`) does everything that the
//! table has a row for, over HTTP, and is let or refused as the table says.

use serde_json::{Value, json};

use portcullis::policy::ibm::role::Role;

use crate::support::http::{Http, Response};
use crate::support::image::{Image, MANIFEST};
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::who::IAMAPIKEY;

const TABLE: &str = include_str!("../snapshots/roles.txt");

/// Rows for which there is nothing to ask yet: policies may name these actions, and nothing needs them.
const UNASKED: &[&str] = &[
    "container-registry.config.read",
    "container-registry.exemption.list",
    "container-registry.exemption.manager",
    "container-registry.image.vulnerabilities",
];

/// What calls are tried on, made anew by the administrator.
struct Stage<'a> {
    root: Http,
    who: Http,
    host: String,
    image: &'a Image,
    role: Role,
    at: &'a Portcullis,
    number: usize,
}

impl Stage<'_> {
    fn name(&self, what: &str) -> String {
        format!("{what}-{}", self.number)
    }

    /// Makes something as the administrator, and says its id.
    fn made(&self, path: &str, body: &Value) -> String {
        let made = self.root.call("POST", path, body);
        assert!(matches!(made.status, 201 | 202), "{path}: {} {}", made.status, made.text());
        let found = made.json();
        let id = found.get("id").or_else(|| found["resources"][0].get("id"));
        id.unwrap_or_else(|| panic!("{found}")).as_str().unwrap().to_owned()
    }

    fn service_id(&self) -> String {
        self.made("/v1/serviceids", &json!({"name": self.name("victim"), "account_id": ACCOUNT}))
    }

    fn api_key(&self) -> String {
        let owner = format!("iam-{}", self.service_id());
        self.made("/v1/apikeys", &json!({"name": "k", "iam_id": owner}))
    }

    fn group(&self) -> String {
        self.made("/v2/groups", &json!({"name": self.name("group")}))
    }

    fn member(&self) -> (String, String) {
        let (group, member) = (self.group(), format!("iam-{}", self.service_id()));
        let body = json!({"members": [{"iam_id": member, "type": "service"}]});
        assert_eq!(self.root.call("PUT", &format!("/v2/groups/{group}/members"), &body).status, 207);
        (group, member)
    }

    fn profile(&self) -> String {
        self.made("/v1/profiles", &json!({"name": self.name("profile"), "account_id": ACCOUNT}))
    }

    fn user(&self) -> String {
        let body = json!({"users": [{"email": format!("{}@example.test", self.name("user"))}]});
        self.made(&format!("/v2/accounts/{ACCOUNT}/users"), &body)
    }

    /// Tries something while the account restricts it.
    fn restricted(&self, setting: &str, attempt: impl FnOnce() -> bool) -> bool {
        let headers = [("Content-Type", "application/json"), ("If-Match", "*")];
        let put = |to: &str| {
            let path = format!("/v1/accounts/{ACCOUNT}/settings/identity");
            let set = self.root.send("PUT", &path, &headers, json!({setting: to}).to_string().as_bytes());
            assert_eq!(set.status, 200, "{}", set.text());
        };
        put("RESTRICTED");
        let found = attempt();
        put("NOT_SET");
        found
    }

    /// Whether a user who has the role may make a key of their own while that is restricted.
    fn user_makes_a_key(&self) -> bool {
        let user = self.user();
        grant_everything(&self.root, &user, self.role);
        let body = json!({"name": "k", "iam_id": user});
        let made = self.root.call("POST", "/v1/apikeys", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let key = made.json()["apikey"].as_str().unwrap().to_owned();
        let person = self.at.http().basic(IAMAPIKEY, &key);
        self.restricted("restrict_create_platform_apikey", || {
            person.call("POST", "/v1/apikeys", &body).status == 201
        })
    }

    fn policy_body(&self) -> Value {
        let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
        json!({
            "type": "access",
            "subjects": [{"attributes": [attribute("iam_id", &format!("iam-{}", self.service_id()))]}],
            "roles": [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader"}],
            "resources": [{"attributes": [
                attribute("accountId", ACCOUNT),
                attribute("serviceName", "container-registry"),
                attribute("resourceType", "namespace"),
                attribute("resource", "elsewhere"),
            ]}],
        })
    }

    fn role_body(&self) -> Value {
        json!({
            "name": format!("Made{}", self.number), "display_name": self.name("made"), "account_id": ACCOUNT,
            "service_name": "container-registry", "actions": ["container-registry.image.pull"],
        })
    }

    fn get(&self, path: &str) -> Response {
        self.who.send("GET", path, &[("Account", ACCOUNT)], b"")
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> bool {
        let headers = [("Content-Type", "application/json"), ("If-Match", "*"), ("Account", ACCOUNT)];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.who.send(method, path, &headers, body.as_bytes());
        let inner = |answer: &Response| answer.json()["members"][0]["status_code"] == 200;
        match answer.status {
            207 => inner(&answer),
            200..=299 => true,
            401 | 403 | 404 => false,
            other => panic!("{method} {path}: {other} {}", answer.text()),
        }
    }

    fn lists(&self, path: &str, what: &str) -> bool {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text().contains(what)
    }

    fn root_sets_retention(&self) -> bool {
        let headers = [("Content-Type", "application/json"), ("Account", ACCOUNT)];
        let body = retention().to_string();
        let set = self.root.send("POST", "/api/v1/retentions", &headers, body.as_bytes());
        (200..=299).contains(&set.status)
    }

    /// A tag of the image in a repository of its own.
    fn pushed(&self) -> String {
        let name = format!("team/app{}", self.number);
        assert_eq!(self.root.push(self.image, &name, "v1").status, 201);
        name
    }
}

/// Does what needs an action, as whoever plays; whether it was let. `None` for what nothing asks for.
fn try_it(stage: &Stage<'_>, action: &str) -> Option<bool> {
    let null = Value::Null;
    let (service, verb) = action.split_once('.').unwrap();
    match service {
        "container-registry" => registry(stage, verb),
        "iam-identity" => Some(identity(stage, verb)),
        "iam-groups" => Some(groups(stage, verb)),
        "iam" => Some(access(stage, verb)),
        "user-management" => {
            let users = format!("/v2/accounts/{ACCOUNT}/users");
            Some(match verb {
                "user.create" => {
                    let body = json!({"users": [{"email": format!("{}@example.test", stage.name("new"))}]});
                    stage.call("POST", &users, &body)
                }
                "user.delete" => stage.call("DELETE", &format!("{users}/{}", stage.user()), &null),
                "user.list" => {
                    let user = stage.user();
                    stage.lists(&format!("{users}?limit=100&search={}", stage.name("user")), &user)
                }
                "user.retrieve" => stage.call("GET", &format!("{users}/{}", stage.user()), &null),
                "user.update" => {
                    stage.call("PATCH", &format!("{users}/{}", stage.user()), &json!({"firstname": "Ada"}))
                }
                _ => return None,
            })
        }
        _ => None,
    }
}

fn retention() -> Value {
    json!({"namespace": "team", "images_per_repo": 1000, "retain_untagged": true})
}

fn pull(who: &Http, name: &str) -> Response {
    who.send("GET", &format!("/v2/{name}/manifests/v1"), &[("Accept", MANIFEST)], b"")
}

fn registry(stage: &Stage<'_>, verb: &str) -> Option<bool> {
    let null = Value::Null;
    Some(match verb {
        "auth.get" => stage.call("GET", "/api/v1/auth", &null),
        "auth.set" => stage.call("PATCH", "/api/v1/auth", &json!({"iam_authz": true})),
        "findings.write" => {
            let image = format!("{}%2F{}:v1", stage.host, stage.pushed().replace('/', "%2F"));
            let path = format!("/api/native/images/{}/report", image.replace(':', "%3A"));
            stage.call("POST", &path, &json!({"SchemaVersion": 2, "ArtifactName": "app", "Results": []}))
        }
        "image.delete" => {
            let target = format!("/v2/{}/manifests/{}", stage.pushed(), stage.image.manifest.digest);
            stage.call("DELETE", &target, &null)
        }
        "image.list" => {
            let name = stage.pushed();
            stage.lists(&format!("/api/v1/images?repository={name}"), &name)
        }
        "image.pull" => {
            let answer = pull(&stage.who, &stage.pushed());
            assert!(matches!(answer.status, 200 | 401 | 403), "{} {}", answer.status, answer.text());
            answer.status == 200
        }
        "image.push" => {
            let answer = stage.who.push(stage.image, &format!("team/new{}", stage.number), "v1");
            assert!(matches!(answer.status, 201 | 401 | 403), "{} {}", answer.status, answer.text());
            answer.status == 201
        }
        "namespace.create" => stage.call("PUT", &format!("/api/v1/namespaces/{}", stage.name("ns")), &null),
        "namespace.delete" => {
            let path = format!("/api/v1/namespaces/{}", stage.name("old"));
            let made = stage.root.send("PUT", &path, &[("Account", ACCOUNT)], b"");
            assert_eq!(made.status, 201, "{}", made.text());
            stage.call("DELETE", &path, &null)
        }
        "namespace.list" => stage.lists("/api/v1/namespaces", "\"team\""),
        "image.inspect" => {
            let image = format!("{}%2F{}:v1", stage.host, stage.pushed().replace('/', "%2F"));
            stage.call("GET", &format!("/api/v1/images/{}/json", image.replace(':', "%3A")), &null)
        }
        "plan.get" => stage.call("GET", "/api/v1/plans", &null),
        "plan.set" => stage.call("PATCH", "/api/v1/plans", &json!({"plan": "Standard"})),
        "quota.get" => stage.call("GET", "/api/v1/quotas", &null),
        "quota.set" => stage.call("PATCH", "/api/v1/quotas", &json!({"storage_megabytes": -1})),
        "retention.analyze" => stage.call("POST", "/api/v1/retentions/analyze", &retention()),
        "retention.get" => stage.call("GET", "/api/v1/retentions/team", &null),
        "retention.list" => {
            assert!(stage.root_sets_retention());
            stage.lists("/api/v1/retentions", "\"team\"")
        }
        "retention.set" => stage.call("POST", "/api/v1/retentions", &retention()),
        "settings.get" => stage.call("GET", "/api/v1/settings", &null),
        "settings.set" => stage.call("PATCH", "/api/v1/settings", &json!({"platform_metrics": false})),
        _ => return None,
    })
}

fn identity(stage: &Stage<'_>, verb: &str) -> bool {
    let null = Value::Null;
    let settings = format!("/v1/accounts/{ACCOUNT}/settings/identity");
    let key = || format!("/v1/apikeys/{}", stage.api_key());
    let profile = || format!("/v1/profiles/{}", stage.profile());
    let service_id = || format!("/v1/serviceids/{}", stage.service_id());
    let listed = |list: &str, id: String| stage.lists(list, &id);
    let channels = || format!("/notifications/v1/{ACCOUNT}/notifications/channels");
    let name = json!({"name": stage.name("renamed")});
    match verb {
        "account.get" => stage.call("GET", &settings, &null),
        "account.update" => stage.call("PUT", &settings, &json!({"allowed_ip_addresses": ""})),
        "apikey.create" => {
            let owner = format!("iam-{}", stage.service_id());
            stage.call("POST", "/v1/apikeys", &json!({"name": "k", "iam_id": owner}))
        }
        "apikey.create-restricted" => stage.user_makes_a_key(),
        "apikey.delete" => stage.call("DELETE", &key(), &null),
        "apikey.get" => stage.call("GET", &key(), &null),
        "apikey.list" => {
            let newest = "/v1/apikeys?scope=account&pagesize=1&order=desc";
            listed(newest, stage.api_key())
        }
        "apikey.update" => stage.call("PUT", &key(), &name),
        "notification-channel.get" => stage.call("GET", &channels(), &null),
        "notification-channel.update" => {
            let body =
                json!({"name": stage.name("hook"), "type": "Webhook", "endpoint": "http://127.0.0.1:9/"});
            stage.call("POST", &channels(), &body)
        }
        "profile.create" => {
            let body = json!({"name": stage.name("new"), "account_id": ACCOUNT});
            stage.call("POST", "/v1/profiles", &body)
        }
        "profile.delete" => stage.call("DELETE", &profile(), &null),
        "profile.get" => stage.call("GET", &profile(), &null),
        "profile.linkToResource" => {
            let target = json!({"crn": "crn:v1:x", "namespace": "n", "name": "s"});
            let body = json!({"cr_type": "IKS_SA", "link": target});
            stage.call("POST", &format!("{}/links", profile()), &body)
        }
        "profile.list" => {
            let id = stage.profile();
            listed(&format!("/v1/profiles?name={}", stage.name("profile")), id)
        }
        "profile.update" => stage.call("PUT", &profile(), &name),
        "serviceid.create" => {
            let body = json!({"name": "new", "account_id": ACCOUNT});
            stage.call("POST", "/v1/serviceids", &body)
        }
        "serviceid.create-restricted" => stage.restricted("restrict_create_service_id", || {
            stage.call("POST", "/v1/serviceids", &json!({"name": "new", "account_id": ACCOUNT}))
        }),
        "serviceid.delete" => stage.call("DELETE", &service_id(), &null),
        "serviceid.get" => stage.call("GET", &service_id(), &null),
        "serviceid.list" => {
            let id = stage.service_id();
            listed(&format!("/v1/serviceids?name={}", stage.name("victim")), id)
        }
        "serviceid.update" => stage.call("PUT", &service_id(), &name),
        other => panic!("no call for iam-identity.{other}"),
    }
}

fn groups(stage: &Stage<'_>, verb: &str) -> bool {
    let null = Value::Null;
    let group = || format!("/v2/groups/{}", stage.group());
    match verb {
        "groups.create" => stage.call("POST", "/v2/groups", &json!({"name": stage.name("new")})),
        "groups.delete" => stage.call("DELETE", &group(), &null),
        "groups.list" => {
            let id = stage.group();
            stage.lists(&format!("/v2/groups?search={}", stage.name("group")), &id)
        }
        "groups.read" => stage.call("GET", &group(), &null),
        "groups.update" => stage.call("PATCH", &group(), &json!({"description": "x"})),
        "members.add" => {
            let body =
                json!({"members": [{"iam_id": format!("iam-{}", stage.service_id()), "type": "service"}]});
            stage.call("PUT", &format!("{}/members", group()), &body)
        }
        "members.delete" => {
            let (group, member) = stage.member();
            stage.call("DELETE", &format!("/v2/groups/{group}/members/{member}"), &null)
        }
        "members.list" => stage.call("GET", &format!("{}/members", group()), &null),
        other => panic!("no call for iam-groups.{other}"),
    }
}

fn access(stage: &Stage<'_>, verb: &str) -> bool {
    let null = Value::Null;
    let policy = || format!("/v1/policies/{}", stage.made("/v1/policies", &stage.policy_body()));
    let role = || format!("/v2/roles/{}", stage.made("/v2/roles", &stage.role_body()));
    match verb {
        "policy.create" => stage.call("POST", "/v1/policies", &stage.policy_body()),
        "policy.delete" => stage.call("DELETE", &policy(), &null),
        "policy.read" => stage.call("GET", &policy(), &null),
        "policy.update" => stage.call("PUT", &policy(), &stage.policy_body()),
        "role.create" => stage.call("POST", "/v2/roles", &stage.role_body()),
        "role.delete" => stage.call("DELETE", &role(), &null),
        "role.read" => stage.call("GET", &role(), &null),
        "role.update" => {
            let body =
                json!({"display_name": stage.name("again"), "actions": ["container-registry.image.pull"]});
            stage.call("PUT", &role(), &body)
        }
        other => panic!("no call for iam.{other}"),
    }
}

/// Somebody who has a role on everything: on each kind of service.
fn player(root: &Http, role: Role) -> Robot {
    let robot = Robot::create(root, role.display_name());
    grant_everything(root, &robot.iam_id, role);
    robot
}

fn grant_everything(root: &Http, iam_id: &str, role: Role) {
    for kind in ["service", "platform_service"] {
        let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
        let made = root.call(
            "POST",
            "/v1/policies",
            &json!({
                "type": "access",
                "subjects": [{"attributes": [attribute("iam_id", iam_id)]}],
                "roles": [{"role_id": role.crn()}],
                "resources": [{"attributes": [attribute("accountId", ACCOUNT), attribute("serviceType", kind)]}],
            }),
        );
        assert_eq!(made.status, 201, "{}", made.text());
    }
}

#[test]
fn every_role_is_let_and_refused_as_the_reviewed_table_says() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let image = Image::tiny();
    let rows: Vec<Vec<&str>> =
        TABLE.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    let mut number = 0;
    let mut wrong = Vec::new();
    for (column, role) in Role::ALL.into_iter().enumerate() {
        let robot = player(&at.administrator(), role);
        for row in &rows {
            let expected = match row[column + 1] {
                "x" => true,
                "-" => false,
                other => panic!("{other} in the table"),
            };
            number += 1;
            let stage = Stage {
                root: at.administrator(),
                who: robot.at(&at),
                host: at.host(),
                image: &image,
                role,
                at: &at,
                number,
            };
            match try_it(&stage, row[0]) {
                Some(found) if found == expected => {}
                Some(found) => wrong.push(format!("{role:?} {}: {found}", row[0])),
                None => assert!(UNASKED.contains(&row[0]), "nothing is tried for {}", row[0]),
            }
        }
    }
    assert!(number >= 8 * 60, "the table has shrunk: {number}");
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_writer_who_is_no_reader_pushes_and_pulls_and_sees_no_list() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let (root, image) = (at.administrator(), Image::tiny());
    assert_eq!(root.push(&image, "team/app", "v1").status, 201);
    let writer = Robot::with_role(&root, "writer", "Writer", "team").at(&at);
    assert_eq!(writer.push(&Image::tiny(), "team/app", "v2").status, 201);
    assert_eq!(pull(&writer, "team/app").status, 200);
    let lists = |who: &Http, path: &str| who.send("GET", path, &[("Account", ACCOUNT)], b"").text();
    for path in ["/api/v1/images", "/api/v1/namespaces"] {
        assert_eq!(lists(&writer, path), "[]", "{path}");
        assert!(lists(&root, path).contains("team"), "{path}");
    }
}

#[test]
fn a_manager_of_a_namespace_changes_no_setting_of_the_account() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let root = at.administrator();
    let manager = Robot::with_role(&root, "manager", "Manager", "team").at(&at);
    assert_eq!(manager.push(&Image::tiny(), "team/app", "v1").status, 201);
    let settings = format!("/v1/accounts/{ACCOUNT}/settings/identity");
    let headers = [("Content-Type", "application/json"), ("If-Match", "*"), ("Account", ACCOUNT)];
    for (method, path, body) in [
        ("PATCH", "/api/v1/auth", r#"{"private_only": true}"#),
        ("PATCH", "/api/v1/auth", r#"{"iam_authz": true}"#),
        ("GET", "/api/v1/auth", ""),
        ("GET", "/api/v1/settings", ""),
        ("PUT", "/api/v1/namespaces/other", ""),
        ("PUT", settings.as_str(), r#"{"allowed_ip_addresses": ""}"#),
        ("GET", settings.as_str(), ""),
        ("PATCH", "/v2/groups/settings?account_id=123456789012", r#"{"public_access_enabled": true}"#),
    ] {
        let answer = manager.send(method, path, &headers, body.as_bytes());
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
    }
}
