//! What is known of a request, as the condition keys that AWS's documents use and the registry's own.
//!
//! Only the keys that some statement of the caller's or the repository's uses are made. What is not known is no key, and what a client can
//! make long is cut.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, REFERER, USER_AGENT};

use super::caller::Caller;
use super::findings::Known;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::policy::engine::context::{Context, Key};
use crate::policy::engine::principal::Caller as Who;
use crate::registry::operation::{Operation, UploadStart};
use crate::registry::reference::{Digest, Reference, Tag};
use crate::view::bundle::username;
use crate::view::repository::RepositoryState;

/// How much of a header is compared, in bytes: what a client can make long must not make a decision slow.
pub(super) const HEADER_MAX: usize = 512;

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) caller: &'a Caller,
    pub(super) now: UnixTime,
    pub(super) region: Option<&'a Region>,
    pub(super) call: Option<Call<'a>>,
    /// What the repository itself says, if one is acted on.
    pub(super) repository: Option<&'a RepositoryState>,
    /// What is known of the image that is read, if some statement depends on it.
    pub(super) known: Option<&'a Known>,
}

/// A call of the registry API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) operation: &'a Operation,
    pub(super) headers: &'a HeaderMap,
    /// Whether the tag that the call names is there, if that was asked.
    pub(super) tag_exists: Option<bool>,
}

/// `registry:TagExists`, which costs a question to the upstream.
#[must_use]
pub fn tag_exists_key() -> &'static Key {
    static KEY: LazyLock<Key> = LazyLock::new(|| Key::of("registry:TagExists"));
    &KEY
}

/// `registry:ManifestSize`, which a client can leave unsaid.
pub(super) fn manifest_size_key() -> &'static Key {
    static KEY: LazyLock<Key> = LazyLock::new(|| Key::of("registry:ManifestSize"));
    &KEY
}

/// Whether a key says something of the single call, which nobody knows before it is made.
pub(super) fn is_of_call(key: &Key) -> bool {
    match key.name() {
        "registry:credentialtype" | "registry:endpoint" => false,
        "aws:referer" | "aws:tokenissuetime" | "aws:useragent" => true,
        name => name.starts_with("registry:"),
    }
}

impl<'a> Facts<'a> {
    /// The values of these keys, as far as they are known.
    pub(super) fn context(&self, keys: impl Iterator<Item = &'a Key>) -> Context<'a> {
        let mut context = Context::default();
        for key in keys {
            // Values are short enough; one that is not would be no key.
            let _ = self.value(key.name()).map(|value| context.one(key.name(), value));
        }
        context
    }

    /// Whether the key has a value.
    pub(super) fn knows(&self, key: &Key) -> bool {
        self.value(key.name()).is_some()
    }

    fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let borrowed = |text: &'a str| Some(Cow::Borrowed(text));
        let flag = |flag: bool| borrowed(if flag { "true" } else { "false" });
        let (caller, bundle) = (self.caller, &*self.caller.bundle);
        match name {
            "aws:currenttime" => Some(self.now.rfc3339_seconds().into()),
            "aws:epochtime" => Some(self.now.seconds().to_string().into()),
            "aws:principalaccount" | "aws:resourceaccount" => borrowed(caller.account.as_str()),
            "aws:principalarn" => principal_arn(bundle.rights.caller()),
            "aws:principalisawsservice" | "aws:viaawsservice" => flag(false),
            "aws:principaltype" => borrowed(principal_type(bundle.rights.caller())),
            "aws:referer" => self.header(REFERER).or_else(|| borrowed(caller.said.referer.as_deref()?)),
            "aws:requestedregion" => borrowed(self.region?.as_str()),
            "aws:multifactorauthpresent" => caller.credential.session().and_then(|_| flag(false)),
            "aws:securetransport" => flag(caller.secure),
            "aws:sourceidentity" => borrowed(caller.credential.session()?.source_identity.as_deref()?),
            "aws:sourceip" => Some(caller.from.ip().to_string().into()),
            "aws:tokenissuetime" => Some(caller.issued_at?.rfc3339_seconds().into()),
            "aws:useragent" => {
                self.header(USER_AGENT).or_else(|| borrowed(caller.said.user_agent.as_deref()?))
            }
            "aws:userid" => user_id(bundle.rights.caller()),
            "aws:username" => match bundle.rights.caller() {
                Who::User { .. } => username(&bundle.principal, &bundle.name).map(Cow::Borrowed),
                Who::Anonymous
                | Who::FederatedUser { .. }
                | Who::RoleSession { .. }
                | Who::Root { .. }
                | Who::WebIdentity { .. } => None,
            },
            "registry:digest" => digest(self.call?.operation).map(|digest| digest.to_string().into()),
            "registry:credentialtype" => borrowed(caller.credential.kind()),
            "registry:endpoint" => borrowed(caller.endpoint.label()),
            "registry:manifestsize" => {
                self.written(CONTENT_LENGTH).filter(|text| text.parse::<u64>().is_ok())
            }
            "registry:mediatype" => self.written(CONTENT_TYPE).map(essence),
            "registry:operation" => borrowed(self.call?.operation.kind().label()),
            "registry:scanage" => Some(self.known?.age()?.to_string().into()),
            "registry:signed" => flag(self.known?.signed()),
            "registry:tag" => borrowed(tag(self.call?.operation)?.as_str()),
            "registry:tagexists" => flag(self.call?.tag_exists?),
            "registry:vulnerabilityseverity" => borrowed(self.known?.severity()?),
            other => self.of_session(other).or_else(|| self.tag(other)),
        }
    }

    /// What the session was made with, such as what a web identity's token said.
    fn of_session(&self, name: &str) -> Option<Cow<'a, str>> {
        let kept = &self.caller.credential.session()?.context;
        kept.iter().find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(Cow::Borrowed(&**value)))
    }

    /// A tag of the caller's or of the repository's. Of two that differ in case only, which a repository may have, the first.
    fn tag(&self, name: &str) -> Option<Cow<'a, str>> {
        let (tags, wanted) = match name.split_once('/')? {
            ("aws:principaltag", wanted) => (&self.caller.bundle.tags, wanted),
            ("aws:resourcetag" | "ecr:resourcetag", wanted) => (&self.repository?.tags, wanted),
            (_, _) => return None,
        };
        let found = tags.iter().find(|tag| tag.key().to_lowercase() == wanted)?;
        Some(Cow::Borrowed(found.value()))
    }

    fn header(&self, name: HeaderName) -> Option<Cow<'a, str>> {
        let text = self.call?.headers.get(name)?.to_str().ok()?;
        // Header values that are text are ASCII.
        text.get(..text.len().min(HEADER_MAX)).map(Cow::Borrowed)
    }

    /// A header that describes the manifest being written.
    fn written(&self, name: HeaderName) -> Option<Cow<'a, str>> {
        matches!(self.call?.operation, Operation::ManifestWrite { .. }).then(|| self.header(name)).flatten()
    }
}

/// A media type without its parameters, in lower case.
fn essence(text: Cow<'_, str>) -> Cow<'_, str> {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().into()
}

fn principal_type(who: &Who) -> &'static str {
    match who {
        Who::Anonymous | Who::WebIdentity { .. } => "Anonymous",
        Who::FederatedUser { .. } => "FederatedUser",
        Who::RoleSession { .. } => "AssumedRole",
        Who::Root { .. } => "Account",
        Who::User { .. } => "User",
    }
}

fn principal_arn(who: &Who) -> Option<Cow<'_, str>> {
    match who {
        Who::Anonymous | Who::WebIdentity { .. } => None,
        Who::FederatedUser { arn, .. } | Who::User { arn, .. } => Some(Cow::Borrowed(arn)),
        Who::RoleSession { role, .. } => Some(Cow::Borrowed(role)),
        Who::Root { account } => Some(format!("arn:aws:iam::{account}:root").into()),
    }
}

/// The unique id of who asks, as `aws:userid` has it.
#[must_use]
pub fn user_id(who: &Who) -> Option<Cow<'_, str>> {
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    match who {
        Who::Anonymous | Who::WebIdentity { .. } => Some(Cow::Borrowed("anonymous")),
        Who::FederatedUser { account, arn } => Some(format!("{account}:{}", last(arn)).into()),
        Who::RoleSession { id, session, .. } => Some(format!("{id}:{}", last(session)).into()),
        Who::Root { account } => Some(Cow::Borrowed(account.as_str())),
        Who::User { id, .. } => Some(Cow::Borrowed(id)),
    }
}

/// The reference of a manifest that a call names.
fn reference(operation: &Operation) -> Option<&Reference> {
    match operation {
        Operation::ManifestDelete { reference, .. }
        | Operation::ManifestRead { reference, .. }
        | Operation::ManifestWrite { reference, .. } => Some(reference),
        Operation::BlobDelete { .. }
        | Operation::BlobRead { .. }
        | Operation::Catalog { .. }
        | Operation::Ping
        | Operation::Referrers { .. }
        | Operation::TagList { .. }
        | Operation::UploadCancel(_)
        | Operation::UploadChunk { .. }
        | Operation::UploadFinish { .. }
        | Operation::UploadStart { .. }
        | Operation::UploadStatus(_) => None,
    }
}

/// The tag that a call names.
pub(super) fn tag(operation: &Operation) -> Option<&Tag> {
    match reference(operation)? {
        Reference::Digest(_) => None,
        Reference::Tag(tag) => Some(tag),
    }
}

/// The digest that a call names.
fn digest(operation: &Operation) -> Option<&Digest> {
    match operation {
        Operation::BlobDelete { digest, .. }
        | Operation::BlobRead { digest, .. }
        | Operation::Referrers { subject: digest, .. }
        | Operation::UploadFinish { digest, .. }
        | Operation::UploadStart {
            start: UploadStart::Mount { digest, .. } | UploadStart::Monolithic { digest },
            ..
        } => Some(digest),
        Operation::ManifestDelete { .. }
        | Operation::ManifestRead { .. }
        | Operation::ManifestWrite { .. } => match reference(operation)? {
            Reference::Digest(digest) => Some(digest),
            Reference::Tag(_) => None,
        },
        Operation::Catalog { .. }
        | Operation::Ping
        | Operation::TagList { .. }
        | Operation::UploadCancel(_)
        | Operation::UploadChunk { .. }
        | Operation::UploadStart { start: UploadStart::Session, .. }
        | Operation::UploadStatus(_) => None,
    }
}
