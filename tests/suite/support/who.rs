//! Who asks, as a type: each can take up any client.

use super::client::{Client, Docker, Podman, Skopeo};
use super::http::Http;
use super::portcullis::{Cli, Portcullis, field};

/// The user name that API keys go with.
pub(crate) const IAMAPIKEY: &str = "iamapikey";

/// Someone in front of Portcullis.
pub(crate) trait Who {
    /// The key that they present; nobody has none.
    fn key(&self) -> Option<&str>;

    /// docker, logged in if there is a key.
    fn docker(&self, at: &Portcullis) -> Docker {
        logged_in(self.key(), at, Docker::start(&at.trust()))
    }

    /// podman, logged in if there is a key.
    fn podman(&self, at: &Portcullis) -> Podman {
        logged_in(self.key(), at, Podman::new(&at.trust()))
    }

    /// skopeo, logged in if there is a key.
    fn skopeo(&self, at: &Portcullis) -> Skopeo {
        logged_in(self.key(), at, Skopeo::new(&at.trust()))
    }

    /// Raw HTTPS with the key as Basic credentials.
    fn http(&self, at: &Portcullis) -> Http {
        match self.key() {
            Some(key) => at.http().basic(IAMAPIKEY, key),
            None => at.http(),
        }
    }
}

/// A client after its login, which must work.
fn logged_in<C: Client>(key: Option<&str>, at: &Portcullis, client: C) -> C {
    if let Some(key) = key {
        client.login(&at.host(), IAMAPIKEY, key).must_succeed();
    }
    client
}

/// Someone without credentials.
pub(crate) struct Nobody;

impl Who for Nobody {
    fn key(&self) -> Option<&str> {
        None
    }
}

/// Someone with a key that was never given out.
pub(crate) struct Stranger;

impl Who for Stranger {
    fn key(&self) -> Option<&str> {
        Some("pThisKeyLooksRightButWasNeverGivenOutByAnyone00")
    }
}

/// The administrator whom `init` makes.
pub(crate) struct Administrator(String);

impl Administrator {
    pub(crate) fn of(at: &Portcullis) -> Self {
        Self(at.admin_key().to_owned())
    }
}

impl Who for Administrator {
    fn key(&self) -> Option<&str> {
        Some(&self.0)
    }
}

/// A service ID with a key, and with the rights that it was granted.
pub(crate) struct ServiceId {
    pub(crate) name: String,
    key: String,
}

impl ServiceId {
    /// One whose key is known from elsewhere.
    pub(crate) fn known(name: &str, key: &str) -> Self {
        Self { name: name.to_owned(), key: key.to_owned() }
    }

    /// Makes one without any right.
    pub(crate) fn create(administration: &Cli, name: &str) -> Self {
        administration
            .run_with(&["iam", "service-id-create", name, "--description", "made by the suite"])
            .must_succeed();
        let made =
            administration.run(&format!("iam service-api-key-create {name}-key {name}")).must_succeed();
        let key = field(&made.stdout, "API Key")
            .unwrap_or_else(|| panic!("no key in:\n{}", made.stdout))
            .to_owned();
        Self { name: name.to_owned(), key }
    }

    /// Makes one with roles on a namespace: `Reader`, `Reader,Writer`.
    pub(crate) fn with_roles(administration: &Cli, name: &str, roles: &str, namespace: &str) -> Self {
        let made = Self::create(administration, name);
        made.grant(administration, roles, namespace);
        made
    }

    /// Grants roles on a namespace; returns the ID of the policy.
    pub(crate) fn grant(&self, administration: &Cli, roles: &str, namespace: &str) -> String {
        let line = format!(
            "iam service-policy-create {} --roles {roles} --service-name container-registry --region us-south \
             --resource-type namespace --resource {namespace}",
            self.name
        );
        let made = administration.run(&line).must_succeed();
        field(&made.stdout, "Policy ID")
            .unwrap_or_else(|| panic!("no policy ID in:\n{}", made.stdout))
            .to_owned()
    }
}

impl Who for ServiceId {
    fn key(&self) -> Option<&str> {
        Some(&self.key)
    }
}
