//! `kube …`: what a Kubernetes cluster needs to pull images.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::cr::Formatted;
use crate::cli::endpoint::Endpoint;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Answer the kubelet: exchange a pod's service-account token for a registry login
    CredentialProvider(CredentialProvider),
    /// Print a pull secret for an API key, as a manifest
    PullSecret(PullSecret),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct CredentialProvider {
    /// The server: `https://HOST[:PORT]`; PORTCULLIS_ENDPOINT unless given
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) endpoint: Option<String>,
    /// A host that images are pulled from, with its port, where that is another name of the same server; repeatable
    #[arg(long = "registry", value_name = "HOST", value_parser = host)]
    pub(in crate::cli) registries: Vec<Endpoint>,
    /// The trusted profile, by name, id or CRN, of service accounts that have no annotation `portcullis.io/trusted-profile`
    #[arg(long, value_name = "PROFILE")]
    pub(in crate::cli) profile: Option<String>,
    /// A file with the token of this machine, for pods whose kubelet sends none (before Kubernetes 1.33)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// The certificate authority of the server, as PEM; PORTCULLIS_CA_FILE, or the system's, unless given
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ca_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PullSecret {
    /// The name of the secret
    #[arg(value_parser = subdomain)]
    pub(in crate::cli) name: String,
    /// The host that images are pulled from, with its port; repeatable
    #[arg(long = "host", value_name = "HOST", required = true, value_parser = host)]
    pub(in crate::cli) hosts: Vec<Endpoint>,
    /// The namespace of the secret; that of `kubectl`, unless given
    #[arg(short, long, value_parser = label)]
    pub(in crate::cli) namespace: Option<String>,
    /// The file with the API key, - for the standard input; PORTCULLIS_API_KEY or IBMCLOUD_API_KEY unless given, else it is asked for
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) apikey_file: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

/// A host as images name it: without a scheme.
fn host(text: &str) -> Result<Endpoint, String> {
    let plain = !text.contains("://") && !text.ends_with('/');
    let endpoint = plain.then(|| Endpoint::parse(text).ok()).flatten();
    endpoint.ok_or_else(|| "write HOST or HOST:PORT, as in an image's name".to_owned())
}

/// RFC 1123 label: what Kubernetes takes as the name of a namespace.
fn label(text: &str) -> Result<String, String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if (1..=63).contains(&text.len()) && ends && text.bytes().all(inner) {
        return Ok(text.to_owned());
    }
    Err("it holds up to 63 lower-case letters, digits and -, and begins and ends with a letter or digit"
        .to_owned())
}

/// RFC 1123 subdomain: what Kubernetes takes as the name of a secret.
fn subdomain(text: &str) -> Result<String, String> {
    if text.len() > 253 {
        return Err("it is longer than 253 characters".to_owned());
    }
    text.split('.').try_for_each(|part| label(part).map(drop))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{host, label, subdomain};

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        for good in ["pull", "team-a.pull", "0", &"a".repeat(63)] {
            assert!(subdomain(good).is_ok(), "{good}");
        }
        for wrong in ["", "Pull", "a_b", "-a", "a-", "a..b", "a\nb", "é", &"a".repeat(64), &"a.".repeat(127)]
        {
            assert!(subdomain(wrong).is_err() && label(wrong).is_err(), "{wrong}");
        }
        assert!(label("a.b").is_err());
    }

    #[test]
    fn hosts_are_those_of_images() {
        assert_eq!(host("CR.test:8443").unwrap().authority(), "cr.test:8443");
        for wrong in ["https://cr.test", "cr.test/", "cr.test/team", "", "*.test"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
