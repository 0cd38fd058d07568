//! The result of a sign-in, in the form of either generation.

use administration::documents::schema::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use values::skip_serializing_none;

use crate::thunder::Spelling;

/// The state of the sign-in.
#[skip_serializing_none]
#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowStep")]
pub(crate) struct FlowAnswer {
    flow_id: Option<String>,
    execution_id: Option<String>,
    step_id: Option<String>,
    /// `INCOMPLETE`: inputs are missing. `ERROR`: the name or the password is wrong.
    #[schemars(example = &"COMPLETE", extend("enum" = ["COMPLETE", "INCOMPLETE", "ERROR"]))]
    flow_status: &'static str,
    r#type: Option<&'static str>,
    #[schemars(with = "Option<Map<String, Value>>")]
    data: Option<StepData>,
    /// A JWT that is valid for one hour; send it as a bearer token to `/applications`.
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

/// The documented generation calls it `name`, the current one `identifier`.
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
    /// `assertion` is the token for `/applications`.
    pub(super) fn complete(assertion: String) -> Self {
        Self {
            flow_status: "COMPLETE",
            data: Some(StepData::default()),
            assertion: Some(assertion),
            ..Self::default()
        }
    }

    /// `step` identifies the step for callers. The server ignores it.
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

    pub(super) fn failed() -> Self {
        Self { flow_status: "ERROR", failure_reason: Some("Invalid credentials"), ..Self::default() }
    }

    /// Adds the flow's identifier. In the first response the caller's generation is still unknown,
    /// so a flow that continues has both names.
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
