-- AWS's dialect: paths of users and groups, roles, policies as JSON documents, access keys, providers, repositories, tags.
-- `folded` is a name in lower case, where names are unique in any case.

-- Whoever has an id already has an AWS id that is the same UUID spelt anew (`ids::aws`).
alter table principal add column path text not null default '/';
alter table principal add column unique_id text generated always as (
    iif(kind = 'user', 'AIDA', 'AIDAS') ||
    replace(replace(replace(replace(upper(substr(replace(id, '-', ''), iif(kind = 'user', -17, -16))),
        '0', 'W'), '1', 'X'), '8', 'Y'), '9', 'Z')) virtual;
create unique index principal_by_unique_id on principal (unique_id);
alter table access_group add column path text not null default '/';

create table role (
    id text not null primary key,
    name text not null,
    folded text not null unique,
    path text not null,
    trust text not null,
    description text not null,
    max_session integer not null check (max_session between 3600 and 43200),
    last_used_at integer,
    last_used_region text,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0),
    check ((last_used_at is null) = (last_used_region is null))
) strict;
create index role_by_age on role (created_at, id);

-- `last_version` is the highest number ever given: none is used twice.
create table managed_policy (
    id text not null primary key,
    name text not null,
    folded text not null unique,
    path text not null,
    description text not null,
    default_version integer not null,
    last_version integer not null,
    created_at integer not null,
    updated_at integer not null,
    foreign key (id, default_version) references policy_version (policy_id, number) deferrable initially deferred
) strict;
create index managed_policy_by_age on managed_policy (created_at, id);

create table policy_version (
    policy_id text not null references managed_policy (id) on delete cascade,
    number integer not null check (number > 0),
    document text not null,
    created_at integer not null,
    primary key (policy_id, number)
) strict, without rowid;

-- Who holds a policy stands in one of three columns; `holder` is the one. A policy is a customer's (by id) or AWS's (by ARN).
create table attachment (
    group_id text references access_group (id) on delete cascade,
    principal_id text references principal (id) on delete cascade,
    role_id text references role (id) on delete cascade,
    holder text not null generated always as (coalesce(group_id, principal_id, role_id)) stored,
    policy_id text references managed_policy (id),
    policy_arn text,
    policy text not null generated always as (coalesce(policy_id, policy_arn)) stored,
    attached_at integer not null,
    check ((group_id is not null) + (principal_id is not null) + (role_id is not null) = 1),
    check ((policy_id is null) <> (policy_arn is null))
) strict;
create unique index attachment_by_holder on attachment (holder, policy);
create index attachment_by_policy on attachment (policy, attached_at, holder);

create table boundary (
    principal_id text references principal (id) on delete cascade,
    role_id text references role (id) on delete cascade,
    holder text not null generated always as (coalesce(principal_id, role_id)) stored,
    policy_id text references managed_policy (id),
    policy_arn text,
    policy text not null generated always as (coalesce(policy_id, policy_arn)) stored,
    attached_at integer not null,
    check ((principal_id is null) <> (role_id is null)),
    check ((policy_id is null) <> (policy_arn is null))
) strict;
create unique index boundary_by_holder on boundary (holder);
create index boundary_by_policy on boundary (policy, attached_at, holder);

create table inline_policy (
    group_id text references access_group (id) on delete cascade,
    principal_id text references principal (id) on delete cascade,
    role_id text references role (id) on delete cascade,
    holder text not null generated always as (coalesce(group_id, principal_id, role_id)) stored,
    name text not null,
    document text not null,
    check ((group_id is not null) + (principal_id is not null) + (role_id is not null) = 1)
) strict;
create unique index inline_policy_by_holder on inline_policy (holder, name);

-- The secret only sealed.
create table access_key (
    id text not null primary key,
    owner text not null references principal (id) on delete cascade,
    sealed blob not null,
    active integer not null check (active in (0, 1)),
    last_used_at integer,
    last_used_region text,
    last_used_service text,
    created_at integer not null,
    check ((last_used_at is null) = (last_used_region is null)),
    check ((last_used_at is null) = (last_used_service is null))
) strict;
create index access_key_by_owner on access_key (owner, created_at, id);

-- Lists of text as JSON.
create table oidc_provider (
    url text not null primary key,
    client_ids text not null,
    thumbprints text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;

create table repository (
    region text not null,
    name text not null,
    mutability text not null check (mutability in
        ('IMMUTABLE', 'IMMUTABLE_WITH_EXCLUSION', 'MUTABLE', 'MUTABLE_WITH_EXCLUSION')),
    exclusions text not null,
    policy text,
    created_at integer not null,
    primary key (region, name)
) strict, without rowid;
create index repository_by_age on repository (region, created_at, name);

create table tag (
    principal_id text references principal (id) on delete cascade,
    role_id text references role (id) on delete cascade,
    policy_id text references managed_policy (id) on delete cascade,
    provider text references oidc_provider (url) on delete cascade,
    region text,
    repository text,
    owner text not null generated always as
        (coalesce(principal_id, role_id, policy_id, provider, '/' || region || '/' || repository)) stored,
    key text not null,
    folded text not null,
    value text not null,
    foreign key (region, repository) references repository (region, name) on delete cascade,
    check ((region is null) = (repository is null)),
    check ((principal_id is not null) + (role_id is not null) + (policy_id is not null) + (provider is not null)
        + (region is not null) = 1)
) strict;
create unique index tag_by_owner on tag (owner, folded);
create index tag_by_repository on tag (region, repository) where region is not null;
create index tag_by_principal on tag (principal_id) where principal_id is not null;
create index tag_by_role on tag (role_id) where role_id is not null;
create index tag_by_policy on tag (policy_id) where policy_id is not null;
create index tag_by_provider on tag (provider) where provider is not null;

-- For what goes with its holder.
create index attachment_by_group on attachment (group_id) where group_id is not null;
create index attachment_by_principal on attachment (principal_id) where principal_id is not null;
create index attachment_by_role on attachment (role_id) where role_id is not null;
create index attachment_by_policy_id on attachment (policy_id) where policy_id is not null;
create index boundary_by_principal on boundary (principal_id) where principal_id is not null;
create index boundary_by_role on boundary (role_id) where role_id is not null;
create index boundary_by_policy_id on boundary (policy_id) where policy_id is not null;
create index inline_policy_by_group on inline_policy (group_id) where group_id is not null;
create index inline_policy_by_principal on inline_policy (principal_id) where principal_id is not null;
create index inline_policy_by_role on inline_policy (role_id) where role_id is not null;
