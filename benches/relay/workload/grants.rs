//! Registry tokens for an API key that has been good before.

use crate::cast::{Cast, OURS};
use crate::client::{basic, grant_path};
use crate::page::{Page, Table};
use crate::round::{of, take_turns};
use crate::targets::Target;
use crate::wrk::Wrk;

pub(crate) fn warm(cast: &Cast, page: &mut Page) {
    let path = grant_path();
    let wrk = Wrk { authorization: Some(basic(&cast.proxy.key)), ..Wrk::get(&path) };
    let series = take_turns(&[&cast.proxy.contender], |contender| wrk.run(contender));
    page.table(&Table {
        title: "Token grants, warm",
        slug: "grants",
        unit: "tokens",
        divisor: 1.0,
        ours: OURS,
        series: &series,
    });
    page.reached(Target::Grants, of(&series, OURS).per_cpu().median);
}
