-- What ECR knows of a registry beyond its upstream: when images were pushed and pulled, which of them go when, and
-- uploads by parts.
alter table repository add column scan_on_push integer not null default false;

-- Written when an image is seen to be pushed or pulled through us; whether it is there is the upstream's to say.
create table image (
    region text not null,
    repository text not null,
    digest text not null,
    pushed_at integer not null,
    pulled_at integer,
    primary key (region, repository, digest)
) strict, without rowid;

-- `text` is the policy in force, `preview` one that is only tried.
create table lifecycle (
    region text not null,
    repository text not null,
    text text,
    evaluated_at integer,
    preview text,
    previewed_at integer,
    primary key (region, repository),
    foreign key (region, repository) references repository (region, name) on delete cascade,
    check ((preview is null) = (previewed_at is null))
) strict, without rowid;

-- One row per setting of a registry: its policy and its switches.
create table registry_setting (
    region text not null,
    name text not null,
    value text not null,
    primary key (region, name)
) strict, without rowid;

-- `query` is the upstream's own state of the upload.
create table layer_upload (
    id text not null primary key,
    region text not null,
    repository text not null,
    opener text not null,
    upstream text not null,
    query text not null,
    received integer not null,
    short_part integer not null,
    started_at integer not null
) strict, without rowid;
