//! Who asks in these cases: service IDs made over the management API, whose ids the cases need to know.

use serde_json::{Value, json};

use crate::support::http::{Http, Response};
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::who::{Administrator, IAMAPIKEY, Who};

/// A service ID with an API key.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// The service ID's own id, `ServiceId-…`.
    pub(super) id: String,
    /// The same as a principal.
    pub(super) iam_id: String,
    /// The id of its key.
    pub(super) key_id: String,
    key: String,
}

impl Who for Person {
    fn key(&self) -> Option<&str> {
        Some(&self.key)
    }
}

impl Person {
    /// Makes one without any right.
    pub(super) fn new(at: &Portcullis, name: &str) -> Self {
        let made = created(&root(at).send_json(
            "POST",
            "/v1/serviceids",
            &json!({"account_id": ACCOUNT, "name": name}),
        ));
        let (id, iam_id) = (text(&made, "id"), text(&made, "iam_id"));
        let key = new_key(at, &iam_id, None);
        Self { id, iam_id, key_id: text(&key, "id"), key: text(&key, "apikey") }
    }

    /// Makes one with a role on a namespace.
    pub(super) fn with(at: &Portcullis, name: &str, roles: &[&str], namespace: &str) -> Self {
        let made = Self::new(at, name);
        for role in roles {
            made.grant(at, role, namespace);
        }
        made
    }

    /// Grants a role on a namespace; returns the policy's id.
    pub(super) fn grant(&self, at: &Portcullis, role: &str, namespace: &str) -> String {
        grant_to(at, "iam_id", &self.iam_id, role, namespace)
    }

    /// The same person with another key.
    pub(super) fn with_key(&self, made: &Value) -> Self {
        Self { key_id: text(made, "id"), key: text(made, "apikey"), ..self.clone() }
    }

    /// The header line with the key as Basic credentials.
    pub(super) fn basic(&self) -> String {
        basic(&self.key)
    }

    /// A registry token for some scopes.
    pub(super) fn token(&self, at: &Portcullis, scopes: &[&str]) -> String {
        let scopes: String = scopes.iter().map(|scope| format!("&scope={scope}")).collect();
        let got = self.http(at).get(&format!("/oauth/token?service=registry{scopes}"));
        assert_eq!(got.status, 200, "{}", got.text());
        text(&serde_json::from_slice(&got.body).unwrap(), "token")
    }

    /// What `/identity/token` gives for the key, with a refresh token.
    pub(super) fn identity(&self, at: &Portcullis) -> Value {
        let form = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}", self.key);
        let fields =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", "Basic Yng6Yng=")];
        let got = at.http().send("POST", "/identity/token", &fields, form.as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        serde_json::from_slice(&got.body).unwrap()
    }
}

/// The header line with a key as Basic credentials.
pub(super) fn basic(key: &str) -> String {
    let pair = data_encoding::BASE64.encode(format!("{IAMAPIKEY}:{key}").as_bytes());
    format!("Authorization: Basic {pair}\r\n")
}

/// The header line with a token.
pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The administrator, over raw HTTPS.
pub(super) fn root(at: &Portcullis) -> Http {
    Administrator::of(at).http(at)
}

/// Makes an API key for a principal.
pub(super) fn new_key(at: &Portcullis, iam_id: &str, expires_at: Option<&str>) -> Value {
    let mut body = json!({"account_id": ACCOUNT, "name": "key", "iam_id": iam_id});
    if let Some(end) = expires_at {
        body["expires_at"] = json!(end);
    }
    created(&root(at).send_json("POST", "/v1/apikeys", &body))
}

/// Makes a policy for the subject whose attribute is given; returns its id.
pub(super) fn grant_to(
    at: &Portcullis,
    attribute: &str,
    subject: &str,
    role: &str,
    namespace: &str,
) -> String {
    let made =
        created(&root(at).send_json("POST", "/v1/policies", &policy(attribute, subject, role, namespace)));
    text(&made, "id")
}

/// A policy that grants a service role on a namespace.
pub(super) fn policy(attribute: &str, subject: &str, role: &str, namespace: &str) -> Value {
    let attributes = [
        ("accountId", ACCOUNT),
        ("serviceName", "container-registry"),
        ("region", "us-south"),
        ("resourceType", "namespace"),
        ("resource", namespace),
    ];
    json!({
        "type": "access",
        "subjects": [{"attributes": [{"name": attribute, "value": subject}]}],
        "roles": [{"role_id": format!("crn:v1:bluemix:public:iam::::serviceRole:{role}")}],
        "resources": [{"attributes": attributes.map(|(name, value)| json!({"name": name, "value": value}))}],
    })
}

/// The body of an answer that must be 201.
pub(super) fn created(response: &Response) -> Value {
    assert_eq!(response.status, 201, "{}", response.text());
    serde_json::from_slice(&response.body).unwrap()
}

/// A field that is a text.
pub(super) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}")).to_owned()
}

/// Management calls with JSON bodies.
pub(super) trait Json {
    /// Sends one.
    fn send_json(&self, method: &str, path: &str, body: &Value) -> Response;
}

impl Json for Http {
    fn send_json(&self, method: &str, path: &str, body: &Value) -> Response {
        self.send(method, path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }
}
