//! The `aws` command in front of Portcullis: who signs, who does not, and what each reads.

use super::support::aws::Aws;
use super::support::portcullis::{ACCOUNT, ADMIN_ACCESS_KEY_ID, ADMIN_SECRET_ACCESS_KEY, Portcullis, field};

/// Where there is nothing to push to or pull from.
fn start() -> Portcullis {
    Portcullis::before("http://127.0.0.1:9")
}

#[test]
fn the_administrator_of_init_is_somebody_to_the_aws_command() {
    let at = start();
    let who = Aws::administrator(&at).json(&["sts", "get-caller-identity"]);
    assert_eq!(who["Account"], ACCOUNT);
    assert_eq!(who["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/admin"));
    assert!(who["UserId"].as_str().unwrap().starts_with("AIDA"), "{who}");
}

#[test]
fn wrong_secrets_and_unknown_keys_read_what_aws_says() {
    let at = start();
    let wrong = Aws::with_key(&at, ADMIN_ACCESS_KEY_ID, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    wrong.run(&["sts", "get-caller-identity"]).must_fail_saying(&[
        "(SignatureDoesNotMatch) when calling the GetCallerIdentity operation: The request signature we calculated does not match",
    ]);
    wrong.run(&["ecr", "describe-registry"]).must_fail_saying(&["(InvalidSignatureException)"]);
    let unknown = Aws::with_key(&at, "AKIAIOSFODNN7EXAMPLE", ADMIN_SECRET_ACCESS_KEY);
    unknown.run(&["sts", "get-caller-identity"]).must_fail_saying(&[
        "(InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid.",
    ]);
    unknown.run(&["ecr", "describe-registry"]).must_fail_saying(&["(UnrecognizedClientException)"]);
    let unsigned = Aws::anonymous(&at).run(&["sts", "get-caller-identity", "--no-sign-request"]);
    unsigned.must_fail_saying(&["(MissingAuthenticationToken)", "Request is missing Authentication Token"]);
}

#[test]
fn an_access_key_that_the_command_line_makes_signs_for_whom_it_was_made() {
    let at = start();
    let administration = at.administration();
    administration.run("iam service-id-create robot").must_succeed();
    let made = administration.run("iam access-key-create robot").must_succeed().stdout;
    let value = |label: &str| field(&made, label).unwrap();
    let robot = Aws::with_key(&at, value("Access Key ID"), value("Secret Access Key"));
    let who = robot.json(&["sts", "get-caller-identity"]);
    assert!(who["Arn"].as_str().unwrap().contains(":user/service-id/ServiceId-"), "{who}");
    administration.run("iam access-key-create robot --output json").must_succeed();
    let third = administration.run("iam access-key-create robot");
    third.must_fail_saying(&["there are 2 access keys already"]);
    administration.run("iam access-key-create nobody").must_fail_saying(&["There is no principal `nobody`"]);
    let own = administration.run("iam access-key-create --output json").must_succeed().stdout;
    assert!(own.contains("\"access_key_id\": \"AKIA"), "{own}");
}

#[test]
fn boto3_presigns_a_url_that_says_who_asks() {
    let at = start();
    let presigned = Aws::administrator(&at).python(
        "import boto3, urllib.request, os, ssl\n\
         url = boto3.client('sts').generate_presigned_url('get_caller_identity', ExpiresIn=60, HttpMethod='GET')\n\
         trust = ssl.create_default_context(cafile=os.environ['AWS_CA_BUNDLE'])\n\
         print(urllib.request.urlopen(url, context=trust).read().decode())\n\
         try: urllib.request.urlopen(url.replace('GetCallerIdentity', 'GetSessionToken'), context=trust)\n\
         except urllib.error.HTTPError as error: print(error.code, error.read().decode())\n",
    );
    let said = presigned.must_succeed().stdout;
    assert!(said.contains(&format!("<Arn>arn:aws:iam::{ACCOUNT}:user/admin</Arn>")), "{said}");
    assert!(said.contains("403 <ErrorResponse") || said.contains("400 <ErrorResponse"), "{said}");
}

#[test]
fn a_shell_with_jq_reads_what_it_reads_from_aws() {
    let said = Aws::administrator(&start()).shell("aws sts get-caller-identity | jq -r .Account");
    assert_eq!(said.must_succeed().stdout.trim(), ACCOUNT);
}
