//! What an endpoint answers, before it is a reply.

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::{Event, Verdict};
use crate::admit::permit::{Control, Permit};
use crate::control::Done;

/// An answer.
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
    /// A body that goes out as it is, instead of the other.
    pub(super) text: Option<Bytes>,
    pub(super) etag: Option<String>,
    target: Option<String>,
    permit: Option<Permit<Control>>,
}

// A body may hold a fresh key.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// No body, and no permit needed.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, body: None, text: None, etag: None, target: None, permit: None }
    }

    /// 200 with a body that needs no permit.
    #[must_use]
    pub fn public(body: Value) -> Self {
        Self { body: Some(body), ..Self::empty(StatusCode::OK) }
    }

    /// A body made of what was done.
    pub fn of<T>(status: StatusCode, done: Done<T>, body: impl FnOnce(T) -> Value) -> Self {
        Self { body: Some(body(done.value)), permit: Some(done.permit), ..Self::empty(status) }
    }

    /// A document as it is stored: not a byte of it may change.
    pub fn verbatim<T>(status: StatusCode, done: Done<T>, text: impl FnOnce(T) -> Bytes) -> Self {
        Self { text: Some(text(done.value)), permit: Some(done.permit), ..Self::empty(status) }
    }

    /// It was done, and there is no more to say.
    #[must_use]
    pub fn done(status: StatusCode, done: Done<()>) -> Self {
        Self { permit: Some(done.permit), ..Self::empty(status) }
    }

    /// The same, with the body's `entity_tag` as `ETag`.
    #[must_use]
    pub fn tagged(mut self, tag: String) -> Self {
        self.etag = Some(tag);
        self
    }

    /// The same, about the thing with this id.
    #[must_use]
    pub fn about(mut self, target: &dyn std::fmt::Display) -> Self {
        self.target = Some(target.to_string());
        self
    }

    pub(super) fn note(&self, event: &mut Event) {
        if let Some(target) = &self.target {
            event.target = Some(target.clone());
        }
        if let Some(permit) = &self.permit {
            event.action = Some(permit.of().action.name());
            event.resource = Some(permit.of().resource.clone());
            event.verdict = Verdict::Done(Some(permit.grounds().clone()));
        }
    }
}

/// Drops members that are null: an optional field that is not there is absent (IBM's SDKs never send null).
#[must_use]
pub fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, present(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(present).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}
