//! Federation against an issuer whose documents, moods and clock the test decides.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::shelf::{FRESH, ISSUERS_MAX, REST, RETRY, USABLE};
use super::{AGE_MAX, Audience, Federation, Library, Rejected, SKEW, Unread};
use crate::clock::{Clock, ManualClock, UnixTime};
use crate::credential::foreign::Flaw;
use crate::credential::foreign::claims::Claims;
use crate::credential::foreign::sample::{Signer, jwks};
use crate::ids::issuer::{DocumentUrl, Issuer};

const NOW: i64 = 1_800_000_000;

/// The library of a world in which every issuer publishes the same keys.
#[derive(Debug)]
struct World {
    keys: Mutex<Value>,
    discovery: Mutex<Option<Value>>,
    down: Mutex<bool>,
    read: AtomicUsize,
    gate: Semaphore,
}

#[async_trait]
impl Library for World {
    async fn read(&self, issuer: &Issuer, url: &DocumentUrl) -> Result<Vec<u8>, Unread> {
        self.read.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.acquire().await;
        if *self.down.lock().unwrap() {
            return Err(Unread("down".to_owned()));
        }
        let usual = json!({"issuer": issuer.as_str(), "jwks_uri": format!("{issuer}/keys")});
        let document = if url.target().ends_with("/.well-known/openid-configuration") {
            self.discovery.lock().unwrap().clone().unwrap_or(usual)
        } else {
            assert_eq!(url.to_string(), format!("{issuer}/keys"));
            self.keys.lock().unwrap().clone()
        };
        Ok(document.to_string().into_bytes())
    }
}

struct Scene {
    world: Arc<World>,
    clock: Arc<ManualClock>,
    federation: Arc<Federation>,
    signer: Signer,
}

fn issuer() -> Issuer {
    Issuer::parse("https://issuer.test/org").unwrap()
}

fn claims() -> Value {
    json!({"iss": "https://issuer.test/org", "sub": "repo:a/b", "aud": ["us"], "iat": NOW, "exp": NOW + 600})
}

impl Scene {
    fn new() -> Self {
        let signer = Signer::p256("one");
        let world = Arc::new(World {
            keys: Mutex::new(jwks(&[&signer])),
            discovery: Mutex::default(),
            down: Mutex::default(),
            read: AtomicUsize::default(),
            gate: Semaphore::new(1000),
        });
        let clock = Arc::new(ManualClock::at(UnixTime::from_seconds(NOW)));
        let federation = Arc::new(Federation::new(
            Arc::clone(&world) as Arc<dyn Library>,
            Arc::clone(&clock) as Arc<dyn Clock>,
        ));
        Self { world, clock, federation, signer }
    }

    async fn verify(&self, token: &str) -> Result<Claims, Rejected> {
        let known = ["them".to_owned(), "us".to_owned()];
        self.federation.verify(&issuer(), Audience::OneOf(&known), token).await
    }

    async fn with(&self, name: &str, value: Value) -> Result<Claims, Rejected> {
        let mut claims = claims();
        claims[name] = value;
        self.verify(&self.signer.token(&claims)).await
    }

    /// How often the issuer was asked: twice each time that it answers.
    fn read(&self) -> usize {
        self.world.read.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_for_us_and_for_now_is_believed() {
    let scene = Scene::new();
    let believed = scene.verify(&scene.signer.token(&claims())).await.unwrap();
    assert_eq!(believed.subject(), "repo:a/b");
    assert_eq!(scene.read(), 2);
    // With a slash it is the same issuer; one that only looks like it is another.
    assert!(scene.with("iss", json!("https://issuer.test/org/")).await.is_ok());
    for other in
        ["https://issuer.test", "https://issuer.test/org2", "http://issuer.test/org", "issuer.test/org"]
    {
        assert_eq!(scene.with("iss", json!(other)).await.unwrap_err(), Rejected::Issuer, "{other}");
    }
    for other in [json!("you"), json!(["you"]), json!("US"), json!("us ")] {
        assert_eq!(scene.with("aud", other.clone()).await.unwrap_err(), Rejected::Audience, "{other}");
    }
    let token = scene.signer.token(
        &json!({"iss": "https://issuer.test/org", "sub": "x", "aud": "you", "iat": NOW, "exp": NOW + 1}),
    );
    assert!(scene.federation.verify(&issuer(), Audience::Unchecked, &token).await.is_ok());
    assert_eq!(scene.read(), 2, "the keys are kept");
}

#[tokio::test(start_paused = true)]
async fn time_is_checked_at_both_ends_with_a_minute_of_grace() {
    let scene = Scene::new();
    let minute = i64::try_from(SKEW.as_secs()).unwrap();
    assert!(scene.with("exp", json!(NOW - minute + 1)).await.is_ok());
    let at = UnixTime::from_seconds(NOW - minute);
    assert_eq!(scene.with("exp", json!(NOW - minute)).await.unwrap_err(), Rejected::Expired { at });
    for name in ["nbf", "iat"] {
        assert!(scene.with(name, json!(NOW + minute)).await.is_ok(), "{name}");
        assert_eq!(scene.with(name, json!(NOW + minute + 1)).await.unwrap_err(), Rejected::Early, "{name}");
    }
    let day = i64::try_from(AGE_MAX.as_secs()).unwrap();
    assert!(scene.with("iat", json!(NOW - day)).await.is_ok());
    assert_eq!(scene.with("iat", json!(NOW - day - minute - 1)).await.unwrap_err(), Rejected::Old);
    let token = scene.signer.token(&claims());
    scene.clock.advance(Duration::from_secs(660));
    assert!(matches!(scene.verify(&token).await, Err(Rejected::Expired { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_forged_token_tells_nothing_of_what_is_in_it() {
    let scene = Scene::new();
    let forger = Signer::p256("one");
    for (name, value) in
        [("exp", json!(1)), ("aud", json!("you")), ("nbf", json!(NOW + 9999)), ("sub", json!("x"))]
    {
        let mut claims = claims();
        claims[name] = value;
        assert_eq!(
            scene.verify(&forger.token(&claims)).await.unwrap_err(),
            Rejected::Flawed(Flaw::Signature)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_asks_the_issuer_once_in_a_while() {
    let scene = Scene::new();
    scene.verify(&scene.signer.token(&claims())).await.unwrap();
    for number in 0..200 {
        let stranger = Signer::ed25519(&format!("k{number}"));
        let refused = scene.verify(&stranger.token(&claims())).await;
        assert_eq!(refused.unwrap_err(), Rejected::Flawed(Flaw::UnknownKey));
    }
    assert_eq!(scene.read(), 2, "it was asked just now");
    tokio::time::advance(REST).await;
    for number in 0..200 {
        let stranger = Signer::ed25519(&format!("k{number}"));
        scene.verify(&stranger.token(&claims())).await.unwrap_err();
    }
    assert_eq!(scene.read(), 4, "once more, after its rest");
    assert!(scene.verify(&scene.signer.token(&claims())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_at_once_are_answered_by_one_question() {
    let scene = Scene::new();
    let closed = scene.world.gate.acquire_many(1000).await.unwrap();
    let token = scene.signer.token(&claims());
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (federation, token) = (Arc::clone(&scene.federation), token.clone());
        asking.spawn(async move { federation.verify(&issuer(), Audience::Unchecked, &token).await });
    }
    tokio::task::yield_now().await;
    drop(closed);
    while let Some(answered) = asking.join_next().await {
        answered.unwrap().unwrap();
    }
    assert_eq!(scene.read(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_learnt_and_the_old_one_forgotten() {
    let scene = Scene::new();
    let old = scene.signer.token(&claims());
    scene.verify(&old).await.unwrap();
    let next = Signer::rsa("two");
    *scene.world.keys.lock().unwrap() = jwks(&[&next]);
    tokio::time::advance(REST).await;
    assert!(scene.verify(&old).await.is_ok(), "nothing says yet that it is gone");
    assert!(scene.verify(&next.token(&claims())).await.is_ok());
    assert_eq!(scene.verify(&old).await.unwrap_err(), Rejected::Flawed(Flaw::UnknownKey));
    // Without a token of the new key, it is gone when the keys are no longer fresh.
    let scene = Scene::new();
    let old = scene.signer.token(&claims());
    scene.verify(&old).await.unwrap();
    *scene.world.keys.lock().unwrap() = jwks(&[&next]);
    tokio::time::advance(FRESH).await;
    assert_eq!(scene.verify(&old).await.unwrap_err(), Rejected::Flawed(Flaw::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_is_believed_for_some_hours_and_no_longer() {
    let scene = Scene::new();
    let token = scene.signer.token(&claims());
    scene.verify(&token).await.unwrap();
    *scene.world.down.lock().unwrap() = true;
    tokio::time::advance(FRESH).await;
    for _ in 0..50 {
        assert!(scene.verify(&token).await.is_ok());
    }
    assert_eq!(scene.read(), 3, "it was asked once, and is left alone");
    tokio::time::advance(USABLE - FRESH).await;
    assert_eq!(scene.verify(&token).await.unwrap_err(), Rejected::Unreachable("down".to_owned()));
    *scene.world.down.lock().unwrap() = false;
    assert!(scene.verify(&token).await.is_err(), "not before it was left alone for a moment");
    tokio::time::advance(RETRY).await;
    assert!(scene.verify(&token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_document_that_speaks_for_another_issuer_or_points_astray_is_refused() {
    let wrong = [
        json!({"issuer": "https://other.test", "jwks_uri": "https://issuer.test/org/keys"}),
        json!({"issuer": "https://issuer.test", "jwks_uri": "https://issuer.test/org/keys"}),
        json!({"jwks_uri": "https://issuer.test/org/keys"}),
        json!({"issuer": "https://issuer.test/org"}),
        json!({"issuer": "https://issuer.test/org", "jwks_uri": "http://issuer.test/org/keys"}),
        json!({"issuer": "https://issuer.test/org", "jwks_uri": "file:///etc/passwd"}),
        json!([]),
    ];
    for document in wrong {
        let scene = Scene::new();
        *scene.world.discovery.lock().unwrap() = Some(document.clone());
        let refused = scene.verify(&scene.signer.token(&claims())).await.unwrap_err();
        assert!(matches!(refused, Rejected::Unreachable(_)), "{document}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_so_many_issuers_are_remembered() {
    let scene = Scene::new();
    let token = scene.signer.token(&claims());
    scene.verify(&token).await.unwrap();
    for number in 0..ISSUERS_MAX {
        tokio::time::advance(Duration::from_millis(1)).await;
        let other = Issuer::parse(&format!("https://issuer{number}.test")).unwrap();
        let mut claims = claims();
        claims["iss"] = json!(other.as_str());
        let token = scene.signer.token(&claims);
        scene.federation.verify(&other, Audience::Unchecked, &token).await.unwrap();
    }
    let before = scene.read();
    scene.verify(&token).await.unwrap();
    assert_eq!(scene.read(), before + 2, "the one used longest ago was forgotten");
}
