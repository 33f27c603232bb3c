-- Times are milliseconds since the Unix epoch; ids are the texts that the API shows. Later files only ever add.

create table account (
    id text not null primary key,
    name text not null,
    created_at integer not null,
    only_one integer not null default 1 unique check (only_one = 1)
) strict;

-- Users and service IDs, by their iam_id. `folded` is the name in lower case, for users, whose names are unique.
create table principal (
    id text not null primary key,
    kind text not null check (kind in ('service_id', 'user')),
    name text not null,
    folded text unique check ((folded is not null) = (kind = 'user')),
    description text not null,
    active integer not null check (active in (0, 1)),
    locked integer not null check (locked in (0, 1)),
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index principal_by_age on principal (kind, created_at, id);
create index principal_by_name on principal (kind, name, created_at, id);

create table api_key (
    id text not null primary key,
    owner text not null references principal (id) on delete cascade,
    name text not null,
    description text not null,
    hash blob not null unique check (length(hash) = 32),
    locked integer not null check (locked in (0, 1)),
    disabled integer not null check (disabled in (0, 1)),
    expires_at integer,
    created_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index api_key_by_owner on api_key (owner, created_at, id);
create index api_key_by_age on api_key (created_at, id);

create table access_group (
    id text not null primary key,
    name text not null,
    folded text not null unique,
    description text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index access_group_by_age on access_group (created_at, id);

create table membership (
    group_id text not null references access_group (id) on delete cascade,
    member text not null references principal (id) on delete cascade,
    added_at integer not null,
    added_by text not null,
    primary key (group_id, member)
) strict, without rowid;
create index membership_by_member on membership (member, group_id);
create index membership_by_age on membership (group_id, added_at, member);

-- The document is JSON, as the API writes it.
create table policy (
    id text not null primary key,
    group_id text references access_group (id) on delete cascade,
    principal_id text references principal (id) on delete cascade,
    document text not null,
    description text not null,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0),
    check ((group_id is null) <> (principal_id is null))
) strict;
create index policy_by_group on policy (group_id, created_at, id) where group_id is not null;
create index policy_by_principal on policy (principal_id, created_at, id) where principal_id is not null;
create index policy_by_age on policy (created_at, id);

create table signing_key (
    kid text not null primary key,
    sealed blob not null,
    public blob not null,
    created_at integer not null,
    retires_at integer
) strict;

create table registry (
    region text not null primary key,
    policies_enforced integer not null check (policies_enforced in (0, 1)),
    private_only integer not null check (private_only in (0, 1)),
    platform_metrics integer not null check (platform_metrics in (0, 1))
) strict;

create table namespace (
    region text not null,
    name text not null,
    created_at integer not null,
    primary key (region, name)
) strict, without rowid;

-- The feed. Autoincrement, so that no position is ever used twice, even after the oldest rows are gone.
create table change (
    seq integer primary key autoincrement,
    kind text not null,
    key text not null,
    at integer not null
) strict;
