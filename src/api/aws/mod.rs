//! AWS's APIs: IAM and STS as Query calls, ECR as JSON 1.1, all by `POST /` under one host.
//!
//! [`operation`] is the contents page. Nothing here decides or proves: a call comes in whole, with its caller proven or not.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Api, ApiReply, Event, Verdict};
use crate::admit::caller::Caller;
use crate::admit::origin::Origin;
use crate::admit::refusal::Refusal;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::ids::region::Region;
use crate::policy::table::product;

pub mod call;
pub mod ecr;
pub mod error;
pub mod form;
pub mod iam;
pub mod operation;
pub mod sts;
pub mod unsigned;
pub mod xml;

use call::{AwsAnswer, AwsBody, AwsCall};
use ecr::Ecr;
use form::Form;
use iam::Iam;
use operation::{Operation, Service};
use sts::Sts;
use unsigned::Unsigned;

/// What names the operation of a JSON call.
const TARGET: &str = "x-amz-target";

/// What ECR's operations begin with in `X-Amz-Target`.
const ECR_TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.";

/// A call, read whole.
pub struct AwsRequest {
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or the query of a presigned URL.
    pub body: Bytes,
    /// Who is asking, or why that is not known.
    pub caller: Result<Arc<Caller>, AwsProblem>,
    /// Where it comes from.
    pub origin: Origin,
    /// Which registry the host that the client used stands for.
    pub region: Region,
    /// The host that the client used, with its port if it is not the default: a configured name, never free text.
    pub authority: String,
    /// For errors and logs.
    pub request_id: String,
}

// Headers and bodies hold signatures, tokens and secrets.
impl std::fmt::Debug for AwsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsRequest").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

/// What a call asks for, read before anything is proven: a signature must be for its service.
#[derive(Clone, Debug)]
pub struct Named {
    /// The service, which says how errors are written.
    pub service: Service,
    /// The operation, or why there is none.
    pub operation: Result<Operation, AwsProblem>,
    form: Form,
}

/// How large the body of a call may be, by what its head names.
#[must_use]
pub fn body_max(headers: &HeaderMap) -> usize {
    let named = Named::is_json(headers).then(|| Named::read(headers, b"").operation);
    match named {
        Some(Ok(operation)) => match operation.name() {
            // A manifest of 4 MiB as a JSON string, and 20,971,520 bytes in base64.
            "PutImage" => 12 << 20,
            "UploadLayerPart" => 28 << 20,
            _ => super::body::MAX,
        },
        Some(Err(_)) | None => super::body::MAX,
    }
}

impl Named {
    /// Whether the call is in JSON 1.1, and named by its head.
    #[must_use]
    pub fn is_json(headers: &HeaderMap) -> bool {
        headers.contains_key(TARGET)
    }

    /// Reads which operation is meant.
    #[must_use]
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        match headers.get(TARGET) {
            Some(target) => {
                let name = target.to_str().ok().and_then(|text| text.strip_prefix(ECR_TARGET));
                let unknown = || AwsProblem::said(AwsCode::UnknownOperationException, "");
                let operation = name.and_then(Ecr::parse).map(Operation::Ecr).ok_or_else(unknown);
                Self { service: Service::Ecr, operation, form: Form::default() }
            }
            None => match Form::parse(body) {
                Ok(form) => Self::of_query(form),
                Err(problem) => {
                    Self { service: Service::Iam, operation: Err(problem), form: Form::default() }
                }
            },
        }
    }

    fn of_query(form: Form) -> Self {
        let version = form.optional("Version").unwrap_or_default();
        let service = Service::of_version(version).unwrap_or(Service::Iam);
        let operation = match form.optional("Action") {
            None => Err(AwsProblem::said(AwsCode::MissingAction, "Missing Action")),
            Some(name) => {
                let known = match Service::of_version(version) {
                    Some(Service::Iam) => Iam::parse(name).map(Operation::Iam),
                    Some(Service::Sts) => {
                        let unsigned = || Unsigned::parse(name).map(Operation::Unsigned);
                        Sts::parse(name).map(Operation::Sts).or_else(unsigned)
                    }
                    Some(Service::Ecr) | None => None,
                };
                known.ok_or_else(|| {
                    let shown = crate::ids::Malformed::new(name, "").text;
                    let version = crate::ids::Malformed::new(version, "").text;
                    let text = format!("Could not find operation {shown} for version {version}");
                    AwsProblem::said(AwsCode::InvalidAction, text)
                })
            }
        };
        Self { service, operation, form }
    }
}

/// The answer to a call that is refused before its body is read. What a Query call is about stands there: all that is known of
/// it is the service that it is signed for.
#[must_use]
pub fn refused(headers: &HeaderMap, signed_for: Service, request_id: &str, problem: &AwsProblem) -> ApiReply {
    let named = Named::is_json(headers).then(|| Named::read(headers, b""));
    let operation = named.as_ref().and_then(|named| named.operation.as_ref().ok());
    let service = named.as_ref().map_or(signed_for, |named| named.service);
    let route = Some(operation.map_or(service.signing_name(), |operation| operation.label()));
    let event = Event {
        route,
        action: None,
        resource: None,
        target: None,
        activity: None,
        introduced: None,
        verdict: Verdict::Done(None),
    };
    failure(service, request_id, problem, event)
}

impl Api {
    /// Answers a call. Nothing that a call says makes this fail.
    pub async fn respond_aws(&self, named: Named, request: AwsRequest) -> ApiReply {
        let Named { service, operation, form } = named;
        let mut event = Event {
            route: None,
            action: None,
            resource: None,
            target: None,
            activity: None,
            introduced: None,
            verdict: Verdict::Done(None),
        };
        let operation = match operation {
            Ok(operation) => operation,
            Err(problem) => return failure(service, &request.request_id, &problem, event),
        };
        event.route = Some(operation.label());
        // What is decided on has the same name nearly always.
        event.action = product().find(operation.label()).map(|action| product().name(action));
        match self.answer_aws(operation, form, &request, &mut event).await {
            Ok(answer) => success(operation, &request.request_id, answer, event),
            Err(problem) => failure(service, &request.request_id, &problem, event),
        }
    }

    async fn answer_aws(
        &self,
        operation: Operation,
        form: Form,
        request: &AwsRequest,
        event: &mut Event,
    ) -> Result<AwsAnswer, AwsProblem> {
        let service = operation.service();
        match operation {
            Operation::Ecr(operation) => {
                ecr::answer(operation, &self.signed(service, form, request).await?).await
            }
            Operation::Iam(operation) => {
                iam::answer(operation, &self.signed(service, form, request).await?).await
            }
            Operation::Sts(operation) => {
                sts::answer(operation, &self.signed(service, form, request).await?).await
            }
            Operation::Unsigned(operation) => {
                let (introduced, answer) =
                    unsigned::answer(operation, &self.desk, &form, request.origin.clone()).await;
                event.introduced = introduced;
                answer
            }
        }
    }

    /// The call of a caller who signs.
    async fn signed<'a>(
        &'a self,
        service: Service,
        form: Form,
        request: &'a AwsRequest,
    ) -> Result<AwsCall<'a>, AwsProblem> {
        let caller = request.caller.clone()?;
        self.desk.note_use(&caller, &request.region, service.signing_name()).await;
        Ok(AwsCall {
            desk: &self.desk,
            caller,
            region: &request.region,
            authority: &request.authority,
            headers: &request.headers,
            request_id: &request.request_id,
            form,
            body: &request.body,
        })
    }
}

fn success(operation: Operation, request_id: &str, answer: AwsAnswer, mut event: Event) -> ApiReply {
    event.action = answer.action.or(event.action);
    event.target = answer.target;
    event.verdict = Verdict::Done(answer.grounds);
    let body = match (answer.body, operation.service().namespace()) {
        (AwsBody::Json(value), _) => value.to_string(),
        (AwsBody::Nothing, None) => "{}".to_owned(),
        (AwsBody::Nothing, Some(namespace)) => enveloped(operation.name(), namespace, "", request_id),
        (AwsBody::Xml(xml), namespace) => {
            let result = format!("<{0}Result>{1}</{0}Result>", operation.name(), xml.as_str());
            enveloped(operation.name(), namespace.unwrap_or_default(), &result, request_id)
        }
    };
    reply(operation.service(), StatusCode::OK, body.into(), request_id, event)
}

fn enveloped(name: &str, namespace: &str, result: &str, request_id: &str) -> String {
    let id = format!("<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
    format!("<{name}Response xmlns=\"{namespace}\">{result}{id}</{name}Response>")
}

fn failure(service: Service, request_id: &str, problem: &AwsProblem, mut event: Event) -> ApiReply {
    event.verdict = match problem {
        AwsProblem::Fault(fault) => Verdict::Failed(fault.clone()),
        AwsProblem::Refused(refusal) => {
            if let Refusal::Unauthorized(denial) = refusal {
                event.action = Some(product().name(denial.action));
                event.target = Some(denial.resource.clone());
            }
            Verdict::Refused(refusal.clone())
        }
        AwsProblem::Unproven { because, .. } => Verdict::Refused(Refusal::Credentials { because }),
        AwsProblem::Said { code, message } => Verdict::Rejected(format!("{}: {message}", code.name())),
    };
    let rendered = error::render(service, problem, request_id);
    let mut reply = reply(service, rendered.status, rendered.body, request_id, event);
    if let Some(seconds) = rendered.retry_after {
        reply.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}

fn reply(service: Service, status: StatusCode, body: Bytes, request_id: &str, event: Event) -> ApiReply {
    let kind = match service.namespace() {
        Some(_) => "text/xml",
        None => "application/x-amz-json-1.1",
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", value);
    }
    ApiReply { status, headers, body, event }
}
