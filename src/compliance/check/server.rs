//! Goals about the server itself: its record, its listeners.

use super::{failed, passed};
use crate::compliance::facts::{Facts, Listener};
use crate::compliance::verdict::{Judged, Judgement};

pub(super) fn audit_log(facts: &Facts) -> Judgement {
    let (log, at) = (facts.audit, "audit log".to_owned());
    let judged = if !log.kept {
        failed(
            at,
            "there is no audit log",
            "set [audit] path = \"data/audit.log\" in the configuration, and restart",
        )
    } else if !log.healthy {
        failed(
            at,
            "the audit log cannot be written",
            "df -h, and look at the owner of the file in [audit] path",
        )
    } else if log.lost > 0 {
        let found = format!("{} events were lost since the server started", log.lost);
        failed(at, found, "set [audit] on_failure = \"refuse\" in the configuration, and restart")
    } else if !log.strict {
        let found = "what cannot be recorded goes on unrecorded";
        failed(at, found, "set [audit] on_failure = \"refuse\" in the configuration, and restart")
    } else {
        passed(at, "kept, healthy, nothing lost, and what cannot be recorded is refused")
    };
    Judgement {
        expected: "an audit log that is written, has lost nothing, and stops what it cannot take".to_owned(),
        resources: vec![judged],
    }
}

fn each(facts: &Facts, expected: &str, judge: impl Fn(&Listener, String) -> Judged) -> Judgement {
    let resources = facts.listeners.iter().map(|one| judge(one, format!("listener {}", one.address)));
    Judgement { expected: expected.to_owned(), resources: resources.collect() }
}

pub(super) fn tls(facts: &Facts) -> Judgement {
    let expected = "TLS 1.2 or 1.3 on every listener but those that only this machine reaches";
    each(facts, expected, |one, at| {
        let address = &one.address;
        match (one.tls, one.loopback || !one.serves) {
            (true, _) => passed(at, format!("{address} speaks TLS 1.2 and 1.3")),
            (false, true) => {
                passed(at, format!("{address} speaks clear text, to this machine or of nothing secret"))
            }
            (false, false) => failed(
                at,
                format!("{address} speaks clear text over the network"),
                "add tls = { certificate = \"…\", key = \"…\" } to the listener in the configuration, and restart",
            ),
        }
    })
}

pub(super) fn admin_surface(facts: &Facts) -> Judgement {
    let listed = !facts.allowed_addresses.is_empty();
    let expected =
        "management APIs on private listeners, or for listed addresses only; metrics on private listeners";
    each(facts, expected, |one, at| {
        let (open, address) = (one.public && !one.loopback, &one.address);
        if open && one.metrics {
            let fix = "take \"metrics\" out of the listener's surfaces, and serve them on a private one";
            failed(at, format!("{address} shows metrics to a public network"), fix)
        } else if open && one.control && !listed {
            let found = format!("{address} serves management APIs to every address of a public network");
            failed(at, found, "portcullis iam account-settings-update --allowed-ip-addresses 192.0.2.0/24")
        } else {
            passed(at, format!("{address} exposes no management to strangers"))
        }
    })
}
