//! The page `docs/actions.md` is the action table in words: made of it, of the roles and of what the registry asks for.

#![cfg(test)]

use std::fmt::Write as _;

use portcullis::api::routes::{Access, ROUTES};
use portcullis::policy::ibm::role::Role;
use portcullis::policy::table::{Action, ActionId, product};
use portcullis::policy::words::for_right;
use portcullis::registry::needs::Right;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/actions.md");
const HEAD: &str = "\
# Actions

Every action that a policy can name. This page is made from the action table (`src/policy/table`) by
`cargo test --test actions -- accept the_page`; a test compares the two.

An action without a resource type is asked on `*`: a statement that lists it beside a narrower `Resource` never matches it. The last
column says what a client does when it is asked for: a call of the registry, or one of the management API. Where IBM's and AWS's names
stand for the same, those of one of them suffice. An action without an entry there is one that policies may name and nothing asks for yet.
";

#[test]
fn the_page_says_what_the_table_says() {
    let shown = page();
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    if std::env::args().any(|argument| argument == "accept") {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
        std::fs::write(PAGE, &shown).unwrap();
        return;
    }
    assert_eq!(shown, kept, "cargo test --test actions -- accept the_page; then review the diff");
}

#[test]
fn the_page_has_every_action_once() {
    let page = page();
    for action in product().actions() {
        let row = format!("| `{}` |", product().name(action));
        assert_eq!(page.matches(&row).count(), 1, "{row}");
    }
}

#[test]
fn the_page_on_policies_names_condition_keys_that_requests_have() {
    let page = include_str!("../docs/policies.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let mut keys = 0;
    for key in rows.flat_map(|cell| cell.split("`, `")).map(|key| key.trim_end_matches('`')) {
        assert!(portcullis::policy::keys::is_known(key), "{key}");
        keys += 1;
    }
    assert!(keys > 20, "{keys}");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## IBM's names\n\n| action | roles that grant it | asked for to |\n|---|---|---|\n");
    for action in product().actions() {
        let name = product().name(action);
        let Some(known) = Action::parse(name) else { continue };
        let roles: Vec<&str> =
            Role::ALL.into_iter().filter(|role| role.has(known)).map(Role::display_name).collect();
        let asked = calls(known, asked(|words| words.ibm == known));
        writeln!(page, "| `{name}` | {} | {asked} |", roles.join(", ")).unwrap();
    }
    for (service, title) in [("ecr:", "ECR"), ("iam:", "IAM"), ("sts:", "STS")] {
        writeln!(
            page,
            "\n## AWS's names: {title}\n\n| action | resource type | asked for to |\n|---|---|---|"
        )
        .unwrap();
        let own = product().actions().filter(|action| product().name(*action).starts_with(service));
        for action in own {
            let asked = asked(|words| words.aws.contains(&action)).join("; ");
            writeln!(page, "| `{}` | {} | {asked} |", product().name(action), resource(action)).unwrap();
        }
    }
    page
}

/// The endpoints that need the action, behind the rights.
fn calls(action: Action, rights: Vec<String>) -> String {
    let needs = |access: &Access| match access {
        Access::Needs(needed) | Access::Listing(needed) => *needed == action,
        Access::Anyone | Access::Proven => false,
    };
    let calls = ROUTES.iter().filter(|route| needs(&route.access));
    let calls = calls.map(|route| format!("`{} {}`", route.method, route.template));
    rights.into_iter().chain(calls).collect::<Vec<_>>().join("; ")
}

/// What the action acts on.
fn resource(action: ActionId) -> &'static str {
    let name = product().name(action);
    match (action.is_typed(), name.split_once(':').map(|(service, _)| service)) {
        (false, _) => "",
        (true, Some("ecr")) => "repository",
        (true, Some("iam")) => "user, role, group, policy or identity provider",
        (true, Some("sts")) if action.is_assuming() => "role",
        (true, Some("sts")) => "federated user",
        (true, _) => panic!("{name} acts on something that the page has no word for"),
    }
}

/// The rights that it is one of the words for.
fn asked(is: impl Fn(&portcullis::policy::words::Words) -> bool) -> Vec<String> {
    let rights = Right::ALL.iter().filter(|right| for_right(**right).iter().any(&is));
    rights.map(|right| does(*right).to_owned()).collect()
}

fn does(right: Right) -> &'static str {
    match right {
        Right::CheckBlob => "learn whether a blob is there",
        Right::ContinueUpload => "continue, inspect or give up an upload",
        Right::Delete => "delete a manifest, tag or blob",
        Right::FinishUpload => "finish an upload",
        Right::ListTags => "list tags",
        Right::ReadBlob => "read a blob",
        Right::ReadManifest => "read a manifest or its referrers",
        Right::StartUpload => "begin an upload",
        Right::WriteBlob => "upload a blob in one call",
        Right::WriteManifest => "write a manifest or tag",
    }
}
