//! What the command line prints, whole: trusted profiles, dynamic rules, keys, and the line that is shown while something takes long.

use std::fs;
use std::path::Path;

use crate::support::portcullis::{Cli, Portcullis, field};
use crate::support::process::{Running, bare};
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{ServiceId, Who};

const CLUSTER: &str = "crn:v1:bluemix:public:containers-kubernetes:us-south:a/1:c1::";

/// What a line prints, with every id, version and time the same in each run.
#[track_caller]
fn prints(cli: &Cli, line: &str) -> String {
    evened(&cli.run(line).must_succeed().stdout)
}

/// Stops the test unless a line prints exactly these lines.
#[track_caller]
fn shows(cli: &Cli, line: &str, expected: &[&str]) {
    let printed = prints(cli, line);
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "{line}");
}

/// The words of a line that is refused.
#[track_caller]
fn refuses(cli: &Cli, line: &str, code: i32, expected: &str) {
    let done = cli.run(line);
    assert_eq!(done.code, Some(code), "{}\n{}", done.command, done.said());
    assert!(done.stderr.contains(expected), "`{expected}` is missing: {}", done.said());
}

/// Digits and the letters of hex become zeros in what looks like an id, a version or a time; the width stays.
fn evened(text: &str) -> String {
    let word = |word: &str| {
        let shape: String = word.chars().map(|one| if one.is_ascii_hexdigit() { '0' } else { one }).collect();
        for known in
            ["00000000-0000-0000-0000-000000000000", "0000-00-00T00:00", "0-00000000000000000000000000000000"]
        {
            if let Some((before, after)) = shape.split_once(known) {
                let (head, tail) = (word.get(..before.len()), word.get(word.len() - after.len()..));
                return format!("{}{known}{}", head.unwrap(), tail.unwrap());
            }
        }
        word.to_owned()
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

#[test]
fn a_trusted_profile_is_made_trusts_somebody_is_taken_on_and_goes() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let cli = at.administration();
    cli.run("cr namespace-add birds").must_succeed();
    shows(
        &cli,
        "iam trusted-profiles",
        &[
            "Getting all trusted profiles under current account as admin...",
            "OK",
            "No trusted profile found.",
        ],
    );
    shows(
        &cli,
        "iam trusted-profile-create builders -d CI",
        &[
            "Creating trusted profile builders under current account as admin...",
            "OK",
            "Trusted profile builders is created successfully",
            "",
            "ID             Profile-00000000-0000-0000-0000-000000000000",
            "Name           builders",
            "Description    CI",
            "CRN            crn:v1:bluemix:public:iam-identity::a/123456789012::profile:Profile-00000000-0000-0000-0000-000000000000",
            "IAM ID         iam-Profile-00000000-0000-0000-0000-000000000000",
            "Version        0-00000000000000000000000000000000",
            "Created At     0000-00-00T00:00+0000",
            "Last Updated   0000-00-00T00:00+0000",
        ],
    );
    refuses(&cli, "iam trusted-profile-create builders", 1, "a trusted profile has this name already");
    let id = cli.run("iam trusted-profile builders --id").must_succeed().stdout.trim().to_owned();
    shows(
        &cli,
        "iam trusted-profiles",
        &[
            "Getting all trusted profiles under current account as admin...",
            "OK",
            "ID                                             Name       Created At              Last Updated            Description",
            "Profile-00000000-0000-0000-0000-000000000000   builders   0000-00-00T00:00+0000   0000-00-00T00:00+0000   CI",
        ],
    );

    let robot = ServiceId::create(&cli, "ci");
    let take_on = || at.http().basic(&id, robot.key().unwrap()).get("/oauth/token?service=registry").status;
    assert_eq!(take_on(), 401, "nobody is trusted yet");
    prints(&cli, "iam trusted-profile-identity-create builders --id ci --id-type serviceid -d robots");
    shows(
        &cli,
        &format!("iam trusted-profile-identities {id}"),
        &[
            "Getting all identities of trusted profile builders as admin...",
            "OK",
            "Identifier                                       Type        IAM ID                                               Description",
            "ServiceId-00000000-0000-0000-0000-000000000000   serviceid   iam-ServiceId-00000000-0000-0000-0000-000000000000   robots",
        ],
    );
    assert_eq!(take_on(), 200);

    let grant = "iam trusted-profile-policy-create builders --roles Reader --service-name container-registry --region us-south \
                 --resource-type namespace --resource birds";
    let policy = field(&cli.run(grant).must_succeed().stdout, "Policy ID:").unwrap().to_owned();
    shows(
        &cli,
        "iam trusted-profile-policies builders",
        &[
            "Getting policies under current account of trusted profile builders as admin...",
            "OK",
            "",
            "Policy ID:   00000000-0000-0000-0000-000000000000",
            "Roles:       Reader",
            "Resources:",
            "             Service Name    container-registry",
            "             Region          us-south",
            "             Resource Type   namespace",
            "             Resource        birds",
        ],
    );
    shows(
        &cli,
        "iam access-policies -t trusted_profile --sort-by -created_at",
        &[
            "Getting access policies under current account as admin...",
            "OK",
            "Policy ID                              Subject    Roles    Resources",
            "00000000-0000-0000-0000-000000000000   builders   Reader   serviceName=container-registry, region=us-south, resourceType=namespace, resource=birds",
        ],
    );
    let may = prints(&cli, "explain --principal builders --action pull --resource birds/owl");
    assert!(may.starts_with("builders may do container-registry.image.pull"), "{may}");
    prints(&cli, &format!("iam trusted-profile-policy-update builders {policy} --roles Writer"));
    prints(&cli, &format!("iam trusted-profile-policy-delete builders {policy} --force"));
    refuses(&cli, &format!("iam trusted-profile-policy builders {policy}"), 1, "status 404");

    prints(&cli, "iam trusted-profile-identity-delete builders --id ci --id-type serviceid --force");
    assert_eq!(take_on(), 401, "nobody is trusted any more");
    prints(&cli, "iam trusted-profile-update builders -n makers");
    prints(&cli, "iam trusted-profile-delete makers --force");
    refuses(&cli, &format!("iam trusted-profile {id}"), 1, "status 404");
}

#[test]
fn links_and_rules_are_written_as_the_ibm_cloud_cli_writes_them() {
    let at = Portcullis::before("http://127.0.0.1:9");
    let cli = at.administration();
    prints(&cli, "iam trusted-profile-create builders");
    let cluster = format!("--cr-type IKS_SA --link-crn {CLUSTER} --link-namespace build --link-name default");
    prints(&cli, &format!("iam trusted-profile-link-create builders --name runner {cluster}"));
    shows(
        &cli,
        "iam trusted-profile-links builders",
        &[
            "Getting all links of trusted profile builders as admin...",
            "OK",
            "ID                                          Name     Type     CRN                                                             Namespace   Service Account   Created At",
            "Link-00000000-0000-0000-0000-000000000000   runner   IKS_SA   crn:v1:bluemix:public:containers-kubernetes:us-south:a/1:c1::   build       default           0000-00-00T00:00+0000",
        ],
    );
    let rule = "iam trusted-profile-rule-create builders";
    let compute =
        "--type Profile-CR --cr-type IKS_SA --conditions claim:namespace,operator:EQUALS,value:build";
    let people = "--type Profile-SAML --realm-name corp --expiration 1200 --conditions claim:cn,operator:IN,value:[\"a\",\"b\"]";
    prints(&cli, &format!("{rule} --name cluster {compute}"));
    prints(&cli, &format!("{rule} --name staff {people}"));
    prints(&cli, "iam trusted-profile-rule-update builders staff --expiration 900");
    shows(
        &cli,
        "iam trusted-profile-rules builders",
        &[
            "Getting all rules of trusted profile builders as admin...",
            "OK",
            "ID                                               Name      Of       Expiration   Conditions",
            "ClaimRule-00000000-0000-0000-0000-000000000000   cluster   IKS_SA                namespace EQUALS \"build\"",
            "ClaimRule-00000000-0000-0000-0000-000000000000   staff     corp     900 s        cn IN [\"a\",\"b\"]",
        ],
    );
    refuses(&cli, "iam trusted-profile-rule-update builders staff --expiration 1", 1, "from 900 to 86400");
    prints(&cli, &format!("{rule} --name staff {people}"));
    refuses(
        &cli,
        "iam trusted-profile-rule-delete builders staff --force",
        1,
        "Run the command again with the id",
    );
    let ids = cli.run("iam trusted-profile-rules builders --id").must_succeed().stdout;
    for id in ids.lines() {
        prints(&cli, &format!("iam trusted-profile-rule-delete builders {id} --force"));
    }
    prints(&cli, "iam trusted-profile-link-delete builders runner --force");
    assert_eq!(prints(&cli, "iam trusted-profile-links builders --id"), "");
}

#[test]
fn an_access_group_has_rules_and_trusted_profiles_in_it() {
    let at = Portcullis::before("http://127.0.0.1:9");
    let cli = at.administration();
    prints(&cli, "iam trusted-profile-create builders");
    prints(&cli, "iam access-group-create pullers");
    shows(
        &cli,
        "iam access-group-trusted-profile-add pullers builders",
        &[
            "Adding trusted profile builders to access group pullers under current account as admin...",
            "OK",
            "trusted profile builders added to access group pullers",
        ],
    );
    let members = prints(&cli, "iam access-group-trusted-profiles pullers");
    assert!(members.contains("builders   iam-Profile-00000000-0000-0000-0000-000000000000   "), "{members}");
    shows(
        &cli,
        "iam access-groups -p builders",
        &[
            "Getting all access groups under current account as admin...",
            "OK",
            "Name      ID                                                   Description",
            "pullers   AccessGroupId-00000000-0000-0000-0000-000000000000",
        ],
    );
    shows(
        &cli,
        "iam access-group-trusted-profile-purge builders --force",
        &[
            "Removing trusted profile builders from all access groups as admin...",
            "OK",
            "trusted profile builders removed from all access groups",
        ],
    );
    assert!(prints(&cli, "iam access-groups -p builders").ends_with("OK\nNo access group found.\n"));

    let people = "--realm-name corp --expiration 12 --conditions claim:team,operator:CONTAINS,value:blue";
    prints(&cli, &format!("iam access-group-rule-create pullers --name staff {people}"));
    prints(&cli, "iam access-group-rule-update pullers staff --expiration 6");
    shows(
        &cli,
        "iam access-group-rules pullers",
        &[
            "Getting all rules of access group pullers as admin...",
            "OK",
            "ID                                               Name    Of     Expiration   Conditions",
            "ClaimRule-00000000-0000-0000-0000-000000000000   staff   corp   6 h          team CONTAINS \"blue\"",
        ],
    );
    refuses(
        &cli,
        "iam access-group-rule-create pullers --realm-name corp --expiration 12",
        2,
        "--conditions",
    );
    prints(&cli, "iam access-group-rule-delete pullers staff --force");
    prints(&cli, "iam access-group-delete pullers --force --recursive");
}

#[test]
fn who_waits_on_a_terminal_is_told_so_and_a_pipe_is_not() {
    let at = Portcullis::before("http://127.0.0.1:9");
    let cli = at.administration();
    let screen = at.folder().join("screen");
    let shown =
        |text: &str| fs::read_to_string(&screen).is_ok_and(|shown| shown.contains(text)).then_some(());

    at.signal("STOP");
    let _terminal = typed(&cli, &screen, "iam service-ids");
    until("the wait to be told", PATIENCE, || shown("Waiting for localhost:"));
    let mut pipe = Running::start(&mut cli.command(&["iam", "service-ids"]));
    pipe.await_log("the beginning", |log| log.contains("Getting all").then_some(()));
    let long = seconds(&screen).unwrap() + 3;
    until("the other to wait as well", PATIENCE, || (seconds(&screen)? >= long).then_some(()));
    at.signal("CONT");
    until("the answer", PATIENCE, || shown("No service ID found."));
    let text = fs::read_to_string(&screen).unwrap();
    let (_, rest) = text.rsplit_once("\r\u{1b}[K").unwrap();
    assert!(!rest.contains("Waiting"), "the line is gone before the answer: {text:?}");

    assert!(pipe.wait(PATIENCE).success());
    until("the other answer", PATIENCE, || pipe.log().contains("No service ID found.").then_some(()));
    assert!(!pipe.log().contains("Waiting") && !pipe.log().contains('\u{1b}'), "{}", pipe.log());
}

/// For how long somebody has waited, as the terminal says.
fn seconds(screen: &Path) -> Option<u32> {
    let text = fs::read_to_string(screen).ok()?;
    let (_, last) = text.rsplit_once("… ")?;
    last.split_once(" s")?.0.parse().ok()
}

/// A line typed on a terminal, of which all that it shows goes to a file.
fn typed(cli: &Cli, screen: &Path, line: &str) -> Running {
    let words: Vec<&str> = line.split(' ').collect();
    let command = cli.command(&words);
    let mut terminal = bare("script");
    let program = command.get_program().to_string_lossy();
    terminal.args(["--quiet", "--flush", "--return", "--command", &format!("{program} {line}")]).arg(screen);
    terminal.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Running::start(&mut terminal)
}
