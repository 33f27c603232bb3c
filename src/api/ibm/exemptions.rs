//! Vulnerability Advisor's exemptions, with an expiry and a reason of our own.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::images::bare;
use super::registry::same_account;
use crate::clock::UnixTime;
use crate::control::exemption::{Terms, Which};
use crate::control::problem::{Noun, Problem};
use crate::findings::exemption::{IssueType, Scope, issue_id};
use crate::policy::table::Action;
use crate::registry::reference::Reference;
use crate::store::findings::ExemptionRecord;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Exemptions {
    All,
    Create,
    Delete,
    DeleteAll,
    List,
    OfImage,
    OfImages,
    Read,
    Types,
}

/// Nothing of it need be said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsBody {
    expires_at: Option<String>,
    reason: Option<String>,
}

pub(in super::super) async fn answer(which: Exemptions, call: &Call<'_>) -> Result<Answer, Problem> {
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    let listed = |rows: Vec<ExemptionRecord>| rows.iter().map(|row| one(call, row)).collect();
    match which {
        Exemptions::All => {
            Ok(Answer::of(StatusCode::OK, desk.exemptions(caller, region, None).await?, listed))
        }
        Exemptions::Create => {
            let done = desk
                .exempt(caller, region, named(call, Action::ExemptionManager).await?, terms(call)?)
                .await?;
            Ok(Answer::of(StatusCode::CREATED, done, |row| one(call, &row)))
        }
        Exemptions::Delete => {
            let done =
                desk.end_exemption(caller, region, &named(call, Action::ExemptionManager).await?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Exemptions::DeleteAll => {
            let done = desk.end_exemptions(caller, region).await?;
            Ok(Answer::of(StatusCode::OK, done, |gone| json!({"number_of_exemptions_deleted": gone})))
        }
        Exemptions::List => {
            let done = desk
                .exemptions(caller, region, Some(&sound(call, Action::ExemptionList, scope(call)).await?))
                .await?;
            Ok(Answer::of(StatusCode::OK, done, listed))
        }
        Exemptions::OfImage => {
            let image = sound(call, Action::ExemptionList, scope(call)).await?;
            let done = desk.exemptions(caller, region, None).await?;
            Ok(Answer::of(StatusCode::OK, done, |rows| reaching(call, &rows, &image)))
        }
        Exemptions::OfImages => {
            let names: Vec<String> = sound(call, Action::ExemptionList, call.list()).await?;
            let images = names.iter().map(|name| Scope::parse(bare(call, name)).map_err(Problem::from));
            let images = sound(call, Action::ExemptionList, images.collect::<Result<Vec<_>, _>>()).await?;
            let done = desk.exemptions(caller, region, None).await?;
            let of = |rows: Vec<ExemptionRecord>| {
                let each = names.iter().zip(&images);
                let each = each.map(|(name, image)| (name.clone(), reaching(call, &rows, image)));
                Value::Object(each.collect::<Map<_, _>>())
            };
            Ok(Answer::of(StatusCode::OK, done, of))
        }
        Exemptions::Read => {
            let which = named(call, Action::ExemptionList).await?;
            let mut done = desk.exemptions(caller, region, Some(&which.scope)).await?;
            done.value.retain(|row| row.exemption.is_of(which.issue_type, &which.issue_id));
            if done.value.is_empty() {
                return Err(Problem::NotFound(Noun::Exemption, which.issue_id.to_string()));
            }
            Ok(Answer::of(StatusCode::OK, done, |rows| rows.first().map(|row| one(call, row)).into()))
        }
        Exemptions::Types => Ok(Answer::public(IssueType::ALL.into_iter().map(kind).collect())),
    }
}

/// Where: all of the account, unless the path says otherwise.
fn scope(call: &Call<'_>) -> Result<Scope, Problem> {
    match call.text("resource") {
        "" => Ok(Scope::Account),
        text => Ok(Scope::parse(bare(call, text))?),
    }
}

/// What was read of a call. Who may not do this anyway is not told what is wrong with it.
async fn sound<T>(call: &Call<'_>, action: Action, read: Result<T, Problem>) -> Result<T, Problem> {
    if read.is_err() {
        call.desk.may_exempt(&call.caller, &call.request.region, action).await?;
    }
    read
}

/// Which exemption is meant.
async fn named(call: &Call<'_>, action: Action) -> Result<Which, Problem> {
    let read = || -> Result<Which, Problem> {
        let issue_type = IssueType::parse(call.text("type"))?;
        Ok(Which { scope: scope(call)?, issue_type, issue_id: issue_id(call.text("id"))? })
    };
    sound(call, action, read()).await
}

fn terms(call: &Call<'_>) -> Result<Terms, Problem> {
    if call.request.body.is_empty() {
        return Ok(Terms::default());
    }
    let body: TermsBody = call.body()?;
    let time = |text: String| {
        UnixTime::parse(&text).map_err(|_| {
            Problem::Invalid("`expires_at` is no time: write it like 2026-12-31T00:00:00Z".to_owned())
        })
    };
    let expires_at = body.expires_at.map(time).transpose()?;
    Ok(Terms { expires_at, reason: body.reason.unwrap_or_default() })
}

/// The exemptions that reach what is named.
fn reaching(call: &Call<'_>, rows: &[ExemptionRecord], of: &Scope) -> Value {
    let reaches = |row: &&ExemptionRecord| match (&row.exemption.scope, of) {
        (scope @ Scope::Image(..), _) => scope == of,
        (scope, Scope::Image(name, _) | Scope::Repository(name)) => scope.reaches(name),
        (scope, Scope::Account | Scope::Namespace(_)) => *scope == Scope::Account || scope == of,
    };
    rows.iter().filter(reaches).map(|row| one(call, row)).collect()
}

fn one(call: &Call<'_>, row: &ExemptionRecord) -> Value {
    let exemption = &row.exemption;
    let (namespace, repository, tag) = match &exemption.scope {
        Scope::Account => (None, None, None),
        Scope::Namespace(namespace) => (Some(namespace.as_str()), None, None),
        Scope::Repository(name) => (Some(name.namespace()), Some(name), None),
        Scope::Image(name, by) => (Some(name.namespace()), Some(name), Some(by)),
    };
    let repository = repository.map(|name| {
        let rest = name.as_str().split_once('/').map(|(_, rest)| rest);
        rest.unwrap_or_default().to_owned()
    });
    let digest = tag.and_then(|by| match by {
        Reference::Digest(digest) => Some(digest.to_string()),
        Reference::Tag(_) => None,
    });
    json!({
        "account_id": call.caller.account,
        "issue_id": exemption.issue_id,
        "issue_type": exemption.issue_type.label(),
        "scope": {
            "scope_type": exemption.scope.kind(),
            "namespace": namespace,
            "repository": repository,
            "tag": tag.filter(|_| digest.is_none()).map(Reference::as_str),
            "digest": digest,
        },
        "expires_at": exemption.expires_at.map(UnixTime::rfc3339),
        "reason": (!exemption.reason.is_empty()).then_some(&exemption.reason),
        "created_by": row.created_by,
        "created_at": row.created_at.rfc3339(),
    })
}

fn kind(one: IssueType) -> Value {
    let pattern = match one {
        IssueType::Configuration => "^[!-~]{1,128}$",
        IssueType::Cve => "^CVE-[0-9]{4}-[0-9]+$",
        IssueType::Notice => "^[!-~]{1,128}$",
    };
    json!({
        "display_name": one.display_name(),
        "identifier": one.label(),
        "translation_key": format!("va.exemption.{}", one.label()),
        "validation_regex": pattern,
    })
}
