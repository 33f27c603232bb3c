//! Which policies of an entity grant anything of a service.

use std::collections::HashSet;
use std::sync::Arc;

use super::held::Held;
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::policy::aws::document::{ActionClause, Document, Effect};
use crate::policy::table::IamAction;

/// A service and the policies that grant something of it.
#[derive(Clone, Debug)]
pub struct Granting {
    /// `ecr`
    pub service: String,
    /// The policies.
    pub policies: Vec<Held>,
}

impl Desk {
    /// For each service the policies of an entity, and of its groups, that grant something of it.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn policies_granting(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        services: &[String],
    ) -> Result<AwsDone<Vec<Granting>>, AwsProblem> {
        let action = IamAction::ListPoliciesGrantingServiceAccess;
        let (entity, permit) = self.grasp_arn(caller, action, arn).await?;
        let (held, _) = self.held_by(&entity).await?;
        let mut read = Vec::with_capacity(held.len());
        let mut seen = HashSet::new();
        for one in held {
            // A managed policy is one, also if a group has it besides.
            if one.arn.as_ref().is_none_or(|arn| seen.insert(arn.clone())) {
                read.push((one.read()?, one));
            }
        }
        let of = |service: &String| Granting {
            service: service.clone(),
            policies: read
                .iter()
                .filter(|(document, _)| grants(document, service))
                .map(|(_, h)| h.clone())
                .collect(),
        };
        Ok(AwsDone::new(services.iter().map(of).collect(), permit))
    }
}

/// Whether some statement allows something of the service.
fn grants(document: &Document, service: &str) -> bool {
    let allows = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    allows.into_iter().any(|statement| names(&statement.actions, service))
}

fn names(actions: &ActionClause, service: &str) -> bool {
    let of = |named: &Option<Box<str>>| named.as_ref().is_none_or(|one| one.eq_ignore_ascii_case(service));
    if actions.negated {
        // Everything but these: some of the service, unless all of it is named.
        return !actions.patterns.iter().any(|pattern| of(&pattern.service) && &*pattern.name == "*");
    }
    actions.patterns.iter().any(|pattern| of(&pattern.service))
}

#[cfg(test)]
mod tests {
    use super::grants;
    use crate::policy::aws::kind::Kind;
    use crate::policy::aws::validate;

    #[test]
    fn a_service_is_granted_by_what_allows_any_of_it() {
        let grants = |statement: &str| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            grants(&validate::read(&text, Kind::Managed).unwrap(), "ecr")
        };
        assert!(grants(r#"{"Effect":"Allow","Action":"ECR:ListImages","Resource":"*"}"#));
        assert!(grants(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#));
        assert!(grants(r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#));
        assert!(!grants(r#"{"Effect":"Allow","NotAction":"ecr:*","Resource":"*"}"#));
        assert!(!grants(r#"{"Effect":"Deny","Action":"ecr:*","Resource":"*"}"#));
        assert!(!grants(r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#));
    }
}
