//! Whoever asks too much or guesses is slowed down, by address, and nobody else is.

use std::io::{Read, Write};

use tokio::time::Instant;

use crate::support::crowd::at_once;
use crate::support::http::{Response, parse, read_all};
use crate::support::portcullis::Portcullis;
use crate::support::recorder::{Recorder, answer};
use crate::support::robot::Robot;
use crate::support::who::IAMAPIKEY;

const GUESSER: &str = "127.0.0.9";
const LOGIN: &str = "/oauth/token?service=registry";

/// A server with limits before an upstream that says yes, and a robot with a key.
fn limited(limits: &str) -> (Recorder, Portcullis, Robot) {
    let upstream = Recorder::start(|_| answer("200 OK", &[("Content-Type", "application/json")], "{}"));
    let url = format!("http://{}", upstream.address());
    let at = Portcullis::with(&url, &[], &format!("[limits]\n{limits}\n"));
    let robot = Robot::with_role(&at.administrator(), "robot", "Reader", "team");
    (upstream, at, robot)
}

/// Wrong guesses from an address, under all the names that a guesser may think of; the statuses.
fn guesses(at: &Portcullis, from: &str, times: usize) -> Vec<u16> {
    let names = [IAMAPIKEY, "IAMAPIKEY", " iamapikey", "iambearer", "token", "admin"];
    let guess = |(n, name): (usize, &&str)| {
        let http = at.http().from(from).basic(name, &format!("guess-{n}"));
        let target = if n % 3 == 0 { "/v2/" } else { LOGIN };
        http.get(target).status
    };
    names.iter().cycle().take(times).enumerate().map(guess).collect()
}

fn retry_after(refused: &Response) -> u64 {
    assert_eq!(refused.status, 429, "{}", refused.text());
    refused.header("retry-after").unwrap().parse().unwrap()
}

/// B-08, B-09
#[test]
fn wrong_guesses_slow_down_the_guesser_and_nobody_else() {
    let (_upstream, at, robot) = limited("failed_logins_per_address = 2");
    let token = robot.at(&at).token(&["repository:team/app:pull"]);
    let begun = Instant::now();
    let statuses = guesses(&at, GUESSER, 80);
    assert_eq!(statuses[..2], [401, 401], "{statuses:?}");
    let forgiven = begun.elapsed().as_secs() / 30 + 1;
    let judged = statuses[2..].iter().filter(|status| **status == 401).count();
    assert!(judged as u64 <= forgiven, "one every thirty seconds is forgiven: {statuses:?}");
    let guesser = || at.http().from(GUESSER);
    // A right guess looks like a wrong one now.
    let refused = robot.over(guesser()).get(LOGIN);
    assert!((1..=120).contains(&retry_after(&refused)));
    // Before any of its body is read: it never comes.
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let mut connection = guesser().connect();
    connection.write_all(guesser().head("POST", "/identity/token", &kind, 100).as_bytes()).unwrap();
    retry_after(&parse(&read_all(&mut *connection), "POST").unwrap());
    // What cannot be guessed is not refused, and others are not either.
    assert_eq!(guesser().bearer(&token).get("/v2/").status, 200);
    assert_eq!(guesser().get("/livez").status, 200);
    assert_eq!(robot.at(&at).get(LOGIN).status, 200);
    assert_eq!(robot.over(at.http().from("127.0.0.10")).get(LOGIN).status, 200);
    let limited = at.await_audit("a refused guess", |event| event["decision"] == "limited");
    assert_eq!(limited["initiator"]["host"]["address"], GUESSER);
}

#[test]
fn whoever_was_right_before_is_not_slowed_down_with_the_guesser_next_door() {
    let (_upstream, at, robot) = limited("failed_logins_per_address = 5");
    let neighbour = robot.over(at.http().from(GUESSER));
    assert_eq!(neighbour.get(LOGIN).status, 200);
    assert!(guesses(&at, GUESSER, 30).contains(&429));
    for _ in 0..10 {
        assert_eq!((neighbour.get(LOGIN).status, neighbour.get("/v2/").status), (200, 200));
    }
    let other = Robot::create(&at.administrator(), "other");
    retry_after(&other.over(at.http().from(GUESSER)).get(LOGIN));
}

#[test]
fn an_address_may_ask_so_often_and_others_as_often() {
    let (upstream, at, robot) = limited("requests_per_address = 5");
    let asking = robot.over(at.http().from(GUESSER));
    let answers = at_once(60, |_| asking.get("/v2/team/app/manifests/v1"));
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && answers.iter().filter(|answer| answer.status == 200).count() >= 5);
    assert!(refused.iter().all(|answer| retry_after(answer) >= 1));
    assert_eq!(robot.over(at.http().from("127.0.0.10")).get("/v2/team/app/manifests/v1").status, 200);
    assert!((0..20).all(|_| at.http().from(GUESSER).get("/livez").status == 200), "probes are not counted");
    let heard = upstream.seen().iter().filter(|request| request.contains("/manifests/v1")).count();
    assert_eq!(heard, 1 + answers.len() - refused.len(), "the upstream hears of no refused request");
}

#[test]
fn a_principal_may_ask_so_often_from_wherever_it_asks() {
    // More than the administrator needs to make the two.
    let (upstream, at, robot) = limited("requests_per_principal = 8");
    let other = Robot::with_role(&at.administrator(), "other", "Reader", "team");
    let ask = |who: &Robot, n: usize| {
        let from = ["127.0.0.9", "127.0.0.10", "127.0.0.11"][n % 3];
        who.over(at.http().from(from)).get("/v2/team/app/manifests/v1")
    };
    let answers = at_once(30, |n| ask(&robot, n));
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((8..30).contains(&served), "{served}");
    assert!(answers.iter().all(|answer| answer.status == 200 || retry_after(answer) >= 1));
    assert_eq!(ask(&other, 0).status, 200);
    let heard = upstream.seen().iter().filter(|request| request.contains("/manifests/v1")).count();
    assert_eq!(heard, served + 1, "the upstream hears of no refused call");
    let statuses = at_once(30, |_| robot.at(&at).get("/v1/serviceids").status);
    assert!(statuses.contains(&429), "{statuses:?}");
    let limited = at.await_audit("a refused call", |event| event["decision"] == "limited");
    assert_eq!(limited["initiator"]["id"], robot.iam_id.as_str());
}

#[test]
fn whoever_asks_too_often_reads_that_in_the_words_of_what_was_asked_and_the_record_says_what_it_was() {
    let (_upstream, at, robot) = limited("requests_per_address = 5");
    let refused = |method: &str, target: &str| {
        let guesser = || robot.over(at.http().from(GUESSER));
        let asked = || match method {
            "GET" => guesser().get(target),
            _ => guesser().call(method, target, &serde_json::json!({})),
        };
        let mut answers = at_once(50, |_| asked()).into_iter().filter(|answer| answer.status == 429);
        let answer = answers.next().unwrap_or_else(|| panic!("{method} {target} is never refused"));
        assert!(retry_after(&answer) >= 1);
        let id = answer.header("x-request-id").unwrap().to_owned();
        let event = at.await_audit(target, |event| event["requestId"] == id.as_str());
        assert_eq!(event["decision"], "limited", "{event:#}");
        (answer.json(), event)
    };
    let (said, event) = refused("GET", "/v2/team/app/manifests/v1");
    assert_eq!(said["errors"][0]["code"], "TOOMANYREQUESTS", "{said}");
    assert_eq!(event["operation"], "manifest_read", "{event:#}");
    let (said, event) = refused("POST", "/v1/serviceids");
    assert_eq!(said["errors"][0]["code"], "too_many_requests", "{said}");
    assert!(said["trace"].is_string() && event["operation"] == "control", "{said} {event:#}");
    let (said, _) = refused("GET", "/api/v1/namespaces");
    assert_eq!(said["code"], "CRG0429E", "{said}");
    let (said, event) = refused("POST", "/identity/token");
    assert!(said["errorCode"].is_string() && event["operation"] == "identity_apikey", "{said} {event:#}");
}

/// D-26
#[test]
fn an_address_has_so_many_connections_and_others_as_many() {
    let (_upstream, at, _robot) = limited("max_connections_per_address = 2");
    let open = |from: &str| {
        let http = at.http().from(from);
        let mut connection = http.connect();
        let head = http.head("GET", "/livez", &[], 0).replace("Connection: close\r\n", "");
        // Whoever is refused may be told so while still speaking.
        let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.flush());
        let served = connection.read(&mut [0; 64]).is_ok_and(|count| count > 0);
        (served, connection)
    };
    let held = [open(GUESSER), open(GUESSER)];
    assert!(held.iter().all(|(served, _)| *served));
    assert!(!open(GUESSER).0 && open("127.0.0.10").0);
    assert_eq!(at.metric("portcullis_turned_away_total{reason=\"address_full\"}"), 1.0);
    drop(held);
    crate::support::wait::until("room for one more", crate::support::wait::PATIENCE, || {
        open(GUESSER).0.then_some(())
    });
}
