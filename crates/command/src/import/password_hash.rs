//! Converts the password hash of a credential into the PHC string format, which an import of accounts
//! accepts.

use std::collections::BTreeMap;

use administration::documents::Wiped;
use secrets::ForeignHash;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::realm::{RealmCredential, RealmText};
use super::shape::{DIGEST, ExportShape, PARAMETERS};

/// The parts of a credential that describe the hash.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HashParameters {
    hash_iterations: i32,
    algorithm: String,
    #[serde(default)]
    additional_parameters: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Digest {
    value: RealmText,
    salt: RealmText,
}

/// The hash in PHC string format, or why it cannot be converted.
pub(super) fn hash(credential: &RealmCredential) -> Result<Zeroizing<String>, String> {
    let text =
        |text: &Option<RealmText>| Zeroizing::new(text.as_ref().map_or("", RealmText::as_str).to_owned());
    if !text(&credential.value).is_empty() {
        return Err("not hashed".to_owned());
    }
    let unreadable = |_| "unknown format".to_owned();
    let (parameters, digest, salt) = match (&credential.credential_data, &credential.secret_data) {
        (Some(data), Some(secret)) => {
            let parameters: HashParameters = read(PARAMETERS, data).map_err(unreadable)?;
            let Digest { value, salt } = read(DIGEST, secret).map_err(unreadable)?;
            (parameters, value.0, salt.0)
        }
        _ => {
            let (hash_iterations, algorithm) = (credential.hash_iterations, credential.algorithm.clone());
            let none = || "unknown format".to_owned();
            let parameters = HashParameters {
                hash_iterations: hash_iterations.ok_or_else(none)?,
                algorithm: algorithm.ok_or_else(none)?,
                additional_parameters: BTreeMap::new(),
            };
            (parameters, text(&credential.hashed_salted_value), text(&credential.salt))
        }
    };
    let function = function(&parameters)?;
    let [salt, digest] = [&salt, &digest].map(|text| text.trim_end_matches('='));
    let hash = Zeroizing::new(format!("{function}${salt}${digest}"));
    let checked = hash.parse().and_then(|hash: ForeignHash| hash.check_cost());
    checked.map(|()| hash).map_err(|why| why.to_string())
}

/// Reads JSON within a text, as Keycloak does. Unreadable members count as absent.
fn read<T: DeserializeOwned>(shape: ExportShape, text: &RealmText) -> Result<T, serde_json::Error> {
    let mut json = Wiped::new(serde_json::from_str(text.as_str())?);
    shape.fit(&mut json, "", &mut Vec::new());
    serde_json::from_value(json.take())
}

/// The name and the parameters of the hash function. Salts and digests of Keycloak are base64 with padding.
fn function(parameters: &HashParameters) -> Result<String, String> {
    let HashParameters { hash_iterations: rounds, algorithm, additional_parameters } = parameters;
    let first = |name, default| {
        additional_parameters.get(name).and_then(|values| values.first()).map_or(default, String::as_str)
    };
    match algorithm.as_str() {
        "pbkdf2-sha256" | "pbkdf2-sha512" => Ok(format!("${algorithm}$i={rounds}")),
        "argon2" => {
            let version = if first("version", "1.3") == "1.0" { 16 } else { 19 };
            let (kind, memory, lanes) =
                (first("type", "id"), first("memory", "7168"), first("parallelism", "1"));
            Ok(format!("$argon2{kind}$v={version}$m={memory},t={rounds},p={lanes}"))
        }
        other => Err(format!("hash function {other} is not supported")),
    }
}
