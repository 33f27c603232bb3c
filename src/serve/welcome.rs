//! What a login brings about besides its token: written down where databases may be waited for, before the token is given.

use std::sync::Arc;

use super::Shared;
use crate::admit::caller::Credential;
use crate::admit::fault::Fault;
use crate::control::problem::Problem;
use crate::ids::principal::PrincipalId;
use crate::token::reply::{self, Reply};

/// Lets a person whom an identity provider vouches for into the groups whose rules they satisfy, before they get their token.
///
/// # Errors
/// [`Fault`] when that could not be written.
pub(super) async fn welcomed(shared: &Shared, reply: &Reply) -> Result<(), Fault> {
    let reply::Outcome::Granted { to: Some(caller), .. } = &reply.outcome else { return Ok(()) };
    let (Credential::Vouched(sealed), user @ PrincipalId::User(_)) =
        (&caller.credential, caller.principal().clone())
    else {
        return Ok(());
    };
    let (api, sealed) = (Arc::clone(&shared.api), Arc::clone(sealed));
    // A token that was got with such a token is for what that login has brought about.
    if caller.issued_at.is_some() {
        return Ok(());
    }
    let joined =
        shared.control.spawn(async move { api.desk().join_by_claims(&user, &sealed.vouched.by).await });
    match joined.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Problem::Fault(fault))) => Err(fault),
        Ok(Err(problem)) => Err(Fault::Internal(format!("{problem:?}"))),
        Err(_) => Err(Fault::Internal("joining groups panicked".to_owned())),
    }
}
