//! Goals about images, and about who is told of what is wrong with them.

use super::{all_or, days, failed, passed, registries, unable};
use crate::compliance::facts::{AlertChannel, Facts};
use crate::compliance::verdict::{Judged, Judgement};

pub(super) fn alerts(facts: &Facts) -> Judgement {
    let expected =
        "an enabled channel for critical, high and medium vulnerabilities that has delivered at least once";
    let at = registries(facts);
    let judged = match &facts.alerts {
        None => unable(at, "it is not known where alerts go", ""),
        Some(channels) => judged(at, channels),
    };
    Judgement { expected: expected.to_owned(), resources: vec![judged] }
}

fn judged(at: String, channels: &[AlertChannel]) -> Judged {
    let covering = || channels.iter().filter(|channel| channel.covers);
    let works = |channel: &&AlertChannel| channel.failed_at.is_none();
    if let Some((channel, when)) =
        covering().filter(works).find_map(|channel| channel.delivered_at.map(|at| (channel, at)))
    {
        return passed(at, format!("channel {} delivered at {}", channel.name, when.rfc3339()));
    }
    let Some(channel) = covering().next() else {
        let fix = "portcullis compliance channel-create NAME --endpoint URL && portcullis compliance channel-test NAME";
        return failed(at, "no enabled channel is for all three severities", fix);
    };
    let found = match channel.failed_at {
        Some(when) => format!("channel {} has given up an alert at {}", channel.name, when.rfc3339()),
        None => format!("channel {} has not delivered yet", channel.name),
    };
    let name = if channel.name.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._".contains(c)) {
        format!("'{}'", channel.name.replace('\'', "'\\''"))
    } else {
        channel.name.clone()
    };
    failed(at, found, format!("portcullis compliance channel-test {name}"))
}

pub(super) fn scans(facts: &Facts, limit: u32) -> Judgement {
    let expected = format!("every image was scanned within {limit} days");
    let Some(images) = &facts.images else { return unknown(facts, expected) };
    let wrong = images.scanned.iter().filter_map(|(name, at)| {
        let old = at.map(|at| days(at, facts.at));
        let found = match old {
            Some(old) if old <= i64::from(limit) => return None,
            Some(old) => format!("{name} was last scanned {old} days ago"),
            None => format!("{name} has not been scanned"),
        };
        Some(failed(name.clone(), found, format!("trivy image --format json {name}, and upload the report")))
    });
    all_or(expected, wrong, || {
        passed(registries(facts), format!("{} images, all scanned in time", images.total))
    })
}

pub(super) fn signatures(facts: &Facts) -> Judgement {
    let expected = "every tagged image is signed".to_owned();
    let Some(images) = &facts.images else { return unknown(facts, expected) };
    let wrong = images
        .unsigned
        .iter()
        .map(|name| failed(name.clone(), format!("{name} is not signed"), format!("cosign sign {name}")));
    all_or(expected, wrong, || passed(registries(facts), format!("{} images, all signed", images.total)))
}

fn unknown(facts: &Facts, expected: String) -> Judgement {
    let judged = unable(registries(facts), "nothing is known of scans and signatures of images yet", "");
    Judgement { expected, resources: vec![judged] }
}
