//! Values that would make an installation which does not work, or shows a secret, are refused with what to do.

use serde_json::{Value, json};

use super::rendered::{ACME, Helm, LEAST, MOST};

/// Values, what is changed in them, and what is said of that.
type Case<'a> = (&'a str, &'a [(&'a str, Value)], &'a str);

/// Values with others in their place, by path.
fn changed(values: &str, changes: &[(&str, Value)]) -> String {
    let mut values: Value = serde_json::from_str(values).unwrap();
    for (path, value) in changes {
        let mut at = &mut values;
        for part in path.split('.') {
            at = match part.parse::<usize>() {
                Ok(index) => &mut at[index],
                Err(_) => &mut at[part],
            };
        }
        *at = value.clone();
    }
    values.to_string()
}

#[test]
fn what_cannot_work_is_refused_with_what_to_do() {
    let Some(helm) = Helm::find() else { return };
    let cases: &[Case<'_>] = &[
        (LEAST, &[("replicas", json!(2))], "a SQLite file has one writer; use postgres"),
        (LEAST, &[("autoscaling", json!({"enabled": true}))], "a SQLite file has one writer"),
        (
            LEAST,
            &[("store", json!({"kind": "sqlite", "url": "postgres://p@h/d"}))],
            "store.url is for store.kind = postgres",
        ),
        (LEAST, &[("tls.existingSecret", json!(""))], "name a secret of type kubernetes.io/tls"),
        (LEAST, &[("tls", json!({"mode": "certManager"}))], "tls.certManager.issuer: name the issuer"),
        (ACME, &[("tls.acme.agreeToTerms", json!(false))], "once you have read the authority's terms"),
        (
            MOST,
            &[("tls", json!({"mode": "acme", "acme": {"agreeToTerms": true}}))],
            "cannot answer for each other's ACME challenges",
        ),
        (MOST, &[("secret", json!({}))], "replicas share a master key"),
        (MOST, &[("secret.external.secretStore", json!(""))], "secret.external.secretStore: name the store"),
        (MOST, &[("secret.existingSecret", json!("s"))], "two ways to the same secret"),
        (MOST, &[("store.url", json!(""))], "write postgres://USER@HOST"),
        // Secrets do not belong into what everybody may read.
        (MOST, &[("store.url", json!("postgres://p:hunter2@db/portcullis"))], "store.url holds a password"),
        (
            MOST,
            &[("store.url", json!("postgres://p@db/portcullis?password=hunter2"))],
            "store.url holds a password",
        ),
        (MOST, &[("registries.0.upstream", json!("https://p:hunter2@registry"))], "registries"),
        (MOST, &[("registries.0.options.password", json!("hunter2"))], "registries"),
        (MOST, &[("extraConfig", json!("[[listener]]\naddress = \"0.0.0.0:80\"\n"))], "are made from values"),
        (MOST, &[("extraConfig", json!("  [store]\nurl = \"x\"\n"))], "are made from values"),
    ];
    for (values, changes, expected) in cases {
        let done = helm.runs(&["template", "registry"], &changed(values, changes));
        done.must_fail_saying(&[expected]);
    }
}

#[test]
fn values_of_another_shape_are_refused_by_name() {
    let Some(helm) = Helm::find() else { return };
    for (path, value, name) in [
        ("account.id", json!("12"), "account"),
        ("account", json!({}), "account"),
        ("registries", json!([]), "registries"),
        ("registries.0.name", json!("a b"), "registries"),
        ("registries.0.region", json!("us\"south"), "registries"),
        ("registries.0.upstream", json!("registry:5000"), "registries"),
        ("replicas", json!(0), "replicas"),
        ("replica", json!(1), "replica"),
        ("store.kind", json!("mysql"), "kind"),
        ("tls.mode", json!("none"), "mode"),
        ("log.level", json!("verbose"), "level"),
        ("image.digest", json!("sha256:1"), "digest"),
        ("extraFiles", json!([{"name": "a"}]), "extraFiles"),
        ("extraFiles", json!([{"name": "../a", "secret": "s"}]), "extraFiles"),
        ("drainSeconds", json!("30s"), "drainSeconds"),
    ] {
        let values = changed(
            LEAST,
            &[("store", json!({"kind": "sqlite"})), ("log", json!({})), ("image", json!({})), (path, value)],
        );
        helm.runs(&["template", "registry"], &values).must_fail_saying(&[name]);
    }
}
