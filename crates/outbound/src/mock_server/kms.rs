//! AWS KMS: `TrentService.Encrypt` and `Decrypt` in JSON 1.1, for requests with a valid Signature Version 4
//! of one key pair.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::aws_signature::SignatureRefusal;
use super::http::{MockRequest, Reply};
use super::{aws_signature, sealing};

/// The symmetric keys of an account, by identifier.
#[derive(Clone, Default)]
pub(crate) struct KmsKeys(Arc<Mutex<HashMap<String, KmsKey>>>);

struct KmsKey {
    materials: Vec<[u8; 32]>,
    is_enabled: bool,
}

impl KmsKeys {
    pub(crate) fn create(&self, id: &str) {
        let key = KmsKey { materials: vec![sealing::new_key()], is_enabled: true };
        self.0.lock().unwrap().insert(id.to_owned(), key);
    }

    pub(crate) fn rotate(&self, id: &str) {
        self.0.lock().unwrap().get_mut(id).unwrap().materials.push(sealing::new_key());
    }

    pub(crate) fn disable(&self, id: &str) {
        self.0.lock().unwrap().get_mut(id).unwrap().is_enabled = false;
    }

    pub(crate) fn answer(&self, request: &MockRequest) -> Reply {
        let (status, body) = match self.try_answer(request) {
            Ok(body) => (200, body),
            Err((name, said)) => (400, json!({"__type": name, "message": said})),
        };
        Reply::new(status, "content-type: application/x-amz-json-1.1", body.to_string().as_bytes())
    }

    fn try_answer(&self, request: &MockRequest) -> Result<Value, SignatureRefusal> {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
        assert_eq!(request.headers["content-type"], "application/x-amz-json-1.1");
        aws_signature::check(request, "kms")?;
        let body: Value =
            serde_json::from_slice(&request.body).map_err(|_| ("SerializationException", ""))?;
        let id = body["KeyId"].as_str().unwrap().rsplit('/').next().unwrap();
        let keys = self.0.lock().unwrap();
        let key = keys.get(id).ok_or(("NotFoundException", "Key 'x' does not exist"))?;
        if !key.is_enabled {
            return Err(("DisabledException", "the key is disabled."));
        }
        let context: BTreeMap<String, String> =
            serde_json::from_value(body["EncryptionContext"].clone()).unwrap();
        let associated = format!("{context:?}");
        match request.headers["x-amz-target"].as_str() {
            "TrentService.Encrypt" => {
                let plaintext = STANDARD.decode(body["Plaintext"].as_str().unwrap()).unwrap();
                let number = key.materials.len();
                let sealed = sealing::seal(&key.materials[number - 1], associated.as_bytes(), &plaintext);
                let head = [&[u8::try_from(id.len()).unwrap()], id.as_bytes()].concat();
                let blob = [head, vec![u8::try_from(number).unwrap()], sealed].concat();
                Ok(json!({"CiphertextBlob": STANDARD.encode(blob), "KeyId": id,
                    "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}))
            }
            "TrentService.Decrypt" => {
                let blob = STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
                let opened = key.open(id, associated.as_bytes(), &blob)?;
                Ok(json!({"Plaintext": STANDARD.encode(opened), "KeyId": id,
                    "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}))
            }
            other => panic!("{other}"),
        }
    }
}

impl KmsKey {
    /// A blob names its key and, after a rotation, its key material.
    fn open(&self, id: &str, associated: &[u8], blob: &[u8]) -> Result<Vec<u8>, SignatureRefusal> {
        let invalid = ("InvalidCiphertextException", "");
        let (length, rest) = blob.split_first().ok_or(invalid)?;
        let (sealed_by, rest) = rest.split_at_checked(usize::from(*length)).ok_or(invalid)?;
        if !sealed_by.iter().all(u8::is_ascii_graphic) {
            return Err(invalid);
        }
        if sealed_by != id.as_bytes() {
            return Err(("IncorrectKeyException", "The key ID in the request does not identify the key"));
        }
        let (number, sealed) = rest.split_first().ok_or(invalid)?;
        let material = usize::from(*number).checked_sub(1).and_then(|at| self.materials.get(at));
        sealing::open(material.ok_or(invalid)?, associated, sealed).ok_or(invalid)
    }
}
