-- What the account says of its identities, as the API shows it.
alter table account add column identity_settings text not null default '{}';

-- When somebody, or their key, was last authenticated, and how often.
create table activity (
    entity text not null primary key,
    last_authn integer not null,
    authn_count integer not null check (authn_count > 0)
) strict, without rowid;
create trigger activity_ends_with_its_principal after delete on principal
begin
    delete from activity where entity = old.id;
end;
create trigger activity_ends_with_its_key after delete on api_key
begin
    delete from activity where entity = old.id;
end;
