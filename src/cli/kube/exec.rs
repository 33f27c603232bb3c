//! The kubelet's exec protocol for image credentials (`credentialprovider.kubelet.k8s.io`): its request and our answer, as types.
//! Pure: it decides what is well-formed, and for which host an answer may be.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::endpoint::Endpoint;
use crate::cli::failure::Failure;
use crate::secret::Secret;

/// The annotation of a service account that names the trusted profile which it pulls as.
pub(super) const PROFILE: &str = "portcullis.io/trusted-profile";
/// So long before its end, in seconds, a login is no longer handed out, so that a pull can finish with it.
const MARGIN: i64 = 60;
const GROUP: &str = "credentialprovider.kubelet.k8s.io/";

/// A version of the protocol. They differ in that only v1 brings along service accounts (KEP-4412).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Version {
    V1,
    V1Beta1,
    V1Alpha1,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(GROUP)? {
            "v1" => Some(Self::V1),
            "v1beta1" => Some(Self::V1Beta1),
            "v1alpha1" => Some(Self::V1Alpha1),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Beta1 => "v1beta1",
            Self::V1Alpha1 => "v1alpha1",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    api_version: String,
    kind: String,
    image: String,
    service_account_token: Option<Secret<String>>,
    #[serde(default)]
    service_account_annotations: std::collections::BTreeMap<String, String>,
}

/// What the kubelet asks.
#[derive(Debug)]
pub(super) struct Request {
    version: Version,
    /// The host of the image, and its port.
    host: Endpoint,
    /// The same as the image spells it.
    spelled: String,
    /// The token of the pod's service account, if the kubelet sends it.
    pub(super) token: Option<Secret<String>>,
    /// Which trusted profile the service account names.
    pub(super) profile: Option<String>,
}

/// Reads a request. What is wrong with it is said without quoting it: it holds a token.
pub(super) fn read(bytes: &[u8]) -> Result<Request, Failure> {
    let wrong = |why: &str| {
        Failure::new(
            format!("The request is no CredentialProviderRequest: {why}."),
            "This command is for the kubelet: see CredentialProviderConfig in docs/kubernetes.md.",
        )
    };
    let wire: Wire = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(&format!("it is not understood at line {line}, column {column}"))
    })?;
    let version = Version::parse(&wire.api_version).ok_or_else(|| wrong("its apiVersion is unknown"))?;
    if wire.kind != "CredentialProviderRequest" {
        return Err(wrong("its kind is another"));
    }
    // An image without a host is of Docker Hub, and one without a path is none.
    let spelled =
        wire.image.split_once('/').map(|(host, _)| host).ok_or_else(|| wrong("its image names no host"))?;
    let host = Endpoint::parse(spelled).map_err(|_| wrong("its image names no host"))?;
    let token = wire.service_account_token.filter(|token| !token.expose().is_empty());
    let profile = wire.service_account_annotations.get(PROFILE).filter(|name| !name.is_empty()).cloned();
    Ok(Request { version, host, spelled: spelled.to_owned(), token, profile })
}

impl Request {
    /// Only for images of these hosts is anything asked or answered: a login for another would be a login handed to another.
    pub(super) fn is_for(&self, hosts: &[Endpoint]) -> Result<(), Failure> {
        if hosts.contains(&self.host) {
            return Ok(());
        }
        let host = self.host.authority();
        Err(Failure::new(
            format!("The image is of {host}, which is none of ours."),
            "Name only our hosts in matchImages, and each further one with `--registry HOST`.",
        ))
    }

    /// The answer: a login for the image's host, to be kept for as long as it is surely good.
    pub(super) fn answered(&self, user: &str, password: &Secret<String>, seconds: i64) -> Value {
        let login = json!({"username": user, "password": password.expose()});
        json!({
            "apiVersion": format!("{GROUP}{}", self.version.name()),
            "kind": "CredentialProviderResponse",
            "cacheKeyType": "Registry",
            "cacheDuration": format!("{}s", seconds.saturating_sub(MARGIN).max(0)),
            "auth": {&*self.spelled: login},
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PROFILE, read};
    use crate::cli::endpoint::Endpoint;
    use crate::secret::Secret;

    fn request(image: &str) -> Value {
        json!({
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest", "image": image,
            "serviceAccountToken": "eyJ.pod.token", "serviceAccountAnnotations": {PROFILE: "puller", "other": "x"},
        })
    }

    fn changed(field: &str, value: Value) -> Value {
        let mut request = request("cr.test:8443/team/app:v1");
        request[field] = value;
        request
    }

    #[test]
    fn the_answer_is_for_the_hosts_that_are_ours_and_for_no_other() {
        let ours = [Endpoint::parse("cr.test:8443").unwrap()];
        let asked = read(request("CR.test:8443/team/app:v1").to_string().as_bytes()).unwrap();
        asked.is_for(&ours).unwrap();
        assert_eq!((asked.token.is_some(), asked.profile.as_deref()), (true, Some("puller")));
        assert_eq!(
            asked.answered("iambearer", &Secret::from("t"), 3600),
            json!({
                "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse",
                "cacheKeyType": "Registry", "cacheDuration": "3540s",
                "auth": {"CR.test:8443": {"username": "iambearer", "password": "t"}},
            })
        );
        assert_eq!(asked.answered("u", &Secret::from("t"), 30)["cacheDuration"], "0s");
        for foreign in
            ["cr.test/team/app", "cr.test:443/a/b", "evil.test:8443/a/b", "cr.test.evil.test:8443/a/b"]
        {
            let asked = read(request(foreign).to_string().as_bytes()).unwrap();
            assert!(asked.is_for(&ours).unwrap_err().what.contains("none of ours"), "{foreign}");
        }
    }

    #[test]
    fn each_version_is_answered_in_its_own_words() {
        for version in ["v1", "v1beta1", "v1alpha1"] {
            let version = format!("credentialprovider.kubelet.k8s.io/{version}");
            let asked = read(changed("apiVersion", json!(version)).to_string().as_bytes()).unwrap();
            assert_eq!(asked.answered("u", &Secret::from("t"), 99)["apiVersion"], version);
        }
    }

    #[test]
    fn what_is_no_request_is_refused_without_being_quoted() {
        for wrong in [
            changed("apiVersion", json!("credentialprovider.kubelet.k8s.io/v2")),
            changed("apiVersion", json!("v1")),
            changed("kind", json!("CredentialProviderResponse")),
            changed("image", json!("eyJ")),
            changed("image", json!("user@cr.test/eyJ")),
            changed("image", json!("http://cr.test/eyJ")),
            changed("image", json!("")),
            changed("image", Value::Null),
            changed("serviceAccountToken", json!(["eyJ"])),
            changed("serviceAccountAnnotations", json!({PROFILE: ["eyJ"]})),
            json!("eyJ"),
            Value::Null,
        ] {
            let failure = read(wrong.to_string().as_bytes()).unwrap_err();
            assert!(!failure.what.contains("eyJ") && !failure.usage, "{wrong}: {}", failure.what);
        }
        for broken in [&b""[..], b"{", b"\xff", b"{\"image\":\"eyJ"] {
            assert!(!read(broken).unwrap_err().what.contains("eyJ"));
        }
    }
}
