//! What sessions are made of: how long they last, what limits them, what they carry.

use super::super::problem::{AwsCode, AwsProblem};
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::credential::session::{Limit, Session, Temporary};
use crate::policy::aws::arn::{Arn, Name};
use crate::policy::aws::kind::Kind as DocumentKind;
use crate::policy::aws::validate;
use crate::store::aws::holder::AwsPolicyArn;
use crate::store::aws::tag::Tag;
use crate::view::compile;

/// How many characters a session's own document may have.
const DOCUMENT_MAX: usize = 2_048;

/// How many managed policies may limit a session.
const POLICIES_MAX: usize = 10;

/// How many tags a session may have.
const TAGS_MAX: usize = 50;

/// What limits and describes a session, as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// How long, in seconds.
    pub duration: Option<i64>,
    /// A document that limits it.
    pub policy: Option<String>,
    /// Managed policies that limit it.
    pub policy_arns: Vec<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A session that has begun.
#[derive(Debug)]
pub struct Begun {
    /// The credentials.
    pub temporary: Temporary,
    /// How much of what a session can carry it carries, in percent; `None` if it carries nothing.
    pub packed: Option<usize>,
}

pub(super) fn invalid(text: impl Into<String>) -> AwsProblem {
    AwsProblem::said(AwsCode::ValidationError, text)
}

/// How long a session lasts: what is asked for, or the default, between 900 seconds and `most`.
pub(super) fn duration(asked: Option<i64>, otherwise: i64, most: i64) -> Result<i64, AwsProblem> {
    let seconds = asked.unwrap_or(otherwise);
    let constraint = match seconds {
        ..900 => "have value greater than or equal to 900".to_owned(),
        _ if seconds > most => format!("have value less than or equal to {most}"),
        _ => return Ok(seconds),
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must {constraint}"
    )))
}

impl Wish {
    /// The tags, as a session keeps them.
    pub(super) fn pairs(&self) -> Result<Vec<(String, String)>, AwsProblem> {
        if self.tags.len() > TAGS_MAX {
            return Err(invalid(format!("A session can have up to {TAGS_MAX} tags.")));
        }
        crate::control::aws::iam::tag::distinct(&self.tags)?;
        Ok(self.tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Condition keys that the tags make.
    pub(super) fn context(&self) -> Vec<(String, Vec<String>)> {
        let of_tag = |tag: &Tag| (format!("aws:RequestTag/{}", tag.key()), vec![tag.value().to_owned()]);
        let mut keys: Vec<_> = self.tags.iter().map(of_tag).collect();
        if !self.tags.is_empty() {
            keys.push(("aws:TagKeys".to_owned(), self.tags.iter().map(|tag| tag.key().to_owned()).collect()));
        }
        keys
    }
}

impl Desk {
    /// What limits a session; `None` if nothing does.
    pub(super) async fn limits(&self, wish: &Wish) -> Result<Option<Vec<Limit>>, AwsProblem> {
        if wish.policy.is_none() && wish.policy_arns.is_empty() {
            return Ok(None);
        }
        if wish.policy_arns.len() > POLICIES_MAX {
            return Err(invalid(format!(
                "A session can be limited by up to {POLICIES_MAX} managed policies."
            )));
        }
        let mut limits = Vec::new();
        for arn in &wish.policy_arns {
            limits.push(self.managed_limit(arn).await?);
        }
        if let Some(text) = &wish.policy {
            if text.chars().count() > DOCUMENT_MAX {
                let text = "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048";
                return Err(invalid(text));
            }
            validate::read(text, DocumentKind::Session)
                .map_err(|wrong| AwsProblem::said(AwsCode::MalformedPolicyDocument, wrong.message))?;
            limits.push(Limit::Inline(text.clone()));
        }
        Ok(Some(limits))
    }

    async fn managed_limit(&self, text: &str) -> Result<Limit, AwsProblem> {
        let shown = crate::ids::Malformed::new(text, "").text;
        let missing = || {
            let text = format!("Policy {shown} does not exist or is not attachable.");
            AwsProblem::said(AwsCode::NoSuchEntity, text)
        };
        if AwsPolicyArn::parse(text).is_ok() {
            return compile::managed_named(text).map(|_| Limit::Aws(text.to_owned())).ok_or_else(missing);
        }
        let Ok(Arn::Policy { account, path, name }) = Arn::parse(text) else {
            return Err(invalid(format!("{shown} is invalid")));
        };
        let row = self.store.managed_policy_named(&name).await?;
        let row = row.filter(|row| account == self.account && row.path == path && row.name == name);
        row.map(|row| Limit::Customer(row.id)).ok_or_else(missing)
    }

    /// Begins a session, unless it carries too much.
    pub(super) fn begin(&self, session: Session) -> Result<Begun, AwsProblem> {
        let packed = session.packed();
        if packed > 100 {
            let text = format!(
                "Packed size of the session's policies and tags consumes {packed}% of allotted space."
            );
            return Err(AwsProblem::said(AwsCode::PackedPolicyTooLarge, text));
        }
        let temporary = self.sealer.begin(session, &*self.entropy);
        Ok(Begun { temporary, packed: Some(packed).filter(|packed| *packed > 0) })
    }

    /// When a session of so many seconds begins and is over.
    pub(super) fn span(&self, seconds: i64) -> (UnixTime, UnixTime) {
        let now = UnixTime::from_seconds(self.clock.now().seconds());
        (now, UnixTime::from_seconds(now.seconds().saturating_add(seconds)))
    }
}

/// A session's name, or a federated user's: 2 characters to `most`.
///
/// # Errors
/// `ValidationError`
pub fn session_name(parameter: &str, text: &str, most: usize) -> Result<Name, AwsProblem> {
    let wrong = |constraint: String| {
        let shown = crate::ids::Malformed::new(text, "").text;
        Err(invalid(format!(
            "1 validation error detected: Value '{shown}' at '{parameter}' failed to satisfy constraint: Member must {constraint}"
        )))
    };
    match text.chars().count() {
        0 | 1 => wrong("have length greater than or equal to 2".to_owned()),
        length if length > most => wrong(format!("have length less than or equal to {most}")),
        _ => match Name::parse(text) {
            Ok(name) => Ok(name),
            Err(_) => wrong("satisfy regular expression pattern: [\\w+=,.@-]*".to_owned()),
        },
    }
}
