//! The command tree: every verb and flag, as types. It decides what is well-formed; it never touches a server.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::display::Display;

pub(super) mod attachment;
pub(super) mod cbr;
pub(super) mod channel;
pub(super) mod compliance;
pub(super) mod cr;
pub(super) mod iam;
pub(super) mod kube;
pub(super) mod policy;
pub(super) mod resource;
pub(super) mod shelf;
pub mod store;
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

/// One thing, by its id.
#[derive(Args, Debug)]
pub(super) struct ById {
    /// Its id, or its name if names are unique
    pub(super) id: String,
    #[command(flatten)]
    pub(super) formatted: cr::Formatted,
}

/// One thing that is to go, by its id.
#[derive(Args, Debug)]
pub(super) struct DeleteById {
    /// Its id, or its name if names are unique
    pub(super) id: String,
    #[command(flatten)]
    pub(super) consent: iam::Consent,
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
    /// Judge the account: goals, reports, configuration rules
    #[command(subcommand)]
    Compliance(compliance::Command),
    /// Manage the registry: regions, namespaces, images, settings
    #[command(subcommand)]
    Cr(cr::Command),
    /// Show whether a principal may do something, and why
    Explain(Explain),
    /// Ask a server's health listener whether it can serve: for health checks
    Health(Health),
    /// Manage identities, API keys, access groups and policies
    #[command(subcommand)]
    Iam(iam::Command),
    /// Show the work on a clock: who does it, how it went, when it is due
    Jobs(cr::Formatted),
    /// Manage the keys that sign tokens
    #[command(subcommand)]
    Keys(Keys),
    /// Let a Kubernetes cluster pull images
    #[command(subcommand)]
    Kube(kube::Command),
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

/// `keys …`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum Keys {
    /// Make another key that signs from now on; what those before it signed stays good
    Rotate,
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
    /// Move a whole store: to another database, to a file, from a file
    #[command(subcommand)]
    Store(store::StoreCommand),
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
pub(super) struct Health {
    /// Where the surface `health` is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9464")]
    pub(super) url: String,
    /// The certificate authority of the server, as PEM; PORTCULLIS_CA_FILE, or the system's, unless given
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
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

    /// What IBM's own pages show: each verb with all of its flags.
    const REFERENCE: [&str; 89] = [
        "iam service-ids --uuid -n STR -d STR",
        "iam service-id SVC --uuid",
        "iam service-id-create NAME -d D --lock",
        "iam service-id-update SVC -n NEW -d D -f",
        "iam service-id-delete SVC -f",
        "iam service-id-lock SVC --force",
        "iam service-id-unlock SVC -f",
        "iam service-api-keys SVC -n N -d D -f",
        "iam service-api-keys -a",
        "iam service-api-key KEY SVC --uuid -f",
        "iam service-api-key-create NAME SVC -d D --file FILE --action-if-leaked NONE -f --lock",
        "iam service-api-key-update KEY SVC -n NEW -d D -f",
        "iam service-api-key-delete KEY SVC -f",
        "iam service-api-key-lock KEY SVC -f",
        "iam service-api-key-unlock KEY SVC -f",
        "iam service-api-key-disable KEY SVC -f",
        "iam service-api-key-enable KEY SVC -f",
        "iam api-keys --uuid",
        "iam api-key KEY --uuid",
        "iam api-key-create NAME -d D --file F --action-if-leaked DELETE --lock",
        "iam api-key-update KEY -n NEW -d D",
        "iam api-key-delete KEY -f",
        "iam api-key-lock KEY -f",
        "iam api-key-unlock KEY -f",
        "iam api-key-disable KEY -f",
        "iam api-key-enable KEY -f",
        "iam service-policy-create SVC --file @JSON -q -f --output JSON --api-version v2",
        "iam user-policy-create EMAIL -r R1,R2 --service-name N --region R --resource-type T --resource X --attributes k=v,l=w",
        "iam user-policy-create EMAIL --roles R1 --resource-group-name N",
        "iam access-group-policy-create GROUP --roles R1 --resource-group-id ID --tags k:v --service-instance GUID",
        "iam trusted-profile-policy-create PROFILE --roles Viewer --account-management -f",
        "iam trusted-profile-policies PROFILE --output JSON -f",
        "iam trusted-profile-policy PROFILE POLICY -f -q",
        "iam trusted-profile-policy-update PROFILE POLICY --file policy.json",
        "iam trusted-profile-policy-delete PROFILE POLICY -f -q",
        "iam access-group-policies GROUP",
        "iam access-group-policy GROUP POLICY",
        "iam service-policy-update SVC POLICY --roles R --api-version v1",
        "iam user-policy-delete EMAIL POLICY -f",
        "iam access-groups -u USER",
        "iam access-groups -s SVC --output JSON",
        "iam access-groups -p PROFILE",
        "iam access-group GROUP --id",
        "iam access-group-create NAME -d D",
        "iam access-group-update GROUP -n NEW -d D -f",
        "iam access-group-delete GROUP -f -r",
        "iam access-group-user-add GROUP USER1 USER2",
        "iam access-group-user-remove GROUP USER",
        "iam access-group-user-purge USER -f",
        "iam access-group-service-id-add GROUP SVC1 SVC2",
        "iam access-group-service-id-purge SVC -f -q",
        "iam access-group-trusted-profiles GROUP --output JSON -q",
        "iam access-group-trusted-profile-add GROUP PROFILE1 PROFILE2",
        "iam access-group-trusted-profile-remove GROUP PROFILE -f",
        "iam access-group-trusted-profile-purge PROFILE -f",
        "iam access-policies -t trusted_profile --sort-by -last_modified_at --output JSON -q --api-version v2",
        "iam account-policies -t auth",
        "iam roles --service N --roles R1,R2 --output JSON",
        "iam role-create NAME --display-name D --service-name S -a act1,act2",
        "iam account-settings --output JSON",
        "iam account-settings-update --allowed-ip-addresses 192.0.2.7 --mfa LEVEL2 --session-expiration-in-seconds NOT_SET",
        "iam account-settings-update --unset-allowed-ip-addresses --restrict-create-service-id RESTRICTED",
        "iam oauth-tokens",
        "iam bearer-token",
        "iam trusted-profile-create NAME -d D --output JSON -q",
        "iam trusted-profile PROFILE --id",
        "iam trusted-profiles --id",
        "iam trusted-profile-update PROFILE -n NEW -d D -f",
        "iam trusted-profile-delete PROFILE -f -q",
        "iam trusted-profile-identity-create PROFILE --id ServiceId-1 --id-type SERVICEID",
        "iam trusted-profile-link-create PROFILE --name L --cr-type VSI --link-crn CRN -f",
        "iam trusted-profile-links PROFILE --id -f",
        "iam trusted-profile-link-delete PROFILE LINK -f",
        "iam trusted-profile-rule-create PROFILE --name R --type Profile-CR --cr-type ROKS_SA --conditions claim:namespace,operator:EQUALS,value:default",
        "iam trusted-profile-rule-update PROFILE RULE --realm-name https://idp.test --conditions claim:cn,operator:EQUALS,value:my_user",
        "iam trusted-profile-rule-delete PROFILE RULE -f -q",
        "cr private-only --status",
        "cr platform-metrics --enable",
        "cr login --client podman",
        "cr namespace-add -g RG NS",
        "cr namespace-assign -g RG NS",
        "cr namespace-list -v -o json",
        "cr image-list --restrict R --format {{.Tag}} --no-trunc --include-ibm --va --show-type",
        "cr image-digests --format {{.Tags}} --restrict R --include-ibm --no-va",
        "cr image-prune-untagged -f -o json --restrict R",
        "cr trash-list --restrict NS",
        "cr quota-set --traffic 600 --storage -1",
        "cr retention-policy-set --retain-untagged --deletion-threshold-days 3 -f --images All NS",
        "cr plan-upgrade standard",
    ];

    #[test]
    fn every_line_of_the_reference_is_understood() {
        for line in REFERENCE {
            let read = parsed(&format!("ibmcloud {line}"));
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
        }
    }

    #[test]
    fn every_verb_says_what_it_does_and_is_completed_in_every_shell() {
        use clap_complete::Shell;
        let mut verbs = Vec::new();
        for (place, noun) in
            Arguments::command().get_subcommands().map(|noun| (noun.get_name().to_owned(), noun.clone()))
        {
            for verb in noun.get_subcommands() {
                let said = verb.get_about().map(ToString::to_string).unwrap_or_default();
                let flags = verb.get_arguments().filter(|flag| !flag.is_hide_set());
                let silent: Vec<_> =
                    flags.filter(|flag| flag.get_help().is_none()).map(|flag| flag.get_id()).collect();
                assert!(!said.is_empty() && silent.is_empty(), "{place} {}: {silent:?}", verb.get_name());
                verbs.push(verb.get_name().to_owned());
            }
        }
        assert!(verbs.len() > 130, "{}", verbs.len());
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "portcullis", &mut script);
            let script = String::from_utf8(script).unwrap();
            let missing: Vec<_> = verbs.iter().filter(|verb| !script.contains(verb.as_str())).collect();
            assert!(missing.is_empty(), "{shell}: {missing:?}");
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
