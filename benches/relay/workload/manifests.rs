//! Manifests over kept-alive connections: passed on, and from memory.

use tokio::runtime::Runtime;

use crate::cast::{Cast, OURS, OURS_CACHED};
use crate::hammer;
use crate::image::REPOSITORY;
use crate::page::{Page, Table};
use crate::round::{Series, of, take_turns};
use crate::targets::Target;
use crate::wrk::Wrk;

/// Passed on to the registry behind.
pub(crate) fn passed_on(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    let all = [&cast.proxy.contender, &cast.nginx, &cast.asking, &cast.haproxy, &cast.verifying];
    let table = |title, slug, series: &[Series], page: &mut Page| {
        page.table(&Table { title, slug, unit: "requests", divisor: 1.0, ours: OURS, series });
    };
    let wrk = Wrk::get(&path);
    let series = take_turns(&all, |contender| wrk.run(contender));
    table("GET of a manifest, passed on", "manifest-get", &series, page);
    let ours = of(&series, OURS).per_cpu().median;
    let against = |name| ours / of(&series, name).per_cpu().median;
    page.reached(Target::ProxiedAgainstNginx, against(cast.nginx.name));
    page.reached(Target::ProxiedAgainstAuthRequest, against(cast.asking.name));
    page.reached(Target::ProxiedAgainstJwtVerify, against(cast.verifying.name));
    let bears = |name| of(&series, name).per_second().median;
    page.half_load = bears(OURS).min(bears(cast.nginx.name)) / 2.0;
    let series = take_turns(&all, |contender| hammer::head(runtime, contender, &path));
    table("HEAD of a manifest, passed on", "manifest-head", &series, page);
}

/// From memory.
pub(crate) fn kept(cast: &Cast, page: &mut Page) {
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    let wrk = Wrk::get(&path);
    let all = [&cast.cache.contender, &cast.keeping, &cast.registry, &cast.guarded_registry];
    let series = take_turns(&all, |contender| wrk.run(contender));
    let title = "GET of a manifest, from memory";
    page.table(&Table {
        title,
        slug: "manifest-kept",
        unit: "requests",
        divisor: 1.0,
        ours: OURS_CACHED,
        series: &series,
    });
    let ours = of(&series, OURS_CACHED).per_second().median;
    let against = |name| ours / of(&series, name).per_second().median;
    page.reached(Target::KeptAgainstProxyCache, against(cast.keeping.name));
    page.reached(Target::KeptAgainstRegistry, against(cast.guarded_registry.name));
}
