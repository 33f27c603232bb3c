//! What one request says of itself to those who trace it: when it was decided, which calls of the upstream it made, and how each ended.
//!
//! A request is traced only where the configuration names a collector and the dice, or a proxy in front, say so. It holds names, ids and
//! times: no credential, no path, no query, which may hold some.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::Method;
use tokio::time::Instant;

use self::context::{Context, SpanId};
use super::event::{Finished, Verdict, What};

pub mod context;
pub mod tracer;
mod wire;

/// A request that is traced.
#[derive(Debug)]
pub struct Trace {
    context: Context,
    method: &'static str,
    began: Instant,
    decided: Cell<Option<(Duration, Duration)>>,
    calls: RefCell<Vec<Call>>,
}

/// One call of the upstream.
#[derive(Clone, Debug)]
struct Call {
    to: String,
    from: Duration,
    until: Option<Duration>,
    /// None if there was no answer.
    status: Option<u16>,
}

impl Trace {
    /// Begins with the request.
    #[must_use]
    pub fn new(context: Context, method: &Method, began: Instant) -> Self {
        Self { context, method: known(method), began, decided: Cell::default(), calls: RefCell::default() }
    }

    /// The gate was asked at `asked`, and has answered now.
    pub fn decided(&self, asked: Instant) {
        self.decided.set(Some((self.since(asked), self.began.elapsed())));
    }

    /// The upstream is asked now; the header that tells it so.
    pub fn calls(&self, to: &str) -> String {
        let mut calls = self.calls.borrow_mut();
        calls.push(Call { to: to.to_owned(), from: self.began.elapsed(), until: None, status: None });
        self.context.header(self.context.child(calls.len()))
    }

    /// The upstream has answered the last call, or will not.
    pub fn answered(&self, status: Option<u16>) {
        if let Some(call) = self.calls.borrow_mut().last_mut() {
            (call.until, call.status) = (Some(self.began.elapsed()), status);
        }
    }

    fn since(&self, then: Instant) -> Duration {
        then.saturating_duration_since(self.began)
    }
}

/// The methods that have a name of their own in traces; others are one.
fn known(method: &Method) -> &'static str {
    let known = [
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
    ];
    let names = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    let found = known.iter().zip(names).find(|(one, _)| *one == method);
    found.map_or("_OTHER", |(_, name)| name)
}

/// What kind of span it is, in OTLP's numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// One span, as it is sent.
#[derive(Debug)]
struct Span {
    id: SpanId,
    parent: Option<SpanId>,
    name: String,
    kind: Kind,
    /// From the beginning of the request.
    from: Duration,
    until: Duration,
    attributes: Vec<(&'static str, Value)>,
    failed: bool,
}

/// The value of an attribute.
#[derive(Debug)]
enum Value {
    Number(u64),
    Text(String),
}

/// The spans of a finished request: the request itself, its decision, its calls of the upstream.
fn spans(trace: &Trace, finished: &Finished) -> Vec<Span> {
    let own = trace.context.own();
    let faulted = finished.decision == Verdict::Faulted || finished.status >= 500;
    let mut spans = vec![Span {
        id: own,
        parent: trace.context.parent(),
        name: format!("{} {}", trace.method, finished.what.label()),
        kind: Kind::Server,
        from: Duration::ZERO,
        until: finished.duration,
        attributes: described(trace, finished),
        failed: faulted,
    }];
    if let Some((from, until)) = trace.decided.get() {
        spans.push(Span {
            id: trace.context.child(0),
            parent: Some(own),
            name: "decide".to_owned(),
            kind: Kind::Internal,
            from,
            until,
            attributes: vec![("portcullis.decision", Value::Text(finished.decision.label().to_owned()))],
            failed: false,
        });
    }
    let calls = trace.calls.borrow();
    spans.extend(calls.iter().enumerate().map(|(at, call)| called(trace, finished, at + 1, call)));
    spans
}

fn called(trace: &Trace, finished: &Finished, number: usize, call: &Call) -> Span {
    let mut attributes = vec![("server.address", Value::Text(call.to.clone()))];
    attributes
        .extend(call.status.map(|status| ("http.response.status_code", Value::Number(u64::from(status)))));
    Span {
        id: trace.context.child(number),
        parent: Some(trace.context.own()),
        name: format!("upstream {}", finished.what.label()),
        kind: Kind::Client,
        from: call.from,
        until: call.until.unwrap_or(finished.duration),
        attributes,
        failed: call.status.is_none_or(|status| status >= 500),
    }
}

/// By OpenTelemetry's conventions where there is one.
fn described(trace: &Trace, finished: &Finished) -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut attributes = vec![
        ("http.request.method", text(trace.method)),
        ("http.response.status_code", Value::Number(u64::from(finished.status))),
        ("client.address", Value::Text(finished.from.ip().to_string())),
        ("http.request.body.size", Value::Number(finished.bytes_in)),
        ("http.response.body.size", Value::Number(finished.bytes_out)),
        ("portcullis.operation", text(finished.what.label())),
        ("portcullis.decision", text(finished.decision.label())),
        ("portcullis.endpoint", text(finished.endpoint.label())),
        ("portcullis.request_id", text(&finished.request_id)),
    ];
    if let Some(who) = &finished.who {
        attributes.push(("enduser.id", Value::Text(who.principal.to_string())));
    }
    match &finished.what {
        What::Registry(call) => {
            attributes.push(("portcullis.registry", text(call.host.as_str())));
            attributes.extend(call.repository.iter().map(|name| ("portcullis.repository", text(name))));
        }
        What::Control(call) => attributes.push(("http.route", text(call.route))),
        What::Token(_) | What::Probe | What::Unroutable => {}
    }
    attributes
}
