//! Policies of every kind change as fast as the store can write them while requests are decided: none is ever decided on
//! what a write before it has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use super::living::{Living, service, statement, text};
use crate::policy::aws::kind::Kind;
use crate::store::aws::holder::{Actor, Holder, PolicyRef};
use crate::store::aws::managed_policy::VersionNumber;
use crate::store::aws::text::DocumentText;
use crate::store::contract::aws_samples::{by_aws, managed, name, repository};
use crate::store::contract::samples::{api_key, group, membership, policy_for, service_id, time};
use crate::store::policy::Subject;

/// How long it goes on.
const FOR: Duration = Duration::from_secs(3);

/// What is turned on and off; each for a service ID and a repository of its own, so that it says alone what may be pulled.
#[derive(Clone, Copy, Debug)]
enum Way {
    Attachment,
    Boundary,
    Ibm,
    Inline,
    Membership,
    Repository,
    Version,
}

const WAYS: [Way; 7] =
    [Way::Attachment, Way::Boundary, Way::Ibm, Way::Inline, Way::Membership, Way::Repository, Way::Version];

/// One way, and what was last acknowledged: twice the number of changes, plus one while a change is under way.
struct Switch {
    way: Way,
    key: u64,
    state: AtomicU64,
}

/// Whether the pull is allowed after so many changes. All begin closed.
fn is_open(state: u64) -> bool {
    state / 2 % 2 == 1
}

fn second() -> VersionNumber {
    VersionNumber::parse("v2").unwrap()
}

impl Switch {
    fn holder(&self) -> Holder {
        Holder::Principal(service(self.key))
    }

    async fn prepare(&self, living: &Living, allow: &PolicyRef) {
        let (store, who) = (living.store(), service(self.key));
        store.insert_service_id(&service_id(self.key)).await.unwrap();
        store.insert_api_key(&api_key(self.key, &who)).await.unwrap();
        match self.way {
            Way::Boundary => {
                living.attach(&self.holder(), allow).await;
                store
                    .put_boundary(&Actor::Principal(who), &by_aws("IAMReadOnlyAccess"), time(1))
                    .await
                    .unwrap();
            }
            Way::Membership => {
                store.insert_group(&group(self.key)).await.unwrap();
                living.attach(&Holder::Group(group(self.key).id), allow).await;
            }
            Way::Repository => store.insert_repository(&repository(self.key), &[]).await.unwrap(),
            Way::Version => {
                let policy = living.managed(self.key, &statement("Deny", "*")).await;
                let open = text(Kind::Managed, &statement("Allow", "ecr:*"));
                store.insert_policy_version(&managed(self.key).id, &open, false, time(1)).await.unwrap();
                living.attach(&self.holder(), &policy).await;
            }
            Way::Attachment | Way::Ibm | Way::Inline => {}
        }
    }

    /// Turns it, and says so before and after.
    async fn turn(&self, living: &Living, allow: &PolicyRef) {
        let begun = self.state.fetch_add(1, Ordering::SeqCst);
        self.write(living, allow, !is_open(begun)).await;
        self.state.fetch_add(1, Ordering::SeqCst);
    }

    async fn write(&self, living: &Living, allow: &PolicyRef, open: bool) {
        let (store, who, holder) = (living.store(), service(self.key), self.holder());
        let actor = Actor::Principal(who.clone());
        match (self.way, open) {
            (Way::Attachment, true) => living.attach(&holder, allow).await,
            (Way::Attachment, false) => store.detach(&holder, allow).await.unwrap(),
            (Way::Boundary, true) => store.put_boundary(&actor, allow, time(1)).await.unwrap(),
            (Way::Boundary, false) => {
                store.put_boundary(&actor, &by_aws("IAMReadOnlyAccess"), time(1)).await.unwrap();
            }
            (Way::Ibm, true) => {
                store.insert_policy(&policy_for(self.key, Subject::Principal(who), "Reader")).await.unwrap();
            }
            (Way::Ibm, false) => {
                let row = policy_for(self.key, Subject::Principal(who), "Reader");
                store.delete_policy(&row.id).await.unwrap();
            }
            (Way::Inline, true) => living.write(&holder, &statement("Allow", "ecr:*")).await,
            (Way::Inline, false) => store.delete_inline_policy(&holder, &name("own")).await.unwrap(),
            (Way::Membership, true) => {
                store.insert_member(&group(self.key).id, &membership(1, &who)).await.unwrap();
            }
            (Way::Membership, false) => store.delete_member(&group(self.key).id, &who).await.unwrap(),
            (Way::Repository, _) => {
                let (row, policy) = (repository(self.key), open.then(|| opened_for(self.key)));
                store.put_repository_policy(&row.region, &row.name, policy.as_ref()).await.unwrap();
            }
            (Way::Version, true) => {
                store.put_in_force(&managed(self.key).id, second(), time(1)).await.unwrap()
            }
            (Way::Version, false) => {
                store.put_in_force(&managed(self.key).id, VersionNumber::FIRST, time(1)).await.unwrap();
            }
        }
    }

    /// Asks once; whether the answer had to be one and no other, and was it.
    async fn check(&self, living: &Living) -> bool {
        let before = self.state.load(Ordering::SeqCst);
        let allowed = living.may(self.key, &format!("GET team-{}/app/manifests/v1", self.key)).await;
        let after = self.state.load(Ordering::SeqCst);
        let settled = before == after && before.is_multiple_of(2);
        assert!(
            !settled || allowed == is_open(before),
            "{:?} after {} changes: {allowed}",
            self.way,
            before / 2
        );
        settled
    }
}

fn opened_for(key: u64) -> DocumentText {
    let arn = format!("arn:aws:iam::123456789012:user/service-id/{}", service(key).identifier());
    let pull = json!([{"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "ecr:BatchGetImage"}]);
    text(Kind::Repository, &pull)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn policies_that_change_all_the_time_never_leave_a_stale_answer() {
    let living = Arc::new(Living::open().await);
    let allow = living.managed(1, &statement("Allow", "ecr:*")).await;
    let switch = |(key, way)| Switch { way, key, state: AtomicU64::new(0) };
    let switches: Arc<[Switch]> =
        (10..).zip(WAYS.into_iter().cycle().take(4 * WAYS.len())).map(switch).collect();
    for switch in &*switches {
        switch.prepare(&living, &allow).await;
        assert!(switch.check(&living).await, "{:?} begins closed", switch.way);
    }
    let over = Arc::new(AtomicBool::new(false));
    // As in serving: each asker on a thread of its own, the view's loads elsewhere.
    let asker = |first: usize| {
        let (living, switches, over) = (Arc::clone(&living), Arc::clone(&switches), Arc::clone(&over));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut settled = 0_u64;
            for switch in switches.iter().cycle().skip(first) {
                settled += u64::from(runtime.block_on(switch.check(&living)));
                if over.load(Ordering::SeqCst) {
                    break;
                }
            }
            settled
        })
    };
    let askers: Vec<_> = (0..2).map(asker).collect();
    let began = Instant::now();
    let turner = async |switch: &Switch| {
        let mut changes = 0_u64;
        while began.elapsed() < FOR && !askers.iter().any(std::thread::JoinHandle::is_finished) {
            switch.turn(&living, &allow).await;
            changes += 1;
            assert!(switch.check(&living).await, "nobody else turns it");
        }
        changes
    };
    let changes: u64 = join_all(switches.iter().map(turner)).await.into_iter().sum();
    over.store(true, Ordering::SeqCst);
    // Whoever turns a switch asks once after each turn.
    let mut settled = changes;
    for asker in askers {
        settled += asker.join().unwrap();
    }
    eprintln!("{changes} changes and {settled} answers that had to be one in {:?}", began.elapsed());
    assert!(changes > 200, "only {changes} changes");
    assert!(settled > changes, "nobody else had an answer that had to be one");
}
