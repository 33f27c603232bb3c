//! What restricts from where requests may come.

use std::sync::Arc;

use serde_json::json;

use super::samples::{ALL, account_id, api_key, founding, of_service_id, of_user, service_id, time, user};
use super::touched;
use crate::clock::SequenceEntropy;
use crate::credential::settings::{IdentitySettings, Seconds};
use crate::ids::cbr::{RuleId, ZoneId};
use crate::network::allow_list::{AllowList, Naming};
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::identity::Stamp;
use crate::store::network::{AccountSettings, ListHolder, RuleRecord, ZoneRecord};
use crate::store::{Store, StoreError};

fn list(text: &str) -> Option<AllowList> {
    AllowList::parse(text, Naming::Zones).unwrap()
}

fn zone(n: u64, name: &str) -> ZoneRecord {
    let addresses = json!([{"type": "subnet", "value": "10.0.0.0/8"}]);
    ZoneRecord {
        id: ZoneId::fresh(&SequenceEntropy::seeded(n)),
        document: serde_json::from_value(json!({"name": name, "addresses": addresses})).unwrap(),
        created_by: of_user(&user(0)),
        modified_by: of_user(&user(0)),
        stamp: Stamp::new(time(n)),
    }
}

fn rule(n: u64) -> RuleRecord {
    let service = json!([{"name": "serviceName", "value": "container-registry"}]);
    let document = json!({"description": "'d'", "contexts": [], "resources": [{"attributes": service}]});
    RuleRecord {
        id: RuleId::fresh(&SequenceEntropy::seeded(n)),
        document: serde_json::from_value(document).unwrap(),
        created_by: of_user(&user(0)),
        modified_by: of_user(&user(0)),
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) async fn account_settings_are_changed_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    assert!(store.network().await.unwrap().settings.is_none());
    store.found(&founding()).await.unwrap();
    let first = store.network().await.unwrap().settings.unwrap();
    assert_eq!(
        first,
        AccountSettings {
            account: account_id(),
            allow_list: None,
            private_only: false,
            identity: IdentitySettings::default(),
            stamp: Stamp::new(time(0))
        }
    );
    let mut feed = store.latest().await.unwrap();
    let mut next = first.clone();
    (next.allow_list, next.private_only) = (list("192.0.2.1 - 192.0.2.9, office"), true);
    next.identity.session_expiration_in_seconds = Seconds(Some(900));
    next.stamp = Stamp { modified_at: time(9), version: 2, ..first.stamp };
    store.update_account_settings(&next).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Account]);
    let facts = store.network().await.unwrap();
    assert_eq!((facts.settings, facts.as_of), (Some(next.clone()), feed));
    assert!(matches!(store.update_account_settings(&next).await, Err(StoreError::Stale)));
    assert!(touched(&*store, &mut feed).await.is_empty());
}

pub(crate) async fn lists_of_principals_and_keys_come_with_their_facts(store: Arc<dyn Store>) {
    let (ada, robot) = (user(1), service_id(2));
    store.insert_user(&ada).await.unwrap();
    store.insert_service_id(&robot).await.unwrap();
    let (ada, robot) = (of_user(&ada), of_service_id(&robot));
    let key = api_key(3, &robot);
    store.insert_api_key(&key).await.unwrap();
    store.insert_api_key(&api_key(4, &robot)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    let (of_key, of_robot) = (ListHolder::ApiKey(key.id.clone()), ListHolder::Principal(robot.clone()));
    store.put_allow_list(&of_key, list("192.0.2.1").as_ref()).await.unwrap();
    store.put_allow_list(&of_robot, list("2001:db8::/32").as_ref()).await.unwrap();
    let both = [ChangeKey::Principal(robot.clone()), ChangeKey::Principal(robot.clone())];
    assert_eq!(touched(&*store, &mut feed).await, both);
    let facts = store.principal(&robot).await.unwrap().unwrap();
    assert_eq!(facts.allow_list, list("2001:db8::/32"));
    assert_eq!(facts.key_lists, [(key.id.clone(), list("192.0.2.1").unwrap())]);
    let other = store.principal(&ada).await.unwrap().unwrap();
    assert_eq!((other.allow_list, other.key_lists), (None, Vec::new()));
    // A change of the key itself leaves its list alone.
    let renamed = crate::store::identity::ApiKeyRecord {
        name: "renamed".to_owned(),
        stamp: Stamp { version: 2, ..key.stamp },
        ..key
    };
    store.update_api_key(&renamed).await.unwrap();
    assert_eq!(store.allow_list(&of_key).await.unwrap(), list("192.0.2.1"));
    store.put_allow_list(&of_key, None).await.unwrap();
    assert_eq!(store.allow_list(&of_key).await.unwrap(), None);
    let nobody = ListHolder::Principal(of_user(&user(9)));
    assert!(matches!(store.put_allow_list(&nobody, None).await, Err(StoreError::NotFound)));
    let nothing = ListHolder::ApiKey(api_key(9, &robot).id);
    assert!(matches!(store.put_allow_list(&nothing, None).await, Err(StoreError::NotFound)));
}

pub(crate) async fn zones_have_names_of_their_own_and_versions(store: Arc<dyn Store>) {
    let mut feed = Sequence(0);
    let (mut office, other) = (zone(1, "office"), zone(2, "other"));
    store.insert_zone(&office).await.unwrap();
    store.insert_zone(&other).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Network, ChangeKey::Network]);
    assert!(matches!(store.insert_zone(&zone(3, "office")).await, Err(StoreError::Conflict(_))));
    office.document.name = "other".to_owned();
    office.stamp.version = 2;
    assert!(matches!(store.update_zone(&office).await, Err(StoreError::Conflict(_))));
    office.document.name = "new".to_owned();
    store.update_zone(&office).await.unwrap();
    assert!(matches!(store.update_zone(&office).await, Err(StoreError::Stale)));
    assert!(matches!(store.update_zone(&zone(9, "x")).await, Err(StoreError::NotFound)));
    assert_eq!(store.zone(&office.id).await.unwrap(), Some(office.clone()));
    let listed = store.zones(ALL).await.unwrap();
    assert_eq!((listed.rows, listed.total), (vec![office.clone(), other.clone()], 2));
    let compiled = store.network().await.unwrap().zones;
    assert_eq!(compiled[0], office.document.zone(office.id.clone()).unwrap());
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Network]);
    store.delete_zone(&office.id).await.unwrap();
    assert!(matches!(store.delete_zone(&office.id).await, Err(StoreError::NotFound)));
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Network]);
    assert_eq!(store.zones(ALL).await.unwrap().rows, [other]);
}

pub(crate) async fn rules_are_read_back_and_have_versions(store: Arc<dyn Store>) {
    store.found(&founding()).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    let mut row = rule(1);
    store.insert_rule(&row).await.unwrap();
    store.insert_rule(&rule(2)).await.unwrap();
    row.document.enforcement_mode = Some("report".to_owned());
    row.stamp.version = 2;
    store.update_rule(&row).await.unwrap();
    assert!(matches!(store.update_rule(&row).await, Err(StoreError::Stale)));
    assert!(matches!(store.update_rule(&rule(9)).await, Err(StoreError::NotFound)));
    assert_eq!(store.rule(&row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(store.rules(ALL).await.unwrap().rows, [row.clone(), rule(2)]);
    let facts = store.network().await.unwrap();
    assert_eq!(facts.rules[0], row.document.rule(row.id.clone(), &account_id()).unwrap());
    assert_eq!(touched(&*store, &mut feed).await, vec![ChangeKey::Network; 3]);
    store.delete_rule(&row.id).await.unwrap();
    assert!(matches!(store.delete_rule(&row.id).await, Err(StoreError::NotFound)));
    assert_eq!(store.rules(ALL).await.unwrap().total, 1);
}
