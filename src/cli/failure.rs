//! Why a command did not do what it was told, and what the reader can do now. Never holds a secret.

use http::StatusCode;
use serde_json::Value;

use super::display::tame;

/// A command that failed.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Failure {
    /// Whether the command line was wrong, rather than the world.
    pub(super) usage: bool,
    /// What went wrong.
    pub(super) what: String,
    /// What to do next.
    pub(super) next: String,
}

impl Failure {
    /// Something was refused or did not work.
    pub(super) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { usage: false, what: what.into(), next: next.into() }
    }

    /// The command line asks for something that cannot be.
    pub(super) fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { usage: true, what: what.into(), next: next.into() }
    }

    /// Nobody is logged in, or not any more.
    pub(super) fn not_logged_in(what: impl Into<String>) -> Self {
        Self::new(what, "Log in with `portcullis login -a https://HOST[:PORT] --apikey KEY`.")
    }

    /// The server said something that this program does not understand.
    pub(super) fn misunderstood(what: impl std::fmt::Display) -> Self {
        Self::new(
            format!("The server's answer is not understood: {what}."),
            "Check with `portcullis target` that the endpoint is a Portcullis server, and that both have the same version.",
        )
    }

    /// The server refused, in one of the error shapes of the IBM APIs.
    pub(super) fn refused(status: StatusCode, body: &[u8], request_id: Option<&str>) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let pointers = ["/errors/0/message", "/errorMessage", "/message", "/error_description", "/error"];
        let message = pointers.iter().filter_map(|at| body.pointer(at)).find_map(Value::as_str);
        let code = ["/errors/0/code", "/errorCode", "/code"]
            .iter()
            .filter_map(|at| body.pointer(at))
            .find_map(Value::as_str);
        let what = match (message, code) {
            (Some(message), Some(code)) => {
                format!("{} ({}, status {})", tame(message), tame(code), status.as_u16())
            }
            (Some(message), None) => format!("{} (status {})", tame(message), status.as_u16()),
            (None, _) => format!("The server answered {status} without an explanation."),
        };
        let id = request_id.map(|id| format!(" The server's log has more under request id {}.", tame(id)));
        Self::new(what, format!("{}{}", advice(status), id.unwrap_or_default()))
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "Log in again with `portcullis login`.",
        403 => {
            "Ask an administrator of the account for access; `portcullis explain` shows which policy is missing."
        }
        404 => {
            "Check the spelling; the list commands, such as `portcullis iam service-ids`, show what there is."
        }
        409 | 412 => "Look at its present state, unlock it if it is locked, and try again.",
        421 => {
            "Log in with a host name that the server's configuration lists: `portcullis login -a https://HOST`."
        }
        429 => "Wait a moment and try again.",
        500..=599 => "Try again in a moment; if it goes on, tell the administrator of the server.",
        _ => "Correct the command; `--help` after it lists what it takes.",
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::Failure;

    #[test]
    fn every_error_shape_of_the_ibm_apis_is_read() {
        for (status, body, expected) in [
            (
                400,
                r#"{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found."}"#,
                "Provided API key could not be found. (BXNIM0415E, status 400)",
            ),
            (
                404,
                r#"{"trace":"1","errors":[{"code":"policy_not_found","message":"Policy with Id x not found."}],"status_code":404}"#,
                "Policy with Id x not found. (policy_not_found, status 404)",
            ),
            (
                403,
                r#"{"code":"CRG0020E","message":"You are not authorized to access the specified resource.","request-id":"1"}"#,
                "You are not authorized to access the specified resource. (CRG0020E, status 403)",
            ),
            (502, "<html>", "The server answered 502 Bad Gateway without an explanation."),
        ] {
            let failure =
                Failure::refused(StatusCode::from_u16(status).unwrap(), body.as_bytes(), Some("req-7"));
            assert_eq!(failure.what, expected);
            assert!(failure.next.contains("req-7") && !failure.usage);
        }
    }
}
