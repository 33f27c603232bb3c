//! `kube pull-secret`: an API key as the secret that pods name in `imagePullSecrets`. It asks no server, and the key never
//! stands on a command line.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::cli::args::kube::PullSecret;
use crate::cli::display;
use crate::cli::failure::Failure;
use crate::cli::login::api_key;
use crate::cli::terminal::Io;
use crate::secret::Secret;

/// The user name that goes with an API key.
const USER: &str = "iamapikey";

/// Prints the manifest.
pub(super) fn run(io: &mut Io, wanted: PullSecret) -> Result<(), Failure> {
    let key = api_key(io, wanted.apikey_file.as_ref().map(|file| format!("@{file}")))?;
    let hosts: Vec<String> = wanted.hosts.iter().map(|host| host.authority()).collect();
    let data = BASE64.encode(logins(&hosts, &key).to_string().as_bytes());
    let manifest = if wanted.formatted.display().is_json() {
        display::json(&secret(&wanted.name, wanted.namespace.as_deref(), &data))
    } else {
        yaml(&wanted.name, wanted.namespace.as_deref(), &data)
    };
    io.line(manifest);
    Ok(())
}

/// What docker keeps in its `config.json`, and the kubelet reads.
fn logins(hosts: &[String], key: &Secret<String>) -> Value {
    let auth = BASE64.encode(format!("{USER}:{}", key.expose()).as_bytes());
    let login = json!({"username": USER, "password": key.expose(), "auth": auth});
    let auths: Map<String, Value> = hosts.iter().map(|host| (host.clone(), login.clone())).collect();
    json!({ "auths": auths })
}

fn secret(name: &str, namespace: Option<&str>, data: &str) -> Value {
    let metadata = match namespace {
        Some(namespace) => json!({"name": name, "namespace": namespace}),
        None => json!({ "name": name }),
    };
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": metadata,
        "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": data},
    })
}

/// The same for people. Names are quoted, because `1` and `true` are names too; they hold nothing that would end a quotation.
fn yaml(name: &str, namespace: Option<&str>, data: &str) -> String {
    let namespace = namespace.map(|name| format!("\n  namespace: \"{name}\"")).unwrap_or_default();
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{name}\"{namespace}\n\
         type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {data}"
    )
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use serde_json::{Value, json};

    use super::{logins, secret, yaml};
    use crate::secret::Secret;

    #[test]
    fn the_secret_holds_what_docker_would_have_kept() {
        let key = Secret::from("pKey");
        let login =
            json!({"username": "iamapikey", "password": "pKey", "auth": BASE64.encode(b"iamapikey:pKey")});
        let hosts = ["us.registry.test".to_owned(), "localhost:8443".to_owned()];
        assert_eq!(
            logins(&hosts, &key),
            json!({"auths": {"us.registry.test": login, "localhost:8443": login}})
        );
    }

    #[test]
    fn it_has_a_namespace_only_when_one_is_given() {
        assert_eq!(secret("n", None, "eA==")["metadata"], json!({"name": "n"}));
        assert_eq!(secret("n", Some("s"), "eA==")["metadata"]["namespace"], Value::from("s"));
        assert!(!yaml("n", None, "eA==").contains("namespace"));
        assert!(yaml("1", Some("true"), "eA==").contains("name: \"1\"\n  namespace: \"true\"\n"));
    }
}
