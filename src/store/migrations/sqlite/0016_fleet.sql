-- What several replicas have in common: who leads, what is done on a clock and how that went, and tags that are being written.

-- Who does the periodic work now, or did it last. It is taken under a lock that is not a row.
create table leadership (
    only_one integer not null default 1 unique check (only_one = 1),
    replica text not null,
    since integer not null
) strict;

-- The last run of each periodic job. One that has not ended and whose replica does not lead any more has broken off.
create table job (
    name text not null primary key,
    replica text not null,
    began_at integer not null,
    ended_at integer,
    outcome text not null default '',
    succeeded_at integer,
    next_at integer,
    progress text not null default ''
) strict;

-- Immutable tags that somebody is writing for the first time, and until when that is believed.
create table tag_hold (
    region text not null,
    repository text not null,
    tag text not null,
    holder text not null,
    ends_at integer not null,
    primary key (region, repository, tag)
) strict;

-- All that was ever added to `storage`, so that a survey knows what was added while it was under way, whoever added it.
alter table usage add column added integer not null default 0;
