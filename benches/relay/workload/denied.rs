//! What is refused: nobody, a token without the right, and rubbish.

use crate::cast::{Cast, OURS};
use crate::image::REPOSITORY;
use crate::page::{Page, Table};
use crate::round::{Series, take_turns};
use crate::wrk::Wrk;

/// What each refusal costs, next to a request that nginx lets pass.
pub(crate) fn refusals(cast: &Cast, page: &mut Page) {
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    let elsewhere = "/v2/someone/else/manifests/v1";
    let base = || Wrk { refused: true, ..Wrk::get(&path) };
    let token = cast.proxy.contender.token.clone().unwrap_or_default();
    let rubbish = format!("{}x", token.get(..token.len().saturating_sub(9)).unwrap_or_default());
    let cases = [
        ("401: no credentials", Wrk { authorization: Some("None".to_owned()), ..base() }),
        (
            "401: a token with a wrong signature",
            Wrk { authorization: Some(format!("Bearer {rubbish}")), ..base() },
        ),
        ("refused by policy", Wrk { path: elsewhere, ..base() }),
    ];
    let mut series: Vec<Series> = Vec::new();
    for (name, wrk) in cases {
        let all = take_turns(&[&cast.proxy.contender], |contender| wrk.run(contender));
        series.extend(all.into_iter().map(|series| Series { name, ..series }));
    }
    let wrk = Wrk::get(&path);
    series.extend(take_turns(&[&cast.asking], |contender| wrk.run(contender)));
    page.table(&Table {
        title: "Refusals by Portcullis",
        slug: "refusals",
        unit: "requests",
        divisor: 1.0,
        ours: OURS,
        series: &series,
    });
}
