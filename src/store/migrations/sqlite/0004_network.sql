-- Where requests may come from. `allowed_ips` is a list as IBM Cloud writes it; empty, it restricts nothing.

alter table account add column allowed_ips text not null default '';
alter table account add column private_only integer not null default 0 check (private_only in (0, 1));
alter table account add column settings_modified_at integer;
alter table account add column settings_version integer not null default 1 check (settings_version > 0);
alter table principal add column allowed_ips text not null default '';
alter table api_key add column allowed_ips text not null default '';

-- The documents are JSON, as the API writes them.
create table network_zone (
    id text not null primary key,
    name text not null unique,
    document text not null,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index network_zone_by_age on network_zone (created_at, id);

create table network_rule (
    id text not null primary key,
    document text not null,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index network_rule_by_age on network_rule (created_at, id);
