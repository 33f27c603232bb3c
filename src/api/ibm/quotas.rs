//! Quotas in Container Registry's API: limits are set in megabytes and shown in bytes, and -1 is any number.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::super::answer::Answer;
use super::super::call::Call;
use super::registry::same_account;
use crate::control::problem::Problem;
use crate::control::quota::QuotaChange;

/// A megabyte, as Container Registry counts.
const MEGABYTE: u64 = 1024 * 1024;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Quotas {
    Read,
    Update,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    storage_megabytes: Option<i64>,
    traffic_megabytes: Option<i64>,
}

pub(in super::super) async fn answer(which: Quotas, call: &Call<'_>) -> Result<Answer, Problem> {
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    match which {
        Quotas::Read => {
            let done = desk.quota(caller, region).await?;
            Ok(Answer::of(StatusCode::OK, done, |(limit, used)| {
                json!({
                    "limit": {"storage_bytes": shown(limit.storage), "traffic_bytes": shown(limit.traffic)},
                    "usage": {"storage_bytes": used.storage, "traffic_bytes": used.traffic},
                })
            }))
        }
        Quotas::Update => {
            let body: Body = call.body()?;
            let change = QuotaChange {
                storage: body.storage_megabytes.map(|given| limit("storage_megabytes", given)).transpose()?,
                traffic: body.traffic_megabytes.map(|given| limit("traffic_megabytes", given)).transpose()?,
            };
            Ok(Answer::done(StatusCode::OK, desk.set_quota(caller, region, change).await?))
        }
    }
}

fn shown(limit: Option<u64>) -> i64 {
    limit.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn limit(name: &str, megabytes: i64) -> Result<Option<u64>, Problem> {
    let wrong =
        || Problem::Invalid(format!("`{name}` is neither -1 for any number nor a number of megabytes"));
    match u64::try_from(megabytes) {
        Ok(megabytes) => {
            let bytes = megabytes.checked_mul(MEGABYTE).filter(|bytes| i64::try_from(*bytes).is_ok());
            bytes.map(Some).ok_or_else(wrong)
        }
        Err(_) if megabytes == -1 => Ok(None),
        Err(_) => Err(wrong()),
    }
}
