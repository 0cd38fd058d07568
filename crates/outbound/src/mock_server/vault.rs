//! Vault's transit engine: `POST /v1/<mount>/encrypt|decrypt/<key>`, versioned keys, one accepted token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hkdf;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::http::{MockRequest, Reply};
use super::sealing;

/// The only accepted token, until it is replaced.
pub(crate) const TOKEN: &str = "hvs.CAESIJ-example-token";

/// The keys of an engine mounted at `transit`.
#[derive(Clone)]
pub(crate) struct VaultKeys {
    keys: Arc<Mutex<HashMap<String, VaultKey>>>,
    token: Arc<Mutex<String>>,
}

struct VaultKey {
    versions: Vec<[u8; 32]>,
    least_version: usize,
    is_derived: bool,
}

impl Default for VaultKeys {
    fn default() -> Self {
        Self { keys: Arc::default(), token: Arc::new(Mutex::new(TOKEN.to_owned())) }
    }
}

impl VaultKeys {
    /// Replaces the accepted token, as if the previous one had expired.
    pub(crate) fn take_only(&self, token: &str) {
        token.clone_into(&mut self.token.lock().unwrap());
    }

    pub(crate) fn create(&self, name: &str, is_derived: bool) {
        let key = VaultKey { versions: vec![sealing::new_key()], least_version: 1, is_derived };
        self.keys.lock().unwrap().insert(name.to_owned(), key);
    }

    pub(crate) fn rotate(&self, name: &str) {
        self.keys.lock().unwrap().get_mut(name).unwrap().versions.push(sealing::new_key());
    }

    pub(crate) fn delete(&self, name: &str) {
        self.keys.lock().unwrap().remove(name);
    }

    pub(crate) fn require_version(&self, name: &str, least: usize) {
        self.keys.lock().unwrap().get_mut(name).unwrap().least_version = least;
    }

    pub(crate) fn answer(&self, request: &MockRequest) -> Reply {
        let outcome = self.try_answer(request);
        match outcome {
            Ok(data) => Reply::json(
                200,
                &json!({"request_id": "6ac5b2a0-9a5f-4a4c-b6b0-1f0b7d1b8a52", "lease_id": "", "renewable": false,
                    "lease_duration": 0, "data": data, "wrap_info": null, "warnings": null, "auth": null,
                    "mount_type": "transit"}),
            ),
            Err((status, said)) => Reply::json(status, &json!({"errors": [said]})),
        }
    }

    fn try_answer(&self, request: &MockRequest) -> Result<Value, (u16, &'static str)> {
        if request.headers.get("x-vault-token") != Some(&*self.token.lock().unwrap()) {
            return Err((403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"));
        }
        let no_route = (404, "no handler for route \"elsewhere\". route entry not found.");
        let path = request.path.strip_prefix("/v1/transit/").ok_or(no_route)?;
        let (operation, name) = path.split_once('/').ok_or(no_route)?;
        assert_eq!(request.method, "POST");
        let body: Value = serde_json::from_slice(&request.body).map_err(|_| (400, "failed to parse JSON"))?;
        let keys = self.keys.lock().unwrap();
        match (operation, keys.get(name)) {
            // A token with `create` would create the key.
            ("encrypt", None) => Err((403, "1 error occurred:\n\t* permission denied\n\n")),
            ("decrypt", None) => Err((400, "encryption key not found")),
            ("encrypt", Some(key)) => key.encrypt(&body),
            ("decrypt", Some(key)) => key.decrypt(&body),
            _ => Err(no_route),
        }
    }
}

impl VaultKey {
    fn encrypt(&self, body: &Value) -> Result<Value, (u16, &'static str)> {
        let number = self.versions.len();
        let key = self.key_for(number, body)?;
        let sealed = sealing::seal(&key, &bytes(body, "associated_data"), &bytes(body, "plaintext"));
        Ok(
            json!({"ciphertext": format!("vault:v{number}:{}", STANDARD.encode(sealed)), "key_version": number}),
        )
    }

    fn decrypt(&self, body: &Value) -> Result<Value, (u16, &'static str)> {
        let no_prefix = (400, "invalid ciphertext: no prefix");
        let text =
            body["ciphertext"].as_str().and_then(|text| text.strip_prefix("vault:v")).ok_or(no_prefix)?;
        let (number, sealed) = text.split_once(':').ok_or(no_prefix)?;
        let number = number.parse().map_err(|_| no_prefix)?;
        if number < self.least_version {
            return Err((400, "ciphertext or signature version is disallowed by policy (too old)"));
        }
        if number > self.versions.len() {
            return Err((400, "invalid ciphertext: version is too new"));
        }
        let sealed =
            STANDARD.decode(sealed).map_err(|_| (400, "invalid ciphertext: could not decode base64"))?;
        let key = self.key_for(number, body)?;
        let opened = sealing::open(&key, &bytes(body, "associated_data"), &sealed);
        let opened = opened.ok_or((400, "cipher: message authentication failed"))?;
        Ok(json!({"plaintext": STANDARD.encode(opened)}))
    }

    fn key_for(&self, version: usize, body: &Value) -> Result<[u8; 32], (u16, &'static str)> {
        let key = self.versions[version - 1];
        if !self.is_derived {
            return Ok(key);
        }
        let context = bytes(body, "context");
        if context.is_empty() {
            return Err((
                400,
                "missing 'context' for key derivation; the key was created using a derived key",
            ));
        }
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&key);
        let mut key = [0; 32];
        derived.expand(&[&context], hkdf::HKDF_SHA256).unwrap().fill(&mut key).unwrap();
        Ok(key)
    }
}

fn bytes(body: &Value, member: &str) -> Vec<u8> {
    body[member].as_str().map_or_else(Vec::new, |text| STANDARD.decode(text).unwrap())
}
