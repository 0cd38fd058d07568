//! The body of a key rotation.

use std::sync::LazyLock;

use administration::documents::schema::JsonSchema;
use administration::documents::{Shape, Wiped};
use administration::edit::FieldError;
use serde_json::Value;

/// Settings for the rotation of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct KeyRotation {
    /// The current keys may be compromised: they are removed immediately.
    #[schemars(default)]
    pub(crate) emergency: bool,
    /// Confirms that the caller knows what an emergency breaks; required for an emergency.
    #[schemars(default)]
    pub(crate) confirm: bool,
}

static ROTATION: LazyLock<Shape> = LazyLock::new(Shape::new::<KeyRotation>);

impl KeyRotation {
    /// `null` means the same as a missing member.
    pub(crate) fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        let document = Wiped::new(document);
        ROTATION.check(&document)?;
        Ok(Self { emergency: document["emergency"] == true, confirm: document["confirm"] == true })
    }
}

#[cfg(test)]
mod tests {
    use administration::documents::ImportSettings;
    use administration::edit::EditError;

    use super::super::read;
    use super::*;

    fn key_rotation(body: &[u8]) -> Result<KeyRotation, EditError> {
        read(body, KeyRotation::read)
    }

    fn key_import(body: &[u8]) -> Result<ImportSettings, EditError> {
        read(body, ImportSettings::read)
    }

    #[test]
    fn rotation_is_orderly_by_default() {
        for (body, emergency, confirm) in [
            ("", false, false),
            ("{}", false, false),
            (r#"{"emergency":null,"confirm":null}"#, false, false),
            (r#"{"emergency":true}"#, true, false),
            (r#"{"confirm":true}"#, false, true),
            (r#"{"emergency":true,"confirm":true}"#, true, true),
        ] {
            assert_eq!(key_rotation(body.as_bytes()).unwrap(), KeyRotation { emergency, confirm }, "{body}");
        }
    }

    #[test]
    fn all_errors_are_reported_without_the_key() {
        let needed = "/key: is required: a private key in PEM, or a JWK as a string";
        for (body, expected) in [
            ("", needed),
            (r#"{"key":null}"#, needed),
            (r#"{"key":{"kty":"EC","d":"hunter2"}}"#, "/key: must be a string"),
            (r#"{"key":"a","key":"hunter2"}"#, "/key: appears more than once"),
            (
                r#"{"kye":"hunter2","algorithm":7}"#,
                "/algorithm: must be a string; /kye: this member does not exist; did you mean `key`?; \
              /key: is required: a private key in PEM, or a JWK as a string",
            ),
            (r#"["hunter2"]"#, ": must be an object"),
        ] {
            assert_eq!(key_import(body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
        }
        for body in ["[]", "7", r#"{"emergency":"yes"}"#, r#"{"emergency":1}"#, r#"{"emergncy":true}"#] {
            assert!(key_rotation(body.as_bytes()).is_err(), "{body}");
        }
    }
}
