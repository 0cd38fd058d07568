//! From a request's body to an application's members and, apart from them, its secret.

use std::fmt;

use protocol::Secret;
use serde_json::Value;

use super::document::Document;
use super::spelling::normalised;
use super::{ApplicationRefusal, Spelling};

/// What a caller asks for; nothing of it has been judged.
pub struct ApplicationRequest {
    pub(crate) document: Document,
    pub(crate) secret: Option<Secret>,
    spelling: Spelling,
}

impl ApplicationRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// A body that is no application, with the spelling to say so in.
    pub fn parse(body: &[u8]) -> Result<Self, (ApplicationRefusal, Spelling)> {
        let wrong = |detail: &str| ApplicationRefusal::malformed(detail);
        let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else {
            return Err((wrong("The request body must be a JSON object"), Spelling::Snake));
        };
        let Some((mut value, spelling)) = normalised(value) else {
            return Err((wrong("A member is there in two spellings; send it once"), Spelling::Camel));
        };
        let secret = take_secret(&mut value);
        // The reason names members and types, and may quote a value; the secret is no longer among them.
        let document = serde_json::from_value(without_nulls(value))
            .map_err(|error| (wrong(&format!("The request body does not fit: {error}")), spelling))?;
        Ok(Self { document, secret: secret.map_err(|refusal| (refusal, spelling))?, spelling })
    }

    /// How it was spelled.
    #[must_use]
    pub fn spelling(&self) -> Spelling {
        self.spelling
    }
}

/// Takes the secret out wherever it stands, so that it is in nothing that is kept, shown or logged. An empty one counts as absent.
fn take_secret(value: &mut Value) -> Result<Option<Secret>, ApplicationRefusal> {
    let mut found = Vec::new();
    found.extend(value.as_object_mut().and_then(|members| members.remove("client_secret")));
    let inbound = value.get_mut("inbound_auth_config").and_then(Value::as_array_mut);
    for item in inbound.into_iter().flatten() {
        let config = item.get_mut("config").and_then(Value::as_object_mut);
        found.extend(config.and_then(|config| config.remove("client_secret")));
    }
    let mut secret: Option<Secret> = None;
    for value in found {
        match value {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                let text = Secret::new(text);
                if secret.as_ref().is_some_and(|other| other.expose() != text.expose()) {
                    return Err(ApplicationRefusal::malformed("client_secret is there twice and differs"));
                }
                secret = Some(text);
            }
            _ => return Err(ApplicationRefusal::malformed("client_secret must be a text")),
        }
    }
    Ok(secret)
}

/// Null is how some callers say that there is nothing.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

impl fmt::Debug for ApplicationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationRequest").field("document", &self.document).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_of_the_document() {
        for body in [
            r#"{"name":"a","inbound_auth_config":[{"type":"oauth2","config":{"client_secret":"canary"}}]}"#,
            r#"{"name":"a","inboundAuthConfig":[{"type":"oauth2","config":{"clientSecret":"canary"}}]}"#,
            r#"{"name":"a","client_secret":"canary"}"#,
        ] {
            let request = ApplicationRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(request.secret.as_ref().unwrap().expose(), "canary");
            assert!(!format!("{request:?}").contains("canary"));
            assert!(!serde_json::to_string(&request.document).unwrap().contains("canary"));
        }
    }

    #[test]
    fn what_is_no_application_is_refused_without_repeating_a_secret() {
        for body in [
            "",
            "[]",
            "null",
            "{",
            r#"{"name":1}"#,
            r#"{"name":"a","inbound_auth_config":{}}"#,
            r#"{"name":"a","inbound_auth_config":["canary-free"]}"#,
            r#"{"name":"a","inbound_auth_config":[{"config":{"client_secret":5}}]}"#,
            r#"{"name":"a","inbound_auth_config":[{"config":{"client_secret":"canary","scopes":"x"}}]}"#,
            r#"{"name":"a","client_secret":"canary","inbound_auth_config":[{"config":{"client_secret":"other"}}]}"#,
            r#"{"name":"a","auth_flow_id":"x","authFlowId":"x"}"#,
        ] {
            let (refusal, _) = ApplicationRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.code.as_str(), "APP-1018", "{body}");
            assert!(!refusal.description.contains("canary\""), "{refusal}");
            assert!(!refusal.description.contains("`canary`"), "{refusal}");
        }
    }
}
