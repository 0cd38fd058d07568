//! The rules for claims that access tokens have beside those of the grant: they are few, and none has the
//! name of a claim of the server.

use std::collections::BTreeMap;

use protocol::StaticClaims;
use serde_json::{Map, Value};

use super::FieldErrors;
use crate::ClientSettings;
use crate::documents::escaped;

/// The claims and members of introspection that the server decides (RFC 9068 §2.2, RFC
/// 7662 §2.2, RFC 8693 §4).
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

/// Checks the static claims of a client, and the claims that its tokens copy from an assertion.
pub(super) fn check_claims_of_client(
    errors: &mut FieldErrors,
    settings: &ClientSettings,
) -> (StaticClaims, BTreeMap<String, String>) {
    let (copied, plain): (Map<_, _>, _) =
        settings.claims.clone().into_iter().partition(|(_, value)| value.is_object());
    let mut from = BTreeMap::new();
    for (name, value) in &copied {
        let at = format!("/claims/{}", escaped(name));
        check_name(errors, &at, name);
        let members = value.as_object().filter(|members| members.len() == 1);
        let source = members.and_then(|members| members.get("from")?.as_str()?.strip_prefix("assertion."));
        match source.filter(|source| !source.is_empty()) {
            Some(source) if settings.federated.is_empty() => {
                let detail =
                    "no assertion of another issuer authenticates the client, so there is nothing to copy";
                errors.refuse(&at, detail, format!("give `federated`, or write the value of {source}"));
            }
            Some(source) => _ = from.insert(name.clone(), source.to_owned()),
            None => {
                let detail = "a claim is a value, or is copied of an assertion";
                errors.refuse(
                    &at,
                    detail,
                    "write `{ from: assertion.NAME }`; an object can be several claims",
                );
            }
        }
    }
    (check_static_claims(errors, "/claims", &plain), from)
}

fn check_name(errors: &mut FieldErrors, at: &str, name: &str) {
    if RESERVED.contains(&name) || name.starts_with("urn:latchkey:") {
        errors.refuse(at, "the server decides this claim", "give the claim another name");
    } else {
        errors.check_title(at, name);
    }
}

pub(super) fn check_static_claims(
    errors: &mut FieldErrors,
    at: &str,
    claims: &Map<String, Value>,
) -> StaticClaims {
    // A value that is null counts as absent, as everywhere in a file.
    let given = claims.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in given.clone() {
        let at = format!("{at}/{}", escaped(name));
        check_name(errors, &at, name);
        if !StaticClaims::allows(value) {
            let detail = "a claim is a text, a number, true or false, or a list of such values";
            errors.refuse(&at, detail, "write one of them; an object can be several claims");
        }
    }
    let claims = StaticClaims(given.map(|(name, value)| (name.clone(), value.clone())).collect());
    let (length, longest) = (claims.length(), StaticClaims::LONGEST);
    if length > longest {
        let detail = format!("these claims are {length} bytes of JSON, and each token has them");
        errors.refuse(at, detail, format!("keep them to {longest} bytes"));
    }
    claims
}
