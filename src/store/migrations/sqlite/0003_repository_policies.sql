-- Whether any repository of a registry has a policy must not take a look at all of them.
create index repository_with_policy on repository (region) where policy is not null;

-- The administrator that `init` made holds AdministratorAccess from the beginning. One that was made before is given it
-- here, once, if it still has both of the access policies that it was made with, as they were.
insert into attachment (principal_id, policy_arn, attached_at)
select principal.id, 'arn:aws:iam::aws:policy/AdministratorAccess', account.created_at
from account join principal on principal.kind = 'user' and principal.created_at = account.created_at
where 2 = (
    select count(*) from policy
    where policy.principal_id = principal.id and policy.created_by = principal.id
        and policy.created_at = account.created_at and policy.version = 1
        and policy.description = 'The administrator that `init` made'
)
on conflict do nothing;
