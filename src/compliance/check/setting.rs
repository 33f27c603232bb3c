//! Goals that the settings of registries decide.

use super::{failed, passed, registry};
use crate::compliance::facts::{Facts, Registry};
use crate::compliance::verdict::{Judged, Judgement};

/// How much later than a setting a transfer may have begun that it did not stop, in milliseconds.
const SETTLES: i64 = 2000;

fn each(facts: &Facts, expected: &str, judge: impl Fn(&Registry) -> Judged) -> Judgement {
    Judgement { expected: expected.to_owned(), resources: facts.registries.iter().map(judge).collect() }
}

pub(super) fn iam_authz(facts: &Facts) -> Judgement {
    each(facts, "iam_authz is true in every registry", |one| {
        let at = registry(facts, &one.region);
        match one.iam_authz {
            true => passed(at, format!("iam_authz is true in {}", one.region)),
            false => {
                let fix =
                    format!("portcullis cr region-set {} && portcullis cr iam-policies-enable", one.region);
                failed(at, format!("iam_authz is false in {}: policies do not decide", one.region), fix)
            }
        }
    })
}

pub(super) fn platform_metrics(facts: &Facts) -> Judgement {
    each(facts, "platform_metrics is true in every registry", |one| {
        let at = registry(facts, &one.region);
        match one.platform_metrics {
            true => passed(at, format!("platform_metrics is true in {}", one.region)),
            false => {
                let region = &one.region;
                let fix =
                    format!("portcullis cr region-set {region} && portcullis cr platform-metrics --enable");
                failed(at, format!("platform_metrics is false in {region}"), fix)
            }
        }
    })
}

/// By the setting, and by what has happened since it was made.
pub(super) fn private_endpoints(facts: &Facts) -> Judgement {
    let expected = "private_only is true in every registry, and no push or pull over a public endpoint is on record since";
    each(facts, expected, |one| {
        let (at, region) = (registry(facts, &one.region), &one.region);
        let last = one.public_transfer.as_ref();
        let told = last.map(|last| format!("by {} from {} at {}", last.by, last.from, last.at.rfc3339()));
        if !one.private_only {
            let record = told.map_or_else(
                || "none over a public endpoint is on record".to_owned(),
                |told| format!("the last one over a public endpoint was {told}"),
            );
            let fix = format!("portcullis cr region-set {region} && portcullis cr private-only --enable");
            return failed(at, format!("private_only is false in {region}; {record}"), fix);
        }
        let since = one.private_since.unwrap_or(facts.at);
        let broken = last.filter(|last| last.at.millis() > since.millis().saturating_add(SETTLES));
        match (broken, told) {
            (Some(_), Some(told)) => {
                let found = format!(
                    "private_only is true in {region}, but a push or pull over a public endpoint went through {told}"
                );
                failed(at, found, "portcullis check --config FILE, and look at `endpoint` of the listeners")
            }
            (Some(_), None) | (None, _) => passed(
                at,
                format!(
                    "private_only is true in {region}, and no push or pull over a public endpoint is on record since"
                ),
            ),
        }
    })
}
