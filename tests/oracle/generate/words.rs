//! The words that worlds at random are made of: few, so that policies and questions meet, and each with its
//! near miss.

/// What an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum On {
    /// No resource type: `*`.
    Nothing,
    /// A repository.
    Repository,
    /// A role, by its trust policy.
    Role,
    /// A user.
    User,
}

/// An operation in both clouds' words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) ibm: Option<&'static str>,
    pub(crate) aws: &'static [&'static str],
    pub(crate) on: On,
}

const fn on(on: On, ibm: &'static str, aws: &'static [&'static str]) -> Operation {
    Operation { ibm: if ibm.is_empty() { None } else { Some(ibm) }, aws, on }
}

pub(crate) const ON_REPOSITORIES: &[Operation] = &[
    on(On::Repository, "container-registry.image.pull", &["ecr:BatchGetImage"]),
    on(On::Repository, "container-registry.image.push", &["ecr:PutImage"]),
    on(On::Repository, "container-registry.image.pull", &[]),
    on(On::Repository, "container-registry.image.push", &["ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]),
];

pub(crate) const OPERATIONS: [Operation; 13] = [
    on(On::Repository, "container-registry.image.pull", &["ecr:BatchGetImage"]),
    on(On::Repository, "container-registry.image.push", &["ecr:PutImage"]),
    on(On::Repository, "container-registry.image.delete", &["ecr:BatchDeleteImage"]),
    on(On::Repository, "container-registry.image.list", &["ecr:ListImages"]),
    on(On::Repository, "container-registry.image.push", &["ecr:UploadLayerPart", "ecr:CompleteLayerUpload"]),
    on(On::Repository, "container-registry.image.pull", &[]),
    on(On::Repository, "", &["ecr:SetRepositoryPolicy"]),
    on(On::Nothing, "container-registry.quota.set", &[]),
    on(On::Nothing, "", &["ecr:GetAuthorizationToken"]),
    on(On::Nothing, "", &["iam:ListRoles"]),
    on(On::User, "iam-identity.apikey.create", &["iam:CreateAccessKey"]),
    on(On::Role, "", &["sts:AssumeRole"]),
    on(On::Nothing, "", &["sts:GetCallerIdentity"]),
];

pub(crate) const ASSUME_ROLE: &[Operation] = &[
    on(On::Role, "", &["sts:AssumeRole"]),
    on(On::Role, "", &["sts:AssumeRole"]),
    on(On::Role, "", &["sts:AssumeRole"]),
    on(On::Role, "", &["sts:AssumeRole"]),
    on(On::Role, "", &["sts:AssumeRole", "sts:TagSession"]),
    on(On::Role, "", &["sts:AssumeRoleWithWebIdentity"]),
];

pub(crate) const ACTIONS: &[&str] = &[
    "ecr:BatchGetImage",
    "ecr:PutImage",
    "ecr:BatchDeleteImage",
    "ecr:ListImages",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:GetAuthorizationToken",
    "ECR:putIMAGE",
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
    "iam:CreateAccessKey",
    "ecr:NoSuchAction",
];

pub(crate) const ACTION_PATTERNS: &[&str] = &[
    "ecr:*",
    "ecr:Batch*",
    "ecr:*Image",
    "ecr:*layer*",
    "ecr:???????s",
    "sts:*",
    "iam:*",
    "Ecr:BATCH?etImage",
];

pub(crate) const REPOSITORIES: [&str; 5] = [
    "arn:aws:ecr:us-south:111122223333:repository/team-a/app",
    "arn:aws:ecr:us-south:111122223333:repository/team-b/app",
    "arn:aws:ecr:eu-de:111122223333:repository/prod",
    "arn:aws:ecr:us-south:444455556666:repository/team-a/app",
    "arn:aws:ecr:us-south:111122223333:repository/*",
];

/// Those that have policies most.
pub(crate) const COMMON_REPOSITORIES: [&str; 5] =
    [REPOSITORIES[0], REPOSITORIES[0], REPOSITORIES[1], REPOSITORIES[2], REPOSITORIES[3]];

pub(crate) const ROLES: [&str; 2] =
    ["arn:aws:iam::111122223333:role/ci/build", "arn:aws:iam::444455556666:role/deploy"];

pub(crate) const USERS: [&str; 2] =
    ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/eng/bob"];

pub(crate) const RESOURCE_PATTERNS: &[&str] = &[
    "arn:aws:ecr:*",
    "arn:aws:ecr:*:*:repository/*",
    "arn:aws:ecr:us-south:111122223333:repository/team-a/*",
    "arn:aws:ecr:us-south:111122223333:repository/team-?/app",
    "arn:aws:ecr:us-south:111122223333:repository/${aws:PrincipalTag/team}/*",
    "arn:aws:ecr:us-south:111122223333:repository/${aws:PrincipalTag/Team, 'team-b'}/app",
    "arn:aws:ecr:*:111122223333:repository/${*}",
    "arn:aws:ecr:us-south:111122223333:repository/TEAM-A/*",
    "arn:aws:ecr:us-*:*3333:repository/team*",
    "arn:aws:ecr:us-south:111122223333:repository/${aws:TagKeys}",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::*:user/${aws:username}",
    "arn:aws:iam::111122223333:*",
];

/// Principals that a resource policy may name, from everyone to nobody.
pub(crate) const PRINCIPALS: &[&str] = &[
    "*",
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::444455556666:root",
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:user/eng/bob",
    "arn:aws:iam::111122223333:role/ci/build",
    "arn:aws:sts::111122223333:assumed-role/build/s1",
    "arn:aws:sts::111122223333:federated-user/fred",
    "AIDAALICEEXAMPLE0001",
    "AROABUILDEXAMPLE0001",
];

pub(crate) const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/issuer.test";

pub(crate) const STRING_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringLike",
    "StringNotEquals",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
];
pub(crate) const STRING_KEYS: &[&str] = &[
    "aws:PrincipalTag/team",
    "registry:Tag",
    "aws:TagKeys",
    "aws:TagKeys",
    "aws:username",
    "aws:ResourceTag/env",
    "AWS:principaltag/TEAM",
    "aws:PrincipalType",
    "aws:Referer",
];
pub(crate) const STRING_VALUES: &[&str] = &[
    "team-a",
    "team-*",
    "prod-*",
    "alice",
    "env",
    "env",
    "TEAM-A",
    "TEAM-A",
    "*",
    "?1",
    "${aws:username}",
    "${aws:PrincipalTag/team}",
    "${registry:Tag}*",
    "${aws:PrincipalTag/none, 'team-a'}",
    "team-${?}",
    "${*}",
    "User",
    "prod-1",
    "prod-1",
    "V1",
];

pub(crate) const NUMERIC_OPERATORS: &[&str] = &[
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
];
pub(crate) const NUMERIC_KEYS: &[&str] =
    &["registry:ManifestSize", "aws:MultiFactorAuthAge", "aws:EpochTime", "registry:Tag"];
pub(crate) const NUMERIC_VALUES: &[&str] = &["512", "512.0", "-1", "1048576", "600.5"];

pub(crate) const DATE_OPERATORS: &[&str] = &[
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
];
pub(crate) const DATE_KEYS: &[&str] =
    &["aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime", "registry:Tag"];
pub(crate) const DATE_VALUES: &[&str] = &[
    "2024-03-01T12:00:00Z",
    "2024-03-01T13:00:00+01:00",
    "2024-03-01",
    "1709294400",
    "2030-01-01T00:00:00.5Z",
];

pub(crate) const BOOL_KEYS: &[&str] =
    &["aws:SecureTransport", "aws:MultiFactorAuthPresent", "registry:TagExists", "registry:Tag"];
pub(crate) const BOOL_VALUES: &[&str] = &["true", "false", "TRUE", "${aws:SecureTransport}"];

pub(crate) const IP_KEYS: &[&str] = &["aws:SourceIp", "aws:VpcSourceIp", "registry:Tag"];
pub(crate) const IP_VALUES: &[&str] =
    &["10.0.0.0/8", "10.1.2.3", "192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0", "10.1.2.3/31"];

pub(crate) const ARN_OPERATORS: &[&str] = &["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"];
pub(crate) const ARN_KEYS: &[&str] = &["aws:PrincipalArn", "aws:SourceArn", "registry:Tag"];
pub(crate) const ARN_VALUES: &[&str] = &[
    "arn:aws:iam::111122223333:user/*",
    "arn:*:iam::*:role/*",
    "arn:aws:iam::*:user/${aws:username}",
    "arn:aws:iam::${aws:PrincipalAccount}:*",
    "arn:aws:iam::111122223333:role/ci/build",
    "arn:aws:*:111122223333:*:*",
];

pub(crate) const BINARY_KEYS: &[&str] = &["registry:Signature", "registry:Tag"];
pub(crate) const BINARY_VALUES: &[&str] = &["QUJD", "QUI=", ""];

pub(crate) const NULL_KEYS: &[&str] = &[
    "aws:TagKeys",
    "registry:Tag",
    "aws:TokenIssueTime",
    "aws:PrincipalTag/team",
    "aws:MultiFactorAuthPresent",
];

/// IBM roles and what they grant here.
pub(crate) const IBM_ROLES: &[(&str, &[&str])] = &[
    (
        "crn:v1:bluemix:public:iam::::serviceRole:Reader",
        &["container-registry.image.pull", "container-registry.image.list"],
    ),
    (
        "crn:v1:bluemix:public:iam::::serviceRole:Writer",
        &[
            "container-registry.image.pull",
            "container-registry.image.push",
            "container-registry.image.delete",
        ],
    ),
    (
        "crn:v1:bluemix:public:iam::::serviceRole:Manager",
        &[
            "container-registry.image.pull",
            "container-registry.image.push",
            "container-registry.image.delete",
            "container-registry.image.list",
            "container-registry.quota.set",
        ],
    ),
    ("crn:v1:bluemix:public:iam::::role:Administrator", &["iam-identity.apikey.create"]),
];

/// Values of `region` and of `resource` in IBM policies.
pub(crate) const IBM_PATTERNS: &[&str] =
    &["us-south", "team-a", "team-*", "prod", "us-?outh", "Team-a", "team-{{*}}", "*", "{{?}}"];
