//! Reads a body into the request that administration takes.

use administration::{
    ClientSettings, EditError, FieldError, NewClient, NewSecretSettings, NewTenant, RotateSettings,
    TenantSettings, Wiped, read_json,
};
use protocol::Timestamp;
use serde_json::{Map, Value};

/// `{"id": …, "client"?: {…}, …settings}`.
pub(crate) fn new_tenant(body: &[u8]) -> Result<NewTenant, EditError> {
    NewTenant::read(parse(body)?).map_err(EditError::Invalid)
}

/// `{"client_id"?, "client_secret"?, …settings}`.
pub(crate) fn new_client(body: &[u8]) -> Result<NewClient, EditError> {
    NewClient::read(parse(body)?).map_err(EditError::Invalid)
}

/// A merge patch of a tenant's settings (RFC 7396). It is read as if it were settings itself: once it is merged, an unknown member
/// that it sets to null would have vanished without a word.
pub(crate) fn tenant_patch(body: &[u8]) -> Result<Value, EditError> {
    let patch = Wiped::new(parse(body)?);
    TenantSettings::read(patch.clone()).map_err(EditError::Invalid)?;
    Ok(patch.take())
}

/// The same of a client's settings.
pub(crate) fn client_patch(body: &[u8]) -> Result<Value, EditError> {
    let patch = Wiped::new(parse(body)?);
    ClientSettings::read(patch.clone()).map_err(EditError::Invalid)?;
    Ok(patch.take())
}

/// `{"expires_at"?}`.
pub(crate) fn new_secret(body: &[u8]) -> Result<NewSecretSettings, EditError> {
    NewSecretSettings::read(parse(body)?).map_err(EditError::Invalid)
}

/// `{"grace"?, "expires_at"?}`.
pub(crate) fn rotation(body: &[u8]) -> Result<RotateSettings, EditError> {
    RotateSettings::read(parse(body)?).map_err(EditError::Invalid)
}

/// `{"expires_at": …|null}`; here a missing member is no request.
pub(crate) fn secret_end(body: &[u8]) -> Result<Option<Timestamp>, EditError> {
    let document = parse(body)?;
    let is_missing = document.as_object().is_some_and(|members| !members.contains_key("expires_at"));
    let end = NewSecretSettings::read(document).map_err(EditError::Invalid)?.expires_at;
    if is_missing {
        let fault = FieldError::at("/expires_at", "is needed; null lets the secret never end");
        return Err(EditError::Invalid(vec![fault]));
    }
    Ok(end)
}

/// No body is an empty document.
pub(super) fn parse(body: &[u8]) -> Result<Value, EditError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    read_json(body).map_err(EditError::Invalid)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn faults<T: std::fmt::Debug>(read: Result<T, EditError>) -> String {
        read.unwrap_err().to_string()
    }

    #[test]
    fn no_body_is_an_empty_document() {
        assert_eq!(new_client(b"").unwrap(), NewClient::default());
        assert_eq!(rotation(b"").unwrap(), RotateSettings::default());
        assert_eq!(new_secret(b"").unwrap(), NewSecretSettings::default());
        assert_eq!(client_patch(b"").unwrap(), Value::Object(Map::new()));
    }

    #[test]
    fn a_secrets_end_must_be_said() {
        assert_eq!(faults(secret_end(b"")), "/expires_at: is needed; null lets the secret never end");
        assert_eq!(secret_end(br#"{"expires_at":null}"#).unwrap(), None);
        let end = secret_end(br#"{"expires_at":"1970-01-01T00:00:09Z"}"#).unwrap();
        assert_eq!(end, Some(Timestamp::from_seconds(9)));
        for body in ["[]", "null", "7", r#"{"expires_at":7}"#, r#"{"expires_at":null,"x":1}"#] {
            assert!(secret_end(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_patch_may_name_only_what_there_is_even_to_take_it_away() {
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

    /// A body with a canary in the place of `$`.
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
            let _ = new_client(body);
            let _ = new_tenant(body);
            let _ = client_patch(body);
            let _ = tenant_patch(body);
            let _ = rotation(body);
            let _ = secret_end(body);
            let _ = super::super::key_rotation(body);
            if let Ok(settings) = super::super::key_import(body) {
                // As it is taken on.
                drop(protocol::Secret::new(settings.key));
            }
            let _ = crate::thunder::ApplicationRequest::parse(body);
        }
        let found = testkit::leftovers();
        assert!(!found.iter().any(|tag| "KLMNOPQR".contains(*tag)), "{found:?}");
    }
}
