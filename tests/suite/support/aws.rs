//! The `aws` command and boto3, unmodified: what a user of them sets is the endpoint, the authority, and credentials.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::client::Trust;
use super::portcullis::{ADMIN_ACCESS_KEY_ID, ADMIN_SECRET_ACCESS_KEY, Portcullis};
use super::process::{Finished, bare, run};

/// Where `make deps` puts them.
fn clients(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/clients/bin").join(name);
    assert!(path.exists(), "{} is not there: run `make deps`", path.display());
    path
}

/// Someone with credentials of AWS's dialect.
pub(crate) struct Aws {
    home: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Aws {
    /// Nobody: without credentials.
    pub(crate) fn anonymous(at: &Portcullis) -> Self {
        Self::anonymous_at(&at.host(), &at.trust())
    }

    /// The same, of a server by its name.
    pub(crate) fn anonymous_at(host: &str, trust: &Trust) -> Self {
        let Trust::Authority(authority) = trust else { panic!("AWS's clients speak TLS") };
        let environment = vec![
            ("AWS_ENDPOINT_URL", format!("https://{host}")),
            ("AWS_CA_BUNDLE", authority.display().to_string()),
            ("AWS_DEFAULT_REGION", "us-south".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            // What fails, fails at once.
            ("AWS_MAX_ATTEMPTS", "1".to_owned()),
        ];
        Self { home: tempfile::tempdir().unwrap(), environment }
    }

    /// The administrator.
    pub(crate) fn administrator(at: &Portcullis) -> Self {
        Self::with_key(at, ADMIN_ACCESS_KEY_ID, ADMIN_SECRET_ACCESS_KEY)
    }

    /// Someone with a long-term key.
    pub(crate) fn with_key(at: &Portcullis, id: &str, secret: &str) -> Self {
        Self::anonymous(at).keyed(id, secret)
    }

    /// The same with a long-term key.
    pub(crate) fn keyed(mut self, id: &str, secret: &str) -> Self {
        self.environment.push(("AWS_ACCESS_KEY_ID", id.to_owned()));
        self.environment.push(("AWS_SECRET_ACCESS_KEY", secret.to_owned()));
        self
    }

    /// Someone with the `Credentials` that STS answers.
    pub(crate) fn in_session(at: &Portcullis, credentials: &Value) -> Self {
        let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let mut aws = Self::with_key(at, &text("AccessKeyId"), &text("SecretAccessKey"));
        aws.environment.push(("AWS_SESSION_TOKEN", text("SessionToken")));
        aws
    }

    /// A fresh user with a fresh key, who may do nothing yet.
    pub(crate) fn user(at: &Portcullis, administrator: &Self, name: &str) -> Self {
        administrator.json(&["iam", "create-user", "--user-name", name]);
        let key = administrator.json(&["iam", "create-access-key", "--user-name", name]);
        let text = |name: &str| key["AccessKey"][name].as_str().unwrap().to_owned();
        Self::with_key(at, &text("AccessKeyId"), &text("SecretAccessKey"))
    }

    /// Runs `aws` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        run(self.command(clients("aws")).args(arguments), "")
    }

    /// Runs `aws`, which must succeed, and reads what it prints as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--output", "json"]].concat()).must_succeed();
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
    }

    /// Runs a program of Python's, with boto3 at hand.
    pub(crate) fn python(&self, program: &str) -> Finished {
        run(self.command(clients("python")).args(["-c", program]), "")
    }

    /// Runs a shell script, in which `aws`, `jq` and `docker` are what users know.
    pub(crate) fn shell(&self, script: &str) -> Finished {
        run(self.command(PathBuf::from("bash")).args(["-euo", "pipefail", "-c", script]), "")
    }

    fn command(&self, program: PathBuf) -> Command {
        let mut command = bare(program);
        let mut places = vec![clients("aws").parent().unwrap().to_owned()];
        places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        command.env("HOME", self.home.path()).env("PATH", std::env::join_paths(places).unwrap());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home.path());
        command
    }
}
