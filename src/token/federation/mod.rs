//! Tokens of other issuers, believed: the issuer's own documents say which keys sign for it, and the claims are for us and for now.
//!
//! It decides whether a token is genuine and timely, and says what is in it. It never decides whom it stands for or what they
//! may do, and it never asks an issuer that a token names by itself: the caller says which issuer it believes.

mod shelf;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::shelf::Shelf;
use crate::clock::{Clock, UnixTime};
use crate::credential::foreign::claims::Claims;
use crate::credential::foreign::{Flaw, Unverified};
use crate::ids::issuer::{DocumentUrl, Issuer};

/// How far the clocks of issuers may be off.
pub const SKEW: Duration = Duration::from_secs(60);

/// How long ago a token may have been issued, whatever it says of its own end.
pub const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads documents of issuers, without following redirects, within bounds of time and size.
#[async_trait]
pub trait Library: Send + Sync + std::fmt::Debug {
    /// The document at `url`, which is read because `issuer` is believed.
    async fn read(&self, issuer: &Issuer, url: &DocumentUrl) -> Result<Vec<u8>, Unread>;
}

/// Why a document could not be read; for operators.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unread(pub String);

/// Whom a token must be for.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// The caller of [`Federation::verify`] looks itself.
    Unchecked,
    /// At least one of these.
    OneOf(&'a [String]),
}

/// Why a token is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It is not good yet, or comes from the future.
    #[error("the token is not good yet")]
    Early,
    /// It is over.
    #[error("the token expired at {}", .at.rfc3339_seconds())]
    Expired {
        /// Since when.
        at: UnixTime,
    },
    /// Something is wrong with the token itself.
    #[error(transparent)]
    Flawed(#[from] Flaw),
    /// It says that it is of another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// It was issued longer ago than [`AGE_MAX`].
    #[error("the token was issued more than 24 hours ago")]
    Old,
    /// The issuer's keys could not be had, so nobody knows.
    #[error("the issuer's keys could not be read: {0}")]
    Unreachable(String),
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Federation {
    clock: Arc<dyn Clock>,
    shelf: Shelf,
}

impl Federation {
    /// Reads the documents of issuers from `library`.
    #[must_use]
    pub fn new(library: Arc<dyn Library>, clock: Arc<dyn Clock>) -> Self {
        Self { clock, shelf: Shelf::new(library) }
    }

    /// What `token` says, if `issuer` signed it, it is for this audience, and its time is now.
    ///
    /// # Errors
    /// [`Rejected`]: of what is in the token only after its signature was found good, so a forged one tells nothing.
    pub async fn verify(
        &self,
        issuer: &Issuer,
        audience: Audience<'_>,
        token: &str,
    ) -> Result<Claims, Rejected> {
        let unverified = Unverified::parse(token)?;
        if Issuer::parse(unverified.issuer()).as_ref() != Ok(issuer) {
            return Err(Rejected::Issuer);
        }
        let keys = self.shelf.keys(issuer, &unverified).await?;
        let claims = unverified.verify(&keys)?;
        timely(&claims, self.clock.now())?;
        match audience {
            Audience::OneOf(known) if !claims.audiences().iter().any(|one| known.contains(one)) => {
                Err(Rejected::Audience)
            }
            Audience::OneOf(_) | Audience::Unchecked => Ok(claims),
        }
    }
}

fn timely(claims: &Claims, now: UnixTime) -> Result<(), Rejected> {
    if claims.expires_at().plus(SKEW) <= now {
        return Err(Rejected::Expired { at: claims.expires_at() });
    }
    let begins = claims.not_before().map_or(claims.issued_at(), |time| time.max(claims.issued_at()));
    if begins > now.plus(SKEW) {
        return Err(Rejected::Early);
    }
    if claims.issued_at().plus(AGE_MAX).plus(SKEW) < now {
        return Err(Rejected::Old);
    }
    Ok(())
}
