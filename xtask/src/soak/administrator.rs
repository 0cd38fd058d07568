//! The token of a measurement's administrator.

use serde_json::Value;

use super::calls::Caller;
use super::program::Program;
use super::tenants::client;
use super::test_env::TestEnv;
use crate::workspace::{Failure, read_text};

/// The token of the first administrator. It lives for an hour, longer than the measurement.
pub(super) fn first_token(test_env: &TestEnv<'_>, stores: &str, tenants: &str) -> Result<String, Failure> {
    let mut program = Program::start(test_env, stores, tenants)?;
    program.await_token(&client(0, 0))?;
    let mut init = test_env.workspace.program(&test_env.program, &["admin", "init", "--json", "--config"]);
    let made: Value = parse(&read_text(init.arg(test_env.file("config.yaml")))?)?;
    drop(program);
    let mut program = Program::start(test_env, stores, tenants)?;
    program.await_token(&client(0, 0))?;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&resource=urn:latchkey:admin",
        made["client_id"].as_str().unwrap_or_default(),
        made["secret"]["client_secret"].as_str().unwrap_or_default()
    );
    let (answer, body) = Caller::new(program.address).post_form("/api/v1/tenant/platform/oauth/token", &form);
    match parse(&body)?["access_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => Err(Failure::new(format!("no token for the first administrator: {} {body}", answer.status))),
    }
}

pub(super) fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::new(format!("not JSON, {error}: {text}")))
}
