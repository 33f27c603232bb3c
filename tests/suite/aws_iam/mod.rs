//! IAM as AWS's own clients drive it.

use super::support::aws::Aws;
use super::support::portcullis::{ACCOUNT, Portcullis};

/// Where there is nothing to push to or pull from.
fn start() -> Portcullis {
    Portcullis::before("http://127.0.0.1:9")
}

/// Makes a user with an access key.
fn user(at: &Portcullis, admin: &Aws, name: &str) -> Aws {
    admin.json(&["iam", "create-user", "--user-name", name]);
    let made = admin.json(&["iam", "create-access-key", "--user-name", name]);
    let text = |member: &str| made["AccessKey"][member].as_str().unwrap().to_owned();
    Aws::with_key(at, &text("AccessKeyId"), &text("SecretAccessKey"))
}

#[test]
fn boto3_walks_every_operation() {
    let done = Aws::administrator(&start()).python(include_str!("walk.py")).must_succeed();
    assert_eq!(done.stdout.lines().count(), portcullis::api::aws::iam::Iam::ALL.len(), "{}", done.stdout);
}

/// Seed: "By default, IAM users and roles do NOT have permission".
#[test]
fn a_user_with_no_policy_can_do_nothing() {
    let at = start();
    let bob = user(&at, &Aws::administrator(&at), "bob");
    let denied = |action: &str, resource: &str| {
        format!(
            "(AccessDenied) when calling the {} operation: User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to \
             perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
            action.split_once(':').unwrap().1
        )
    };
    let own = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    bob.run(&["iam", "get-user"]).must_fail_saying(&[&denied("iam:GetUser", &own)]);
    bob.run(&["iam", "list-users"]).must_fail_saying(&[&denied("iam:ListUsers", "*")]);
    bob.run(&["iam", "create-access-key"]).must_fail_saying(&[&denied("iam:CreateAccessKey", &own)]);
    assert_eq!(bob.json(&["sts", "get-caller-identity"])["Arn"], own.as_str());
}

/// Seed: "Allow Users to View Their Own Permissions".
#[test]
fn users_see_only_themselves_with_the_policy_of_the_guide() {
    let at = start();
    let admin = Aws::administrator(&at);
    let bob = user(&at, &admin, "bob");
    user(&at, &admin, "alice");
    let document = include_str!("../../../src/policy/aws/managed/ViewOwnUserInfo.json");
    let put = [
        "iam",
        "put-user-policy",
        "--user-name",
        "bob",
        "--policy-name",
        "own",
        "--policy-document",
        document,
    ];
    admin.run(&put).must_succeed();
    assert_eq!(bob.json(&["iam", "get-user"])["User"]["UserName"], "bob");
    let own = bob.json(&["iam", "list-user-policies", "--user-name", "bob"]);
    assert_eq!(own["PolicyNames"][0], "own");
    bob.json(&["iam", "get-user-policy", "--user-name", "bob", "--policy-name", "own"]);
    bob.json(&["iam", "list-attached-user-policies", "--user-name", "bob"]);
    bob.json(&["iam", "list-groups-for-user", "--user-name", "bob"]);
    bob.json(&["iam", "list-policies", "--scope", "AWS"]);
    bob.json(&["iam", "list-users"]);
    for (verb, option) in
        [("get-user", "alice"), ("list-user-policies", "alice"), ("list-groups-for-user", "nobody")]
    {
        bob.run(&["iam", verb, "--user-name", option]).must_fail_saying(&["(AccessDenied)"]);
    }
    bob.run(&["iam", "delete-user-policy", "--user-name", "bob", "--policy-name", "own"])
        .must_fail_saying(&["perform: iam:DeleteUserPolicy on resource: "]);
}

#[test]
fn what_is_taken_away_is_gone_on_the_next_call() {
    let at = start();
    let admin = Aws::administrator(&at);
    let bob = user(&at, &admin, "bob");
    let policy = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let with = |verb| ["iam", verb, "--user-name", "bob", "--policy-arn", policy];
    for _ in 0..2 {
        bob.run(&["iam", "list-roles"]).must_fail_saying(&["(AccessDenied)"]);
        admin.run(&with("attach-user-policy")).must_succeed();
        bob.json(&["iam", "list-roles"]);
        admin.run(&with("detach-user-policy")).must_succeed();
    }
    admin.run(&["iam", "create-group", "--group-name", "readers"]).must_succeed();
    admin
        .run(&["iam", "attach-group-policy", "--group-name", "readers", "--policy-arn", policy])
        .must_succeed();
    admin.run(&["iam", "add-user-to-group", "--group-name", "readers", "--user-name", "bob"]).must_succeed();
    bob.json(&["iam", "list-roles"]);
    admin
        .run(&["iam", "remove-user-from-group", "--group-name", "readers", "--user-name", "bob"])
        .must_succeed();
    bob.run(&["iam", "list-roles"]).must_fail_saying(&["(AccessDenied)"]);
}
