//! Sessions and registry passwords: each use is decided on what is there now, and a token is good for nothing else.

use std::sync::Arc;

use super::living::{Living, origin, statement, user};
use crate::admit::caller::Caller;
use crate::admit::proof::Authenticated;
use crate::clock::SequenceEntropy;
use crate::credential::seal::MasterKey;
use crate::credential::session::{Kind, Limit, RegistryPassword, Sealer, Session};
use crate::ids::aws::SessionKeyId;
use crate::ids::principal::PrincipalId;
use crate::policy::engine::principal::Caller as Who;
use crate::policy::table::product;
use crate::secret::Secret;
use crate::store::aws::holder::{Holder, PolicyRef};
use crate::store::contract::aws_samples::role;
use crate::store::contract::samples::{account_id, time};

fn entropy() -> SequenceEntropy {
    SequenceEntropy::seeded(99)
}

/// The sealer of another replica of the same installation.
fn sealer() -> Sealer {
    Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(7))))
}

fn session(limits: Option<Vec<Limit>>) -> Session {
    Session {
        account: account_id(),
        id: SessionKeyId::fresh(&account_id(), &entropy()),
        principal: PrincipalId::Role(role(1).id),
        kind: Kind::Role("build-7".to_owned()),
        made_with: None,
        taken_on_by: None,
        limits,
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        context: Vec::new(),
        issued_at: time(900),
        expires_at: time(2000),
    }
}

/// Who logs in to the registry with a password that was got with this session.
async fn login(living: &Living, session: Session) -> Result<Arc<Caller>, &'static str> {
    let principal = session.principal.clone();
    let credential = sealer().begin(session, &entropy()).token;
    let password = RegistryPassword { principal, credential, issued_at: time(900), expires_at: time(2000) };
    presented(living, &password).await
}

async fn presented(living: &Living, password: &RegistryPassword) -> Result<Arc<Caller>, &'static str> {
    let text = sealer().password(password, &entropy());
    match living.gate.authenticator.login("AWS", &text, &origin()).await.unwrap() {
        Authenticated::Proven(caller) => Ok(caller),
        Authenticated::Rejected(because) => Err(because),
        Authenticated::Absent => panic!("a password was presented"),
    }
}

fn may(caller: &Caller, action: &str) -> bool {
    caller.bundle.rights.allows_somewhere(product().find(action).unwrap())
}

#[tokio::test]
async fn a_session_is_its_role_as_the_role_is_now() {
    let living = Living::open().await;
    assert_eq!(
        login(&living, session(None)).await.unwrap_err(),
        "whom the session stands for is disabled or deleted"
    );
    living.store().insert_role(&role(1), None, &[]).await.unwrap();
    let caller = login(&living, session(None)).await.unwrap();
    assert!(!may(&caller, "ecr:BatchGetImage"));
    let Who::RoleSession { session: arn, .. } = caller.bundle.rights.caller() else { panic!("{caller:?}") };
    assert_eq!(
        &**arn,
        format!("arn:aws:sts::{}:assumed-role/{}/build-7", account_id(), role(1).name.as_str())
    );

    let holder = Holder::Role(role(1).id);
    living.write(&holder, &statement("Allow", "ecr:BatchGetImage")).await;
    assert!(may(&login(&living, session(None)).await.unwrap(), "ecr:BatchGetImage"));
    living.write(&holder, &statement("Allow", "ecr:PutImage")).await;
    let caller = login(&living, session(None)).await.unwrap();
    assert!(!may(&caller, "ecr:BatchGetImage") && may(&caller, "ecr:PutImage"));
}

#[tokio::test]
async fn a_policy_that_limits_a_session_is_the_one_in_force_and_its_end_is_the_sessions() {
    let living = Living::open().await;
    living.store().insert_role(&role(1), None, &[]).await.unwrap();
    let PolicyRef::Customer(id) = living.managed(1, &statement("Allow", "ecr:PutImage")).await else {
        panic!("a customer's policy is none of AWS's")
    };
    let limited = || session(Some(vec![Limit::Customer(id.clone())]));
    let stamp = login(&living, limited()).await.unwrap().bundle.rights.stamp();
    assert_eq!(login(&living, limited()).await.unwrap().bundle.rights.stamp(), stamp, "compiled once");
    living.store().delete_managed_policy(&id).await.unwrap();
    assert_eq!(login(&living, limited()).await.unwrap_err(), "a policy that limits the session is gone");
    let gone = session(Some(vec![Limit::Aws("arn:aws:iam::aws:policy/Nonesuch".to_owned())]));
    assert!(login(&living, gone).await.is_err());
}

#[tokio::test]
async fn a_session_that_is_over_or_another_accounts_or_under_a_wrong_name_proves_nobody() {
    let living = Living::open().await;
    living.store().insert_role(&role(1), None, &[]).await.unwrap();
    assert!(login(&living, session(None)).await.is_ok());
    let over = Session { expires_at: time(1000), ..session(None) };
    assert_eq!(login(&living, over).await.unwrap_err(), "the session is over");
    let foreign = Session { account: "210987654321".parse().unwrap(), ..session(None) };
    assert_eq!(login(&living, foreign).await.unwrap_err(), "the session is of another account");
    // A role's session is no user's, and a user's no role's.
    for (principal, kind) in [
        (user(1), Kind::Role("x1".to_owned())),
        (PrincipalId::Role(role(1).id), Kind::User),
        (PrincipalId::Role(role(1).id), Kind::Federated("x1".to_owned())),
    ] {
        assert!(login(&living, Session { principal, kind, ..session(None) }).await.is_err());
    }
}

#[tokio::test]
async fn a_registry_password_is_for_whom_its_credential_stands_and_for_its_time() {
    let living = Living::open().await;
    living.store().insert_role(&role(1), None, &[]).await.unwrap();
    let credential = sealer().begin(session(None), &entropy()).token;
    let (issued_at, expires_at) = (time(900), time(2000));
    let principal = PrincipalId::Role(role(1).id);
    let good = RegistryPassword { principal, credential, issued_at, expires_at };
    assert!(presented(&living, &good).await.is_ok());
    let over = RegistryPassword { expires_at: time(1000), ..good.clone() };
    assert_eq!(presented(&living, &over).await.unwrap_err(), "the registry password has expired");
    let others = RegistryPassword { principal: user(1), ..good.clone() };
    assert_eq!(presented(&living, &others).await.unwrap_err(), "the session stands for somebody else");
    let unknown = RegistryPassword { credential: Secret::from("AKIAIOSFODNN7EXAMPLE"), ..good };
    assert!(presented(&living, &unknown).await.is_err());
}
