//! What a request costs in instructions of Portcullis's own, as callgrind counts them: figures that nothing else on the machine
//! touches. What the kernel does is not in them, and cryptography is dearer than it is, as valgrind knows fewer instructions for it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::runtime::Runtime;

use crate::cast::{Cast, OURS, OURS_CACHED};
use crate::client::{Client, read_head, send, skip};
use crate::contender::portcullis::{self, Guarded, Setup};
use crate::image::REPOSITORY;
use crate::page::Page;

/// Requests before it is counted, and while it is.
const WARM: u32 = 200;
const COUNTED: u32 = 1000;
/// How many functions of ours are shown.
const SHOWN: usize = 25;

/// What is asked for, again and again on one connection.
struct Question {
    what: &'static str,
    method: &'static str,
    status: u16,
}

const GET: Question = Question { what: "GET of a manifest, passed on", method: "GET", status: 200 };
const HEAD: Question = Question { what: "HEAD of a manifest, passed on", method: "HEAD", status: 200 };
const CHALLENGE: Question = Question { what: "a challenge to log in (401)", method: "GET", status: 401 };
const KEPT: Question = Question { what: "GET of a manifest, from memory", method: "GET", status: 200 };

pub(crate) fn instructions(runtime: &Runtime, cast: &Cast, page: &mut Page) {
    let tools = ["valgrind", "callgrind_control", "callgrind_annotate"];
    if let Some(missing) = tools.iter().find(|tool| Command::new(tool).arg("--version").output().is_err()) {
        page.note(&format!("## Instructions\n\nNot counted: {missing} is not installed."));
        return;
    }
    let profile = tempfile::tempdir().expect("a folder");
    let mut text = String::from(
        "## Instructions\n\nOf one request, as callgrind counts them.\n\n| | instructions |\n|---|---|",
    );
    let mut dearest = String::new();
    for (name, cache, questions) in
        [(OURS, false, &[GET, HEAD, CHALLENGE][..]), (OURS_CACHED, true, &[KEPT][..])]
    {
        let file = profile.path().join(if cache { "cached" } else { "passed" });
        let setup = Setup { name, cache, upstream: cast.origin.address, rows: None, counted: Some(&file) };
        let server = runtime.block_on(portcullis::start(&setup, &cast.papers));
        for (number, question) in questions.iter().enumerate() {
            eprint!(".");
            runtime.block_on(ask(&server, question, &file));
            let dump = PathBuf::from(format!("{}.{}", file.display(), number + 1));
            let _ = write!(text, "\n| {} | {:.0} |", question.what, total(&dump) / f64::from(COUNTED));
            if number == 0 && !cache {
                dearest = functions(&dump);
            }
        }
    }
    eprintln!();
    page.note(&format!(
        "{text}\n\nWhere they go when a manifest is passed on: our functions with all that they call, instructions for one request.\n\n```\n{dearest}```"
    ));
}

/// Asks until everything is warm, then so often as is counted, and has the counts written down.
async fn ask(server: &Guarded, question: &Question, profile: &Path) {
    let known = Client::of(&server.contender);
    let client = if question.status == 401 { known.anonymous() } else { known };
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    let request = client.head(question.method, &path, "");
    let mut stream = client.connect().await;
    let pid = server.contender.pids()[0].to_string();
    for number in 0..WARM + COUNTED {
        if number == WARM {
            control(&["-i", "on", &pid], profile);
        }
        send(&mut stream, &request).await;
        let head = read_head(&mut stream).await;
        assert_eq!(head.status, question.status, "{}", question.what);
        if question.method != "HEAD" {
            skip(&mut stream, head.length).await;
        }
    }
    control(&["-i", "off", &pid], profile);
    control(&["-d", &pid], profile);
}

fn control(arguments: &[&str], profile: &Path) {
    let folder = profile.parent().expect("it is in a folder");
    let done = Command::new("callgrind_control").args(arguments).current_dir(folder).output();
    let done = done.expect("callgrind_control is installed");
    assert!(done.status.success(), "callgrind_control: {}", String::from_utf8_lossy(&done.stderr));
}

/// `totals: 123`, at the end of what callgrind writes.
fn total(dump: &Path) -> f64 {
    let text = std::fs::read_to_string(dump).expect("callgrind has written its counts");
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    line.and_then(|line| line.split(' ').next()?.parse().ok()).expect("a total")
}

/// The dearest of our own functions, with all that they call.
fn functions(dump: &Path) -> String {
    let done =
        Command::new("callgrind_annotate").args(["--inclusive=yes", "--threshold=100"]).arg(dump).output();
    let text = String::from_utf8_lossy(&done.expect("callgrind_annotate is installed").stdout).into_owned();
    let ours = text.lines().filter_map(|line| {
        let (count, rest) = line.trim_start().split_once(' ')?;
        let count: f64 = count.replace(',', "").parse().ok()?;
        let (_, name) = rest.split_once(':')?;
        let name = name.split(" [").next()?;
        name.starts_with("portcullis::").then_some((name, count / f64::from(COUNTED)))
    });
    // A function stands there once for each file that code was put into it from; the dearest first.
    let mut seen = HashSet::new();
    let each = ours.filter(|(name, _)| seen.insert(*name)).take(SHOWN);
    each.map(|(name, count)| format!("{count:>8.0}  {name}\n")).collect()
}
