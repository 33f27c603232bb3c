//! Who a statement of a resource policy speaks of, and how closely it names them.
//!
//! Three readings where the documents leave room. An Allow to everyone but some (`NotPrincipal`) reaches
//! those who sign as `*` does, and nobody else. In a trust policy an Allow to `*` reaches those who sign.
//! Neither grants to a web identity, which only its provider's ARN names.

use super::condition::texts;
use super::document::denies;
use super::world::Caller;
use serde_json::Value;

/// How closely a caller is named, from afar to near.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Closeness {
    /// The account: it delegates, and identity policies must allow.
    Account,
    /// The role of the session: identity policies need not allow, boundary and session policies must.
    Role,
    /// The user, the session, the provider, or everyone.
    Direct,
}

/// What matters of where the statement stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// It is a trust policy's.
    pub(crate) trust: bool,
    /// The caller has a permissions boundary.
    pub(crate) bounded: bool,
}

/// How the statement names the caller; `None` if it does not speak of them.
pub(crate) fn names(statement: &Value, caller: &Caller, standing: Standing) -> Option<Closeness> {
    if let Some(principal) = statement.get("Principal") {
        return match closest(principal, caller) {
            None if everyone(principal) && (denies(statement) || star_reaches(caller, standing.trust)) => {
                Some(Closeness::Direct)
            }
            named => named,
        };
    }
    let excepted = statement.get("NotPrincipal")?;
    let outside = !everyone(excepted) && closest(excepted, caller).is_none();
    let reaches = if denies(statement) { outside || standing.bounded } else { outside && signs(caller) };
    reaches.then_some(Closeness::Direct)
}

fn everyone(principal: &Value) -> bool {
    *principal == "*" || principal.get("AWS").is_some_and(|list| texts(list).iter().any(|text| text == "*"))
}

fn signs(caller: &Caller) -> bool {
    !matches!(caller, Caller::Anonymous | Caller::WebIdentity { .. })
}

fn star_reaches(caller: &Caller, trust: bool) -> bool {
    signs(caller) || (!trust && *caller == Caller::Anonymous)
}

/// The closest of the names, apart from `*`.
fn closest(principal: &Value, caller: &Caller) -> Option<Closeness> {
    let of_type = |name: &str| principal.get(name).map(texts).unwrap_or_default();
    let aws = of_type("AWS").into_iter().filter_map(|name| closeness(&name, caller));
    let federated = of_type("Federated").into_iter().filter_map(|name| {
        let is_provider = matches!(caller, Caller::WebIdentity { provider } if *provider == name);
        is_provider.then_some(Closeness::Direct)
    });
    aws.chain(federated).max()
}

/// Names are compared whole and in their case: there are no wildcards in a principal.
fn closeness(name: &str, caller: &Caller) -> Option<Closeness> {
    let account = caller.account()?;
    if name == account || *name == format!("arn:aws:iam::{account}:root") {
        return Some(Closeness::Account);
    }
    match caller {
        Caller::User { arn, id } if name == arn || name == id => Some(Closeness::Direct),
        Caller::FederatedUser { arn } if name == arn => Some(Closeness::Direct),
        Caller::RoleSession { session, .. } if name == session => Some(Closeness::Direct),
        Caller::RoleSession { role, id, .. } if name == role || name == id => Some(Closeness::Role),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLAIN: Standing = Standing { trust: false, bounded: false };

    fn session() -> Caller {
        Caller::RoleSession {
            role: "arn:aws:iam::111122223333:role/ci/build".to_owned(),
            id: "AROAX".to_owned(),
            session: "arn:aws:sts::111122223333:assumed-role/build/s1".to_owned(),
        }
    }

    #[test]
    fn the_closest_name_counts() {
        let cases = [
            (json!("*"), Some(Closeness::Direct)),
            (
                json!({"AWS": ["111122223333", "arn:aws:iam::111122223333:role/ci/build"]}),
                Some(Closeness::Role),
            ),
            (json!({"AWS": "AROAX"}), Some(Closeness::Role)),
            (json!({"AWS": "arn:aws:iam::111122223333:root"}), Some(Closeness::Account)),
            (json!({"AWS": "arn:aws:sts::111122223333:assumed-role/build/s1"}), Some(Closeness::Direct)),
            (json!({"AWS": "arn:aws:sts::111122223333:assumed-role/build/*"}), None),
            (json!({"AWS": "arn:aws:iam::111122223333:role/CI/build"}), None),
            (json!({"Service": "*"}), None),
            (json!({"Federated": "*"}), None),
        ];
        for (principal, expected) in cases {
            let statement = json!({"Effect": "Allow", "Principal": principal});
            assert_eq!(names(&statement, &session(), PLAIN), expected, "{statement}");
        }
        assert_eq!(names(&json!({"Effect": "Allow"}), &session(), PLAIN), None);
    }

    #[test]
    fn exceptions_do_not_save_who_has_a_boundary() {
        let statement = json!({"Effect": "Deny", "NotPrincipal": {"AWS": "AROAX"}});
        assert_eq!(names(&statement, &session(), PLAIN), None);
        let bounded = Standing { trust: false, bounded: true };
        assert_eq!(names(&statement, &session(), bounded), Some(Closeness::Direct));
        assert_eq!(names(&statement, &Caller::Anonymous, PLAIN), Some(Closeness::Direct));
        let allow = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "x"}});
        assert_eq!(names(&allow, &Caller::Anonymous, PLAIN), None);
    }

    #[test]
    fn a_star_reaches_the_anonymous_but_not_in_a_trust_policy() {
        let allow = json!({"Effect": "Allow", "Principal": {"AWS": "*"}});
        let trust = Standing { trust: true, bounded: false };
        assert_eq!(names(&allow, &Caller::Anonymous, PLAIN), Some(Closeness::Direct));
        assert_eq!(names(&allow, &Caller::Anonymous, trust), None);
        assert_eq!(names(&allow, &session(), trust), Some(Closeness::Direct));
    }
}
