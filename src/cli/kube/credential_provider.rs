//! `kube credential-provider`: answers the kubelet once. The token of the pod's service account is exchanged for a login as the
//! trusted profile that the service account names and that trusts it; the server decides about both. Nothing is kept, and no
//! token goes anywhere but to the configured server.

use std::io::Read;
use std::path::Path;

use http::Method;

use super::exec::{self, PROFILE, Request};
use crate::cli::args::kube::CredentialProvider;
use crate::cli::endpoint::Endpoint;
use crate::cli::failure::Failure;
use crate::cli::http::{Connector, Request as Call};
use crate::cli::session::{NoGrant, granted};
use crate::cli::terminal::Io;
use crate::secret::Secret;

/// The `grant_type` for the token of a compute resource.
const GRANT: &str = "urn:ibm:params:oauth:grant-type:cr-token";
/// The user name that goes with an access token.
const USER: &str = "iambearer";
/// More than any request has, in bytes; nothing beyond it is read.
const BYTES_MAX: u64 = 1 << 20;

/// Reads the request, and prints the answer.
pub(super) async fn run(io: &mut Io, wanted: CredentialProvider) -> Result<(), Failure> {
    let endpoint = endpoint(io, wanted.endpoint.as_deref())?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let read = io.input.by_ref().take(BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|error| unreadable("The request", &error))?;
    let request = exec::read(&bytes)?;
    let mut hosts = wanted.registries;
    hosts.push(endpoint.clone());
    request.is_for(&hosts)?;
    let token = token(&request, wanted.token_file.as_deref())?;
    let profile = request.profile.clone().or(wanted.profile).ok_or_else(|| {
        Failure::new(
            "The service account names no trusted profile.",
            format!(
                "Annotate it with {PROFILE}, and let the kubelet send the annotation (optionalServiceAccountAnnotationKeys); \
                 or give `--profile`."
            ),
        )
    })?;
    let ca_file = wanted.ca_file.or_else(|| io.environment.ca_file.clone());
    let connector = Connector::new(ca_file.as_deref(), io.progress.clone())?;
    let form = [("grant_type", GRANT), ("cr_token", token.expose()), (property(&profile), &profile)];
    let asked = Call::new(Method::POST, "/identity/token").form(&form);
    let now = io.clock.now();
    let tokens = granted(&connector, &endpoint, &asked, now).await.map_err(|no| explained(no, &profile))?;
    let life = tokens.expires_at.seconds().saturating_sub(now.seconds());
    let answer = request.answered(USER, &Secret::new(tokens.access), life);
    io.line(answer.to_string());
    Ok(())
}

fn endpoint(io: &Io, given: Option<&str>) -> Result<Endpoint, Failure> {
    let text = given.or(io.environment.endpoint.as_deref());
    text.map_or_else(
        || {
            Err(Failure::usage(
                "There is no server to ask.",
                "Give `--endpoint https://HOST`, or set PORTCULLIS_ENDPOINT, in the kubelet's CredentialProviderConfig.",
            ))
        },
        Endpoint::parse,
    )
}

/// The pod's token; this machine's, if there is none.
fn token(request: &Request, file: Option<&Path>) -> Result<Secret<String>, Failure> {
    if let Some(token) = &request.token {
        return Ok(token.clone());
    }
    let file = file.ok_or_else(|| {
        Failure::new(
            "The kubelet sent no service-account token.",
            "Set tokenAttributes in its CredentialProviderConfig (Kubernetes 1.33), or give `--token-file`.",
        )
    })?;
    let text = std::fs::read_to_string(file).map_err(|error| unreadable("The token file", &error))?;
    let text = zeroize::Zeroizing::new(text);
    Ok(Secret::from(text.trim()))
}

/// How the token request names a profile that is written like this.
fn property(profile: &str) -> &'static str {
    if profile.starts_with("crn:") {
        "profile_crn"
    } else if profile.starts_with("Profile-") || profile.starts_with("iam-Profile-") {
        "profile_id"
    } else {
        "profile_name"
    }
}

fn explained(no: NoGrant, profile: &str) -> Failure {
    if !no.refused {
        return no.failure;
    }
    let name = crate::cli::display::tame(profile);
    Failure::new(
        format!("{} The profile asked for is '{name}'.", no.failure.what),
        "Link the service account with `portcullis iam trusted-profile-link-create`; the token's audience and issuer must be those of \
         [[federation.cluster]] in the server's configuration. The server's audit log says which it was.",
    )
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("{what} cannot be read: {error}."),
        "Look into the kubelet's log, and at the file's permissions.",
    )
}

#[cfg(test)]
mod tests {
    use super::property;

    #[test]
    fn a_profile_is_asked_for_by_the_name_that_it_is_given() {
        assert_eq!(property("crn:v1:bluemix:public:iam-identity::a/1::profile:Profile-1"), "profile_crn");
        assert_eq!(property("Profile-1"), "profile_id");
        assert_eq!(property("iam-Profile-1"), "profile_id");
        assert_eq!(property("puller"), "profile_name");
    }
}
