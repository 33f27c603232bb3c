//! The goal about who is told of what is wrong.

use super::{failed, passed, registries, unable};
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
