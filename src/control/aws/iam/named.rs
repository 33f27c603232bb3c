//! Who is let in by what is not theirs: trust policies of roles and policies of repositories that name them. What these
//! grant needs no policy of one's own.

use super::entity::Person;
use crate::control::Desk;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::policy::aws::document::{Document, Effect, Principal, Statement};
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;

impl Desk {
    /// Whether some role or repository may let in this user or service ID, and not everyone. A document that cannot be read
    /// may say so.
    ///
    /// # Errors
    /// [`AwsProblem`] when the store cannot say.
    pub(in crate::control) async fn is_named(&self, id: &PrincipalId) -> Result<bool, AwsProblem> {
        let Some(person) = self.person_of(id).await? else { return Ok(false) };
        let named = |text: &str, kind: Kind| {
            let document = validate::read(text, kind);
            document.map_or(true, |document| lets_in(&document, &person, &self.account))
        };
        let roles = rows(|window| self.store.roles("", window)).await?;
        if roles.iter().any(|role| named(role.trust.as_str(), Kind::Trust)) {
            return Ok(true);
        }
        for region in self.premises.registries.keys() {
            if !self.store.registry(region).await?.is_some_and(|facts| facts.repository_policies) {
                continue;
            }
            for repository in rows(|window| self.store.repositories(region, window)).await? {
                let stored = self.store.repository_policy(region, &repository.name).await?.policy;
                if stored.is_some_and(|text| named(text.as_str(), Kind::Repository)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn lets_in(document: &Document, person: &Person, account: &AccountId) -> bool {
    let (arn, id) = (person.arn(account), person.unique_id());
    let names = |principal: &Principal| match principal {
        Principal::Arn(named) => named.to_string() == arn,
        Principal::UniqueId(named) => **named == *id.as_str(),
        // An account delegates to policies of one's own.
        Principal::Account(_)
        | Principal::Any
        | Principal::CanonicalUser(_)
        | Principal::Federated(_)
        | Principal::Service(_) => false,
    };
    let says = |statement: &Statement| {
        let Some(clause) = &statement.principal else { return false };
        // Conditions may name somebody among all.
        let some_of_all = clause.principals.contains(&Principal::Any) && !statement.conditions.is_empty();
        clause.negated || some_of_all || clause.principals.iter().any(names)
    };
    document.statements.iter().any(|statement| statement.effect == Effect::Allow && says(statement))
}

#[cfg(test)]
mod tests {
    use super::lets_in;
    use crate::control::aws::iam::entity::Person;
    use crate::policy::aws::kind::Kind;
    use crate::policy::aws::validate;
    use crate::store::contract::samples;

    #[test]
    fn somebody_is_let_in_by_name_by_exception_and_by_condition() {
        let (account, person) = (samples::account_id(), Person::of_service_id(&samples::service_id(7)));
        let says = |principal: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",{principal}}}]}}"#
            );
            lets_in(&validate::read(&text, Kind::Trust).unwrap(), &person, &account)
        };
        let (arn, id) = (person.arn(&account), person.unique_id());
        assert!(says(&format!(r#""Principal":{{"AWS":["{account}","{arn}"]}}"#)));
        assert!(says(&format!(r#""Principal":{{"AWS":"{}"}}"#, id.as_str())));
        let condition = r#""Condition":{"StringEquals":{"aws:username":"x"}}"#;
        assert!(says(&format!(r#""Principal":{{"AWS":"*"}},{condition}"#)));
        assert!(!says(r#""Principal":{"AWS":"*"}"#));
        assert!(!says(&format!(r#""Principal":{{"AWS":"arn:aws:iam::{account}:root"}}"#)));
        assert!(!says(&format!(r#""Principal":{{"AWS":"{arn}x"}}"#)));
    }
}
