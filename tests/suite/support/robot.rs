//! A service ID made over the REST API, where a test needs the ids or sets what the command line has no flag for.

use serde_json::{Value, json};

use super::http::Http;
use super::portcullis::{ACCOUNT, Portcullis};
use super::who::{IAMAPIKEY, Who};

/// An API key and its id.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) value: String,
}

/// A service ID with a key.
#[derive(Clone, Debug)]
pub(crate) struct Robot {
    pub(crate) iam_id: String,
    pub(crate) key: Key,
}

impl Robot {
    /// Makes one without any right.
    pub(crate) fn create(administrator: &Http, name: &str) -> Self {
        let made =
            administrator.call("POST", "/v1/serviceids", &json!({"name": name, "account_id": ACCOUNT}));
        assert_eq!(made.status, 201, "{}", made.text());
        let iam_id = made.json()["iam_id"].as_str().unwrap().to_owned();
        let key = Self::key_for(administrator, &iam_id, json!({}));
        Self { iam_id, key }
    }

    /// Makes one that may do what these roles may on a namespace.
    pub(crate) fn with_role(administrator: &Http, name: &str, role: &str, namespace: &str) -> Self {
        let made = Self::create(administrator, name);
        made.grant(administrator, role, namespace);
        made
    }

    /// Makes a further key, with more fields in the request.
    pub(crate) fn another_key(&self, administrator: &Http, more: Value) -> Key {
        Self::key_for(administrator, &self.iam_id, more)
    }

    fn key_for(administrator: &Http, iam_id: &str, more: Value) -> Key {
        let mut body = json!({"name": "made-by-the-suite", "iam_id": iam_id, "account_id": ACCOUNT});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let made = administrator.call("POST", "/v1/apikeys", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
        Key { id: text("id"), value: text("apikey") }
    }

    /// Grants a role on a namespace and returns the policy's id.
    pub(crate) fn grant(&self, administrator: &Http, role: &str, namespace: &str) -> String {
        let attribute = |name: &str, value: &str| json!({"name": name, "value": value});
        let made = administrator.call(
            "POST",
            "/v1/policies",
            &json!({
                "type": "access",
                "subjects": [{"attributes": [attribute("iam_id", &self.iam_id)]}],
                "roles": [{"role_id": format!("crn:v1:bluemix:public:iam::::serviceRole:{role}")}],
                "resources": [{"attributes": [
                    attribute("accountId", ACCOUNT),
                    attribute("serviceName", "container-registry"),
                    attribute("region", "us-south"),
                    attribute("resourceType", "namespace"),
                    attribute("resource", namespace),
                ]}],
            }),
        );
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Its key as Basic credentials.
    pub(crate) fn over(&self, http: Http) -> Http {
        http.basic(IAMAPIKEY, &self.key.value)
    }

    /// Raw HTTPS to a server in a process of its own.
    pub(crate) fn at(&self, at: &Portcullis) -> Http {
        self.over(at.http())
    }
}

impl Who for Robot {
    fn key(&self) -> Option<&str> {
        Some(&self.key.value)
    }
}
