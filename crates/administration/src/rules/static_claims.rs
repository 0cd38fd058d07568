//! Claims that access tokens have beside those of the grant: no claim of the server, and not many.

use protocol::StaticClaims;
use serde_json::{Map, Value};

use super::FieldErrors;
use crate::documents::escaped;

/// So many bytes are they at most, as JSON: each token has them.
const LONGEST: usize = 1_024;
/// The claims and members of introspection that the server decides (RFC 9068 §2.2, RFC 7662 §2.2, RFC 8693 §4).
pub(crate) const RESERVED: [&str; 28] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "scope",
    "client_id",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "azp",
    "nonce",
    "cnf",
    "act",
    "may_act",
    "authorization_details",
    "userinfo_claims",
    "grant_id",
    "api_key",
    "owner",
    "labels",
    "active",
    "token_type",
    "username",
    "events",
];

pub(super) fn check_static_claims(
    errors: &mut FieldErrors,
    at: &str,
    claims: &Map<String, Value>,
) -> StaticClaims {
    // A value that is null is left out, as everywhere in a file.
    let given = claims.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in given.clone() {
        let at = format!("{at}/{}", escaped(name));
        if RESERVED.contains(&name.as_str()) || name.starts_with("urn:latchkey:") {
            errors.refuse(&at, "the server decides this claim", "give the claim another name");
        } else {
            errors.check_title(&at, name);
        }
        if !is_plain(value) && !matches!(value, Value::Array(items) if items.iter().all(is_plain)) {
            let detail = "a claim is a text, a number, true or false, or a list of such values";
            errors.refuse(&at, detail, "write one of them; an object can be several claims");
        }
    }
    let claims = StaticClaims(given.map(|(name, value)| (name.clone(), value.clone())).collect());
    let length = serde_json::to_string(&claims).map_or(usize::MAX, |text| text.len());
    if length > LONGEST {
        let detail = format!("these claims are {length} bytes of JSON, and each token has them");
        errors.refuse(at, detail, format!("keep them to {LONGEST} bytes"));
    }
    claims
}

const fn is_plain(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}
