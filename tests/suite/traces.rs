//! One request, seen from the proxy in front through Portcullis to the registry behind: what the collector is told, and what nobody is.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::http::Http;
use crate::support::portcullis::Portcullis;
use crate::support::process::{bare, run};
use crate::support::recorder::{Recorder, answer};
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

/// A proxy that may say whose trace it is.
const PROXY: &str = "127.0.0.7";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// What is asked: an upload begins.
const UPLOADS: &str = "/v2/team/app/blobs/uploads/";

/// A registry that takes uploads, a collector, and Portcullis between them.
struct Stage {
    at: Portcullis,
    behind: SocketAddr,
    registry: Recorder,
    collector: Recorder,
}

impl Stage {
    /// With that in the section `[telemetry]`, the collector's address in place of `COLLECTOR`.
    fn new(telemetry: &str) -> Self {
        let registry = Recorder::start(|_| {
            let place = format!("{UPLOADS}5c4ab0c4-0a34-4f4c-8b5e-0f0f3a1b2c3d?_state=x");
            answer("202 Accepted", &[("Location", &place), ("Range", "0-0")], "")
        });
        let collector = Recorder::start(|_| answer("200 OK", &[("Content-Type", "application/json")], "{}"));
        let telemetry = telemetry.replace("COLLECTOR", &format!("http://{}", collector.address()));
        let listener = format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n\
             tls = {{ certificate = \"tls.crt\", key = \"tls.key\" }}\ntrusted_proxies = [\"{PROXY}\"]\n{telemetry}\n"
        );
        let at = Portcullis::with(&format!("http://{}", registry.address()), &[], &listener);
        let log = at.log();
        let line = log.lines().find(|line| line.contains("(private; surfaces registry)")).unwrap();
        let behind = line.split(' ').nth(2).unwrap().parse().unwrap();
        Self { at, behind, registry, collector }
    }

    /// Begins an upload as somebody at that address who says whose trace it is.
    fn ask(&self, from: &str) {
        let who = Http::tls(self.behind, &self.at.certificate().ca)
            .from(from)
            .basic(IAMAPIKEY, self.at.admin_key());
        let headers = [("traceparent", PARENT), ("X-Forwarded-For", "192.0.2.9")];
        assert_eq!(who.send("POST", UPLOADS, &headers, b"").status, 202);
    }

    /// What the registry was told of the trace.
    fn told(&self) -> Vec<String> {
        let seen = self.registry.seen();
        let asked = seen.iter().filter(|request| request.starts_with(&format!("POST {UPLOADS}")));
        let line = |request: &String| {
            let line = request.lines().find(|line| line.starts_with("traceparent: "));
            line.unwrap_or_default().trim_start_matches("traceparent: ").to_owned()
        };
        asked.map(line).collect()
    }

    /// The messages that the collector has.
    fn messages(&self) -> Vec<Value> {
        let seen = self.collector.seen();
        let bodies = seen.iter().filter(|request| request.starts_with("POST /v1/traces HTTP/1.1\r\n"));
        bodies
            .map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap())
            .collect()
    }

    /// The spans that the collector has of that operation's requests, and of their parts.
    fn spans(&self) -> Vec<Value> {
        let each = |message: &Value| {
            message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
        };
        self.messages().iter().flat_map(each).collect()
    }
}

/// The value of an attribute.
fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let found = span["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key);
    found.map_or(&Value::Null, |one| one["value"].get("stringValue").unwrap_or(&one["value"]["intValue"]))
}

#[test]
fn a_request_is_followed_from_a_trusted_proxy_through_the_gate_to_the_registry() {
    let stage = Stage::new("[telemetry]\notlp_endpoint = \"COLLECTOR\"\nsample_one_in = 1000000000");
    stage.ask(PROXY);
    let spans = until("the spans", PATIENCE, || {
        let spans = stage.spans();
        let of_it = spans.into_iter().filter(|span| span["traceId"] == TRACE).collect::<Vec<_>>();
        (of_it.len() >= 3).then_some(of_it)
    });
    let named = |name: &str| {
        spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"))
    };
    let (server, decide, upstream) =
        (named("POST upload_start"), named("decide"), named("upstream upload_start"));
    assert_eq!((&server["kind"], &decide["kind"], &upstream["kind"]), (&json!(2), &json!(1), &json!(3)));
    assert_eq!(server["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!((&decide["parentSpanId"], &upstream["parentSpanId"]), (&server["spanId"], &server["spanId"]));
    assert_eq!(attribute(server, "client.address"), "192.0.2.9");
    assert_eq!(attribute(server, "http.response.status_code"), "202");
    assert_eq!(attribute(server, "portcullis.decision"), "allowed");
    assert_eq!(attribute(server, "portcullis.repository"), "team/app");
    assert_eq!(attribute(upstream, "server.address"), stage.registry.address().to_string().as_str());
    // The registry is told by whom it is asked.
    let child = upstream["spanId"].as_str().unwrap();
    assert_eq!(stage.told(), [format!("00-{TRACE}-{child}-01")]);
    let nanos = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
    for part in [decide, upstream] {
        assert!(nanos(part, "startTimeUnixNano") >= nanos(server, "startTimeUnixNano"));
        assert!(nanos(part, "endTimeUnixNano") <= nanos(server, "endTimeUnixNano"));
    }
    // No credential, and no path, goes to the collector.
    let all = stage.collector.seen().concat();
    assert!(
        !all.contains(stage.at.admin_key())
            && !all.contains("eyJ")
            && !all.contains(UPLOADS)
            && !all.contains("Basic ")
    );
    read_by_opentelemetry(&stage.messages()[0]);
}

/// OpenTelemetry's own messages hold all of it. Their JSON has ids in hexadecimal where Protobuf's has base64.
fn read_by_opentelemetry(message: &Value) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/manifests/bin/python");
    if !python.exists() {
        eprintln!("skipped: {} is not there (make deps installs it)", python.display());
        return;
    }
    let script = "
import base64, json, sys
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
message = json.load(sys.stdin)
for span in message['resourceSpans'][0]['scopeSpans'][0]['spans']:
    for key in ('traceId', 'spanId', 'parentSpanId'):
        if key in span:
            span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
read = ParseDict(message, ExportTraceServiceRequest())
spans = read.resource_spans[0].scope_spans[0].spans
assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 and span.kind for span in spans)
print(len(spans), read.resource_spans[0].resource.attributes[0].value.string_value)
";
    let said = run(bare(python).args(["-c", script]), &message.to_string()).must_succeed();
    assert!(said.stdout.trim().ends_with(" portcullis"), "{}", said.stdout);
}

#[test]
fn whoever_is_not_trusted_says_nothing_about_traces() {
    let stage = Stage::new("[telemetry]\notlp_endpoint = \"COLLECTOR\"\nsample_one_in = 1");
    stage.ask("127.0.0.9");
    let spans = until("the spans", PATIENCE, || {
        let spans = stage.spans();
        spans.iter().any(|span| span["name"] == "POST upload_start").then_some(spans)
    });
    assert!(spans.iter().all(|span| span["traceId"] != TRACE), "{spans:#?}");
    let [told] = &stage.told()[..] else { panic!("{:?}", stage.told()) };
    assert!(told.starts_with("00-") && !told.contains(TRACE), "a trace of our own: {told}");
}

#[test]
fn without_a_collector_nothing_is_traced_and_with_one_that_fails_everything_goes_on() {
    let stage = Stage::new("");
    stage.ask(PROXY);
    assert_eq!(stage.told(), [""]);
    let stage = Stage::new("[telemetry]\notlp_endpoint = \"http://127.0.0.1:1\"\nsample_one_in = 1");
    until("the failure", PATIENCE, || {
        stage.ask(PROXY);
        (stage.at.metric("portcullis_traces_total{outcome=\"failed\"}") > 0.0).then_some(())
    });
    assert!(stage.collector.seen().is_empty());
}
