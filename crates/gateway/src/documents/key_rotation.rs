//! The body of a key rotation.

use std::sync::LazyLock;

use administration::documents::schema::JsonSchema;
use administration::documents::{Shape, Wiped};
use administration::edit::FieldError;
use serde_json::Value;

/// How keys are to be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct KeyRotation {
    /// The present keys may be in wrong hands: they are gone at once.
    #[schemars(default)]
    pub(crate) emergency: bool,
    /// What an emergency breaks is known; needed there.
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
        let needed = "/key: is needed: a private key in PEM, or a JWK as a text";
        for (body, expected) in [
            ("", needed),
            (r#"{"key":null}"#, needed),
            (r#"{"key":{"kty":"EC","d":"hunter2"}}"#, "/key: write a text"),
            (r#"{"key":"a","key":"hunter2"}"#, "/key: is there more than once"),
            (
                r#"{"kye":"hunter2","algorithm":7}"#,
                "/algorithm: write a text; /kye: there is no such member here; was `key` meant?; \
              /key: is needed: a private key in PEM, or a JWK as a text",
            ),
            (r#"["hunter2"]"#, ": write an object"),
        ] {
            assert_eq!(key_import(body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
        }
        for body in ["[]", "7", r#"{"emergency":"yes"}"#, r#"{"emergency":1}"#, r#"{"emergncy":true}"#] {
            assert!(key_rotation(body.as_bytes()).is_err(), "{body}");
        }
    }
}
