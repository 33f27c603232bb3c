//! A denial in AWS's words, one sentence for each step of the decision. IBM's words are the API's.
//!
//! It names no policy: what a caller may not do is theirs to know, which policy says so is for who may read policies.

use super::engine::principal::Caller;
use super::engine::question::{Class, Kind};
use super::reason::Denial;
use super::table::{ActionId, product};

/// `User: … is not authorized to perform: … on resource: …`, and why.
#[must_use]
pub fn aws(denial: &Denial, who: &Caller, resource: &str) -> String {
    let action = denial.refused.map_or_else(|| denial.action.name(), |action| product().name(action));
    sentence(action, denial.class, who, resource)
}

/// The same, of an action that only AWS has.
#[must_use]
pub fn unauthorized(action: ActionId, class: Class, who: &Caller, resource: &str) -> String {
    sentence(product().name(action), class, who, resource)
}

fn sentence(action: &str, class: Class, who: &Caller, resource: &str) -> String {
    let reason = reason(class, action);
    format!("User: {} is not authorized to perform: {action} on resource: {resource}{reason}", arn(who))
}

/// Who asks, as AWS writes it: a session by its own ARN, not by its role's.
#[must_use]
pub fn arn(who: &Caller) -> String {
    match who {
        Caller::Anonymous | Caller::WebIdentity { .. } => "anonymous".to_owned(),
        Caller::FederatedUser { arn, .. } | Caller::User { arn, .. } => arn.to_string(),
        Caller::RoleSession { session, .. } => session.to_string(),
        Caller::Root { account } => format!("arn:aws:iam::{account}:root"),
    }
}

/// Begins with a space. What allows gives no reason.
fn reason(class: Class, action: &str) -> String {
    match class {
        Class::Allow(_) | Class::AllowAlways | Class::AllowRoot => String::new(),
        Class::ExplicitDeny(Kind::Trust) => " with an explicit deny in the role trust policy".to_owned(),
        Class::ExplicitDeny(kind) => {
            let article = if is_identitys(kind) { "an" } else { "a" };
            format!(" with an explicit deny in {article} {}", noun(kind))
        }
        Class::ImplicitDeny(kind) => format!(" because no {} allows the {action} action", noun(kind)),
    }
}

const fn is_identitys(kind: Kind) -> bool {
    match kind {
        Kind::Group | Kind::Ibm | Kind::Identity => true,
        Kind::Boundary | Kind::Repository | Kind::Session | Kind::Trust => false,
    }
}

/// AWS has one word for all that an identity has, and knows nothing of IBM's access policies.
const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Boundary => "permissions boundary",
        Kind::Group | Kind::Ibm | Kind::Identity => "identity-based policy",
        Kind::Repository => "resource-based policy",
        Kind::Session => "session policy",
        Kind::Trust => "role trust policy",
    }
}

#[cfg(test)]
mod tests {
    use super::aws;
    use crate::ids::account::AccountId;
    use crate::policy::engine::principal::Caller;
    use crate::policy::engine::question::{Class, Kind};
    use crate::policy::reason::Denial;
    use crate::policy::resource::Resource;
    use crate::policy::table::{Action, EcrAction, product};

    const ARN: &str = "arn:aws:ecr:us-west-2:111122223333:repository/team-b/alpine";

    fn account() -> AccountId {
        AccountId::parse("111122223333").unwrap()
    }

    fn denial(class: Class, refused: Option<&str>) -> Denial {
        let region = "us-west-2".parse().unwrap();
        let resource = Resource::repository(&region, &"team-b/alpine".parse().unwrap());
        let refused = refused.map(|name| product().find(name).unwrap());
        Denial {
            action: Action::ImageList,
            resource,
            class,
            refused,
            because: None,
            sentence: None,
            known: None,
        }
    }

    fn session() -> Caller {
        let (id, role) = ("AROA1".into(), "arn:aws:iam::111122223333:role/ecr_access_teama_role".into());
        let session =
            "arn:aws:sts::111122223333:assumed-role/ecr_access_teama_role/ECR-Access-Testing".into();
        Caller::RoleSession { account: account(), id, role, session }
    }

    /// As recorded from AWS.
    #[test]
    fn the_sentence_is_awss_to_the_letter() {
        let denial = denial(Class::ImplicitDeny(Kind::Identity), Some(EcrAction::ListImages.name()));
        assert_eq!(
            aws(&denial, &session(), ARN),
            "User: arn:aws:sts::111122223333:assumed-role/ecr_access_teama_role/ECR-Access-Testing is not authorized to \
             perform: ecr:ListImages on resource: arn:aws:ecr:us-west-2:111122223333:repository/team-b/alpine because no \
             identity-based policy allows the ecr:ListImages action"
        );
    }

    #[test]
    fn every_step_of_the_decision_has_its_words() {
        let nothing = |noun: &str| format!(" because no {noun} allows the sts:AssumeRole action");
        let denied = |noun: &str| format!(" with an explicit deny in {noun}");
        let identity = (nothing("identity-based policy"), denied("an identity-based policy"));
        let cases = [
            (Kind::Identity, identity.clone()),
            (Kind::Group, identity.clone()),
            (Kind::Ibm, identity),
            (Kind::Boundary, (nothing("permissions boundary"), denied("a permissions boundary"))),
            (Kind::Session, (nothing("session policy"), denied("a session policy"))),
            (Kind::Repository, (nothing("resource-based policy"), denied("a resource-based policy"))),
            (Kind::Trust, (nothing("role trust policy"), denied("the role trust policy"))),
        ];
        let said = |class| aws(&denial(class, Some("sts:AssumeRole")), &session(), "R");
        for (kind, (implicit, explicit)) in cases {
            let begin = "assumed-role/ecr_access_teama_role/ECR-Access-Testing is not authorized to perform: \
                         sts:AssumeRole on resource: R";
            let whole = |reason| format!("User: arn:aws:sts::111122223333:{begin}{reason}");
            assert_eq!(said(Class::ImplicitDeny(kind)), whole(implicit));
            assert_eq!(said(Class::ExplicitDeny(kind)), whole(explicit));
        }
    }

    #[test]
    fn everyone_is_named_as_aws_names_them() {
        let (account, arn) = (account(), "arn:aws:iam::111122223333:user/alice");
        let provider = "arn:aws:iam::111122223333:oidc-provider/idp.test".into();
        let federated = "arn:aws:sts::111122223333:federated-user/bob";
        let cases = [
            (Caller::Anonymous, "anonymous"),
            (Caller::WebIdentity { provider }, "anonymous"),
            (Caller::Root { account: account.clone() }, "arn:aws:iam::111122223333:root"),
            (Caller::User { account: account.clone(), arn: arn.into(), id: "AIDA1".into() }, arn),
            (Caller::FederatedUser { account, arn: federated.into() }, federated),
        ];
        for (who, name) in cases {
            let said = aws(&denial(Class::ImplicitDeny(Kind::Identity), None), &who, ARN);
            let begin = "is not authorized to perform: container-registry.image.list on resource:";
            assert!(said.starts_with(&format!("User: {name} {begin}")), "{said}");
        }
    }
}
