-- What scanners have found in images, and what of it is exempt.

-- The last report of one format that came by one way. `findings` is a JSON list; the numbers count its vulnerabilities by
-- severity. `dismissed` is a JSON list of the vulnerabilities that it says are of no effect.
create table report (
    id integer primary key,
    region text not null,
    repository text not null,
    digest text not null,
    channel text not null,
    format text not null,
    tool text not null,
    os_name text,
    os_version text,
    is_scan integer not null check (is_scan in (0, 1)),
    made_at integer not null,
    received_at integer not null,
    findings text not null,
    dismissed text not null,
    unknown integer not null,
    negligible integer not null,
    low integer not null,
    medium integer not null,
    high integer not null,
    critical integer not null,
    unique (region, repository, digest, channel, format)
) strict;

-- Counts are read from here, without the findings themselves.
create index report_by_count on report (region, repository, digest, unknown, negligible, low, medium, high, critical);

-- The images that a report is about: the one that it was made of, and the children of an index.
create table report_image (
    region text not null,
    repository text not null,
    digest text not null,
    report_id integer not null references report (id) on delete cascade,
    primary key (region, repository, digest, report_id)
) strict, without rowid;
create index report_image_by_report on report_image (report_id);

-- Findings of medium severity and worse, when they were first reported of an image. Alerts are made of these, in the order of
-- `id`; the oldest are removed.
create table new_finding (
    id integer primary key autoincrement,
    region text not null,
    repository text not null,
    digest text not null,
    issue text not null,
    package text not null,
    severity text not null,
    found_at integer not null
) strict;

create table exemption (
    region text not null,
    scope text not null,
    issue_type text not null,
    issue_id text not null collate nocase,
    expires_at integer,
    reason text not null,
    created_by text not null,
    created_at integer not null,
    primary key (region, scope, issue_type, issue_id)
) strict, without rowid;
