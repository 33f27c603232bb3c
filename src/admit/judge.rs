//! Puts one question, in the words of both clouds, to the policies of one caller and of the repository that it is about.

use super::context::{Facts, is_of_call};
use super::permit::Grounds;
use crate::policy::cache::DecisionCache;
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::context::Key;
use crate::policy::engine::decide::decide;
use crate::policy::engine::question::{Class, IbmWords, Kind, Question, Verdict};
use crate::policy::engine::resource::Resource as Arn;
use crate::policy::reason::{Denial, Reason};
use crate::policy::resource::Resource;
use crate::policy::sentence;
use crate::policy::table::ActionId;
use crate::policy::words::Words;

/// Decides on what is known of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    /// Where verdicts are kept, if they are: a walk through a list would drive out what is asked again and again.
    pub(super) verdicts: Option<&'a DecisionCache>,
    pub(super) facts: Facts<'a>,
}

/// What cannot be asked about is nobody's.
const UNASKABLE: Class = Class::ImplicitDeny(Kind::Identity);

/// A denial by this verdict, of this wording.
type Denied<'w> = (&'w Words, Verdict);

impl<'a> Judge<'a> {
    /// The verdict on one wording.
    pub(super) fn verdict(&self, words: &Words, resource: &Resource) -> Verdict {
        let rights = &self.facts.caller.bundle.rights;
        let context = self.facts.context(self.keys(words));
        let unaskable = Verdict { class: UNASKABLE, refused: None, decider: None };
        self.put(words, resource, |question| match self.verdicts {
            Some(verdicts) => verdicts.decide(rights, question, &context),
            None => decide(rights, question, &context),
        })
        .unwrap_or(unaskable)
    }

    /// Puts the question; `None` if the resource's name is too long for one.
    fn put<T>(&self, words: &Words, resource: &Resource, ask: impl FnOnce(&Question<'_>) -> T) -> Option<T> {
        let account = &self.facts.caller.account;
        let arn = resource.arn(account);
        let arn = arn.as_deref().map_or(Some(Arn::NOTHING), Arn::of)?;
        let attributes = resource.attributes(account);
        Some(ask(&Question {
            aws: &words.aws,
            ibm: Some(IbmWords { action: words.ibm.id(), attributes: attributes.as_slice() }),
            resource: arn,
            resource_account: account.as_str(),
            attached: self.attached(),
            now: self.facts.now.seconds(),
        }))
    }

    /// Whether one wording is allowed and none denied explicitly; else the denial to tell of.
    pub(super) fn any<'w>(
        &self,
        wordings: &'w [Words],
        resource: &Resource,
    ) -> Result<Verdict, Option<Denied<'w>>> {
        let (mut allowed, mut denied) = (None, None);
        for words in wordings {
            let verdict = self.verdict(words, resource);
            if verdict.class.is_explicit_deny() {
                return Err(Some((words, verdict)));
            }
            if verdict.is_allow() {
                allowed = allowed.or(Some(verdict));
            } else {
                denied = denied.or(Some((words, verdict)));
            }
        }
        allowed.ok_or(denied)
    }

    /// Whether some statement that speaks of any of the wordings reads the key.
    pub(super) fn reads(&self, wordings: &[Words], key: &Key) -> bool {
        wordings.iter().any(|words| self.keys(words).any(|one| one == key))
    }

    /// Whether something might be allowed once the call is known, by statements that read what only the call says.
    pub(super) fn depends_on_call(&self, words: &Words) -> bool {
        let rights = &self.facts.caller.bundle.rights;
        words.actions().any(|action| {
            let own = rights.allows_somewhere(action);
            let allowed = own || self.attached().is_some_and(|policy| policy.names(action));
            allowed && self.keys_of(action).any(is_of_call)
        })
    }

    /// The condition keys that decide about a wording.
    fn keys(&self, words: &Words) -> impl Iterator<Item = &'a Key> {
        words.actions().flat_map(|action| self.keys_of(action))
    }

    fn keys_of(&self, action: ActionId) -> impl Iterator<Item = &'a Key> + use<'a> {
        let attached = self.attached().map(CompiledPolicy::keys).unwrap_or_default();
        self.facts.caller.bundle.rights.keys(action).iter().chain(attached)
    }

    /// The policy of the repository that is acted on.
    pub(super) fn attached(&self) -> Option<&'a CompiledPolicy> {
        self.facts.repository.and_then(|repository| repository.policy.as_deref())
    }

    /// The grounds that an allowing verdict gives.
    pub(super) fn grounds(&self, verdict: &Verdict) -> Grounds {
        self.reason(verdict).map_or(Grounds::Root, Grounds::Policy)
    }

    /// What a denial tells.
    pub(super) fn denial(&self, words: &Words, resource: Resource, verdict: &Verdict) -> Denial {
        let caller = self.facts.caller;
        let arn = resource.arn(&caller.account);
        let mut denial = Denial::of(words.ibm, resource, verdict, self.reason(verdict));
        denial.refused = denial.refused.or_else(|| words.aws.first().copied());
        if caller.credential.is_awss() {
            let who = caller.bundle.rights.caller();
            denial.sentence = Some(sentence::aws(&denial, who, arn.as_deref().unwrap_or("*")).into());
        }
        denial
    }

    fn reason(&self, verdict: &Verdict) -> Option<Reason> {
        let decider = verdict.decider.as_ref()?;
        match decider.kind {
            Kind::Repository | Kind::Trust => Reason::told(self.attached()?, decider),
            Kind::Identity | Kind::Group | Kind::Ibm | Kind::Boundary | Kind::Session => {
                Reason::of(&self.facts.caller.bundle.rights, decider)
            }
        }
    }
}
