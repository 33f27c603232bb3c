//! Case 17: how long an answer takes does not tell a guesser how close the guess was (B-06).

use std::time::Duration;

use tokio::time::Instant;

use super::people::{Person, basic, root};
use super::scene::Scene;
use super::wire::Wire;
use crate::support::recorder::Recorder;
use crate::support::who::{Stranger, Who};

/// What every rejection takes at least, whatever is wrong.
const AT_LEAST: Duration = Duration::from_millis(50);

/// None waits twice, or for anything else that takes as long again.
const AT_MOST: Duration = Duration::from_millis(100);

const ROUNDS: usize = 10;

/// Header lines with credentials that are no good, each for a reason of its own.
fn bad_credentials(scene: &Scene<Recorder>) -> Vec<(&'static str, String)> {
    let (disabled, deleted) = (Person::new(&scene.at, "disabled"), Person::new(&scene.at, "deleted"));
    let admin = root(&scene.at);
    let disable = format!("/v1/apikeys/{}/disable", disabled.key_id);
    assert_eq!(admin.send("POST", &disable, &[], b"").status, 204);
    assert_eq!(admin.send("DELETE", &format!("/v1/apikeys/{}", deleted.key_id), &[], b"").status, 204);
    let good = scene.alice.key().unwrap();
    let mut almost = good.to_owned();
    let last = if almost.pop() == Some('A') { 'B' } else { 'A' };
    almost.push(last);
    let pair = data_encoding::BASE64.encode(format!("iamapykey:{good}").as_bytes());
    vec![
        ("an unknown user", format!("Authorization: Basic {pair}\r\n")),
        ("an unknown key", basic(Stranger.key().unwrap())),
        ("an almost right key", basic(&almost)),
        ("a disabled key", disabled.basic()),
        ("a deleted key", deleted.basic()),
        ("no key at all", basic("x")),
    ]
}

/// B-06: unknown user, unknown, wrong, disabled and deleted key, in turns, wherever they can be shown
#[test]
fn every_bad_key_takes_the_same_time() {
    let mut scene = Scene::recorded();
    // So many wrong guesses from one address would be turned away before anyone looks at them.
    scene.reconfigure("[[registry]]", "[limits]\nfailed_logins_per_address = 0\n\n[[registry]]");
    let bad = bad_credentials(&scene);
    let heads: Vec<(&str, Vec<String>)> = ["/oauth/token?service=registry", "/v2/", "/v1/apikeys"]
        .map(|place| (place, bad.iter().map(|(_, lines)| scene.head("GET", place, lines)).collect()))
        .into();
    let at = &scene.at;
    std::thread::scope(|scope| {
        for (place, heads) in &heads {
            let bad = &bad;
            scope.spawn(move || {
                let mut taken = vec![Vec::new(); heads.len()];
                for _ in 0..ROUNDS {
                    for (head, taken) in heads.iter().zip(&mut taken) {
                        let mut wire = Wire::open(at);
                        let begun = Instant::now();
                        assert_eq!(wire.ask(head).status, 401);
                        taken.push(begun.elapsed());
                    }
                }
                // The quickest of many: what else the machine does only ever adds to it.
                for ((case, _), taken) in bad.iter().zip(taken) {
                    let quickest = taken.into_iter().min().unwrap();
                    assert!((AT_LEAST..AT_MOST).contains(&quickest), "{place}: {case}: {quickest:?}");
                }
            });
        }
    });
}
