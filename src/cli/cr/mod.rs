//! `cr …`: the registry, by the verbs of the IBM Cloud container-registry plug-in.

use super::args::cr::Command;
use super::failure::Failure;
use super::session::Session;
use super::terminal::Io;

pub(super) mod digest;
mod enforcement;
pub(super) mod image;
mod login;
mod namespace;
pub(super) mod region;
mod shelf;
mod upkeep;
mod va;

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let session = &mut session;
    match command {
        Command::IamPoliciesEnable => enforcement::enable(io, session).await,
        Command::IamPoliciesStatus(formatted) => enforcement::status(io, session, formatted.display()).await,
        Command::ExemptionAdd(add) => va::exempt(io, session, add).await,
        Command::ExemptionList(list) => va::exemptions(io, session, list).await,
        Command::ExemptionRm(which) => va::unexempt(io, session, which).await,
        Command::ExemptionTypes(formatted) => va::types(io, session, formatted).await,
        Command::ImageList(list) => image::list(io, session, list).await,
        Command::ImageDigests(list) => digest::list(io, session, list).await,
        Command::ImageInspect(wanted) => shelf::inspect(io, session, wanted, "json").await,
        Command::ImagePruneUntagged(wanted) => shelf::prune(io, session, wanted).await,
        Command::ImageRestore(wanted) => shelf::restore(io, session, wanted).await,
        Command::ImageRm(wanted) => shelf::remove(io, session, wanted).await,
        Command::ImageTag(wanted) => shelf::tag(io, session, wanted).await,
        Command::ImageUntag(wanted) => shelf::untag(io, session, wanted).await,
        Command::Info(formatted) => region::info(io, session, formatted.display()).await,
        Command::Login(login) => login::run(io, session, login.client).await,
        Command::ManifestInspect(wanted) => shelf::inspect(io, session, wanted, "manifest").await,
        Command::NamespaceAdd(add) => namespace::add(io, session, add).await,
        Command::NamespaceAssign(wanted) => namespace::assign(io, session, wanted).await,
        Command::NamespaceList(list) => namespace::list(io, session, list).await,
        Command::NamespaceRm(rm) => namespace::remove(io, session, rm).await,
        Command::Plan(formatted) => upkeep::plan(io, session, formatted).await,
        Command::PlanUpgrade(wanted) => upkeep::upgrade(io, session, wanted).await,
        Command::PlatformMetrics(which) => upkeep::metrics(io, session, which).await,
        Command::PrivateOnly(which) => enforcement::private_only(io, session, which).await,
        Command::Quota(formatted) => upkeep::quota(io, session, formatted).await,
        Command::QuotaSet(set) => upkeep::set_quota(io, session, set).await,
        Command::Region(formatted) => region::show(io, session, formatted.display()).await,
        Command::RegionSet(set) => region::set(io, session, set).await,
        Command::RetentionPolicyList(formatted) => upkeep::retentions(io, session, formatted).await,
        Command::RetentionPolicySet(set) => upkeep::set_retention(io, session, set).await,
        Command::RetentionRun(run) => upkeep::run(io, session, run).await,
        Command::TrashList(list) => shelf::trash(io, session, list).await,
        Command::Va(wanted) => va::reports(io, session, wanted).await,
        Command::VaUpload(wanted) => va::upload(io, session, wanted).await,
    }
}
