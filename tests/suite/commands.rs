//! Every verb of the command line that the tutorial and its reader need, in one sitting, against a real server.

use serde_json::Value;

use crate::support::client::{Client, Docker, Trust};
use crate::support::image::Image;
use crate::support::portcullis::{Cli, Portcullis, field};
use crate::support::process::Finished;
use crate::support::registry::Registry;
use crate::support::who::{ServiceId, Who};

/// Runs a line that must work and say all of that.
#[track_caller]
fn says(cli: &Cli, line: &str, expected: &[&str]) -> Finished {
    telling(cli.run(line), expected)
}

#[track_caller]
fn telling(done: Finished, expected: &[&str]) -> Finished {
    let done = done.must_succeed();
    for text in expected {
        assert!(done.stdout.contains(text), "`{text}` is missing: {}\n{}", done.command, done.said());
    }
    done
}

/// The answer of a line with `--output json`.
#[track_caller]
fn json(cli: &Cli, line: &str) -> Value {
    let done = cli.run(&format!("{line} --output json")).must_succeed();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

/// Wrong usage leaves with 2, a refusal with 1; both say what to do on the standard error.
#[track_caller]
fn leaves(cli: &Cli, line: &str, code: i32, expected: &str) {
    let done = cli.run(line);
    assert_eq!(done.code, Some(code), "{}\n{}", done.command, done.said());
    assert!(done.stderr.contains(expected), "`{expected}` is missing: {}\n{}", done.command, done.said());
}

#[test]
fn a_registry_is_targeted_logged_in_to_filled_and_listed() {
    let registry = Registry::start();
    // Adopted without enforcement, so that enabling it changes something.
    let at = Portcullis::with(&registry.url(), &["--policy-free"], "");
    leaves(&Cli::new(), "target", 1, "portcullis login");
    let cli = at.administration();
    let host = at.host();

    says(
        &cli,
        "target",
        &["API endpoint:", &format!("https://{host}"), "us-south", "example (123456789012)"],
    );
    let set = format!("The region is set to 'us-south', the registry is '{host}'.\n\nOK\n");
    assert_eq!(says(&cli, "cr region-set us-south", &[]).stdout, set);
    leaves(&cli, "cr region-set eu-nowhere", 1, "There is no registry in region 'eu-nowhere' here.");
    says(&cli, "cr region", &["You are targeting region 'us-south'", &host, "OK"]);
    assert_eq!(json(&cli, "cr region")["registry"], *host);
    assert_eq!(json(&cli, "cr region-set")[0]["region"], "us-south");
    says(&cli, "cr info", &["Container Registry", &host, &format!("https://{host}/api"), "example"]);

    says(&cli, "cr iam-policies-status", &["IAM policy enforcement is disabled"]);
    says(&cli, "cr iam-policies-enable", &["Enabling IAM policies for account 'example'", "OK"]);
    says(&cli, "cr iam-policies-status", &["IAM policy enforcement is enabled"]);
    assert_eq!(json(&cli, "cr iam-policies-status")["iam_authz"], true);

    says(&cli, "cr namespace-list", &["You have no namespaces."]);
    says(&cli, "cr namespace-add birds", &["Successfully added namespace 'birds'", "OK"]);
    says(&cli, "cr namespace-add birds", &["Namespace 'birds' is already yours."]);
    leaves(&cli, "cr namespace-add Birds!", 1, "status 400");
    says(
        &cli,
        "cr namespace-list",
        &["Listing namespaces for account 'example'", "Namespace", "birds", "OK"],
    );

    // The login that the command line makes is the one that docker pushes with.
    says(&cli, "cr image-list", &["There are no images that you may see."]);
    let docker = Docker::start(&Trust::Plain);
    let logged = cli.run_in(&docker.environment(), "cr login --client docker");
    let logged = telling(logged, &["Logging 'docker' in to", &format!("Logged in to '{host}'."), "OK"]);
    assert!(logged.stderr.contains("This login ends at"), "{}", logged.stderr);
    let image = Image::with_layers(&[5_000, 100]);
    let owl = at.image("birds/owl");
    docker.push(&image, &format!("{owl}:1")).must_succeed();
    let table = says(&cli, "cr image-list", &["Listing images...", "Repository", "Size", "OK"]).stdout;
    let row = table.lines().find(|line| line.starts_with(&owl)).unwrap_or_else(|| panic!("{table}"));
    let cells: Vec<&str> = row.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let [_, tag, digest, namespace, ..] = cells[..] else { panic!("{row}") };
    assert_eq!((tag, digest.len(), namespace), ("1", 12, "birds"), "{row}");
    let listed = json(&cli, "cr image-list --restrict birds/owl");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["RepoTags"][0], format!("{owl}:1"), "{listed}");
    assert!(listed[0]["RepoDigests"][0].as_str().unwrap().contains(digest), "{listed}");
    assert_eq!(json(&cli, "cr image-list --restrict cats"), Value::Array(Vec::new()));
    let format = |template: &str| cli.run_with(&["cr", "images", "--format", template]).must_succeed().stdout;
    let large = r#"{{ if and (gt .Size 1000) (eq .Tag "1") }}{{ .Repository }}:{{ .Tag }}{{ end }}"#;
    assert_eq!(format(large), format!("{owl}:1\n"));
    assert_eq!(format("{{ if gt .Size 1000000 }}{{ .Repository }}{{ end }}"), "");
    let manifest = format("{{ .ManifestType }}");
    assert!(manifest.starts_with("application/vnd.") && manifest.ends_with("+json\n"), "{manifest}");
    says(&cli, "cr image-list --show-type", &["Manifest Type", manifest.trim_end()]);
    leaves(&cli, "cr image-list --format {{.Repo}}", 2, "there is no field `Repo`");
}

#[test]
fn a_service_id_is_made_given_rights_explained_and_unmade() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let cli = at.administration();
    says(&cli, "cr namespace-add birds", &["Successfully added"]);

    says(&cli, "iam service-ids", &["No service ID found."]);
    let made = says(&cli, "iam service-id-create ci", &["Service ID ci is created successfully", "Locked"]);
    let id = field(&made.stdout, "ID").unwrap();
    assert!(id.starts_with("ServiceId-"), "{id}");
    says(&cli, "iam service-ids", &["UUID", id, "ci", "false"]);
    leaves(&cli, "iam service-id-create", 2, "Usage:");

    let made = says(&cli, "iam service-api-key-create ci-key ci", &["Please preserve the API key!"]);
    let key = field(&made.stdout, "API Key").unwrap();
    let key_id = field(&made.stdout, "ID").unwrap();
    let keys = says(&cli, "iam service-api-keys ci", &["ci-key", key_id]);
    assert!(!keys.stdout.contains(key), "a key is shown again");
    let robot = ServiceId::known("ci", key);
    let tags = || robot.http(&at).get("/v2/birds/owl/tags/list").status;

    says(&cli, "iam service-policies ci", &["No policy found."]);
    let pull = "explain --principal ci --action container-registry.image.pull --resource birds/owl";
    assert_eq!(tags(), 403);
    says(&cli, pull, &["ci may not do container-registry.image.pull on repository birds/owl in us-south"]);
    let policy = robot.grant(&cli, "Reader", "birds");
    says(&cli, "iam service-policies ci", &[&policy, "Reader", "Resource Type", "birds"]);
    says(&cli, pull, &["ci may do container-registry.image.pull", &policy]);
    says(
        &cli,
        "explain --principal ci --action container-registry.image.push --resource birds/owl",
        &["may not", "Writer"],
    );
    assert_eq!(tags(), 404, "may look, and there is nothing");

    says(&cli, &format!("iam service-policy-delete ci {policy} --force"), &["is deleted successfully"]);
    leaves(&cli, &format!("iam service-policy-delete ci {policy} --force"), 1, "status 404");
    says(&cli, "iam service-policies ci", &["No policy found."]);
    assert_eq!(tags(), 403);

    let grant = "iam service-policy-create ci --roles Viewer --account-management";
    says(&cli, grant, &["Service policy is successfully created", "Service Type", "platform_service"]);
    let see = "explain --principal ci --action iam-identity.serviceid.list";
    says(&cli, see, &["ci may do iam-identity.serviceid.list"]);
    says(&cli, "iam role-create Peeker --display-name Peeker -a container-registry.image.list", &["Peeker"]);
    let peek = "iam service-policy-create ci --roles Peeker --resource-type namespace --resource birds --api-version v2";
    let made = says(&cli, peek, &["Service policy is successfully created", "birds"]);
    let peeks = field(&made.stdout, "Policy ID:").unwrap();
    assert_eq!(tags(), 404, "may look again");
    says(
        &cli,
        &format!("iam service-policy-update ci {peeks} --roles Viewer --api-version v2"),
        &["updated"],
    );
    assert_eq!(tags(), 403);
    says(&cli, "iam access-policies -t service_id", &[peeks, "ci", "Viewer"]);
    leaves(&cli, "iam role-delete Nonesuch --force", 1, "There is no custom role");
    says(&cli, "iam role-delete Peeker --force", &["is deleted successfully"]);

    let token = || robot.http(&at).get("/oauth/token?service=registry").status;
    assert_eq!(token(), 200);
    says(&cli, "iam service-api-key-delete ci-key ci --force", &["ci-key", "is deleted successfully"]);
    assert_eq!(token(), 401);
    leaves(&cli, "iam service-api-key-delete ci-key ci --force", 1, "ci-key");
    says(&cli, "iam service-id-delete ci --force", &["Service ID ci is deleted successfully"]);
    leaves(&cli, "iam service-policies ci", 1, "ci");
    says(&cli, "iam service-ids", &["No service ID found."]);
}

#[test]
fn a_policy_document_is_looked_over_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let cli = Cli::new();
    let document = |statement: &str| {
        let path = folder.path().join("policy.json");
        std::fs::write(&path, format!("{{\"Version\":\"2012-10-17\",\"Statement\":[\n{statement}]}}"))
            .unwrap();
        path.display().to_string()
    };
    let good = document(r#"{"Effect":"Allow","Action":"ecr:BatchGetImage","Resource":"*"}"#);
    assert_eq!(says(&cli, &format!("policy lint {good}"), &[]).stdout, "OK\n");

    let broad = document(
        r#"{"Effect":"Allow","Action":["ecr:*","s3:GetObject"],"NotResource":"arn:aws:ecr:*:*:repository/a"}"#,
    );
    let report = says(&cli, &format!("policy lint {broad}"), &["[over-broad]", "[unknown-action]"]).stdout;
    assert!(report.starts_with(&format!("{broad}:2:1: warning: ")), "{report}");

    let taken = r#"{"Effect":"Allow","Action":"ecr:PutImage","Resource":"*"},
{"Effect":"Deny","Action":"ecr:*","Resource":"*"}"#;
    let taken = document(taken);
    leaves(&cli, &format!("policy lint {taken}"), 1, "The document has 1 error.");
    let found = cli.run(&format!("policy lint {taken} --output json"));
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((&found[0]["problem"], &found[0]["line"]), (&"unreachable".into(), &2.into()), "{found}");

    let broken = document(r#"{"Effect":"Permit","Action":"ecr:*","Resource":"*"}"#);
    let said = cli.run(&format!("policy lint {broken}"));
    assert_eq!(said.code, Some(1));
    assert!(said.stdout.contains(":2:11: error: ") && said.stdout.contains("[invalid]"), "{}", said.stdout);
    leaves(&cli, &format!("policy lint {good} --kind nothing"), 2, "trust");
}
