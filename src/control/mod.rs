//! Use cases: what callers can ask of the control plane, one file per noun.
//!
//! Each makes its permit through [`Authority`] before it reads or writes on the caller's behalf. Nothing here sees HTTP:
//! the words come in parsed, and a [`problem::Problem`] says why not.
//!
//! Two rules hold everywhere. What a caller may not see does not exist for it, and lists show what it may see. And
//! nobody can hand on more than they could do or grant themselves ([`reach`]); of AWS's documents, nobody but who could
//! grant everything.

use std::sync::Arc;

use async_trait::async_trait;

use crate::admit::aws::AwsAsk;
use crate::admit::caller::Caller;
use crate::admit::control::ImageCall;
use crate::admit::fault::Fault;
use crate::admit::held::HeldTag;
use crate::admit::network::Premises;
use crate::admit::origin::Origin;
use crate::admit::permit::{AwsControl, Control, Permit};
use crate::admit::web_identity::{Introduced, WebIdentity};
use crate::clock::{Clock, Entropy};
use crate::credential::api_key::Pepper;
use crate::credential::seal::MasterKey;
use crate::credential::session::Sealer;
use crate::ids::account::AccountId;
use crate::ids::aws::RoleId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::Tag;
use crate::store::Store;
use crate::token::federation::Federation;

pub mod access_key;
pub mod activity;
pub mod alert;
pub mod api_key;
pub mod aws;
pub mod cbr;
pub mod census;
pub mod claim_rule;
pub mod compliance;
pub mod custom_role;
pub mod exemption;
pub mod explain;
mod federated;
pub mod findings;
pub mod founding;
pub mod group;
mod history;
pub mod hold;
pub mod image;
pub mod insight;
pub mod intake;
pub mod inventory;
pub mod job;
pub mod label;
pub mod list;
pub mod namespace;
pub mod network;
pub mod policy;
pub mod problem;
pub mod pushed;
pub mod quota;
pub mod reach;
pub mod registry;
pub mod resource_group;
pub mod restore;
pub mod retention;
pub mod rotation;
pub mod scans;
pub mod service_id;
pub mod shelf;
pub mod standing;
pub mod stock;
pub mod stocktaking;
pub mod survey;
pub mod trash;
pub mod trusted_profile;
pub mod usage;
pub mod user;
pub mod version;
mod whence;
pub mod who_can;
pub mod whoami;

use aws::problem::AwsProblem;
use problem::{Noun, Problem};

/// The gate, as use cases need it.
#[async_trait]
pub trait Authority: Send + Sync {
    /// Decides; a denial is [`crate::admit::refusal::Refusal::Denied`] inside [`Problem::Refused`].
    async fn permit(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
    ) -> Result<Permit<Control>, Problem>;

    /// Decides whether the caller may come from where it comes from to what policies know no namespace of: to a namespace
    /// itself.
    async fn reach(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        namespace: &Namespace,
    ) -> Result<(), Problem>;

    /// The same of what is done to one image, of which policies may read more than where it is.
    async fn permit_image(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
        image: &ImageCall,
    ) -> Result<Permit<Control>, Problem>;

    /// Decides a call of AWS's APIs; a denial is [`crate::admit::refusal::Refusal::Unauthorized`] inside
    /// [`AwsProblem::Refused`].
    async fn permit_aws(&self, caller: &Arc<Caller>, ask: AwsAsk) -> Result<Permit<AwsControl>, AwsProblem>;

    /// Lets the holder of a verified token come before a role.
    async fn introduce(
        &self,
        identity: WebIdentity,
        role: &RoleId,
        origin: Origin,
    ) -> Result<Introduced, AwsProblem>;

    /// A permit on grounds of `Proven`, for what AWS lets everyone do who signs, whatever policies say.
    fn permit_signed(&self, caller: &Arc<Caller>, of: AwsControl) -> Permit<AwsControl>;

    /// A permit on grounds of `Own`, if `owner` is the caller.
    fn permit_own(&self, caller: &Arc<Caller>, owner: &PrincipalId, of: Control) -> Option<Permit<Control>>;

    /// A permit on grounds of `Proven`, for lists that show only what [`Authority::may`] says, and for what every
    /// principal of the account may know.
    fn permit_proven(&self, caller: &Arc<Caller>, of: Control) -> Permit<Control>;

    /// Those of these repositories that the caller may do this to; for filtering lists.
    async fn listed(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        region: &Region,
        names: Vec<RepositoryName>,
    ) -> Result<Vec<RepositoryName>, Problem>;

    /// Holds a tag that is about to be written for the only time; `None` while somebody else writes it.
    async fn hold_tag(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<HeldTag>, Fault>;

    /// Whether the caller may do something to what is larger than a repository; for filtering, never a permit.
    fn may(&self, caller: &Caller, action: Action, resource: &Resource) -> bool;

    /// The same of all that is or may come to be in it, too.
    fn may_throughout(&self, caller: &Caller, action: Action, resource: &Resource) -> bool;
}

/// Where callers change things: the store, and everything that a change needs.
pub struct Desk {
    /// The only account.
    pub account: AccountId,
    /// When who was last authenticated.
    pub activity: Arc<activity::Activity>,
    /// Judges.
    pub compliance: compliance::Compliance,
    /// Sends alerts.
    pub dispatch: alert::Dispatch,
    /// Decides.
    pub authority: Arc<dyn Authority>,
    /// For stamps.
    pub clock: Arc<dyn Clock>,
    /// For ids and keys.
    pub entropy: Arc<dyn Entropy>,
    /// Verifies tokens of other issuers; the token endpoints ask the same one.
    pub federation: Arc<Federation>,
    /// What the registries hold.
    pub images: Arc<dyn image::Images>,
    /// For sealing access keys.
    pub master: Arc<MasterKey>,
    /// What is deleted, and what is used.
    pub bin: Arc<trash::Bin>,
    /// For hashing API keys.
    pub pepper: Arc<Pepper>,
    /// What the gate knows of networks.
    pub premises: Premises,
    /// Scans of images.
    pub scans: Arc<scans::Scans>,
    /// Seals the secrets of access keys, and makes sessions and registry passwords.
    pub sealer: Sealer,
    /// What the registries hold, piece by piece.
    pub stock: Arc<dyn stock::Stock>,
    /// What is kept.
    pub store: Arc<dyn Store>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What came of a use case, and the permit that it was done under.
#[derive(Debug)]
pub struct Done<T> {
    /// What the caller asked for.
    pub value: T,
    /// Why it was allowed, for the audit.
    pub permit: Permit<Control>,
}

impl<T> Done<T> {
    fn new(value: T, permit: Permit<Control>) -> Self {
        Self { value, permit }
    }
}

impl Desk {
    fn proven(&self, caller: &Arc<Caller>, action: Action, resource: Resource) -> Permit<Control> {
        self.authority.permit_proven(caller, Control { action, resource })
    }

    /// A permit because the caller is the owner, or else because a policy allows it.
    async fn permit_own_or(
        &self,
        caller: &Arc<Caller>,
        owner: &PrincipalId,
        of: Control,
    ) -> Result<Permit<Control>, Problem> {
        match self.authority.permit_own(caller, owner, of.clone()) {
            Some(permit) => Ok(permit),
            None => self.authority.permit(caller, of.action, of.resource).await,
        }
    }
}

/// Settles a call on one named thing. Who may neither do it nor see the thing reads the same answer whether or not the
/// thing exists; who may see it learns that it is forbidden.
fn settle<T>(
    row: Option<T>,
    attempt: Result<Permit<Control>, Problem>,
    may_see: bool,
    noun: Noun,
    name: &dyn std::fmt::Display,
) -> Result<(T, Permit<Control>), Problem> {
    match (attempt, row) {
        (Ok(permit), Some(row)) => Ok((row, permit)),
        (Err(problem), Some(_)) if may_see => Err(problem),
        (Err(Problem::Refused(refusal)), _) if !may_see => {
            Err(Problem::Hidden { noun, name: name.to_string(), refusal })
        }
        (Err(Problem::Fault(fault)), _) => Err(Problem::Fault(fault)),
        (Ok(_) | Err(_), _) => Err(Problem::NotFound(noun, name.to_string())),
    }
}
