//! Whom a trusted profile trusts: principals by name, compute resources by link or rule, people by what their identity
//! provider says. Nobody else may take it on.

use super::claim::{ClaimCondition, all_hold};
use crate::credential::voucher::{Compute, ComputeKind, Voucher};
use crate::ids::principal::PrincipalId;

/// All that a profile trusts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trust {
    /// By name.
    pub identities: Vec<Identity>,
    /// By link.
    pub links: Vec<LinkTarget>,
    /// By rule.
    pub rules: Vec<TrustRule>,
}

/// Somebody who is trusted by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// Every compute resource of the cluster with this CRN.
    Crn(String),
    /// A user or service ID.
    Principal(PrincipalId),
}

/// A compute resource that is trusted by its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkTarget {
    /// Its kind.
    pub kind: ComputeKind,
    /// The cluster's CRN.
    pub crn: String,
    /// The namespace of its service account.
    pub namespace: String,
    /// The name of its service account.
    pub name: String,
}

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustRule {
    /// Of whom it speaks.
    pub about: About,
    /// All of these must hold.
    pub conditions: Vec<ClaimCondition>,
}

/// Of whom a rule speaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum About {
    /// Compute resources of that kind (`Profile-CR`).
    Compute(ComputeKind),
    /// People of that identity provider (`Profile-SAML`), whose sessions last so many seconds.
    Realm(String, u32),
}

impl Trust {
    /// Whether whoever that is may take the profile on.
    #[must_use]
    pub fn accepts(&self, by: &Voucher) -> bool {
        match by {
            Voucher::Compute(_, compute) => self.accepts_compute(compute),
            Voucher::Key(principal, _) => {
                let named = |one: &Identity| matches!(one, Identity::Principal(id) if id == principal);
                self.identities.iter().any(named)
            }
            Voucher::Realm(realm, claims) => {
                let fits = |rule: &TrustRule| {
                    matches!(&rule.about, About::Realm(name, _) if name == realm)
                        && all_hold(&rule.conditions, claims)
                };
                self.rules.iter().any(fits)
            }
        }
    }

    /// For how many seconds a person's session may last; the longest of the rules that let them.
    #[must_use]
    pub fn session(&self, by: &Voucher) -> Option<u32> {
        let Voucher::Realm(realm, claims) = by else { return None };
        let fitting = self.rules.iter().filter_map(|rule| match &rule.about {
            About::Realm(name, seconds) if name == realm && all_hold(&rule.conditions, claims) => {
                Some(*seconds)
            }
            About::Compute(_) | About::Realm(..) => None,
        });
        fitting.max()
    }

    fn accepts_compute(&self, compute: &Compute) -> bool {
        let named = |one: &Identity| matches!(one, Identity::Crn(crn) if *crn == compute.crn);
        let linked = |link: &LinkTarget| {
            (link.kind, &link.crn, &link.namespace, &link.name)
                == (compute.kind, &compute.crn, &compute.namespace, &compute.name)
        };
        let claims = compute.claims();
        let ruled = |rule: &TrustRule| {
            rule.about == About::Compute(compute.kind) && all_hold(&rule.conditions, &claims)
        };
        self.identities.iter().any(named) || self.links.iter().any(linked) || self.rules.iter().any(ruled)
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Identity, LinkTarget, Trust, TrustRule};
    use crate::credential::voucher::{Claims, Compute, ComputeKind, Voucher};
    use crate::ids::principal::PrincipalId;
    use crate::ids::tagged::ApiKeyId;
    use crate::policy::ibm::claim::{ClaimCondition, ClaimOperator};

    fn compute(crn: &str, namespace: &str, name: &str) -> Voucher {
        let (crn, namespace, name) = (crn.to_owned(), namespace.to_owned(), name.to_owned());
        Voucher::Compute(
            "https://c.test".to_owned(),
            Compute { kind: ComputeKind::IksSa, crn, namespace, name },
        )
    }

    fn equals(claim: &str, value: &str) -> ClaimCondition {
        let value = format!("\"{value}\"");
        ClaimCondition { claim: claim.to_owned(), operator: ClaimOperator::Equals, value }
    }

    #[test]
    fn only_whom_a_profile_names_links_or_has_a_rule_for_may_take_it_on() {
        let friend = PrincipalId::parse("iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap();
        let other = PrincipalId::parse("IBMid-ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap();
        let key = ApiKeyId::parse("ApiKey-ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap();
        let by = |who: &PrincipalId| Voucher::Key(who.clone(), key.clone());
        let mut trust = Trust::default();
        for nobody in
            [by(&friend), compute("crn:a", "n", "s"), Voucher::Realm("r".to_owned(), Claims::none())]
        {
            assert!(!trust.accepts(&nobody), "{nobody:?}");
        }
        trust.identities.push(Identity::Principal(friend.clone()));
        assert!(trust.accepts(&by(&friend)) && !trust.accepts(&by(&other)));
        let (crn, namespace, name) = ("crn:a".to_owned(), "build".to_owned(), "runner".to_owned());
        trust.links.push(LinkTarget { kind: ComputeKind::IksSa, crn, namespace, name });
        assert!(trust.accepts(&compute("crn:a", "build", "runner")));
        for other in [("crn:b", "build", "runner"), ("crn:a", "test", "runner"), ("crn:a", "build", "x")] {
            assert!(!trust.accepts(&compute(other.0, other.1, other.2)), "{other:?}");
        }
        let conditions = vec![equals("namespace", "test"), equals("crn", "crn:b")];
        trust.rules.push(TrustRule { about: About::Compute(ComputeKind::IksSa), conditions });
        assert!(trust.accepts(&compute("crn:b", "test", "any")));
        assert!(!trust.accepts(&compute("crn:c", "test", "any")));
    }

    #[test]
    fn people_are_of_one_realm_and_their_session_lasts_as_their_rule_says() {
        let rule = |realm: &str, seconds| TrustRule {
            about: About::Realm(realm.to_owned(), seconds),
            conditions: vec![equals("team", "blue")],
        };
        let trust = Trust { rules: vec![rule("one", 3600), rule("two", 900)], ..Trust::default() };
        let person = |realm: &str, team: &str| {
            Voucher::Realm(realm.to_owned(), Claims::none().with("team", vec![team.to_owned()]))
        };
        assert_eq!(trust.session(&person("two", "blue")), Some(900));
        assert_eq!(trust.session(&person("one", "red")), None);
        assert!(trust.accepts(&person("one", "blue")) && !trust.accepts(&person("three", "blue")));
    }
}
