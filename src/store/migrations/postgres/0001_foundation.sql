-- All that SQLite's steps 1 to 14 come to; what each table is for is said there. Times are milliseconds since the Unix epoch.
-- Texts are compared byte by byte, whatever the database's own collation. Later files only ever add.

create table account (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    created_at bigint not null,
    only_one bigint not null default 1 unique check (only_one = 1),
    allowed_ips text collate "C" not null default '',
    private_only boolean not null default false,
    settings_modified_at bigint,
    settings_version bigint not null default 1 check (settings_version > 0),
    identity_settings text collate "C" not null default '{}'
);

create table access_group (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    folded text collate "C" not null unique,
    description text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    path text collate "C" not null default '/'
);
create index access_group_by_age on access_group (created_at, id);

create table signing_key (
    kid text collate "C" not null primary key,
    sealed bytea not null,
    public bytea not null,
    created_at bigint not null,
    retires_at bigint
);

create table registry (
    region text collate "C" not null primary key,
    policies_enforced boolean not null,
    private_only boolean not null,
    platform_metrics boolean not null
);

create table namespace (
    region text collate "C" not null,
    name text collate "C" not null,
    created_at bigint not null,
    primary key (region, name)
);

create table change (
    seq bigint not null primary key,
    kind text collate "C" not null,
    key text collate "C" not null,
    at bigint not null
);

create table role (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    folded text collate "C" not null unique,
    path text collate "C" not null,
    trust text collate "C" not null,
    description text collate "C" not null,
    max_session bigint not null check (max_session between 3600 and 43200),
    last_used_at bigint,
    last_used_region text collate "C",
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    check ((last_used_at is null) = (last_used_region is null))
);
create index role_by_age on role (created_at, id);

create table managed_policy (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    folded text collate "C" not null unique,
    path text collate "C" not null,
    description text collate "C" not null,
    default_version bigint not null,
    last_version bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index managed_policy_by_age on managed_policy (created_at, id);

create table policy_version (
    policy_id text collate "C" not null references managed_policy (id) on delete cascade,
    number bigint not null check (number > 0),
    document text collate "C" not null,
    created_at bigint not null,
    primary key (policy_id, number)
);
alter table managed_policy add constraint managed_policy_has_its_default
    foreign key (id, default_version) references policy_version (policy_id, number) deferrable initially deferred;

create table oidc_provider (
    url text collate "C" not null primary key,
    client_ids text collate "C" not null,
    thumbprints text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);

create table repository (
    region text collate "C" not null,
    name text collate "C" not null,
    mutability text collate "C" not null check (mutability in
        ('IMMUTABLE', 'IMMUTABLE_WITH_EXCLUSION', 'MUTABLE', 'MUTABLE_WITH_EXCLUSION')),
    exclusions text collate "C" not null,
    policy text collate "C",
    created_at bigint not null,
    scan_on_push boolean not null default false,
    primary key (region, name)
);
create index repository_by_age on repository (region, created_at, name);
create index repository_with_policy on repository (region) where policy is not null;

create table network_zone (
    id text collate "C" not null primary key,
    name text collate "C" not null unique,
    document text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);
create index network_zone_by_age on network_zone (created_at, id);

create table network_rule (
    id text collate "C" not null primary key,
    document text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);
create index network_rule_by_age on network_rule (created_at, id);

create table image (
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    pushed_at bigint not null,
    pulled_at bigint,
    primary key (region, repository, digest)
);

create table lifecycle (
    region text collate "C" not null,
    repository text collate "C" not null,
    text text collate "C",
    evaluated_at bigint,
    preview text collate "C",
    previewed_at bigint,
    primary key (region, repository),
    foreign key (region, repository) references repository (region, name) on delete cascade,
    check ((preview is null) = (previewed_at is null))
);

create table registry_setting (
    region text collate "C" not null,
    name text collate "C" not null,
    value text collate "C" not null,
    primary key (region, name)
);

create table layer_upload (
    id text collate "C" not null primary key,
    region text collate "C" not null,
    repository text collate "C" not null,
    opener text collate "C" not null,
    upstream text collate "C" not null,
    query text collate "C" not null,
    received bigint not null,
    short_part bigint not null,
    started_at bigint not null
);

create table custom_role (
    id text collate "C" not null primary key,
    crn text collate "C" not null unique,
    name text collate "C" not null,
    display_name text collate "C" not null,
    folded text collate "C" not null,
    service_name text collate "C" not null,
    description text collate "C" not null,
    actions text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    unique (service_name, folded)
);
create index custom_role_by_age on custom_role (created_at, id);

create table group_rule (
    id text collate "C" not null primary key,
    group_id text collate "C" not null references access_group (id) on delete cascade,
    name text collate "C" not null,
    realm text collate "C" not null,
    expiration bigint not null check (expiration between 1 and 24),
    conditions text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);
create index group_rule_by_group on group_rule (group_id, created_at, id);
create index group_rule_by_realm on group_rule (realm, created_at, id);

create table history (
    number bigint generated by default as identity primary key,
    entity text collate "C" not null,
    at bigint not null,
    by text collate "C" not null,
    action text collate "C" not null,
    params text collate "C" not null,
    message text collate "C" not null
);
create index history_by_entity on history (entity, number);

create table trash (
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    tags text collate "C" not null,
    deleted_at bigint not null,
    expires_at bigint not null,
    purging boolean not null default false,
    primary key (region, repository, digest)
);
create index trash_by_expiry on trash (expires_at);

create table hidden_tag (
    region text collate "C" not null,
    repository text collate "C" not null,
    tag text collate "C" not null,
    digest text collate "C" not null,
    primary key (region, repository, tag)
);
create index hidden_tag_by_digest on hidden_tag (region, repository, digest);

create table quota (
    region text collate "C" not null primary key,
    storage bigint check (storage >= 0),
    traffic bigint check (traffic >= 0)
);

create table usage (
    region text collate "C" not null primary key,
    month bigint not null,
    traffic bigint not null,
    storage bigint not null,
    surveyed_at bigint not null
);

create table retention (
    region text collate "C" not null,
    namespace text collate "C" not null,
    images bigint check (images > 0),
    retain_untagged boolean not null,
    threshold_days bigint check (threshold_days > 0),
    ran_at bigint not null,
    primary key (region, namespace)
);

create table namespace_group (
    region text collate "C" not null,
    namespace text collate "C" not null,
    resource_group text collate "C" not null,
    primary key (region, namespace),
    foreign key (region, namespace) references namespace (region, name) on delete cascade
);

create table principal (
    id text collate "C" not null primary key,
    kind text collate "C" not null check (kind in ('profile', 'service_id', 'user')),
    name text collate "C" not null,
    folded text collate "C" check ((folded is null) = (kind = 'service_id')),
    description text collate "C" not null,
    active boolean not null,
    locked boolean not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    path text collate "C" not null default '/',
    allowed_ips text collate "C" not null default '',
    unique_id text collate "C" generated always as (
        case kind when 'user' then 'AIDA' when 'profile' then 'AIDAP' else 'AIDAS' end ||
        replace(replace(replace(replace(upper(right(replace(id, '-', ''), case kind when 'user' then 17 else 16 end)),
            '0', 'W'), '1', 'X'), '8', 'Y'), '9', 'Z')) stored,
    unique (kind, folded)
);
create index principal_by_age on principal (kind, created_at, id);
create index principal_by_name on principal (kind, name, created_at, id);
create unique index principal_by_unique_id on principal (unique_id);

create table api_key (
    id text collate "C" not null primary key,
    owner text collate "C" not null references principal (id) on delete cascade,
    name text collate "C" not null,
    description text collate "C" not null,
    hash bytea not null unique check (length(hash) = 32),
    locked boolean not null,
    disabled boolean not null,
    expires_at bigint,
    created_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    allowed_ips text collate "C" not null default ''
);
create index api_key_by_owner on api_key (owner, created_at, id);
create index api_key_by_age on api_key (created_at, id);

create table membership (
    group_id text collate "C" not null references access_group (id) on delete cascade,
    member text collate "C" not null references principal (id) on delete cascade,
    added_at bigint not null,
    added_by text collate "C" not null,
    primary key (group_id, member)
);
create index membership_by_member on membership (member, group_id);
create index membership_by_age on membership (group_id, added_at, member);

create table policy (
    id text collate "C" not null primary key,
    group_id text collate "C" references access_group (id) on delete cascade,
    principal_id text collate "C" references principal (id) on delete cascade,
    document text collate "C" not null,
    description text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    check ((group_id is null) <> (principal_id is null))
);
create index policy_by_group on policy (group_id, created_at, id) where group_id is not null;
create index policy_by_principal on policy (principal_id, created_at, id) where principal_id is not null;
create index policy_by_age on policy (created_at, id);

create table attachment (
    group_id text collate "C" references access_group (id) on delete cascade,
    principal_id text collate "C" references principal (id) on delete cascade,
    role_id text collate "C" references role (id) on delete cascade,
    holder text collate "C" not null generated always as (coalesce(group_id, principal_id, role_id)) stored,
    policy_id text collate "C" references managed_policy (id),
    policy_arn text collate "C",
    policy text collate "C" not null generated always as (coalesce(policy_id, policy_arn)) stored,
    attached_at bigint not null,
    check (num_nonnulls(group_id, principal_id, role_id) = 1),
    check ((policy_id is null) <> (policy_arn is null))
);
create unique index attachment_by_holder on attachment (holder, policy);
create index attachment_by_policy on attachment (policy, attached_at, holder);
create index attachment_by_group on attachment (group_id) where group_id is not null;
create index attachment_by_principal on attachment (principal_id) where principal_id is not null;
create index attachment_by_role on attachment (role_id) where role_id is not null;
create index attachment_by_policy_id on attachment (policy_id) where policy_id is not null;

create table boundary (
    principal_id text collate "C" references principal (id) on delete cascade,
    role_id text collate "C" references role (id) on delete cascade,
    holder text collate "C" not null generated always as (coalesce(principal_id, role_id)) stored,
    policy_id text collate "C" references managed_policy (id),
    policy_arn text collate "C",
    policy text collate "C" not null generated always as (coalesce(policy_id, policy_arn)) stored,
    attached_at bigint not null,
    check ((principal_id is null) <> (role_id is null)),
    check ((policy_id is null) <> (policy_arn is null))
);
create unique index boundary_by_holder on boundary (holder);
create index boundary_by_policy on boundary (policy, attached_at, holder);
create index boundary_by_principal on boundary (principal_id) where principal_id is not null;
create index boundary_by_role on boundary (role_id) where role_id is not null;
create index boundary_by_policy_id on boundary (policy_id) where policy_id is not null;

create table inline_policy (
    group_id text collate "C" references access_group (id) on delete cascade,
    principal_id text collate "C" references principal (id) on delete cascade,
    role_id text collate "C" references role (id) on delete cascade,
    holder text collate "C" not null generated always as (coalesce(group_id, principal_id, role_id)) stored,
    name text collate "C" not null,
    document text collate "C" not null,
    check (num_nonnulls(group_id, principal_id, role_id) = 1)
);
create unique index inline_policy_by_holder on inline_policy (holder, name);
create index inline_policy_by_group on inline_policy (group_id) where group_id is not null;
create index inline_policy_by_principal on inline_policy (principal_id) where principal_id is not null;
create index inline_policy_by_role on inline_policy (role_id) where role_id is not null;

create table access_key (
    id text collate "C" not null primary key,
    owner text collate "C" not null references principal (id) on delete cascade,
    sealed bytea not null,
    active boolean not null,
    last_used_at bigint,
    last_used_region text collate "C",
    last_used_service text collate "C",
    created_at bigint not null,
    check ((last_used_at is null) = (last_used_region is null)),
    check ((last_used_at is null) = (last_used_service is null))
);
create index access_key_by_owner on access_key (owner, created_at, id);

create table tag (
    principal_id text collate "C" references principal (id) on delete cascade,
    role_id text collate "C" references role (id) on delete cascade,
    policy_id text collate "C" references managed_policy (id) on delete cascade,
    provider text collate "C" references oidc_provider (url) on delete cascade,
    region text collate "C",
    repository text collate "C",
    owner text collate "C" not null generated always as
        (coalesce(principal_id, role_id, policy_id, provider, '/' || region || '/' || repository)) stored,
    key text collate "C" not null,
    folded text collate "C" not null,
    value text collate "C" not null,
    foreign key (region, repository) references repository (region, name) on delete cascade,
    check ((region is null) = (repository is null)),
    check (num_nonnulls(principal_id, role_id, policy_id, provider, region) = 1)
);
create unique index tag_by_owner on tag (owner, folded);
create index tag_by_repository on tag (region, repository) where region is not null;
create index tag_by_principal on tag (principal_id) where principal_id is not null;
create index tag_by_role on tag (role_id) where role_id is not null;
create index tag_by_policy on tag (policy_id) where policy_id is not null;
create index tag_by_provider on tag (provider) where provider is not null;

create table policy_role (
    policy_id text collate "C" not null references policy (id) on delete cascade,
    role_id text collate "C" not null references custom_role (id),
    primary key (policy_id, role_id)
);
create index policy_role_by_role on policy_role (role_id, policy_id);

create table deleted_policy (
    id text collate "C" not null primary key,
    group_id text collate "C" references access_group (id) on delete cascade,
    principal_id text collate "C" references principal (id) on delete cascade,
    document text collate "C" not null,
    description text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    deleted_at bigint not null,
    check ((group_id is null) <> (principal_id is null))
);
create index deleted_policy_by_group on deleted_policy (group_id, created_at, id) where group_id is not null;
create index deleted_policy_by_principal on deleted_policy (principal_id, created_at, id) where principal_id is not null;
create index deleted_policy_by_age on deleted_policy (created_at, id);
create index deleted_policy_by_end on deleted_policy (deleted_at);

create table user_profile (
    principal_id text collate "C" not null primary key references principal (id) on delete cascade,
    firstname text collate "C" not null,
    lastname text collate "C" not null,
    phonenumber text collate "C" not null,
    altphonenumber text collate "C" not null,
    photo text collate "C" not null
);

create table trusted_profile (
    principal_id text collate "C" not null primary key references principal (id) on delete cascade,
    email text collate "C" not null,
    identities_modified_at bigint not null,
    identities_version bigint not null check (identities_version > 0)
);

create table profile_identity (
    number bigint generated by default as identity primary key,
    profile_id text collate "C" not null references principal (id) on delete cascade,
    principal_id text collate "C" references principal (id) on delete cascade,
    crn text collate "C",
    identity text collate "C" not null generated always as (coalesce(principal_id, crn)) stored,
    description text collate "C" not null,
    check ((principal_id is null) <> (crn is null)),
    unique (profile_id, identity)
);
create index profile_identity_by_principal on profile_identity (principal_id) where principal_id is not null;

create table profile_link (
    id text collate "C" not null primary key,
    profile_id text collate "C" not null references principal (id) on delete cascade,
    name text collate "C" not null,
    cr_type text collate "C" not null,
    crn text collate "C" not null,
    namespace text collate "C" not null,
    resource text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);
create index profile_link_by_profile on profile_link (profile_id, created_at, id);

create table profile_rule (
    id text collate "C" not null primary key,
    profile_id text collate "C" not null references principal (id) on delete cascade,
    name text collate "C" not null,
    cr_type text collate "C",
    realm text collate "C",
    expiration bigint check (expiration > 0),
    conditions text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0),
    check ((cr_type is null) <> (realm is null)),
    check ((realm is null) = (expiration is null))
);
create index profile_rule_by_profile on profile_rule (profile_id, created_at, id);

create table claimed_membership (
    rule_id text collate "C" not null references group_rule (id) on delete cascade,
    member text collate "C" not null references principal (id) on delete cascade,
    group_id text collate "C" not null references access_group (id) on delete cascade,
    ends_at bigint not null,
    primary key (rule_id, member)
);
create index claimed_membership_by_member on claimed_membership (member, group_id);
create index claimed_membership_by_group on claimed_membership (group_id, member);

create table resource_group (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null
);
create unique index resource_group_by_name on resource_group (lower(name));

create table compliance_rule (
    id text collate "C" not null primary key,
    document text collate "C" not null,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);
create index compliance_rule_by_age on compliance_rule (created_at, id);

create table compliance_verdict (
    profile text collate "C" not null,
    id text collate "C" not null,
    document text collate "C" not null,
    primary key (profile, id)
);

create table compliance_scan (
    number bigint generated by default as identity primary key,
    profile text collate "C" not null,
    at bigint not null,
    document text collate "C" not null
);
create index compliance_scan_by_profile on compliance_scan (profile, number);

create table compliance_drift (
    number bigint generated by default as identity primary key,
    at bigint not null,
    document text collate "C" not null
);

create table private_since (
    region text collate "C" not null primary key,
    at bigint not null
);

create table last_use (
    subject text collate "C" not null primary key,
    at bigint not null
);

create table public_transfer (
    region text collate "C" not null primary key,
    at bigint not null,
    by text collate "C" not null,
    source text collate "C" not null
);

create table deed (
    number bigint generated by default as identity primary key,
    at bigint not null,
    principal text collate "C" not null,
    name text collate "C" not null,
    action text collate "C" not null,
    target text collate "C" not null,
    request_id text collate "C" not null
);
create index deed_by_time on deed (at);

create table report (
    id bigint generated by default as identity primary key,
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    channel text collate "C" not null,
    format text collate "C" not null,
    tool text collate "C" not null,
    os_name text collate "C",
    os_version text collate "C",
    is_scan boolean not null,
    made_at bigint not null,
    received_at bigint not null,
    findings text collate "C" not null,
    dismissed text collate "C" not null,
    unknown bigint not null,
    negligible bigint not null,
    low bigint not null,
    medium bigint not null,
    high bigint not null,
    critical bigint not null,
    unique (region, repository, digest, channel, format)
);
create index report_by_count on report (region, repository, digest, unknown, negligible, low, medium, high, critical);
create index report_by_scan on report (id, is_scan, made_at);

create table report_image (
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    report_id bigint not null references report (id) on delete cascade,
    primary key (region, repository, digest, report_id)
);
create index report_image_by_report on report_image (report_id);

create table new_finding (
    id bigint generated by default as identity primary key,
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    issue text collate "C" not null,
    package text collate "C" not null,
    severity text collate "C" not null,
    found_at bigint not null
);
create index new_finding_by_issue on new_finding (digest, issue, package);

create table exemption (
    region text collate "C" not null,
    scope text collate "C" not null,
    issue_type text collate "C" not null,
    issue_id text collate "C" not null,
    expires_at bigint,
    reason text collate "C" not null,
    created_by text collate "C" not null,
    created_at bigint not null
);
create unique index exemption_by_issue on exemption (region, scope, issue_type, lower(issue_id));

create table activity (
    entity text collate "C" not null primary key,
    last_authn bigint not null,
    authn_count bigint not null check (authn_count > 0)
);

create table notification_channel (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    document text collate "C" not null,
    secret bytea not null,
    delivered_at bigint,
    failed_at bigint,
    created_by text collate "C" not null,
    modified_by text collate "C" not null,
    created_at bigint not null,
    modified_at bigint not null,
    version bigint not null check (version > 0)
);
create unique index notification_channel_by_name on notification_channel (lower(name));

create table alert (
    number bigint generated by default as identity primary key,
    cause text collate "C" not null unique,
    document text collate "C" not null
);

create table alert_delivery (
    alert bigint not null references alert (number) on delete cascade,
    channel text collate "C" not null references notification_channel (id) on delete cascade,
    state text collate "C" not null check (state in ('delivered', 'failed', 'pending')),
    attempts bigint not null,
    next_at bigint not null,
    last_at bigint,
    status bigint,
    error text collate "C",
    primary key (alert, channel)
);
create index alert_delivery_by_channel on alert_delivery (channel, state, next_at);

create table alert_cursor (
    source text collate "C" not null primary key,
    position bigint not null
);

create table census_tag (
    region text collate "C" not null,
    repository text collate "C" not null,
    tag text collate "C" not null,
    digest text collate "C" not null,
    seen_at bigint not null,
    primary key (region, repository, tag)
);
create index census_tag_by_digest on census_tag (region, repository, digest);

create table census_manifest (
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    nature text collate "C" not null,
    primary key (region, repository, digest)
);

create table census_child (
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    child text collate "C" not null,
    primary key (region, repository, digest, child)
);
create index census_child_by_child on census_child (region, repository, child);

create table census_signature (
    region text collate "C" not null,
    repository text collate "C" not null,
    subject text collate "C" not null,
    digest text collate "C" not null,
    tag text collate "C" not null,
    primary key (region, repository, subject, digest)
);
create index census_signature_by_digest on census_signature (region, repository, digest);

create table census (
    region text collate "C" not null primary key,
    looked_at bigint not null
);

create table pushed_report (
    id bigint generated by default as identity primary key,
    region text collate "C" not null,
    repository text collate "C" not null,
    digest text collate "C" not null,
    subject text collate "C" not null,
    pushed_at bigint not null,
    waits boolean not null default false,
    unique (region, repository, digest, subject)
);
create index pushed_report_by_subject on pushed_report (region, repository, subject);

create view policy_with_roles as
select policy.*, coalesce((
    select json_agg(json_build_object('crn', crn, 'display_name', display_name, 'actions', actions::json))::text
    from policy_role join custom_role on custom_role.id = role_id where policy_id = policy.id
), '[]') as custom
from policy;

create function nothing_is_left_of_it() returns trigger language plpgsql as $$
begin
    delete from history where entity = old.id;
    delete from activity where entity = old.id;
    return null;
end
$$;
create trigger nothing_is_left_of_a_principal after delete on principal
    for each row execute function nothing_is_left_of_it();
create trigger nothing_is_left_of_a_key after delete on api_key
    for each row execute function nothing_is_left_of_it();

insert into alert_cursor (source, position) values ('drift', 0), ('findings', 0);
