//! What our tokens say. Each kind has its own `typ` header, so that none passes for another.

use serde::{Deserialize, Serialize};

use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::registry::scope::ScopeEntry;

/// The `typ` of registry tokens, which only `/v2/` accepts.
pub const REGISTRY: &str = "registry+jwt";
/// The `typ` of IAM access tokens, which the management APIs and `iambearer` logins accept.
pub const ACCESS: &str = "JWT";
/// The `typ` of IAM refresh tokens, which only the refresh grant accepts.
pub const REFRESH: &str = "refresh+jwt";

/// A registry token (Docker token specification, "jwt").
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryClaims {
    /// The issuer: this installation.
    pub iss: String,
    /// The service that it is for; always [`AUDIENCE`].
    pub aud: String,
    /// The principal; empty for an anonymous token.
    pub sub: String,
    /// Unique.
    pub jti: String,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Not accepted from this Unix second on; later than what the client is told.
    pub exp: i64,
    /// The API key that was exchanged; empty for an anonymous token.
    pub key: String,
    /// The most that it may be used for. Policy decides within it, on every request.
    pub access: Vec<ScopeEntry>,
}

/// The `service` of the Docker token protocol, and the audience of registry tokens.
pub const AUDIENCE: &str = "registry";

/// An IAM access token; the fields that IBM's clients read, and the API key behind it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    /// The principal.
    pub iam_id: PrincipalId,
    /// The same.
    pub id: PrincipalId,
    /// `iam` or `IBMid`.
    pub realmid: String,
    /// Unique.
    pub jti: String,
    /// The principal within its realm.
    pub identifier: String,
    /// What people call the principal.
    pub name: String,
    /// What people log in as, or the identifier.
    pub sub: String,
    /// `ServiceId` for service IDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    /// The account.
    pub account: AccountClaim,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
    /// The issuer: this installation.
    pub iss: String,
    /// The grant that it was issued for.
    pub grant_type: String,
    /// Always `ibm openid`.
    pub scope: String,
    /// The client's name for itself.
    pub client_id: String,
    /// Who has taken on the principal, if it is a trusted profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authn: Option<AuthnClaim>,
    /// The API key that was exchanged, or what was vouched for, sealed.
    pub key: String,
}

/// Who has taken on a trusted profile, for those who read tokens. Nothing here reads it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthnClaim {
    /// What people log in as, or the identifier.
    pub sub: String,
    /// The principal, or the CRN of a cluster.
    pub iam_id: String,
    /// `ServiceId`, `CRN`; none for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    /// What people call it.
    pub name: String,
}

/// The account of an [`AccessClaims`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccountClaim {
    /// Always true.
    pub valid: bool,
    /// The account's id.
    pub bss: AccountId,
}

/// An IAM refresh token.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshClaims {
    /// The issuer: this installation.
    pub iss: String,
    /// The principal.
    pub sub: PrincipalId,
    /// Unique.
    pub jti: String,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
    /// When that was, in Unix seconds; as it was issued, if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<i64>,
    /// The API key that was exchanged first.
    pub key: ApiKeyId,
}
