//! Parses the body of a request into an application. The secret is kept separately.

use std::fmt;
use std::sync::LazyLock;

use administration::documents::{Shape, Wiped, application, read_lenient_json};
use administration::edit::FieldError;
use protocol::steps;
use serde::Deserialize as _;
use serde_json::Value;
use values::{Secret, bidi_control_in_name};

use super::document::ApplicationDocument;
use super::rules::judge;
use super::spelling::normalised;
use super::{Spelling, ThunderError, ThunderResult, code};

/// Not validated yet.
pub(crate) struct ApplicationRequest {
    pub(super) document: ApplicationDocument,
    pub(super) secret: Option<Secret>,
    pub(super) spelling: Spelling,
}

static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::new::<ApplicationDocument>);
const NO_OBJECT: &str = "The request body must be a JSON object";

impl ApplicationRequest {
    pub(crate) fn parse(body: &[u8]) -> ThunderResult<Self> {
        let value = read_lenient_json(body).map_err(|errors| {
            // Other messages than those about limits say only that the body is not JSON.
            let limit =
                errors.into_iter().map(|error| error.detail).find(|detail| !detail.starts_with("not JSON"));
            malformed(limit.as_deref().unwrap_or(NO_OBJECT))
        })?;
        if !value.is_object() {
            return Err(malformed(NO_OBJECT));
        }
        let Some((mut value, spelling)) = normalised(value) else {
            let twice = malformed("A member appears in two spellings; send it once");
            return Err(twice.spelled(Spelling::Camel));
        };
        let secret = take_secret(&mut value);
        let value = Wiped::new(without_nulls(value.take()));
        SHAPE.check(&value).map_err(|errors| {
            let described = |error: FieldError| format!("{}: {}", spelling.of(&error.pointer), error.detail);
            let described: Vec<_> = errors.into_iter().map(described).collect();
            malformed(format!("The request body is not valid: {}", described.join("; "))).spelled(spelling)
        })?;
        // Cannot fail for a document that passes the check. Unknown members stay in the value,
        // which is wiped.
        let document = ApplicationDocument::deserialize(&*value)
            .map_err(|_| malformed("The request body is not valid").spelled(spelling))?;
        Ok(Self { document, secret: secret.map_err(|error| error.spelled(spelling))?, spelling })
    }

    pub(super) fn put(
        &self,
        replaces: Option<application::ApplicationId>,
    ) -> application::PutApplication<'_> {
        application::PutApplication {
            replaces,
            name: &self.document.name,
            client_id: self.document.oauth().and_then(|config| config.client_id.as_deref()),
            secret: self.secret.as_ref(),
        }
    }

    /// Validates the application and translates it into a document and a client. `context` has the
    /// current rows.
    pub(super) fn translate(
        &self,
        context: application::ApplicationContext<'_>,
    ) -> ThunderResult<application::ApplicationDraft> {
        let mut document = self.document.clone();
        if let Some(before) = context.before {
            document =
                document.keeping_unseen(&ApplicationDocument::from_application(before)?, context.client);
        }
        let client = judge(&document, self.secret.as_ref(), context)?;
        let is_new_name = context.before.is_none_or(|before| before.name != document.name);
        if let Some(turning) = bidi_control_in_name(&document.name).filter(|_| is_new_name) {
            let turning = u32::from(turning);
            let why =
                format!("name contains U+{turning:04X}, which changes the direction of the text after it");
            return Err(ThunderError::new(code::INVALID_NAME, why));
        }
        if let (Some(config), Some(client)) = (document.oauth_mut(), &client) {
            config.client_id = Some(client.id.to_string());
        }
        let document = serde_json::to_value(&document).map_err(|error| ThunderError::fault(&error))?;
        Ok(application::ApplicationDraft { document, client })
    }
}

pub(super) fn malformed(description: impl Into<String>) -> ThunderError {
    ThunderError::new(code::INVALID_REQUEST, description)
}

/// Takes the secret out of the document, because the document is stored, shown and logged. An empty
/// secret counts as missing.
fn take_secret(value: &mut Value) -> ThunderResult<Option<Secret>> {
    let mut found = Vec::new();
    found.extend(value.as_object_mut().and_then(|members| members.remove("client_secret")).map(Wiped::new));
    let inbound = value.get_mut("inbound_auth_config").and_then(Value::as_array_mut);
    for item in inbound.into_iter().flatten() {
        let config = item.get_mut("config").and_then(Value::as_object_mut);
        found.extend(config.and_then(|config| config.remove("client_secret")).map(Wiped::new));
    }
    let mut secret: Option<Secret> = None;
    for value in found {
        match value.take() {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                let text = Secret::new(text);
                if secret.as_ref().is_some_and(|other| other.expose() != text.expose()) {
                    return Err(malformed("client_secret appears twice with different values"));
                }
                secret = Some(text);
            }
            other => {
                drop(Wiped::new(other));
                return Err(malformed("client_secret must be a string"));
            }
        }
    }
    Ok(secret)
}

/// Some callers send null for missing members.
fn without_nulls(value: Value) -> Value {
    steps::note(1);
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
    fn secret_is_removed_from_the_document() {
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
    fn invalid_applications_are_refused_without_repeating_a_secret() {
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
            let error = ApplicationRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.body.code.0, "APP-1018", "{body}");
            assert!(!error.body.description.contains("canary\""), "{error}");
            assert!(!error.body.description.contains("`canary`"), "{error}");
        }
    }

    #[test]
    fn errors_name_each_invalid_member() {
        let fits = "The request body is not valid: ";
        for (body, expected) in [
            ("[]", "The request body must be a JSON object"),
            (r#"{"name":"a""#, "The request body must be a JSON object"),
            (r#"{"name":1}"#, "/name: must be a string"),
            (r#"{"inbound_auth_config":{}}"#, "/inbound_auth_config: must be a list"),
            (r#"{"inboundAuthConfig":["x"]}"#, "/inboundAuthConfig/0: must be an object"),
            (
                r#"{"name":[],"inbound_auth_config":[{"config":{"scopes":[7],"pkce_required":"no","token":{"access_token":{"validity_period":-1}}}}]}"#,
                "/inbound_auth_config/0/config/pkce_required: must be true or false; \
                 /inbound_auth_config/0/config/scopes/0: must be a string; \
                 /inbound_auth_config/0/config/token/access_token/validity_period: must be a whole number, 0 or more; \
                 /name: must be a string",
            ),
        ] {
            let error = ApplicationRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(
                error.body.description.strip_prefix(fits).unwrap_or(&error.body.description),
                expected,
                "{body}"
            );
        }
        let many = format!("[{}]", vec!["0"; 5_000].join(","));
        let error = ApplicationRequest::parse(many.as_bytes()).unwrap_err();
        assert_eq!(error.body.description, "the body can contain at most 4096 values");
    }

    #[test]
    fn parsing_takes_linear_time_and_bounded_memory() {
        for item in [r#"{"":0},"#, "0,", r#"{"type":"oauth2","config":{"redirect_uris":["urn:a"]}},"#] {
            let bodies = [32, 64].map(|kib: usize| {
                let items = item.repeat((kib * 1024 - 40) / item.len());
                format!(r#"{{"name":"a","inbound_auth_config":[{}]}}"#, items.trim_end_matches(','))
            });
            steps::assert_linear("application", bodies.each_ref().map(String::as_bytes), |body| {
                drop(ApplicationRequest::parse(body));
            });
            for body in bodies {
                let allocated =
                    allocation_counter::measure(|| drop(ApplicationRequest::parse(body.as_bytes())));
                assert!(
                    allocated.bytes_total <= 16 * body.len() as u64,
                    "{allocated:?} for {}: {item}",
                    body.len()
                );
            }
        }
    }
}
