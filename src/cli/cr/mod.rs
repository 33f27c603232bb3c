//! `cr …`: the registry, by the verbs of the IBM Cloud container-registry plug-in.

use super::args::cr::Command;
use super::failure::Failure;
use super::session::Session;
use super::terminal::Io;

mod enforcement;
pub(super) mod image;
mod login;
mod namespace;
pub(super) mod region;

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let session = &mut session;
    match command {
        Command::IamPoliciesEnable => enforcement::enable(io, session).await,
        Command::IamPoliciesStatus(formatted) => enforcement::status(io, session, formatted.display()).await,
        Command::ImageList(list) => image::list(io, session, list).await,
        Command::Info(formatted) => region::info(io, session, formatted.display()).await,
        Command::Login(login) => login::run(io, session, login.client).await,
        Command::NamespaceAdd(add) => namespace::add(io, session, add).await,
        Command::NamespaceList(list) => namespace::list(io, session, list).await,
        Command::NamespaceRm(rm) => namespace::remove(io, session, rm).await,
        Command::PrivateOnly(which) => enforcement::private_only(io, session, which).await,
        Command::Region(formatted) => region::show(io, session, formatted.display()).await,
        Command::RegionSet(set) => region::set(io, session, set).await,
    }
}
