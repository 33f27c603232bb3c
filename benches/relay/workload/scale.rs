//! The same work in accounts of a thousand and of a million policies.

use tokio::runtime::Runtime;

use crate::cast::Cast;
use crate::contender::portcullis::{Setup, start};
use crate::image::REPOSITORY;
use crate::page::{Page, Table};
use crate::round::{of, take_turns};
use crate::targets::Target;
use crate::wrk::Wrk;

const FEW: &str = "10³ policies";
const MANY: &str = "10⁶ policies";

pub(crate) fn policies(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let guarded = [(FEW, 1_000), (MANY, 1_000_000)].map(|(name, count)| {
        let rows = rows(count);
        let setup =
            Setup { name, cache: false, upstream: cast.origin.address, rows: Some(&rows), counted: None };
        runtime.block_on(start(&setup, &cast.papers))
    });
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    let wrk = Wrk::get(&path);
    let [few, many] = &guarded;
    let series = take_turns(&[&few.contender, &many.contender], |contender| wrk.run(contender));
    let title = "GET of a manifest, passed on, by how many policies the account has";
    page.table(&Table {
        title,
        slug: "policies",
        unit: "requests",
        divisor: 1.0,
        ours: MANY,
        series: &series,
    });
    let rate = |name| of(&series, name).per_cpu().median;
    page.reached(Target::Scale, rate(MANY) / rate(FEW));
}

/// A thousand service IDs and so many policies, spread evenly; each makes its owner a Reader of a namespace of its own.
fn rows(policies: u32) -> String {
    let owner = |number: &str| format!("printf('iam-ServiceId-00000000-0000-4000-8000-%012x', {number})");
    let (first, second, founder) =
        (owner("i"), owner("1 + i % 1000"), "(select id from principal where kind = 'user')");
    let attribute = |name: &str, value: &str| format!("json_object('name', '{name}', 'value', {value})");
    let attributes = [
        attribute("accountId", "'123456789012'"),
        attribute("serviceName", "'container-registry'"),
        attribute("resourceType", "'namespace'"),
        attribute("resource", "printf('space-%d', i)"),
    ];
    let document = format!(
        "json_object('roles', json_array(json_object('role_id', 'crn:v1:bluemix:public:iam::::serviceRole:Reader')), \
         'resources', json_array(json_object('attributes', json_array({}))))",
        attributes.join(", ")
    );
    format!(
        "begin;\n\
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)\n\
         insert into principal (id, kind, name, description, active, locked, created_at, modified_at, version)\n\
         select {first}, 'service_id', printf('robot-%d', i), '', 1, 0, 1700000000000, 1700000000000, 1 from n;\n\
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {policies})\n\
         insert into policy (id, principal_id, document, description, created_by, modified_by, created_at, modified_at, version)\n\
         select printf('00000000-0000-4000-9000-%012x', i), {second}, {document}, '', {founder}, {founder}, 1700000000000, \
         1700000000000, 1 from n;\n\
         commit;"
    )
}
