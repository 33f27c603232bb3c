//! The registry as a whole: its settings, and what ECR has and this registry does not.

use super::{Asker, invalid, not_offered};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};

/// What account settings there are: their names, and their values with the default first.
const SETTINGS: [(&str, &[&str]); 3] = [
    ("BASIC_SCAN_TYPE_VERSION", &["AWS_NATIVE", "CLAIR"]),
    ("BLOB_MOUNTING", &["ENABLED"]),
    ("REGISTRY_POLICY_SCOPE", &["V1"]),
];

/// Something of ECR's that this registry does not do: what is asked for is not there, or cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Absent {
    /// It cannot be made: this is what is not offered.
    NotOffered(&'static str),
    /// A creation template.
    NoTemplate,
    /// A rule of a pull-through cache.
    NoCacheRule,
    /// A setting of signing.
    NoSigning,
    /// Somebody whose pulls do not count.
    NoExclusion,
    /// A replication of what was there before.
    NoBackfill,
}

impl Desk {
    /// What the registry is called: by its account. Nothing is replicated to anywhere.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_registry(&self, asker: Asker<'_>) -> Result<AwsDone<()>, AwsProblem> {
        Ok(AwsDone::new((), self.may(asker, "ecr:DescribeRegistry", Vec::new()).await?))
    }

    /// One setting of the account.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_account_setting(
        &self,
        asker: Asker<'_>,
        name: &str,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let told = vec![("ecr:AccountSetting".to_owned(), vec![name.to_owned()])];
        let permit = self.may(asker, "ecr:GetAccountSetting", told).await?;
        let (name, values) = setting(name)?;
        let stored = self.store.registry_setting(asker.region, name).await?;
        let value = stored.or_else(|| values.first().map(|value| (*value).to_owned())).unwrap_or_default();
        Ok(AwsDone::new(value, permit))
    }

    /// Sets one setting of the account, to a value that is obeyed here.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_put_account_setting(
        &self,
        asker: Asker<'_>,
        name: &str,
        value: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let told = vec![("ecr:AccountSetting".to_owned(), vec![name.to_owned()])];
        let permit = self.may(asker, "ecr:PutAccountSetting", told).await?;
        let (name, values) = setting(name)?;
        if !values.contains(&value) {
            return Err(invalid("value", &format!("this registry offers {}", values.join(", "))));
        }
        self.store.put_registry_setting(asker.region, name, Some(value)).await?;
        Ok(AwsDone::new((), permit))
    }

    /// A list of something that this registry has none of.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_nothing(&self, asker: Asker<'_>, name: &'static str) -> Result<AwsDone<()>, AwsProblem> {
        Ok(AwsDone::new((), self.may(asker, name, Vec::new()).await?))
    }

    /// A call about something that this registry does not have, by somebody who may.
    ///
    /// # Errors
    /// [`AwsProblem`], always.
    pub async fn ecr_absent(
        &self,
        asker: Asker<'_>,
        name: &'static str,
        absent: Absent,
    ) -> Result<AwsDone<()>, AwsProblem> {
        self.may(asker, name, Vec::new()).await?;
        let account = &self.account;
        Err(match absent {
            Absent::NotOffered(what) => not_offered(what),
            Absent::NoTemplate => AwsProblem::said(
                AwsCode::TemplateNotFoundException,
                format!("Repository creation template does not exist in the registry with id '{account}'"),
            ),
            Absent::NoCacheRule => AwsProblem::said(
                AwsCode::PullThroughCacheRuleNotFoundException,
                format!("Pull through cache rule does not exist in the registry with id '{account}'"),
            ),
            Absent::NoSigning => AwsProblem::said(
                AwsCode::SigningConfigurationNotFoundException,
                format!("Signing configuration does not exist in the registry with id '{account}'"),
            ),
            Absent::NoBackfill => AwsProblem::said(
                AwsCode::ReplicationBackfillNotFoundException,
                format!("Replication backfill does not exist in the registry with id '{account}'"),
            ),
            Absent::NoExclusion => AwsProblem::said(
                AwsCode::ExclusionNotFoundException,
                format!("Pull time update exclusion does not exist in the registry with id '{account}'"),
            ),
        })
    }
}

fn setting(name: &str) -> Result<(&'static str, &'static [&'static str]), AwsProblem> {
    let found = SETTINGS.iter().find(|(known, _)| *known == name).copied();
    found.ok_or_else(|| {
        invalid("name", "must be BASIC_SCAN_TYPE_VERSION, BLOB_MOUNTING or REGISTRY_POLICY_SCOPE")
    })
}
