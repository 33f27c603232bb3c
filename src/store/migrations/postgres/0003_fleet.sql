-- What several replicas have in common: who leads, what is done on a clock and how that went, and tags that are being written.

-- Who does the periodic work now, or did it last. It is taken under a lock that is not a row.
create table leadership (
    only_one bigint not null default 1 unique check (only_one = 1),
    replica text collate "C" not null,
    since bigint not null
);

-- The last run of each periodic job. One that has not ended and whose replica does not lead any more has broken off.
create table job (
    name text collate "C" not null primary key,
    replica text collate "C" not null,
    began_at bigint not null,
    ended_at bigint,
    outcome text collate "C" not null default '',
    succeeded_at bigint,
    next_at bigint,
    progress text collate "C" not null default ''
);

-- Immutable tags that somebody is writing for the first time, and until when that is believed.
create table tag_hold (
    region text collate "C" not null,
    repository text collate "C" not null,
    tag text collate "C" not null,
    holder text collate "C" not null,
    ends_at bigint not null,
    primary key (region, repository, tag)
);

-- All that was ever added to `storage`, so that a survey knows what was added while it was under way, whoever added it.
alter table usage add column added bigint not null default 0;
