//! The body of a request to sign a report.

use std::sync::LazyLock;

use administration::documents::Shape;
use administration::documents::schema::JsonSchema;
use administration::edit::FieldError;
use serde_json::Value;

/// The digest of a report.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ReportDigest {
    /// SHA-256 of the report's bytes, in 64 hexadecimal digits.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub(crate) sha256: String,
}

static DIGEST: LazyLock<Shape> = LazyLock::new(Shape::new::<ReportDigest>);

impl ReportDigest {
    pub(crate) fn read(document: Value) -> Result<Self, Vec<FieldError>> {
        DIGEST.check(&document)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digest =
            document["sha256"].as_str().filter(|text| text.len() == 64 && text.bytes().all(is_digit));
        let wrong = || vec![FieldError::at("/sha256", "must be a SHA-256 digest of 64 digits 0-9 and a-f")];
        digest.map(|digest| Self { sha256: digest.to_owned() }).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_has_64_hexadecimal_digits() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(ReportDigest::read(json!({ "sha256": digest })).unwrap().sha256, digest);
        for wrong in [json!({}), json!({ "sha256": digest.to_uppercase() }), json!({ "sha256": digest[1..] })]
        {
            assert_eq!(ReportDigest::read(wrong).unwrap_err()[0].pointer, "/sha256");
        }
    }
}
