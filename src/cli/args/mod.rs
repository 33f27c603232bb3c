//! The command tree: every verb and flag, as types. It decides what is well-formed; it never touches a server.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::display::Display;

pub(super) mod cbr;
pub(super) mod cr;
pub(super) mod iam;
pub(super) mod policy;
pub(super) mod resource;
pub(super) mod shelf;
pub(super) mod va;

/// Puts cloud-grade IAM in front of any OCI registry, and talks to a server that does.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Client(ClientCommand),
    #[command(flatten)]
    Server(ServerCommand),
}

/// A command that talks to a server, or to nobody.
#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Print the completion script for a shell
    Completion {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Restrict from where resources may be reached: network zones and rules
    #[command(subcommand)]
    Cbr(cbr::Command),
    /// Manage the registry: regions, namespaces, images, settings
    #[command(subcommand)]
    Cr(cr::Command),
    /// Show whether a principal may do something, and why
    Explain(Explain),
    /// Manage identities, API keys, access groups and policies
    #[command(subcommand)]
    Iam(iam::Command),
    /// Log in to a server
    Login(Login),
    /// Log out: forget the tokens
    Logout,
    /// Look at policy documents; this needs no server
    #[command(subcommand)]
    Policy(policy::Command),
    /// Manage resource groups
    #[command(subcommand)]
    Resource(resource::Command),
    /// Show or set the targeted server, account and region
    Target(Target),
    /// Show who may do something, and through which policy
    WhoCan(WhoCan),
}

/// A command that runs a server or prepares one, instead of talking to one.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Validate a configuration file and exit
    Check(CheckArguments),
    /// Create the store, the keys, the account and its administrator
    Init(InitArguments),
    /// Try it: set everything up in one directory and serve
    Quickstart(QuickstartArguments),
    /// Serve until told to stop: SIGHUP reloads the configuration, SIGTERM drains
    Serve(ServeArguments),
}

/// What `check` is told.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// What `init` is told.
#[derive(Args, Debug)]
pub struct InitArguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Leave policies unenforced until `cr iam-policies-enable`: to adopt Portcullis in front of a live registry
    #[arg(long)]
    pub policy_free: bool,
}

/// What `serve` is told.
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// What `quickstart` is told.
#[derive(Args, Debug)]
pub struct QuickstartArguments {
    /// Where to keep everything; `portcullis-data` unless given
    #[arg(long, value_name = "D")]
    pub data_dir: Option<PathBuf>,
    /// The registry to stand in front of; one is started unless given
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,
    /// The port to serve on; 8443 unless given, 0 for any
    #[arg(long, value_name = "P")]
    pub port: Option<u16>,
}

#[derive(Args, Debug)]
pub(super) struct Login {
    /// The server: `https://HOST[:PORT]`; PORTCULLIS_ENDPOINT, or the last one, unless given
    #[arg(short = 'a', long = "api-endpoint", value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// The API key, @FILE to read it from a file, or @- from the standard input; PORTCULLIS_API_KEY or
    /// IBMCLOUD_API_KEY unless given, else it is asked for
    #[arg(long, value_name = "KEY")]
    pub(super) apikey: Option<String>,
    /// The certificate authority of the server, as PEM; PORTCULLIS_CA_FILE, or the system's, unless given
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// The region to target
    #[arg(short, long)]
    pub(super) region: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct Target {
    /// The region to target
    #[arg(short, long)]
    pub(super) region: Option<String>,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// Who: a user, a service ID, or an IAM id; a role by its id or ARN; you, unless given
    #[arg(long, value_name = "P")]
    pub(super) principal: Option<String>,
    /// What, such as container-registry.image.pull, ecr:BatchGetImage, or just pull
    #[arg(long, value_name = "A")]
    action: String,
    /// On what: NAMESPACE, NAMESPACE/REPOSITORY with or without :TAG, an image with its host, a CRN or an ARN; the whole registry or
    /// account, unless given
    #[arg(long, value_name = "R")]
    resource: Option<String>,
    #[command(flatten)]
    circumstances: Circumstances,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Args, Debug)]
pub(super) struct WhoCan {
    /// What, such as container-registry.image.pull, ecr:BatchGetImage, or just pull
    action: String,
    /// On what: NAMESPACE, NAMESPACE/REPOSITORY with or without :TAG, an image with its host, a CRN or an ARN; the whole registry or
    /// account, unless given
    resource: Option<String>,
    #[command(flatten)]
    circumstances: Circumstances,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Args, Debug)]
struct Circumstances {
    /// A condition key and its value, such as registry:Tag=v1, in place of what is known of this request; repeatable, and
    /// a key that is repeated has several values
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    context: Vec<(String, String)>,
}

/// What is done, as it was typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) action: &'a str,
    pub(super) resource: Option<&'a str>,
    pub(super) context: &'a [(String, String)],
}

impl Explain {
    pub(super) fn question(&self) -> Question<'_> {
        let (resource, context) = (self.resource.as_deref(), self.circumstances.context.as_slice());
        Question { action: &self.action, resource, context }
    }
}

impl WhoCan {
    pub(super) fn question(&self) -> Question<'_> {
        let (resource, context) = (self.resource.as_deref(), self.circumstances.context.as_slice());
        Question { action: &self.action, resource, context }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A program that keeps registry logins.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum ContainerClient {
    Docker,
    Podman,
}

/// Reads the command line.
///
/// # Errors
/// What to print, and whether that is an answer (help, version) or wrong usage.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    Arguments::try_parse_from(arguments).map(|parsed| parsed.command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Arguments, Command, ServerCommand, parse};

    fn parsed(line: &str) -> Result<Command, clap::Error> {
        parse(line.split_whitespace().map(Into::into))
    }

    #[test]
    fn the_tree_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_line_of_the_tutorial_is_understood() {
        for line in [
            "ibmcloud login",
            "ibmcloud iam service-id-create think-registry-demo --description Demo",
            "ibmcloud iam service-ids",
            "ibmcloud iam service-api-key-create think-registry-demo-key think-registry-demo",
            "ibmcloud target",
            "ibmcloud cr region-set us-south",
            "ibmcloud cr iam-policies-enable",
            "ibmcloud iam service-policy-create think-registry-demo --roles Reader --service-name container-registry \
             --region us-south --resource-type namespace --resource my_namespace",
        ] {
            assert!(parsed(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn output_is_json_in_any_case() {
        for word in ["json", "JSON", "Json"] {
            assert!(parsed(&format!("portcullis iam service-ids --output {word}")).is_ok());
        }
        assert!(parsed("portcullis iam service-ids --output yaml").is_err());
    }

    #[test]
    fn server_commands_are_handed_over_whole() {
        let command =
            parsed("portcullis quickstart --data-dir d --upstream http://127.0.0.1:5000 --port 8443")
                .unwrap();
        let Command::Server(ServerCommand::Quickstart(quickstart)) = command else { panic!("{command:?}") };
        assert_eq!(quickstart.port, Some(8443));
        let command = parsed("portcullis init --config c.toml --policy-free").unwrap();
        assert!(matches!(command, Command::Server(ServerCommand::Init(init)) if init.policy_free));
        assert!(parsed("portcullis serve").is_err(), "a server needs its configuration");
    }
}
