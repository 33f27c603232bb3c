-- Compliance: configuration rules, the last verdicts, their history, and what verdicts are made from besides other tables.

-- The document is JSON, as the API writes it.
create table compliance_rule (
    id text not null primary key,
    document text not null,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index compliance_rule_by_age on compliance_rule (created_at, id);

-- The last verdict on each goal of a profile, or on each rule (profile `rules`), as JSON.
create table compliance_verdict (
    profile text not null,
    id text not null,
    document text not null,
    primary key (profile, id)
) strict, without rowid;

-- What a scan came to, as JSON; only scans that found something else than the one before, those that were asked for, and one an hour.
create table compliance_scan (
    number integer primary key,
    profile text not null,
    at integer not null,
    document text not null
) strict;
create index compliance_scan_by_profile on compliance_scan (profile, number);

-- Verdicts that have turned, as JSON.
create table compliance_drift (
    number integer primary key,
    at integer not null,
    document text not null
) strict;

-- Since when a registry is known to refuse public endpoints.
create table private_since (
    region text not null primary key,
    at integer not null
) strict, without rowid;

-- When a principal (by its IAM id) or a key (by its id) was last used, to the minute.
create table last_use (
    subject text not null primary key,
    at integer not null
) strict, without rowid;

-- The last push or pull over a public endpoint.
create table public_transfer (
    region text not null primary key,
    at integer not null,
    by text not null,
    source text not null
) strict, without rowid;

-- What somebody changed lately. The audit log is what counts; this is for saying what turned a verdict.
create table deed (
    number integer primary key,
    at integer not null,
    principal text not null,
    name text not null,
    action text not null,
    target text not null,
    request_id text not null
) strict;
create index deed_by_time on deed (at);
