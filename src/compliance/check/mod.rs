//! One function for each way to judge a goal.

use super::facts::Facts;
use super::goal::{Check, Goal};
use super::verdict::{Judged, Judgement, Status, Verdict};

mod access;
mod alert;
mod image;
mod key;
mod server;
mod setting;
#[cfg(test)]
pub(crate) mod tests;

/// Judges a goal.
#[must_use]
pub fn judge(goal: &Goal, facts: &Facts) -> Verdict {
    let number = goal.number();
    let judgement = match goal.check {
        Check::AdminSurface => server::admin_surface(facts),
        Check::Alerts => alert::alerts(facts),
        Check::AuditLog => server::audit_log(facts),
        Check::BroadGrants => access::broad(facts, number),
        Check::DirectPolicies => access::direct(facts),
        Check::GroupsOnly => access::groups_only(facts),
        Check::IamAuthz => setting::iam_authz(facts),
        Check::ImageScans => image::scans(facts, number),
        Check::ImageSignatures => image::signatures(facts),
        Check::ImageTags => image::tags(facts),
        Check::KeyAge => key::age(facts, number),
        Check::KeyUnused => key::unused(facts, number),
        Check::PlatformMetrics => setting::platform_metrics(facts),
        Check::PrivateEndpoints => setting::private_endpoints(facts),
        Check::PublicGrants => access::public(facts),
        Check::RightsUnused => access::unused(facts, number),
        Check::ServiceAdministrators => access::administrators(facts, super::facts::Kind::ServiceId, number),
        Check::ServiceManagers => access::managers(facts, super::facts::Kind::ServiceId, number),
        Check::SigningKeys => key::signing(facts, number),
        Check::Tls => server::tls(facts),
        Check::UserAdministrators => access::administrators(facts, super::facts::Kind::User, number),
        Check::UserManagers => access::managers(facts, super::facts::Kind::User, number),
    };
    Verdict::of((&goal.id, &goal.description), goal.parameter, goal.severity, judgement, facts.at)
}

/// The CRN of the account's registries as a whole.
fn registries(facts: &Facts) -> String {
    format!("crn:v1:bluemix:public:container-registry::a/{}:::", facts.account)
}

/// The CRN of one registry.
fn registry(facts: &Facts, region: &crate::ids::region::Region) -> String {
    format!("crn:v1:bluemix:public:container-registry:{region}:a/{}:::", facts.account)
}

fn passed(resource: String, found: impl Into<String>) -> Judged {
    Judged { resource, status: Status::Pass, found: found.into(), fix: String::new() }
}

fn failed(resource: String, found: impl Into<String>, fix: impl Into<String>) -> Judged {
    Judged { resource, status: Status::Fail, found: found.into(), fix: fix.into() }
}

fn unable(resource: String, found: impl Into<String>, fix: impl Into<String>) -> Judged {
    Judged { resource, status: Status::UnableToPerform, found: found.into(), fix: fix.into() }
}

/// How many things that are wrong are told one by one: what is kept, and a report, stay readable however large the account.
const TOLD: usize = 100;

/// What is wrong or, if nothing is, one line that says so.
fn all_or(
    expected: impl Into<String>,
    wrong: impl IntoIterator<Item = Judged>,
    right: impl FnOnce() -> Judged,
) -> Judgement {
    let mut wrong = wrong.into_iter();
    let told: Vec<Judged> = wrong.by_ref().take(TOLD).collect();
    counted_or(expected, told, wrong.count() as u64, right)
}

/// The same, of what is only counted beyond those that are told.
fn counted_or(
    expected: impl Into<String>,
    mut resources: Vec<Judged>,
    more: u64,
    right: impl FnOnce() -> Judged,
) -> Judgement {
    if more > 0 {
        let fix = "mend those that are told, and scan again";
        resources.push(failed(format!("{more} more"), format!("the same is true of {more} more"), fix));
    }
    if resources.is_empty() {
        resources.push(right());
    }
    Judgement { expected: expected.into(), resources }
}

/// A day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// How many whole days lie between two times.
pub(super) fn days(since: crate::clock::UnixTime, now: crate::clock::UnixTime) -> i64 {
    now.millis().saturating_sub(since.millis()).div_euclid(DAY)
}
