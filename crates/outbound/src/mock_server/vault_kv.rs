//! Vault's KV engine, version 2, mounted at `secret`, with sign-in by AppRole and Kubernetes. The tests of
//! the secret store compare the mock's answers with the documentation and with recorded answers of OpenBao
//! 2.7.2.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::http::{MockRequest, Reply};
use super::vault::TOKEN;

/// The only role of both sign-in methods.
pub(crate) const ROLE: &str = "latchkey";
pub(crate) const ROLE_SECRET: &str = "772482d0-a858-13df-8feb-ada0b7e2e089";
/// The token of the service account.
pub(crate) const SERVICE_ACCOUNT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJsYXRjaGtleSJ9.c2lnbmF0dXJl";

/// The secrets of an engine, and the tokens that can read them.
#[derive(Clone)]
pub(crate) struct KvMock(Arc<Mutex<KvState>>);

struct KvState {
    secrets: HashMap<String, Vec<Version>>,
    tokens: HashSet<String>,
    /// The capabilities that the policy lacks.
    forbidden: HashSet<&'static str>,
    lease_seconds: u64,
    is_renewable: bool,
    /// The number of tokens that were issued.
    given: usize,
    sign_ins: usize,
    renewals: usize,
    namespaces: HashSet<Option<String>>,
}

/// A version without data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gone {
    Deleted,
    Destroyed,
}

struct Version {
    data: Value,
    gone: Option<Gone>,
}

type Answer = Result<Value, (u16, String)>;

impl Default for KvMock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(KvState {
            secrets: HashMap::new(),
            tokens: HashSet::from([TOKEN.to_owned()]),
            forbidden: HashSet::new(),
            lease_seconds: 2_764_800,
            is_renewable: true,
            given: 0,
            sign_ins: 0,
            renewals: 0,
            namespaces: HashSet::new(),
        })))
    }
}

impl KvMock {
    pub(crate) fn put(&self, path: &str, data: Value) {
        self.state().secrets.entry(path.to_owned()).or_default().push(Version { data, gone: None });
    }

    pub(crate) fn current(&self, path: &str) -> Option<Value> {
        self.state().secrets.get(path)?.last().map(|version| version.data.clone())
    }

    pub(crate) fn delete(&self, path: &str, version: usize) {
        self.state().secrets.get_mut(path).unwrap()[version - 1].gone = Some(Gone::Deleted);
    }

    pub(crate) fn destroy(&self, path: &str, version: usize) {
        self.state().secrets.get_mut(path).unwrap()[version - 1].gone = Some(Gone::Destroyed);
    }

    /// Revokes every token except this one.
    pub(crate) fn take_only(&self, token: &str) {
        self.state().tokens = HashSet::from([token.to_owned()]);
    }

    /// Removes these capabilities from the policy: `read`, `create` or `update`.
    pub(crate) fn forbid(&self, capabilities: &[&'static str]) {
        self.state().forbidden = capabilities.iter().copied().collect();
    }

    /// Sets the lease of later sign-ins. 0 means that tokens do not expire.
    pub(crate) fn give(&self, lease_seconds: u64, is_renewable: bool) {
        let mut state = self.state();
        (state.lease_seconds, state.is_renewable) = (lease_seconds, is_renewable);
    }

    /// The number of sign-ins and of renewals since the last call.
    pub(crate) fn sign_ins_and_renewals(&self) -> (usize, usize) {
        let mut state = self.state();
        (std::mem::take(&mut state.sign_ins), std::mem::take(&mut state.renewals))
    }

    /// The namespaces of all requests so far.
    pub(crate) fn namespaces(&self) -> HashSet<Option<String>> {
        self.state().namespaces.clone()
    }

    pub(crate) fn answer(&self, request: &MockRequest) -> Reply {
        let mut state = self.state();
        state.namespaces.insert(request.headers.get("x-vault-namespace").cloned());
        let (status, body) = match state.answer(request) {
            Ok(body) if body["data"]["data"].is_null() && body["data"]["metadata"].is_object() => (404, body),
            Ok(body) => (200, body),
            Err((status, said)) if said.is_empty() => (status, json!({"errors": []})),
            Err((status, said)) => (status, json!({"errors": [said]})),
        };
        Reply::json(status, &body)
    }

    fn state(&self) -> MutexGuard<'_, KvState> {
        self.0.lock().unwrap()
    }
}

impl KvState {
    fn answer(&mut self, request: &MockRequest) -> Answer {
        let body = || serde_json::from_slice(&request.body).map_err(|_| refusal(400, "failed to parse JSON"));
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let token = request.headers.get("x-vault-token");
        match (request.method.as_str(), path) {
            ("POST", "/v1/auth/approle/login" | "/v1/auth/kubernetes/login") => {
                assert_eq!(token, None);
                return self.sign_in(path, &body()?);
            }
            _ if !token.is_some_and(|token| self.tokens.contains(token)) => {
                return Err(refusal(403, "permission denied"));
            }
            ("POST", "/v1/auth/token/renew-self") => {
                self.renewals += 1;
                return Ok(self.auth(token.unwrap(), "approle"));
            }
            ("GET", "/v1/auth/token/lookup-self") => {
                return Ok(whole(&json!({"id": token}), &Value::Null));
            }
            _ => {}
        }
        let no_route = || refusal(404, "no handler for route \"elsewhere\". route entry not found.");
        let path = path.strip_prefix("/v1/secret/data/").ok_or_else(no_route)?;
        match request.method.as_str() {
            "GET" => self.read(path, query.strip_prefix("version=").map(|number| number.parse().unwrap())),
            "POST" => self.write(path, &body()?),
            method => panic!("{method}"),
        }
    }

    fn sign_in(&mut self, path: &str, body: &Value) -> Answer {
        let method = path.split('/').nth(3).unwrap();
        match method {
            "approle" if body["role_id"] != ROLE || body["secret_id"] != ROLE_SECRET => {
                return Err(refusal(400, "invalid role or secret ID"));
            }
            "kubernetes" if body["role"] != ROLE => return Err(refusal(400, "invalid role name \"x\"")),
            "kubernetes" if body["jwt"] != SERVICE_ACCOUNT => return Err(refusal(403, "permission denied")),
            _ => {}
        }
        self.sign_ins += 1;
        self.given += 1;
        let token = format!("hvs.signed-in-{}", self.given);
        self.tokens.insert(token.clone());
        Ok(self.auth(&token, method))
    }

    fn auth(&self, token: &str, method: &str) -> Value {
        let metadata = match method {
            "kubernetes" => json!({"role": ROLE, "service_account_name": "latchkey",
                "service_account_namespace": "default", "service_account_secret_name": "",
                "service_account_uid": "0d3d3f5e-7f0c-11e9-a2a8-0242ac110002"}),
            _ => json!({"role_name": ROLE}),
        };
        let auth = json!({"client_token": token, "accessor": "H7IvcvKV1egzPfb8gCAh6FN1",
            "policies": ["app", "default"], "token_policies": ["app", "default"], "metadata": metadata,
            "lease_duration": self.lease_seconds, "renewable": self.is_renewable,
            "entity_id": "fd089727-cf21-4449-f982-5e2a6592172b", "token_type": "service", "orphan": true,
            "mfa_requirement": null, "num_uses": 0});
        whole(&Value::Null, &auth)
    }

    fn read(&self, path: &str, number: Option<usize>) -> Answer {
        self.check("read")?;
        let versions = self.secrets.get(path).ok_or((404, String::new()))?;
        let number = number.unwrap_or(versions.len());
        let version = versions.get(number.wrapping_sub(1)).ok_or((404, String::new()))?;
        let data = if version.gone.is_some() { &Value::Null } else { &version.data };
        Ok(whole(&json!({"data": data, "metadata": version.metadata(number)}), &Value::Null))
    }

    fn write(&mut self, path: &str, body: &Value) -> Answer {
        let versions = self.secrets.get(path).map_or(0, Vec::len);
        self.check(if versions == 0 { "create" } else { "update" })?;
        assert!(body["data"].is_object());
        if body["options"]["cas"] != versions {
            return Err(refusal(400, "check-and-set parameter did not match the current version"));
        }
        let version = Version { data: body["data"].clone(), gone: None };
        let metadata = version.metadata(versions + 1);
        self.secrets.entry(path.to_owned()).or_default().push(version);
        Ok(whole(&metadata, &Value::Null))
    }

    fn check(&self, capability: &str) -> Result<(), (u16, String)> {
        let denied = refusal(403, "1 error occurred:\n\t* permission denied\n\n");
        if self.forbidden.contains(capability) { Err(denied) } else { Ok(()) }
    }
}

impl Version {
    fn metadata(&self, number: usize) -> Value {
        let deleted = "2026-11-27T04:59:21.994314216Z";
        json!({"created_time": format!("2026-11-27T04:51:{number:02}.753767294Z"), "custom_metadata": null,
            "deletion_time": if self.gone == Some(Gone::Deleted) { deleted } else { "" },
            "destroyed": self.gone == Some(Gone::Destroyed), "version": number})
    }
}

fn refusal(status: u16, said: &str) -> (u16, String) {
    (status, said.to_owned())
}

fn whole(data: &Value, auth: &Value) -> Value {
    json!({"request_id": "c2268bde-2e83-12f4-770e-d5a61f7557a9", "lease_id": "", "renewable": false,
        "lease_duration": 0, "data": data, "wrap_info": null, "warnings": null, "auth": auth})
}
