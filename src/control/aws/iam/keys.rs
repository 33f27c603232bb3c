//! Which condition keys documents read: in conditions, and as variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::policy::aws::document::{Document, Statement};
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;
use crate::policy::aws::variable::{Part, Template};
use crate::policy::table::IamAction;

impl Desk {
    /// The condition keys of documents that are given.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn keys_of_documents(
        &self,
        caller: &Arc<Caller>,
        documents: &[String],
    ) -> Result<AwsDone<Vec<String>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::GetContextKeysForCustomPolicy).await?;
        Ok(AwsDone::new(spelt(&read(documents)?), permit))
    }

    /// The condition keys of an entity's documents, and of those that are given.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn keys_of_entity(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        documents: &[String],
    ) -> Result<AwsDone<Vec<String>>, AwsProblem> {
        let action = IamAction::GetContextKeysForPrincipalPolicy;
        let (entity, permit) = self.grasp_arn(caller, action, arn).await?;
        let (held, boundary) = self.held_by(&entity).await?;
        let mut all = read(documents)?;
        for one in held.iter().chain(&boundary) {
            all.push(one.read()?);
        }
        Ok(AwsDone::new(spelt(&all), permit))
    }
}

/// Reads documents that a caller gives to try them.
pub(super) fn read(documents: &[String]) -> Result<Vec<Document>, AwsProblem> {
    let read = |text: &String| validate::read(text, Kind::Managed).map_err(super::words::invalid);
    documents.iter().map(read).collect()
}

/// Each key once, as it is first spelt.
fn spelt(documents: &[Document]) -> Vec<String> {
    spellings(documents).into_values().collect()
}

/// The spelling of each key, by its folded name.
pub(super) fn spellings(documents: &[Document]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for name in documents.iter().flat_map(|document| &document.statements).flat_map(of_statement) {
        all.entry(name.to_lowercase()).or_insert(name);
    }
    all
}

fn of_statement(statement: &Statement) -> Vec<String> {
    let mut names: Vec<String> = statement.conditions.iter().map(|one| one.key.to_string()).collect();
    let values = statement.conditions.iter().flat_map(|one| &one.values);
    values.for_each(|value| names.extend(variables(&value.template)));
    let patterns = statement.resources.iter().flat_map(|clause| &clause.patterns);
    let segments = patterns.filter_map(|one| one.arn.as_ref()?.segments());
    segments.flatten().for_each(|template| names.extend(variables(template)));
    names
}

fn variables(template: &Template) -> Vec<String> {
    let key = |part: &Part| match part {
        Part::Variable(variable) => Some(variable.key.to_string()),
        Part::Any | Part::Literal(_) | Part::One => None,
    };
    template.parts().iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, spelt};

    #[test]
    fn keys_of_conditions_and_variables_are_found_once() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*",
            "Resource":"arn:aws:iam::*:user/${aws:username}",
            "Condition":{"StringEquals":{"aws:PrincipalTag/Team":"${aws:RequestTag/Team}","AWS:username":"x"}}}]}"#;
        let keys = spelt(&read(&[text.to_owned()]).unwrap());
        assert_eq!(keys, ["aws:PrincipalTag/Team", "aws:RequestTag/Team", "AWS:username"]);
        assert!(read(&["{".to_owned()]).is_err());
    }
}
