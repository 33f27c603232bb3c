//! Temporary credentials, by the real `aws` command: whoever takes on a role is that role, and no longer than there is one.

use serde_json::Value;

use super::support::aws::Aws;
use super::support::client::Client;
use super::support::image::Image;
use super::support::portcullis::{ACCOUNT, ADMIN_ACCESS_KEY_ID, Portcullis};
use super::support::registry::Registry;
use super::support::who::{Administrator, Who};

/// Where there is nothing to push to or pull from.
fn start() -> Portcullis {
    Portcullis::before("http://127.0.0.1:9")
}

const WHO: &[&str] = &["sts", "get-caller-identity"];

/// Somebody who may read users, as far as the policy's action is concerned.
fn grant(administrator: &Aws, user: &str, action: &str) {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    );
    let put =
        ["iam", "put-user-policy", "--user-name", user, "--policy-name", "granted", "--policy-document"];
    administrator.run(&[&put[..], &[&document]].concat()).must_succeed();
}

/// A role that everybody of the account may be given, and that may list users.
fn role(administrator: &Aws, name: &str, condition: &str) -> String {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},
        "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{condition}}}]}}"#
    );
    let create = ["iam", "create-role", "--role-name", name, "--assume-role-policy-document", &trust];
    let made = administrator.json(&create);
    let attach = ["iam", "attach-role-policy", "--role-name", name, "--policy-arn"];
    administrator.run(&[&attach[..], &["arn:aws:iam::aws:policy/IAMReadOnlyAccess"]].concat()).must_succeed();
    made["Role"]["Arn"].as_str().unwrap().to_owned()
}

fn assume<'a>(role: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["sts", "assume-role", "--role-arn", role, "--role-session-name", "build-7"], more].concat()
}

fn session(at: &Portcullis, answer: &Value) -> Aws {
    Aws::in_session(at, &answer["Credentials"])
}

#[test]
fn a_workshop_about_one_teams_repositories_goes_as_it_is_written() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let skopeo = Administrator::of(&at).skopeo(&at);
    for team in ["team-a", "team-b"] {
        skopeo.push(&Image::tiny(), &at.image(&format!("{team}/alpine:v1"))).must_succeed();
    }
    let set = format!(
        "export ACCOUNT_ID={ACCOUNT} AWS_REGION=us-south ECR_REPO_A=team-a/alpine ECR_REPO_B=team-b/alpine\n"
    );
    let done = Aws::administrator(&at).shell(&(set + include_str!("one_repository_only.sh")));
    let done = done.must_fail_saying(&[&format!(
        "An error occurred (AccessDeniedException) when calling the ListImages operation: User: \
         arn:aws:sts::{ACCOUNT}:assumed-role/ecr_access_teama_role/ECR-Access-Testing is not authorized to perform: \
         ecr:ListImages on resource: arn:aws:ecr:us-south:{ACCOUNT}:repository/team-b/alpine because no identity-based \
         policy allows the ecr:ListImages action"
    )]);
    assert!(done.stdout.contains(r#""imageTag": "v1""#), "{}", done.stdout);
    assert!(
        done.stdout.contains(&format!("arn:aws:iam::{ACCOUNT}:policy/ecr_access_testing")),
        "{}",
        done.stdout
    );
}

#[test]
fn a_role_is_taken_on_by_whom_trust_and_policies_let_and_lives_as_long_as_it_is_there() {
    let at = start();
    let administrator = Aws::administrator(&at);
    let ada = Aws::user(&at, &administrator, "ada");
    let arn = role(&administrator, "reader", "{}");
    // The trust policy names the account, so it is up to Ada's own policies; and what is not there reads the same.
    let denied = format!(
        "(AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to \
         perform: sts:AssumeRole on resource: {arn}\n"
    );
    ada.run(&assume(&arn, &[])).must_fail_saying(&[&denied]);
    let missing = arn.replace("reader", "missing");
    ada.run(&assume(&missing, &[])).must_fail_saying(&[&denied.replace("reader", "missing")]);
    grant(&administrator, "ada", "sts:AssumeRole");
    ada.run(&assume(&missing, &[])).must_fail_saying(&[&denied.replace("reader", "missing")]);

    let assumed = ada.json(&assume(&arn, &[]));
    let reader = session(&at, &assumed);
    let who = reader.json(WHO);
    assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/reader/build-7"));
    assert_eq!(who["UserId"], assumed["AssumedRoleUser"]["AssumedRoleId"]);
    assert!(assumed["Credentials"]["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    reader.run(&["iam", "list-users"]).must_succeed();
    reader
        .run(&["iam", "create-user", "--user-name", "eve"])
        .must_fail_saying(&["because no identity-based policy allows the iam:CreateUser action"]);

    // What the role loses, its session loses at once; without the role there is nobody.
    let read = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let detach = ["iam", "detach-role-policy", "--role-name", "reader", "--policy-arn", read];
    administrator.run(&detach).must_succeed();
    reader.run(&["iam", "list-users"]).must_fail_saying(&["because no identity-based policy allows"]);
    administrator.run(&["iam", "delete-role", "--role-name", "reader"]).must_succeed();
    reader.run(WHO).must_fail_saying(&["(InvalidClientTokenId)"]);
}

#[test]
fn who_is_made_again_under_a_name_is_not_whom_the_role_trusted() {
    let at = start();
    let administrator = Aws::administrator(&at);
    let ada = Aws::user(&at, &administrator, "ada");
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ada");
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{arn}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let create = ["iam", "create-role", "--role-name", "hers", "--assume-role-policy-document", &trust];
    let role = administrator.json(&create)["Role"].clone();
    let role_arn = role["Arn"].as_str().unwrap();
    let trusted = |role: &Value| role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"].clone();
    let shown = || administrator.json(&["iam", "get-role", "--role-name", "hers"])["Role"].clone();
    assert_eq!((trusted(&role), trusted(&shown())), (arn.as_str().into(), arn.as_str().into()));
    ada.run(&assume(role_arn, &[])).must_succeed();

    let id = administrator.json(&["iam", "get-user", "--user-name", "ada"])["User"]["UserId"].clone();
    let keys = administrator.json(&["iam", "list-access-keys", "--user-name", "ada"]);
    let key = keys["AccessKeyMetadata"][0]["AccessKeyId"].as_str().unwrap();
    let remove = ["iam", "delete-access-key", "--user-name", "ada", "--access-key-id", key];
    administrator.run(&remove).must_succeed();
    administrator.run(&["iam", "delete-user", "--user-name", "ada"]).must_succeed();
    let other = Aws::user(&at, &administrator, "ada");
    other.run(&assume(role_arn, &[])).must_fail_saying(&["(AccessDenied)"]);
    assert_eq!(trusted(&shown()), id);
    let listed = administrator.json(&["iam", "list-roles"]);
    assert_eq!(trusted(&listed["Roles"][0]), id);
    let update = ["iam", "update-assume-role-policy", "--role-name", "hers", "--policy-document", &trust];
    administrator.run(&update).must_succeed();
    other.run(&assume(role_arn, &[])).must_succeed();
}

#[test]
fn a_session_may_do_what_role_and_session_policies_both_allow() {
    let at = start();
    let administrator = Aws::administrator(&at);
    let arn = role(&administrator, "reader", "{}");
    let only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}"#;
    let limited = session(&at, &administrator.json(&assume(&arn, &["--policy", only])));
    limited.run(&["iam", "list-roles"]).must_succeed();
    limited
        .run(&["iam", "list-users"])
        .must_fail_saying(&["because no session policy allows the iam:ListUsers action"]);
    let nothing = ["--policy-arns", "arn=arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"];
    let nothing = session(&at, &administrator.json(&assume(&arn, &nothing)));
    nothing.run(&["iam", "list-roles"]).must_fail_saying(&["because no session policy allows"]);
    for (wrong, code) in [
        (vec!["--duration-seconds", "899"], "Parameter validation failed"),
        (vec!["--duration-seconds", "7200"], "exceeds the MaxSessionDuration set for this role"),
        (vec!["--policy", "{}"], "(MalformedPolicyDocument)"),
        (
            vec!["--policy-arns", "arn=arn:aws:iam::aws:policy/Nonesuch"],
            "does not exist or is not attachable",
        ),
    ] {
        let refused = administrator.run(&assume(&arn, &wrong));
        refused.must_fail_saying(&[code, "failed to satisfy constraint"]);
    }
}

#[test]
fn what_a_trust_policy_asks_for_must_be_said() {
    let at = start();
    let administrator = Aws::administrator(&at);
    let condition = r#"{"StringEquals":{"sts:ExternalId":"secret-7","aws:RequestTag/team":"a","sts:SourceIdentity":"ada"}}"#;
    let arn = role(&administrator, "guest", condition);
    let tags = ["--tags", "Key=team,Value=a", "--transitive-tag-keys", "team"];
    let all = [&["--external-id", "secret-7", "--source-identity", "ada"], &tags[..]].concat();
    for missing in [&[][..], &all[..2], &all[..4], &all[2..]] {
        administrator.run(&assume(&arn, missing)).must_fail_saying(&["(AccessDenied)"]);
    }
    let assumed = administrator.json(&assume(&arn, &all));
    assert_eq!(assumed["SourceIdentity"], "ada");
    assert!(assumed["PackedPolicySize"].as_u64().is_some_and(|percent| percent > 0), "{assumed}");
    session(&at, &assumed).run(WHO).must_succeed();
}

#[test]
fn users_make_sessions_of_their_own_that_manage_nobody() {
    let at = start();
    let administrator = Aws::administrator(&at);
    let own = session(&at, &administrator.json(&["sts", "get-session-token"]));
    assert_eq!(own.json(WHO)["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/admin"));
    own.run(&["iam", "list-users"]).must_fail_saying(&["(InvalidClientTokenId)"]);
    own.run(&["sts", "get-session-token"])
        .must_fail_saying(&["Cannot call GetSessionToken with session credentials"]);
    own.run(&["ecr", "describe-registry"]).must_succeed();

    let read = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:DescribeRegistry","Resource":"*"}]}"#;
    let federate = ["sts", "get-federation-token", "--name", "guest"];
    let bare = session(&at, &administrator.json(&federate));
    bare.run(&["ecr", "describe-registry"]).must_fail_saying(&["because no session policy allows"]);
    let guest = session(&at, &administrator.json(&[&federate[..], &["--policy", read]].concat()));
    assert_eq!(guest.json(WHO)["Arn"], format!("arn:aws:sts::{ACCOUNT}:federated-user/guest"));
    guest.run(&["ecr", "describe-registry"]).must_succeed();

    let used = |id: &str| administrator.json(&["iam", "get-access-key-last-used", "--access-key-id", id]);
    assert_eq!(used(ADMIN_ACCESS_KEY_ID)["AccessKeyLastUsed"]["ServiceName"], "sts");

    // A key that is switched off takes its sessions with it.
    let ada = Aws::user(&at, &administrator, "ada");
    let token = ada.json(&["sts", "get-session-token"]);
    let keys = administrator.json(&["iam", "list-access-keys", "--user-name", "ada"]);
    let id = keys["AccessKeyMetadata"][0]["AccessKeyId"].as_str().unwrap();
    let info = administrator.json(&["sts", "get-access-key-info", "--access-key-id", id]);
    assert_eq!(info["Account"], ACCOUNT);
    session(&at, &token).run(WHO).must_succeed();
    let inactive =
        ["iam", "update-access-key", "--user-name", "ada", "--status", "Inactive", "--access-key-id", id];
    administrator.run(&inactive).must_succeed();
    session(&at, &token).run(WHO).must_fail_saying(&["(InvalidClientTokenId)"]);
    ada.run(WHO).must_fail_saying(&["(InvalidClientTokenId)"]);
    administrator
        .run(&["sts", "decode-authorization-message", "--encoded-message", "x"])
        .must_fail_saying(&["(InvalidAuthorizationMessageException)"]);
}

#[test]
fn a_role_is_good_only_where_and_only_while_whoever_took_it_on_is() {
    let at = start();
    let (administrator, cli) = (Aws::administrator(&at), at.administration());
    let arn = role(&administrator, "reader", "{}");
    let ada = Aws::user(&at, &administrator, "ada");
    grant(&administrator, "ada", "sts:AssumeRole");
    let first = session(&at, &ada.json(&assume(&arn, &[])));
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;
    let put = [
        "iam",
        "put-role-policy",
        "--role-name",
        "reader",
        "--policy-name",
        "on",
        "--policy-document",
        policy,
    ];
    administrator.run(&put).must_succeed();
    let second = session(&at, &first.json(&assume(&arn, &[])));
    let works = |who: &Aws| who.run(WHO).code == Some(0);
    assert!(works(&first) && works(&second));
    cli.run("iam allowlist-update ada --allowed-ip-addresses 192.0.2.1").must_succeed();
    for session in [&ada, &first, &second] {
        assert!(!works(session), "used from elsewhere");
    }
    cli.run("iam allowlist-update ada --unset-allowed-ip-addresses").must_succeed();
    assert!(works(&first) && works(&second));
    cli.run("iam user-remove ada --force").must_succeed();
    for session in [&ada, &first, &second] {
        assert!(!works(session), "outlives whoever took it on");
    }
}

#[test]
fn a_policy_can_ask_which_client_a_management_call_comes_from() {
    let at = start();
    let administrator = Aws::administrator(&at);
    let ada = Aws::user(&at, &administrator, "ada");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
        "Condition":{"StringLike":{"aws:UserAgent":"aws-cli/*"}}}]}"#;
    let put =
        ["iam", "put-user-policy", "--user-name", "ada", "--policy-name", "cli", "--policy-document", policy];
    administrator.run(&put).must_succeed();
    ada.json(&["iam", "list-users"]);
    let library = ada.python("import boto3; boto3.client('iam').list_users()");
    library.must_fail_saying(&["is not authorized to perform: iam:ListUsers"]);
}
