//! The account's beginning: the administrator, its key and policies, the first signing key, the registries.

use crate::clock::{Clock, Entropy};
use crate::credential::access_key::AccessSecret;
use crate::credential::api_key::{ApiKey, Pepper};
use crate::credential::jwt::SigningKey;
use crate::credential::seal::MasterKey;
use crate::ids::account::AccountId;
use crate::ids::aws::AccessKeyId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::{ApiKeyId, PolicyId, UserId};
use crate::policy::ibm::document::{
    AttributeDocument, AttributeValue, PolicyDocument, ResourceDocument, RoleReference,
};
use crate::policy::ibm::role::Role;
use crate::store::account::{Account, Founding};
use crate::store::aws::access_key::AccessKeyRecord;
use crate::store::aws::holder::{AwsPolicyArn, PolicyRef};
use crate::store::identity::{ApiKeyRecord, Stamp, User};
use crate::store::keyring::SigningKeyRecord;
use crate::store::policy::{PolicyRecord, Subject};
use crate::store::registry::RegistrySettings;
use crate::store::{Store, StoreError};

/// What the administrator holds in AWS's dialect. Installations that are older than this got it by a step of the schema,
/// once: who takes it away means it.
const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// What an installation begins with.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// The regions of the configured registries.
    pub regions: Vec<Region>,
    /// Whether registries begin without policy enforcement.
    pub policy_free: bool,
    /// The administrator's key.
    pub api_key: &'a ApiKey,
    /// The administrator's access key, if it has one from the beginning.
    pub access_key: Option<(&'a AccessKeyId, &'a AccessSecret)>,
    /// What API keys are hashed with.
    pub pepper: &'a Pepper,
    /// What signing keys are sealed with.
    pub master: &'a MasterKey,
    /// What signing keys are sealed for.
    pub sealed_for: &'a str,
}

/// Founds the account, or finds it founded: true if this call did it.
///
/// # Errors
/// [`StoreError`] when the store fails; nothing has been written then.
pub async fn found(
    store: &dyn Store,
    plan: &Plan<'_>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    let founding = founding(plan, clock, entropy)?;
    match store.found(&founding).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Makes settings for registries that have been configured since the account was founded. They begin enforced.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub async fn adopt_registries(store: &dyn Store, regions: &[Region]) -> Result<(), StoreError> {
    for region in regions {
        if store.registry(region).await?.is_none() {
            store.put_registry(&settings(region.clone(), true)).await?;
        }
    }
    Ok(())
}

fn founding(plan: &Plan<'_>, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Founding, StoreError> {
    let now = clock.now();
    let stamp = Stamp::new(now);
    let id = UserId::fresh(entropy);
    let administrator = PrincipalId::User(id.clone());
    let policy = |kind: &str| PolicyRecord {
        id: PolicyId::fresh(entropy),
        subject: Subject::Principal(administrator.clone()),
        document: everything(&plan.account, kind),
        description: "The administrator that `init` made".to_owned(),
        created_by: administrator.clone(),
        modified_by: administrator.clone(),
        stamp,
    };
    let (key, private) = SigningKey::generate()
        .map_err(|_| StoreError::Unavailable("no signing key can be made".to_owned()))?;
    let everything =
        AwsPolicyArn::parse(EVERYTHING).map_err(|malformed| StoreError::Corrupt(malformed.to_string()))?;
    Ok(Founding {
        held: vec![PolicyRef::Aws(everything)],
        access_key: plan.access_key.map(|(id, secret)| AccessKeyRecord {
            id: id.clone(),
            owner: administrator.clone(),
            sealed: secret.sealed(id, plan.master, entropy),
            active: true,
            last_used: None,
            created_at: now,
        }),
        account: Account { id: plan.account.clone(), name: plan.name.clone(), created_at: now },
        policies: vec![policy("service"), policy("platform_service")],
        administrator: User { id, name: "admin".to_owned(), active: true, stamp },
        api_key: ApiKeyRecord {
            id: ApiKeyId::fresh(entropy),
            owner: administrator.clone(),
            name: "bootstrap".to_owned(),
            description: "The key that `init` printed".to_owned(),
            hash: plan.pepper.hash(plan.api_key),
            locked: false,
            disabled: false,
            expires_at: None,
            created_by: administrator.clone(),
            stamp,
        },
        signing_key: SigningKeyRecord {
            kid: key.kid().to_owned(),
            sealed: plan.master.seal(plan.sealed_for, private.expose(), entropy),
            public: key.public().to_vec(),
            created_at: now,
            retires_at: None,
        },
        registries: plan.regions.iter().map(|region| settings(region.clone(), !plan.policy_free)).collect(),
    })
}

fn settings(region: Region, policies_enforced: bool) -> RegistrySettings {
    RegistrySettings { region, policies_enforced, private_only: false, platform_metrics: false }
}

/// Manager and Administrator on every service of one type.
fn everything(account: &AccountId, service_type: &str) -> PolicyDocument {
    let attribute = |name: &str, value: &str| AttributeDocument {
        name: name.to_owned(),
        value: AttributeValue::Text(value.to_owned()),
        operator: None,
    };
    PolicyDocument {
        roles: [Role::Manager, Role::Administrator].map(|role| RoleReference::named(role.crn())).to_vec(),
        pattern: None,
        rule: None,
        resources: vec![ResourceDocument {
            attributes: vec![
                attribute("accountId", account.as_str()),
                attribute("serviceType", service_type),
            ],
        }],
    }
}
