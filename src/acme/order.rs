//! One order, from the account to the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::KeyPair;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::place::{self, replace};
use super::proof::{Shown, Stage};
use super::transport::Transport;
use super::{AcmeError, Challenge, Settings};

/// How long the authority may take to verify.
const VERIFYING: Duration = Duration::from_secs(60);
/// How long it may take to sign.
const SIGNING: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(60));

/// Gets a certificate for all names and puts it, with a fresh key, in place of the old one.
///
/// # Errors
/// [`AcmeError`]; then what was there is still there.
pub async fn obtain(settings: &Settings, stage: &Stage) -> Result<(), AcmeError> {
    let account = account(settings).await?;
    let wanted = |name: &crate::ids::host::HostName| Identifier::Dns(name.as_str().to_owned());
    let names: Vec<Identifier> = settings.names.iter().map(wanted).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    prove(&mut order, settings.challenge, stage).await?;
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let request = place::request(&settings.names)?.serialize_request(&key)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&SIGNING).await?;
    replace(&settings.folder, &chain, &Zeroizing::new(key.serialize_pem()))
}

/// The account with this authority, made at the first time.
async fn account(settings: &Settings) -> Result<Account, AcmeError> {
    let path = place::account(&settings.folder, &settings.directory);
    let builder = Account::builder_with_http(Box::new(Transport { ca: settings.ca.clone() }));
    let kept = std::fs::read(&path).ok().map(Zeroizing::new);
    if let Some(credentials) = kept.and_then(|text| serde_json::from_slice::<AccountCredentials>(&text).ok())
    {
        return Ok(builder.from_credentials(credentials).await?);
    }
    let contact: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&new, settings.directory.clone(), None).await?;
    let text = Zeroizing::new(serde_json::to_vec(&credentials).map_err(instant_acme::Error::from)?);
    place::write(&path, &text)?;
    Ok(account)
}

/// Shows that every name is ours, and waits until the authority has seen it.
async fn prove(order: &mut Order, challenge: Challenge, stage: &Stage) -> Result<(), AcmeError> {
    let kind = match challenge {
        Challenge::Http => ChallengeType::Http01,
        Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
    };
    let mut shown = Shown::nothing(stage);
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = authorization.identifier().to_string();
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Deactivated
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Invalid
            | AuthorizationStatus::Revoked => return Err(AcmeError::Unproven(name)),
        }
        let offered = authorization.challenge(kind.clone());
        let mut offered = offered.ok_or_else(|| AcmeError::NotOffered(challenge.label(), name.clone()))?;
        let answer = offered.key_authorization();
        shown.show(challenge, &name, (&offered.token, answer.as_str(), answer.digest().as_ref()))?;
        offered.set_ready().await?;
    }
    verified(order).await
}

/// Waits until the authority has verified all names, or will not. Not every authority says so of the order itself: one name
/// that failed is enough.
async fn verified(order: &mut Order) -> Result<(), AcmeError> {
    let end = Instant::now() + VERIFYING;
    let mut pause = Duration::from_millis(250);
    loop {
        sleep(pause).await;
        match order.refresh().await?.status {
            OrderStatus::Ready | OrderStatus::Valid => return Ok(()),
            OrderStatus::Invalid => return Err(AcmeError::Unproven(refused(order).await?.join("; "))),
            OrderStatus::Pending | OrderStatus::Processing => {}
        }
        let refused = refused(order).await?;
        if !refused.is_empty() {
            return Err(AcmeError::Unproven(refused.join("; ")));
        }
        if Instant::now() + pause > end {
            return Err(AcmeError::Unproven("it takes too long".to_owned()));
        }
        pause *= 2;
    }
}

/// The names that the authority will not verify, and why.
async fn refused(order: &mut Order) -> Result<Vec<String>, AcmeError> {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        if matches!(state.status, AuthorizationStatus::Pending | AuthorizationStatus::Valid) {
            continue;
        }
        let problem = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        let why = problem.map_or_else(|| "no reason is given".to_owned(), ToString::to_string);
        said.push(format!("{}: {why}", state.identifier()));
    }
    Ok(said)
}
