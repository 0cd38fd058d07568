//! The request of a sign-in: starts with an application or continues a flow, and contains the
//! user's inputs.

use std::collections::BTreeMap;

use administration::documents::Wiped;
use administration::documents::schema::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use values::Secret;

use crate::thunder::{Spelling, ThunderError, ThunderResult, code};

/// A sign-in: send `applicationId` and `flowType` to start, and `flowId` to continue. Other members are
/// ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowRequest {
    /// One of `admin.applications` in the operator's settings.
    #[schemars(example = &"550e8400-e29b-41d4-a716-446655440000")]
    application_id: Option<String>,
    /// Always `AUTHENTICATION`.
    #[schemars(example = &"AUTHENTICATION")]
    flow_type: Option<String>,
    /// From the previous response.
    flow_id: Option<String>,
    /// The current generation's name for `flowId`.
    execution_id: Option<String>,
    /// `username`, `password` and `requested_permissions`.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    inputs: Option<Wiped>,
}

pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: Secret,
    /// Permissions, separated by spaces.
    pub(super) requested: String,
}

impl FlowRequest {
    pub(super) fn parse(body: &[u8]) -> ThunderResult<Self> {
        // Only objects are parsed: the parser would also accept a list as the members in their
        // order. Its error message is dropped, because it could contain an input.
        let object = if body.trim_ascii_start().starts_with(b"{") { body } else { &[] };
        let request: Option<Self> = serde_json::from_slice(object).ok();
        let has_inputs = |request: &Self| request.inputs.as_ref().is_none_or(|inputs| inputs.is_object());
        request.filter(has_inputs).ok_or_else(|| {
            ThunderError::new(
                code::INVALID_PAYLOAD,
                "The request body must be a JSON object with applicationId, flowType and inputs",
            )
        })
    }

    /// The current generation calls the flow `executionId`.
    pub(super) fn spelling(&self) -> Spelling {
        if self.execution_id.is_some() { Spelling::Camel } else { Spelling::Snake }
    }

    /// `None` in the first request, when the caller's generation is still unknown.
    pub(super) fn flow(&self) -> Option<&str> {
        let flow = self.execution_id.as_deref().or(self.flow_id.as_deref());
        flow.filter(|flow| !flow.is_empty())
    }

    pub(super) fn application(&self) -> ThunderResult<&str> {
        let application = self.application_id.as_deref().filter(|id| !id.is_empty());
        let application = application.ok_or_else(invalid_application)?;
        match self.flow_type.as_deref().unwrap_or_default() {
            "AUTHENTICATION" => Ok(application),
            "REGISTRATION" => Err(ThunderError::new(
                code::REGISTRATION_NOT_ALLOWED,
                "Registration is not available here; the operator declares who can sign in",
            )),
            "RECOVERY" => Err(ThunderError::new(
                code::RECOVERY_NOT_ALLOWED,
                "Recovery is not available here; the operator declares who can sign in",
            )),
            _ => Err(ThunderError::new(code::INVALID_FLOW_TYPE, "flowType must be AUTHENTICATION")),
        }
    }

    /// The inputs, or the names of those that are missing or empty.
    pub(super) fn credentials(self) -> Result<Credentials, Vec<&'static str>> {
        let mut inputs = self.inputs.unwrap_or_default();
        let mut input = |name: &str| inputs.get_mut(name).and_then(text);
        let username = input("username").filter(|name| !name.is_empty());
        let password = input("password").filter(|password| !password.is_empty()).map(Secret::new);
        let requested = input("requested_permissions").or_else(|| input("requestedPermissions"));
        let requested = requested.unwrap_or_default();
        match (username, password) {
            (Some(username), Some(password)) => Ok(Credentials { username, password, requested }),
            (username, password) => {
                let missing =
                    [username.is_none().then_some("username"), password.is_none().then_some("password")];
                Err(missing.into_iter().flatten().collect())
            }
        }
    }
}

pub(super) fn invalid_application() -> ThunderError {
    ThunderError::new(
        code::UNKNOWN_APPLICATION,
        "applicationId must be one of admin.applications in the operator's settings",
    )
}

pub(super) fn invalid_flow() -> ThunderError {
    ThunderError::new(
        code::UNKNOWN_FLOW,
        "This sign-in does not exist or has ended; start again with applicationId",
    )
}

/// A text, or a list of texts joined by spaces, because some callers send a list. Anything else
/// counts as missing.
fn text(input: &mut Value) -> Option<String> {
    match input {
        Value::String(text) => Some(std::mem::take(text)),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(texts?.join(" "))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use protocol::steps;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn debug_output_hides_typed_values() {
        let body = r#"{"inputs":{"username":"canary-name","password":"canary-word"}}"#;
        let request = FlowRequest::parse(body.as_bytes()).unwrap();
        assert!(!format!("{request:?}").contains("canary"));
    }

    #[test]
    fn the_missing_inputs_are_named() {
        for (inputs, missing) in [
            ("{}", vec!["username", "password"]),
            (r#"{"username":"a"}"#, vec!["password"]),
            (r#"{"username":"","password":"b"}"#, vec!["username"]),
            (r#"{"username":5,"password":"b"}"#, vec!["username"]),
            ("null", vec!["username", "password"]),
        ] {
            let request = FlowRequest::parse(format!("{{\"inputs\":{inputs}}}").as_bytes()).unwrap();
            assert_eq!(request.credentials().err(), Some(missing), "{inputs}");
        }
    }

    #[test]
    fn malformed_inputs_are_refused() {
        let many = format!(r#"{{"inputs":{{"other":[{}]}}}}"#, vec!["0"; 5_000].join(","));
        for body in
            ["", "[]", "{", r#"{"inputs":[]}"#, r#"{"inputs":"a"}"#, r#"{"flowId":"a","flowId":"a"}"#, &many]
        {
            let error = FlowRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.body.code.0, "FES-1001", "{body}");
        }
    }

    #[test]
    fn last_text_or_text_list_input_counts() {
        for (inputs, password) in [
            (r#""password":["a","b"]"#, Some("a b")),
            (r#""password":["a",7]"#, None),
            (r#""password":[["a"]]"#, None),
            (r#""password":{"a":"b"}"#, None),
            (r#""password":null"#, None),
            (r#""password":1.5,"other":[{"a":[true]}]"#, None),
            (r#""password":"a","password":"b""#, Some("b")),
            (r#""password":"a","password":-1"#, None),
        ] {
            let body = format!(r#"{{"inputs":{{"username":"a",{inputs}}}}}"#);
            let found = FlowRequest::parse(body.as_bytes()).unwrap().credentials();
            assert_eq!(found.as_ref().ok().map(|found| found.password.expose()), password, "{inputs}");
        }
    }

    #[test]
    fn parsing_takes_linear_time_and_bounded_memory() {
        for (open, item, close) in [
            (r#"{"inputs":{"requested_permissions":["#, r#""","#, "]}}"),
            (r#"{"inputs":{"requested_permissions":["#, r#"{"a":0},"#, "]}}"),
            (r#"{"inputs":{"other":["#, "0,", "]}}"),
            (r#"{"inputs":{"#, r#""a":[0],"#, "}}"),
            (r#"{"other":["#, "[],", "]}"),
            (r#"{"#, r#""a":{"a":0},"#, "}"),
        ] {
            let bodies = [32, 64].map(|kib: usize| {
                let items = item.repeat((kib * 1024 - open.len() - close.len()) / item.len());
                format!("{open}{}{close}", items.trim_end_matches(','))
            });
            if open.contains("inputs") {
                steps::assert_linear("sign-in", bodies.each_ref().map(String::as_bytes), |body| {
                    drop(FlowRequest::parse(body));
                });
            }
            for body in bodies {
                let allocated = allocation_counter::measure(|| drop(FlowRequest::parse(body.as_bytes())));
                assert!(
                    allocated.bytes_total <= 16 * body.len() as u64,
                    "{allocated:?} for {}: {item}",
                    body.len()
                );
            }
        }
    }

    #[test]
    fn permissions_are_a_text_or_a_list() {
        for requested in [r#""system other""#, r#"["system","other"]"#] {
            let body = format!(
                r#"{{"inputs":{{"username":"a","password":"b","requested_permissions":{requested}}}}}"#
            );
            let request = FlowRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.credentials().ok().unwrap().requested, "system other");
        }
    }

    // [found 27]
    #[test]
    fn a_sign_in_leaves_no_password_in_memory() {
        for (before, after, tag) in [
            (r#"{"inputs":{"username":"a","password":""#, r#""}}"#, 'U'),
            (r#"{"inputs":{"password":["a",""#, r#""]}}"#, 'V'),
            (r#"{"inputs":{"password":""#, r#"","username":7,"#, 'W'),
            (r#"{"inputs":{"password":[""#, r#"",{}]},"flowType":1}"#, 'X'),
            (r#"{"inputs":{"password":""#, r#"","password":"b"}}"#, 'Y'),
        ] {
            let mut body = Zeroizing::new(String::with_capacity(1024));
            body.push_str(before);
            body.push_str(&Zeroizing::new(testkit::canary(tag)));
            body.push_str(after);
            let _ = FlowRequest::parse(body.as_bytes()).map(FlowRequest::credentials);
        }
        let found = testkit::leftovers();
        assert!(!found.iter().any(|tag| "UVWXY".contains(*tag)), "{found:?}");
    }
}
