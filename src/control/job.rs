//! Work on a clock, which one replica does for the whole fleet: what there is, and who may see how it goes.

use std::sync::Arc;

use super::compliance::rule::account;
use super::problem::Problem;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::policy::table::Action;
use crate::store::job::{JobRecord, Leader};

/// Every job.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Job {
    /// What has happened is made into alerts, and they are sent out.
    Alerts,
    /// All registries are looked through for what goals ask about images.
    Census,
    /// Goals and rules are judged.
    Compliance,
    /// The key that signs tokens is replaced when it is old.
    KeyRotation,
    /// Lifecycle policies are carried out, and uploads forgotten that nobody ends.
    Lifecycle,
    /// Pushed reports are read that could not be read at once.
    Reports,
    /// Retention policies are carried out.
    Retention,
    /// What registries hold is counted.
    Survey,
    /// What has been in the trash for long enough is deleted.
    Trash,
}

impl Job {
    /// Every one, by its name.
    pub const ALL: [Self; 9] = [
        Self::Alerts,
        Self::Census,
        Self::Compliance,
        Self::KeyRotation,
        Self::Lifecycle,
        Self::Reports,
        Self::Retention,
        Self::Survey,
        Self::Trash,
    ];

    /// Its name, for people, metrics and the store.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Census => "census",
            Self::Compliance => "compliance",
            Self::KeyRotation => "key-rotation",
            Self::Lifecycle => "lifecycle",
            Self::Reports => "reports",
            Self::Retention => "retention",
            Self::Survey => "survey",
            Self::Trash => "trash",
        }
    }
}

/// How a job stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The replica that began its last run does not lead any more.
    BrokenOff,
    /// Its last run went wrong.
    Failed,
    /// It is under way.
    Running,
    /// Its last run went well.
    Well,
}

impl State {
    /// How `row` stands while `leader` leads.
    #[must_use]
    pub fn of(row: &JobRecord, leader: Option<&Leader>) -> Self {
        let leads = leader.is_some_and(|leader| leader.replica == row.replica);
        match (row.ended_at, row.outcome.is_empty()) {
            (None, _) if leads => Self::Running,
            (None, _) => Self::BrokenOff,
            (Some(_), true) => Self::Well,
            (Some(_), false) => Self::Failed,
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BrokenOff => "broken off",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Well => "ok",
        }
    }
}

/// Who leads, and the last runs.
pub type Jobs = (Option<Leader>, Vec<JobRecord>);

impl Desk {
    /// Who does the periodic work, and how each job stands. Whoever may read the account's settings may see it.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn jobs(&self, caller: &Arc<Caller>) -> Result<Done<Jobs>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.store.jobs().await?, permit))
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, State};
    use crate::clock::UnixTime;
    use crate::store::job::{JobRecord, Leader};

    #[test]
    fn a_run_whose_replica_leads_no_more_has_broken_off() {
        let at = UnixTime::from_millis;
        let leader = |name: &str| Leader { replica: name.to_owned(), since: at(1) };
        let mut row = JobRecord {
            name: Job::Survey.label().to_owned(),
            replica: "one".to_owned(),
            began_at: at(2),
            ended_at: None,
            outcome: String::new(),
            succeeded_at: None,
            next_at: None,
            progress: String::new(),
        };
        assert_eq!(State::of(&row, Some(&leader("one"))), State::Running);
        assert_eq!(State::of(&row, Some(&leader("two"))), State::BrokenOff);
        assert_eq!(State::of(&row, None), State::BrokenOff);
        row.ended_at = Some(at(3));
        assert_eq!(State::of(&row, Some(&leader("two"))), State::Well);
        "no".clone_into(&mut row.outcome);
        assert_eq!(State::of(&row, Some(&leader("one"))), State::Failed);
    }

    #[test]
    fn jobs_are_listed_once_each_by_name() {
        let labels = Job::ALL.map(Job::label);
        assert!(labels.is_sorted_by(|a, b| a < b), "{labels:?}");
    }
}
