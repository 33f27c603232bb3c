//! One call of AWS's APIs: what operations read from, and what they answer.

use std::sync::Arc;

use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::form::Form;
use super::xml::Xml;
use crate::admit::caller::Caller;
use crate::admit::permit::Grounds;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::ids::region::Region;
use crate::policy::table::product;

/// A call.
#[derive(Debug)]
pub struct AwsCall<'a> {
    /// Where things are changed.
    pub desk: &'a Desk,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Which registry the host that the client used stands for.
    pub region: &'a Region,
    /// The host that the client used, with its port if it is not the default.
    pub authority: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// For errors and logs.
    pub request_id: &'a str,
    /// The parameters of a Query call; none of a JSON call.
    pub form: Form,
    /// The body of a JSON call.
    pub body: &'a [u8],
}

impl AwsCall<'_> {
    /// The body of a JSON call. AWS ignores members that it does not know; what changes rights is not theirs to hide, so they
    /// are refused by types that deny them.
    ///
    /// # Errors
    /// `SerializationException`
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, AwsProblem> {
        let body = if self.body.trim_ascii().is_empty() { b"{}" } else { self.body };
        serde_json::from_slice(body)
            .map_err(|error| AwsProblem::said(AwsCode::SerializationException, error.to_string()))
    }
}

/// What an operation answers.
pub struct AwsAnswer {
    pub(super) body: AwsBody,
    pub(super) action: Option<&'static str>,
    pub(super) target: Option<String>,
    pub(super) grounds: Option<Grounds>,
}

// A body may hold a fresh secret.
impl std::fmt::Debug for AwsAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsAnswer").field("target", &self.target).finish_non_exhaustive()
    }
}

/// A body.
pub(super) enum AwsBody {
    /// Of a JSON service.
    Json(Value),
    /// Nothing but that it was done.
    Nothing,
    /// Of a Query service: what stands in `<NameResult>`.
    Xml(Xml),
}

impl AwsAnswer {
    fn new<T>(done: AwsDone<T>, body: impl FnOnce(T) -> AwsBody) -> Self {
        let of = done.permit.of();
        Self {
            action: Some(product().name(of.action)),
            target: Some(of.resource.clone()),
            grounds: Some(done.permit.grounds().clone()),
            body: body(done.value),
        }
    }

    /// A JSON document made of what was done.
    pub fn json<T>(done: AwsDone<T>, shape: impl FnOnce(T) -> Value) -> Self {
        Self::new(done, |value| AwsBody::Json(shape(value)))
    }

    /// Elements made of what was done.
    pub fn xml<T>(done: AwsDone<T>, shape: impl FnOnce(&mut Xml, T)) -> Self {
        Self::new(done, |value| {
            let mut xml = Xml::new();
            shape(&mut xml, value);
            AwsBody::Xml(xml)
        })
    }

    /// It was done, and there is no more to say.
    #[must_use]
    pub fn done(done: AwsDone<()>) -> Self {
        Self::new(done, |()| AwsBody::Nothing)
    }

    /// The same, about the thing with this id.
    #[must_use]
    pub fn about(mut self, target: &dyn std::fmt::Display) -> Self {
        self.target = Some(target.to_string());
        self
    }
}
