//! The form of resources, as AWS checks it: partition, vendor, region and the paths of IAM.

use crate::policy::aws::draft::Text;
use crate::policy::aws::message::{Problem, Rule};
use crate::policy::aws::variable::{Syntax, Template};

/// What may stand for a partition.
const PARTITIONS: [&str; 10] = [
    "*",
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-us-gov",
    "aws-us-gov-iso",
];

/// How the last segment of an IAM resource begins.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// The first problem of one statement's resources. Those of form hide those of legacy parsing.
pub(super) fn problem(resources: &[Text<'_>], variables: bool) -> Option<Problem> {
    let at = |text: &Text<'_>, (rule, advice)| Problem::new(rule, text.at, advice);
    let unformed = resources.iter().find_map(|text| form(&text.text).err().map(|why| at(text, why)));
    let legacy =
        || resources.iter().find_map(|text| legacy(&text.text, variables).err().map(|why| at(text, why)));
    unformed.or_else(legacy)
}

type Checked = Result<(), (Rule, &'static str)>;

fn form(resource: &str) -> Checked {
    const ARN: &str = "write arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE, or *";
    if resource == "*" {
        return Ok(());
    }
    let not_an_arn = || (Rule::ResourceForm(resource.to_owned()), ARN);
    let (label, rest) = resource.split_once(':').ok_or_else(not_an_arn)?;
    let (partition, rest) = match rest.split_once(':') {
        Some((partition, rest)) => (partition, Some(rest)),
        None => (rest, None),
    };
    if !PARTITIONS.contains(&partition) {
        return Err((misplaced(partition, rest.unwrap_or_default()), "the partition is aws"));
    }
    if label != "arn" {
        return Err(not_an_arn());
    }
    let mut segments = rest.unwrap_or_default().splitn(4, ':');
    let service = segments.next().unwrap_or_default();
    if rest.is_none() || service.contains(['*', '?']) {
        return Err((Rule::ResourceVendor, "name the service without wildcards"));
    }
    let (region, _account, path) = (segments.next(), segments.next(), segments.next());
    vendor_form(service, region, path.unwrap_or_default(), resource)
}

/// What IAM and S3 want of their resources.
fn vendor_form(service: &str, region: Option<&str>, path: &str, resource: &str) -> Checked {
    const ADVICE: &str = "leave the region empty";
    let regional = region != Some("");
    match service {
        "iam" if regional => Err((Rule::IamRegion(resource.to_owned()), ADVICE)),
        "iam" if path != "*" && !IAM_PATHS.iter().any(|known| path.starts_with(known)) => Err((
            Rule::IamPath,
            "begin with the kind, for example role/, and write the root user's account elsewhere",
        )),
        "s3" if regional && !path.starts_with("accesspoint/") => {
            Err((Rule::ResourceRegion(resource.to_owned()), ADVICE))
        }
        _ => Ok(()),
    }
}

/// AWS prints what it understood, with `*` for each segment that is missing.
fn misplaced(partition: &str, rest: &str) -> Rule {
    let mut segments: Vec<&str> = rest.splitn(4, ':').collect();
    if segments == [""] {
        segments.clear();
    }
    segments.resize(4, "*");
    Rule::Partition { partition: partition.to_owned(), rest: segments.join(":") }
}

fn legacy(resource: &str, variables: bool) -> Checked {
    if resource == "*" {
        return Ok(());
    }
    let mut segments = resource.splitn(6, ':');
    let service = segments.nth(2);
    let skips = segments.count() < 3 && resource.contains("::");
    if skips || service == Some("") {
        return Err((
            Rule::Legacy,
            "write all six segments, and a service: arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE",
        ));
    }
    if !variables || !resource.contains('$') {
        return Ok(());
    }
    let early = resource.splitn(6, ':').take(5).any(|segment| segment.contains("${"));
    if early {
        return Err((Rule::Legacy, "use variables only after the fifth colon"));
    }
    let syntax = Syntax { variables, wildcards: true };
    Template::parse(resource, syntax).map(drop).map_err(|_| {
        (
            Rule::Legacy,
            "write variables as ${key} or ${key, 'default'}, and a dollar sign before a brace as ${$}",
        )
    })
}
