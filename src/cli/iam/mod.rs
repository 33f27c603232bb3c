//! `iam …`: identities, keys, groups and policies, by the verbs of the IBM Cloud CLI.

use super::args::iam::Command;
use super::failure::Failure;
use super::session::Session;
use super::terminal::Io;

mod access_key;
mod api_key;
mod grant;
mod group;
mod network;
mod policy;
mod policy_v2;
mod profile;
mod role;
mod rule;
mod service_id;
mod trust;
mod user;

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let session = &mut session;
    match command {
        Command::AccessKeyCreate(new) => access_key::create(io, session, new).await,
        Command::ApiKey(command) => api_key::run(io, session, command).await,
        Command::Group(command) => group::run(io, session, command).await,
        Command::GroupRule(command) => rule::run(io, session, command).await,
        Command::Network(command) => network::run(io, session, command).await,
        Command::BearerToken(shown) => user::bearer_token(io, session, shown.display).await,
        Command::OauthTokens(shown) => user::oauth_tokens(io, session, shown.display).await,
        Command::Policy(command) => policy::run(io, session, command).await,
        Command::Profile(command) => profile::run(io, session, command).await,
        Command::Role(command) => role::run(io, session, command).await,
        Command::ServiceId(command) => service_id::run(io, session, command).await,
        Command::UserInvite(invite) => user::invite(io, session, invite).await,
        Command::UserRemove(one) => user::remove(io, session, one).await,
        Command::Users(shown) => user::list(io, session, shown.display).await,
    }
}
