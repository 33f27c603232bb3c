//! What others report to Security Insights: who may, what is refused, what goes with what, and who is told.

use http::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, Ask, House, delete, get, post, put};

const SCANNER: &str = "/findings/v1/123456789012/providers/scanner";

pub(super) fn note() -> Value {
    json!({
        "kind": "FINDING", "id": "old-base", "short_description": "An old base image", "long_description": "It is old.",
        "reported_by": {"id": "us", "title": "Our scanner"}, "finding": {"severity": "HIGH"},
    })
}

pub(super) fn occurrence() -> Value {
    json!({
        "kind": "FINDING", "id": "one", "note_name": format!("{ACCOUNT}/providers/scanner/notes/old-base"),
        "finding": {"certainty": "HIGH"}, "context": {"resource_name": "birds/owl"},
    })
}

fn named(id: &str) -> Value {
    let mut one = occurrence();
    one["id"] = json!(id);
    one
}

async fn noted(house: &House) {
    house.ask(post(&format!("{SCANNER}/notes"), note())).await.expect(200);
}

fn replace(path: &str, body: &Value) -> Ask {
    Ask::new(Method::PUT, path).raw(&body.to_string())
}

#[tokio::test]
async fn a_note_is_made_read_replaced_and_deleted_with_its_occurrences() {
    let house = House::open().await;
    let (notes, occurrences) = (format!("{SCANNER}/notes"), format!("{SCANNER}/occurrences"));
    let made = house.ask(post(&notes, note())).await.expect(200);
    assert_eq!(
        (&made["name"], &made["provider_id"]),
        (&json!(format!("{ACCOUNT}/providers/scanner/notes/old-base")), &json!("scanner"))
    );
    house.ask(post(&notes, note())).await.expect(409);
    house.ask(post(&occurrences, occurrence())).await.expect(200);
    house.ask(post(&occurrences, occurrence())).await.expect(409);
    let again = post(&occurrences, occurrence()).header("replace-if-exists", "true");
    assert_eq!(house.ask(again).await.expect(200)["context"]["resource_name"], "birds/owl");
    let path = format!("{notes}/old-base");
    let mut renamed = note();
    renamed["short_description"] = json!("A very old base image");
    assert_eq!(house.ask(replace(&path, &renamed)).await.expect(200)["kind"], "FINDING");
    assert_eq!(house.ask(get(&path)).await.expect(200)["short_description"], "A very old base image");
    let of = house.ask(get(&format!("{occurrences}/one/note"))).await.expect(200);
    assert_eq!(of["id"], "old-base");
    let mut kpi = json!({"kpi": {"aggregation_type": "SUM"}, "kind": "KPI"});
    for (name, value) in note().as_object().unwrap().iter().filter(|(name, _)| *name != "finding") {
        kpi.as_object_mut().unwrap().entry(name.clone()).or_insert(value.clone());
    }
    house.ask(replace(&path, &kpi)).await.expect(409);
    let providers = house.ask(get("/findings/v1/123456789012/providers?skip=0")).await.expect(200);
    assert_eq!((&providers["total_count"], &providers["providers"][0]["id"]), (&json!(2), &json!("scanner")));
    house.ask(delete(&path)).await.expect(200);
    house.ask(get(&format!("{occurrences}/one"))).await.expect(404);
    house.ask(get(&path)).await.expect(404);
    house.ask(delete(&path)).await.expect(404);
    assert_eq!(house.ask(get(&occurrences)).await.expect(200)["occurrences"], json!([]));
}

#[tokio::test]
async fn what_is_reported_is_only_what_it_may_say_under_a_name_that_is_not_ours() {
    let house = House::open().await;
    noted(&house).await;
    let occurrences = format!("{SCANNER}/occurrences");
    let with = |member: &str, value: Value| {
        let mut one = occurrence();
        one[member] = value;
        one
    };
    for (wrong, status) in [
        (with("note_name", json!(format!("{ACCOUNT}/providers/scanner/notes/none"))), 404),
        (with("note_name", json!("210987654321/providers/scanner/notes/old-base")), 400),
        (with("kind", json!("KPI")), 400),
        (with("severity", json!("LOW")), 400),
        (with("reference_data", json!({"x": "y".repeat(9000)})), 400),
        (with("id", json!("a/b")), 400),
    ] {
        house.ask(post(&occurrences, wrong)).await.expect(status);
    }
    house.ask(replace(&format!("{occurrences}/one"), &occurrence())).await.expect(404);
    house.ask(post(&occurrences, occurrence())).await.expect(200);
    house.ask(replace(&format!("{occurrences}/one"), &named("two"))).await.expect(400);
    for own in ["security-advisor", "VA", "va", "ALL", "ATA", "compliance"] {
        let of = |what: &str| format!("/findings/v1/{ACCOUNT}/providers/{own}/{what}");
        house.ask(post(&of("notes"), note())).await.expect(409);
        house.ask(post(&of("occurrences"), occurrence())).await.expect(409);
        house.ask(delete(&of("notes/va-image_with_vulnerabilities"))).await.expect(409);
    }
    let other = SCANNER.replace(ACCOUNT, "210987654321");
    house.ask(post(&format!("{other}/notes"), note())).await.expect(400);
}

#[tokio::test]
async fn lists_are_paged_and_whoever_may_not_read_learns_nothing() {
    let house = House::open().await;
    noted(&house).await;
    let occurrences = format!("{SCANNER}/occurrences");
    for id in ["a", "b", "c"] {
        house.ask(post(&occurrences, named(id))).await.expect(200);
    }
    for list in [occurrences.clone(), format!("{SCANNER}/notes/old-base/occurrences")] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = house.ask(get(&format!("{list}?page_size=2{token}"))).await.expect(200);
            let rows = page["occurrences"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_page_token"].as_str() else { break };
            token = format!("&page_token={}", next.replace('/', "%2F"));
        }
        assert_eq!(seen, ["a", "b", "c"]);
        house.ask(get(&format!("{list}?page_token=x"))).await.expect(400);
        house.ask(get(&format!("{list}?page_size=0"))).await.expect(400);
    }
    // A Reader of one namespace reads nothing of it, and a Reader of everything writes nothing.
    let stranger = house.stranger.clone();
    let one = [("serviceName", "container-registry"), ("resourceType", "namespace"), ("resource", "birds")];
    house.grant(&stranger, super::role("serviceRole", "Manager"), &one).await;
    let empty = house.send(Some(&stranger), get(&occurrences)).await.expect(200);
    assert_eq!(empty["occurrences"], json!([]));
    house.send(Some(&stranger), get(&format!("{occurrences}/a"))).await.expect(403);
    house.send(Some(&stranger), post(&occurrences, named("d"))).await.expect(403);
    let providers = house.send(Some(&stranger), get("/findings/v1/123456789012/providers")).await.expect(200);
    assert_eq!(providers["total_count"], 1);
    house
        .grant(&stranger, super::role("serviceRole", "Reader"), &[("serviceName", "container-registry")])
        .await;
    house.send(Some(&stranger), get(&format!("{occurrences}/a"))).await.expect(200);
    house.send(Some(&stranger), delete(&format!("{occurrences}/a"))).await.expect(403);
}

#[tokio::test]
async fn what_is_new_or_worse_is_told_to_those_who_want_it() {
    let house = House::open().await;
    noted(&house).await;
    let channel = |name: &str, provider: &str| {
        json!({
            "name": name, "type": "Webhook", "endpoint": "https://alerts.example.com/ok", "enabled": true,
            "alert_source": [{"provider_name": provider, "finding_types": ["old-base"]}],
        })
    };
    let channels = format!("/notifications/v1/{ACCOUNT}/notifications/channels");
    let wants =
        house.ask(post(&channels, channel("wants", "scanner"))).await.expect(200)["channel_id"].clone();
    house.ask(post(&channels, channel("other", "other-scanner"))).await.expect(200);
    house.ask(post(&channels, channel("own", "security-advisor"))).await.expect(400);
    let occurrences = format!("{SCANNER}/occurrences");
    let told = async || {
        let all = house.ask(get("/api/native/compliance/deliveries")).await.expect(200);
        let rows = all["deliveries"].as_array().unwrap().clone();
        assert!(rows.iter().all(|row| row["channel_id"] == wants), "{rows:?}");
        rows.iter().map(|row| row["severity"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    house.ask(post(&occurrences, occurrence())).await.expect(200);
    assert_eq!(told().await, ["HIGH"]);
    // Said again, it is no news; said to be worse, it is.
    let path = format!("{occurrences}/one");
    house.ask(replace(&path, &occurrence())).await.expect(200);
    assert_eq!(told().await, ["HIGH"]);
    let mut worse = occurrence();
    worse["finding"]["severity"] = json!("CRITICAL");
    house.ask(put(&path, "*", worse)).await.expect(200);
    assert_eq!(told().await, ["CRITICAL", "HIGH"]);
    let mut low = named("two");
    low["finding"]["severity"] = json!("LOW");
    house.ask(post(&occurrences, low)).await.expect(200);
    assert_eq!(told().await.len(), 2, "the channel is not for what is low");
}
