//! What the gate would say, with every statement that decides: for explanations only, never a permit.

use super::caller::Caller;
use super::context::Facts;
use super::judge::Judge;
use crate::clock::UnixTime;
use crate::policy::engine::question::Outcome;
use crate::policy::resource::Resource;
use crate::policy::words::Words;
use crate::view::repository::RepositoryState;

/// Decides as if the caller asked now. `repository` is what the repository says that the resource is, if it is one. `told` are condition keys and their values that count in place of what is known.
#[must_use]
pub fn explain(
    caller: &Caller,
    words: &Words,
    (resource, repository): (&Resource, Option<&RepositoryState>),
    now: UnixTime,
    told: &[(String, String)],
) -> Outcome {
    let facts = Facts { caller, now, region: resource.region.as_ref(), call: None, repository };
    Judge { verdicts: None, facts }.explain(words, resource, told)
}
