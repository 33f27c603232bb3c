"""Walks Configuration Governance by ibm-scc, unmodified but for its URL: rules are made, listed, read, replaced, deleted and refused."""

import json
import os

from ibm_scc.configuration_governance_v1 import (
    ConfigurationGovernanceV1,
    CreateRuleAttachmentsResponse,
    RuleAttachment,
    RuleAttachmentList,
    RuleAttachmentRequest,
    RuleScope,
)

import cloud
from cloud import ACCOUNT, done, refused, same, service, tag

governance = service(ConfigurationGovernanceV1)
stranger = service(ConfigurationGovernanceV1, key=None)
with open(os.path.join(os.path.dirname(__file__), "../../src/compliance/rule/seed_rule.json")) as file:
    seed = json.load(file)

# The documentation's rule needs no more than it has.
made = done(201, governance.create_rules([{"request_id": "one", "rule": seed}], transaction_id="t1"))["rules"][0]
same(made, request_id="one", status_code=201)
rule = made["rule"]
same(rule, account_id=ACCOUNT, rule_type="user_defined", target=seed["target"], required_config=seed["required_config"])
assert rule["rule_id"].startswith("rule-") and rule["created_by"] and rule["creation_date"]

# One of several may be wrong.
wrong = json.loads(json.dumps(seed))
wrong["required_config"]["and"][0]["property"] = "nonsense"
full = {
    "account_id": ACCOUNT, "name": "private", "description": "only private", "rule_type": "user_defined",
    "enforcement_actions": [{"action": "audit_log"}], "labels": ["owls"], **seed,
}
answer = done(207, governance.create_rules([{"request_id": "bad", "rule": wrong}, {"request_id": "good", "rule": full}]))
bad, good = answer["rules"]
same(bad, request_id="bad", status_code=400)
assert "nonsense" in bad["errors"][0]["message"], bad
same(good, request_id="good", status_code=201)
same(good["rule"], name="private", labels=["owls"], enforcement_actions=[{"action": "audit_log"}])

# Lists are paged and filtered by label.
listed = done(200, governance.list_rules(account_id=ACCOUNT))
assert [one["rule_id"] for one in listed["rules"]] == [rule["rule_id"], good["rule"]["rule_id"]], listed
same(listed, offset=0, total_count=2)
same(done(200, governance.list_rules(account_id=ACCOUNT, labels="owls")), total_count=1)
page = done(200, governance.list_rules(account_id=ACCOUNT, limit=1, offset=1))
assert [one["rule_id"] for one in page["rules"]] == [good["rule"]["rule_id"]]

# A rule is replaced only by who has seen it.
read = governance.get_rule(rule["rule_id"])
same(done(200, read), rule_id=rule["rule_id"])
words = {
    "name": "renamed", "description": "", "target": seed["target"], "required_config": seed["required_config"],
    "enforcement_actions": [{"action": "disallow"}],
}
changed = done(200, governance.update_rule(rule["rule_id"], tag(read), **words))
same(changed, name="renamed", enforcement_actions=[{"action": "disallow"}])
refused(412, "policy_conflict_error", governance.update_rule, rule["rule_id"], tag(read), **words)

# Where a rule is attached is where it binds.
def scope(kind, name, **more):
    return RuleScope(scope_id=name, scope_type=kind, **more)


account = scope("account", ACCOUNT, note="all of it")
wanted = RuleAttachmentRequest(account_id=ACCOUNT, included_scope=account)
made = done(201, governance.create_rule_attachments(rule["rule_id"], [wanted], transaction_id="t2"))
attachment = CreateRuleAttachmentsResponse.from_dict(made).attachments[0]
assert (attachment.rule_id, attachment.included_scope.note) == (rule["rule_id"], "all of it"), attachment
same(done(200, governance.get_rule(rule["rule_id"])), number_of_attachments=1)
read = governance.get_rule_attachment(rule["rule_id"], attachment.attachment_id)
assert done(200, read)["included_scope"] == account.to_dict(), read
south = scope("account.region", "us-south")
change = (rule["rule_id"], attachment.attachment_id, tag(read), ACCOUNT)
changed = RuleAttachment.from_dict(done(200, governance.update_rule_attachment(*change, south)))
assert changed.included_scope.scope_id == "us-south" and not changed.excluded_scopes, changed
refused(412, "policy_conflict_error", governance.update_rule_attachment, *change, south)
refused(400, "invalid_body", governance.create_rule_attachments, rule["rule_id"], [
    RuleAttachmentRequest(account_id=ACCOUNT, included_scope=scope("enterprise", "x")),
])
listed = RuleAttachmentList.from_dict(done(200, governance.list_rule_attachments(rule["rule_id"], limit=5)))
assert (listed.total_count, listed.attachments[0].attachment_id) == (1, attachment.attachment_id), listed
same(done(200, governance.list_rules(account_id=ACCOUNT, attached=True)), total_count=1)
same(done(200, governance.list_rules(account_id=ACCOUNT, scopes="us-south")), total_count=1)
refused(404, "not_found", governance.get_rule_attachment, good["rule"]["rule_id"], attachment.attachment_id)
refused(401, "invalid_token", stranger.list_rule_attachments, rule["rule_id"])
done(204, governance.delete_rule_attachment(rule["rule_id"], attachment.attachment_id))
refused(404, "not_found", governance.delete_rule_attachment, rule["rule_id"], attachment.attachment_id)

# Strangers get nowhere.
refused(401, "invalid_token", stranger.list_rules, account_id=ACCOUNT)
done(204, governance.delete_rule(rule["rule_id"]))
refused(404, "not_found", governance.get_rule, rule["rule_id"])
refused(404, "not_found", governance.delete_rule, rule["rule_id"])
done(204, governance.delete_rule(good["rule"]["rule_id"]))
cloud.finish()
