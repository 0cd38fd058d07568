//! What the JSON Schema of a document says of its texts, for editors and for OpenAPI. Schemas are made with
//! the feature `schemas` alone, for the committed files and their tests. The program has the files, and does
//! not read what the types say of their schemas.

#[cfg(feature = "schemas")]
mod by_hand;

use serde_json::{Value, json};

use crate::kinds::state::ManagedBy;
use crate::rules::{AUTHORIZATION_CLAIMS, RESERVED};

#[cfg(feature = "schemas")]
pub use by_hand::exactly_one;
#[cfg(not(feature = "schemas"))]
pub use derives::JsonSchema;
#[cfg(feature = "schemas")]
pub use schemars::JsonSchema;

/// A type that would have a schema: any.
#[cfg(not(feature = "schemas"))]
pub trait JsonSchema {}

#[cfg(not(feature = "schemas"))]
impl<T: ?Sized> JsonSchema for T {}

/// The id of a tenant.
pub const TENANT_ID: &str = "^[a-z0-9][a-z0-9-]{0,62}$";
/// A name without control characters.
pub const NAME: &str = r"^[^\x00-\x1F\x7F-\x9F]+$";
/// How many characters the description of a client may have.
pub(crate) const LONGEST_DESCRIPTION: usize = 256;
/// How many characters the description of a scope may have.
pub(crate) const LONGEST_SCOPE_DESCRIPTION: usize = 200;
/// One line, or nothing.
pub(crate) const LINE: &str = r"^[^\x00-\x1F\x7F-\x9F]*$";
/// One scope (RFC 6749 §3.3).
pub const SCOPE: &str = r"^[\x21\x23-\x5B\x5D-\x7E]+$";
/// An http or https URL without query and fragment.
pub const PLAIN_URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[\x21\x24-\x3E\x40-\x5B\x5D-\x7E]+$";
/// A URI with its scheme and without a fragment.
pub const ABSOLUTE_URI: &str = r"^[A-Za-z][A-Za-z0-9+.-]*:[^#\s\x00-\x1F]+$";
/// A URL that keys are fetched from.
pub const KEY_SET_URL: &str =
    r"^(https://[^#\s@]+|http://(127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?(/[^#\s@]*)?)$";
/// An issuer of assertions: a URL as above, or a trust domain.
pub(crate) const TRUSTED_ISSUER: &str =
    r"^(https://[^#\s@]+|http://(127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?(/[^#\s@]*)?|spiffe://[^#\s/@]+)$";
/// The algorithms of assertions.
pub(crate) const ASSERTION_ALGORITHMS: [&str; 7] =
    ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
/// A page that people open.
pub(crate) const HTTPS_URL: &str = r"^https://[^#\s@]+$";
/// Bytes in base64 (RFC 4648 §4).
pub(crate) const BASE64: &str = "^[A-Za-z0-9+/]+={0,2}$";
/// A colour of sRGB.
pub(crate) const COLOUR: &str = "^#[0-9A-Fa-f]{6}$";
/// A span of time of 1s or more, as text.
pub const SOME_TIME: &str = "^0*[1-9][0-9]*[smhd]?$";
/// A place in a secret store: segments, with slashes between them.
pub const STORE_PATH: &str = "^[A-Za-z0-9_+=.@:-]+(/[A-Za-z0-9_+=.@:-]+)*$";
/// A store and a place in it.
pub const SECRET_PLACE: &str = "^[^:#]+:[^#]+(#[^#]+)?$";
/// A hash that can be imported.
pub const PHC: &str = r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$";

/// A distinguished name with at least one attribute. Only the program checks its grammar (RFC 4514).
pub(crate) const DISTINGUISHED_NAME: &str = r"^[^=\x00-\x1F\x7F]+=[^\x00-\x1F\x7F]+$";
/// A DNS name without a wildcard.
pub(crate) const DNS_NAME: &str =
    "^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$";
/// An absolute URI, with or without a fragment.
pub(crate) const ANY_URI: &str = r"^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+$";
/// An address of IPv4 or IPv6.
pub(crate) const IP_ADDRESS: &str = "^[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*$";
/// An e-mail address without a name of a person.
pub(crate) const EMAIL_ADDRESS: &str = "^[!-~]+@[A-Za-z0-9_][A-Za-z0-9_.-]*$";

/// The interfaces that may declare a row.
pub(crate) const MANAGED_BY: [&str; 2] = [ManagedBy::Config.as_str(), ManagedBy::Api.as_str()];

/// How a document writes a [`values::Lifetime`].
pub struct Span;

/// A [`values::Rate`].
pub const RATE: &str = "^0*[1-9][0-9]*/(s|min|h)$";

/// How a document writes a [`values::Rate`].
pub struct Rate;

/// The items of a list of such texts.
#[must_use]
pub fn texts(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// The items of a list of such names.
#[must_use]
pub fn names(pattern: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "pattern": pattern })
}

/// The keys of clients and resource servers.
#[must_use]
pub fn ids() -> Value {
    json!({ "minLength": 1, "maxLength": 255, "pattern": NAME })
}

/// The names of static claims: none of the server's.
pub(crate) fn claim_names() -> Value {
    json!({ "minLength": 1, "maxLength": 255, "pattern": NAME, "not": { "anyOf": [{ "enum": RESERVED }, { "pattern": "^urn:latchkey:" }] } })
}

/// The claims that a tenant may allow.
pub(crate) fn allowed_claims() -> Value {
    json!({ "type": "string", "enum": AUTHORIZATION_CLAIMS })
}

/// The values of a client's claims: static ones, and those that are copied from an assertion.
pub(crate) fn claim_values_of_client() -> Value {
    let mut values = claim_values();
    let from = json!({ "type": "string", "pattern": "^assertion\\.." });
    let copied = json!({ "type": "object", "properties": { "from": from }, "required": ["from"], "additionalProperties": false });
    values["oneOf"].as_array_mut().expect("it is a list").push(copied);
    values
}

/// The values of static claims.
pub(crate) fn claim_values() -> Value {
    const PLAIN: [&str; 3] = ["string", "number", "boolean"];
    // RFC 8259 §6.
    let characters =
        json!({ "type": "string", "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$" });
    let number = json!({ "type": "object", "properties": { "number": characters }, "required": ["number"], "additionalProperties": false });
    let items = json!({ "oneOf": [{ "type": PLAIN }, number] });
    json!({ "oneOf": [{ "type": PLAIN }, number, { "type": "array", "items": items }] })
}

/// The values that claims of assertions are compared with.
pub(crate) fn compared_values() -> Value {
    let value = json!({ "type": ["string", "number", "boolean"], "minLength": 1, "maxLength": 2048 });
    json!({ "oneOf": [value, { "type": "array", "items": value, "minItems": 1 }] })
}

/// The items of a list of these values.
pub(crate) fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}

/// For each key the schema of a document that gives it.
#[must_use]
pub fn given<const N: usize>(keys: [&str; N]) -> Value {
    let given =
        |key: &str| json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } });
    Value::Array(keys.map(given).into())
}
