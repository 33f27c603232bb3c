//! Rows of channels, alerts and deliveries.

use async_trait::async_trait;

use super::row::{self, document, json};
use super::write::Write;
use super::{SqlStore, alarming};
use crate::clock::UnixTime;
use crate::compliance::drift::Drift;
use crate::findings::alert::channel::ChannelDocument;
use crate::ids::Malformed;
use crate::ids::tagged::NotificationChannelId;
use crate::store::alert::{
    Alarming, Alerts, Attempted, ChannelRecord, Cursor, Delivery, DeliveryState, Raised, Step,
};
use crate::store::feed::ChangeKey;
use crate::store::{StoreError, sql};

/// How many alerts are kept, beside those that still wait.
const KEPT: i64 = 10_000;

/// How many messages wait for one channel, how many of them of one topic, and how many of one lane; more are given up at once. So
/// whoever makes many of a kind crowds out neither other kinds nor others of that kind.
const WAITING: [i64; 3] = [10_000, 6_000, 1_000];

const fn source(of: Cursor) -> &'static str {
    match of {
        Cursor::Drift => "drift",
        Cursor::Findings => "findings",
    }
}

#[async_trait]
impl Alerts for SqlStore {
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        let select = sql::query("select * from notification_channel order by created_at, id");
        select.fetch_all(&self.readers).await?.iter().map(channel).collect()
    }

    async fn channel(&self, id: &NotificationChannelId) -> Result<Option<ChannelRecord>, StoreError> {
        row::one(self, "select * from notification_channel where id = ?1", id.as_str(), channel).await
    }

    async fn insert_channel(&self, row: &ChannelRecord, most: u32) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let count = sql::query_scalar("select count(*) from notification_channel");
        let count: i64 = count.fetch_one(write.connection()).await?;
        if count >= i64::from(most) {
            return Err(StoreError::Conflict("the account has as many channels as it may: delete one first"));
        }
        refuse_namesake(&mut write, row).await?;
        let insert = "insert into notification_channel (id, name, document, secret, delivered_at, failed_at, created_by, \
             modified_by, created_at, modified_at, version) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        bound(insert, row)?.execute(write.connection()).await?;
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn update_channel(&self, row: &ChannelRecord) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        refuse_namesake(&mut write, row).await?;
        let update = "update notification_channel set name = ?2, document = ?3, secret = ?4, delivered_at = ?5, \
             failed_at = ?6, created_by = ?7, modified_by = ?8, created_at = ?9, modified_at = ?10, version = ?11 \
             where id = ?1 and version = ?11 - 1";
        if bound(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            let exists = "select 1 from notification_channel where id = ?1";
            return Err(write.missed(exists, row.id.as_str()).await);
        }
        if !row.document.enabled {
            let end = sql::query(
                "update alert_delivery set state = 'failed', last_at = ?2, error = 'the channel was disabled' \
                 where channel = ?1 and state = 'pending'",
            );
            let end = end.bind(row.id.as_str()).bind(row.stamp.modified_at.millis());
            end.execute(write.connection()).await?;
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn delete_channel(&self, id: &NotificationChannelId) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from notification_channel where id = ?1").bind(id.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::Compliance);
        write.commit().await
    }

    async fn cursor(&self, of: Cursor) -> Result<i64, StoreError> {
        let select = sql::query_scalar("select position from alert_cursor where source = ?1");
        Ok(select.bind(source(of)).fetch_one(&self.readers).await?)
    }

    async fn alarming(&self, after: i64, limit: u32) -> Result<(Vec<Alarming>, i64), StoreError> {
        alarming::read(self, after, limit).await
    }

    async fn drifts_after(&self, after: i64, limit: u32) -> Result<Vec<(i64, Drift)>, StoreError> {
        let select = sql::query("select * from compliance_drift where number > ?1 order by number limit ?2");
        let rows = select.bind(after).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(|found| Ok((found.try_get("number")?, document(found)?))).collect()
    }

    async fn raise(&self, alerts: &[Raised], step: Option<Step>) -> Result<bool, StoreError> {
        let mut write = Write::begin(self).await?;
        if let Some(Step { of, from, to }) = step {
            let moved =
                sql::query("update alert_cursor set position = ?3 where source = ?1 and position = ?2");
            let moved = moved.bind(source(of)).bind(from).bind(to).execute(write.connection()).await?;
            if moved.rows_affected() == 0 {
                return Ok(false);
            }
        }
        for raised in alerts.iter().filter(|one| !one.channels.is_empty()) {
            insert_alert(&mut write, raised).await?;
        }
        forget(&mut write).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn due(
        &self,
        channel: &NotificationChannelId,
        now: UnixTime,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let select = sql::query(
            "select due.*, alert.document from \
               (select *, row_number() over (partition by topic order by place, alert) as turn from \
                 (select *, row_number() over (partition by topic, lane order by alert) as place from alert_delivery \
                  where channel = ?1 and state = 'pending' and next_at <= ?2) as placed) as due \
             join alert on alert.number = due.alert order by due.turn, due.alert limit ?3",
        );
        let rows =
            select.bind(channel.as_str()).bind(now.millis()).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(delivery).collect()
    }

    async fn next_due(&self) -> Result<(Option<UnixTime>, u32), StoreError> {
        let select = "select document, next_at, waiting from notification_channel join \
                      (select channel, min(next_at) as next_at, count(*) as waiting from alert_delivery \
                       where state = 'pending' group by channel) as pending on channel = id";
        let (mut first, mut all) = (None, 0);
        for found in sql::query(select).fetch_all(&self.readers).await? {
            if document::<ChannelDocument>(&found)?.enabled {
                let next = row::time(&found, "next_at")?;
                first = Some(first.map_or(next, |first: UnixTime| first.min(next)));
                all += row::count(&found, "waiting")?;
            }
        }
        Ok((first, all))
    }

    async fn begin_attempt(
        &self,
        delivery: &Delivery,
        version: i64,
        until: UnixTime,
    ) -> Result<bool, StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update alert_delivery set attempts = attempts + 1, next_at = ?4 \
             where alert = ?1 and channel = ?2 and attempts = ?3 and state = 'pending' \
             and exists (select 1 from notification_channel where id = ?2 and version = ?5)",
        );
        let update = update.bind(delivery.number).bind(delivery.channel.as_str()).bind(delivery.attempts);
        let begun =
            update.bind(until.millis()).bind(version).execute(write.connection()).await?.rows_affected() > 0;
        write.commit().await?;
        Ok(begun)
    }

    async fn end_attempt(&self, delivery: &Delivery, attempted: &Attempted) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let Attempted { state, at, next_at, status, error } = attempted;
        // What has been given up meanwhile and was taken all the same counts as delivered.
        let update = sql::query(
            "update alert_delivery set state = ?3, last_at = ?4, next_at = ?5, status = ?6, error = ?7 \
             where alert = ?1 and channel = ?2 and (state = 'pending' or ?3 = 'delivered')",
        );
        let update = update.bind(delivery.number).bind(delivery.channel.as_str()).bind(state.label());
        let update = update.bind(at.millis()).bind(next_at.millis()).bind(status.map(i64::from)).bind(error);
        if update.execute(write.connection()).await?.rows_affected() > 0
            && note(&mut write, delivery, attempted).await?
        {
            write.touch(ChangeKey::Compliance);
        }
        write.commit().await
    }

    async fn deliveries(
        &self,
        channel: Option<&NotificationChannelId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let select = sql::query(
            "select alert_delivery.*, alert.document from alert_delivery join alert on alert.number = alert_delivery.alert \
             where ?1 is null or channel = ?1 order by alert_delivery.alert desc, channel limit ?2",
        );
        let select = select.bind(channel.map(NotificationChannelId::as_str)).bind(limit);
        select.fetch_all(&self.readers).await?.iter().map(delivery).collect()
    }

    async fn delivery(
        &self,
        channel: &NotificationChannelId,
        cause: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let select = sql::query(
            "select alert_delivery.*, alert.document from alert join alert_delivery on alert_delivery.alert = alert.number \
             where alert.cause = ?1 and channel = ?2",
        );
        let found = select.bind(cause).bind(channel.as_str()).fetch_optional(&self.readers).await?;
        found.as_ref().map(delivery).transpose()
    }
}

async fn refuse_namesake(write: &mut Write<'_>, row: &ChannelRecord) -> Result<(), StoreError> {
    let select = sql::query("select 1 from notification_channel where lower(name) = ?1 and id <> ?2");
    let select = select.bind(row.document.name.to_ascii_lowercase()).bind(row.id.as_str());
    match select.fetch_optional(write.connection()).await? {
        Some(_) => Err(StoreError::Conflict("there is a channel of that name: choose another")),
        None => Ok(()),
    }
}

/// Removes the oldest alerts that nobody waits for.
pub(super) async fn forget(write: &mut Write<'_>) -> Result<(), StoreError> {
    let forget = sql::query(
        "delete from alert where number <= (select max(number) from alert) - ?1 and not exists \
         (select 1 from alert_delivery where alert_delivery.alert = alert.number and state = 'pending')",
    );
    forget.bind(KEPT).execute(write.connection()).await?;
    Ok(())
}

/// Writes an alert down, unless it was told before; a channel that is gone meanwhile is not told.
pub(super) async fn insert_alert(write: &mut Write<'_>, raised: &Raised) -> Result<(), StoreError> {
    let insert = sql::query(
        "insert into alert (cause, document) values (?1, ?2) on conflict (cause) do nothing returning number",
    );
    let insert = insert.bind(&raised.cause).bind(json(&raised.alert)?);
    let Some(found) = insert.fetch_optional(write.connection()).await? else { return Ok(()) };
    let number: i64 = found.try_get("number")?;
    for channel in &raised.channels {
        let insert = sql::query(
            "insert into alert_delivery (alert, channel, state, attempts, next_at, error, topic, lane) \
             select ?1, id, case when overfull then 'failed' else 'pending' end, 0, ?3, \
              case when overfull then 'too many others wait for this channel' end, ?7, ?8 \
             from (select id, \
               (select count(*) from alert_delivery where channel = ?2 and state = 'pending') >= ?4 \
               or (select count(*) from alert_delivery where channel = ?2 and state = 'pending' and topic = ?7) >= ?5 \
               or (select count(*) from alert_delivery where channel = ?2 and state = 'pending' and topic = ?7 and lane = ?8) >= ?6 \
               as overfull from notification_channel where id = ?2) as told",
        );
        let [whole, topic, lane] = WAITING;
        let now = write.now().millis();
        let insert = insert.bind(number).bind(channel.as_str()).bind(now).bind(whole).bind(topic).bind(lane);
        let insert = insert.bind(raised.alert.topic.label()).bind(raised.alert.lane());
        insert.execute(write.connection()).await?;
    }
    Ok(())
}

/// Notes at the channel what became of a message; whether that is other news than the last.
async fn note(write: &mut Write<'_>, delivery: &Delivery, attempted: &Attempted) -> Result<bool, StoreError> {
    let update = match attempted.state {
        DeliveryState::Pending => return Ok(false),
        DeliveryState::Delivered => {
            "update notification_channel set delivered_at = ?2, failed_at = null where id = ?1 \
             returning delivered_at"
        }
        DeliveryState::Failed => {
            "update notification_channel set failed_at = ?2 where id = ?1 returning failed_at"
        }
    };
    let before = sql::query("select delivered_at, failed_at from notification_channel where id = ?1");
    let before = before.bind(delivery.channel.as_str()).fetch_optional(write.connection()).await?;
    let Some(before) = before else { return Ok(false) };
    sql::query(update)
        .bind(delivery.channel.as_str())
        .bind(attempted.at.millis())
        .fetch_optional(write.connection())
        .await?;
    let (delivered, failed) =
        (row::time_if_any(&before, "delivered_at")?, row::time_if_any(&before, "failed_at")?);
    Ok(match attempted.state {
        DeliveryState::Delivered => delivered.is_none() || failed.is_some(),
        DeliveryState::Failed => failed.is_none(),
        DeliveryState::Pending => false,
    })
}

fn bound(sql: &'static str, row: &ChannelRecord) -> Result<sql::Query, StoreError> {
    Ok(sql::query(sql)
        .bind(row.id.as_str())
        .bind(&row.document.name)
        .bind(json(&row.document)?)
        .bind(&row.secret)
        .bind(row.delivered_at.map(UnixTime::millis))
        .bind(row.failed_at.map(UnixTime::millis))
        .bind(row.created_by.to_string())
        .bind(row.modified_by.to_string())
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis())
        .bind(row.stamp.version))
}

fn channel(found: &sql::Row) -> Result<ChannelRecord, StoreError> {
    Ok(ChannelRecord {
        id: row::parsed(found, "id")?,
        document: document(found)?,
        secret: found.try_get("secret")?,
        delivered_at: row::time_if_any(found, "delivered_at")?,
        failed_at: row::time_if_any(found, "failed_at")?,
        created_by: row::parsed(found, "created_by")?,
        modified_by: row::parsed(found, "modified_by")?,
        stamp: row::stamp(found)?,
    })
}

fn delivery(found: &sql::Row) -> Result<Delivery, StoreError> {
    let (state, status): (&str, Option<i64>) = (found.try_get("state")?, found.try_get("status")?);
    let strange = || StoreError::Corrupt(format!("column state: {}", Malformed::new(state, "").text));
    Ok(Delivery {
        number: found.try_get("alert")?,
        alert: document(found)?,
        channel: row::parsed(found, "channel")?,
        state: DeliveryState::parse(state).ok_or_else(strange)?,
        attempts: row::count(found, "attempts")?,
        next_at: row::time(found, "next_at")?,
        last_at: row::time_if_any(found, "last_at")?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        error: found.try_get("error")?,
    })
}
