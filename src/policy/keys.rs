//! The condition keys that a request here can have: to tell a misspelt key from one that is not there.

/// Those that have one name.
const KEYS: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principaltype",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceidentity",
    "aws:sourceip",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "ecr:accountsetting",
    "iam:awsservicename",
    "iam:passedtoservice",
    "iam:permissionsboundary",
    "iam:policyarn",
    "registry:credentialtype",
    "registry:digest",
    "registry:endpoint",
    "registry:manifestsize",
    "registry:mediatype",
    "registry:operation",
    "registry:scanage",
    "registry:signed",
    "registry:tag",
    "registry:tagexists",
    "registry:vulnerabilityseverity",
    "sts:durationseconds",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
];

/// Those that end in a tag's key.
const TAGS: &[&str] =
    &["aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "ecr:resourcetag/", "iam:resourcetag/"];

/// What a token of an identity provider says, after the provider's name.
const CLAIMS: &[&str] = &[":amr", ":aud", ":oaud", ":sub"];

/// Whether requests can have the key; names are read in any case.
#[must_use]
pub fn is_known(name: &str) -> bool {
    let name = name.to_lowercase();
    let tag = TAGS.iter().any(|prefix| name.strip_prefix(prefix).is_some_and(|key| !key.is_empty()));
    let claim = CLAIMS.iter().any(|claim| name.strip_suffix(claim).is_some_and(|host| host.contains('.')));
    tag || claim || KEYS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn misspelt_keys_are_told_from_known_ones() {
        for name in ["aws:SourceIp", "REGISTRY:tag", "aws:PrincipalTag/Team", "idp.example.com/x:sub"] {
            assert!(is_known(name), "{name}");
        }
        for name in ["", "aws:SourceIP4", "tag", "registry:Tags", "aws:PrincipalTag/", "idp:sub"] {
            assert!(!is_known(name), "{name}");
        }
    }
}
