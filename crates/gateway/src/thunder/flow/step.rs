//! The result of a sign-in, in the form of either generation.

use administration::schema::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use values::skip_serializing_none;

use crate::thunder::Spelling;

/// Where the sign-in stands.
#[skip_serializing_none]
#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowStep")]
pub(crate) struct FlowAnswer {
    flow_id: Option<String>,
    execution_id: Option<String>,
    step_id: Option<String>,
    /// `INCOMPLETE`: inputs are missing. `ERROR`: name or password is wrong.
    #[schemars(example = &"COMPLETE", extend("enum" = ["COMPLETE", "INCOMPLETE", "ERROR"]))]
    flow_status: &'static str,
    r#type: Option<&'static str>,
    #[schemars(with = "Option<Map<String, Value>>")]
    data: Option<StepData>,
    /// A JWT for an hour, to be sent as a bearer token to `/applications`.
    assertion: Option<String>,
    #[schemars(example = &"Invalid credentials")]
    failure_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct StepData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<StepInput>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<StepAction>,
}

/// Called by `name` in the documented generation and by `identifier` since.
#[derive(Serialize)]
struct StepInput {
    identifier: &'static str,
    name: &'static str,
    r#type: &'static str,
    required: bool,
}

#[derive(Serialize)]
struct StepAction {
    r#ref: &'static str,
}

impl FlowAnswer {
    /// The user is authenticated; the assertion is the token for `/applications`.
    pub(super) fn complete(assertion: String) -> Self {
        Self {
            flow_status: "COMPLETE",
            data: Some(StepData::default()),
            assertion: Some(assertion),
            ..Self::default()
        }
    }

    /// Inputs of these names are missing. The step's identifier has no meaning here.
    pub(super) fn incomplete(missing: &[&'static str], step: String) -> Self {
        let inputs = missing.iter().map(|name| input(name)).collect();
        Self {
            step_id: Some(step),
            flow_status: "INCOMPLETE",
            r#type: Some("VIEW"),
            data: Some(StepData { inputs, actions: vec![StepAction { r#ref: "action_001" }] }),
            ..Self::default()
        }
    }

    /// The name or the password is wrong.
    pub(super) fn failed() -> Self {
        Self { flow_status: "ERROR", failure_reason: Some("Invalid credentials"), ..Self::default() }
    }

    /// The answer about this flow. A caller that has seen no answer yet gets both names of a flow that
    /// continues.
    pub(super) fn about(self, flow: String, spelling: Spelling, is_first: bool) -> Self {
        let has_both = is_first && self.step_id.is_some();
        let execution_id = (has_both || spelling == Spelling::Camel).then(|| flow.clone());
        Self { flow_id: (spelling == Spelling::Snake).then_some(flow), execution_id, ..self }
    }
}

fn input(name: &'static str) -> StepInput {
    let r#type = if name == "password" { "PASSWORD_INPUT" } else { "TEXT_INPUT" };
    StepInput { identifier: name, name, r#type, required: true }
}
