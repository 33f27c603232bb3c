"""Walks notification channels by ibm-scc, unmodified but for its URL: they are made, listed, read, changed, tested and deleted."""

import os

from ibm_cloud_sdk_core import ApiException
from ibm_scc.notifications_v1 import Channel, NotificationChannelAlertSourceItem, NotificationsV1

import cloud
from cloud import ACCOUNT, URL, done, same, service

HOOK = os.environ["PORTCULLIS_HOOK"]
notifications = service(NotificationsV1)
stranger = service(NotificationsV1, key=None)
for one in (notifications, stranger):
    one.set_service_url(f"{URL}/notifications")


def refused(status, call, *arguments, **named):
    cloud.steps += 1
    try:
        call(*arguments, **named)
    except ApiException as error:
        assert error.status_code == status, error
        return error.message
    raise AssertionError(f"{call.__name__} was answered")


# As the documentation makes one.
source = NotificationChannelAlertSourceItem(provider_name="VA", finding_types=["image_with_vulnerabilities"])
made = done(200, notifications.create_notification_channel(
    ACCOUNT, "ops", "Webhook", HOOK, description="whoever is on call", severity=["critical", "high"], enabled=True,
    alert_source=[source], transaction_id="t1",
))
same(made, status_code=200)
assert made["secret"].startswith("whsec_"), made
ops = made["channel_id"]
other = done(200, notifications.create_notification_channel(ACCOUNT, "other", "Webhook", HOOK))["channel_id"]

listed = done(200, notifications.list_all_channels(ACCOUNT))["channels"]
assert [one["channel_id"] for one in listed] == [ops, other], listed
assert [one["name"] for one in done(200, notifications.list_all_channels(ACCOUNT, limit=1, skip=1))["channels"]] == ["other"]
channel = Channel.from_dict(done(200, notifications.get_notification_channel(ACCOUNT, ops))["channel"])
assert (channel.name, channel.type, channel.endpoint, channel.enabled) == ("ops", "Webhook", HOOK, True), channel
assert channel.severity.to_dict() == {"critical": True, "high": True, "medium": False, "low": False}, channel
assert channel.alert_source[0].to_dict() == source.to_dict(), channel
# Disabled, and told the worst three of everything, unless it says otherwise.
usual = Channel.from_dict(done(200, notifications.get_notification_channel(ACCOUNT, other))["channel"])
assert not usual.enabled and usual.severity.medium and usual.alert_source[0].provider_name == "ALL", usual

same(done(200, notifications.update_notification_channel(ACCOUNT, ops, "on-call", "Webhook", HOOK, severity=["low"])), channel_id=ops)
changed = Channel.from_dict(done(200, notifications.get_notification_channel(ACCOUNT, ops))["channel"])
assert (changed.name, changed.severity.low, changed.severity.critical, changed.enabled) == ("on-call", True, False, True), changed

assert "taken" in done(200, notifications.test_notification_channel(ACCOUNT, ops))["test"]
assert done(200, notifications.get_public_key(ACCOUNT))["public_key"].startswith("-----BEGIN PUBLIC KEY-----")

assert "https" in refused(400, notifications.create_notification_channel, ACCOUNT, "clear", "Webhook", "http://alerts.example.com/x")
assert "name" in refused(409, notifications.create_notification_channel, ACCOUNT, "OTHER", "Webhook", HOOK)
refused(401, stranger.list_all_channels, ACCOUNT)
refused(401, stranger.test_notification_channel, ACCOUNT, ops)

same(done(200, notifications.delete_notification_channel(ACCOUNT, other)), channel_id=other)
refused(404, notifications.get_notification_channel, ACCOUNT, other)
refused(404, notifications.delete_notification_channels, ACCOUNT, [ops, other])
done(200, notifications.delete_notification_channels(ACCOUNT, [ops]))
assert done(200, notifications.list_all_channels(ACCOUNT))["channels"] == []
cloud.finish()
