//! The texts in the JSON Schema of a document, for editors and for OpenAPI. Schemas are only built with the
//! feature `schemas`, for the committed files and their tests. The program itself contains the committed
//! files.

#[cfg(feature = "schemas")]
mod by_hand;

use serde_json::{Value, json};
use tenancy::TokenFormat;

use crate::kinds::state::ManagedBy;
use crate::rules::{AUTHORIZATION_CLAIMS, RESERVED};

#[cfg(feature = "schemas")]
pub use by_hand::exactly_one;
#[cfg(not(feature = "schemas"))]
pub use derives::JsonSchema;
#[cfg(feature = "schemas")]
pub use schemars::JsonSchema;

/// Without the feature `schemas`, every type implements this trait.
#[cfg(not(feature = "schemas"))]
pub trait JsonSchema {}

#[cfg(not(feature = "schemas"))]
impl<T: ?Sized> JsonSchema for T {}

pub const TENANT_ID: &str = "^[a-z0-9][a-z0-9-]{0,62}$";
/// A name without control characters.
pub const NAME: &str = r"^[^\x00-\x1F\x7F-\x9F]+$";
/// The most characters in the description of a client.
pub(crate) const LONGEST_DESCRIPTION: usize = 256;
/// The most characters in the description of a scope.
pub(crate) const LONGEST_SCOPE_DESCRIPTION: usize = 200;
/// One line, possibly empty.
pub(crate) const LINE: &str = r"^[^\x00-\x1F\x7F-\x9F]*$";
/// One scope (RFC 6749 §3.3).
pub const SCOPE: &str = r"^[\x21\x23-\x5B\x5D-\x7E]+$";
/// An http or https URL without query and fragment.
pub const PLAIN_URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[\x21\x24-\x3E\x40-\x5B\x5D-\x7E]+$";
/// A URI with its scheme and without a fragment.
pub const ABSOLUTE_URI: &str = r"^[A-Za-z][A-Za-z0-9+.-]*:[^#\s\x00-\x1F]+$";
/// A URL from which keys are fetched: https, or http to the loopback address.
pub const KEY_SET_URL: &str =
    r"^(https://[^#\s@]+|http://(127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?(/[^#\s@]*)?)$";
/// An issuer of assertions: a URL like [`KEY_SET_URL`], or a SPIFFE trust domain.
pub(crate) const TRUSTED_ISSUER: &str =
    r"^(https://[^#\s@]+|http://(127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?(/[^#\s@]*)?|spiffe://[^#\s/@]+)$";
/// The algorithms with which assertions may be signed.
pub(crate) const ASSERTION_ALGORITHMS: [&str; 7] =
    ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
/// The URL of a page that people open.
pub(crate) const HTTPS_URL: &str = r"^https://[^#\s@]+$";
/// Bytes in base64 (RFC 4648 §4).
pub(crate) const BASE64: &str = "^[A-Za-z0-9+/]+={0,2}$";
/// A percentage up to [`tenancy::ReuseWindow::MOST`].
pub(crate) const REUSE: &str = "^(50|[1-4]?[0-9])%$";
pub(crate) const COLOUR: &str = "^#[0-9A-Fa-f]{6}$";
/// A duration of at least 1s, as text.
pub const SOME_TIME: &str = "^0*[1-9][0-9]*[smhd]?$";
/// A path in a secret store: segments, with slashes between them.
pub const STORE_PATH: &str = "^[A-Za-z0-9_+=.@:-]+(/[A-Za-z0-9_+=.@:-]+)*$";
/// The name of a claim with groups: an absolute URI, if it is not one of the usual names.
pub(crate) const GROUPS_CLAIM: &str = r"^(groups|roles|(https://|urn:)[!$-;=?-\[\]_a-z~]+)$";
/// A secret store and a place in it.
pub const SECRET_PLACE: &str = "^[^:#]+:[^#]+(#[^#]+)?$";
/// A password hash that can be imported.
pub const PHC: &str = r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$";

/// A distinguished name with at least one attribute. The schema cannot check its grammar (RFC 4514); the
/// program does.
pub(crate) const DISTINGUISHED_NAME: &str = r"^[^=\x00-\x1F\x7F]+=[^\x00-\x1F\x7F]+$";
pub(crate) const DNS_NAME: &str =
    "^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$";
/// An absolute URI, with or without a fragment.
pub(crate) const ANY_URI: &str = r"^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+$";
pub(crate) const IP_ADDRESS: &str = "^[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*$";
/// An email address without a display name.
pub(crate) const EMAIL_ADDRESS: &str = "^[!-~]+@[A-Za-z0-9_][A-Za-z0-9_.-]*$";

/// The interfaces that can manage a row.
pub(crate) const MANAGED_BY: [&str; 2] = [ManagedBy::Config.as_str(), ManagedBy::Api.as_str()];

/// How a document writes a [`values::Lifetime`].
pub struct Span;

/// A [`values::Rate`].
pub const RATE: &str = "^0*[1-9][0-9]*/(s|min|h)$";

/// How a document writes a [`values::Rate`].
pub struct Rate;

/// The items of a list of texts with this pattern.
#[must_use]
pub fn texts(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// The items of a list of non-empty texts with this pattern.
#[must_use]
pub fn names(pattern: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "pattern": pattern })
}

/// The ids of clients and resource servers.
#[must_use]
pub fn ids() -> Value {
    json!({ "minLength": 1, "maxLength": 255, "pattern": NAME })
}

/// The names of static claims, except the claims that the server sets itself.
pub(crate) fn claim_names() -> Value {
    json!({ "minLength": 1, "maxLength": 255, "pattern": NAME, "not": { "anyOf": [{ "enum": RESERVED }, { "pattern": "^urn:latchkey:" }] } })
}

/// The formats of tokens, or none.
pub(crate) fn token_formats() -> Value {
    json!([TokenFormat::NAMES[0], TokenFormat::NAMES[1], null])
}

/// The claims that a tenant may allow.
pub(crate) fn allowed_claims() -> Value {
    json!({ "type": "string", "enum": AUTHORIZATION_CLAIMS })
}

/// The values of a client's claims: static values, and values that are copied from an assertion.
pub(crate) fn claim_values_of_client() -> Value {
    let mut values = claim_values();
    let from = json!({ "type": "string", "pattern": "^assertion\\.." });
    let copied = json!({ "type": "object", "properties": { "from": from }, "required": ["from"], "additionalProperties": false });
    values["oneOf"].as_array_mut().expect("it is a list").push(copied);
    values
}

pub(crate) fn claim_values() -> Value {
    const PLAIN: [&str; 3] = ["string", "number", "boolean"];
    // RFC 8259 §6.
    let characters =
        json!({ "type": "string", "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$" });
    let number = json!({ "type": "object", "properties": { "number": characters }, "required": ["number"], "additionalProperties": false });
    let items = json!({ "oneOf": [{ "type": PLAIN }, number] });
    json!({ "oneOf": [{ "type": PLAIN }, number, { "type": "array", "items": items }] })
}

/// The values with which claims of assertions are compared.
pub(crate) fn compared_values() -> Value {
    let value = json!({ "type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 2048 });
    json!({ "oneOf": [value, { "type": "array", "items": value, "minItems": 1 }] })
}

/// The items of a list of these words.
pub(crate) fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}

/// For each key, a schema that requires the key.
#[must_use]
pub fn given<const N: usize>(keys: [&str; N]) -> Value {
    let given =
        |key: &str| json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } });
    Value::Array(keys.map(given).into())
}
