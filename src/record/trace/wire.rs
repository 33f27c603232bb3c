//! Spans as OTLP's JSON has them (opentelemetry-proto 1.x, `ExportTraceServiceRequest`). Pure.

use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};

use super::{Span, Value};
use crate::clock::UnixTime;

/// One span of a request that began then.
pub(super) fn span(trace: &str, began: UnixTime, span: &Span) -> Json {
    let at = |offset: Duration| {
        let began = u128::try_from(began.millis()).unwrap_or(0) * 1_000_000;
        (began + offset.as_nanos()).to_string()
    };
    let attributes: Vec<Json> = span.attributes.iter().map(attribute).collect();
    let mut json = json!({
        "traceId": trace, "spanId": HEXLOWER.encode(&span.id), "name": span.name, "kind": span.kind as u8,
        "startTimeUnixNano": at(span.from), "endTimeUnixNano": at(span.until.max(span.from)), "attributes": attributes,
        // 0 is that nobody has judged it, 2 is an error.
        "status": {"code": if span.failed { 2 } else { 0 }},
    });
    if let (Some(object), Some(parent)) = (json.as_object_mut(), span.parent) {
        object.insert("parentSpanId".to_owned(), HEXLOWER.encode(&parent).into());
    }
    json
}

fn attribute((key, value): &(&'static str, Value)) -> Json {
    let value = match value {
        // Whole numbers are texts there, as in all of Protobuf's JSON.
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Text(text) => json!({"stringValue": text}),
    };
    json!({"key": key, "value": value})
}

/// A message with these spans.
pub(super) fn message(spans: &[Json]) -> Vec<u8> {
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "portcullis"}},
        {"key": "service.version", "value": {"stringValue": env!("CARGO_PKG_VERSION")}},
    ]});
    let scope = json!({"name": "portcullis", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]})
        .to_string()
        .into_bytes()
}
