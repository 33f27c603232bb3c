//! Scopes against the attack catalogue; each case is named in a comment after its entry there.

use http::{HeaderMap, Method};

use super::{ENTRIES_MAX, Scope, ScopeEntry, covers, scope_for};
use crate::registry::operation::Operation;
use crate::registry::parse::parse;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn words(parameters: &[&str]) -> Vec<String> {
    Scope::parse(parameters.iter().copied()).into_entries().iter().map(ToString::to_string).collect()
}

fn operation(method: &Method, target: &str) -> Operation {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    parse(method, path, query, &HeaderMap::new()).unwrap()
}

#[test]
fn every_way_to_ask_for_the_same_is_the_same() {
    let table: [(&[&str], &[&str]); 9] = [
        (&["repository:ns/a:pull"], &["repository:ns/a:pull"]),
        (&["repository:ns/a:push,pull"], &["repository:ns/a:pull,push"]),
        (&["repository:ns/a:pull", "repository:ns/a:pull,push"], &["repository:ns/a:pull,push"]),
        (&["repository:ns/b:pull repository:ns/a:push"], &["repository:ns/a:push", "repository:ns/b:pull"]),
        (&["repository:ns/a:*"], &["repository:ns/a:pull,push,delete"]), // T-19
        (&["repository:ns/a:pull,push,delete,foo"], &["repository:ns/a:pull,push,delete"]), // T-19
        (&["repository(plugin):ns/a:pull"], &["repository:ns/a:pull"]),  // T-22
        (&["registry:catalog:*", "repository:a:pull"], &["registry:catalog:*", "repository:a:pull"]), // T-24
        (&[" repository:a:pull  "], &["repository:a:pull"]),
    ];
    for (parameters, expected) in table {
        assert_eq!(words(parameters), expected, "{parameters:?}");
    }
}

#[test]
fn whatever_is_not_understood_asks_for_nothing() {
    let nothing = [
        "repository:tenant-a/app,tenant-b/secret:pull", // T-20
        "repository:host:5000/x:pull",                  // T-21
        "repository():a:pull",                          // T-22
        "repository(plugin)(x):a:pull",                 // T-22
        "repository(plugin:a:pull",                     // T-22
        "repository(Plugin):a:pull",
        "Xrepository:a:pull",                     // T-23
        "Repository:a:pull",                      // T-23
        "!!registry:catalog:*",                   // T-23
        "registry:catalog:pull",                  // T-24
        "registry:*:*",                           // T-24
        "registry:catalog:*,x",                   // T-24
        "repository:a:pull\trepository:b:pull\n", // T-25
        "",                                       // T-26
        "::",                                     // T-26
        "repository::pull",                       // T-26
        "repository:x",                           // T-26
        "repository:x:",                          // T-26
        "repository:x:foo",                       // T-26
        "repository:x:PULL",
        "repository:tenant-*/x:pull", // T-27
        "repository:*:*",             // T-27
        "repository:..:pull",         // T-27
        "repository:a%2fb:pull",      // T-27
        "repository:Tenant-A/app:pull",
        "aws:a:pull",
    ];
    for text in nothing {
        assert!(Scope::parse([text]).is_empty(), "{text}");
    }
    assert!(Scope::parse([]).is_empty());
}

// T-25
#[test]
fn many_entries_are_capped_whatever_their_order() {
    let mut many: Vec<_> = (0..10_000).map(|n| format!("repository:ns/r{n:05}:pull")).collect();
    let forward = Scope::parse(many.iter().map(String::as_str));
    many.reverse();
    let joined = many.join(" ");
    assert_eq!(forward, Scope::parse([joined.as_str()]));
    assert_eq!(forward.into_entries().len(), ENTRIES_MAX);
}

#[test]
fn the_access_claim_is_read_back_and_nothing_else_is() {
    let entries = Scope::parse(["registry:catalog:* repository:ns/a:pull,push"]).into_entries();
    let text = serde_json::to_string(&entries).unwrap();
    let expected = r#"[{"type":"registry","name":"catalog","actions":["*"]},{"type":"repository","name":"ns/a","actions":["pull","push"]}]"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Vec<ScopeEntry>>(&text).unwrap(), entries);
    let refused = [
        r#"{"type":"repository","name":"ns/*","actions":["pull"]}"#,
        r#"{"type":"repository","name":"ns/a","actions":["*"]}"#,
        r#"{"type":"repository","name":"ns/a","actions":"pull"}"#,
        r#"{"type":"repository","name":"ns/a","actions":["pull"],"class":"x"}"#,
        r#"{"type":"repository","name":"ns/a"}"#,
        r#"{"type":"repository","type":"registry","name":"catalog","actions":["*"]}"#,
        r#"{"type":"registry","name":"other","actions":["*"]}"#,
        r#"{"type":"x","name":"ns/a","actions":[]}"#,
    ];
    for text in refused {
        assert!(serde_json::from_str::<ScopeEntry>(text).is_err(), "{text}");
    }
}

#[test]
fn each_call_asks_for_its_scope_and_is_covered_by_it() {
    use Method as M;
    let blob = format!("/v2/ns/a/blobs/{DIGEST}");
    let finish = format!("/v2/ns/a/blobs/uploads/u?digest={DIGEST}");
    let mount = format!("/v2/ns/a/blobs/uploads/?mount={DIGEST}&from=ns/b");
    let referrers = format!("/v2/ns/a/referrers/{DIGEST}");
    // Method, target, what a challenge asks for, and which single actions are enough.
    let table = [
        (M::GET, "/v2/ns/a/manifests/v1", "pull", "pull"),
        (M::HEAD, "/v2/ns/a/manifests/v1", "pull", "pull"),
        (M::PUT, "/v2/ns/a/manifests/v1", "pull,push", "push"),
        (M::DELETE, "/v2/ns/a/manifests/v1", "delete", "delete"),
        (M::GET, &blob, "pull", "pull"),
        (M::HEAD, &blob, "pull", "pull push"),
        (M::DELETE, &blob, "delete", "delete"),
        (M::GET, "/v2/ns/a/tags/list", "pull", "pull"),
        (M::GET, &referrers, "pull", "pull"),
        (M::POST, &mount, "pull,push", "push"), // T-29
        (M::POST, "/v2/ns/a/blobs/uploads/", "pull,push", "push"),
        (M::PATCH, "/v2/ns/a/blobs/uploads/u", "pull,push", "push"),
        (M::PUT, &finish, "pull,push", "push"),
        (M::GET, "/v2/ns/a/blobs/uploads/u", "pull,push", "push"),
        (M::DELETE, "/v2/ns/a/blobs/uploads/u", "pull,push", "push delete"),
    ];
    for (method, target, asked, enough) in table {
        let call = operation(&method, target);
        let scope = scope_for(&call).unwrap();
        assert_eq!(scope, format!("repository:ns/a:{asked}"), "{method} {target}");
        assert!(covers(&Scope::parse([scope.as_str()]).into_entries(), &call), "{method} {target}");
        for action in ["pull", "push", "delete"] {
            let granted = Scope::parse([format!("repository:ns/a:{action}").as_str()]).into_entries();
            assert_eq!(covers(&granted, &call), enough.contains(action), "{method} {target} with {action}");
        }
        // T-28
        for other in
            ["repository:ns/a2:*", "repository:ns/a/sub:*", "repository:ns:*", "registry:catalog:*", ""]
        {
            assert!(!covers(&Scope::parse([other]).into_entries(), &call), "{method} {target} with {other}");
        }
    }
}

#[test]
fn the_catalog_needs_its_own_entry_and_a_ping_needs_none() {
    let (catalog, ping) = (operation(&Method::GET, "/v2/_catalog"), operation(&Method::GET, "/v2/"));
    assert_eq!(scope_for(&catalog).as_deref(), Some("registry:catalog:*"));
    assert_eq!(scope_for(&ping), None);
    assert!(covers(&[], &ping) && !covers(&[], &catalog) && covers(&[ScopeEntry::Catalog], &catalog));
    assert!(!covers(&Scope::parse(["repository:catalog:*"]).into_entries(), &catalog));
}

proptest::proptest! {
    #[test]
    fn a_scope_says_what_it_said(text in "(repository|registry|catalog|ns/a|pull|push|delete|[*:, ()a-z/]){0,12}") {
        let once = Scope::parse([text.as_str()]);
        let rendered: Vec<_> = once.clone().into_entries().iter().map(ToString::to_string).collect();
        proptest::prop_assert_eq!(Scope::parse(rendered.iter().map(String::as_str)), once);
    }
}
