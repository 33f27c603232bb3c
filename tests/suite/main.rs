//! The suite: Portcullis as its users meet it, with real clients in front and a real registry behind.
//!
//! One binary, so that it links once. Each file tells one story; `support` holds who asks, with what client, of what.

#[cfg(test)]
mod support;

/// Certificates from an ACME server.
#[cfg(test)]
mod acme;
/// Alerts reach a webhook: each exactly once, whatever fails in between.
#[cfg(test)]
mod alerts;
/// What was once possible and must never be again.
#[cfg(test)]
mod attacks;
/// Who did what, from where, and why they could: the audit log of real clients.
#[cfg(test)]
mod audit;
/// ECR, as boto3, the `aws` command and docker call it.
#[cfg(test)]
mod aws_ecr;
/// IAM in AWS's dialect, by boto3 and the `aws` command.
#[cfg(test)]
mod aws_iam;
/// What is remembered of the upstream.
#[cfg(test)]
mod cache;
/// The Helm chart.
#[cfg(test)]
mod chart;
/// Every verb of the command line, against a real server.
#[cfg(test)]
mod commands;
/// Goals, configuration rules and reports, as a platform team shows them to its auditor.
#[cfg(test)]
mod compliance;
/// The composition of two replicas, and the image.
#[cfg(test)]
mod composition;
/// Ten thousand service IDs and what they may.
#[cfg(test)]
mod directory;
/// `explain` and `who-can`, as people type them.
#[cfg(test)]
mod explanations;
/// What breaks, and what must not break with it.
#[cfg(test)]
mod faults;
/// Tokens of clusters and identity providers in place of stored secrets.
#[cfg(test)]
mod federation;
/// What scanners have found, and what comes of it.
#[cfg(test)]
mod findings;
/// The clients, the registry and the recorder work, without Portcullis between them.
#[cfg(test)]
mod harness;
/// IBM's Python SDK, unmodified.
#[cfg(test)]
mod ibm_sdk;
/// Container Registry, as its own SDK walks it.
#[cfg(test)]
mod icr_sdk;
/// IAM tokens, in the way of `/identity/`.
#[cfg(test)]
mod identity;
/// The beginning of an installation: killed, repeated, without enforcement.
#[cfg(test)]
mod init;
/// Real clients whose transfers are cut off, or must not be.
#[cfg(test)]
mod interrupted;
/// What a kubelet asks and pulls with.
#[cfg(test)]
mod kubelet;
/// Too many requests, and too many wrong guesses.
#[cfg(test)]
mod limits;
/// Two hundred transfers at once.
#[cfg(test)]
mod load;
/// Who gets in, by which client, and who does not.
#[cfg(test)]
mod logins;
/// A push that outlives its token, on a clock that the test moves.
#[cfg(test)]
mod long_push;
/// Machines with addresses of their own.
#[cfg(test)]
mod machines;
/// What each role allows, by real calls.
#[cfg(test)]
mod matrix;
/// What surrounds the code: the compose file, the scripts.
#[cfg(test)]
mod project;
/// Behind real proxies: whose address is on record.
#[cfg(test)]
mod proxies;
/// The first five minutes: `quickstart`, and the lines that it prints.
#[cfg(test)]
mod quickstart;
/// One server before the registries of two regions.
#[cfg(test)]
mod regions;
/// SIGHUP and renewed certificates, while serving.
#[cfg(test)]
mod reload;
/// Two servers on one PostgreSQL.
#[cfg(test)]
mod replicas;
mod replicas_at_once;
/// What scanners and slow attackers find.
#[cfg(test)]
mod scanners;
/// The cases that must hold from the first release: how authenticating registry proxies break, and that this one does not.
#[cfg(test)]
mod security;
/// The `aws` command: roles, and other sessions.
#[cfg(test)]
mod sessions;
/// Deleted images that come back, quotas, retention: with docker.
#[cfg(test)]
mod shelf;
/// The same image, by every API.
#[cfg(test)]
mod sideways;
/// The `aws` command: signatures, and what is wrong with them.
#[cfg(test)]
mod signatures;
/// Signed calls from inside and outside.
#[cfg(test)]
mod signed_from;
/// Traces, as a collector receives them.
#[cfg(test)]
mod traces;
/// How Portcullis stands with its upstream.
#[cfg(test)]
mod upstream;
/// What the command line prints, whole.
#[cfg(test)]
mod verbs;
/// A service ID is refused, becomes a Reader, then a Writer: the tutorial of the clouds, as a script.
#[cfg(test)]
mod walkthrough;
/// Alerting rules and dashboards.
#[cfg(test)]
mod watched;
/// Jobs and pods that log in with the tokens that they have anyway.
#[cfg(test)]
mod web_identities;
