//! Parses the bodies of the admin API.

use administration::documents;
use administration::edit::{EditError, FieldError};
use serde_json::{Map, Value};
use values::Timestamp;

/// An empty body is parsed as an empty document.
pub(crate) fn read<T>(
    body: &[u8],
    document: impl FnOnce(Value) -> Result<T, Vec<FieldError>>,
) -> Result<T, EditError> {
    let value = if body.is_empty() { Ok(Value::Object(Map::new())) } else { documents::read_json(body) };
    value.and_then(document).map_err(EditError::Invalid)
}

/// Parses a merge patch (RFC 7396) with the rules of the document. Otherwise the merge would
/// silently drop an unknown member that the patch sets to null.
pub(crate) fn patch<T>(
    body: &[u8],
    document: impl FnOnce(Value) -> Result<T, Vec<FieldError>>,
) -> Result<Value, EditError> {
    read(body, |value| {
        let patch = documents::Wiped::new(value);
        document(patch.clone())?;
        Ok(patch.take())
    })
}

/// `{"expires_at": …|null}`. Unlike in other documents, the member is required.
pub(crate) fn secret_end(document: Value) -> Result<Option<Timestamp>, Vec<FieldError>> {
    let is_missing = document.as_object().is_some_and(|members| !members.contains_key("expires_at"));
    let end = documents::SecretEndSettings::read(document)?.expires_at;
    if is_missing {
        return Err(vec![FieldError::at(
            "/expires_at",
            "is required; null means that the secret never expires",
        )]);
    }
    Ok(end.map(Timestamp::from))
}

#[cfg(test)]
mod tests {
    use administration::documents::{
        ClientSettings, ExplainSettings, ImportSettings, NewClient, NewSecretSettings, NewTenant,
        RotateSettings, TenantSettings,
    };
    use zeroize::Zeroizing;

    use super::super::KeyRotation;
    use super::*;

    fn client_patch(body: &[u8]) -> Result<Value, EditError> {
        patch(body, ClientSettings::read)
    }

    fn tenant_patch(body: &[u8]) -> Result<Value, EditError> {
        patch(body, TenantSettings::read)
    }

    fn end_of_secret(body: &[u8]) -> Result<Option<Timestamp>, EditError> {
        read(body, secret_end)
    }

    fn faults<T: std::fmt::Debug>(read: Result<T, EditError>) -> String {
        read.unwrap_err().to_string()
    }

    #[test]
    fn empty_body_reads_as_an_empty_document() {
        assert_eq!(read(b"", NewClient::read).unwrap(), NewClient::default());
        assert_eq!(read(b"", RotateSettings::read).unwrap(), RotateSettings::default());
        assert_eq!(read(b"", NewSecretSettings::read).unwrap(), NewSecretSettings::default());
        assert_eq!(client_patch(b"").unwrap(), Value::Object(Map::new()));
    }

    #[test]
    fn secret_expiry_is_required() {
        assert_eq!(
            faults(end_of_secret(b"")),
            "/expires_at: is required; null means that the secret never expires"
        );
        assert_eq!(end_of_secret(br#"{"expires_at":null}"#).unwrap(), None);
        let end = end_of_secret(br#"{"expires_at":"1970-01-01T00:00:09Z"}"#).unwrap();
        assert_eq!(end, Some(Timestamp::from_seconds(9)));
        for body in ["[]", "null", "7", r#"{"expires_at":7}"#, r#"{"expires_at":null,"x":1}"#] {
            assert!(end_of_secret(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn patch_refuses_unknown_members_even_with_null() {
        assert!(client_patch(br#"{"scopes":null,"token":{"issuer":null}}"#).is_ok());
        assert!(tenant_patch(br#"{"signing":{"skew":null},"resource_servers":{"api":null}}"#).is_ok());
        for fault in [
            faults(client_patch(br#"{"scoeps":null}"#)),
            faults(client_patch(br#"{"scopes":"a"}"#)),
            faults(tenant_patch(br#"{"scoeps":null}"#)),
            faults(tenant_patch(br#"{"signing":{"skwe":null}}"#)),
        ] {
            assert!(fault.starts_with("/s"), "{fault}");
        }
    }

    /// Replaces `$` by a canary that the test searches for in memory.
    fn with_canary(body: &str, tag: char) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        for (index, part) in body.split('$').enumerate() {
            if index > 0 {
                text.push_str(&Zeroizing::new(testkit::canary(tag)));
            }
            text.push_str(part);
        }
        text
    }

    // [found 27]
    #[test]
    fn a_document_leaves_no_secret_in_memory() {
        for (body, tag) in [
            (r#"{"client_id":"a","client_secret":"$","key":"$"}"#, 'K'),
            (r#"{"client_secret":"$","client_secret":"$","scopes":["$"]}"#, 'L'),
            (r#"{"client_secret":"$","x":[{"key":"$"},"#, 'M'),
            (r#"[{"client_secret":{"value":"$"}}]"#, 'N'),
            (r#"{"client_secret":"$"}"#, 'O'),
            (r#"{"key":"$","algorithm":7}"#, 'P'),
            (r#"{"name":"a","client_secret":"$","clientSecret":"$"}"#, 'Q'),
            (r#"{"name":7,"inbound_auth_config":[{"config":{"client_secret":"$","client_id":{}}}]}"#, 'R'),
        ] {
            let body = with_canary(body, tag);
            let body = body.as_bytes();
            let _ = read(body, NewClient::read);
            let _ = read(body, NewTenant::read);
            let _ = client_patch(body);
            let _ = tenant_patch(body);
            let _ = read(body, RotateSettings::read);
            let _ = end_of_secret(body);
            let _ = read(body, KeyRotation::read);
            if let Ok(settings) = read(body, ImportSettings::read) {
                // The program removes the key from the document in the same way.
                drop(values::Secret::new(settings.key));
            }
            if let Ok(mut settings) = read(body, ExplainSettings::read) {
                // The route removes the secret from the document in the same way.
                drop(settings.client_secret.take().map(values::Secret::new));
            }
            let _ = crate::thunder::ApplicationRequest::parse(body);
        }
        let found = testkit::leftovers();
        assert!(!found.iter().any(|tag| "KLMNOPQR".contains(*tag)), "{found:?}");
    }
}
