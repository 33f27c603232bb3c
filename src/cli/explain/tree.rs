//! An explanation as a tree: the answer, then each kind of policy in turn with what decided and what nearly did, then what
//! would be needed. Pure text.

use super::answer::{Condition, Considered, Decider, Document, Explanation, Resource, Resources, Statement};
use crate::cli::display::tame;
use crate::policy::ibm::role::Role;

/// A line, and the lines below it.
struct Node {
    text: String,
    below: Vec<Node>,
}

impl Node {
    fn leaf(text: impl Into<String>) -> Self {
        Self { text: text.into(), below: Vec::new() }
    }

    fn draw(&self, indent: &str, last: bool, lines: &mut Vec<String>) {
        let (branch, further) = if last { ("└─", "   ") } else { ("├─", "│  ") };
        lines.push(format!("{indent}{branch} {}", tame(&self.text)));
        let indent = format!("{indent}{further}");
        draw(&self.below, &indent, lines);
    }
}

fn draw(nodes: &[Node], indent: &str, lines: &mut Vec<String>) {
    let last = nodes.len().saturating_sub(1);
    nodes.iter().enumerate().for_each(|(at, node)| node.draw(indent, at == last, lines));
}

/// The answer alone.
pub(super) fn head(answer: &Explanation) -> String {
    let may = if answer.decision == "allow" { "may" } else { "may not" };
    tame(&format!("{} {may} do {} on {}", name(answer), answer.action, place(&answer.resource)))
}

fn name(answer: &Explanation) -> &str {
    let who = &answer.principal;
    if who.name.is_empty() { &who.iam_id } else { &who.name }
}

/// The answer, and why.
pub(super) fn whole(answer: &Explanation) -> String {
    let mut nodes = circumstances(answer);
    for (kind, none) in [
        ("permissions boundary", "permissions boundary: none, so nothing is cut off"),
        ("session policy", ""),
        ("identity policy", ""),
        ("group policy", ""),
    ] {
        nodes.extend(documents(answer, kind, none));
    }
    nodes.push(access(answer));
    nodes.extend(documents(answer, "repository policy", ""));
    if answer.hidden > 0 {
        let (verb, plural) = if answer.hidden == 1 { ("is", "policy") } else { ("are", "policies") };
        nodes.push(Node::leaf(format!("there {verb} {} {plural} more that you may not see", answer.hidden)));
    }
    nodes.extend(needed(answer));
    let mut lines = vec![head(answer)];
    draw(&nodes, "", &mut lines);
    lines.join("\n")
}

/// What counts besides policies, and which step of the decision it came to.
fn circumstances(answer: &Explanation) -> Vec<Node> {
    let mut nodes = Vec::new();
    if answer.principal.active == Some(false) {
        nodes.push(Node::leaf("the user is disabled, and may do nothing"));
    }
    let refused = answer.network.refused_by.iter();
    nodes.extend(
        refused.map(|by| Node::leaf(format!("it may not come from there, whatever policies say: {by}"))),
    );
    let reported = answer.network.would_refuse.iter();
    nodes.extend(reported.map(|id| Node::leaf(format!("cbr:{id} would refuse it, and only reports"))));
    if answer.considered.iter().any(|row| row.result == "unreadable") {
        nodes.push(Node::leaf("a policy cannot be read, so nothing is allowed until it is replaced"));
    }
    if answer.policies_enforced == Some(false) {
        let text = "policies are not enforced in this registry: everyone in the account has access";
        nodes.push(Node::leaf(text));
    }
    let refused = answer.refused.as_deref().filter(|refused| *refused != answer.action);
    let refused = refused.map(|refused| format!(", asked for {refused}")).unwrap_or_default();
    let step = if answer.class == "allow: everyone" {
        Some("everyone who is known may do this".to_owned())
    } else if let Some(kind) = answer.class.strip_prefix("explicit deny: ") {
        Some(format!("because of an explicit DENY in {} {kind}{refused}", article(kind)))
    } else {
        let kind = answer.class.strip_prefix("implicit deny: ");
        kind.map(|kind| match kind {
            "identity policy" => format!("because no policy allows it{refused}"),
            kind => format!("because no {kind} allows it{refused}"),
        })
    };
    nodes.extend(step.map(Node::leaf));
    nodes
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

/// The documents of one kind; a line if there are none, unless that goes without saying.
fn documents(answer: &Explanation, kind: &str, none: &str) -> Option<Node> {
    let found: Vec<&Document> = answer.documents.iter().filter(|one| one.kind == kind).collect();
    if found.is_empty() {
        let concerned = answer.documents.iter().any(|one| one.kind != "repository policy");
        return (!none.is_empty() && concerned).then(|| Node::leaf(none));
    }
    let decisive = |one: &Document, line: &Statement| {
        let is =
            |by: &Decider| by.policy_id == one.policy_id && by.statement.as_ref() == Some(&line.statement);
        answer.decided_by.iter().any(is)
    };
    let document = |one: &&Document| {
        let group = of_group(one.access_group_name.as_ref(), one.access_group_id.as_ref());
        let (about, others): (Vec<&Statement>, Vec<&Statement>) =
            one.statements.iter().partition(|line| line.result != "other_action");
        let mut below: Vec<Node> =
            about.into_iter().map(|line| Node::leaf(statement(line, decisive(one, line)))).collect();
        if !others.is_empty() {
            let plural = if others.len() == 1 { " is" } else { "s are" };
            below.push(Node::leaf(format!("{} statement{plural} about other actions", others.len())));
        }
        Node { text: format!("{}{group}", one.policy_id), below }
    };
    let plural = kind.strip_suffix('y').map_or_else(|| kind.to_owned(), |stem| format!("{stem}ies"));
    Some(Node { text: plural, below: found.iter().map(document).collect() })
}

/// A statement that is about the action.
fn statement(line: &Statement, decisive: bool) -> String {
    let deny = line.effect == "deny";
    let does = if deny { "DENIES" } else { "allows" };
    let would = if deny { "would deny" } else { "would allow" };
    let only = if line.actions.is_empty() { String::new() } else { format!(" {}", line.actions.join(", ")) };
    let text = match (line.result.as_str(), &line.condition, &line.resources) {
        ("applies", ..) => format!("{does}{only}"),
        (_, Some(one), _) => format!("{would} it, but {}", condition(one)),
        (_, None, Some(resources)) => format!("{would} it, but is for {}", targets(resources)),
        ("other_principal", ..) => format!("{would} it, but names others"),
        (other, ..) => format!("{would} it, but: {other}"),
    };
    let mark = if decisive { " <- decides" } else { "" };
    format!("statement {} {text}{mark}", line.statement)
}

fn condition(one: &Condition) -> String {
    let found = match one.found.as_slice() {
        [] => "has no value".to_owned(),
        values => format!("is {}", values.join(", ")),
    };
    format!(
        "its condition {} {} wants {}, and the key {found}",
        one.operator,
        one.key,
        one.wanted.join(" or ")
    )
}

fn targets(resources: &Resources) -> String {
    let except = if resources.all_except { "all but " } else { "" };
    format!("{except}{}", resources.wanted.join(", "))
}

/// The access policies; first those that allow it.
fn access(answer: &Explanation) -> Node {
    let decisive = |row: &&Considered| answer.decided_by.iter().any(|by| by.policy_id == row.policy_id);
    let (first, others): (Vec<&Considered>, Vec<&Considered>) = answer.considered.iter().partition(decisive);
    if first.is_empty() && others.is_empty() {
        return Node::leaf("access policies: none that you may see, for it or for a group that it is in");
    }
    let decides = first.into_iter().map(|row| Node::leaf(format!("{} <- decides", considered(row))));
    let below = decides.chain(others.into_iter().map(|row| Node::leaf(considered(row)))).collect();
    Node { text: "access policies".to_owned(), below }
}

fn considered(row: &Considered) -> String {
    let roles = if row.roles.is_empty() { String::new() } else { format!(" ({})", row.roles.join(", ")) };
    let why = match (row.result.as_str(), &row.mismatch) {
        ("allows", _) => "allows it".to_owned(),
        ("lacks_action", _) => "is for this resource, but its roles lack the action".to_owned(),
        ("other_time", _) => "is for another time".to_owned(),
        ("unreadable", _) => "cannot be read".to_owned(),
        (_, Some(mismatch)) => {
            let wanted = mismatch.policy_has.as_deref().unwrap_or("something else");
            let found = mismatch.resource_has.as_ref();
            let found = found.map_or_else(|| "has none".to_owned(), |found| format!("is {found}"));
            format!("is for another {}: {wanted}, and this {found}", mismatch.attribute)
        }
        (other, None) => other.to_owned(),
    };
    let group = of_group(row.access_group_name.as_ref(), row.access_group_id.as_ref());
    format!("policy {}{roles}{group} {why}", row.policy_id)
}

/// The group that a policy is for, by its name where that is known.
fn of_group(name: Option<&String>, id: Option<&String>) -> String {
    let group = name.filter(|name| !name.is_empty()).or(id);
    group.map(|group| format!(" of access group {group}")).unwrap_or_default()
}

/// How somebody who may came to it.
pub(in crate::cli) fn through(decider: &Decider) -> String {
    let group = of_group(decider.access_group_name.as_ref(), decider.access_group_id.as_ref());
    let roles =
        if decider.roles.is_empty() { String::new() } else { format!(" ({})", decider.roles.join(", ")) };
    let statement = decider.statement.as_ref().map(|name| format!(", statement {name}")).unwrap_or_default();
    tame(&format!("{} {}{roles}{statement}{group}", decider.kind, decider.policy_id))
}

/// What would be enough, with a command to paste.
fn needed(answer: &Explanation) -> Option<Node> {
    if answer.decision == "allow" {
        return None;
    }
    if answer.class.starts_with("explicit deny") {
        let text =
            "to allow it, take that statement out, or narrow it: an explicit deny outweighs every allow";
        return Some(Node::leaf(text));
    }
    match answer.needed.as_ref().map(|needed| needed.any_role_of.as_slice()) {
        Some([]) | None if answer.class.starts_with("implicit deny") => {
            let action = answer.refused.as_deref().unwrap_or(&answer.action);
            let kind = answer.class.strip_prefix("implicit deny: ").unwrap_or_default();
            let statement = format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{}"}}"#,
                answer.resource.arn.as_deref().unwrap_or("*")
            );
            let text = format!("to allow it, add a statement to {} {kind}", article(kind));
            Some(Node { text, below: vec![Node::leaf(statement)] })
        }
        Some([]) | None => None,
        Some(roles) => {
            let text = format!("any of these roles would be enough: {}", roles.join(", "));
            Some(Node { text, below: command(answer, roles).map(Node::leaf).into_iter().collect() })
        }
    }
}

/// The command that grants the least of the roles, there and nowhere else.
fn command(answer: &Explanation, roles: &[String]) -> Option<String> {
    let least = roles.iter().filter_map(|name| Role::parse(name)).min_by_key(|role| power(*role))?;
    let verb = if answer.principal.iam_id.contains("ServiceId-") { "service" } else { "user" };
    let resource = &answer.resource;
    let flag = |name: &str, value: Option<&String>| {
        value.map(|value| format!(" --{name} {}", quoted(value))).unwrap_or_default()
    };
    let namespace = resource.namespace.as_ref();
    let kind = namespace.map(|_| " --resource-type namespace").unwrap_or_default();
    Some(format!(
        "portcullis iam {verb}-policy-create {} --roles {}{}{}{kind}{}",
        quoted(name(answer)),
        quoted(least.display_name()),
        flag("service-name", resource.service.as_ref()),
        flag("region", resource.region.as_ref()),
        flag("resource", namespace),
    ))
}

/// How much harm a role can do, from little to much. It is not how many actions it has: those of a Reader change nothing.
const fn power(role: Role) -> u8 {
    match role {
        Role::ServiceConfigurationReader => 0,
        Role::UserApiKeyCreator | Role::Viewer => 1,
        Role::Reader => 2,
        Role::Operator | Role::ServiceIdCreator => 3,
        Role::Writer => 4,
        Role::Editor => 5,
        Role::Manager => 6,
        Role::Administrator => 7,
    }
}

/// As a shell reads it as one word. Names are others' to choose.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:+=,".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What is acted on, in words.
pub(in crate::cli) fn place(resource: &Resource) -> String {
    let region = resource.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
    match (&resource.repository, &resource.namespace, &resource.service, &resource.arn) {
        (Some(repository), ..) => format!("repository {repository}{region}"),
        (None, Some(namespace), ..) => format!("namespace {namespace}{region}"),
        (None, None, Some(service), _) if region.is_empty() => format!("the service {service}"),
        (None, None, None, Some(arn)) => arn.clone(),
        (None, None, None, None) if region.is_empty() => "the account".to_owned(),
        (None, None, _, _) => format!("the registry{region}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{head, quoted, whole};
    use crate::cli::wire;

    #[track_caller]
    fn drawn(answer: &Value, expected: &str) {
        assert_eq!(whole(&wire::row(answer).unwrap()), expected);
    }

    fn about(more: &Value) -> Value {
        let mut answer = json!({
            "principal": {"iam_id": "iam-ServiceId-1", "name": "ci", "active": true},
            "action": "container-registry.image.push",
            "resource": {"service": "container-registry", "region": "us-south", "namespace": "birds", "repository": "birds/owl"},
            "decision": "deny", "policies_enforced": true, "class": "implicit deny: identity policy"});
        let (Value::Object(into), Value::Object(more)) = (&mut answer, more) else { panic!("{more}") };
        into.extend(more.clone());
        answer
    }

    #[test]
    fn a_denial_says_what_was_looked_at_and_what_would_be_enough() {
        drawn(
            &about(&json!({
                "considered": [
                    {"policy_id": "p1", "roles": ["Reader"], "result": "lacks_action"},
                    {"policy_id": "p2", "access_group_id": "AccessGroupId-2", "roles": ["Writer"], "result": "other_target",
                     "mismatch": {"attribute": "resource", "policy_has": "cats", "resource_has": "birds"}},
                    {"policy_id": "p3", "access_group_id": "AccessGroupId-3", "access_group_name": "robots", "roles": ["Reader"],
                     "result": "other_target", "mismatch": {"attribute": "resourceType", "policy_has": "namespace"}}],
                "needed": {"any_role_of": ["Manager", "Writer"]}})),
            "ci may not do container-registry.image.push on repository birds/owl in us-south\n\
             ├─ because no policy allows it\n\
             ├─ access policies\n\
             │  ├─ policy p1 (Reader) is for this resource, but its roles lack the action\n\
             │  ├─ policy p2 (Writer) of access group AccessGroupId-2 is for another resource: cats, and this is birds\n\
             │  └─ policy p3 (Reader) of access group robots is for another resourceType: namespace, and this has none\n\
             └─ any of these roles would be enough: Manager, Writer\n   \
                └─ portcullis iam service-policy-create ci --roles Writer --service-name container-registry \
             --region us-south --resource-type namespace --resource birds",
        );
    }

    #[test]
    fn an_allowance_names_the_policy_that_decided() {
        let policy = json!({"policy_id": "p1", "access_group_name": "robots", "roles": ["Writer"], "result": "allows"});
        let other = json!({"policy_id": "p0", "roles": ["Manager"], "result": "other_time"});
        drawn(
            &about(
                &json!({"decision": "allow", "class": "allow: access policy", "considered": [other, policy],
                "decided_by": [{"policy_id": "p1", "kind": "access policy"}]}),
            ),
            "ci may do container-registry.image.push on repository birds/owl in us-south\n\
             └─ access policies\n   \
                ├─ policy p1 (Writer) of access group robots allows it <- decides\n   \
                └─ policy p0 (Manager) is for another time",
        );
    }

    #[test]
    fn each_kind_of_document_stands_in_its_place_with_its_near_misses() {
        let near = json!({"operator": "StringLike", "key": "registry:Tag", "wanted": ["v*", "rc-*"], "found": ["latest"]});
        let absent =
            json!({"operator": "Bool", "key": "aws:SecureTransport", "wanted": ["true"], "found": []});
        let away = json!({"all_except": true, "wanted": ["arn:x"]});
        let documents = json!([
            {"kind": "permissions boundary", "policy_id": "arn:b", "statements": [
                {"statement": "1", "effect": "allow", "result": "applies", "actions": ["ecr:PutImage"]}]},
            {"kind": "identity policy", "policy_id": "inline:own", "statements": [
                {"statement": "NoLatest", "effect": "deny", "result": "applies", "actions": ["ecr:PutImage"]},
                {"statement": "2", "effect": "allow", "result": "other_condition", "condition": near},
                {"statement": "3", "effect": "allow", "result": "other_action"}]},
            {"kind": "group policy", "policy_id": "inline:robots/all", "access_group_name": "robots", "statements": [
                {"statement": "1", "effect": "allow", "result": "other_condition", "condition": absent},
                {"statement": "2", "effect": "deny", "result": "other_resource", "resources": away}]},
            {"kind": "repository policy", "policy_id": "repository policy", "statements": [
                {"statement": "1", "effect": "allow", "result": "other_principal"}]}]);
        drawn(
            &about(
                &json!({"class": "explicit deny: identity policy", "refused": "ecr:PutImage", "documents": documents,
                "decided_by": [{"policy_id": "inline:own", "kind": "identity policy", "statement": "NoLatest"}], "hidden": 2}),
            ),
            "ci may not do container-registry.image.push on repository birds/owl in us-south\n\
             ├─ because of an explicit DENY in an identity policy, asked for ecr:PutImage\n\
             ├─ permissions boundaries\n│  └─ arn:b\n│     └─ statement 1 allows ecr:PutImage\n\
             ├─ identity policies\n│  └─ inline:own\n\
             │     ├─ statement NoLatest DENIES ecr:PutImage <- decides\n\
             │     ├─ statement 2 would allow it, but its condition StringLike registry:Tag wants v* or rc-*, and the key is latest\n\
             │     └─ 1 statement is about other actions\n\
             ├─ group policies\n│  └─ inline:robots/all of access group robots\n\
             │     ├─ statement 1 would allow it, but its condition Bool aws:SecureTransport wants true, and the key has no value\n\
             │     └─ statement 2 would deny it, but is for all but arn:x\n\
             ├─ access policies: none that you may see, for it or for a group that it is in\n\
             ├─ repository policies\n│  └─ repository policy\n│     └─ statement 1 would allow it, but names others\n\
             ├─ there are 2 policies more that you may not see\n\
             └─ to allow it, take that statement out, or narrow it: an explicit deny outweighs every allow",
        );
    }

    #[test]
    fn what_no_role_can_give_is_written_as_a_statement() {
        let role = json!({"arn": "arn:aws:iam::123456789012:role/r"});
        drawn(
            &json!({"principal": {"iam_id": "IBMid-1"}, "action": "iam:CreateRole", "resource": role, "decision": "deny",
                "class": "implicit deny: permissions boundary", "refused": "iam:CreateRole"}),
            "IBMid-1 may not do iam:CreateRole on arn:aws:iam::123456789012:role/r\n\
             ├─ because no permissions boundary allows it\n\
             ├─ access policies: none that you may see, for it or for a group that it is in\n\
             └─ to allow it, add a statement to a permissions boundary\n   \
                └─ {\"Effect\":\"Allow\",\"Action\":\"iam:CreateRole\",\"Resource\":\"arn:aws:iam::123456789012:role/r\"}",
        );
    }

    #[test]
    fn the_role_to_paste_is_the_one_that_changes_least() {
        let answer = about(&json!({"needed": {"any_role_of": ["Manager", "Reader", "Writer"]}}));
        let tree = whole(&wire::row(&answer).unwrap());
        assert!(tree.contains("--roles Reader "), "{tree}");
    }

    #[test]
    fn what_others_chose_is_one_word_to_a_shell_and_harmless_to_a_terminal() {
        assert_eq!((quoted("ci"), quoted("a b"), quoted("-x")), ("ci".into(), "'a b'".into(), "'-x'".into()));
        assert_eq!(quoted("x'; rm -rf $HOME"), r"'x'\''; rm -rf $HOME'");
        let evil = json!({"principal": {"name": "\u{1b}[2Jevil"}, "action": "a", "decision": "deny"});
        assert!(!head(&wire::row(&evil).unwrap()).contains('\u{1b}'));
    }
}
