//! What IBM's APIs have no call for: who am I, which registries are there, access keys. Why (not) and who can have their own file.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::RegistrySite;
use super::answer::Answer;
use super::call::Call;
use super::ibm::{accounts, images};
use crate::control::problem::{Noun, Problem};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ApiKeyId, ServiceId};
use crate::network::allow_list::AllowList;
use crate::store::findings::Kept;
use crate::store::network::ListHolder;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Native {
    AllowList,
    CreateAccessKey,
    Explain,
    Registries,
    SetAllowList,
    UploadReport,
    WhoCan,
    Whoami,
}

/// A list; an empty one takes it away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowListBody {
    allowed_ip_addresses: String,
}

/// Whose access key; the caller's own if nobody is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessKeyBody {
    iam_id: Option<PrincipalId>,
}

pub(super) async fn answer(
    which: Native,
    call: &Call<'_>,
    registries: &[RegistrySite],
) -> Result<Answer, Problem> {
    match which {
        Native::AllowList => {
            let of = holder(call)?;
            let done = call.desk.allow_list(&call.caller, &of).await?;
            Ok(Answer::of(StatusCode::OK, done, |list| allow_list(&of, list.as_ref())))
        }
        Native::CreateAccessKey => access_key(call).await,
        Native::Explain => super::explain::explain(call).await,
        Native::Registries => Ok(Answer::public(json!({
            "registries": registries.iter().map(site).collect::<Vec<_>>(),
        }))),
        Native::SetAllowList => {
            let (of, body) = (holder(call)?, call.body::<AllowListBody>()?);
            let insistence = accounts::insistence(call)?;
            let text = &body.allowed_ip_addresses;
            let done = call.desk.set_allow_list(&call.caller, &of, text, insistence).await?;
            Ok(Answer::of(StatusCode::OK, done, |list| allow_list(&of, list.as_ref())))
        }
        Native::UploadReport => upload_report(call).await,
        Native::WhoCan => super::explain::who_can(call).await,
        Native::Whoami => whoami(call).await,
    }
}

async fn access_key(call: &Call<'_>) -> Result<Answer, Problem> {
    let owner = call.body::<AccessKeyBody>()?.iam_id;
    let owner = owner.unwrap_or_else(|| call.caller.principal().clone());
    let done = call.desk.give_access_key(&call.caller, owner).await?;
    let target = done.value.0.id.clone();
    let answer = Answer::of(StatusCode::CREATED, done, |(row, secret)| {
        json!({
            "access_key_id": row.id,
            "secret_access_key": secret.expose(),
            "iam_id": row.owner,
            "created_at": row.created_at.rfc3339(),
        })
    });
    Ok(answer.about(&target))
}

/// Keeps a report about an image, whatever format it is in.
async fn upload_report(call: &Call<'_>) -> Result<Answer, Problem> {
    let image = images::named(call, call.text("image"))?;
    let (caller, request) = (&call.caller, call.request);
    let done = call.desk.upload_report(caller, &request.region, &image, &request.body).await?;
    let answer = Answer::of(StatusCode::CREATED, done, |taken| {
        let (kept, new) = match taken.kept {
            Kept::Now(new) => (true, new),
            Kept::Outdated => (false, 0),
        };
        json!({
            "digest": taken.of.digest,
            "format": taken.format,
            "findings": taken.findings,
            "new_findings": new,
            "kept": kept,
        })
    });
    Ok(answer.about(&image))
}

/// Whose list is meant: an IAM id, a service ID or an API key.
fn holder(call: &Call<'_>) -> Result<ListHolder, Problem> {
    let text = call.text("id");
    if let Ok(id) = ApiKeyId::parse(text) {
        return Ok(ListHolder::ApiKey(id));
    }
    if let Ok(id) = ServiceId::parse(text) {
        return Ok(ListHolder::Principal(PrincipalId::ServiceId(id)));
    }
    call.id("id", Noun::Principal, PrincipalId::parse).map(ListHolder::Principal)
}

fn allow_list(of: &ListHolder, list: Option<&AllowList>) -> Value {
    let id = match of {
        ListHolder::ApiKey(id) => json!(id),
        ListHolder::Principal(id) => json!(id),
    };
    json!({"id": id, "allowed_ip_addresses": list.map(ToString::to_string).unwrap_or_default()})
}

fn site(site: &RegistrySite) -> Value {
    json!({
        "name": site.name,
        "region": site.region,
        "aliases": site.aliases,
        "private_name": site.private_name,
    })
}

async fn whoami(call: &Call<'_>) -> Result<Answer, Problem> {
    let done = call.desk.whoami(&call.caller).await?;
    let caller = &call.caller;
    Ok(Answer::of(StatusCode::OK, done, |account_name| {
        json!({
            "iam_id": caller.principal(),
            "name": caller.name(),
            "account_id": caller.account,
            "account_name": account_name,
            "apikey_id": caller.credential.api_key(),
            "access_groups": caller.bundle.groups,
            "address": caller.from.ip().to_string(),
            "endpoint": caller.endpoint.label(),
        })
    }))
}
