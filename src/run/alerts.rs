//! Alerts: what has happened is made into them soon after it has, and they are sent out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::carriers::Carriers;
use super::fleet::Fleet;
use crate::api::Api;
use crate::config::settings::Settings;
use crate::control::alert::{Courier, Dispatch, Signature};
use crate::control::job::Job;
use crate::credential::seal::MasterKey;
use crate::findings::alert::message::{Message, Teller};
use crate::findings::alert::retry::ATTEMPT_MAX;
use crate::forward::hooks::{Hooks, Inside};
use crate::ids::issuer::DocumentUrl;

/// How often it is looked without a sign that anything has happened.
const EVERY: Duration = Duration::from_secs(5);

/// How long it rests between two looks, however much happens.
const REST: Duration = Duration::from_millis(200);

/// What sends alerts, of these settings.
pub(super) fn dispatch(settings: &Settings, master: &MasterKey) -> Dispatch {
    let alerts = &settings.alerts;
    let inside = |one: &crate::config::settings::InternalReceiver| Inside {
        origin: one.origin.clone(),
        ca: one.ca_file.clone(),
    };
    let hooks = Hooks {
        ca: alerts.ca_file.clone(),
        loopback: alerts.loopback,
        internal: alerts.internal.iter().map(inside).collect(),
        patience: ATTEMPT_MAX,
    };
    let name = settings.registries.first().map_or("portcullis", |registry| registry.name.as_str());
    let teller = Teller { account: settings.account.id.clone(), url: format!("https://{name}") };
    Dispatch::new(Arc::new(Webhooks(hooks)), teller, master)
}

/// Carries messages over HTTP.
#[derive(Debug)]
struct Webhooks(Hooks);

#[async_trait]
impl Courier for Webhooks {
    fn may_reach(&self, to: &DocumentUrl) -> Result<(), String> {
        self.0.way(to).map(|_| ())
    }

    async fn post(&self, to: &DocumentUrl, message: &Message, signature: &Signature) -> Result<u16, String> {
        let at = signature.at.to_string();
        let mut headers: Vec<(&str, &str)> = vec![
            ("content-type", message.content_type),
            ("webhook-id", &message.id),
            ("webhook-timestamp", &at),
            ("webhook-signature", &signature.text),
        ];
        headers.extend(message.headers.iter().map(|(name, value)| (*name, value.as_str())));
        self.0.post(to, &headers, message.body.clone()).await
    }
}

/// Alerts until it is aborted.
pub(super) async fn keep_telling(api: Arc<Api>, fleet: Arc<Fleet>) {
    let desk = api.desk();
    let mut committed = desk.store.committed();
    let mut carriers = Carriers::default();
    loop {
        committed.borrow_and_update();
        let mut due = EVERY;
        let work = async {
            let raised = desk.raise_alerts().await;
            let sent = carriers.send_out(&api, EVERY).await;
            raised.map_err(|problem| format!("what has happened cannot be made into alerts: {problem:?}"))?;
            due = sent.map_err(|problem| format!("alerts cannot be delivered: {problem:?}"))?;
            Ok(String::new())
        };
        fleet.run(Job::Alerts, EVERY, work).await;
        tokio::time::sleep(REST).await;
        tokio::select! {
            () = tokio::time::sleep(due) => {}
            Ok(()) = committed.changed() => {}
            () = carriers.come_back() => {}
        }
    }
}
