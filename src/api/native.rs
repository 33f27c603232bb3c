//! What IBM's APIs have no call for: who am I, and which registries are there. Why (not) and who can have their own file.

use http::StatusCode;
use serde_json::{Value, json};

use super::RegistrySite;
use super::answer::Answer;
use super::call::Call;
use crate::control::problem::Problem;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Native {
    Explain,
    Registries,
    WhoCan,
    Whoami,
}

pub(super) async fn answer(
    which: Native,
    call: &Call<'_>,
    registries: &[RegistrySite],
) -> Result<Answer, Problem> {
    match which {
        Native::Explain => super::explain::explain(call).await,
        Native::Registries => Ok(Answer::public(json!({
            "registries": registries.iter().map(site).collect::<Vec<_>>(),
        }))),
        Native::WhoCan => super::explain::who_can(call).await,
        Native::Whoami => whoami(call).await,
    }
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
            "apikey_id": caller.api_key,
            "access_groups": caller.bundle.groups,
            "address": caller.from.ip().to_string(),
            "endpoint": caller.endpoint.label(),
        })
    }))
}
