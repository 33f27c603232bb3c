//! What others report to Security Insights.

use std::sync::Arc;

use serde_json::{Value, json};

use super::samples::{founding, of_user, time};
use crate::findings::alert::sample as alert;
use crate::findings::alert::topic::Topic;
use crate::findings::insight::InsightName;
use crate::findings::insight::note::Note;
use crate::findings::insight::occurrence::Occurrence;
use crate::findings::severity::Severity;
use crate::store::alert::{DeliveryState, Raised};
use crate::store::insight::{Insight, Named, Of, Put};
use crate::store::{Store, StoreError};

fn named(provider: &str, id: &str) -> Named {
    let name = |text| InsightName::parse(text).unwrap();
    Named { provider: name(provider), id: name(id) }
}

fn insight<D: serde::de::DeserializeOwned>(provider: &str, document: Value) -> Insight<D> {
    let id = document["id"].as_str().unwrap().to_owned();
    Insight {
        name: named(provider, &id),
        document: serde_json::from_value(document).unwrap(),
        created_by: of_user(&founding().administrator),
        created_at: time(1),
        modified_at: time(1),
    }
}

fn note(provider: &str, id: &str) -> Insight<Note> {
    let by = json!({"id": "us", "title": "us"});
    let document = json!({
        "kind": "FINDING", "id": id, "short_description": "s", "long_description": "l", "reported_by": by,
        "finding": {"severity": "HIGH"},
    });
    insight(provider, document)
}

fn occurrence(provider: &str, id: &str) -> Insight<Occurrence> {
    insight(
        provider,
        json!({"kind": "FINDING", "id": id, "note_name": "1/providers/a/notes/n", "finding": {}}),
    )
}

fn is_conflict<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict(_)))
}

fn is_missing<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound))
}

pub(crate) async fn occurrences_end_with_their_note_and_are_listed_by_either_provider(store: Arc<dyn Store>) {
    let (one, other) = (note("a", "n"), note("a", "other"));
    for row in [&one, &other] {
        store.put_insight_note(row, Put::Fresh, 9).await.unwrap();
    }
    let rows = [occurrence("a", "1"), occurrence("a", "2"), occurrence("b", "1")];
    for row in &rows {
        store.put_insight_occurrence((row, &one.name), Put::Fresh, 9, None).await.unwrap();
    }
    let kept = occurrence("a", "3");
    store.put_insight_occurrence((&kept, &other.name), Put::Fresh, 9, None).await.unwrap();
    assert_eq!(store.insight_note(&one.name).await.unwrap().as_ref(), Some(&one));
    let listed = store.insight_occurrences(&Of::Note(one.name.clone()), None, 9).await.unwrap();
    assert_eq!(listed, rows, "of a note, whoever reports it");
    let of_a = Of::Provider(one.name.provider.clone());
    let page = store.insight_occurrences(&of_a, Some(&rows[0].name), 1).await.unwrap();
    assert_eq!(page, rows[1..2]);
    assert_eq!(store.insight_notes(&one.name.provider, Some(&one.name.id), 9).await.unwrap(), [other]);
    assert_eq!(store.insight_providers().await.unwrap().len(), 2);
    store.delete_insight_note(&one.name).await.unwrap();
    assert!(is_missing(&store.delete_insight_note(&one.name).await));
    assert_eq!(store.insight_occurrence(&rows[2].name).await.unwrap(), None, "they end with it");
    assert_eq!(store.insight_occurrences(&of_a, None, 9).await.unwrap(), std::slice::from_ref(&kept));
    store.delete_insight_occurrence(&kept.name).await.unwrap();
    assert!(is_missing(&store.delete_insight_occurrence(&kept.name).await));
}

pub(crate) async fn what_is_reported_is_written_as_asked_and_no_more_than_so_often(store: Arc<dyn Store>) {
    let row = note("a", "n");
    assert!(is_missing(&store.put_insight_note(&row, Put::Over, 2).await));
    store.put_insight_note(&row, Put::Fresh, 2).await.unwrap();
    assert!(is_conflict(&store.put_insight_note(&row, Put::Fresh, 2).await));
    let later = Insight { created_at: time(5), modified_at: time(5), ..row.clone() };
    store.put_insight_note(&later, Put::Over, 2).await.unwrap();
    let stored = store.insight_note(&row.name).await.unwrap().unwrap();
    assert_eq!((stored.created_at, stored.modified_at), (time(1), time(5)), "when it was made first stays");
    store.put_insight_note(&note("b", "n"), Put::Either, 2).await.unwrap();
    assert!(is_conflict(&store.put_insight_note(&note("c", "n"), Put::Fresh, 2).await));
    store.put_insight_note(&row, Put::Either, 2).await.unwrap();
    let first = occurrence("a", "1");
    store.put_insight_occurrence((&first, &row.name), Put::Either, 1, None).await.unwrap();
    store.put_insight_occurrence((&first, &row.name), Put::Either, 1, None).await.unwrap();
    let second = occurrence("a", "2");
    assert!(is_conflict(&store.put_insight_occurrence((&second, &row.name), Put::Fresh, 1, None).await));
    assert!(is_missing(
        &store.put_insight_occurrence((&second, &named("a", "none")), Put::Fresh, 9, None).await
    ));
    assert_eq!(store.insight_occurrence(&second.name).await.unwrap(), None);
}

pub(crate) async fn an_occurrence_and_what_is_told_of_it_are_kept_together(store: Arc<dyn Store>) {
    let channel = super::alerts::channel(1);
    store.insert_channel(&channel, 9).await.unwrap();
    let row = note("a", "n");
    store.put_insight_note(&row, Put::Fresh, 9).await.unwrap();
    let raised = |cause: &str| Raised {
        cause: cause.to_owned(),
        alert: alert(Topic::CustomFinding, Severity::High),
        channels: vec![channel.id.clone()],
    };
    let (first, second) = (occurrence("a", "1"), occurrence("a", "2"));
    store.put_insight_occurrence((&first, &row.name), Put::Fresh, 1, Some(&raised("1"))).await.unwrap();
    let refused = store.put_insight_occurrence((&second, &row.name), Put::Fresh, 1, Some(&raised("2"))).await;
    assert!(is_conflict(&refused), "{refused:?}");
    let deliveries = store.deliveries(None, 9).await.unwrap();
    assert_eq!(deliveries.len(), 1, "what was refused is told to nobody");
    assert_eq!(deliveries[0].state, DeliveryState::Pending);
}
