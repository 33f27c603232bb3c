-- Where rules are attached, what others report to Security Insights, and alerts that do not wait for one another.

-- Which registries a rule is for; one without attachments is for all. The document is JSON, as the API writes it.
create table compliance_attachment (
    id text not null primary key,
    rule_id text not null references compliance_rule (id) on delete cascade,
    document text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index compliance_attachment_by_rule on compliance_attachment (rule_id, created_at, id);

-- What may occur, as somebody has described it. The document is JSON, as the API writes it.
create table insight_note (
    provider text not null,
    id text not null,
    document text not null,
    created_by text not null,
    created_at integer not null,
    modified_at integer not null,
    primary key (provider, id)
) strict;

-- Where it has occurred. The oldest are not removed: there are so many at most.
create table insight_occurrence (
    provider text not null,
    id text not null,
    note_provider text not null,
    note_id text not null,
    document text not null,
    created_by text not null,
    created_at integer not null,
    modified_at integer not null,
    primary key (provider, id),
    foreign key (note_provider, note_id) references insight_note (provider, id) on delete cascade
) strict;
create index insight_occurrence_by_note on insight_occurrence (note_provider, note_id, id);

-- How many more of its severity the same report has found than are written down.
alter table new_finding add column more integer not null default 0;

-- What a message is about, and which of them wait for one another: those of one image repository, of one goal, of one caller.
alter table alert_delivery add column topic text not null default '';
alter table alert_delivery add column lane text not null default '';
create index alert_delivery_by_lane on alert_delivery (channel, state, topic, lane);
