-- What IBM's dialect keeps beside identities and policies. Lists of text as JSON.

-- Roles that the account has made. Names are unique in any case, within their service.
create table custom_role (
    id text not null primary key,
    crn text not null unique,
    name text not null,
    display_name text not null,
    folded text not null,
    service_name text not null,
    description text not null,
    actions text not null,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0),
    unique (service_name, folded)
) strict;
create index custom_role_by_age on custom_role (created_at, id);

-- Which of them a policy grants: none goes while it is in use.
create table policy_role (
    policy_id text not null references policy (id) on delete cascade,
    role_id text not null references custom_role (id),
    primary key (policy_id, role_id)
) strict, without rowid;
create index policy_role_by_role on policy_role (role_id, policy_id);

create view policy_with_roles as
select policy.*, (
    select json_group_array(json_object('crn', crn, 'display_name', display_name, 'actions', json(actions)))
    from policy_role join custom_role on custom_role.id = role_id where policy_id = policy.id
) as custom
from policy;

-- Policies that can be restored for a while. Nothing that decides reads them.
create table deleted_policy (
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
    deleted_at integer not null,
    check ((group_id is null) <> (principal_id is null))
) strict;
create index deleted_policy_by_group on deleted_policy (group_id, created_at, id) where group_id is not null;
create index deleted_policy_by_principal on deleted_policy (principal_id, created_at, id) where principal_id is not null;
create index deleted_policy_by_age on deleted_policy (created_at, id);
create index deleted_policy_by_end on deleted_policy (deleted_at);

-- Who is in a group because of what an identity provider says of them.
create table group_rule (
    id text not null primary key,
    group_id text not null references access_group (id) on delete cascade,
    name text not null,
    realm text not null,
    expiration integer not null check (expiration between 1 and 24),
    conditions text not null,
    created_by text not null,
    modified_by text not null,
    created_at integer not null,
    modified_at integer not null,
    version integer not null check (version > 0)
) strict;
create index group_rule_by_group on group_rule (group_id, created_at, id);

-- What people say of themselves. Nothing is decided by it.
create table user_profile (
    principal_id text not null primary key references principal (id) on delete cascade,
    firstname text not null,
    lastname text not null,
    phonenumber text not null,
    altphonenumber text not null,
    photo text not null
) strict, without rowid;

-- What was done with a service ID or an API key. The audit log is what counts; this is for those who look at one thing.
create table history (
    number integer primary key,
    entity text not null,
    at integer not null,
    by text not null,
    action text not null,
    params text not null,
    message text not null
) strict;
create index history_by_entity on history (entity, number);
create trigger history_ends_with_its_principal after delete on principal
begin
    delete from history where entity = old.id;
end;
create trigger history_ends_with_its_key after delete on api_key
begin
    delete from history where entity = old.id;
end;
