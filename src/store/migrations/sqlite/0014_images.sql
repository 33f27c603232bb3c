-- What the upstreams hold, as it was last seen: facts for goals, and nothing that decides what a request may do.

-- Which manifest a tag stands for.
create table census_tag (
    region text not null,
    repository text not null,
    tag text not null,
    digest text not null,
    seen_at integer not null,
    primary key (region, repository, tag)
) strict, without rowid;
create index census_tag_by_digest on census_tag (region, repository, digest);

-- What a manifest is: `artifact`, `image`, `index` or `signature`.
create table census_manifest (
    region text not null,
    repository text not null,
    digest text not null,
    nature text not null,
    primary key (region, repository, digest)
) strict, without rowid;

-- `digest` is an index that `child` is part of.
create table census_child (
    region text not null,
    repository text not null,
    digest text not null,
    child text not null,
    primary key (region, repository, digest, child)
) strict, without rowid;
create index census_child_by_child on census_child (region, repository, child);

-- The signature `digest` stands beside `subject`; by `tag`, where it is found by one, else that is empty.
create table census_signature (
    region text not null,
    repository text not null,
    subject text not null,
    digest text not null,
    tag text not null,
    primary key (region, repository, subject, digest)
) strict, without rowid;
create index census_signature_by_digest on census_signature (region, repository, digest);

-- When all of a registry was last looked at.
create table census (
    region text not null primary key,
    looked_at integer not null
) strict, without rowid;

-- When an image was scanned is read from here, without the report.
create index report_by_scan on report (id, is_scan, made_at);

-- Pushed manifests that may be reports about `subject`, and were not read yet. One that waits does so for its image.
create table pushed_report (
    id integer primary key autoincrement,
    region text not null,
    repository text not null,
    digest text not null,
    subject text not null,
    pushed_at integer not null,
    waits integer not null default 0 check (waits in (0, 1)),
    unique (region, repository, digest, subject)
) strict;
create index pushed_report_by_subject on pushed_report (region, repository, subject);
