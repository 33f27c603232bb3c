//! What breaks, and what must not break with it: the upstream, clients, the disk, certificates, and Portcullis itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::certificate;
use crate::support::http::{Http, Response, Stream, parse, path_of, read_all};
use crate::support::image::{Blob, Image, MANIFEST, random_bytes, sha256};
use crate::support::portcullis::{ACCOUNT, Portcullis};
use crate::support::process::{bare, run};
use crate::support::recorder::{Recorder, answer};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{A_MOMENT, PATIENCE, until, within};

const OCTETS: (&str, &str) = ("Content-Type", "application/octet-stream");

/// Pushes one blob in one piece.
fn store(http: &Http, name: &str, blob: &Blob) -> Response {
    let place = http.begin_upload(name);
    http.send("PUT", &format!("{place}&digest={}", blob.digest), &[OCTETS], &blob.bytes)
}

fn blob_of(size: usize) -> Blob {
    Blob::of(random_bytes(size))
}

/// A fault, as a client reads it: in the registry's form, with the request's id in the message and in a header.
#[track_caller]
fn assert_fault(answer: &Response, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(body["errors"][0]["code"], code, "{body}");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains(id), "{body}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

/// Begins to pull, and takes the first bytes of the answer.
fn half_pull(http: &Http, name: &str, blob: &Blob) -> (Box<dyn Stream>, Vec<u8>) {
    let mut stream = http.connect();
    let path = format!("/v2/{name}/blobs/{}", blob.digest);
    stream.write_all(http.head("GET", &path, &[], 0).as_bytes()).unwrap();
    let mut first = vec![0; 4096];
    let count = stream.read(&mut first).unwrap();
    first.truncate(count);
    (stream, first)
}

/// Begins to push a blob, and sends half of it.
fn half_push(http: &Http, name: &str, blob: &Blob) -> Box<dyn Stream> {
    let place = http.begin_upload(name);
    let mut stream = http.connect();
    let path = format!("{place}&digest={}", blob.digest);
    stream.write_all(http.head("PUT", &path, &[OCTETS], blob.bytes.len()).as_bytes()).unwrap();
    stream.write_all(&blob.bytes[..blob.bytes.len() / 2]).unwrap();
    stream.flush().unwrap();
    stream
}

#[test]
fn an_upstream_killed_in_the_middle_cuts_transfers_and_is_back_as_soon_as_it_is() {
    let mut registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let http = at.administrator();
    let (large, small) = (blob_of(32 << 20), blob_of(4 << 20));
    let image = Image::with_layers(&[300_000]);
    assert_eq!(http.push(&image, "team/app", "1").status, 201);
    assert_eq!(store(&http, "team/app", &large).status, 201);

    let pulls: Vec<_> = (0..4).map(|_| half_pull(&http, "team/app", &large)).collect();
    let pushes: Vec<_> = (0..4).map(|_| half_push(&http, "team/app", &small)).collect();
    registry.kill();
    for (mut stream, mut bytes) in pulls {
        bytes.extend(read_all(&mut *stream));
        assert!(bytes.starts_with(b"HTTP/1.1 200"), "it had begun well");
        assert!(parse(&bytes, "GET").is_none(), "a cut blob passes for a whole one");
    }
    for mut stream in pushes {
        // It may have been told already, and closed upon.
        let _ = stream.write_all(&small.bytes[small.bytes.len() / 2..]).and_then(|()| stream.flush());
        if let Some(answer) = parse(&read_all(&mut *stream), "PUT") {
            assert_fault(&answer, 502, "UNAVAILABLE");
        }
    }
    // What begins while it is away is told so at once.
    for path in ["/v2/team/app/manifests/1", "/v2/team/app/tags/list", "/v2/_catalog"] {
        assert_fault(&http.send("GET", path, &[("Accept", MANIFEST)], b""), 502, "UNAVAILABLE");
    }
    let begun = http.send("POST", "/v2/team/app/blobs/uploads/", &[], b"");
    assert_fault(&begun, 502, "UNAVAILABLE");
    // Whoever asks only Portcullis is not concerned.
    assert_eq!(http.get("/v2/").status, 200);
    assert!(!http.token(&["repository:team/app:pull"]).is_empty());

    registry.restart();
    let read = http.send("GET", "/v2/team/app/manifests/1", &[("Accept", MANIFEST)], b"");
    assert_eq!((read.status, sha256(&read.body)), (200, image.manifest.digest.clone()));
    let read = http.get(&format!("/v2/team/app/blobs/{}", large.digest));
    assert_eq!((read.status, sha256(&read.body)), (200, large.digest.clone()));
    let half = http.send("HEAD", &format!("/v2/team/app/blobs/{}", small.digest), &[], b"");
    assert_eq!(half.status, 404, "half a blob is in the registry");
    assert_eq!(store(&http, "team/app", &small).status, 201);
    // Four were told; what the server looks for beside a pushed image on its own account may have met the same.
    let unreachable = at.metric("portcullis_upstream_errors_total{kind=\"unreachable\"}");
    assert!(unreachable >= 4.0, "{unreachable}");
}

#[test]
fn an_upload_goes_on_where_it_was_after_the_upstream_was_killed_between_its_chunks() {
    let mut registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let http = at.administrator();
    let blob = blob_of(1 << 20);
    let (first, rest) = blob.bytes.split_at(300_000);
    let place = http.begin_upload("team/app");
    let chunk = |place: &str, range: &str, bytes: &[u8]| {
        http.send("PATCH", place, &[OCTETS, ("Content-Range", range)], bytes)
    };
    let taken = chunk(&place, "0-299999", first);
    assert_eq!(taken.status, 202, "{}", taken.text());
    let place = path_of(taken.header("location").unwrap()).to_owned();
    registry.kill();
    assert_fault(&chunk(&place, "300000-1048575", rest), 502, "UNAVAILABLE");
    registry.restart();
    let status = http.get(&place);
    assert_eq!((status.status, status.header("range")), (204, Some("0-299999")));
    let place = path_of(status.header("location").unwrap()).to_owned();
    let taken = chunk(&place, "300000-1048575", rest);
    assert_eq!(taken.status, 202, "{}", taken.text());
    let place = path_of(taken.header("location").unwrap());
    let done = http.send("PUT", &format!("{place}&digest={}", blob.digest), &[OCTETS], b"");
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(sha256(&http.get(&format!("/v2/team/app/blobs/{}", blob.digest)).body), blob.digest);
}

/// An upstream that takes every connection and never says a word.
struct Mute {
    listener: TcpListener,
}

impl Mute {
    fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }
}

#[test]
fn an_upstream_that_never_answers_is_a_504_when_its_time_is_over() {
    let upstream = Mute::start();
    let limit = [("REGISTRY__0__UPSTREAM_OPTIONS__FIRST_BYTE_TIMEOUT", "500ms")];
    let at = Portcullis::set(&upstream.url(), &limit);
    let begun = Instant::now();
    let answer = at.administrator().get("/v2/team/app/tags/list");
    assert_fault(&answer, 504, "UNAVAILABLE");
    let waited = begun.elapsed();
    assert!((Duration::from_millis(450)..Duration::from_secs(10)).contains(&waited), "{waited:?}");
    assert_eq!(at.observer().get("/livez").status, 200);
    assert_eq!(at.observer().get("/readyz").status, 503);
}

#[test]
fn a_client_that_vanishes_in_the_middle_of_an_upload_leaves_nothing_behind_but_a_record() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let robot = Robot::with_role(&at.administrator(), "robot", "Manager", "team");
    let http = robot.at(&at);
    let blob = blob_of(4 << 20);
    drop(half_push(&http, "team/app", &blob));
    let event = at.await_audit("the upload that was given up", |event| {
        event["operation"] == "upload_finish" && event["initiator"]["id"] == robot.iam_id.as_str()
    });
    assert_ne!(event["outcome"], "success", "{event}");
    let received = event["bytesReceived"].as_u64().unwrap();
    assert!(received <= blob.bytes.len() as u64 / 2, "{event}");
    assert_eq!(http.send("HEAD", &format!("/v2/team/app/blobs/{}", blob.digest), &[], b"").status, 404);
    assert_eq!(store(&http, "team/app", &blob).status, 201);
}

#[test]
fn a_client_that_does_not_wait_for_the_answer_is_recorded_all_the_same() {
    // The upstream stores the manifest and takes its time to say so.
    let (asked, release) = (std::sync::Arc::new(Barrier::new(2)), std::sync::Arc::new(Barrier::new(2)));
    let (arrived, go) = (asked.clone(), release.clone());
    let upstream = Recorder::start(move |request| {
        if request.starts_with(b"PUT /v2/team/app/manifests/") {
            arrived.wait();
            go.wait();
        }
        answer("201 Created", &[], "")
    });
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    let robot = Robot::with_role(&at.administrator(), "robot", "Writer", "team");
    let http = robot.at(&at);
    let image = Image::tiny();
    let mut stream = http.connect();
    let kind = [("Content-Type", MANIFEST)];
    let head = http.head("PUT", "/v2/team/app/manifests/evil", &kind, image.manifest.bytes.len());
    stream.write_all(&[head.as_bytes(), &image.manifest.bytes].concat()).unwrap();
    stream.flush().unwrap();
    asked.wait();
    drop(stream);
    let event =
        at.await_audit("the push that nobody waited for", |event| event["operation"] == "manifest_write");
    release.wait();
    assert_eq!(event["decision"], "aborted");
    assert_eq!(event["initiator"]["id"], robot.iam_id.as_str());
    assert_eq!(event["target"]["name"], "us.registry.test/team/app:evil");
    assert_eq!(event["reason"]["policies"][1], "Writer", "{event}");
}

#[test]
fn a_change_is_carried_through_and_recorded_although_its_caller_hung_up() {
    let upstream = Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    let http = at.administrator();
    let leave = || {
        let body = json!({"name": "left", "account_id": ACCOUNT}).to_string();
        let kind = [("Content-Type", "application/json")];
        let mut stream = http.connect();
        let head = http.head("POST", "/v1/serviceids", &kind, body.len());
        stream.write_all((head + &body).as_bytes()).unwrap();
        stream.flush().unwrap();
    };
    let made = || {
        let page = http.get("/v1/serviceids?pagesize=100").json();
        page["serviceids"].as_array().unwrap().len()
    };
    let recorded = || {
        let is_it = |event: &&Value| {
            event["action"] == "iam-identity.account-serviceid.create" && event["outcome"] == "success"
        };
        at.audit().iter().filter(is_it).count()
    };
    // A request is lost with its connection if the server has not read it by then; every one that was carried out is in the log.
    until("a request that is read although its caller is gone", PATIENCE, || {
        (0..20).for_each(|_| leave());
        within(A_MOMENT, || (made() > 0).then_some(()))
    });
    until("as many records as changes", PATIENCE, || (made() == recorded()).then_some(()));
}

/// How many transfers are in flight when the server is told to stop.
const IN_FLIGHT: usize = 200;

#[test]
fn a_server_told_to_stop_finishes_two_hundred_transfers_and_begins_none() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    let http = at.administrator();
    let large = blob_of(2 << 20);
    assert_eq!(store(&http, "team/app", &large).status, 201);
    let uploads: Vec<Blob> = (0..IN_FLIGHT / 2).map(|number| blob_of(20_000 + number * 997)).collect();
    let (begun, stopping) = (Barrier::new(IN_FLIGHT + 1), Barrier::new(IN_FLIGHT + 1));
    let whole = AtomicUsize::new(0);
    thread::scope(|scope| {
        for blob in &uploads {
            scope.spawn(|| {
                let (mut stream, first) = half_pull(&http, "team/app", &large);
                begun.wait();
                stopping.wait();
                let answer = parse(&[first, read_all(&mut *stream)].concat(), "GET").unwrap();
                assert_eq!((answer.status, sha256(&answer.body)), (200, large.digest.clone()));
                whole.fetch_add(1, Ordering::SeqCst);
            });
            scope.spawn(|| {
                let mut stream = half_push(&http, "team/app", blob);
                begun.wait();
                stopping.wait();
                stream.write_all(&blob.bytes[blob.bytes.len() / 2..]).and_then(|()| stream.flush()).unwrap();
                let answer = parse(&read_all(&mut *stream), "PUT").unwrap();
                assert_eq!(answer.status, 201, "{}", answer.text());
                whole.fetch_add(1, Ordering::SeqCst);
            });
        }
        begun.wait();
        at.signal("TERM");
        at.await_log("draining");
        until("the end of listening", PATIENCE, || TcpStream::connect(at.public()).is_err().then_some(()));
        stopping.wait();
    });
    assert_eq!(whole.load(Ordering::SeqCst), IN_FLIGHT);
    assert_eq!(at.await_end().code(), Some(0));
    assert!(!at.log().contains("were cut"), "a connection was cut");
    let direct = Http::plain(registry.address().parse().unwrap());
    for blob in &uploads {
        let stored = direct.get(&format!("/v2/team/app/blobs/{}", blob.digest));
        assert_eq!(sha256(&stored.body), blob.digest, "an acknowledged blob is not in the registry");
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let upstream = Mute::start();
    let mut at = Portcullis::before(&upstream.url());
    let http = at.administrator();
    let mut waiting = http.connect();
    waiting.write_all(http.head("GET", "/v2/team/app/tags/list", &[], 0).as_bytes()).unwrap();
    waiting.flush().unwrap();
    // The upstream's own connection shows that the request is under way; the health probe has one too.
    let _asked = [upstream.listener.accept().unwrap(), upstream.listener.accept().unwrap()];
    at.signal("TERM");
    at.await_log("draining");
    let told = Instant::now();
    at.signal("TERM");
    assert_eq!(at.await_end().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill_and_the_ports_are_free_at_once() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    let image = Image::tiny();
    assert_eq!(at.administrator().push(&image, "team/app", "1").status, 201);
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..4 {
        let http = at.administrator();
        let wanted = acknowledged.len() + 5 + round * 3;
        let written = std::sync::Mutex::new(Vec::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0.. {
                    let name = format!("robot-{round}-{number}");
                    let body = json!({"name": name, "account_id": ACCOUNT}).to_string();
                    let kind = [("Content-Type", "application/json")];
                    let made = http.try_send("POST", "/v1/serviceids", &kind, body.as_bytes());
                    let Some(made) = made else { return };
                    assert_eq!(made.status, 201, "{}", made.text());
                    written.lock().unwrap().push((made.json()["id"].as_str().unwrap().to_owned(), name));
                }
            });
            let enough = || acknowledged.len() + written.lock().unwrap().len() >= wanted;
            until("some changes", PATIENCE, || enough().then_some(()));
            at.kill();
        });
        acknowledged.append(&mut written.into_inner().unwrap());
        at.restart_in_place();
        let http = at.administrator();
        let recorded = at.audit();
        for (id, name) in &acknowledged {
            let found = http.get(&format!("/v1/serviceids/{id}"));
            assert_eq!((found.status, &found.json()["name"]), (200, &json!(name)));
            let is_it = |event: &Value| event["target"]["id"] == id.as_str();
            assert!(recorded.iter().any(is_it), "{name} was acknowledged and is not in the audit log");
        }
        let read = http.send("GET", "/v2/team/app/manifests/1", &[("Accept", MANIFEST)], b"");
        assert_eq!((read.status, &read.body), (200, &image.manifest.bytes));
    }
}

#[test]
fn while_the_audit_log_cannot_be_written_nothing_happens_or_everything_as_the_settings_say() {
    let registry = Registry::start();
    let refusing = Portcullis::set(&registry.url(), &[("AUDIT__PATH", "/dev/full")]);
    let http = refusing.administrator();
    for path in ["/v2/", "/v2/team/app/tags/list", "/oauth/token?service=registry"] {
        assert_fault(&http.get(path), 503, "UNAVAILABLE");
    }
    let made = http.call("POST", "/v1/serviceids", &json!({"name": "robot", "account_id": ACCOUNT}));
    assert_fault(&made, 503, "UNAVAILABLE");
    assert_eq!(refusing.observer().get("/livez").status, 200);
    let ready = refusing.observer().get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("audit"), "{}", ready.text());
    assert_eq!(refusing.metric("portcullis_audit_healthy") as u64, 0);
    assert!(refusing.metric("portcullis_audit_events_total{outcome=\"refused\"}") >= 4.0);

    let variables = [("AUDIT__PATH", "/dev/full"), ("AUDIT__ON_FAILURE", "continue")];
    let going_on = Portcullis::set(&registry.url(), &variables);
    let http = going_on.administrator();
    assert_eq!(http.push(&Image::tiny(), "team/app", "1").status, 201);
    assert_eq!(http.get("/v2/team/app/tags/list").status, 200);
    assert_eq!(going_on.metric("portcullis_audit_healthy") as u64, 0);
}

#[test]
fn requests_pass_again_as_soon_as_the_audit_log_can_be_written() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("audit.pipe");
    run(bare("mkfifo").arg(&pipe), "").must_succeed();
    // A pipe that nobody reads cannot be written.
    let at = Portcullis::set(&registry.url(), &[("AUDIT__PATH", pipe.to_str().unwrap())]);
    let http = at.administrator();
    let make = |name: &str| {
        http.call("POST", "/v1/serviceids", &json!({"name": name, "account_id": ACCOUNT})).status
    };
    assert_eq!(make("too-early"), 503);
    let mut reader = fs::File::open(&pipe).unwrap();
    until("the log's recovery", PATIENCE, || (at.observer().get("/readyz").status == 200).then_some(()));
    assert_eq!(make("in-time"), 201);
    let names = http.get("/v1/serviceids").text();
    assert!(names.contains("in-time") && !names.contains("too-early"), "{names}");
    let mut lines = vec![0; 64 * 1024];
    let count = reader.read(&mut lines).unwrap();
    assert!(String::from_utf8_lossy(&lines[..count]).contains("iam-identity.account-serviceid.create"));
}

/// Ends the others' work when this one ends, however it does.
struct AtLast<'a>(&'a AtomicBool);

impl Drop for AtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_new_certificate_is_shown_to_new_connections_and_no_request_fails_meanwhile() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    assert_eq!(at.administrator().push(&Image::with_layers(&[200_000]), "team/app", "1").status, 201);
    let folder = tempfile::tempdir().unwrap();
    let next = certificate::make(folder.path());
    let both = [at.certificate().ca.as_path(), next.ca.as_path()];
    let http = Http::trusting(at.public(), &both).basic("iamapikey", at.admin_key());
    let (first, chain, key) = (http.certificate(), &at.certificate().chain, &at.certificate().key);
    let (first_chain, first_key) = (fs::read(chain).unwrap(), fs::read(key).unwrap());
    let (chain, key) = (chain.clone(), key.clone());
    let (over, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let _over = AtLast(&over);
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let read = http.send("GET", "/v2/team/app/manifests/1", &[("Accept", MANIFEST)], b"");
                    assert_eq!(read.status, 200, "{}", read.text());
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let more = |count: usize| {
            let before = served.load(Ordering::SeqCst);
            until("requests", PATIENCE, || (served.load(Ordering::SeqCst) >= before + count).then_some(()));
        };
        more(10);
        let mut held = http.connect();
        held.write_all(format!("GET /v2/ HTTP/1.1\r\nHost: {}\r\n", at.host()).as_bytes()).unwrap();
        held.flush().unwrap();
        fs::copy(&next.key, &key).unwrap();
        fs::copy(&next.chain, &chain).unwrap();
        at.signal("HUP");
        at.await_log("reloaded: the level of the log and the certificates");
        let second = http.certificate();
        assert_ne!(second, first);
        // A connection from before goes on as it was.
        held.write_all(b"Connection: close\r\n\r\n").unwrap();
        assert_eq!(parse(&read_all(&mut *held), "GET").unwrap().status, 401);
        more(10);

        // Half of a pair, then a torn file: the pair in use stays.
        for broken in [first_chain.as_slice(), &first_chain[..first_chain.len() / 2]] {
            fs::write(&chain, broken).unwrap();
            let before = at.metric("portcullis_config_reloads_total{outcome=\"failed\"}");
            at.signal("HUP");
            until("the failed reload", PATIENCE, || {
                (at.metric("portcullis_config_reloads_total{outcome=\"failed\"}") > before).then_some(())
            });
            assert_eq!(http.certificate(), second);
            more(5);
        }
        assert!(at.log().contains("not reloaded"), "the log does not say so");
        fs::write(&key, &first_key).unwrap();
        fs::write(&chain, &first_chain).unwrap();
        at.signal("HUP");
        until("the first certificate", PATIENCE, || (http.certificate() == first).then_some(()));
    });
}

/// F-17: without file descriptors it waits, neither spinning nor ending, and goes on when there are some again.
#[test]
fn a_server_out_of_file_descriptors_recovers() {
    let registry = Registry::start();
    let mut portcullis = Portcullis::before(&registry.url());
    portcullis.allow_files(20);
    let held: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(portcullis.public()).unwrap()).collect();
    portcullis.await_log("cannot accept connections");
    let said = portcullis.log().matches("cannot accept connections").count();
    assert!(said < 100, "it spins: {said}");
    drop(held);
    assert_eq!(portcullis.administrator().get("/v2/").status, 200);
}
