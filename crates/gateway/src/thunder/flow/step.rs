//! The result of a sign-in, as either generation writes it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::thunder::Spelling;

/// Where the sign-in stands.
pub(super) enum Step {
    /// The user is authenticated.
    Complete {
        /// The token for `/applications`.
        assertion: String,
    },
    /// Inputs are missing.
    Incomplete {
        /// Their names.
        missing: Vec<&'static str>,
        /// The step's identifier, which has no meaning here.
        step: String,
    },
    /// The name or the password is wrong.
    Failed,
}

/// Where the sign-in stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowStep")]
pub(crate) struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_id: Option<&'a str>,
    /// `COMPLETE`, `INCOMPLETE` or `ERROR`.
    #[schemars(example = &"COMPLETE")]
    flow_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    data: Option<Data>,
    /// A JWT for an hour, to be sent as a bearer token to `/applications`.
    #[serde(skip_serializing_if = "Option::is_none")]
    assertion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Invalid credentials")]
    failure_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Input>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action>,
}

/// Called by `name` in the documented generation and by `identifier` since.
#[derive(Serialize)]
struct Input {
    identifier: &'static str,
    name: &'static str,
    r#type: &'static str,
    required: bool,
}

#[derive(Serialize)]
struct Action {
    r#ref: &'static str,
}

impl Step {
    /// The answer about this flow. To a caller that has seen no answer yet a flow that goes on has both names.
    pub(super) fn answer<'a>(&'a self, flow: &'a str, spelling: Spelling, is_first: bool) -> Answer<'a> {
        let both = is_first && matches!(self, Self::Incomplete { .. });
        let plain = Answer {
            flow_id: (spelling == Spelling::Snake).then_some(flow),
            execution_id: (both || spelling == Spelling::Camel).then_some(flow),
            step_id: None,
            flow_status: "ERROR",
            r#type: None,
            data: None,
            assertion: None,
            failure_reason: None,
        };
        match self {
            Self::Complete { assertion } => Answer {
                flow_status: "COMPLETE",
                data: Some(Data::default()),
                assertion: Some(assertion),
                ..plain
            },
            Self::Incomplete { missing, step } => Answer {
                step_id: Some(step),
                flow_status: "INCOMPLETE",
                r#type: Some("VIEW"),
                data: Some(Data {
                    inputs: missing.iter().map(|name| input(name)).collect(),
                    actions: vec![Action { r#ref: "action_001" }],
                }),
                ..plain
            },
            Self::Failed => Answer { failure_reason: Some("Invalid credentials"), ..plain },
        }
    }
}

fn input(name: &'static str) -> Input {
    let r#type = if name == "password" { "PASSWORD_INPUT" } else { "TEXT_INPUT" };
    Input { identifier: name, name, r#type, required: true }
}
