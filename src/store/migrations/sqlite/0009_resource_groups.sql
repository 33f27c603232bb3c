-- Resource groups: names for what namespaces are put into. The default one has no row.
create table resource_group (
    id text not null primary key,
    name text not null unique collate nocase,
    created_at integer not null,
    modified_at integer not null
) strict, without rowid;

-- Until now a namespace named its group itself.
insert into resource_group (id, name, created_at, modified_at)
    select lower(hex(randomblob(16))), min(resource_group), 0, 0
    from namespace_group group by lower(resource_group);
update namespace_group set resource_group =
    (select id from resource_group where name = namespace_group.resource_group);
