//! `quickstart`: everything that a first try needs, in one directory.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::certificates::{self, Certificates};
use super::failure::{Doing, Failure};
use super::files::{private_directory, write_private};
use crate::cli::args::QuickstartArguments;
use crate::credential::access_key::AccessSecret;
use crate::credential::api_key::ApiKey;
use crate::ids::aws::AccessKeyId;

/// Where everything goes, unless another place is named.
const DIRECTORY: &str = "portcullis-data";
/// The port, unless another is named.
const PORT: u16 = 8443;
/// The port of the metrics, if it is free.
const METRICS_PORT: u16 = 9464;

/// The directory, made ready.
#[derive(Debug)]
pub struct Ground {
    /// The data directory, absolute.
    pub directory: PathBuf,
    /// The certificates in it.
    pub certificates: Certificates,
    /// The configuration in it.
    pub config: PathBuf,
}

/// Makes the directory and the certificates.
///
/// # Errors
/// [`Failure`] with what cannot be written.
pub fn prepare(arguments: &QuickstartArguments) -> Result<Ground, Failure> {
    let given = arguments.data_dir.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    private_directory(&given).doing(format_args!("making {}", given.display()))?;
    let directory = given.canonicalize().doing(format_args!("finding {}", given.display()))?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let certificates = certificates::ensure(&directory, &names).map_err(|error| {
        let directory = directory.display();
        Failure::plain(format!("{error}, in {directory}; name another directory with --data-dir"))
    })?;
    let config = directory.join("portcullis.toml");
    Ok(Ground { directory, certificates, config })
}

/// Writes the configuration, which `serve` can be given later.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub fn configure(ground: &Ground, upstream: &str, port: Option<u16>) -> Result<(), Failure> {
    let port = port.unwrap_or(PORT);
    let metrics = if port == 0 || !is_free(METRICS_PORT) { 0 } else { METRICS_PORT };
    let text = configuration(&ground.directory, &ground.certificates, upstream, port, metrics);
    write_private(&ground.config, text.as_bytes()).doing("writing the configuration")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn configuration(directory: &Path, files: &Certificates, upstream: &str, port: u16, metrics: u16) -> String {
    // TOML's basic strings are JSON's.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let path = |path: &Path| quoted(&path.display().to_string());
    format!(
        "# Written by `portcullis quickstart`. To go on without it: portcullis serve --config {config}\n\
         [account]\nid = \"123456789012\"\nname = \"quickstart\"\n\n\
         [store]\nurl = {store}\nmaster_key_file = {master}\n\n\
         [[registry]]\nname = \"localhost\"\naliases = [\"127.0.0.1\"]\nregion = \"us-south\"\nupstream = {upstream}\n\n\
         [[listener]]\naddress = \"127.0.0.1:{port}\"\nsurfaces = [\"registry\", \"control\", \"health\"]\n\
         tls = {{ certificate = {certificate}, key = {key} }}\n\n\
         [[listener]]\naddress = \"127.0.0.1:{metrics}\"\nendpoint = \"private\"\nsurfaces = [\"metrics\", \"health\"]\n\n\
         [audit]\npath = {audit}\n\n[log]\nlevel = \"warn\"\n",
        config = directory.join("portcullis.toml").display(),
        store = quoted(&format!("sqlite:{}", directory.join("portcullis.db").display())),
        master = path(&directory.join("master.key")),
        upstream = quoted(upstream),
        certificate = path(&files.certificate),
        key = path(&files.key),
        audit = path(&directory.join("audit.jsonl")),
    )
}

/// Keeps the administrator's key beside the rest, so that it can be piped into a login and need not be typed.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub fn keep_key(ground: &Ground, key: &ApiKey) -> Result<(), Failure> {
    let line = zeroize::Zeroizing::new(format!("{}\n", key.reveal()));
    write_private(&ground.directory.join("admin.key"), line.as_bytes())
        .doing("writing the administrator's key")
}

/// Keeps the administrator's access key as the `aws` command reads it.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub fn keep_access_key(ground: &Ground, (id, secret): (&AccessKeyId, &AccessSecret)) -> Result<(), Failure> {
    let secret = secret.expose();
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let text = zeroize::Zeroizing::new(text);
    write_private(&ground.directory.join("aws-credentials"), text.as_bytes())
        .doing("writing the administrator's access key")
}

/// What to paste; `program` is how we were started.
#[must_use]
pub fn instructions(ground: &Ground, address: SocketAddr, key: Option<&ApiKey>, program: &str) -> String {
    let directory = ground.directory.display();
    let host = format!("localhost:{}", address.port());
    let mut text = String::from("\n");
    // Writing to a String cannot fail.
    let _ = match key {
        Some(key) => writeln!(
            text,
            "Administrator API key: {}\n(shown once; kept in {directory}/admin.key)",
            key.reveal()
        ),
        None => writeln!(text, "The administrator's API key is in {directory}/admin.key"),
    };
    let _ = write!(
        text,
        "\nLog in and push with docker, which trusts localhost:\n\
         \x20 docker login -u iamapikey --password-stdin {host} < {directory}/admin.key\n\
         \x20 tar -C {directory} -c ca.crt | docker import - {host}/my_namespace/hello-world:3.6\n\
         \x20 docker push {host}/my_namespace/hello-world:3.6\n\
         \nWith podman or skopeo, name the authority's directory:\n\
         \x20 podman login -u iamapikey --password-stdin --cert-dir {directory}/certs {host} < {directory}/admin.key\n\
         \x20 podman pull --cert-dir {directory}/certs {host}/my_namespace/hello-world:3.6\n\
         \nGive a robot access:\n\
         \x20 {program} login -a https://{host} --apikey @{directory}/admin.key --ca-file {directory}/ca.crt\n\
         \x20 {program} iam service-id-create ci\n\
         \x20 {program} iam service-api-key-create ci-key ci\n\
         \x20 {program} iam service-policy-create ci --roles Reader --service-name container-registry \
         --region us-south --resource-type namespace --resource my_namespace\n\
         \nUse the aws command, whose credentials are the administrator's:\n\
         \x20 export AWS_ENDPOINT_URL=https://{host} AWS_CA_BUNDLE={directory}/ca.crt AWS_DEFAULT_REGION=us-south\n\
         \x20 export AWS_SHARED_CREDENTIALS_FILE={directory}/aws-credentials\n\
         \x20 aws sts get-caller-identity\n\
         \nCtrl-C ends it. Everything is in {directory}.\n",
    );
    text
}
