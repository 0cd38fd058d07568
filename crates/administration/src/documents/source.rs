//! The place of a secret or a key, as an operator's file names it. Only files may contain a place; the API
//! has no such member.

use std::fmt;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use values::{Lifetime, Secret, Timestamp, cropped, skip_serializing_none};
use zeroize::Zeroizing;

use super::schema::{self, JsonSchema};

/// A secret as a file declares it. Unlike [`values::Secret`], it can be cloned and compared like other
/// documents. It is still wiped and never printed.
//
// A request writes the chosen secret of a new client in the same way. The text above is in the schema.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
pub struct FileSecret(#[schemars(with = "String")] Zeroizing<String>);

/// A secret of a client: exactly one of `value`, `env`, `file`, `store` and `hash`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    extend("dependentRequired" = { "store": ["path"], "path": ["store"], "key": ["store"] }),
    transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["value", "env", "file", "store", "hash"]),
)]
pub struct SecretSource {
    /// The secret itself, for samples and tests only: everyone who can read the file knows it.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::NAME))]
    pub value: Option<FileSecret>,
    /// The environment variable that contains the secret.
    pub env: Option<String>,
    /// The file that contains the secret, relative to the file that names it. Latchkey ignores one newline at
    /// the end.
    pub file: Option<PathBuf>,
    /// The name of the secret store in `secret_stores` that contains the secret.
    pub store: Option<String>,
    /// The location of the secret in that store: the path in Vault's KV engine, or the name or ARN in AWS
    /// Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::STORE_PATH))]
    pub path: Option<String>,
    /// The member of the stored JSON object that contains the secret. Default: the whole text, which is
    /// possible only in AWS Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 256, "pattern" = schema::NAME))]
    pub key: Option<String>,
    /// The argon2id hash of the secret (m=19456, t=2, p=1) as a PHC string,
    /// `$argon2id$v=19$m=19456,t=2,p=1$…`.
    #[schemars(extend("pattern" = schema::PHC))]
    pub hash: Option<FileSecret>,
    /// When the secret expires. Default: never.
    #[serde(deserialize_with = "instant")]
    #[schemars(with = "Option<FileInstant>")]
    pub expires: Option<Timestamp>,
    /// How long the previous value stays valid after the content of `env`, `file` or `store` changes.
    /// Default: it expires immediately, with its tokens.
    #[schemars(with = "Option<schema::Span>", example = "24h")]
    pub previous_for: Option<Lifetime>,
}

/// The password of a person: exactly one of `value`, `env`, `file` and `hash`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["value", "env", "file", "hash"]))]
pub struct PasswordSource {
    /// The password itself. The server refuses to start with it if a listener is beyond loopback.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::NAME))]
    pub value: Option<FileSecret>,
    /// The environment variable that contains the password.
    pub env: Option<String>,
    /// The file that contains the password, relative to the file that names it. Latchkey ignores one newline
    /// at the end.
    pub file: Option<PathBuf>,
    /// The argon2id hash of the password (m=19456, t=2, p=1) as a PHC string.
    #[schemars(extend("pattern" = schema::PHC))]
    pub hash: Option<FileSecret>,
}

/// A private key: exactly one of `file`, `env` and `value`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["file", "env", "value"]))]
pub struct KeySource {
    /// The file that contains the key, relative to the file that names it.
    pub file: Option<PathBuf>,
    /// The environment variable that contains the key.
    pub env: Option<String>,
    /// The key itself.
    pub value: Option<FileSecret>,
}

/// Public keys: `keys`, or `file` in a settings file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["file", "keys"]))]
pub struct Jwks {
    /// A file with a JWK set, relative to the file that names it.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub file: Option<PathBuf>,
    /// The keys themselves.
    #[schemars(extend("minItems" = 1))]
    pub keys: Option<Vec<Jwk>>,
}

/// Authorities of client certificates: `pem`, or `file` in a settings file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| schema::exactly_one(schema, ["file", "pem"]))]
pub struct ClientCaSettings {
    /// A file with certificates in PEM, relative to the file that names it.
    #[serde(skip_serializing)]
    #[schemars(extend("x-file-only" = true))]
    pub file: Option<PathBuf>,
    /// The certificates themselves, in PEM.
    #[schemars(extend("minLength" = 1, "maxLength" = 65_536))]
    pub pem: Option<String>,
}

/// A public key (RFC 7517 §4). Latchkey ignores members that are not listed here, as §4 requires.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["kty"]))]
pub struct Jwk {
    /// Key type: RSA, EC or OKP.
    #[schemars(extend("enum" = ["RSA", "EC", "OKP"]))]
    pub kty: String,
    /// Key id.
    pub kid: Option<String>,
    /// Algorithm.
    pub alg: Option<String>,
    /// Public key use.
    #[serde(rename = "use")]
    pub public_key_use: Option<String>,
    /// Key operations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_ops: Vec<String>,
    /// RSA modulus.
    pub n: Option<String>,
    /// RSA exponent.
    pub e: Option<String>,
    /// Curve.
    pub crv: Option<String>,
    /// X coordinate, or an OKP key.
    pub x: Option<String>,
    /// Y coordinate.
    pub y: Option<String>,
    /// Certificate chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub x5c: Vec<String>,
    /// Thumbprint of the certificate.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: Option<String>,
    /// A private exponent, read only to be refused.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub d: Option<FileSecret>,
    /// A symmetric key, read only to be refused.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub k: Option<FileSecret>,
}

/// An instant in UTC, written `2027-01-31T12:00:00Z` (RFC 3339), or `2027-01-31` for the start of that day.
#[cfg(feature = "schemas")]
#[derive(JsonSchema)]
#[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$"))]
struct FileInstant(#[expect(dead_code, reason = "it describes a text and is never made")] String);

/// Reads a [`FileInstant`].
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let parsed = match text.len() {
        10 => Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")),
        20 if text.ends_with('Z') => Timestamp::parse_rfc3339(&text),
        _ => None,
    };
    let quoted = cropped(&text);
    let wrong = || {
        format!("`{quoted}` is not an instant in UTC; use a form such as 2027-01-31T12:00:00Z or 2027-01-31")
    };
    parsed.map(Some).ok_or_else(|| D::Error::custom(wrong()))
}

impl FileSecret {
    /// Takes ownership of the text, so that no copy stays in memory.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text of the secret. Keep the borrow short, and do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Converts the text to a secret without a copy.
    #[must_use]
    pub fn into_inner(mut self) -> Secret {
        Secret::new(std::mem::take(&mut *self.0))
    }
}

impl fmt::Debug for FileSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for FileSecret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_prints_redacted() {
        let source =
            SecretSource { value: Some(FileSecret::new("hunter2".into())), ..SecretSource::default() };
        let printed = format!("{source:?} {source:#?}");
        assert!(printed.contains("[redacted]") && !printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn instants_must_be_utc() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2027-01-31T12:00:01Z", Some(1_801_396_801)),
            ("2000-02-29", Some(951_782_400)),
            ("2024-12-31T23:59:59Z", Some(1_735_689_599)),
            ("2026-02-29", None),
            ("2027-01-31T12:00:00+01:00", None),
            ("2027-13-01", None),
            ("2027-1-1", None),
            ("1969-12-31", None),
            ("tomorrow", None),
        ] {
            let read = serde_json::from_value::<SecretSource>(json!({ "expires": text }));
            assert_eq!(read.ok().map(|source| source.expires.unwrap().seconds()), seconds, "{text}");
        }
    }
}
