//! `/notifications/v1`: notification channels of Security Insights. The format of messages, and the secret that they are
//! signed with, are our own.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::alert::channel::NewSecret;
use crate::control::problem::{Noun, Problem};
use crate::credential::webhook::WebhookSecret;
use crate::findings::alert::channel::{ChannelDocument, Format, SEVERITIES, USUAL};
use crate::findings::alert::source::{AlertSource, Finder};
use crate::findings::alert::topic::Provider;
use crate::findings::severity::Severity;
use crate::ids::tagged::NotificationChannelId;
use crate::secret::Secret;
use crate::store::alert::{ChannelRecord, Delivery, DeliveryState};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Notifications {
    Create,
    Delete,
    DeleteSome,
    List,
    PublicKey,
    Read,
    Test,
    Update,
}

/// A channel. What an update does not name stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelBody {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    endpoint: String,
    description: Option<String>,
    severity: Option<Vec<String>>,
    enabled: Option<bool>,
    alert_source: Option<Vec<SourceBody>>,
    format: Option<Format>,
    /// A secret that was chosen elsewhere.
    secret: Option<Secret<String>>,
    /// Whether a fresh secret takes the place of the one that is there.
    #[serde(default)]
    rotate_secret: bool,
}

/// Read by itself, so that a provider that nothing here is goes with a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceBody {
    provider_name: String,
    #[serde(default)]
    finding_types: Vec<String>,
}

/// The most channels of one deletion.
const AT_ONCE: usize = 100;

pub(in super::super) async fn answer(which: Notifications, call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account", Some(call.text("account")))?;
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Notifications::Create => create(call).await,
        Notifications::Delete => {
            let id = channel_id(call)?;
            let done = desk.delete_channels(caller, std::slice::from_ref(&id)).await?;
            let body = json!({"channel_id": id, "message": "the channel is deleted"});
            Ok(Answer::of(StatusCode::OK, done, |()| body).about(&id))
        }
        Notifications::DeleteSome => delete_some(call).await,
        Notifications::List => list(call).await,
        Notifications::PublicKey => {
            let done = desk.notification_key(caller).await?;
            Ok(Answer::of(StatusCode::OK, done, |key| json!({"public_key": key})))
        }
        Notifications::Read => {
            let id = channel_id(call)?;
            let done = desk.channel(caller, &id).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| json!({"channel": shown(&row)})).about(&id))
        }
        Notifications::Test => {
            let id = channel_id(call)?;
            let done = desk.test_channel(caller, &id).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| tested(&row)).about(&id))
        }
        Notifications::Update => update(call).await,
    }
}

fn channel_id(call: &Call<'_>) -> Result<NotificationChannelId, Problem> {
    call.id("id", Noun::NotificationChannel, NotificationChannelId::parse)
}

async fn create(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: ChannelBody = call.body()?;
    let secret = body.new_secret()?.unwrap_or(NewSecret::Fresh);
    let usual = ChannelDocument {
        name: String::new(),
        description: String::new(),
        endpoint: String::new(),
        severity: USUAL.to_vec(),
        // As IBM's: nobody is told before somebody says so.
        enabled: false,
        alert_source: vec![AlertSource::every()],
        format: Format::default(),
    };
    let done = call.desk.create_channel(&call.caller, body.over(usual)?, secret).await?;
    let id = done.value.0.id.clone();
    let answer = Answer::of(
        StatusCode::OK,
        done,
        |(row, secret)| json!({"channel_id": row.id, "status_code": 200, "secret": secret.expose()}),
    );
    Ok(answer.about(&id))
}

async fn update(call: &Call<'_>) -> Result<Answer, Problem> {
    let id = channel_id(call)?;
    let body: ChannelBody = call.body()?;
    let secret = body.new_secret()?;
    let done = call.desk.change_channel(&call.caller, &id, |stored| body.over(stored), secret).await?;
    let answer = Answer::of(StatusCode::OK, done, |(row, secret)| {
        let mut told = Map::new();
        told.insert("channel_id".to_owned(), json!(row.id));
        told.insert("status_code".to_owned(), json!(200));
        if let Some(secret) = secret {
            told.insert("secret".to_owned(), json!(secret.expose()));
        }
        Value::Object(told)
    });
    Ok(answer.about(&id))
}

async fn delete_some(call: &Call<'_>) -> Result<Answer, Problem> {
    let given: Vec<String> = call.list()?;
    if given.is_empty() || given.len() > AT_ONCE {
        return Err(Problem::Invalid(format!("name between 1 and {AT_ONCE} channels, by their ids")));
    }
    let missing = |text: &String| Problem::NotFound(Noun::NotificationChannel, text.clone());
    let mut ids = Vec::new();
    for text in &given {
        let id = NotificationChannelId::parse(text).map_err(|_| missing(text))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let done = call.desk.delete_channels(&call.caller, &ids).await?;
    Ok(Answer::of(StatusCode::OK, done, |()| json!({"message": "the channels are deleted"}))
        .about(&given.join(",")))
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let (limit, skip) =
        (call.query.number("limit", 1..=1000, 200)?, call.query.number("skip", 0..=100_000, 0)?);
    let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let done = call.desk.channels(&call.caller).await?;
    Ok(Answer::of(StatusCode::OK, done, |rows| {
        let page: Vec<Value> = rows.iter().skip(wide(skip)).take(wide(limit)).map(shown).collect();
        json!({"channels": page})
    }))
}

impl ChannelBody {
    fn new_secret(&self) -> Result<Option<NewSecret>, Problem> {
        let Some(text) = &self.secret else { return Ok(self.rotate_secret.then_some(NewSecret::Fresh)) };
        let secret = WebhookSecret::parse(text.expose()).ok_or_else(|| {
            Problem::Invalid("`secret` is `whsec_` and 24 to 64 bytes in base64".to_owned())
        })?;
        match self.rotate_secret {
            true => Err(Problem::Invalid("`secret` and `rotate_secret` exclude one another".to_owned())),
            false => Ok(Some(NewSecret::Chosen(secret))),
        }
    }

    /// What the channel says with this in place of what it said.
    fn over(self, before: ChannelDocument) -> Result<ChannelDocument, Problem> {
        if !self.kind.eq_ignore_ascii_case("webhook") {
            return Err(Problem::Invalid("`type` is `Webhook`".to_owned()));
        }
        let severity = self.severity.map(|words| words.iter().map(|word| severity(word)).collect());
        let sources = self.alert_source.map(|list| list.into_iter().map(source).collect());
        Ok(ChannelDocument {
            name: self.name,
            endpoint: self.endpoint,
            description: self.description.unwrap_or(before.description),
            severity: severity.transpose()?.unwrap_or(before.severity),
            enabled: self.enabled.unwrap_or(before.enabled),
            alert_source: sources.transpose()?.unwrap_or(before.alert_source),
            format: self.format.unwrap_or(before.format),
        })
    }
}

fn severity(word: &str) -> Result<Severity, Problem> {
    let found = SEVERITIES.into_iter().find(|one| one.label().eq_ignore_ascii_case(word));
    found.ok_or_else(|| Problem::Invalid("`severity` is any of critical, high, medium and low".to_owned()))
}

fn source(body: SourceBody) -> Result<AlertSource, Problem> {
    let found = Finder::parse(&body.provider_name);
    let known = || {
        let names: Vec<&str> = Provider::ALL.into_iter().map(Provider::label).collect();
        Problem::Invalid(format!(
            "`provider_name` is one of {}, or the name of a provider who reports findings",
            names.join(", ")
        ))
    };
    Ok(AlertSource { provider_name: found.ok_or_else(known)?, finding_types: body.finding_types })
}

/// A channel, as IBM shows it, and what became of what it was told.
fn shown(row: &ChannelRecord) -> Value {
    let ChannelDocument { name, description, endpoint, severity, enabled, alert_source, format } =
        &row.document;
    let flags = SEVERITIES.map(|one| (one.label().to_lowercase(), json!(severity.contains(&one))));
    json!({
        "channel_id": row.id,
        "name": name,
        "description": description,
        "type": "Webhook",
        "endpoint": endpoint,
        "severity": flags.into_iter().collect::<Map<_, _>>(),
        "enabled": enabled,
        "alert_source": alert_source,
        "frequency": "immediate",
        "format": format,
        "last_delivered": row.delivered_at.map(crate::clock::UnixTime::rfc3339),
        "last_failed": row.failed_at.map(crate::clock::UnixTime::rfc3339),
    })
}

fn tested(row: &Delivery) -> Value {
    let test = match row.state {
        DeliveryState::Delivered => "the endpoint has taken a test message".to_owned(),
        DeliveryState::Failed | DeliveryState::Pending => {
            let why = row.error.as_deref().unwrap_or("nothing is known of it yet");
            format!("the test message was not delivered: {why}")
        }
    };
    json!({"test": test, "delivery": delivery(row)})
}

/// What became of a message. What it is about is not said here: that is for who may read it.
pub(in super::super) fn delivery(row: &Delivery) -> Value {
    let next = (row.state == DeliveryState::Pending).then(|| row.next_at.rfc3339());
    json!({
        "alert_id": row.alert.id,
        "channel_id": row.channel,
        "finding_type": row.alert.topic.label(),
        "severity": row.alert.severity.label(),
        "raised_at": row.alert.at.rfc3339(),
        "state": row.state.label(),
        "attempts": row.attempts,
        "last_attempt": row.last_at.map(crate::clock::UnixTime::rfc3339),
        "next_attempt": next,
        "status": row.status,
        "error": row.error,
    })
}
