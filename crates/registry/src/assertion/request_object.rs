//! The rules for request objects, except form and signature (RFC 9101 §4, §6.3), and their parameters.

use latchkey_verifier::rules::ensure;
use protocol::{Audience, AuthorizationError, AuthorizationErrorCode, Form};
use serde::Deserialize;
use serde_json::{Map, Value};
use values::{Lifetime, Timestamp};

use crate::assertion::client_assertion::{LEEWAY, numeric_date, optional_numeric_date};
use crate::assertion::single_use::CLOCKS;

/// The accepted values of `typ`: the value of RFC 9101 §10.8, and the value that many clients send.
pub(crate) const TYPS: [&str; 2] = ["oauth-authz-req+jwt", "JWT"];
pub(super) const LONGEST_LIFE: Lifetime = Lifetime::from_seconds(3_600);

#[derive(Debug, Deserialize)]
pub(crate) struct RequestObject {
    iss: String,
    aud: Audience<'static>,
    #[serde(deserialize_with = "numeric_date")]
    exp: Timestamp,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    pub(super) iat: Option<Timestamp>,
    client_id: String,
    #[serde(default)]
    jti: Option<String>,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

/// A request object whose signature and claims were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRequestObject {
    /// The parameters in the format of a form body.
    pub parameters: String,
    /// The `jti`, if the request object has one.
    pub identifier: Option<RequestObjectId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestObjectId {
    pub(crate) jti: String,
    /// When the identifier can be used again.
    pub(crate) until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestObjectError {
    /// The client has no keys.
    #[error("The client has no keys for request objects")]
    NotSupported,
    /// The client's `jwks_uri` cannot be fetched, and no previous key set is known.
    #[error("The server cannot fetch the client's keys")]
    KeysUnavailable,
    /// The text is not a JWT with the members of a request object.
    #[error("The request object is not a signed JWT with iss, aud, exp and client_id")]
    Malformed,
    /// No key of the client verifies the signature.
    #[error("The request object is not signed with a key of the client")]
    SignatureInvalid,
    /// `iss` or `client_id` is not the client.
    #[error("The iss or client_id of the request object is not the client's id")]
    OfAnotherClient,
    /// `sub` is the client, so the JWT is an assertion.
    #[error("The request object is a client assertion")]
    IsAssertion,
    /// `aud` does not contain the tenant's issuer.
    #[error("The aud of the request object is not the issuer of this server")]
    ForAnotherAudience,
    #[error("The request object has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("The request object is not valid yet")]
    NotYetValid,
    /// The lifetime is longer than an hour.
    #[error("The request object is valid for longer than an hour")]
    LivesTooLong,
    /// The request object contains `request` or `request_uri`.
    #[error("The request object contains request or request_uri")]
    Nested,
    /// Another browser or a pushed request has already used the `jti`.
    #[error("The request object was already used")]
    Replayed,
}

impl RequestObject {
    /// Checks the claims of a request object whose signature was verified.
    pub(crate) fn open(
        mut self,
        client: &str,
        issuer: &str,
        now: Timestamp,
    ) -> Result<OpenedRequestObject, RequestObjectError> {
        use RequestObjectError as Refused;
        ensure(self.iss == client && self.client_id == client, Refused::OfAnotherClient)?;
        // RFC 9101 §10.8: an assertion of the client must not be accepted as a request object.
        ensure(self.parameters.remove("sub").is_none_or(|sub| sub != client), Refused::IsAssertion)?;
        ensure(self.aud.iter().any(|name| name == issuer), Refused::ForAnotherAudience)?;
        ensure(now < self.exp + LEEWAY, Refused::Expired)?;
        let begins = [self.nbf, self.iat].into_iter().flatten().max();
        ensure(begins.is_none_or(|begins| begins <= now + LEEWAY), Refused::NotYetValid)?;
        ensure(self.exp <= now + LONGEST_LIFE + LEEWAY, Refused::LivesTooLong)?;
        // RFC 9101 §4: "The request and request_uri parameters MUST NOT be included in Request Objects."
        let is_nested = ["request", "request_uri"].iter().any(|name| self.parameters.contains_key(*name));
        ensure(!is_nested, Refused::Nested)?;
        let until = self.exp + LEEWAY + CLOCKS;
        let identifier = self.jti.filter(|jti| !jti.is_empty()).map(|jti| RequestObjectId { jti, until });
        let mut pairs = vec![("client_id", self.client_id.clone())];
        for (name, value) in &self.parameters {
            texts(value, &mut |text| pairs.push((name, text)));
        }
        let form = Form::from_parameters(pairs.iter().map(|(name, text)| (*name, text.as_str())));
        Ok(OpenedRequestObject { parameters: form.rest(), identifier })
    }
}

/// Converts a parameter's value to text. A list of texts becomes several parameters; other lists and objects
/// become JSON.
fn texts(value: &Value, push: &mut impl FnMut(String)) {
    match value {
        Value::Null => {}
        Value::String(text) => push(text.clone()),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().for_each(|value| texts(value, push));
        }
        other => push(other.to_string()),
    }
}

impl From<RequestObjectError> for AuthorizationError {
    fn from(error: RequestObjectError) -> Self {
        let code = match error {
            RequestObjectError::NotSupported => AuthorizationErrorCode::RequestNotSupported,
            _ => AuthorizationErrorCode::InvalidRequestObject,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_000_000;
    const ISSUER: &str = "https://id.example.com";

    fn object() -> Value {
        json!({ "iss": "web", "aud": ISSUER, "exp": NOW + 60, "client_id": "web", "scope": "openid", "max_age": 5 })
    }

    fn open(object: Value) -> Result<OpenedRequestObject, RequestObjectError> {
        let object: RequestObject =
            serde_json::from_value(object).map_err(|_| RequestObjectError::Malformed)?;
        object.open("web", ISSUER, Timestamp::from_seconds(NOW))
    }

    #[test]
    fn members_become_request_parameters() {
        let opened = open(object()).unwrap();
        let expected = ("client_id=web&max_age=5&scope=openid", None);
        assert_eq!((opened.parameters.as_str(), opened.identifier), expected);
        let mut more = object();
        more["jti"] = "1".into();
        more["resource"] = json!(["urn:a", "urn:b"]);
        more["claims"] = json!({ "userinfo": { "name": null } });
        more["state"] = json!(null);
        more["nonce"] = "".into();
        let expected = "client_id=web&claims=%7B%22userinfo%22%3A%7B%22name%22%3Anull%7D%7D&max_age=5\
                        &resource=urn%3Aa&resource=urn%3Ab&scope=openid";
        let opened = open(more).unwrap();
        // The leeway for the client's clock, and the difference between the clocks of replicas.
        let until = Timestamp::from_seconds(NOW + 60 + 60 + 60);
        assert_eq!(
            (opened.parameters.as_str(), opened.identifier),
            (expected, Some(RequestObjectId { jti: "1".to_owned(), until }))
        );
    }

    // [core RFC 9101 §4]: `request` and `request_uri` are not in a request object
    // [core RFC 9101 §10.8]: An assertion is no request object, and another `typ` is refused
    #[test]
    fn client_audience_and_times_are_checked() {
        use RequestObjectError as E;
        for (name, value, expected) in [
            ("iss", json!("web"), None),
            ("iss", json!("other"), Some(E::OfAnotherClient)),
            ("iss", json!(null), Some(E::Malformed)),
            ("client_id", json!("other"), Some(E::OfAnotherClient)),
            ("client_id", json!(null), Some(E::Malformed)),
            ("client_id", json!(["web"]), Some(E::Malformed)),
            ("sub", json!("web"), Some(E::IsAssertion)),
            ("sub", json!("usr_x"), None),
            ("aud", json!([ISSUER, "https://other.example"]), None),
            ("aud", json!("https://other.example"), Some(E::ForAnotherAudience)),
            ("aud", json!("https://id.example.com/"), Some(E::ForAnotherAudience)),
            ("aud", json!([]), Some(E::ForAnotherAudience)),
            ("aud", json!(null), Some(E::Malformed)),
            ("exp", json!(NOW - 59), None),
            ("exp", json!(NOW - 60), Some(E::Expired)),
            ("exp", json!(NOW + 3_660), None),
            ("exp", json!(NOW + 3_661), Some(E::LivesTooLong)),
            ("exp", json!("soon"), Some(E::Malformed)),
            ("exp", json!(null), Some(E::Malformed)),
            ("nbf", json!(NOW + 60), None),
            ("nbf", json!(NOW + 61), Some(E::NotYetValid)),
            ("iat", json!(NOW + 61), Some(E::NotYetValid)),
            ("jti", json!(""), None),
            ("jti", json!(null), None),
            ("jti", json!(1), Some(E::Malformed)),
            ("request", json!("a.b.c"), Some(E::Nested)),
            ("request_uri", json!("urn:a"), Some(E::Nested)),
        ] {
            let mut object = object();
            object[name] = value.clone();
            assert_eq!(open(object).err(), expected, "{name} {value}");
        }
        for name in ["iss", "aud", "exp", "client_id"] {
            let mut object = object();
            object.as_object_mut().unwrap().remove(name);
            assert_eq!(open(object).err(), Some(E::Malformed), "{name}");
        }
    }
}
