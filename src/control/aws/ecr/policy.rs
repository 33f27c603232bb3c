//! Policies of repositories and of the registry.

use std::sync::Arc;

use super::{Asker, Doing, invalid};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::refusal::Refusal;
use crate::control::Desk;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::aws::{AwsDone, action};
use crate::policy::aws::kind::Kind;
use crate::policy::aws::message::{Code, Invalid};
use crate::policy::engine::compiled::{Place, compile_aws};
use crate::policy::resource::Resource;
use crate::policy::table::product;
use crate::registry::name::RepositoryName;
use crate::store::StoreError;
use crate::store::aws::text::DocumentText;

/// What a registry policy may be about while it is of scope V1.
const REGISTRY_ACTIONS: [&str; 3] =
    ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository", "ecr:ReplicateImage"];

/// Under which name the registry policy is kept.
const REGISTRY_POLICY: &str = "policy";

impl Desk {
    /// Sets the policy of a repository. One that would keep the caller from setting another one needs `force`.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_set_repository_policy(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        text: &str,
        force: bool,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let doing = Doing("ecr:SetRepositoryPolicy", None);
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        let row = self.recorded(asker.region, name).await?;
        let (kept, document) = DocumentText::read(text, Kind::Repository).map_err(unfit)?;
        if !force {
            let arn = row.arn(self.account.clone()).to_string();
            let new = Arc::new(compile_aws(&arn, &document, Place::Repository, product()));
            let target = AwsTarget::Resource(Resource::repository(asker.region, name));
            let ask = AwsAsk { trust: Some(new), ..AwsAsk::new(action(doing.0)?, target) };
            match self.authority.permit_aws(asker.caller, ask).await {
                Ok(_) => {}
                Err(AwsProblem::Refused(Refusal::Unauthorized(_))) => {
                    let rule = "The policy would keep you from setting a policy in the future: set it with force if that is meant";
                    return Err(invalid("PolicyText", rule));
                }
                Err(problem) => return Err(problem),
            }
        }
        self.store.put_repository_policy(asker.region, name, Some(&kept)).await?;
        Ok(AwsDone::new(pretty(text), permit))
    }

    /// The policy of a repository.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_repository_policy(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let permit = self.may_on(asker, Doing("ecr:GetRepositoryPolicy", None), name, Vec::new()).await?;
        Ok(AwsDone::new(self.policy_text(asker, name).await?, permit))
    }

    /// Removes the policy of a repository.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_delete_repository_policy(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let permit = self.may_on(asker, Doing("ecr:DeleteRepositoryPolicy", None), name, Vec::new()).await?;
        let text = self.policy_text(asker, name).await?;
        self.store.put_repository_policy(asker.region, name, None).await?;
        Ok(AwsDone::new(text, permit))
    }

    async fn policy_text(&self, asker: Asker<'_>, name: &RepositoryName) -> Result<String, AwsProblem> {
        self.existing(asker.region, name).await?;
        let stored = self.store.repository_policy(asker.region, name).await?.policy;
        stored.map(|text| pretty(text.as_str())).ok_or_else(|| {
            let text = format!(
                "Repository policy does not exist for the repository with name '{name}' in the registry with id '{}'",
                self.account
            );
            AwsProblem::said(AwsCode::RepositoryPolicyNotFoundException, text)
        })
    }

    /// Sets the policy of the registry. It is of scope V1: about what replication and pull-through caches of other accounts
    /// may bring here, of which there are none, so it decides nothing, and may not say anything that would.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_put_registry_policy(
        &self,
        asker: Asker<'_>,
        text: &str,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let permit = self.may(asker, "ecr:PutRegistryPolicy", Vec::new()).await?;
        DocumentText::read(text, Kind::Registry).map_err(unfit)?;
        if !is_first_scope(text) {
            return Err(invalid("PolicyText", "Invalid registry policy provided"));
        }
        self.store.put_registry_setting(asker.region, REGISTRY_POLICY, Some(text)).await?;
        Ok(AwsDone::new(pretty(text), permit))
    }

    /// The policy of the registry.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_registry_policy(&self, asker: Asker<'_>) -> Result<AwsDone<String>, AwsProblem> {
        let permit = self.may(asker, "ecr:GetRegistryPolicy", Vec::new()).await?;
        let stored = self.store.registry_setting(asker.region, REGISTRY_POLICY).await?;
        let text = stored.ok_or_else(|| self.no_registry_policy())?;
        Ok(AwsDone::new(pretty(&text), permit))
    }

    /// Removes the policy of the registry.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_delete_registry_policy(&self, asker: Asker<'_>) -> Result<AwsDone<String>, AwsProblem> {
        let permit = self.may(asker, "ecr:DeleteRegistryPolicy", Vec::new()).await?;
        let stored = self.store.registry_setting(asker.region, REGISTRY_POLICY).await?;
        let text = stored.ok_or_else(|| self.no_registry_policy())?;
        match self.store.put_registry_setting(asker.region, REGISTRY_POLICY, None).await {
            Ok(()) => Ok(AwsDone::new(pretty(&text), permit)),
            Err(StoreError::NotFound) => Err(self.no_registry_policy()),
            Err(error) => Err(error.into()),
        }
    }

    fn no_registry_policy(&self) -> AwsProblem {
        let text = format!("Registry policy does not exist in the registry with id '{}'", self.account);
        AwsProblem::said(AwsCode::RegistryPolicyNotFoundException, text)
    }
}

fn unfit(invalid: Invalid) -> AwsProblem {
    let code = match invalid.code {
        Code::InvalidParameterException | Code::LimitExceeded | Code::ValidationError => {
            AwsCode::InvalidParameterException
        }
        Code::MalformedPolicyDocument => AwsCode::InvalidParameterException,
    };
    AwsProblem::said(code, invalid.message)
}

/// Whether every statement of a registry policy names only what scope V1 is about.
fn is_first_scope(text: &str) -> bool {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let listed = |value: &serde_json::Value| match value {
        serde_json::Value::Array(all) => all.clone(),
        other => vec![other.clone()],
    };
    let names = |action: &serde_json::Value| {
        action
            .as_str()
            .is_some_and(|name| REGISTRY_ACTIONS.iter().any(|known| known.eq_ignore_ascii_case(name)))
    };
    let statements = document.get("Statement").map(listed).unwrap_or_default();
    let fits = |statement: &serde_json::Value| {
        statement.get("Action").map(listed).is_some_and(|actions| actions.iter().all(names))
    };
    !statements.is_empty() && statements.iter().all(fits)
}

/// A document as ECR gives it back: in its own order, indented, with a space before each colon.
fn pretty(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth: Vec<char> = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut characters = text.chars().peekable();
    let indent = |out: &mut String, depth: &[char]| {
        out.push('\n');
        (0..depth.iter().filter(|bracket| **bracket == '{').count()).for_each(|_| out.push_str("  "));
    };
    while let Some(character) = characters.next() {
        if quoted {
            out.push(character);
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        while characters.next_if(|next| next.is_whitespace()).is_some() {}
        match character {
            space if space.is_whitespace() => {}
            '{' | '[' => {
                out.push(character);
                depth.push(character);
                let closes = if character == '{' { '}' } else { ']' };
                match (characters.peek() == Some(&closes), character) {
                    (false, '{') => indent(&mut out, &depth),
                    (true, _) | (false, _) => out.push(' '),
                }
            }
            '}' | ']' => {
                let opened = depth.pop();
                let empty = out.ends_with("{ ") || out.ends_with("[ ");
                match (empty, opened) {
                    (true, _) => {}
                    (false, Some('{')) => indent(&mut out, &depth),
                    (false, _) => out.push(' '),
                }
                out.push(character);
            }
            ':' => out.push_str(" : "),
            ',' => {
                out.push(',');
                match depth.last() {
                    Some('{') => indent(&mut out, &depth),
                    Some(_) | None => out.push(' '),
                }
            }
            other => {
                quoted = other == '"';
                out.push(other);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{is_first_scope, pretty};

    #[test]
    fn a_policy_is_given_back_as_ecr_prints_it() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"DenyECRTester","Effect":"Deny",
            "Principal":{"AWS":"arn:aws:iam::123456789012:role/a"},"Action":["ecr:ListImages" , "ecr:*"],
            "Condition" : { },"x":"a\"{:,\\"}]}"#;
        let expected = "{\n  \"Version\" : \"2012-10-17\",\n  \"Statement\" : [ {\n    \"Sid\" : \"DenyECRTester\",\n    \
            \"Effect\" : \"Deny\",\n    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::123456789012:role/a\"\n    },\n    \
            \"Action\" : [ \"ecr:ListImages\", \"ecr:*\" ],\n    \"Condition\" : { },\n    \"x\" : \"a\\\"{:,\\\\\"\n  } ]\n}";
        assert_eq!(pretty(text), expected);
        assert_eq!(pretty(expected), expected);
    }

    #[test]
    fn a_registry_policy_speaks_of_replication_only() {
        let policy = |action: &str| format!(r#"{{"Statement":[{{"Action":{action}}}]}}"#);
        assert!(is_first_scope(&policy(r#""ecr:ReplicateImage""#)));
        assert!(is_first_scope(&policy(r#"["ecr:ReplicateImage","ecr:CreateRepository"]"#)));
        for wrong in [r#""ecr:*""#, r#"["ecr:ReplicateImage","ecr:PutImage"]"#, "[1]", "null"] {
            assert!(!is_first_scope(&policy(wrong)), "{wrong}");
        }
        assert!(!is_first_scope(r#"{"Statement":[{"NotAction":"ecr:PutImage"}]}"#));
    }
}
