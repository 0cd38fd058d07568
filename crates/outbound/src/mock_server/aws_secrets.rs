//! AWS Secrets Manager: `secretsmanager.GetSecretValue` and `PutSecretValue` in JSON 1.1, for requests with a
//! valid signature. This is a mock: its answers follow the documentation, and were not compared with the
//! service.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::aws_signature::{self, SignatureRefusal};
use super::http::{MockRequest, Reply};

/// The secrets of an account in one region.
#[derive(Clone, Default)]
pub(crate) struct AwsSecrets(Arc<Mutex<AwsState>>);

#[derive(Default)]
struct AwsState {
    /// The versions of each secret, the current one last.
    secrets: HashMap<String, Vec<AwsVersion>>,
    deleted: HashSet<String>,
    /// The actions that the policy does not allow.
    forbidden: HashSet<&'static str>,
}

struct AwsVersion {
    id: String,
    /// `SecretString` or `SecretBinary`, and its value.
    value: (&'static str, String),
}

impl AwsSecrets {
    /// Creates a secret without a value.
    pub(crate) fn create(&self, name: &str) {
        self.0.lock().unwrap().secrets.entry(name.to_owned()).or_default();
    }

    /// Adds a version.
    pub(crate) fn put(&self, name: &str, text: &str) {
        self.add(name, ("SecretString", text.to_owned()));
    }

    pub(crate) fn put_binary(&self, name: &str, bytes: &[u8]) {
        self.add(name, ("SecretBinary", STANDARD.encode(bytes)));
    }

    /// The text of the current version.
    pub(crate) fn current(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap().secrets.get(name)?.last().map(|version| version.value.1.clone())
    }

    /// Marks a secret for deletion.
    pub(crate) fn delete(&self, name: &str) {
        self.0.lock().unwrap().deleted.insert(name.to_owned());
    }

    /// Takes an action from the policy.
    pub(crate) fn forbid(&self, action: &'static str) {
        self.0.lock().unwrap().forbidden.insert(action);
    }

    pub(crate) fn answer(&self, request: &MockRequest) -> Reply {
        let (status, body) = match self.try_answer(request) {
            Ok(body) => (200, body),
            Err((name, said)) => (400, json!({"__type": name, "Message": said})),
        };
        Reply::new(status, "content-type: application/x-amz-json-1.1", body.to_string().as_bytes())
    }

    fn add(&self, name: &str, value: (&'static str, String)) {
        let mut state = self.0.lock().unwrap();
        let versions = state.secrets.entry(name.to_owned()).or_default();
        versions
            .push(AwsVersion { id: format!("a1b2c3d4-5678-90ab-cdef-EXAMPLE{:05}", versions.len()), value });
    }

    fn try_answer(&self, request: &MockRequest) -> Result<Value, SignatureRefusal> {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
        aws_signature::check(request, "secretsmanager")?;
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let mut state = self.0.lock().unwrap();
        let action = request.headers["x-amz-target"].strip_prefix("secretsmanager.").unwrap();
        if state.forbidden.contains(action) {
            return Err(("AccessDeniedException", "User: x is not authorized to perform: y on resource: z"));
        }
        let name = body["SecretId"].as_str().unwrap();
        if state.deleted.contains(name) {
            let said = "You can't perform this operation on the secret because it was marked for deletion.";
            return Err(("InvalidRequestException", said));
        }
        let missing = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        let versions = state.secrets.get_mut(name).ok_or(missing)?;
        match action {
            "GetSecretValue" => get(name, versions, body["VersionStage"].as_str()),
            "PutSecretValue" => {
                let text = body["SecretString"].as_str().unwrap().to_owned();
                let id = body["ClientRequestToken"].as_str().unwrap().to_owned();
                versions.push(AwsVersion { id: id.clone(), value: ("SecretString", text) });
                Ok(json!({"ARN": arn(name), "Name": name, "VersionId": id, "VersionStages": ["AWSCURRENT"]}))
            }
            other => panic!("{other}"),
        }
    }
}

fn get(name: &str, versions: &[AwsVersion], stage: Option<&str>) -> Result<Value, SignatureRefusal> {
    let said = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    let stage = stage.unwrap_or("AWSCURRENT");
    let back = if stage == "AWSPREVIOUS" { 2 } else { 1 };
    let number = versions.len().checked_sub(back).ok_or(("ResourceNotFoundException", said))?;
    let AwsVersion { id, value: (kind, value) } = &versions[number];
    let created = 1_523_477_145.0 + f64::from(u32::try_from(number).unwrap()) + 0.713;
    let mut answer = json!({"ARN": arn(name), "CreatedDate": created, "Name": name, "VersionId": id,
        "VersionStages": [stage]});
    answer[*kind] = json!(value);
    Ok(answer)
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-a1b2c3")
}
