-- Alerts: to whom, what, and what became of each message.

-- The document is JSON; the secret that messages are signed with is sealed under the master key.
create table notification_channel (
    id text not null primary key,
    name text not null unique collate nocase,
    document text not null,
    secret blob not null,
    -- When a message was last taken by the endpoint, and when one was last given up.
    delivered_at integer,
    failed_at integer,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;

-- `cause` is what it was made of: nothing is told twice. The document is JSON. The oldest are removed.
create table alert (
    number integer primary key autoincrement,
    cause text not null unique,
    document text not null
) strict;

-- A row for each channel that is to be told. `attempts` counts those that were begun; `next_at` is when the next one may be.
create table alert_delivery (
    alert integer not null references alert (number) on delete cascade,
    channel text not null references notification_channel (id) on delete cascade,
    state text not null check (state in ('delivered', 'failed', 'pending')),
    attempts integer not null,
    next_at integer not null,
    last_at integer,
    status integer,
    error text,
    primary key (alert, channel)
) strict, without rowid;
create index alert_delivery_by_channel on alert_delivery (channel, state, next_at);

-- How far what alerts are made of has been looked at. What was there before alerts were is told to nobody.
create table alert_cursor (
    source text not null primary key,
    position integer not null
) strict, without rowid;
insert into alert_cursor select 'drift', coalesce(max(number), 0) from compliance_drift;
insert into alert_cursor select 'findings', coalesce(max(id), 0) from new_finding;

-- Whether the same was found in the same image before.
create index new_finding_by_issue on new_finding (digest, issue, package);
