-- Trusted profiles. They are principals, so the table of principals is made anew with a kind for them (foreign keys are off
-- while the schema is brought up to date, and checked afterwards). Names are unique within a kind; service IDs' are not.
create table principal_of_three_kinds (
    id text not null primary key,
    kind text not null check (kind in ('profile', 'service_id', 'user')),
    name text not null,
    folded text check ((folded is null) = (kind = 'service_id')),
    description text not null,
    active integer not null check (active in (0, 1)),
    locked integer not null check (locked in (0, 1)),
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0),
    path text not null default '/',
    allowed_ips text not null default '',
    unique_id text generated always as (
        case kind when 'user' then 'AIDA' when 'profile' then 'AIDAP' else 'AIDAS' end ||
        replace(replace(replace(replace(upper(substr(replace(id, '-', ''), iif(kind = 'user', -17, -16))),
            '0', 'W'), '1', 'X'), '8', 'Y'), '9', 'Z')) virtual,
    unique (kind, folded)
) strict;
insert into principal_of_three_kinds
    (id, kind, name, folded, description, active, locked, created_at, modified_at, version, path, allowed_ips)
    select id, kind, name, folded, description, active, locked, created_at, modified_at, version, path, allowed_ips
    from principal;
drop table principal;
alter table principal_of_three_kinds rename to principal;
create index principal_by_age on principal (kind, created_at, id);
create index principal_by_name on principal (kind, name, created_at, id);
create unique index principal_by_unique_id on principal (unique_id);
create trigger history_ends_with_its_principal after delete on principal
begin
    delete from history where entity = old.id;
end;

create table trusted_profile (
    principal_id text not null primary key references principal (id) on delete cascade,
    email text not null,
    identities_modified_at integer not null,
    identities_version integer not null check (identities_version > 0)
) strict, without rowid;

-- Whom a profile trusts: by name, by link, by rule. Conditions are JSON, as the API writes them.
create table profile_identity (
    number integer primary key,
    profile_id text not null references principal (id) on delete cascade,
    principal_id text references principal (id) on delete cascade,
    crn text,
    identity text not null generated always as (coalesce(principal_id, crn)) stored,
    description text not null,
    check ((principal_id is null) <> (crn is null)),
    unique (profile_id, identity)
) strict;
create index profile_identity_by_principal on profile_identity (principal_id) where principal_id is not null;

create table profile_link (
    id text not null primary key,
    profile_id text not null references principal (id) on delete cascade,
    name text not null,
    cr_type text not null,
    crn text not null,
    namespace text not null,
    resource text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index profile_link_by_profile on profile_link (profile_id, created_at, id);

create table profile_rule (
    id text not null primary key,
    profile_id text not null references principal (id) on delete cascade,
    name text not null,
    cr_type text,
    realm text,
    expiration integer check (expiration > 0),
    conditions text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0),
    check ((cr_type is null) <> (realm is null)),
    check ((realm is null) = (expiration is null))
) strict;
create index profile_rule_by_profile on profile_rule (profile_id, created_at, id);

-- Who is in a group until then because of what an identity provider said of them, by which rule.
create table claimed_membership (
    rule_id text not null references group_rule (id) on delete cascade,
    member text not null references principal (id) on delete cascade,
    group_id text not null references access_group (id) on delete cascade,
    ends_at integer not null,
    primary key (rule_id, member)
) strict, without rowid;
create index claimed_membership_by_member on claimed_membership (member, group_id);
create index claimed_membership_by_group on claimed_membership (group_id, member);
create index group_rule_by_realm on group_rule (realm, created_at, id);
