//! What a sign-in sends: an application to begin with, or a flow to go on with, and what the person typed.

use std::collections::BTreeMap;
use std::fmt;

use administration::Spelling;
use protocol::Secret;
use serde::{Deserialize, Deserializer};

use super::spelling_of;
use crate::respond::Coded;

/// A request as it was read. Members that only pages need are passed over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlowRequest {
    #[serde(default)]
    application_id: Option<String>,
    #[serde(default)]
    flow_type: Option<String>,
    #[serde(default)]
    flow_id: Option<String>,
    #[serde(default)]
    execution_id: Option<String>,
    #[serde(default)]
    inputs: Option<Inputs>,
}

/// How a request opens.
pub(super) enum Opening<'a> {
    /// With an application.
    Begins(&'a str),
    /// With a flow that was begun.
    GoesOn(&'a str),
}

/// What the person typed, all of it.
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: Secret,
    /// With blanks between.
    pub(super) requested: String,
}

/// What a person types. Some callers send a list where others send one text.
#[derive(Default)]
struct Inputs {
    username: Option<String>,
    password: Option<Secret>,
    requested: String,
}

impl FlowRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Coded> {
        // The parser's own words could repeat what was typed.
        // It would also take a list for the members in their order.
        let object = if body.trim_ascii_start().starts_with(b"{") { body } else { &[] };
        serde_json::from_slice(object).map_err(|_| {
            Coded::bad_request(
                "FES-1001",
                "Invalid request payload",
                "The request body must be a JSON object with applicationId, flowType and inputs",
            )
        })
    }

    /// The current generation names the flow otherwise; that is how it is told.
    pub(super) fn spelling(&self) -> Spelling {
        spelling_of(self.execution_id.is_some())
    }

    /// Whether the caller has seen no answer yet, so that its generation is unknown.
    pub(super) fn is_first(&self) -> bool {
        self.flow().is_none()
    }

    pub(super) fn opening(&self) -> Result<Opening<'_>, Coded> {
        if let Some(flow) = self.flow() {
            return Ok(Opening::GoesOn(flow));
        }
        let application = self.application_id.as_deref().filter(|id| !id.is_empty());
        let application = application.ok_or_else(invalid_application)?;
        match self.flow_type.as_deref().unwrap_or_default() {
            "AUTHENTICATION" => Ok(Opening::Begins(application)),
            "REGISTRATION" => Err(Coded::bad_request(
                "FES-1006",
                "Registration not allowed",
                "Nobody can register here; the operator declares who may sign in",
            )),
            "RECOVERY" => Err(Coded::bad_request(
                "FES-1009",
                "Recovery not allowed",
                "Nothing can be recovered here; the operator declares who may sign in",
            )),
            _ => Err(Coded::bad_request("FES-1005", "Invalid request", "flowType must be AUTHENTICATION")),
        }
    }

    /// What was typed, or the names of what is missing. An empty text was not typed.
    pub(super) fn credentials(self) -> Result<Credentials, Vec<&'static str>> {
        let Inputs { username, password, requested } = self.inputs.unwrap_or_default();
        match (username, password) {
            (Some(username), Some(password)) => Ok(Credentials { username, password, requested }),
            (username, password) => {
                let inputs = [("username", username.is_none()), ("password", password.is_none())];
                Err(inputs.into_iter().filter_map(|(name, missing)| missing.then_some(name)).collect())
            }
        }
    }

    fn flow(&self) -> Option<&str> {
        let flow = self.execution_id.as_deref().or(self.flow_id.as_deref());
        flow.filter(|flow| !flow.is_empty())
    }
}

pub(super) fn invalid_application() -> Coded {
    Coded::bad_request(
        "FES-1003",
        "Invalid request",
        "applicationId must be one of admin.applications in the operator's settings",
    )
}

pub(super) fn invalid_flow() -> Coded {
    Coded::bad_request(
        "FES-1004",
        "Invalid request",
        "No such sign-in is under way; begin again with applicationId",
    )
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Input {
            Text(String),
            List(Vec<String>),
            Other(serde::de::IgnoredAny),
        }
        let mut inputs = Self::default();
        for (name, input) in BTreeMap::<String, Input>::deserialize(deserializer)? {
            let text = match input {
                Input::Text(text) => text,
                Input::List(texts) => texts.join(" "),
                Input::Other(_) => continue,
            };
            match name.as_str() {
                "username" => inputs.username = Some(text).filter(|text| !text.is_empty()),
                "password" => inputs.password = Some(text).filter(|text| !text.is_empty()).map(Secret::new),
                "requested_permissions" | "requestedPermissions" => inputs.requested = text,
                _ => {}
            }
        }
        Ok(inputs)
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_never_printed() {
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
        ] {
            let request = FlowRequest::parse(format!("{{\"inputs\":{inputs}}}").as_bytes()).unwrap();
            assert_eq!(request.credentials().err(), Some(missing), "{inputs}");
        }
    }

    #[test]
    fn permissions_come_as_a_text_or_a_list() {
        for requested in [r#""system other""#, r#"["system","other"]"#] {
            let body = format!(
                r#"{{"inputs":{{"username":"a","password":"b","requested_permissions":{requested}}}}}"#
            );
            let request = FlowRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.credentials().ok().unwrap().requested, "system other");
        }
    }
}
