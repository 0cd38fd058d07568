//! The rules for additional claims of access tokens: their number is limited, and none may have the name of a
//! claim of the server.

use std::collections::BTreeMap;

use protocol::StaticClaims;
use serde_json::{Map, Value};
use values::folded;

use super::FieldErrors;
use crate::documents::ClientSettings;
use crate::documents::escaped;
use crate::edit::FieldError;

/// The claims and members of introspection that only the server sets (RFC 9068 §2.2, RFC 7662 §2.2, RFC 8693
/// §4).
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

/// Claims that say what a token allows (RFC 9068 §2.2.3), and `scp`, which some readers use as `scope`. The
/// server sets none of them, but APIs may trust them.
pub(crate) const AUTHORIZATION_CLAIMS: [&str; 4] = ["scp", "roles", "groups", "entitlements"];

/// Why a new claim must not have this name: a reader that ignores case or invisible characters would take it
/// for a claim of the server, or its meaning is not allowed by the tenant.
pub(crate) fn misread(at: &str, name: &str, allow: &[String]) -> Option<FieldError> {
    let read = folded(name);
    let of_server = RESERVED.iter().find(|reserved| **reserved == read);
    if of_server.is_some() || read.starts_with("urn:latchkey:") {
        let detail = format!(
            "some APIs read this claim as `{}`, which the server sets",
            of_server.unwrap_or(&"urn:latchkey:")
        );
        return Some(FieldError::at(at, detail).with_hint("choose another name for the claim"));
    }
    let meant = AUTHORIZATION_CLAIMS.into_iter().find(|claim| *claim == read)?;
    if meant == name && allow.iter().any(|allowed| allowed == name) {
        return None;
    }
    let detail = format!("APIs read what a token allows from the claim `{meant}` (RFC 9068 §2.2.3)");
    let hint = format!(
        "set the tenant's `access_token.claims_allow: [{meant}]` and use exactly this name, or choose another name"
    );
    Some(FieldError::at(at, detail).with_hint(hint))
}

/// Checks the static claims of a client, and the claims that its tokens copy from an assertion.
pub(super) fn check_claims_of_client(
    errors: &mut FieldErrors,
    settings: &ClientSettings,
) -> (StaticClaims, BTreeMap<String, String>) {
    let (copied, plain): (Map<_, _>, _) = settings
        .claims
        .clone()
        .into_iter()
        .partition(|(_, value)| value.is_object() && StaticClaims::characters(value).is_none());
    let mut from = BTreeMap::new();
    for (name, value) in &copied {
        let at = format!("/claims/{}", escaped(name));
        check_name(errors, &at, name);
        let members = value.as_object().filter(|members| members.len() == 1);
        let source = members.and_then(|members| members.get("from")?.as_str()?.strip_prefix("assertion."));
        match source.filter(|source| !source.is_empty()) {
            Some(source) if settings.federated.is_empty() => {
                let detail = "this client does not authenticate with an assertion from another issuer, so there is \
                        no claim to copy";
                errors.refuse(&at, detail, format!("set `federated`, or write the value of {source}"));
            }
            Some(source) => _ = from.insert(name.clone(), source.to_owned()),
            None => {
                let detail = "a claim must be a value, or copied from an assertion";
                errors.refuse(
                    &at,
                    detail,
                    "write `{ from: assertion.NAME }`; split an object into several claims",
                );
            }
        }
    }
    (check_static_claims(errors, "/claims", &plain), from)
}

fn check_name(errors: &mut FieldErrors, at: &str, name: &str) {
    if RESERVED.contains(&name) || name.starts_with("urn:latchkey:") {
        errors.refuse(at, "the server sets this claim", "choose another name for the claim");
    } else {
        errors.check_title(at, name);
    }
}

pub(super) fn check_static_claims(
    errors: &mut FieldErrors,
    at: &str,
    claims: &Map<String, Value>,
) -> StaticClaims {
    // A null counts as absent, as everywhere in a file.
    let given = claims.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in given.clone() {
        let at = format!("{at}/{}", escaped(name));
        check_name(errors, &at, name);
        if !StaticClaims::allows(value) {
            let detail = "a claim must be a string, a number, true or false, or a list of these";
            errors.refuse(&at, detail, "use one of these; split an object into several claims");
        }
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        // Many readers of tokens, including Latchkey, refuse a number that is too large for a double.
        let is_huge = |text: &str| text.parse::<f64>().is_ok_and(f64::is_infinite);
        if items.iter().filter_map(StaticClaims::characters).any(is_huge) {
            errors.refuse(
                &at,
                "programs that read tokens cannot represent a number this large",
                "put it in quotes",
            );
        }
    }
    let claims = StaticClaims(given.map(|(name, value)| (name.clone(), value.clone())).collect());
    let (length, longest) = (claims.length(), StaticClaims::LONGEST);
    if length > longest {
        let detail = format!("these claims take {length} bytes of JSON, and every token carries them");
        errors.refuse(at, detail, format!("use at most {longest} bytes"));
    }
    claims
}
