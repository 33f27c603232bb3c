//! AWS's words for each refusal, and our own beside them. It decides nothing.

use std::borrow::Cow;
use std::fmt;

use super::json::Position;

/// Why a text is no policy of the wanted kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// The error code of the answer.
    pub code: Code,
    /// AWS's message.
    pub message: String,
    /// Ours: what to change.
    pub advice: Cow<'static, str>,
    /// Where, counted from 1.
    pub line: u32,
    /// The character in the line, counted from 1.
    pub column: u32,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {}: {})", self.message, self.line, self.column, self.advice)
    }
}

impl std::error::Error for Invalid {}

/// The error codes that a document can cause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// ECR's, HTTP 400.
    InvalidParameterException,
    /// HTTP 409.
    LimitExceeded,
    /// HTTP 400.
    MalformedPolicyDocument,
    /// HTTP 400.
    ValidationError,
}

impl Code {
    /// The code on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidParameterException => "InvalidParameterException",
            Self::LimitExceeded => "LimitExceeded",
            Self::MalformedPolicyDocument => "MalformedPolicyDocument",
            Self::ValidationError => "ValidationError",
        }
    }
}

/// A broken rule, where, and what to change.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) rule: Rule,
    pub(super) at: Position,
    pub(super) advice: Cow<'static, str>,
}

impl Problem {
    pub(super) fn new(rule: Rule, at: Position, advice: impl Into<Cow<'static, str>>) -> Self {
        Self { rule, at, advice: advice.into() }
    }

    /// Answers with the rule's own code and words.
    pub(super) fn spoken(self) -> Invalid {
        let (code, message) = (self.rule.code(), self.rule.to_string());
        self.answered(code, message)
    }

    /// Answers with another service's code and words.
    pub(super) fn answered(self, code: Code, message: String) -> Invalid {
        Invalid { code, message, advice: self.advice, line: self.at.line, column: self.at.column }
    }
}

/// The rules, each printed as AWS's message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Rule {
    #[error("Actions/Condition can contain only one colon.")]
    ActionColons,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    ActionPrefix,
    #[error("Vendor {0} is not valid")]
    ActionVendor(String),
    #[error("Policy statement must contain actions.")]
    ActionsMissing,
    #[error(
        "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
         instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, \
         access-report/."
    )]
    IamPath,
    #[error("IAM resource {0} cannot contain region information.")]
    IamRegion(String),
    #[error("This policy contains invalid Json")]
    Json,
    #[error("The policy failed legacy parsing")]
    Legacy,
    #[error(
        "1 validation error detected: Value at '{0}' failed to satisfy constraint: Member must have length less \
         than or equal to {1}"
    )]
    Length(&'static str, usize),
    #[error("Partition \"{partition}\" is not valid for resource \"arn:{partition}:{rest}\".")]
    Partition { partition: String, rest: String },
    #[error("Invalid principal in policy: \"{0}\":\"{1}\"")]
    PrincipalInvalid(&'static str, String),
    #[error("Missing required field Principal")]
    PrincipalMissing,
    #[error("Policy document should not specify a principal.")]
    PrincipalPresent,
    #[error("Has prohibited field {0}")]
    Prohibited(&'static str),
    #[error("Cannot exceed quota for {0}: {1}")]
    Quota(&'static str, usize),
    #[error("Resource {0} must be in ARN format or \"*\".")]
    ResourceForm(String),
    #[error("Resource {0} can not contain region information.")]
    ResourceRegion(String),
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    ResourceVendor,
    #[error("Policy statement must contain resources.")]
    ResourcesMissing,
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
         [0-9A-Za-z]*"
    )]
    SidForm,
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    SidRepeated,
    #[error("Syntax errors in policy.")]
    Syntax,
    #[error(
        "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and \
         sts:AssumeRoleWithWebIdentity"
    )]
    TrustAction,
    #[error("Policy document must be version 2012-10-17 or greater.")]
    Version,
}

impl Rule {
    const fn code(&self) -> Code {
        match self {
            Self::Length(..) => Code::ValidationError,
            Self::Quota(..) => Code::LimitExceeded,
            Self::ActionColons
            | Self::ActionPrefix
            | Self::ActionVendor(_)
            | Self::ActionsMissing
            | Self::IamPath
            | Self::IamRegion(_)
            | Self::Json
            | Self::Legacy
            | Self::Partition { .. }
            | Self::PrincipalInvalid(..)
            | Self::PrincipalMissing
            | Self::PrincipalPresent
            | Self::Prohibited(_)
            | Self::ResourceForm(_)
            | Self::ResourceRegion(_)
            | Self::ResourceVendor
            | Self::ResourcesMissing
            | Self::SidForm
            | Self::SidRepeated
            | Self::Syntax
            | Self::TrustAction
            | Self::Version => Code::MalformedPolicyDocument,
        }
    }
}
