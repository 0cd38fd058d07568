//! Secrets as documents. The value is shown only in the answer that creates it, and the hash is never shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use values::Lifetime;

use super::Instant;
use super::read::documents;
use super::schema::{self, JsonSchema, Span};

/// A secret of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretView {
    /// Which of the client's secrets, as `s1`.
    #[schemars(example = &"s1")]
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The last four characters of a generated value; empty for a chosen one.
    pub hint: String,
    /// The first 16 hexadecimal digits of the SHA-256 of a generated value, which also the holder of the
    /// value can compute. Secrets of an earlier version have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"9f86d081884c7d65", extend("pattern" = "^[0-9a-f]{16}$"))]
    pub fingerprint: Option<String>,
    /// Who made the value: Latchkey, a person, or another system whose hash was imported.
    #[schemars(extend("enum" = ["generated", "chosen", "imported"]))]
    pub form: String,
    /// Whether it is valid now.
    #[schemars(example = &"live", extend("enum" = ["live", "expired", "revoked"]))]
    pub status: String,
    /// What declares it: the operator's files, or requests of this API.
    #[schemars(example = &"api", extend("enum" = schema::MANAGED_BY))]
    pub managed_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
    /// When a client last authenticated with it; null for never. Up to one flush interval late.
    pub last_used_at: Option<Instant>,
    /// When a caller last presented it after its end, and was refused. That is no use of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented_after_end_at: Option<Instant>,
    /// From how many addresses it was presented. The last 32 are kept that used it, and the last 32 that were
    /// refused.
    pub addresses: u32,
    /// Those addresses, the latest first.
    #[serde(default)]
    pub used_from: Vec<UsedFrom>,
    /// Whether no caller needs it: it was not presented for a day, and it has ended or another live secret
    /// was used in that day.
    pub safe_to_delete: bool,
}

/// An address from which a secret was presented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsedFrom {
    /// An IPv4 address, or the /64 of an IPv6 one.
    pub address: String,
    /// When a client last authenticated with it from there.
    pub last_used_at: Option<Instant>,
    /// When it was last presented from there after its end, and refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented_after_end_at: Option<Instant>,
}

/// How a secret is to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewSecretSettings {
    /// What people call it, such as the place that it is for.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub name: Option<String>,
    /// When it expires. Default: never.
    pub expires_at: Option<Instant>,
}

/// When a secret is to end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecretEndSettings {
    /// When it expires; null: never.
    pub expires_at: Option<Instant>,
}

/// How a secret is to be replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RotateSettings {
    /// What people call the new one.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub name: Option<String>,
    /// How long the old ones stay valid. Default: a day.
    #[schemars(with = "Option<Span>", example = 86400)]
    pub grace: Option<Lifetime>,
    /// When the new one expires. Default: never.
    pub expires_at: Option<Instant>,
    /// The place in a secret store that the new one is written to, instead of being shown: `STORE:PATH#KEY`.
    /// The others end only once it is written.
    #[schemars(example = &"vault:oauth2/billing#client_secret", extend("maxLength" = 2048))]
    pub into: Option<String>,
}

/// A secret that has taken the place of the others.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotatedSecret {
    /// The value, where it was not written to a secret store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "password"))]
    pub client_secret: Option<String>,
    /// The place that the value was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"vault:oauth2/billing#client_secret")]
    pub into: Option<String>,
    /// Its version there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"4")]
    pub version: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub secret: SecretView,
}

/// A secret that has just been created: the only moment in which its value is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedSecret {
    /// The value.
    #[schemars(extend("format" = "password"))]
    pub client_secret: String,
    /// Everything else.
    #[serde(flatten)]
    pub secret: SecretView,
}

impl fmt::Debug for RotatedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("RotatedSecret");
        shown.field("into", &self.into).field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl fmt::Debug for CreatedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("CreatedSecret");
        shown.field("client_secret", &"[redacted]").field("secret", &self.secret).finish()
    }
}

documents!(NEW_SECRET: NewSecretSettings, SECRET_END: SecretEndSettings, ROTATION: RotateSettings);
