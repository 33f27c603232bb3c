-- What Container Registry keeps beside a vanilla upstream: deleted images that can still be restored, quotas, traffic,
-- retention policies and resource groups.

-- A deleted image that the upstream still has. `tags` is a JSON list of those that it had. While `purging`, it is being
-- deleted there, and nothing brings it back.
create table trash (
    region text not null,
    repository text not null,
    digest text not null,
    tags text not null,
    deleted_at integer not null,
    expires_at integer not null,
    purging integer not null default 0 check (purging in (0, 1)),
    primary key (region, repository, digest)
) strict, without rowid;
create index trash_by_expiry on trash (expires_at);

-- A tag that the upstream still has, pointing to `digest`, and that nobody is shown.
create table hidden_tag (
    region text not null,
    repository text not null,
    tag text not null,
    digest text not null,
    primary key (region, repository, tag)
) strict, without rowid;
create index hidden_tag_by_digest on hidden_tag (region, repository, digest);

-- Limits in bytes; null is any number.
create table quota (
    region text not null primary key,
    storage integer check (storage >= 0),
    traffic integer check (traffic >= 0)
) strict, without rowid;

-- What is used: of traffic since the month (as months since year 0) began, of storage as of the last survey and what was
-- uploaded since.
create table usage (
    region text not null primary key,
    month integer not null,
    traffic integer not null,
    storage integer not null,
    surveyed_at integer not null
) strict, without rowid;

create table retention (
    region text not null,
    namespace text not null,
    images integer check (images > 0),
    retain_untagged integer not null check (retain_untagged in (0, 1)),
    threshold_days integer check (threshold_days > 0),
    ran_at integer not null,
    primary key (region, namespace)
) strict, without rowid;

-- A namespace without a row is in the default resource group.
create table namespace_group (
    region text not null,
    namespace text not null,
    resource_group text not null,
    primary key (region, namespace),
    foreign key (region, namespace) references namespace (region, name) on delete cascade
) strict, without rowid;
