//! Case 10: a request is its own caller's, whatever came before or beside it (H-29, S-35, C-16, B-11, C-01).

use super::people::{Person, basic, bearer};
use super::scene::Scene;
use super::second::Second;
use super::wire::{Answer, Wire};
use crate::support::recorder::{Recorder, answer};
use crate::support::who::Who;

/// An upstream that answers with the path that it was asked for.
fn echo(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    answer("200 OK", &[("Content-Type", "application/json")], &format!("\"{path}\""))
}

/// One of many requests: its target, who asks, what must come back.
struct Turn<'a> {
    target: String,
    credentials: String,
    who: Option<&'a Person>,
    status: u16,
}

/// Many requests of everyone's, mixed: keys, tokens, nobody, and a key that is almost one.
fn turns(scene: &Scene<Recorder>, count: usize) -> Vec<Turn<'_>> {
    let token = bearer(&scene.alice.token(&scene.at, &["repository:tenant-a/app:pull"]));
    let almost = basic(&format!("{}x", scene.alice.key().unwrap()));
    let everyone = [
        (scene.alice.basic(), Some(&scene.alice), [200, 403]),
        (String::new(), None, [401, 401]),
        (scene.bob.basic(), Some(&scene.bob), [403, 200]),
        (token, Some(&scene.alice), [200, 401]),
        (scene.eve.basic(), Some(&scene.eve), [403, 403]),
        (almost, None, [401, 401]),
    ];
    let turn = |at: usize| {
        let (credentials, who, statuses) = &everyone[at % everyone.len()];
        // Each of them asks for both tenants' content, and no two requests are for the same thing.
        let tenant = (at / everyone.len()) % 2;
        let name = ["tenant-a/app", "tenant-b/secret"][tenant];
        // alice's token is for her own repository: another's is beyond its scope and beyond her rights.
        let status = if statuses[tenant] == 401 && at % 6 == 3 { 403 } else { statuses[tenant] };
        Turn {
            target: format!("/v2/{name}/manifests/t{at}"),
            credentials: credentials.clone(),
            who: *who,
            status,
        }
    };
    (0..count).map(turn).collect()
}

fn check(scene: &Scene<Recorder>, turns: &[Turn<'_>], answers: &[Answer]) {
    assert_eq!(turns.len(), answers.len());
    for (turn, answer) in turns.iter().zip(answers) {
        assert_eq!(answer.status, turn.status, "{}: {}", turn.target, answer.text());
        assert_eq!(
            answer.text().contains(&turn.target),
            turn.status == 200,
            "{}: {}",
            turn.target,
            answer.text()
        );
        let record = scene.audited(answer.request_id());
        assert_eq!(record["initiator"]["id"].as_str(), turn.who.map(|who| who.iam_id.as_str()), "{record}");
        assert!(
            record["target"]["name"].as_str().unwrap().ends_with(turn.target.rsplit('/').next().unwrap()),
            "{record}"
        );
    }
    let mut heard: Vec<String> =
        scene.heard().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect();
    let mut allowed: Vec<String> =
        turns.iter().filter(|turn| turn.status == 200).map(|turn| turn.target.clone()).collect();
    heard.sort();
    allowed.sort();
    assert_eq!(heard, allowed, "exactly what was allowed was asked for, once");
}

/// S-35: a hundred requests in one write
#[test]
fn pipelined_requests_are_answered_in_order_each_to_its_own_caller() {
    let scene = Scene::scripted(echo, "");
    let turns = turns(&scene, 100);
    let all: String = turns.iter().map(|turn| scene.head("GET", &turn.target, &turn.credentials)).collect();
    let mut wire = Wire::open(&scene.at);
    wire.send(all);
    let answers: Vec<Answer> = turns.iter().map_while(|_| wire.answer("GET")).collect();
    check(&scene, &turns, &answers);
}

/// H-29: one after the other on connections that stay open
#[test]
fn a_connection_remembers_nobody() {
    let scene = Scene::scripted(echo, "");
    let turns = turns(&scene, 60);
    let mut wires = [Wire::open(&scene.at), Wire::open(&scene.at), Wire::open(&scene.at)];
    let ask = |(at, turn): (usize, &Turn<'_>)| {
        wires[at % 3].ask(scene.head("GET", &turn.target, &turn.credentials))
    };
    let answers: Vec<Answer> = turns.iter().enumerate().map(ask).collect();
    check(&scene, &turns, &answers);
}

/// H-29, C-16: a hundred streams at once, on one connection, to one upstream
#[test]
fn concurrent_streams_keep_their_callers_apart() {
    let scene = Scene::scripted(echo, "");
    let turns = turns(&scene, 100);
    let mut second = Second::open(&scene.at);
    let requests = turns.iter().map(|turn| second.request("GET", &turn.target, &turn.credentials)).collect();
    let answers: Vec<Answer> = second.ask_all(requests).into_iter().map(Option::unwrap).collect();
    check(&scene, &turns, &answers);
}

/// B-11: what is asked of the store once for many is asked for one key only
#[test]
fn keys_that_are_alike_are_not_the_same() {
    let scene = Scene::scripted(echo, "");
    let key = scene.alice.key().unwrap().to_owned();
    let (first, rest) = key.split_at(1);
    let (start, _) = key.split_at(key.len() - 1);
    let pair = |user: &str, password: &str| {
        format!(
            "Authorization: Basic {}\r\n",
            data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes())
        )
    };
    let alike = [
        pair("iamapikey", rest),
        pair("iamapikey", start),
        pair(&format!("iamapikey{}", first), rest),
        pair("iamapike", &format!("y{key}")),
        pair("iamapikey", &format!(":{key}")),
        pair("iamapikey", &key.to_uppercase()),
    ];
    let mut second = Second::open(&scene.at);
    let mut requests = Vec::new();
    for _ in 0..10 {
        requests.push(second.request("GET", "/v2/tenant-a/app/manifests/v1", &scene.alice.basic()));
        requests
            .extend(alike.iter().map(|line| second.request("GET", "/v2/tenant-a/app/manifests/v1", line)));
    }
    let statuses: Vec<u16> =
        second.ask_all(requests).into_iter().map(|answer| answer.unwrap().status).collect();
    let expected: Vec<u16> = (0..70).map(|at| if at % 7 == 0 { 200 } else { 401 }).collect();
    assert_eq!(statuses, expected);
}
