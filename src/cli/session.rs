//! Calls to the server on behalf of whoever is logged in. Decides when a token is renewed; never what is permitted.

use std::path::PathBuf;

use http::{Method, header};
use serde_json::Value;

use super::endpoint::Endpoint;
use super::failure::Failure;
use super::http::{Connector, Reply, Request};
use super::profile::{Login, Profile, Tokens, Who};
use super::terminal::Io;
use crate::clock::UnixTime;
use crate::secret::Secret;

/// The client id of the IBM Cloud CLI, without which the identity service gives no refresh token.
const CLIENT: &str = "Basic Yng6Yng=";
/// A token this close to its end, in seconds, is renewed first.
const MARGIN: i64 = 10;
/// More pages than any account has; ends a list that leads back to itself.
const PAGES_MAX: usize = 1000;

/// What tokens are bought with.
enum Proof {
    /// An API key from the environment; nothing is remembered.
    Key(Secret<String>),
    /// The remembered refresh token.
    Remembered,
}

/// A logged-in connection to a server.
pub(super) struct Session {
    connector: Connector,
    /// The server.
    pub(super) endpoint: Endpoint,
    proof: Proof,
    /// Who is logged in, and with which tokens.
    pub(super) login: Login,
    profile: Profile,
    directory: Option<PathBuf>,
    clock: std::sync::Arc<dyn crate::clock::Clock>,
}

impl Session {
    /// Takes up the remembered login, or logs in with the key in the environment.
    pub(super) async fn open(io: &Io) -> Result<Self, Failure> {
        let profile = Profile::load(io.environment.directory.as_deref())?;
        let remembered = profile.endpoint.as_deref().map(Endpoint::parse).transpose()?;
        let named = io.environment.endpoint.as_deref().map(Endpoint::parse).transpose()?;
        let endpoint =
            named.or_else(|| remembered.clone()).ok_or_else(|| Failure::not_logged_in("Not logged in."))?;
        // Tokens go only to the server that they are from.
        let same = remembered.as_ref() == Some(&endpoint);
        let ca_file = io.environment.ca_file.clone().or_else(|| profile.ca_file.clone().filter(|_| same));
        let connector = Connector::new(ca_file.as_deref(), io.progress.clone())?;
        let login = profile.login.clone().filter(|_| same);
        let fallback = io.environment.ibm_api_key.clone().filter(|_| login.is_none());
        let (proof, login) = match (io.environment.api_key.clone().or(fallback), login) {
            (Some(key), _) => {
                let login = authenticate(&connector, &endpoint, &key, io.clock.now()).await?;
                (Proof::Key(key), login)
            }
            (None, Some(login)) => (Proof::Remembered, login),
            (None, None) => return Err(Failure::not_logged_in(format!("Not logged in to {endpoint}."))),
        };
        let mut session = Self::of(io, connector, endpoint, proof, login, profile);
        if session.login.tokens.expires_at.seconds() - MARGIN <= session.clock.now().seconds() {
            session.renew().await?;
        }
        Ok(session)
    }

    /// Begins with a login that was just made, and remembers it.
    pub(super) fn begin(
        io: &Io,
        connector: Connector,
        endpoint: Endpoint,
        profile: Profile,
        login: Login,
    ) -> Result<Self, Failure> {
        let profile = Profile { endpoint: Some(endpoint.to_string()), login: Some(login.clone()), ..profile };
        profile.save(io.environment.directory.as_deref())?;
        Ok(Self::of(io, connector, endpoint, Proof::Remembered, login, profile))
    }

    fn of(
        io: &Io,
        connector: Connector,
        endpoint: Endpoint,
        proof: Proof,
        login: Login,
        profile: Profile,
    ) -> Self {
        let (directory, clock) = (io.environment.directory.clone(), std::sync::Arc::clone(&io.clock));
        Self { connector, endpoint, proof, login, profile, directory, clock }
    }

    /// The targeted region, if one is.
    pub(super) fn region(&self) -> Option<&str> {
        self.profile.region.as_deref()
    }

    /// Targets a region from now on.
    pub(super) fn set_region(&mut self, region: &str) -> Result<(), Failure> {
        self.profile.region = Some(region.to_owned());
        self.profile.save(self.directory.as_deref())
    }

    /// The account's id, as the APIs want it.
    pub(super) fn account(&self) -> String {
        self.login.who.account_id.clone()
    }

    /// The account as messages name it.
    pub(super) fn account_name(&self) -> String {
        let who = &self.login.who;
        if who.account_name.is_empty() { who.account_id.clone() } else { who.account_name.clone() }
    }

    /// Who is logged in, as messages name them.
    pub(super) fn user(&self) -> String {
        let who = &self.login.who;
        if who.name.is_empty() { who.iam_id.clone() } else { who.name.clone() }
    }

    /// Sends a request to the server; anything but a success is a failure.
    pub(super) async fn call(&mut self, request: Request) -> Result<Reply, Failure> {
        self.call_at(self.endpoint.clone(), request).await
    }

    /// Sends a request to one of the server's registries.
    pub(super) async fn call_at(&mut self, endpoint: Endpoint, request: Request) -> Result<Reply, Failure> {
        let reply = self.connector.send(&endpoint, &self.signed(request.clone())).await?;
        if reply.status != http::StatusCode::UNAUTHORIZED {
            return reply.checked();
        }
        // Revoked early, or the server changed its keys: one new token, one more try.
        self.renew().await?;
        self.connector.send(&endpoint, &self.signed(request)).await?.checked()
    }

    /// Gets JSON.
    pub(super) async fn read(&mut self, target: &str) -> Result<Value, Failure> {
        self.call(Request::new(Method::GET, target)).await?.json()
    }

    /// All rows of a paged list: those under `field`, page after page.
    pub(super) async fn list(&mut self, target: &str, field: &str) -> Result<Vec<Value>, Failure> {
        let rows = self.pages(target, field).await;
        self.connector.progress.forget();
        rows
    }

    async fn pages(&mut self, target: &str, field: &str) -> Result<Vec<Value>, Failure> {
        let mut rows = Vec::new();
        let mut target = target.to_owned();
        for _ in 0..PAGES_MAX {
            let mut page = self.read(&target).await?;
            let Some(Value::Array(found)) = page.get_mut(field).map(Value::take) else {
                return Err(Failure::misunderstood(format!("`{field}` is missing")));
            };
            rows.extend(found);
            self.connector.progress.so_far(|| format!("{} read", rows.len()));
            match next_page(&page, &target) {
                Some(next) => target = next,
                None => return Ok(rows),
            }
        }
        Err(Failure::misunderstood(format!("the list of {field} does not end")))
    }

    /// A token with its whole life before it.
    pub(super) async fn fresh_token(&mut self) -> Result<Secret<String>, Failure> {
        // A login that cannot be renewed has only the token that it has.
        if self.login.tokens.refresh.is_some() || matches!(self.proof, Proof::Key(_)) {
            self.renew().await?;
        }
        Ok(Secret::new(self.login.tokens.access.clone()))
    }

    fn signed(&self, request: Request) -> Request {
        request.secret_header(header::AUTHORIZATION, &format!("Bearer {}", self.login.tokens.access))
    }

    /// Buys new tokens, and remembers them if the old ones were remembered.
    async fn renew(&mut self) -> Result<(), Failure> {
        let now = self.clock.now();
        match &self.proof {
            Proof::Key(key) => {
                self.login.tokens = grant_for_key(&self.connector, &self.endpoint, key, now).await?
            }
            Proof::Remembered => {
                let over = || Failure::not_logged_in("Your session has ended.");
                let refresh = self.login.tokens.refresh.clone().ok_or_else(over)?;
                let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
                let tokens = grant(&self.connector, &self.endpoint, &form, now).await;
                let mut tokens =
                    tokens.map_err(|failure| if failure.refused { over() } else { failure.failure })?;
                tokens.refresh = tokens.refresh.or(Some(refresh));
                self.login.tokens = tokens;
                self.profile.login = Some(self.login.clone());
                self.profile.save(self.directory.as_deref())?;
            }
        }
        Ok(())
    }
}

/// Logs in with an API key.
pub(super) async fn authenticate(
    connector: &Connector,
    endpoint: &Endpoint,
    key: &Secret<String>,
    now: UnixTime,
) -> Result<Login, Failure> {
    let tokens = grant_for_key(connector, endpoint, key, now).await?;
    let request = Request::new(Method::GET, "/api/native/whoami")
        .secret_header(header::AUTHORIZATION, &format!("Bearer {}", tokens.access));
    let who = connector.send(endpoint, &request).await?.checked()?.json()?;
    let who: Who = serde_json::from_value(who).map_err(Failure::misunderstood)?;
    Ok(Login { tokens, who })
}

/// A token request that gave no token.
pub(super) struct NoGrant {
    /// Whether the server refused the credential, rather than being out of order.
    pub(super) refused: bool,
    /// What it said.
    pub(super) failure: Failure,
}

async fn grant_for_key(
    connector: &Connector,
    endpoint: &Endpoint,
    key: &Secret<String>,
    now: UnixTime,
) -> Result<Tokens, Failure> {
    let form = [
        ("grant_type", "urn:ibm:params:oauth:grant-type:apikey"),
        ("apikey", key.expose()),
        ("response_type", "cloud_iam"),
    ];
    grant(connector, endpoint, &form, now).await.map_err(|no| {
        let next = "Check the API key, or make another one with `portcullis iam api-key-create NAME`, and log in with it.";
        if no.refused { Failure::new(no.failure.what, next) } else { no.failure }
    })
}

async fn grant(
    connector: &Connector,
    endpoint: &Endpoint,
    form: &[(&str, &str)],
    now: UnixTime,
) -> Result<Tokens, NoGrant> {
    let request =
        Request::new(Method::POST, "/identity/token").form(form).header(header::AUTHORIZATION, CLIENT);
    granted(connector, endpoint, &request, now).await
}

/// Sends a token request, and reads the tokens.
pub(super) async fn granted(
    connector: &Connector,
    endpoint: &Endpoint,
    request: &Request,
    now: UnixTime,
) -> Result<Tokens, NoGrant> {
    let lost = |failure| NoGrant { refused: false, failure };
    let reply = connector.send(endpoint, request).await.map_err(lost)?;
    let refused = matches!(reply.status.as_u16(), 400 | 401 | 403);
    let body = reply.checked().map_err(|failure| NoGrant { refused, failure })?.json().map_err(lost)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    let lifetime = || number("expires_in").map(|seconds| now.seconds().saturating_add(seconds));
    match (text("access_token"), number("expiration").or_else(lifetime)) {
        (Some(access), Some(expiration)) => {
            let refresh = text("refresh_token").filter(|token| token != "not_supported");
            Ok(Tokens { access, refresh, expires_at: UnixTime::from_seconds(expiration) })
        }
        _ => Err(lost(Failure::misunderstood("the token is missing"))),
    }
}

/// Where the next page is: only ever a path on the same server, whatever host the answer names.
fn next_page(page: &Value, current: &str) -> Option<String> {
    let candidates = ["/next/href", "/next_url", "/next"];
    let link = candidates
        .iter()
        .filter_map(|at| page.pointer(at))
        .find_map(Value::as_str)
        .filter(|link| !link.is_empty())?;
    let path = match link.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| format!("/{path}"))?,
        None if link.starts_with('/') => link.to_owned(),
        None => return None,
    };
    (path != current).then_some(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::next_page;

    #[test]
    fn the_next_page_is_on_the_same_server_whatever_the_link_says() {
        let here = "/v1/serviceids/?account_id=1";
        for (page, expected) in [
            (
                json!({"next": "https://evil.test/v1/serviceids/?pagetoken=2"}),
                Some("/v1/serviceids/?pagetoken=2"),
            ),
            (json!({"next": {"href": "https://h/v2/groups?offset=100"}}), Some("/v2/groups?offset=100")),
            (json!({"next": {"href": "/v1/policies?start=x", "start": "x"}}), Some("/v1/policies?start=x")),
            (json!({"next_url": "/v2/accounts/1/users?_start=u"}), Some("/v2/accounts/1/users?_start=u")),
            (json!({"next": here}), None),
            (json!({"next": ""}), None),
            (json!({}), None),
        ] {
            assert_eq!(next_page(&page, here).as_deref(), expected, "{page}");
        }
    }
}
