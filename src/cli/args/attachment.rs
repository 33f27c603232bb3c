//! `compliance rule-attachment…`: which registries a configuration rule is for.

use clap::Args;

use super::cr::Formatted;
use super::iam::Consent;

/// Some of the registries, as people write them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Scope {
    Account,
    Region(String),
    Registry(String),
}

impl std::str::FromStr for Scope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "account" => Ok(Self::Account),
            Some(("region", name)) if !name.is_empty() => Ok(Self::Region(name.to_owned())),
            Some(("registry", name)) if !name.is_empty() => Ok(Self::Registry(name.to_owned())),
            None | Some(_) => Err("a scope is `account`, `region:NAME` or `registry:NAME`"),
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Scopes {
    /// What the rule is for: account, region:NAME or registry:NAME
    #[arg(long, value_name = "SCOPE")]
    pub(in crate::cli) include: Scope,
    /// What of that it is not for; repeatable
    #[arg(long, value_name = "SCOPE")]
    pub(in crate::cli) exclude: Vec<Scope>,
    /// A note on what is included
    #[arg(long)]
    pub(in crate::cli) note: Option<String>,
}

/// The attachments of a rule.
#[derive(Args, Debug)]
pub(in crate::cli) struct AttachmentsOf {
    /// The id of the rule
    pub(in crate::cli) rule: String,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AttachmentCreate {
    /// The id of the rule
    pub(in crate::cli) rule: String,
    #[command(flatten)]
    pub(in crate::cli) scopes: Scopes,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AttachmentUpdate {
    /// The id of the rule
    pub(in crate::cli) rule: String,
    /// The id of the attachment
    pub(in crate::cli) id: String,
    #[command(flatten)]
    pub(in crate::cli) scopes: Scopes,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AttachmentDelete {
    /// The id of the rule
    pub(in crate::cli) rule: String,
    /// The id of the attachment
    pub(in crate::cli) id: String,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}
