//! What compliance wants to know of finished requests: who was used and when, what went over public endpoints, who changed
//! what. Noticed here, from the same values as the audit log; written down by whoever takes the notices.
//!
//! What happens all the time is noticed now and then: a request that was noticed lately costs one look into a cache.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use quick_cache::sync::Cache;

use super::event::{Finished, Proof, Verdict, What};
use crate::clock::UnixTime;
use crate::compliance::drift::Deed;
use crate::compliance::facts::Transfer;
use crate::ids::region::Region;
use crate::network::endpoint::Endpoint;
use crate::registry::operation::OperationKind;

/// How often the use of the same key is noticed, in milliseconds.
const USES_EVERY: i64 = 60_000;

/// How often a public transfer of the same principal is noticed, in milliseconds.
const MOVES_EVERY: i64 = 5_000;

/// How much is remembered as noticed lately.
const LATELY: usize = 16_384;

/// How many notices wait; more are lost, which a use or a transfer survives: the next one brings it again.
const WAITING: usize = 8_192;

/// Something that was noticed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// A principal, by one of its keys.
    Used {
        /// Its IAM id.
        principal: String,
        /// The key's id.
        credential: Option<String>,
        /// When.
        at: UnixTime,
    },
    /// A push or pull over a public endpoint that went through.
    Moved {
        /// Of which registry.
        region: Region,
        /// Which.
        transfer: Transfer,
    },
    /// A change.
    Did(Deed),
}

/// Collects notices.
#[derive(Debug)]
pub struct Activity {
    waiting: Mutex<Vec<Notice>>,
    lately: Cache<u64, i64>,
    hasher: RandomState,
}

impl Default for Activity {
    fn default() -> Self {
        Self { waiting: Mutex::default(), lately: Cache::new(LATELY), hasher: RandomState::new() }
    }
}

impl Activity {
    /// Takes all notices.
    #[must_use]
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts notices back that could not be written down.
    pub fn put_back(&self, notices: Vec<Notice>) {
        notices.into_iter().for_each(|notice| self.push(notice));
    }

    fn push(&self, notice: Notice) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING {
            waiting.push(notice);
        }
    }

    /// Looks at a finished request.
    pub(super) fn note(&self, finished: &Finished) {
        let went_through = matches!(finished.decision, Verdict::Allowed | Verdict::WouldDeny);
        let Some(who) = finished.who.as_ref().filter(|_| went_through && finished.status < 400) else {
            return;
        };
        let at = finished.started;
        let key = who.credential.as_ref().filter(|proof| proof.is_key());
        if self.is_news((&who.principal, key), at, USES_EVERY) {
            let (principal, credential) = (who.principal.to_string(), key.and_then(key_id));
            self.push(Notice::Used { principal, credential, at });
        }
        match &finished.what {
            What::Registry(call) if finished.endpoint == Endpoint::Public && moves(call.kind) => {
                if self.is_news((&call.region, &who.principal), at, MOVES_EVERY) {
                    let transfer =
                        Transfer { at, by: who.name.clone(), from: finished.from.ip().to_string() };
                    self.push(Notice::Moved { region: call.region.clone(), transfer });
                }
            }
            What::Control(call) if changes(call.method, call.action) => self.push(Notice::Did(Deed {
                at,
                principal: who.principal.to_string(),
                name: who.name.clone(),
                action: call.action.unwrap_or(call.activity).to_owned(),
                target: call.target.clone(),
                request_id: finished.request_id.clone(),
            })),
            What::Registry(_) | What::Control(_) | What::Token(_) | What::Probe | What::Unroutable => {}
        }
    }

    /// Whether such a thing has not been noticed lately. Two that are taken for one another lose one.
    fn is_news(&self, what: impl Hash, at: UnixTime, every: i64) -> bool {
        let key = self.hasher.hash_one((what, every));
        let lately = self.lately.get(&key).is_some_and(|before| at.millis().saturating_sub(before) < every);
        if !lately {
            self.lately.insert(key, at.millis());
        }
        !lately
    }
}

/// The id of a key that is one of ours.
fn key_id(proof: &Proof) -> Option<String> {
    match proof {
        Proof::AccessKey(id) => Some(id.to_string()),
        Proof::ApiKey(id) => Some(id.to_string()),
        Proof::Certificate(_)
        | Proof::Compute(_)
        | Proof::Realm(_)
        | Proof::Session(_)
        | Proof::WebIdentity(..) => None,
    }
}

/// Whether a call moves images or parts of them.
const fn moves(kind: OperationKind) -> bool {
    match kind {
        OperationKind::BlobRead
        | OperationKind::ManifestRead
        | OperationKind::ManifestWrite
        | OperationKind::UploadChunk
        | OperationKind::UploadFinish => true,
        OperationKind::BlobDelete
        | OperationKind::Catalog
        | OperationKind::ManifestDelete
        | OperationKind::Ping
        | OperationKind::Referrers
        | OperationKind::TagList
        | OperationKind::UploadCancel
        | OperationKind::UploadStart
        | OperationKind::UploadStatus => false,
    }
}

/// Whether a management call changes something. AWS's calls are all `POST`, and say in their names which only read.
fn changes(method: &str, action: Option<&str>) -> bool {
    const READS: [&str; 6] = ["Get", "List", "Describe", "Simulate", "BatchGet", "BatchCheck"];
    let Some(action) = action else { return false };
    let name = action.split_once(':').map(|(_, name)| name);
    let reads = name.is_some_and(|name| READS.iter().any(|word| name.starts_with(word)));
    !matches!(method, "GET" | "HEAD") && !reads
}

#[cfg(test)]
mod tests {
    use super::{Activity, Notice};
    use crate::network::endpoint::Endpoint;
    use crate::record::event::samples::{finished, pull};
    use crate::record::event::{ControlCall, Verdict, What};

    fn control(method: &'static str, action: &'static str) -> What {
        let (activity, action) = ("policy", Some(action));
        What::Control(ControlCall { method, route: "/v1/policies", activity, action, target: "p".to_owned() })
    }

    #[test]
    fn a_pull_is_a_use_and_a_transfer_and_the_next_one_is_no_news() {
        let activity = Activity::default();
        let mut event = pull();
        event.endpoint = Endpoint::Public;
        activity.note(&event);
        let found = activity.take();
        assert!(matches!(found.as_slice(), [Notice::Used { .. }, Notice::Moved { .. }]), "{found:?}");
        activity.note(&event);
        assert_eq!(activity.take(), []);
        let other = Activity::default();
        event.endpoint = Endpoint::Private;
        other.note(&event);
        assert!(
            matches!(other.take().as_slice(), [Notice::Used { .. }]),
            "nothing went over a public endpoint"
        );
    }

    #[test]
    fn only_what_went_through_counts_and_only_changes_are_deeds() {
        for (method, action, deeds) in [
            ("POST", "iam.policy.create", 1),
            ("DELETE", "iam.policy.delete", 1),
            ("GET", "iam.policy.read", 0),
            ("POST", "iam:ListUsers", 0),
            ("POST", "iam:AttachUserPolicy", 1),
        ] {
            let activity = Activity::default();
            let mut event = finished(control(method, action)).by(pull().who);
            (event.decision, event.status) = (Verdict::Allowed, 200);
            activity.note(&event);
            let found = activity.take();
            assert_eq!(found.iter().filter(|one| matches!(one, Notice::Did(_))).count(), deeds, "{action}");
            event.status = 409;
            activity.note(&event);
            event.decision = Verdict::Denied;
            activity.note(&event);
            assert_eq!(activity.take(), [], "what did not come about is nobody's deed");
        }
    }
}
