//! Signed calls from inside and outside of what restricts networks, with curl: what is refused to whom, and what a stranger learns.

use serde_json::{Value, json};

use crate::support::client::Trust;
use crate::support::crowd::at_once;
use crate::support::http::{Http, Response, parse};
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::process::{bare, run};
use crate::support::recorder::{self, Recorder};

const INSIDE: &str = "127.0.0.2";
const OUTSIDE: &str = "127.0.0.3";
const NOBODYS: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");

/// An access key.
struct Key {
    id: String,
    secret: String,
}

impl Key {
    fn nobodys() -> Self {
        Self { id: NOBODYS.0.to_owned(), secret: NOBODYS.1.to_owned() }
    }

    /// The same id with a secret that is not its own.
    fn guessed(&self) -> Self {
        Self { id: self.id.clone(), secret: NOBODYS.1.to_owned() }
    }

    /// A call that curl signs, from one of this machine's addresses.
    fn call(&self, at: &Portcullis, from: &str, service: &str, lines: &[&str], body: &str) -> Response {
        let Trust::Authority(ca) = at.trust() else { panic!("the public listener speaks TLS") };
        let mut curl = bare("curl");
        curl.args(["--silent", "--include", "--http1.1", "--interface", from, "--cacert"]).arg(ca);
        curl.args(["--aws-sigv4", &format!("aws:amz:us-south:{service}")]);
        curl.args(["--user", &format!("{}:{}", self.id, self.secret), "--data", body]);
        for line in lines {
            curl.args(["--header", line]);
        }
        let said = run(curl.arg(format!("https://{}/", at.host())), "").must_succeed().stdout;
        parse(said.as_bytes(), "POST").unwrap_or_else(|| panic!("{said}"))
    }

    fn identity(&self, at: &Portcullis, from: &str) -> Response {
        let form = ["Content-Type: application/x-www-form-urlencoded"];
        self.call(at, from, "sts", &form, "Action=GetCallerIdentity&Version=2011-06-15")
    }

    fn images(&self, at: &Portcullis, from: &str, repository: &str) -> Response {
        let target = "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.ListTagsForResource";
        let arn = format!("arn:aws:ecr:us-south:{ACCOUNT}:repository/{repository}");
        let body = json!({"resourceArn": arn}).to_string();
        self.call(at, from, "ecr", &["Content-Type: application/x-amz-json-1.1", target], &body)
    }
}

/// A service ID's id and access key.
fn robot(administrator: &Http, name: &str) -> (String, Key) {
    let made = administrator.call("POST", "/v1/serviceids", &json!({"name": name, "account_id": ACCOUNT}));
    let iam_id = made.json()["iam_id"].as_str().unwrap().to_owned();
    let made = administrator.call("POST", "/api/native/access-keys", &json!({"iam_id": iam_id}));
    assert_eq!(made.status, 201, "{}", made.text());
    let text = |field: &str| made.json()[field].as_str().unwrap().to_owned();
    (iam_id.clone(), Key { id: text("access_key_id"), secret: text("secret_access_key") })
}

/// What a caller can compare of an answer.
fn seen(answer: &Response) -> (u16, String) {
    let id = answer.header("x-amzn-requestid").unwrap();
    (answer.status, answer.text().replace(id, "ID"))
}

fn recorded(at: &Portcullis, answer: &Response) -> Value {
    let id = answer.header("x-amzn-requestid").unwrap().to_owned();
    at.await_audit("the call", |event| event["requestId"] == id.as_str())
}

fn start(settings: &str) -> Portcullis {
    Portcullis::with("http://127.0.0.1:9", &[], settings)
}

#[test]
fn only_who_has_proven_a_key_meets_the_lists_of_its_holder_and_then_it_reads_like_a_wrong_one() {
    let at = start("");
    let (iam_id, key) = robot(&at.administrator(), "robot");
    let before = [key.guessed(), Key::nobodys()].map(|key| seen(&key.identity(&at, OUTSIDE)));
    let list = format!("/api/native/allowlists/{iam_id}");
    let set = at.administrator().call("PUT", &list, &json!({"allowed_ip_addresses": INSIDE}));
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(key.identity(&at, INSIDE).status, 200);
    let refused = key.identity(&at, OUTSIDE);
    let event = recorded(&at, &refused);
    assert_eq!(event["reason"]["policies"], json!(["allowlist:principal"]), "{event:#}");
    assert_eq!(event["initiator"]["id"], iam_id.as_str(), "{event:#}");
    assert_eq!(event["decision"], "credentials_rejected", "{event:#}");
    let after = [key.guessed(), Key::nobodys()].map(|key| seen(&key.identity(&at, OUTSIDE)));
    assert_eq!(after, before, "whoever proves nothing learns nothing of the list");
    assert_eq!(seen(&refused), before[0], "nor does who has the secret: it reads like a wrong one");
    let guess = recorded(&at, &key.guessed().identity(&at, OUTSIDE));
    assert!(guess["initiator"].get("id").is_none(), "{guess:#}");
}

#[test]
fn what_keeps_everybody_out_reads_the_same_whomever_a_call_names() {
    let at = start("");
    let (_, key) = robot(&at.administrator(), "robot");
    let keys = || [Key { id: key.id.clone(), secret: key.secret.clone() }, key.guessed(), Key::nobodys()];
    let outside = || keys().map(|key| seen(&key.identity(&at, OUTSIDE)));
    let distinct = |mut all: Vec<(u16, String)>| {
        all.dedup();
        all.len()
    };
    assert_eq!(distinct(outside().to_vec()), 3, "all differ where nothing keeps them out");
    let settings = format!("/v1/accounts/{ACCOUNT}/settings/identity");
    let listed = json!({"allowed_ip_addresses": format!("127.0.0.1, {INSIDE}")});
    assert_eq!(at.administrator().call("PUT", &settings, &listed).status, 200);
    assert_eq!(distinct(outside().to_vec()), 1, "{:?}", outside());
    let unsigned = at.http().from(OUTSIDE);
    let web = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=x&RoleArn=arn&WebIdentityToken=x.y.z";
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let refused = unsigned.send("POST", "/", &form, web.as_bytes());
    assert!(refused.status == 403 && refused.text().contains("AccessDenied"), "{}", refused.text());
    assert_eq!(recorded(&at, &refused)["reason"]["policies"], json!(["allowlist:account"]));
    assert_eq!(key.identity(&at, INSIDE).status, 200);

    assert_eq!(at.administrator().call("PUT", &settings, &json!({"allowed_ip_addresses": ""})).status, 200);
    let rule = at.administrator().call("POST", "/v1/rules", &private("iam-identity", None, "enabled"));
    assert_eq!(rule.status, 409, "its author would be kept out: {}", rule.text());
    let rule =
        at.administrator().call("POST", "/v1/rules?force=true", &private("iam-identity", None, "enabled"));
    assert_eq!(rule.status, 201, "{}", rule.text());
    let refused = outside();
    assert_eq!(distinct(refused.to_vec()), 1, "{refused:?}");
    assert!(refused[0].1.contains("AccessDenied"), "{refused:?}");
}

/// A rule that lets in by private networks only.
fn private(service: &str, namespace: Option<&str>, mode: &str) -> Value {
    let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
    let mut resource = vec![attribute("accountId", ACCOUNT), attribute("serviceName", service)];
    if let Some(name) = namespace {
        resource.extend([attribute("resourceType", "namespace"), attribute("resource", name)]);
    }
    json!({
        "description": "", "enforcement_mode": mode,
        "contexts": [{"attributes": [attribute("endpointType", "private")]}],
        "resources": [{"attributes": resource}],
    })
}

#[test]
fn a_rule_in_report_mode_on_a_namespace_is_recorded_for_its_management_in_both_dialects() {
    let kind = [("Content-Type", "application/json")];
    let upstream = Recorder::start(move |_| recorder::answer("200 OK", &kind, "{\"repositories\":[]}"));
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    let administrator = at.administrator();
    let made =
        administrator.call("POST", "/v1/rules", &private("container-registry", Some("team"), "report"));
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].clone();
    let admin = Key {
        id: crate::support::portcullis::ADMIN_ACCESS_KEY_ID.to_owned(),
        secret: crate::support::portcullis::ADMIN_SECRET_ACCESS_KEY.to_owned(),
    };
    for (repository, expected) in [("team/app", json!([id])), ("other/app", Value::Null)] {
        let event = recorded(&at, &admin.images(&at, INSIDE, repository));
        assert_eq!(event["reason"]["wouldRefuse"], expected, "{repository}: {event:#}");
    }
    for (name, expected) in [("team", json!([id])), ("other", Value::Null)] {
        let (headers, target) = ([("Account", ACCOUNT)], format!("/api/v1/namespaces/{name}"));
        assert!(administrator.send("PUT", &target, &headers, b"").status < 300);
        let answer = administrator.send("DELETE", &target, &headers, b"");
        let id = answer.header("x-request-id").unwrap().to_owned();
        let event = at.await_audit(name, |event| event["requestId"] == id.as_str());
        assert_eq!(event["reason"]["wouldRefuse"], expected, "{name}: {event:#}");
    }
    let rule = format!("/v1/rules/{}", id.as_str().unwrap());
    let enabled = private("container-registry", Some("team"), "enabled");
    assert_eq!(administrator.call("PUT", &format!("{rule}?force=true"), &enabled).status, 200);
    for (name, statuses) in [("team", [403, 403]), ("other", [201, 204])] {
        let (headers, target) = ([("Account", ACCOUNT)], format!("/api/v1/namespaces/{name}"));
        let done = ["PUT", "DELETE"].map(|method| administrator.send(method, &target, &headers, b"").status);
        assert_eq!(done, statuses, "{name}");
    }
    assert_eq!(at.metric("portcullis_network_would_refuse_total"), 3.0);
}

#[test]
fn who_signs_too_often_reads_that_in_the_words_of_the_service_and_is_on_record() {
    let throttled = |at: &Portcullis, call: &(dyn Fn() -> Response + Sync)| {
        let mut refused =
            at_once(40, |_| call()).into_iter().filter(|answer| answer.header("retry-after").is_some());
        let answer = refused.next().expect("a refusal");
        assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        let event = recorded(at, &answer);
        assert_eq!(event["decision"], "limited", "{event:#}");
        assert_eq!(event["operation"], "control", "{event:#}");
        (answer, event)
    };
    // By address, before anything of the body is read.
    let at = start("[limits]\nrequests_per_address = 4\n");
    let (_, key) = robot(&at.administrator(), "robot");
    let (answer, event) = throttled(&at, &|| key.identity(&at, INSIDE));
    let text = answer.text();
    assert!(answer.status == 400 && text.contains("<Code>Throttling</Code>"), "{text}");
    assert!(text.contains("https://sts.amazonaws.com/doc/2011-06-15/"), "in the service's own words: {text}");
    assert!(
        event["target"].to_string().contains("sts") && event["initiator"].get("id").is_none(),
        "{event:#}"
    );
    let (answer, event) = throttled(&at, &|| key.images(&at, INSIDE, "team/app"));
    let said = answer.json();
    assert_eq!((answer.status, said["__type"].as_str()), (400, Some("ThrottlingException")), "{said}");
    assert!(event["target"].to_string().contains("ecr:ListTagsForResource"), "{event:#}");
    // By principal.
    let at = start("[limits]\nrequests_per_principal = 4\n");
    let (iam_id, key) = robot(&at.administrator(), "robot");
    let (answer, event) = throttled(&at, &|| key.identity(&at, INSIDE));
    assert!(answer.text().contains("<Code>Throttling</Code>"), "{}", answer.text());
    assert_eq!(event["initiator"]["id"], iam_id.as_str(), "{event:#}");
    assert!(event["target"].to_string().contains("sts:GetCallerIdentity"), "{event:#}");
}

/// B-09: guesses at access keys slow down the guesser, and not whom they are guesses at.
#[test]
fn wrong_signatures_slow_down_who_makes_them_and_not_the_holder_of_the_key() {
    let at = start("[limits]\nfailed_logins_per_address = 5\n");
    let (_, key) = robot(&at.administrator(), "robot");
    let limited = |answer: &Response| answer.header("retry-after").is_some();
    assert!((0..20).any(|_| limited(&key.guessed().identity(&at, OUTSIDE))), "guesses are never slowed down");
    assert!(limited(&key.identity(&at, OUTSIDE)), "a right guess looks like a wrong one now");
    for _ in 0..10 {
        assert_eq!(key.identity(&at, INSIDE).status, 200);
    }
}
