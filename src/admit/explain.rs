//! What the gate would say, with every statement that decides: for explanations only, never a permit.

use super::caller::Caller;
use super::context::Facts;
use super::judge::Judge;
use crate::clock::UnixTime;
use crate::policy::engine::question::Outcome;
use crate::policy::resource::Resource;
use crate::policy::words::Words;

/// Decides as if the caller asked now. `told` are condition keys and their values that count in place of what is known.
#[must_use]
pub fn explain(
    caller: &Caller,
    words: &Words,
    resource: &Resource,
    now: UnixTime,
    told: &[(String, String)],
) -> Outcome {
    let facts = Facts { caller, now, region: resource.region.as_ref(), call: None };
    Judge { verdicts: None, facts }.explain(words, resource, told)
}
